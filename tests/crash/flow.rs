//! What a person or cron would run next, by where the rotation stands.

use std::fmt;
use std::process::Command;

use rotate_fixtures::Workplace;
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

/// A way through a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// One command to the end.
    Immediate,
    /// The command, a person's confirmation, a week of soak.
    Confirmed,
    /// A person undoes it before the cut-over.
    Aborted,
    /// A person undoes it after the cut-over.
    RolledBack,
    /// The new key may not list the bucket.
    Useless,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immediate => "immediate",
            Self::Confirmed => "confirmed",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled back",
            Self::Useless => "useless new key",
        })
    }
}

impl Flow {
    /// Makes the place such that the flow happens.
    pub(crate) fn prepare(self, place: &Workplace) {
        match self {
            Self::Useless => place.cloud.forbid_bucket(BUCKET, USER),
            // Kills before the delivery are the confirmed rotation's matter.
            Self::RolledBack => assert!(self.one_shot(place).output().unwrap().status.success()),
            Self::Immediate | Self::Confirmed | Self::Aborted => {}
        }
    }

    /// The next command, or `None` at the end. A person who undoes a rotation does so as soon as a kill was noticed.
    pub(crate) fn next(self, place: &Workplace, state: &str, was_killed: bool) -> Option<Command> {
        Some(match (self, state) {
            (_, "done" | "aborted" | "rolled-back") => return None,
            (_, "idle") => self.one_shot(place),
            (_, "undoing") => place.command(["run"]),
            (Self::Aborted, "awaiting-cutover") => place.command(["abort", TARGET]),
            (Self::Aborted, _) if was_killed => place.command(["abort", TARGET]),
            (_, "awaiting-cutover") => place.command(["confirm", TARGET]),
            (Self::RolledBack, "soaking") => place.command(["rollback", TARGET]),
            (Self::RolledBack, _) if was_killed => place.command(["rollback", TARGET]),
            (_, "soaking") => {
                let mut later = place.command(["run"]);
                later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
                later
            }
            (_, "cut-over" | "deactivating" | "deactivated") => place.command(["run"]),
            _ => self.one_shot(place),
        })
    }

    /// The command that begins the rotation, and goes on with it.
    pub(crate) fn one_shot(self, place: &Workplace) -> Command {
        let mut command = match self {
            Self::Immediate => place.rotate(["--cutover", "immediate", "--soak", "0s"]),
            _ => place.rotate(["--soak", "7d"]),
        };
        command.args(["--deliver", &format!("aws-profile:gs@{}", profile(place).display())]);
        command
    }
}

/// The second destination: a file with a life of its own.
pub(crate) fn profile(place: &Workplace) -> std::path::PathBuf {
    place.path("credentials")
}
