//! One flow with kills in it, and the invariants after each of them.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use rotate_fixtures::{AUTHORITY, has};

use crate::flow::Flow;
use crate::ground::Ground;
use crate::journal::{self, Journal};

/// More runs than any flow with two kills needs.
const MOST_RUNS: usize = 20;

pub(crate) struct Scenario<G> {
    flow: Flow,
    ground: G,
    trace: PathBuf,
}

/// How a scenario went.
pub(crate) struct Survived {
    /// The names of the crash points that were reached.
    pub(crate) points: Vec<String>,
    /// How many of the wanted kills happened.
    pub(crate) kills: usize,
}

impl<G: Ground> Scenario<G> {
    pub(crate) fn new(flow: Flow) -> Self {
        let ground = G::prepare(flow);
        ground.watch(flow);
        Self {
            flow,
            trace: ground.path("trace"),
            ground,
        }
    }

    /// Runs the flow to its end, killing the program at the n-th crash point after its beginning, then at the m-th one
    /// after that, and so on.
    pub(crate) fn run(self, kills: &[usize]) -> Survived {
        let mut left = kills.iter().copied();
        let mut budget = left.next();
        let mut killed = 0;
        let mut journal = self.journal();
        for _ in 0..MOST_RUNS {
            let Some(command) = self
                .flow
                .next(&self.ground, journal.state(self.ground.destinations()), killed > 0)
            else {
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
        command.env("RUST_LOG", "trace").env("SSL_CERT_FILE", AUTHORITY);
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

    /// The invariants that hold at every moment, checked after every run, killed or not.
    fn check_now(&self, journal: &Journal, kills: &[usize]) {
        let context = || format!("{:?} with kills {kills:?}: {journal:?}", self.flow);
        self.ground.check_now(journal, &context);
        // A secret is recoverable as long as its rotation is open.
        let closed = matches!(
            journal.state(self.ground.destinations()),
            "done" | "aborted" | "rolled-back"
        );
        if (journal.has("created") || journal.has("minted")) && !closed {
            assert!(journal.sealed >= 1, "a secret is lost; {}", context());
        }
        self.no_secret_in_state();
    }

    fn check_end(&self, journal: &Journal, kills: &[usize]) {
        let context = || format!("{:?} with kills {kills:?}: {journal:?}", self.flow);
        assert_eq!(
            journal.sealed,
            0,
            "a sealed secret outlived its rotation; {}",
            context()
        );
        self.ground.check_end(journal, &context);
        if journal.has("done") {
            self.again_does_nothing();
        }
        journal::verify(&self.ground.state().join("rotate.db"));
        self.nothing_left_beside();
    }

    /// A finished rotation is finished, however often the command is repeated.
    fn again_does_nothing(&self) {
        let calls = self.ground.calls();
        let output = self.flow.one_shot(&self.ground).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(self.ground.calls(), calls);
        assert_eq!(self.journal().last(), "done");
    }

    /// Neither a half-written file nor a copy of a secret stays behind.
    fn nothing_left_beside(&self) {
        let folder = self.trace.parent().unwrap().to_owned();
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["state", "trace"].contains(&name.as_str()))
            .filter(|name| !self.ground.expected_files().contains(&name.as_str()))
            .collect();
        names.sort();
        assert!(names.is_empty(), "left behind: {names:?}");
    }

    fn no_secret_in_state(&self) {
        for entry in std::fs::read_dir(self.ground.state()).into_iter().flatten() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            self.no_secret_in(&bytes, &path.display().to_string());
        }
    }

    fn no_secret_in(&self, bytes: &[u8], place: &str) {
        for secret in self.ground.secrets() {
            assert!(!has(bytes, &secret), "a secret is in {place}");
        }
    }

    fn points(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(&self.trace).unwrap_or_default();
        trace.lines().map(str::to_owned).collect()
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.ground.state().join("rotate.db"))
    }
}
