//! What may be done now, decided by an ordered list of pure checks, each with its reason.
//!
//! [`next`] drives the real thing and the dry run alike, so the two cannot disagree.

mod attribution;
mod drift;
mod due;
mod facts;
mod gate;
mod hook;
mod in_place;
mod step;
mod vouch;

use jiff::{SignedDuration, Timestamp};

pub use attribution::{INTENT_LASTS, Suspect, made_within, newcomer, suspect};
pub use drift::Expected;
pub use due::{Deadline, Lead, Terms, Urgency};
pub use facts::{Facts, Listing, Refusals, Use};
pub use gate::{is_removed_already, may_create, use_beside, used_by_others};
pub use hook::told_hook;
pub use in_place::{Stands, WAY_OUT, Which};
pub use step::{Step, Wait, Waiting};
pub use vouch::{ProofFault, is_used_by_consumer, proof_fault};

use crate::machine::{
    Cutover, Event, Issued, Phase, Prove, Restored, Retirement, Rotation, RotationSpec, SwitchedBy, Undo, UndoKind,
};

/// How long a proof of the new key or a reading of the vendor's records is worth acting on.
pub const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// Each phase but the first and the last ones has its new key.
const KEYLESS: &str = "there is no new key where there has to be one: the journal is damaged";

/// What two keys that work side by side have to do with one secret that is replaced where it stands: nothing.
const MISPLACED: &str =
    "a secret is being replaced where it stands, and its rotation does not say so: the journal is damaged";

/// How often an open wait for evidence is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// The next step of this rotation.
pub fn next(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    if let Some(block) = &rotation.blocked {
        return Step::Wait(Wait {
            on: Waiting::Person,
            until: None,
            why: block.why.clone(),
        });
    }
    match &rotation.undo {
        Some(undo) if rotation.spec.replaces() => in_place::undo(rotation, undo, facts),
        None if rotation.spec.replaces() => in_place::forward(rotation, facts, now),
        Some(undo) => self::undo(rotation, undo, facts, now),
        None => forward(rotation, facts, now),
    }
}

fn forward(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    let spec = &rotation.spec;
    let Some(issued) = &rotation.new_key else {
        return match &rotation.phase {
            Phase::Opened => shut(spec, now).unwrap_or_else(|| gate::create(rotation, facts, now)),
            Phase::Creating => attribution::settle(rotation, facts, now),
            Phase::Discarding(key) => attribution::discard(rotation, key, facts, now),
            Phase::Aborted | Phase::RolledBack => Step::Closed,
            _ => block(KEYLESS),
        };
    };
    match &rotation.phase {
        Phase::Minted => gate::register(rotation, issued, facts),
        Phase::Created => vouch::first_proof(rotation, issued, facts),
        // A delivery that has begun is finished: half of the consumers would have the new key.
        Phase::Verified => (issued.reached.is_empty().then(|| shut(spec, now)).flatten())
            .unwrap_or_else(|| deliver(rotation, issued, facts, now)),
        Phase::Delivered(at) => {
            hook::next(rotation).unwrap_or_else(|| gate::cut_over(rotation, issued, *at, facts, now))
        }
        Phase::CutOver(switch) if rotation.rests_first() => {
            let why = format!("old key {} rests before it is removed for good", spec.old_key);
            rest(switch.at, spec, why, now)
                .or_else(|| shut(spec, now))
                .or_else(|| gate::retire(rotation, issued, switch, facts, now))
                .unwrap_or(Step::Delete)
        }
        Phase::CutOver(switch) => shut(spec, now)
            .or_else(|| gate::retire(rotation, issued, switch, facts, now))
            .unwrap_or(Step::Deactivate),
        // It may be disabled already. What forbids disabling it now asks for enabling it again.
        Phase::Deactivating(switch) => match gate::retire(rotation, issued, switch, facts, now) {
            Some(Step::Record(Event::Blocked { why })) => Step::Reactivate(why),
            Some(step) => step,
            None => Step::Deactivate,
        },
        Phase::Deactivated(_, retired) if !retired.proved => Step::Prove,
        Phase::Deactivated(switch, retired) if spec.prove != Prove::Login && !retired.used => {
            vouch::second_proof(rotation, issued, switch, retired, facts, now)
        }
        Phase::Deactivated(_, retired) => gate::listed_inactive(rotation, retired, facts, now),
        Phase::Reactivating(_, why) => Step::Reactivate(why.clone()),
        Phase::Soaking(switch, retired) => {
            let why = match spec.retirement {
                Retirement::Disable => format!("old key {} rests disabled before it is deleted", spec.old_key),
                _ => format!(
                    "old key {} is removed, and can be registered again meanwhile",
                    spec.old_key
                ),
            };
            rest(retired.at, spec, why, now)
                .or_else(|| shut(spec, now))
                .unwrap_or_else(|| gate::delete(rotation, issued, switch, facts, now))
        }
        Phase::Deleting(switch, _) => gate::delete(rotation, issued, switch, facts, now),
        Phase::Deleted => gate::listed_gone(facts, &spec.old_key, Event::Done),
        Phase::Withdrawing | Phase::Withdrawn => block("a key is being withdrawn and nobody asked for it"),
        Phase::Done => Step::Closed,
        _ => block(MISPLACED),
    }
}

fn deliver(rotation: &Rotation, issued: &Issued, facts: &Facts, now: Timestamp) -> Step {
    // It may have waited for its destination for days.
    if let Some(step) = vouch::vouch(rotation, issued, facts, now) {
        return step;
    }
    let open = undelivered(rotation, issued);
    match open.is_empty() {
        false => Step::Deliver(open),
        true => block("every destination is delivered and yet the rotation is not: the journal is damaged"),
    }
}

/// The destinations that do not hold the new key for certain, in their order.
fn undelivered(rotation: &Rotation, issued: &Issued) -> Vec<String> {
    let all = rotation.spec.destinations.iter();
    all.filter(|name| !issued.delivered.contains(*name)).cloned().collect()
}

/// The old key's rest; `None` once it is over.
fn rest(since: Timestamp, spec: &RotationSpec, why: String, now: Timestamp) -> Option<Step> {
    let until = later(since, spec.soak_seconds);
    (now < until).then_some(Step::Wait(Wait {
        on: Waiting::Soak,
        until: Some(until),
        why,
    }))
}

/// Outside its window nothing is begun; `None` where it is open.
fn shut(spec: &RotationSpec, now: Timestamp) -> Option<Step> {
    let window = spec.window.as_ref()?;
    let opens = window.opens_after(now)?;
    Some(Step::Wait(Wait {
        on: Waiting::Window,
        until: Some(opens),
        why: format!("the window in which effects are allowed opens at {opens} ({window})"),
    }))
}

fn undo(rotation: &Rotation, undo: &Undo, facts: &Facts, now: Timestamp) -> Step {
    let Some(issued) = &rotation.new_key else {
        return match &rotation.phase {
            Phase::Opened => Step::Record(Event::Aborted),
            Phase::Creating => attribution::settle(rotation, facts, now),
            Phase::Discarding(key) => attribution::discard(rotation, key, facts, now),
            Phase::Aborted | Phase::RolledBack => Step::Closed,
            _ => block(KEYLESS),
        };
    };
    match &rotation.phase {
        Phase::Deactivating(_) | Phase::Deactivated(..) | Phase::Soaking(..) | Phase::Deleting(..) => {
            Step::Reactivate(undo.why.clone())
        }
        Phase::Reactivating(_, why) => Step::Reactivate(why.clone()),
        Phase::Minted => Step::Withdraw,
        Phase::Created | Phase::Verified | Phase::Delivered(_) | Phase::CutOver(_) => {
            if issued.reached.is_empty() {
                return Step::Withdraw;
            }
            // Before anything is put back: what is put back has to work.
            if let Some(step) = gate::old_key_works(rotation, undo, facts) {
                return step;
            }
            if let Some(step) = gate::leaves_one(rotation, issued, facts, now) {
                return step;
            }
            // The last one first: two destinations may be parts of one file.
            let mut backwards = rotation.spec.destinations.iter().rev();
            let open = backwards.find(|name| issued.reached.contains(*name) && !undo.restored.contains_key(*name));
            if let Some(destination) = open {
                return Step::Restore(destination.clone());
            }
            // Before the new key goes: whoever has it has to read the old one.
            if let Some(step) = hook::next(rotation) {
                return step;
            }
            // Nobody can use a key that is gone, and nothing is on record of it.
            if undo.forced || gate::is_unlisted(facts, &issued.key) {
                return Step::Withdraw;
            }
            let Some(last_use) = facts.last_use(&issued.key, now) else {
                return Step::ReadUse(issued.key.clone());
            };
            match used_by_others(issued, last_use) {
                Some(use_) => block(&still_used(rotation, issued.key.as_str(), &use_)),
                None => Step::Withdraw,
            }
        }
        Phase::Withdrawing => gate::leaves_one(rotation, issued, facts, now).unwrap_or(Step::Withdraw),
        Phase::Withdrawn => {
            let end = match undo.kind {
                UndoKind::Abort => Event::Aborted,
                UndoKind::Rollback => Event::RolledBack,
            };
            gate::withdrawn(rotation, issued, facts, end)
        }
        Phase::Deleted => block("the old key is deleted, so nothing can be undone"),
        Phase::Done => Step::Closed,
        _ => block(MISPLACED),
    }
}

fn still_used(rotation: &Rotation, key: &str, use_: &str) -> String {
    let changed = rotation.undo.iter().flat_map(|undo| &undo.restored);
    let left: Vec<&str> = changed
        .filter(|(_, outcome)| **outcome != Restored::PutBack)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut why = format!("new key {key} is {use_}; move them back to the old key first");
    if !left.is_empty() {
        why.push_str("; changed by someone since the delivery and left alone: ");
        why.push_str(&left.join(", "));
    }
    why
}

/// When the cut-over becomes overdue.
pub fn overdue_at(rotation: &Rotation) -> Option<Timestamp> {
    match &rotation.phase {
        Phase::Delivered(at) => Some(later(*at, rotation.spec.allowance_seconds)),
        _ => None,
    }
}

/// The event of a cut-over that nobody has to confirm.
fn by_itself(rotation: &Rotation) -> Option<Event> {
    (rotation.spec.cutover == Cutover::Immediate).then_some(Event::CutOver {
        by: SwitchedBy::Delivery,
    })
}

/// Whether something that was found out at this time may still be acted upon.
fn is_fresh(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| now.duration_since(at).abs() <= FRESH)
}

fn block(why: &str) -> Step {
    Step::Record(Event::Blocked { why: why.to_owned() })
}

fn later(at: Timestamp, seconds: u64) -> Timestamp {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| at.checked_add(SignedDuration::from_secs(seconds)).ok())
        .unwrap_or(Timestamp::MAX)
}
