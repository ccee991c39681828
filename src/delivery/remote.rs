//! Faults that every store has that is reached over a network.

use super::Fault;
use super::fault::Answer;

/// What is there is not what it should be.
pub(super) fn unfit(what: String, remedy: &str) -> Fault {
    Fault::Store {
        kind: Answer::Unfit,
        what,
        remedy: remedy.to_owned(),
    }
}

/// It may answer otherwise in a minute.
pub(super) fn passing(what: String) -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what,
        remedy: "run the same command again in a minute".to_owned(),
    }
}

/// Somebody else writes there all the time.
#[cfg(feature = "object")]
pub(super) fn overtaken() -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what: "somebody else has written there each time before the new key could be".to_owned(),
        remedy: "stop whoever else writes there, then run the same command again".to_owned(),
    }
}
