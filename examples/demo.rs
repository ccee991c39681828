//! The main job, on a fresh machine, with nothing to set up: `cargo run --release --example demo`.
//!
//! A fake cloud as strict as the real one, the real command line of `rotate`, and a consumer that keeps using its key
//! throughout. The consumer reads its credentials file before each request, as the AWS tools do; not one of its requests
//! may fail.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a demonstration that cannot go on stops, and it is there to be read"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::{Action, Consumer};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

/// Set for the process that plays the installed program: this example holds both.
const AS_ROTATE: &str = "ROTATE_DEMO_IS_ROTATE";

fn main() -> ExitCode {
    if std::env::var_os(AS_ROTATE).is_some() {
        return rotate::cli::main(std::env::args_os());
    }
    let demo = Demo::new();
    let consumer = Watched::start(&demo);
    demo.say("A user with one access key, and a consumer that reads it from a credentials file and lists a bucket.");
    demo.show_keys();

    demo.say("What would be done? A dry run asks the same code, and writes nothing.");
    demo.rotate(&demo.one_shot(&["--dry-run"]));

    demo.say(
        "The rotation begins, and is killed with SIGKILL at the worst moment: AWS has made the key, nobody has it.",
    );
    demo.rotate_and_kill(&demo.one_shot(&[]));
    demo.show_keys();

    demo.say("The same command again: the key that nobody has is found and deleted, and a new one takes its place.");
    demo.rotate(&demo.one_shot(&[]));
    demo.show_keys();
    consumer.show("The consumer has moved by itself, because it reads the file each time");

    demo.say("A person says that every consumer has moved. The old key is disabled, and the new one proven once more.");
    demo.rotate(&["confirm".to_owned(), TARGET.to_owned()]);
    demo.show_keys();

    demo.say("The soak is over; cron deletes the old key.");
    std::thread::sleep(Duration::from_millis(2200));
    demo.rotate(&["run".to_owned()]);
    demo.show_keys();

    demo.say("What happened, line by line, and the proof that nobody has changed a line of it.");
    demo.rotate(&["audit".to_owned()]);
    demo.rotate(&["audit".to_owned(), "verify".to_owned()]);
    let failed = consumer.stop();
    let rotated = demo.place.cloud.keys_of(USER).len() == 1 && !demo.place.cloud.key_exists(&demo.place.old.id);
    if failed == 0 && rotated {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Demo {
    place: Workplace,
}

impl Demo {
    fn new() -> Self {
        let place = Workplace::new(std::env::current_exe().expect("the running program has a path"));
        let held = format!(
            "# the consumer's own file\n[gainsight]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\n",
            place.old.id, place.old.secret
        );
        let path = credentials_file(&place);
        std::fs::write(&path, held).expect("the credentials file can be written");
        close_to_others(&path);
        Self { place }
    }

    fn one_shot(&self, more: &[&str]) -> Vec<String> {
        let destination = format!("aws-profile:gainsight@{}", credentials_file(&self.place).display());
        let fixed = [
            "s3-customer-managed",
            "--user",
            USER,
            "--bucket",
            BUCKET,
            "--deliver",
            &destination,
        ];
        fixed
            .iter()
            .chain(&["--soak", "2s"])
            .chain(more)
            .map(|argument| (*argument).to_owned())
            .collect()
    }

    fn rotate(&self, arguments: &[String]) {
        let status = self.command(arguments).status().expect("the program can be started");
        println!("  [{status}]");
    }

    /// Kills the program while AWS carries out the creation, before the answer leaves.
    fn rotate_and_kill(&self, arguments: &[String]) {
        let process = Arc::new(AtomicU32::new(0));
        let victim = Arc::clone(&process);
        self.place.cloud.on_effect(move |effect| {
            let pid = victim.swap(0, Ordering::SeqCst);
            if effect.action == Action::CreateAccessKey && pid != 0 {
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            }
        });
        let mut child = self.command(arguments).spawn().expect("the program can be started");
        process.store(child.id(), Ordering::SeqCst);
        println!("  [{}]", child.wait().expect("the program can be waited for"));
    }

    fn command(&self, arguments: &[String]) -> Command {
        println!("\n$ rotate {}", arguments.join(" "));
        let mut command = self.place.command(arguments);
        command.env(AS_ROTATE, "1").stdin(Stdio::null());
        command
    }

    /// Gives the consumer time to work, and the reader time to read.
    fn say(&self, text: &str) {
        std::thread::sleep(Duration::from_millis(400));
        println!("\n── {text}");
    }

    fn show_keys(&self) {
        for key in self.place.cloud.keys_of(USER) {
            let state = if key.active { "active" } else { "inactive" };
            let age = if key.id == self.place.old.id { "old" } else { "new" };
            println!("   at AWS: {} {state} ({age} key)", key.id);
        }
    }
}

/// A consumer that never stops using its key.
struct Watched {
    stop: Arc<AtomicBool>,
    worked: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<()>,
}

impl Watched {
    fn start(demo: &Demo) -> Self {
        let (stop, worked, failed) = (Arc::default(), Arc::default(), Arc::default());
        let (path, endpoint) = (credentials_file(&demo.place), demo.place.cloud.endpoint());
        let thread = {
            let (stop, worked, failed) = (Arc::clone(&stop), Arc::clone(&worked), Arc::clone(&failed));
            std::thread::spawn(move || work(&path, &endpoint, &stop, &worked, &failed))
        };
        Self {
            stop,
            worked,
            failed,
            thread,
        }
    }

    fn show(&self, text: &str) {
        let (worked, failed) = (self.worked.load(Ordering::SeqCst), self.failed.load(Ordering::SeqCst));
        println!("\n── {text}: {worked} requests so far, {failed} failed.");
    }

    fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let failed = Arc::clone(&self.failed);
        self.show("The consumer stops");
        self.thread.join().expect("the consumer ends");
        failed.load(Ordering::SeqCst)
    }
}

fn work(path: &Path, endpoint: &str, stop: &AtomicBool, worked: &AtomicUsize, failed: &AtomicUsize) {
    while !stop.load(Ordering::SeqCst) {
        let held = std::fs::read_to_string(path).unwrap_or_default();
        let value = |name: &str| {
            let line = held.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split(" = ").nth(1)).unwrap_or_default()
        };
        let consumer = Consumer::new(endpoint, value("aws_access_key_id"), value("aws_secret_access_key"));
        let counter = if consumer.list_bucket(BUCKET).is_ok() {
            worked
        } else {
            failed
        };
        counter.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn credentials_file(place: &Workplace) -> PathBuf {
    place.path("credentials")
}

fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
}
