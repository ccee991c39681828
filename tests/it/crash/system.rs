//! What can be walked: worlds, and what leads from one to the next.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

/// One command line, as cron or a person runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) line: Line,
    /// How much time passes before.
    pub(crate) after: SignedDuration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The command that begins the rotation, and goes on with it.
    OneShot,
    /// Any other, with its arguments.
    Command(Vec<String>),
    /// No command: what somebody else does at the vendor.
    Deed(Deed),
}

/// What somebody does at the vendor who does not ask the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The consumer uses the new key.
    UsesNew,
    /// A key of their own in the place of the old one, where there is room; its use does not show for hours.
    RotatesByHand,
    /// A key of their own beside the others, where there is room.
    AddsTheirs,
    DisablesOld,
    DeletesOld,
    DisablesNew,
    DeletesNew,
    /// Their own key goes again: they have looked at what the program said.
    DeletesTheirs,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::UsesNew => "uses the new key",
            Self::RotatesByHand => "rotates by hand",
            Self::AddsTheirs => "adds a key",
            Self::DisablesOld => "disables the old key",
            Self::DeletesOld => "deletes the old key",
            Self::DisablesNew => "disables the new key",
            Self::DeletesNew => "deletes the new key",
            Self::DeletesTheirs => "deletes the key that they had added",
        }
    }
}

impl Move {
    /// The command that begins the rotation, and goes on with it.
    pub(crate) fn one_shot() -> Self {
        Self {
            line: Line::OneShot,
            after: SignedDuration::ZERO,
        }
    }

    pub(crate) fn command(arguments: &[&str]) -> Self {
        Self {
            line: Line::Command(arguments.iter().map(|&argument| argument.to_owned()).collect()),
            after: SignedDuration::ZERO,
        }
    }

    /// What somebody else does.
    pub(crate) fn deed(deed: Deed) -> Self {
        Self {
            line: Line::Deed(deed),
            after: SignedDuration::ZERO,
        }
    }

    /// The same, so many minutes later.
    pub(crate) fn minutes_later(self, minutes: i64) -> Self {
        Self {
            after: SignedDuration::from_mins(minutes),
            ..self
        }
    }

    /// The same, so many days later.
    pub(crate) fn days_later(self, days: i64) -> Self {
        Self {
            after: SignedDuration::from_hours(24 * days),
            ..self
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Line::OneShot => f.write_str("the one-shot")?,
            Line::Command(arguments) => f.write_str(&arguments.join(" "))?,
            Line::Deed(deed) => write!(f, "somebody else {}", deed.name())?,
        }
        match self.after.as_hours() / 24 {
            0 => Ok(()),
            1 => f.write_str(", a day later"),
            days => write!(f, ", {days} days later"),
        }
    }
}

/// One command that ran undisturbed, and what a kill at each of its crash points would have left.
pub(crate) struct Ran<W> {
    /// The crash points in their order, each with the world there.
    pub(crate) points: Vec<(String, Arc<W>)>,
    /// The world afterwards.
    pub(crate) end: Arc<W>,
    /// Its exit code.
    pub(crate) code: i32,
}

/// One command that was to be killed.
pub(crate) struct Killed<W> {
    pub(crate) world: Arc<W>,
    /// Or else it ended before.
    pub(crate) was_killed: bool,
}

/// What the explorer walks. A world is all that outlives a process.
pub(crate) trait System {
    type World;

    /// What there is before anything was run.
    fn first(&mut self) -> Arc<Self::World>;

    /// What of a world decides what happens next. Worlds of which it is the same are one.
    fn print<'w>(&self, world: &'w Self::World) -> &'w str;

    /// Whether two worlds are the same in every byte, and not only alike.
    fn is_same(&self, one: &Self::World, other: &Self::World) -> bool;

    /// Whether a person has to look before anything goes on.
    fn is_blocked(&self, world: &Self::World) -> bool;

    /// What cron or the person of this flow runs next; nothing at the end.
    fn next(&self, world: &Self::World) -> Vec<Move>;

    /// What else a person may run here.
    fn others(&self, world: &Self::World) -> Vec<Move>;

    /// Runs a command to its end. Stops the test where an invariant is broken.
    fn run(&mut self, from: &Self::World, by: &Move) -> Ran<Self::World>;

    /// Runs it again and kills it at the n-th crash point, from one.
    fn kill(&mut self, from: &Self::World, by: &Move, at: usize) -> Killed<Self::World>;

    /// What has to hold where nothing comes next. Called once for each such world.
    fn check_end(&mut self, world: &Self::World);
}
