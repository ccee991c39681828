//! The real program on a ground: worlds are copied, put back, and left by running a command.

use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::{AUTHORITY, TestClock, has, memory_folder};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};
use tempfile::TempDir;

use crate::crash::book::Book;
use crate::crash::files::Files;
use crate::crash::flow::Flow;
use crate::crash::ground::Ground;
use crate::crash::journal::{Journal, Reader, Sealed};
use crate::crash::print::Parts;
use crate::crash::system::{Deed, Killed, Line, Move, Ran, System};

/// One ground with the program on it.
pub(crate) struct Stage<G: Ground, B: Book = Reader> {
    flow: Flow,
    /// Whether only the flow's own commands are run.
    is_strict: bool,
    ground: G,
    clock: TestClock,
    /// Where the clock and what the program prints are kept.
    beside: TempDir,
    book: B,
    /// The crash points that were passed.
    pub(crate) passed: BTreeSet<String>,
    /// Prints of ends after which a repeat was seen to do nothing.
    repeated: HashSet<String>,
}

/// All that outlives a process.
pub(crate) struct World<V, K> {
    files: Files,
    /// Of the journal, where that is not among the files.
    kept: K,
    vendor: V,
    vendor_state: String,
    now: Timestamp,
    pub(crate) journal: Journal,
    print: String,
}

/// That of a stage.
type Of<G, B> = World<<G as Ground>::Vendor, <B as Book>::Kept>;

impl<G: Ground, B: Book> Stage<G, B> {
    pub(crate) fn new(flow: Flow, is_strict: bool) -> Self {
        let beside = tempfile::tempdir_in(memory_folder()).unwrap();
        // A whole second: vendors write down no more than that.
        let begun = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let clock = TestClock::new(beside.path().join("clock"), begun);
        Self {
            ground: G::prepare(flow, &clock),
            flow,
            is_strict,
            clock,
            beside,
            book: B::new(),
            passed: BTreeSet::new(),
            repeated: HashSet::new(),
        }
    }

    /// The world as it is now; the one before, if nothing has changed since.
    fn look(&self, before: Option<&Arc<Of<G, B>>>) -> Arc<Of<G, B>> {
        let files = Files::of(&self.ground.folder());
        let vendor_state = self.ground.vendor_state();
        let kept = self.book.kept();
        if let Some(before) = before
            && before.files == files
            && before.kept == kept
            && before.vendor_state == vendor_state
        {
            return Arc::clone(before);
        }
        let journal = self.book.journal(&files);
        let now = self.clock.now();
        let parts = Parts {
            journal: &journal,
            files: &files,
            vendor: &vendor_state,
            now,
            unsealed: &|sealed| self.unsealed(sealed),
            key_of: &|pem| self.ground.key_of(pem),
        };
        let print = parts.print();
        Arc::new(World {
            vendor: self.ground.vendor(),
            files,
            kept,
            vendor_state,
            now,
            journal,
            print,
        })
    }

    fn unsealed(&self, sealed: &Sealed) -> Vec<u8> {
        sealed.opened(&self.ground.folder().join("state"))
    }

    /// Makes this world the one that is there, so much later.
    fn enter(&self, world: &Of<G, B>, after: SignedDuration) {
        world.files.put_back(&self.ground.folder());
        self.book.put_back(&world.kept);
        self.ground.put_back(&world.vendor);
        self.ground.tidy(&world.journal);
        let next = Timestamp::from_second(world.now.as_second() + 1).unwrap();
        self.clock.set(next + after);
    }

    /// Success; where anything is tried, also a failure that was told and a person who is needed. Never a crash of its own, and
    /// never a misunderstanding.
    fn expects(&self, code: i32) -> bool {
        self.flow.expects(code) || (!self.is_strict && matches!(code, 1 | 3))
    }

    fn command(&self, by: &Move) -> Command {
        let mut command = match &by.line {
            Line::Deed(deed) => panic!("{deed:?} is no command"),
            Line::OneShot => self.ground.one_shot(self.flow),
            Line::Command(arguments) => {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                self.ground.command(&arguments)
            }
        };
        command.env("ROTATE_TEST_CLOCK", self.clock.path());
        command.env("SSL_CERT_FILE", AUTHORITY);
        self.book.tell(&mut command);
        // A key that somebody has taken away is not waited for.
        if self.flow == Flow::Meddled {
            command.args(["--verify-deadline", "0s"]);
        }
        // All that it can ever print is searched for secrets.
        command.arg("-vvv").env("RUST_LOG", "trace");
        let output = std::fs::File::create(self.beside.path().join("output")).unwrap();
        command.stdout(output.try_clone().unwrap()).stderr(output);
        command
    }

    /// The world after what somebody else has done in this one.
    fn suffer(&self, deed: Deed, from: &Of<G, B>) -> Arc<Of<G, B>> {
        self.ground.suffer(deed, &from.journal);
        self.ground.forget_effects();
        self.look(None)
    }

    /// What the last command printed.
    fn output(&self) -> Vec<u8> {
        std::fs::read(self.beside.path().join("output")).unwrap()
    }

    /// The invariants that hold at every moment.
    fn check_now(&self, world: &Of<G, B>, context: &dyn Fn() -> String) {
        let journal = &world.journal;
        self.ground.check_now(journal, context);
        // A secret is recoverable as long as its rotation is open. That it can be opened was seen when the world was looked at.
        for rotation in journal.rotations() {
            let sealed = || {
                journal
                    .sealed
                    .iter()
                    .any(|sealed| sealed.rotation == rotation.lines[0].rotation)
            };
            let has_secret = ["created", "minted", "generated"]
                .iter()
                .any(|event| rotation.has(event));
            assert!(
                !has_secret || rotation.is_closed() || sealed(),
                "a secret is lost; {}",
                context()
            );
        }
        self.no_secret_in(&B::text(&world.kept), "the database");
        for entry in world.files.iter().filter(|entry| entry.path.starts_with("state")) {
            if let Some(bytes) = &entry.bytes {
                self.no_secret_in(bytes, &entry.path.display().to_string());
            }
        }
    }

    fn no_secret_in(&self, bytes: &[u8], place: &str) {
        for secret in self.ground.secrets() {
            assert!(!has(bytes, &secret), "a secret is in {place}");
        }
    }

    /// A finished rotation is finished, however often the command is repeated.
    fn again_does_nothing(&self, world: &Of<G, B>, by: &Move) {
        self.enter(world, SignedDuration::ZERO);
        let calls = self.ground.calls();
        let status = self.command(by).status().unwrap();
        assert!(
            status.success(),
            "{by} after the end: {status}\n{}",
            String::from_utf8_lossy(&self.output())
        );
        assert_eq!(self.ground.calls(), calls, "{by} after the end called the vendor");
        let after = self.look(None);
        assert_eq!(
            after.journal.lines.len(),
            world.journal.lines.len(),
            "{by} after the end wrote"
        );
    }

    /// Neither a half-written file nor a copy of a secret stays behind.
    fn nothing_left_beside(&self, world: &Of<G, B>) {
        let expected = self.ground.expected_files();
        let left = world.files.iter().map(|entry| entry.path.display().to_string());
        let left: Vec<String> = left
            .filter(|path| !path.starts_with("state") && !expected.contains(path))
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

impl<G: Ground, B: Book> System for Stage<G, B> {
    type World = Of<G, B>;

    fn first(&mut self) -> Arc<Self::World> {
        self.look(None)
    }

    fn print<'w>(&self, world: &'w Self::World) -> &'w str {
        &world.print
    }

    fn is_same(&self, one: &Self::World, other: &Self::World) -> bool {
        one.files == other.files && one.kept == other.kept && one.vendor_state == other.vendor_state
    }

    fn is_blocked(&self, world: &Self::World) -> bool {
        world.journal.rotations().iter().any(Journal::is_blocked)
    }

    fn next(&self, world: &Self::World) -> Vec<Move> {
        self.ground.next(self.flow, &world.journal, world.now)
    }

    fn others(&self, _world: &Self::World) -> Vec<Move> {
        self.ground.others()
    }

    #[expect(clippy::zombie_processes, reason = "whoever waits for its stops also sees its end")]
    fn run(&mut self, from: &Self::World, by: &Move) -> Ran<Self::World> {
        self.enter(from, by.after);
        if let Line::Deed(deed) = by.line {
            let end = self.suffer(deed, from);
            return Ran {
                points: Vec::new(),
                end,
                code: 0,
            };
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut command = self.command(by);
        command.env("ROTATE_TEST_STOP", "1");
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        let child = command.spawn().unwrap();
        // It holds the other end of the socket, which else would never end.
        drop(command);
        let id = Pid::from_child(&child);
        let mut at: Option<Arc<Self::World>> = None;
        let mut points: Vec<(String, Arc<Self::World>)> = Vec::new();
        let mut before = from.journal.clone();
        for name in BufReader::new(ours.try_clone().unwrap()).lines() {
            // A process that was killed from outside closes the socket in another way.
            let Ok(name) = name else { break };
            let status = wait(id);
            assert!(status.stopped(), "{by}: {status:?} at {name}");
            let world = self.look(at.as_ref());
            let context = || format!("{by}, at point {} ({name}): {:?}", points.len() + 1, world.journal);
            self.ground.check_effects(&before, &context);
            if at.as_ref().is_none_or(|at| !Arc::ptr_eq(at, &world)) {
                self.check_now(&world, &context);
                before = world.journal.clone();
            }
            self.passed.insert(name.clone());
            points.push((name, Arc::clone(&world)));
            at = Some(world);
            kill_process(id, Signal::CONT).unwrap();
            (&ours).write_all(b".").unwrap();
        }
        let status = wait(id);
        let output = self.output();
        let told = || String::from_utf8_lossy(&output).into_owned();
        self.no_secret_in(&output, "what the program printed");
        let code = status
            .exit_status()
            .unwrap_or_else(|| panic!("{by}: {status:?}\n{}", told()));
        let end = self.look(at.as_ref());
        let context = || format!("after {by} (exit {code}): {:?}\n{}", end.journal, told());
        self.ground.check_effects(&before, &context);
        self.check_now(&end, &context);
        assert!(self.expects(code), "{by}: exit {code}; {}", context());
        Ran { points, end, code }
    }

    fn kill(&mut self, from: &Self::World, by: &Move, at: usize) -> Killed<Self::World> {
        self.enter(from, by.after);
        if let Line::Deed(deed) = by.line {
            let world = self.suffer(deed, from);
            return Killed {
                world,
                was_killed: false,
            };
        }
        let mut command = self.command(by);
        let status = command.env("ROTATE_TEST_KILL_AT", at.to_string()).status().unwrap();
        let output = self.output();
        let told = || String::from_utf8_lossy(&output).into_owned();
        let was_killed = status.signal() == Some(9);
        assert!(
            was_killed || status.code().is_some_and(|code| self.expects(code)),
            "{by}: {status}\n{}",
            told()
        );
        self.no_secret_in(&self.output(), "what the program printed");
        // Its effects are those of the run that was stopped at the same points, where they were looked at.
        self.ground.forget_effects();
        let world = self.look(None);
        self.check_now(&world, &|| format!("{by}, killed at point {at}: {:?}", world.journal));
        Killed { world, was_killed }
    }

    fn check_end(&mut self, world: &Self::World) {
        let context = || format!("at the end: {:?}", world.journal);
        assert!(
            world.journal.sealed.is_empty(),
            "a sealed secret outlived its rotation; {}",
            context()
        );
        self.enter(world, SignedDuration::ZERO);
        self.ground.check_end(&world.journal, &context);
        self.book.verify(&world.files);
        self.nothing_left_beside(world);
        if self.repeated.insert(world.print.clone()) {
            for by in self.flow.repeats(&world.journal) {
                self.again_does_nothing(world, &by);
            }
        }
    }
}

/// Waits until a child has stopped or ended.
fn wait(id: Pid) -> WaitStatus {
    loop {
        match waitpid(Some(id), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) => return status,
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("waiting for the program: {error}"),
        }
    }
}
