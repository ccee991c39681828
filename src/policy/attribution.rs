//! Whose key is this? After a crash or a lost answer, a key that appeared may be ours: created, and its secret lost.
//!
//! Ours is a key that was not there before the attempt, was made while the call of that attempt can have been under way,
//! and has never been used. Such a key was never delivered, by construction, and may be deleted. Any other key is left
//! alone and named.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Key, KeyId, LastUse};

use super::{Facts, Step, block};
use crate::machine::{Attempt, Event, Rotation};

/// The vendor's clock may be behind ours by this much.
const BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// A call leaves within this time of its intent, and the vendor's clock may be ahead.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What a key that appeared may be.
#[derive(Debug, PartialEq, Eq)]
pub enum Suspect {
    /// Made by this attempt, as far as time can tell.
    Ours,
    /// Someone else's.
    Foreign,
}

/// Judges one key by the attempts on record.
pub fn suspect(key: &Key, attempts: &[Attempt]) -> Suspect {
    let made_by = |attempt: &Attempt| {
        !attempt.ids_before.contains(&key.id) && key.created_at.is_some_and(|made| within(made, attempt.at))
    };
    if attempts.iter().any(made_by) {
        Suspect::Ours
    } else {
        Suspect::Foreign
    }
}

fn within(made: Timestamp, intended: Timestamp) -> bool {
    let distance = made.duration_since(intended);
    -BEFORE <= distance && distance <= AFTER
}

/// Finds out what became of an attempt whose outcome is not recorded.
pub(super) fn settle(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    let Some(first) = rotation.attempts.first() else {
        return block("a key is being created and no attempt is on record: the journal is damaged");
    };
    // Going on, a key that shows up late is met again: it fills a slot. An undo is the last look.
    let enough = if rotation.undo.is_some() { 10 } else { 2 };
    let appeared: Vec<&Key> = listing
        .keys
        .iter()
        .filter(|key| !first.ids_before.contains(&key.id) && !rotation.discarded.contains(&key.id))
        .collect();
    match appeared.as_slice() {
        // Lists lag: absence needs agreeing readings, and is not believed at all while every slot is taken.
        [] if listing.agreeing < enough || facts.slots_full => Step::ReadKeys { again: true },
        [] => Step::Record(Event::CreateFailed {
            why: "no key appeared at the vendor".to_owned(),
        }),
        [key] => judge(rotation, key, facts, now),
        several => block(&format!(
            "several keys appeared while one was being created, and none can be attributed: {}",
            names(several)
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

fn judge(rotation: &Rotation, key: &Key, facts: &Facts, now: Timestamp) -> Step {
    if suspect(key, &rotation.attempts) == Suspect::Foreign {
        return block(&format!(
            "key {} appeared and cannot be attributed to this rotation{}",
            key.id,
            key.created_at.map(|at| format!(" (created {at})")).unwrap_or_default()
        ));
    }
    match facts.last_use(&key.id, now) {
        None => Step::ReadUse(key.id.clone()),
        Some(LastUse::At { at, service, region }) => block(&format!(
            "key {} appeared while one was being created, but someone uses it: {service} in {region} at {at}",
            key.id
        )),
        Some(LastUse::NotReported) => block(&format!(
            "key {} appeared while one was being created, and whether someone uses it is not reported",
            key.id
        )),
        Some(LastUse::NeverSeen) => Step::Discard {
            key: key.id.clone(),
            why: "its secret was lost before anyone had it".to_owned(),
        },
    }
}

fn names(keys: &[&Key]) -> String {
    let ids: Vec<&str> = keys.iter().map(|key: &&Key| KeyId::as_str(&key.id)).collect();
    ids.join(", ")
}
