//! A rotation that a person takes step by step: no vendor is asked, and no tick is lost or counts twice.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::place::Place;
use rotate_fixtures::{TestClock, memory_folder};
use rotate_providers::guide::Procedure;

use crate::crash::flow::Flow;
use crate::crash::ground::Ground;
use crate::crash::journal::Journal;
use crate::crash::system::Move;

/// The guide with the fewest steps.
const TARGET: &str = "freshdesk/acme";

/// The command that opens it, and shows where it stands.
const OPEN: [&str; 6] = [
    "freshdesk",
    "--domain",
    "acme",
    "--agent",
    "gainsight@acme.com",
    "--begin",
];

/// After so many ticks the one who gives up does so.
const TICKS_BEFORE_GIVING_UP: usize = 2;

pub(crate) struct Guided {
    place: Place,
    /// The steps of the guide.
    steps: Vec<String>,
}

impl Guided {
    /// How each step is taken: with a note, left out, or just ticked.
    fn tick(&self, number: usize) -> Move {
        let step = self.steps[number].as_str();
        match number {
            0 | 1 => Move::command(&["done", TARGET, step, "--evidence", "ticket OPS-12"]),
            2 => Move::command(&["done", TARGET, "--skip", step, "--why", "done by the vendor"]),
            _ => Move::command(&["done", TARGET, step]),
        }
    }
}

/// The steps whose ticks stand, in the order of their ticks.
fn ticked(journal: &Journal) -> Vec<String> {
    let mut ticked: Vec<String> = Vec::new();
    for line in journal.latest() {
        let step = || line.body["step"].as_str().unwrap().to_owned();
        match line.event() {
            "step-done" | "step-skipped" => ticked.push(step()),
            "step-undone" => {
                let before = ticked.len();
                ticked.retain(|ticked| *ticked != step());
                assert_eq!(ticked.len() + 1, before, "{} had no tick", step());
            }
            _ => {}
        }
    }
    ticked
}

impl Ground for Guided {
    type Vendor = ();

    fn prepare(_flow: Flow, _clock: &TestClock) -> Self {
        let place = Place::new(Path::new(env!("CARGO_BIN_EXE_rotate")), &memory_folder());
        let guide = rotate_providers::connector("freshdesk").unwrap().guide().unwrap();
        let steps = guide.steps(Procedure::Rotate).iter().map(|step| step.id.clone());
        Self {
            steps: steps.collect(),
            place,
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    fn vendor(&self) {}

    fn put_back(&self, (): &()) {}

    fn vendor_state(&self) -> String {
        String::new()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.place.command([("LANG", "C.UTF-8")], arguments)
    }

    fn one_shot(&self, _flow: Flow) -> Command {
        self.command(&OPEN)
    }

    fn next(&self, flow: Flow, journal: &Journal, _now: Timestamp) -> Vec<Move> {
        let ticked = ticked(journal);
        match journal.last() {
            "" => vec![Move::one_shot()],
            "walk-aborted" => Vec::new(),
            _ if flow == Flow::GivenUp && ticked.len() >= TICKS_BEFORE_GIVING_UP => {
                vec![Move::command(&["abort", TARGET])]
            }
            _ => {
                let open = (0..self.steps.len()).find(|&number| !ticked.contains(&self.steps[number]));
                open.map(|number| self.tick(number)).into_iter().collect()
            }
        }
    }

    fn others(&self) -> Vec<Move> {
        let mut others = Flow::others(TARGET);
        // Out of turn, and once more.
        others.extend([self.tick(0), self.tick(3), self.tick(self.steps.len() - 1)]);
        // Taken back, also where that opens it again after its end; and evidence that is found later.
        let (first, last) = (self.steps[0].as_str(), self.steps[self.steps.len() - 1].as_str());
        others.extend([first, last].map(|step| Move::command(&["undo", TARGET, step])));
        others.push(Move::command(&["done", TARGET, first, "--evidence", "found later"]));
        others
    }

    fn check_effects(&self, _before: &Journal, _context: &dyn Fn() -> String) {}

    fn forget_effects(&self) {}

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let ticked = ticked(journal);
        let mut once = ticked.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), ticked.len(), "a tick counts twice; {}", context());
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let ticks = ticked(journal).len();
        let is_whole = journal.last() == "walk-aborted" || ticks == self.steps.len();
        assert!(is_whole, "{ticks} ticks; {}", context());
    }

    fn calls(&self) -> usize {
        0
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn expected_files(&self) -> Vec<String> {
        Vec::new()
    }
}
