//! Where a rotation came to stand.

use jiff::Timestamp;

use crate::policy::{Facts, Step, Wait, next};
use crate::store::Automated as Stored;

/// Where a rotation came to stand.
pub struct Outcome {
    /// The rotation.
    pub stored: Stored,
    /// What it waits for; `None` once it has ended.
    pub wait: Option<Wait>,
}

impl Outcome {
    /// Of a rotation that a person has moved, and for which nobody is to be called now.
    pub(crate) fn of(stored: Stored, now: Timestamp) -> Self {
        let wait = Self::idle(&stored, now).and_then(|outcome| outcome.wait);
        Self { stored, wait }
    }

    /// What becomes of a rotation in which there is nothing to do now, which needs no vendor; `None` where there is.
    pub fn idle(stored: &Stored, now: Timestamp) -> Option<Self> {
        let wait = match next(&stored.rotation, &Facts::default(), now) {
            Step::Wait(wait) => Some(wait),
            Step::Closed => None,
            _ => return None,
        };
        Some(Self {
            stored: stored.clone(),
            wait,
        })
    }
}
