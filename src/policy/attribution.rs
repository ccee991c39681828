//! Whose key is this? After a crash or a lost answer, a key that appeared may be ours: created, and its secret lost.
//!
//! Ours is a key that was not there before the attempt and was made while the call of that attempt can have been under way, by
//! the vendor's own clock. But a person may have rotated by hand in the same seconds, after a call of ours that never left, and
//! the record of use is hours late. So even such a key is deleted only while the old key works as the journal left it, and only
//! if no destination holds it and nobody is on record to have used it. Any other key is left alone and named.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Key, KeyId, LastUse};

use super::{Facts, Listing, Step, block};
use crate::machine::{Attempt, Event, LostKey, Rotation, Span};

/// Where the vendor's time is not on record: its clock may be behind ours by this much.
const BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// There, a call leaves within this time of its intent, and the vendor's clock may be ahead.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Vendors write down whole seconds.
const ROUNDING: SignedDuration = SignedDuration::from_secs(1);

/// An intent is no older than this when its call leaves.
pub const INTENT_LASTS: SignedDuration = SignedDuration::from_secs(2);

/// What an exit from here is called, wherever a person has to decide about a key.
const WAY_OUT: &str = "abort --force ends the rotation and touches no key";

/// What a key that appeared may be.
#[derive(Debug, PartialEq, Eq)]
pub enum Suspect {
    /// Made by this attempt, as far as time can tell.
    Ours,
    /// Someone else's.
    Foreign,
}

/// When, by the vendor's clock, the key of a call can be made whose intent is recorded now; `None` where the vendor did not
/// tell its time.
pub fn made_within(listing: &Listing, now: Timestamp, longest_call: SignedDuration) -> Option<Span> {
    let there = listing.vendor_now(now)?;
    Some(Span {
        from: there.checked_sub(ROUNDING).ok()?,
        to: there.checked_add(longest_call).ok()?.checked_add(INTENT_LASTS).ok()?,
    })
}

/// Judges one key by the attempts on record.
pub fn suspect(key: &Key, attempts: &[Attempt]) -> Suspect {
    let made_by = |attempt: &Attempt| {
        !attempt.ids_before.contains(&key.id) && key.created_at.is_some_and(|made| is_within(made, attempt))
    };
    if attempts.iter().any(made_by) {
        Suspect::Ours
    } else {
        Suspect::Foreign
    }
}

fn is_within(made: Timestamp, attempt: &Attempt) -> bool {
    match &attempt.made_within {
        Some(span) => span.holds(made),
        None => {
            let distance = made.duration_since(attempt.at);
            -BEFORE <= distance && distance <= AFTER
        }
    }
}

/// Finds out what became of an attempt whose outcome is not recorded.
pub(super) fn settle(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    let Some(first) = rotation.attempts.first() else {
        return block("a key is being created and no attempt is on record: the journal is damaged");
    };
    let appeared: Vec<&Key> = listing
        .keys
        .iter()
        .filter(|key| !first.ids_before.contains(&key.id) && !rotation.discarded.contains(&key.id))
        .collect();
    if rotation.undo.as_ref().is_some_and(|undo| undo.disowns) {
        let keys = appeared.into_iter().map(|key| key.id.clone()).collect();
        return Step::Record(Event::Disowned { keys });
    }
    // Going on, a key that shows up late is met again: it fills a slot. An undo is the last look.
    let enough = if rotation.undo.is_some() { 10 } else { 2 };
    match appeared.as_slice() {
        // Lists lag: absence needs agreeing readings, and is not believed at all while every slot is taken.
        [] if listing.agreeing < enough || facts.slots_full => Step::ReadKeys { again: true },
        [] => Step::Record(Event::CreateFailed {
            why: "no key appeared at the vendor".to_owned(),
        }),
        [key] => assess(rotation, key, listing, facts, now),
        several => block(&format!(
            "several keys appeared while one was being created, and none can be attributed: {}; {WAY_OUT}",
            names(several)
        )),
    }
}

/// A deletion that was intended is repeated only while its reasons hold.
pub(super) fn discard(rotation: &Rotation, key: &KeyId, facts: &Facts, now: Timestamp) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    if rotation.undo.as_ref().is_some_and(|undo| undo.disowns) {
        let keys = BTreeSet::from([key.clone()]);
        return Step::Record(Event::Disowned { keys });
    }
    match listing.keys.iter().find(|listed| listed.id == *key && listed.active) {
        Some(listed) => assess(rotation, listed, listing, facts, now),
        // It is gone, or off: an earlier rotation had retired it.
        None if is_as_left(rotation, listing) => Step::Discard {
            key: key.clone(),
            why: "its deletion was already intended".to_owned(),
        },
        None => block(&format!(
            "key {key} was to be deleted, and {}; {WAY_OUT}",
            no_longer(rotation)
        )),
    }
}

/// A key that nobody expected, seen when the old one was about to rest: it is named, and a person decides.
pub(super) fn stranger(rotation: &Rotation, key: &Key) -> Step {
    let guess = match suspect(key, &rotation.attempts) {
        Suspect::Ours => "perhaps from a lost attempt of this rotation",
        Suspect::Foreign => "not from this rotation",
    };
    block(&format!("the user holds another key, {} ({guess})", key.id))
}

/// A key that was made after the last line of this rotation, and by no call that is on record: the journal is an older copy of
/// itself, or a person has rotated by hand. `None`: there is none, or what the key is is being found out anyway.
pub fn newcomer(rotation: &Rotation, keys: &[Key], last_recorded: Timestamp) -> Option<Event> {
    // Where a secret is replaced where it stands, logins tell whose it is.
    let issued = rotation.new_key.as_ref().filter(|_| !rotation.spec.replaces())?;
    let is_known = |key: &Key| {
        key.id == rotation.spec.old_key
            || key.id == issued.key
            || rotation.discarded.contains(&key.id)
            || rotation
                .attempts
                .iter()
                .any(|attempt| attempt.ids_before.contains(&key.id))
    };
    let is_newer = |key: &&Key| key.created_at.is_some_and(|made| made > last_recorded);
    let key = keys.iter().filter(|key| !is_known(key)).find(is_newer)?;
    let made = key.created_at.map(|at| at.to_string()).unwrap_or_default();
    let why = format!(
        "key {} was made at {made}, after the last line of this rotation ({last_recorded}), and not by it: this journal is an \
         older copy of itself, or someone has rotated by hand",
        key.id
    );
    (!rotation.phase.is_closed()).then_some(Event::Blocked { why })
}

fn assess(rotation: &Rotation, key: &Key, listing: &Listing, facts: &Facts, now: Timestamp) -> Step {
    let id = &key.id;
    let left_alone = |why: &str| {
        block(&format!(
            "key {id} appeared while one was being created, and {why}; {WAY_OUT}"
        ))
    };
    if suspect(key, &rotation.attempts) == Suspect::Foreign {
        let made = key.created_at.map(|at| format!(" (created {at})")).unwrap_or_default();
        return left_alone(&format!("cannot be attributed to this rotation{made}"));
    }
    if rotation.spec.lost_key == LostKey::Ask {
        return left_alone("is probably the one whose secret was lost; a person is to decide about it");
    }
    if !is_as_left(rotation, listing) {
        return left_alone(&no_longer(rotation));
    }
    let Some(held) = &facts.held else {
        return Step::ReadDestinations;
    };
    if held.contains(id) {
        return left_alone("a destination of this rotation holds it");
    }
    match facts.last_use(id, now) {
        None => Step::ReadUse(id.clone()),
        Some(LastUse::At { at, service, region }) => {
            left_alone(&format!("someone uses it: {service} in {region} at {at}"))
        }
        Some(LastUse::NotReported) => left_alone("whether someone uses it is not reported"),
        Some(LastUse::NeverSeen) => Step::Discard {
            key: id.clone(),
            why: "its secret was lost before anyone had it".to_owned(),
        },
    }
}

/// Whether the old key works as the journal left it: otherwise the new one may be the only one that does.
fn is_as_left(rotation: &Rotation, listing: &Listing) -> bool {
    listing.is_active(&rotation.spec.old_key)
}

fn no_longer(rotation: &Rotation) -> String {
    format!(
        "old key {} is not there any more, or not active: someone may have rotated by hand, and this key be the only one that \
         works",
        rotation.spec.old_key
    )
}

fn names(keys: &[&Key]) -> String {
    let ids: Vec<&str> = keys.iter().map(|key: &&Key| KeyId::as_str(&key.id)).collect();
    ids.join(", ")
}
