//! The kinds of what GitHub may refuse, for whoever says why.

use crate::delivery::Fault;
use crate::delivery::fault::Answer;

pub(super) use crate::delivery::remote::{passing, unfit};

pub(super) fn denied(what: String, remedy: String) -> Fault {
    Fault::Store {
        kind: Answer::Denied,
        what,
        remedy,
    }
}

pub(super) fn changed(what: String, remedy: String) -> Fault {
    Fault::Store {
        kind: Answer::Changed,
        what,
        remedy,
    }
}

/// An answer that is not what GitHub says it is.
pub(super) fn unreadable(what: &str) -> Fault {
    unfit(
        format!("what GitHub answers for {what} cannot be understood"),
        "see whether its API is at this address: ?api=https://HOST/api/v3",
    )
}
