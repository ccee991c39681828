//! A secret that is replaced where it stands: there is one slot and no overlap.
//!
//! All that can be prepared comes before the new secret is set; once it may have been set, nothing holds back what ends the gap.
//! Which secret stands is told by logins alone, and where neither of ours does, somebody else has set a third.

use jiff::Timestamp;

use super::{Facts, KEYLESS, Step, block, hook, is_fresh, shut, undelivered};
use crate::machine::{Event, Phase, Replacement, Rotation, Undo};

/// One of the two secrets of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that was there when the rotation began.
    Old,
    /// The one that takes its place.
    New,
}

/// What the logins with the secrets that are on record have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// The vendor takes this one.
    This(Which),
    /// It refuses each that was tried, for this reason.
    Neither(String),
}

/// What a person can do where the vendor takes neither of the two, and what that costs.
pub const WAY_OUT: &str = "abort --force ends the rotation, asks nobody, and erases the sealed secrets, one of which may be the only \
                           copy of what stands";

pub(super) fn forward(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    let spec = &rotation.spec;
    match &rotation.phase {
        Phase::Opened => shut(spec, now)
            .or_else(|| unchanged(rotation, facts, now))
            .unwrap_or(Step::Generate),
        Phase::Prepared(new) => shut(spec, now).unwrap_or_else(|| begin(rotation, new, facts, now)),
        Phase::Replacing(new) => settle(rotation, new, facts),
        Phase::Replaced(_) => deliver(rotation, now),
        Phase::Done | Phase::Aborted | Phase::RolledBack => Step::Closed,
        _ => block(
            "a secret is replaced where it stands, and the rotation is where none of those can be: the journal is damaged",
        ),
    }
}

/// What has to be so before a new secret is made: the vendor lists the one that the rotation was opened for. `None`: it does.
fn unchanged(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Option<Step> {
    if facts.listing(now).is_none() {
        return Some(Step::ReadKeys { again: false });
    }
    (!is_as_left(rotation, facts)).then(|| changed(rotation, "nothing was touched"))
}

/// Everything is prepared. The old secret is logged in with, where it is known: that shows that it is the one that stands, and
/// that logins from here tell the truth.
fn begin(rotation: &Rotation, new: &Replacement, facts: &Facts, now: Timestamp) -> Step {
    if facts.listing(now).is_none() {
        return Step::ReadKeys { again: false };
    }
    let is_as_left = is_as_left(rotation, facts);
    match &facts.stands {
        // A call that was lost has arrived after all.
        Some(Stands::This(Which::New)) => Step::Record(Event::ReplaceIntended),
        Some(Stands::This(Which::Old)) => Step::Replace,
        Some(Stands::Neither(why)) if new.way_back => block(&format!(
            "the vendor refuses the secret that the destinations held ({why}), so others may use one that nobody here knows; \
             nothing was touched: abort this rotation, and deliver what works, or empty the destinations, before the next"
        )),
        Some(Stands::Neither(_)) => changed(rotation, WAY_OUT),
        None => match (new.way_back, new.sent) {
            (true, false) => Step::ReadWhich(&[Which::Old]),
            (true, true) => Step::ReadWhich(&[Which::Old, Which::New]),
            (false, _) if is_as_left => Step::Replace,
            (false, true) => Step::ReadWhich(&[Which::New]),
            (false, false) => changed(rotation, "nothing was touched"),
        },
    }
}

/// The call may have left. Whatever became of it, the same secret is set, and never a second one.
fn settle(rotation: &Rotation, new: &Replacement, facts: &Facts) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    match &facts.stands {
        None if new.way_back => Step::ReadWhich(towards(Which::New, facts)),
        None => Step::ReadWhich(&[Which::New]),
        Some(Stands::This(Which::New)) => match listing.keys.as_slice() {
            [only] => Step::Record(Event::Replaced {
                key: only.id.clone(),
                request: None,
            }),
            several => block(&format!(
                "one secret stands where a new one was set, and the vendor lists {}",
                several.len()
            )),
        },
        Some(Stands::This(Which::Old)) => Step::Replace,
        Some(Stands::Neither(why)) if !new.way_back && is_as_left(rotation, facts) => {
            match rotation.spec.capabilities().names_each_secret {
                true => Step::Replace,
                false => block(&format!(
                    "the vendor does not take the new secret ({why}), and does not tell the one that was there from one that \
                     somebody else has set since: see which it is, for consumers may be cut off; {WAY_OUT}"
                )),
            }
        }
        Some(Stands::Neither(why)) => neither(why),
    }
}

/// In which order logins tell which secret stands while it is being replaced by this one: first the one that was set, where the
/// vendor has said so. A call whose answer was lost may arrive between two logins, and then the other one is no secret any more;
/// so what was there before is tried first.
fn towards(to: Which, facts: &Facts) -> &'static [Which] {
    match (to, facts.set == Some(to)) {
        (Which::New, true) | (Which::Old, false) => &[Which::New, Which::Old],
        (Which::Old, true) | (Which::New, false) => &[Which::Old, Which::New],
    }
}

/// The consumers are cut off until this is over.
fn deliver(rotation: &Rotation, now: Timestamp) -> Step {
    let Some(new) = &rotation.new_key else {
        return block(KEYLESS);
    };
    if !is_fresh(new.proved_at, now) {
        return Step::Prove;
    }
    let open = undelivered(rotation, new);
    match open.is_empty() {
        false => Step::Deliver(open),
        true => hook::next(rotation).unwrap_or(Step::Record(Event::Done)),
    }
}

/// One broken destination does not keep the others' consumers waiting: it comes last.
fn next_of<'a>(open: impl Iterator<Item = &'a String> + Clone, facts: &Facts) -> Option<&'a String> {
    let mut first = open.clone();
    first
        .find(|name| !facts.failed.contains(*name))
        .or_else(|| open.into_iter().next())
}

pub(super) fn undo(rotation: &Rotation, undo: &Undo, facts: &Facts) -> Step {
    match &rotation.phase {
        phase if undo.disowns && phase.is_in_gap() => Step::Record(Event::Aborted),
        Phase::Opened | Phase::Prepared(_) => Step::Record(Event::Aborted),
        Phase::Reverting(_) => revert(facts, towards(Which::Old, facts)),
        Phase::Replacing(_) => revert(facts, towards(Which::New, facts)),
        Phase::Replaced(_) => revert(facts, &[Which::New, Which::Old]),
        Phase::Reverted(_) => {
            let reached = |name: &String| rotation.new_key.as_ref().is_some_and(|new| new.reached.contains(name));
            // The last one first: two destinations may be parts of one file.
            let backwards = rotation.spec.destinations.iter().rev();
            let open = backwards.filter(|name| reached(name) && !undo.restored.contains_key(*name));
            if let Some(destination) = next_of(open, facts) {
                return Step::Restore(destination.clone());
            }
            let was_delivered = rotation.new_key.as_ref().is_some_and(|new| !new.reached.is_empty());
            let hook = hook::next(rotation).filter(|_| was_delivered);
            match (hook, &facts.stands) {
                (Some(step), _) => step,
                // A call that was lost may arrive late, so it is looked at once more.
                (None, None) => Step::ReadWhich(&[Which::Old, Which::New]),
                (None, Some(Stands::This(Which::Old))) => Step::Record(Event::RolledBack),
                (None, Some(Stands::This(Which::New))) => Step::Revert,
                (None, Some(Stands::Neither(why))) => neither(why),
            }
        }
        Phase::Done | Phase::Aborted | Phase::RolledBack => Step::Closed,
        _ => block("a secret is replaced where it stands, and what is undone cannot be: the journal is damaged"),
    }
}

fn revert(facts: &Facts, order: &'static [Which]) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    match (&facts.stands, listing.keys.as_slice()) {
        (None, _) => Step::ReadWhich(order),
        (Some(Stands::This(Which::New)), _) => Step::Revert,
        (Some(Stands::This(Which::Old)), [only]) => Step::Record(Event::Reverted {
            key: only.id.clone(),
            request: None,
        }),
        (Some(Stands::This(Which::Old)), several) => block(&format!(
            "one secret stands where the old one was set again, and the vendor lists {}",
            several.len()
        )),
        (Some(Stands::Neither(why)), _) => neither(why),
    }
}

/// Whether the vendor lists the secret that the rotation was opened for, as far as it tells one from another.
fn is_as_left(rotation: &Rotation, facts: &Facts) -> bool {
    let listed = facts.keys.iter().flat_map(|listing| &listing.keys);
    listed.map(|key| &key.id).eq([&rotation.spec.old_key])
}

fn changed(rotation: &Rotation, what_now: &str) -> Step {
    block(&format!(
        "{} is not what the vendor lists any more: someone has changed the secret since this rotation began; {what_now}",
        rotation.spec.old_key
    ))
}

fn neither(why: &str) -> Step {
    block(&format!(
        "the vendor takes neither the new secret nor the old one ({why}): someone has set a third, or has locked the user; \
         consumers may be cut off, so do not wait to see to it, and log in no more often than needed; {WAY_OUT}"
    ))
}
