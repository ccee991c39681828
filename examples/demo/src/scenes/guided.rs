//! A vendor at which only a person can replace a key: the person is led, and the new key is tried before the old one may go.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rotate_fixtures::KeyVendor;
use rotate_fixtures::place::Place;

use crate::consumer::Watched;
use crate::stage::Stage;

const TARGET: &str = "aha/acme";
/// The step that takes the old key away.
const REVOKE: &str = "revoke-the-old-key";
const OLD: &str = "gainsight-2025";
const NEW: &str = "gainsight-2026";

/// What the person notes down at each step.
const NOTES: [(&str, &str); 12] = [
    ("find-the-owner", "gainsight@acme.example"),
    ("note-the-old-key", "gainsight-2025; 2025-11-28"),
    ("list-other-uses", "Gainsight only"),
    ("create-the-new-key", NEW),
    ("try-the-new-key", ""),
    ("save-in-gainsight", "saved at 10:05"),
    ("save-elsewhere", "nobody else"),
    ("prove-with-a-job", "job nightly, 10:12, 841 records"),
    ("look-for-the-old-key", "not shown"),
    ("watch-the-schedule", "nightly at 02:00, weekly at 03:00"),
    (REVOKE, OLD),
    ("prove-once-more", "10:31"),
];

/// The vendor, and what the person has of it.
struct Desk {
    vendor: KeyVendor,
    place: Place,
    /// What the person has copied from the vendor's page.
    copied: String,
    /// What Gainsight holds.
    held: Arc<Mutex<String>>,
    /// Whether the new key was pasted before.
    pasted: bool,
    /// What is worth a note at this step.
    note: &'static str,
}

pub(crate) fn play(stage: &Stage, program: &Path, folder: &Path) {
    stage.scene("A key that only a person can replace");
    let vendor = KeyVendor::start();
    let old = vendor.issue(OLD);
    let held = Arc::new(Mutex::new(old.clone()));
    let consumer = Watched::start({
        let (held, works) = (Arc::clone(&held), vendor.requests());
        move || held.lock().is_ok_and(|key| works(&key))
    });
    let mut desk = Desk {
        vendor,
        place: Place::new(program, folder),
        copied: String::new(),
        held,
        pasted: false,
        note: "",
    };
    let rotate = |desk: &Desk, arguments: &[&str], code: i32| stage.run(desk.command(arguments), arguments, code);

    stage.say("Aha! has no call that makes a key. A guide of twelve steps leads a person, in the same journal.");
    let begin = [
        "aha",
        "--company",
        "acme",
        "--user",
        "gainsight@acme.example",
        "--begin",
    ];
    stage.run_briefly(desk.command(&begin), &begin, 0, 6);

    stage.say("Somebody in a hurry wants to revoke the old key first, and is refused.");
    rotate(&desk, &["done", TARGET, REVOKE], 1);

    stage.say("So the person is walked from step to step. The demo types; the first time it pastes the new key without its first letter.");
    let walk = ["walk", TARGET];
    let command = desk.command(&walk);
    stage.walk(command, &walk, |question| desk.answer(question));

    let path = desk.place.path("old-key");
    std::fs::write(&path, old).expect("a file can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    stage.say("Is the old key really dead? It is tried as well, and has to be refused.");
    rotate(&desk, &["verify", TARGET, "--old", "--secret-file", "old-key"], 0);
    let told = rotate(&desk, &["status"], 0);
    stage.expect(told.contains("done"), || {
        "the rotation by hand did not come to its end".to_owned()
    });
    stage.expect(desk.vendor.names() == [NEW], || {
        "the new key is not the only one at Aha!".to_owned()
    });
    stage.dismiss(consumer);
}

impl Desk {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command([("LANG", "C.UTF-8")], arguments);
        self.vendor.lead(&self.place, &mut command);
        command
    }

    /// What the person does at this step, and then types.
    fn answer(&mut self, seen: &str) -> String {
        if seen.ends_with("(not shown): ") {
            return self.paste();
        }
        if seen.contains("What did you note down?") {
            return self.note.to_owned();
        }
        let here = NOTES.iter().find(|(step, _)| seen.contains(step));
        let (step, note) = here.copied().unwrap_or_default();
        self.note = note;
        match step {
            "create-the-new-key" => self.copied = self.vendor.issue(NEW),
            "save-in-gainsight" => self.save(),
            REVOKE => self.revoke(),
            "try-the-new-key" => return "v".to_owned(),
            _ => {}
        }
        "y".to_owned()
    }

    /// The first time a letter is left out.
    fn paste(&mut self) -> String {
        let whole = std::mem::replace(&mut self.pasted, true);
        self.copied[usize::from(!whole)..].to_owned()
    }

    fn save(&self) {
        if let Ok(mut held) = self.held.lock() {
            self.copied.clone_into(&mut held);
        }
    }

    fn revoke(&self) {
        self.vendor.revoke(OLD);
    }
}
