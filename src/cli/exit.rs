//! Exit codes.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::engine::driver::DriveError;
use crate::policy::{Wait, Waiting};
use crate::state_folder::FolderError;
use crate::store::{AnchorError, StoreError};

/// How a command ended. Ordered by how much it asks of the person on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing to do, or waiting within the allowance.
    Ok,
    /// There is something to do; only of a plan that was asked for it.
    ToDo,
    /// Blocked or overdue: a person is needed.
    PersonNeeded,
    /// An error.
    Error,
    /// Another run is at work.
    Busy,
    /// The command line is wrong.
    Usage,
    /// Stopped by a signal.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    pub(super) fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Error => 1,
            Exit::ToDo => 2,
            Exit::PersonNeeded => 3,
            Exit::Busy => 4,
            Exit::Usage => 64,
            Exit::Interrupted => 130,
        }
    }

    /// The exit code of a wait.
    pub(super) fn of_wait(wait: Option<&Wait>, now: Timestamp) -> Self {
        match wait {
            Some(wait) if wait.on == Waiting::Person => Self::PersonNeeded,
            Some(wait) if wait.on == Waiting::Cutover && wait.until.is_some_and(|until| until <= now) => {
                Self::PersonNeeded
            }
            _ => Self::Ok,
        }
    }

    /// The exit code of an error.
    pub(super) fn of_error(error: &DriveError) -> Self {
        match error {
            DriveError::Refused(refusal) if refusal.blocked => Self::PersonNeeded,
            DriveError::Store(StoreError::Held(_) | StoreError::Leased { .. } | StoreError::Race) => Self::Busy,
            DriveError::Interrupted => Self::Interrupted,
            DriveError::NotWithdrawn(_, error) => Self::of_error(error),
            _ => Self::Error,
        }
    }

    /// The exit code of a state folder that cannot be used.
    pub(super) fn of_folder(error: &FolderError) -> Self {
        match error {
            FolderError::Store(StoreError::Held(_) | StoreError::Leased { .. }) => Self::Busy,
            FolderError::Anchor(AnchorError::Behind { .. }) => Self::PersonNeeded,
            _ => Self::Error,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
