//! A place to run the program in, without any vendor.

use std::path::{Path, PathBuf};
use std::process::Command;

use rotate_fixtures::memory_folder;
use rotate_fixtures::place::{Place, Ran};
use serde_json::Value;

pub(crate) const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The guide that these tests walk by: the shortest, with a gap.
pub(crate) const TARGET: &str = "freshdesk/acme";

/// Its steps.
pub(crate) const STEPS: [&str; 10] = [
    "list-users-of-the-key",
    "look-for-an-overlap",
    "check-the-key-page",
    "open-gainsight",
    "reset",
    "keep-the-key",
    "try-the-new-key",
    "save-in-gainsight",
    "save-elsewhere",
    "prove-with-a-job",
];

/// How many there are.
pub(crate) const ALL: usize = STEPS.len();

/// The command that shows its plan, and where it stands.
pub(crate) const SHOW: [&str; 5] = ["freshdesk", "--domain", "acme", "--agent", "gainsight@acme.com"];

/// The command that opens it.
pub(crate) const OPEN: [&str; 6] = [
    "freshdesk",
    "--domain",
    "acme",
    "--agent",
    "gainsight@acme.com",
    "--begin",
];

/// A folder of its own, with the program.
pub(crate) struct Desk {
    place: Place,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::new(Path::new(ROTATE), &memory_folder()),
        }
    }

    /// One on which the rotation is open.
    pub(crate) fn opened() -> Self {
        let desk = Self::new();
        desk.run(OPEN).expect(0);
        desk
    }

    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        self.place.command([("LANG", "C.UTF-8")], arguments)
    }

    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The same, this much later.
    pub(crate) fn later<'a>(&self, hours: u32, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        let mut command = self.command(arguments);
        command.env("ROTATE_TEST_CLOCK_AHEAD", (hours * 3600).to_string());
        Ran::of(command)
    }

    pub(crate) fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Value {
        self.run(["--output", "json"].into_iter().chain(arguments)).json()
    }

    /// Ticks a step.
    #[track_caller]
    pub(crate) fn done(&self, step: &str) -> Ran {
        self.run(["done", TARGET, step]).expect(0)
    }

    /// Ticks every step that is open, from this position.
    #[track_caller]
    pub(crate) fn finish(&self, from: usize) {
        for step in &STEPS[from..] {
            self.done(step);
        }
    }

    /// Where the target stands, with its plan.
    #[track_caller]
    pub(crate) fn target(&self) -> Value {
        let document = self.json(["status", TARGET]);
        let targets = document["targets"].as_array().expect("it is about targets");
        assert_eq!(targets.len(), 1, "{document:#}");
        targets[0].clone()
    }

    /// The steps that are done or skipped.
    #[track_caller]
    pub(crate) fn ticked(&self) -> Vec<String> {
        let target = self.target();
        let plan = target["steps"].as_array().expect("it has a plan");
        let behind = plan.iter().filter(|step| !step["tick"].is_null());
        behind
            .map(|step| step["step"].as_str().expect("it has a name").to_owned())
            .collect()
    }

    /// The journal: the name of each event, and the step that it is about.
    pub(crate) fn journal(&self) -> Vec<String> {
        let journal = self.json(["audit"]);
        let lines = journal["events"].as_array().expect("it is the journal");
        let line = |line: &Value| {
            let step = line["what"]["step"].as_str().map(|step| format!(" {step}"));
            format!(
                "{}{}",
                line["what"]["event"].as_str().unwrap(),
                step.unwrap_or_default()
            )
        };
        lines.iter().map(line).collect()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.place.state()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    /// The journal is intact.
    #[track_caller]
    pub(crate) fn verify(&self) {
        let told = self.run(["audit", "verify"]).expect(0).stdout;
        assert!(told.starts_with("the journal is intact"), "{told}");
    }
}
