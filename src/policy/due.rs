//! When a rotation has to begin, so that the old key is dead in time.
//!
//! What counts is the old key's death and not the new key's birth: a key may live for `max_age`, so its successor is made
//! early enough for the consumers to move, for the old key to rest, and for the runs and windows in between to come by.

use jiff::{SignedDuration, Timestamp};

use crate::machine::{Cutover, Window};

/// How old a target's key may become, and how early its end begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A key older than this must not exist.
    pub max_age: SignedDuration,
    /// How long a rotation may take from its beginning to the old key's end.
    pub lead: SignedDuration,
    /// How long before its beginning a rotation is announced.
    pub warn_before: SignedDuration,
    /// How long it may take until a run comes by while the window is open.
    pub late: SignedDuration,
}

/// What a rotation waits for, from its beginning to the old key's end.
pub struct Lead<'a> {
    /// How it becomes known that every consumer has moved; `None` where a person takes every step.
    pub cutover: Option<Cutover>,
    /// How long that may take.
    pub allowance: SignedDuration,
    /// How long the old key rests.
    pub soak: SignedDuration,
    /// How often the program runs.
    pub run_every: SignedDuration,
    /// When effects are allowed.
    pub window: Option<&'a Window>,
}

/// The days that follow from a key's birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When its rotation is announced.
    pub warn_at: Timestamp,
    /// When its rotation has to begin.
    pub begin_at: Timestamp,
    /// When it has to be gone.
    pub gone_by: Timestamp,
}

/// How pressing a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing is to be done.
    NotYet,
    /// It is announced.
    Soon,
    /// It has to begin.
    Due,
    /// The key should be gone.
    Overdue,
}

impl Lead<'_> {
    /// All of it together. Each thing that a run has to come by for may come a whole interval late, and then find the
    /// window shut.
    pub fn total(&self) -> SignedDuration {
        let late = self.late();
        let (allowance, runs) = match self.cutover {
            // It begins.
            None => (self.allowance, 1),
            Some(Cutover::Immediate) => (SignedDuration::ZERO, 1),
            // It begins, and goes on after the cut-over.
            Some(Cutover::Confirm | Cutover::Observed) => (self.allowance, 2),
        };
        let runs = runs + i32::from(self.soak > SignedDuration::ZERO);
        let total = allowance.saturating_add(self.soak);
        (0..runs).fold(total, |total, _| total.saturating_add(late))
    }

    /// How long it may take until a run comes by while the window is open.
    pub fn late(&self) -> SignedDuration {
        let shut = self.window.map_or(SignedDuration::ZERO, Window::longest_shut);
        self.run_every.saturating_add(shut)
    }
}

impl Terms {
    /// Whether a key can live at all under these terms: its rotation must not have to begin before its birth.
    pub fn are_possible(&self) -> bool {
        self.lead < self.max_age
    }

    /// The deadline of a key that was made then.
    pub fn deadline(&self, born_at: Timestamp) -> Deadline {
        let gone_by = later(born_at, self.max_age);
        let begin_at = later(gone_by, -self.lead).max(born_at);
        Deadline {
            warn_at: later(begin_at, -self.warn_before).max(born_at),
            begin_at,
            gone_by,
        }
    }
}

impl Deadline {
    /// How pressing it is at this time.
    pub fn urgency(&self, now: Timestamp) -> Urgency {
        if now >= self.gone_by {
            Urgency::Overdue
        } else if now >= self.begin_at {
            Urgency::Due
        } else if now >= self.warn_at {
            Urgency::Soon
        } else {
            Urgency::NotYet
        }
    }
}

fn later(at: Timestamp, time: SignedDuration) -> Timestamp {
    match at.checked_add(time) {
        Ok(at) => at,
        Err(_) if time.is_negative() => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn lead(cutover: Option<Cutover>, soak: i32) -> SignedDuration {
        Lead {
            cutover,
            allowance: DAY * 14,
            soak: DAY * soak,
            run_every: DAY,
            window: None,
        }
        .total()
    }

    #[test]
    fn a_lead_has_room_for_every_wait_and_every_run() {
        assert_eq!(lead(Some(Cutover::Confirm), 7), DAY * (14 + 7 + 3));
        assert_eq!(lead(Some(Cutover::Observed), 0), DAY * (14 + 2));
        assert_eq!(lead(Some(Cutover::Immediate), 7), DAY * (7 + 2));
        assert_eq!(lead(Some(Cutover::Immediate), 0), DAY);
        assert_eq!(lead(None, 0), DAY * (14 + 1));
    }

    #[test]
    fn a_key_is_announced_then_due_then_overdue() {
        let terms = Terms {
            max_age: DAY * 180,
            lead: DAY * 24,
            warn_before: DAY * 14,
            late: DAY,
        };
        let born: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let deadline = terms.deadline(born);
        let at = |days: i32| deadline.urgency(born + DAY * days);
        assert_eq!(at(0), Urgency::NotYet);
        assert_eq!(at(141), Urgency::NotYet);
        assert_eq!(at(142), Urgency::Soon);
        assert_eq!(at(156), Urgency::Due);
        assert_eq!(at(180), Urgency::Overdue);
    }

    #[test]
    fn what_cannot_be_counted_does_not_overflow() {
        let terms = Terms {
            max_age: SignedDuration::MAX,
            lead: SignedDuration::MAX,
            warn_before: SignedDuration::MAX,
            late: SignedDuration::MAX,
        };
        assert!(!terms.are_possible());
        let deadline = terms.deadline(Timestamp::MAX);
        assert_eq!(deadline.gone_by, Timestamp::MAX);
    }
}
