//! AWS: the vendor makes the key and shows its secret once. The consumer reads its credentials file before each request,
//! as the AWS tools do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::{Action, Consumer};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

use crate::consumer::Watched;
use crate::stage::{Victim, run, say};

/// Whether the key was rotated and its consumer never failed.
pub(crate) fn demonstrate() -> bool {
    let place = Workplace::new(std::env::current_exe().expect("the running program has a path"));
    let path = credentials_file(&place);
    write_credentials(&place, &path);
    let consumer = Watched::start({
        let (path, endpoint) = (path.clone(), place.cloud.endpoint());
        move || request(&path, &endpoint)
    });
    let destination = format!("aws-profile:gainsight@{}", path.display());
    let fixed = ["s3-customer-managed", "--user", USER, "--bucket", BUCKET, "--deliver"];
    let one_shot: Vec<&str> = fixed
        .into_iter()
        .chain([destination.as_str(), "--soak", "2s"])
        .collect();
    let rotate = |arguments: &[&str]| run(place.command(arguments), arguments);

    say("A user with one access key, and a consumer that reads it from a credentials file and lists a bucket.");
    show_keys(&place);

    say("What would be done? A dry run asks the same code, and writes nothing.");
    rotate(&[one_shot.as_slice(), &["--dry-run"]].concat());

    say("The rotation begins, and is killed with SIGKILL at the worst moment: AWS has made the key, nobody has it.");
    let victim = Victim::default();
    place.cloud.on_effect({
        let victim = victim.clone();
        move |effect| {
            if effect.action == Action::CreateAccessKey {
                victim.kill();
            }
        }
    });
    victim.run(place.command(&one_shot), &one_shot);
    show_keys(&place);

    say("The same command again: the key that nobody has is found and deleted, and a new one takes its place.");
    rotate(&one_shot);
    show_keys(&place);
    consumer.show("The consumer has moved by itself, because it reads the file each time");

    say("A person says that every consumer has moved. The old key is disabled, and the new one proven once more.");
    rotate(&["confirm", TARGET]);
    show_keys(&place);

    say("The soak is over; cron deletes the old key.");
    std::thread::sleep(Duration::from_millis(2200));
    rotate(&["run"]);
    show_keys(&place);

    say("What happened, line by line, and the proof that nobody has changed a line of it.");
    rotate(&["audit"]);
    rotate(&["audit", "verify"]);
    let rotated = place.cloud.keys_of(USER).len() == 1 && !place.cloud.key_exists(&place.old.id);
    consumer.stop() && rotated
}

fn show_keys(place: &Workplace) {
    for key in place.cloud.keys_of(USER) {
        let state = if key.active { "active" } else { "inactive" };
        let age = if key.id == place.old.id { "old" } else { "new" };
        println!("   at AWS: {} {state} ({age} key)", key.id);
    }
}

fn request(path: &Path, endpoint: &str) -> bool {
    let held = std::fs::read_to_string(path).unwrap_or_default();
    let value = |name: &str| {
        let line = held.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(" = ").nth(1)).unwrap_or_default()
    };
    let consumer = Consumer::new(endpoint, value("aws_access_key_id"), value("aws_secret_access_key"));
    consumer.list_bucket(BUCKET).is_ok()
}

fn credentials_file(place: &Workplace) -> PathBuf {
    place.path("credentials")
}

fn write_credentials(place: &Workplace, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let held = format!(
        "# the consumer's own file\n[gainsight]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\n",
        place.old.id, place.old.secret
    );
    std::fs::write(path, held).expect("the credentials file can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
}
