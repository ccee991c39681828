//! The kinds of what a store may refuse, for whoever says why.

use rotate_providers::untrusted::Label;

use crate::delivery::Fault;
use crate::delivery::fault::Answer;

pub(super) use crate::delivery::remote::{overtaken, passing, unfit};

/// What is said of a secret, or of its current version, that somebody has taken away.
pub(super) const GONE: Answer = Answer::Missing;

pub(super) fn denied(what: String, remedy: &str) -> Fault {
    Fault::Store {
        kind: Answer::Denied,
        what,
        remedy: remedy.to_owned(),
    }
}

pub(super) fn missing(what: &str) -> Fault {
    gone(
        what.to_owned(),
        "find out who has taken it away, and put it back".to_owned(),
    )
}

pub(super) fn gone(what: String, remedy: String) -> Fault {
    Fault::Store {
        kind: GONE,
        what,
        remedy,
    }
}

/// What was read does not belong together.
pub(super) fn unsettled() -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what: "its data and its metadata were of two versions each time that they were read".to_owned(),
        remedy: "stop whoever else writes there, then run the same command again".to_owned(),
    }
}

/// The words of a server's answer for one of its names.
pub(super) fn label(text: &str) -> String {
    Label::or_unknown(text).as_str().to_owned()
}
