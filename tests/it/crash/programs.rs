//! The programs that a walk starts: one that a delivery goes to, one that refuses each, and one that runs after them.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::crash::journal::Journal;
use crate::destinations::exec::write_program;

/// What the program after a delivery leaves in the world: the key that the consumers were told of last.
pub(crate) const TOLD: &str = "told";
/// What a delivery that can only be sent leaves there.
pub(crate) const SENT: &str = "sent";

/// They lie beside the world, as what each of them did does.
pub(crate) struct Programs {
    folder: TempDir,
    /// How many of the runs after a delivery were looked at.
    seen: std::cell::Cell<usize>,
}

impl Programs {
    /// Makes them; the one after a delivery ends like this.
    pub(crate) fn new(world: &Path, end: &str) -> Self {
        let folder = tempfile::tempdir_in(rotate_fixtures::memory_folder()).unwrap();
        let (world, beside) = (world.display(), folder.path().display());
        let tell = format!("echo \"$ROTATE_KEY_ID\" >>{beside}/runs; echo \"$ROTATE_KEY_ID\" >{world}/{TOLD}; {end}");
        write_program(&folder.path().join("tell"), &tell);
        let send = format!("case $1 in deliver) cat >{world}/{SENT};; *) cat >/dev/null;; esac");
        write_program(&folder.path().join("send"), &send);
        write_program(&folder.path().join("refuse"), "cat >/dev/null; [ $1 != deliver ]");
        Self {
            folder,
            seen: std::cell::Cell::default(),
        }
    }

    /// The one of this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Looks at each run after a delivery since the last time: its intent was the last that the journal knew.
    pub(crate) fn check_runs(&self, before: &Journal, context: &dyn Fn() -> String) {
        let runs = self.runs();
        let new = runs - self.seen.replace(runs);
        assert!(new <= 1, "a program was run {new} times in a row: {}", context());
        assert!(
            new == 0 || before.last() == "hook-intended",
            "a program was run without intent: {}",
            context()
        );
    }

    /// Does not look at them.
    pub(crate) fn forget_runs(&self) {
        self.seen.set(self.runs());
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.path("runs"))
            .unwrap_or_default()
            .lines()
            .count()
    }
}

/// The key that was sent where nobody can look; `None`: none was.
pub(crate) fn sent(path: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(path).ok()?;
    let document: serde_json::Value = serde_json::from_str(&text).expect("what is sent is whole");
    let field = |name: &str| Some(document["fields"][name].as_str()?.to_owned());
    Some((field("access_key_id")?, field("secret_access_key")?))
}

/// In the end the consumers were told of the key that is left, or a person has seen to that.
pub(crate) fn check_told(world: &Path, left: &str, journal: &Journal, context: &dyn Fn() -> String) {
    let told = std::fs::read_to_string(world.join(TOLD)).unwrap_or_default();
    let is_seen_to = journal.has("hook-answered") || journal.is_forced();
    assert!(
        told.trim() == left || is_seen_to || !journal.has("deliver-intended"),
        "the consumers were told of {told:?} last, and {left} is left: {}",
        context()
    );
}
