//! What a person or cron would run next, by where the rotation stands.

use std::fmt;
use std::process::Command;

use crate::ground::Ground;

/// A way through a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// One command to the end.
    Immediate,
    /// The command, a person's confirmation, a week of soak.
    Confirmed,
    /// The same, where the old key cannot be brought back: it rests before it goes.
    ForGood,
    /// A person undoes it before the cut-over.
    Aborted,
    /// A person undoes it after the cut-over.
    RolledBack,
    /// The new key does not do what the consumer needs.
    Useless,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immediate => "immediate",
            Self::Confirmed => "confirmed",
            Self::ForGood => "removed for good",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled back",
            Self::Useless => "useless new key",
        })
    }
}

impl Flow {
    /// The next command, or `None` at the end. A person who undoes a rotation does so as soon as a kill was noticed.
    pub(crate) fn next(self, ground: &impl Ground, state: &str, was_killed: bool) -> Option<Command> {
        let target = ground.target();
        Some(match (self, state) {
            (_, "done" | "aborted" | "rolled-back") => return None,
            (_, "idle") => self.one_shot(ground),
            (_, "undoing") => ground.command(&["run"]),
            (Self::Aborted, "awaiting-cutover") => ground.command(&["abort", target]),
            (Self::Aborted, _) if was_killed => ground.command(&["abort", target]),
            (_, "awaiting-cutover") => ground.command(&["confirm", target]),
            (Self::RolledBack, "soaking") => ground.command(&["rollback", target]),
            (Self::RolledBack, _) if was_killed => ground.command(&["rollback", target]),
            (_, "soaking") | (Self::ForGood, "cut-over") => after_the_soak(ground),
            (_, "cut-over" | "deactivating" | "deactivated") => ground.command(&["run"]),
            _ => self.one_shot(ground),
        })
    }

    /// The command that begins the rotation, and goes on with it.
    pub(crate) fn one_shot(self, ground: &impl Ground) -> Command {
        ground.one_shot(match self {
            Self::Immediate => &["--cutover", "immediate", "--soak", "0s"],
            _ => &["--soak", "7d"],
        })
    }
}

fn after_the_soak(ground: &impl Ground) -> Command {
    let mut later = ground.command(&["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    later
}
