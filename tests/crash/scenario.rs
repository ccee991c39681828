//! One flow with kills in it, and the invariants after each of them.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::KeyStatus;
use rotate_fixtures::workplace::USER;

use crate::flow::{Flow, profile};
use crate::journal::{self, Journal};

/// What someone else keeps in the shared credentials file.
const OTHERS: &str = "# not ours\n[default]\naws_access_key_id = OTHER\n\n[gs]\nregion = eu-west-1\n";

/// More runs than any flow with two kills needs.
const MOST_RUNS: usize = 20;

pub(crate) struct Scenario {
    flow: Flow,
    place: Workplace,
    trace: PathBuf,
}

/// How a scenario went.
pub(crate) struct Survived {
    /// The names of the crash points that were reached.
    pub(crate) points: Vec<String>,
    /// How many of the wanted kills happened.
    pub(crate) kills: usize,
}

impl Scenario {
    pub(crate) fn new(flow: Flow) -> Self {
        let place = Workplace::in_memory(env!("CARGO_BIN_EXE_rotate"));
        std::fs::write(profile(&place), OTHERS).unwrap();
        close_to_others(&profile(&place));
        flow.prepare(&place);
        let scenario = Self {
            flow,
            trace: place.path("trace"),
            place,
        };
        scenario.watch();
        scenario
    }

    /// Runs the flow to its end, killing the program at the n-th crash point after its beginning, then at the m-th one
    /// after that, and so on.
    pub(crate) fn run(self, kills: &[usize]) -> Survived {
        let mut left = kills.iter().copied();
        let mut budget = left.next();
        let mut killed = 0;
        let mut journal = self.journal();
        for _ in 0..MOST_RUNS {
            let Some(command) = self.flow.next(&self.place, journal.state(), killed > 0) else {
                self.check_end(&journal, kills);
                return Survived {
                    points: self.points(),
                    kills: killed,
                };
            };
            let before = self.points().len();
            if self.launch(command, budget, kills) {
                killed += 1;
                budget = left.next();
            } else {
                let reached = self.points().len() - before;
                budget = budget.map(|budget| budget.saturating_sub(reached));
            }
            journal = self.journal();
            self.check_now(&journal, kills);
        }
        panic!(
            "{:?} with kills {kills:?} does not end: {:?}",
            self.flow,
            self.journal()
        );
    }

    /// Runs one command; whether it was killed.
    fn launch(&self, mut command: Command, kill_at: Option<usize>, kills: &[usize]) -> bool {
        command.env("ROTATE_TEST_TRACE", &self.trace).args(["-vvv"]);
        command.env("RUST_LOG", "trace");
        if let Some(kill_at) = kill_at {
            command.env("ROTATE_TEST_KILL_AT", kill_at.to_string());
        }
        let output = command.output().unwrap();
        let talk = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        self.no_secret_in(&talk, "what the program printed");
        if output.status.signal().is_some() {
            return true;
        }
        let expected = if self.flow == Flow::Useless { 1 } else { 0 };
        assert!(
            output.status.code() == Some(expected) || output.status.code() == Some(0),
            "{:?} with kills {kills:?}: {}\n{}\n{:?}",
            self.flow,
            output.status,
            String::from_utf8_lossy(&talk),
            self.journal()
        );
        false
    }

    /// At the very moment of an effect: nobody is cut off, and the journal knows of it.
    fn watch(&self) {
        let database = self.place.state().join("rotate.db");
        let old = self.place.old.id.clone();
        let flow = self.flow;
        // A clone of the cloud would keep it alive for ever, so the hook only reads the disk.
        self.place.cloud.on_effect(move |effect| {
            let journal = Journal::read(&database);
            let is_old = effect.key_id == old;
            match effect.status {
                KeyStatus::Active if is_old => assert!(journal.has("reactivate-intended"), "{flow:?}: {journal:?}"),
                KeyStatus::Active => assert_eq!(journal.last(), "create-intended", "{flow:?}: {journal:?}"),
                KeyStatus::Inactive => {
                    assert!(is_old, "{flow:?}: the new key was disabled: {journal:?}");
                    assert!(
                        journal.has("cut-over"),
                        "{flow:?}: disabled before the cut-over: {journal:?}"
                    );
                    assert!(journal.has("deactivate-intended"), "{flow:?}: {journal:?}");
                }
                KeyStatus::Deleted if is_old => {
                    assert!(
                        journal.has("cut-over"),
                        "{flow:?}: deleted before the cut-over: {journal:?}"
                    );
                    assert!(journal.has("delete-intended"), "{flow:?}: {journal:?}");
                }
                KeyStatus::Deleted => {
                    let intended = matches!(journal.last(), "withdraw-intended" | "discard-intended");
                    assert!(intended, "{flow:?}: a new key was deleted without intent: {journal:?}");
                }
            }
        });
    }

    /// The invariants that hold at every moment, checked after every run, killed or not.
    fn check_now(&self, journal: &Journal, kills: &[usize]) {
        let place = &self.place;
        let context = || format!("{:?} with kills {kills:?}: {journal:?}", self.flow);
        if !journal.has("cut-over") {
            assert!(
                place.cloud.works(&place.old.id, &place.old.secret),
                "a consumer is cut off; {}",
                context()
            );
        }
        // Every live key is on record, or is what a call that was just made has left for the next run to find.
        let unknown = place
            .cloud
            .keys_of(USER)
            .into_iter()
            .filter(|key| !journal.names(&key.id))
            .count();
        let explained = journal.is_creating() || (journal.events.is_empty() && unknown <= 1);
        assert!(unknown == 0 || (unknown <= 2 && explained), "an orphan; {}", context());
        // A secret is recoverable as long as its rotation is open.
        let closed = matches!(journal.state(), "done" | "aborted" | "rolled-back");
        if journal.has("created") && !closed {
            assert!(journal.sealed >= 1, "a secret is lost; {}", context());
        }
        // A destination is whole: what it was, or what it is to be.
        if place.delivered().exists() {
            let key = place
                .delivered_key()
                .unwrap_or_else(|| panic!("a torn file; {}", context()));
            assert!(
                journal.names(&key.id),
                "a key was delivered that is not on record; {}",
                context()
            );
        }
        let held = std::fs::read_to_string(profile(place)).unwrap();
        assert!(
            held.starts_with(OTHERS),
            "others' lines were disturbed; {}\n{held}",
            context()
        );
        self.no_secret_in_state();
    }

    fn check_end(&self, journal: &Journal, kills: &[usize]) {
        let place = &self.place;
        let context = || format!("{:?} with kills {kills:?}: {journal:?}", self.flow);
        assert_eq!(
            journal.sealed,
            0,
            "a sealed secret outlived its rotation; {}",
            context()
        );
        let keys = place.cloud.keys_of(USER);
        assert_eq!(keys.len(), 1, "{keys:?}; {}", context());
        let held = std::fs::read_to_string(profile(place)).unwrap();
        if journal.has("done") {
            let new = place.delivered_key().expect("the new key is delivered");
            assert!(place.cloud.works(&new.id, &new.secret), "{}", context());
            assert!(held.contains(&new.secret), "{}", context());
            self.again_does_nothing();
        } else {
            assert!(place.cloud.works(&place.old.id, &place.old.secret), "{}", context());
            assert!(!place.delivered().exists(), "{}", context());
            assert_eq!(held, OTHERS, "{}", context());
        }
        journal::verify(&place.state().join("rotate.db"));
        self.nothing_left_beside();
    }

    /// A finished rotation is finished, however often the command is repeated.
    fn again_does_nothing(&self) {
        let calls = self.place.cloud.call_count();
        let output = self.flow.one_shot(&self.place).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(self.place.cloud.call_count(), calls);
        assert_eq!(self.journal().last(), "done");
    }

    /// Neither a half-written file nor a copy of a secret stays behind.
    fn nothing_left_beside(&self) {
        let folder = profile(&self.place).parent().unwrap().to_owned();
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["state", "trace", "credentials", "key.json"].contains(&name.as_str()))
            .collect();
        names.sort();
        assert!(names.is_empty(), "left behind: {names:?}");
    }

    fn no_secret_in_state(&self) {
        for entry in std::fs::read_dir(self.place.state()).into_iter().flatten() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            self.no_secret_in(&bytes, &path.display().to_string());
        }
    }

    fn no_secret_in(&self, bytes: &[u8], place: &str) {
        let canary = self.place.cloud.canary();
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "a secret is in {place}");
    }

    fn points(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(&self.trace).unwrap_or_default();
        trace.lines().map(str::to_owned).collect()
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.place.state().join("rotate.db"))
    }
}

fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
