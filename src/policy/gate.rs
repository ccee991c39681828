//! The gates: create, cut over, retire, and what the vendor's list has to show.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Key, KeyId, LastUse};

use super::vouch::{is_used_by_consumer, stands, vouch};
use super::{Facts, LOOK_AGAIN, Listing, Step, Wait, Waiting, block, by_itself, later, overdue_at};
use crate::machine::{
    Cutover, Event, Issued, Phase, Prove, Retired, Retirement, Rotation, Switch, SwitchedBy, Undo, UndoKind,
};

/// How many readings in a row have to agree where a call may still arrive.
const LATE_LOOKS: u32 = 4;

/// No list of keys lags for so long.
const LONGEST_LAG: SignedDuration = SignedDuration::from_hours(1);

/// More than this is no difference of clocks, but a clock that is wrong.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What ordinary clocks differ by.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// May a key be created, given these keys? `Ok(Some(key))`: after this one, which the journal retired, is deleted.
pub fn may_create(
    old: &KeyId,
    keys: &[Key],
    retired: &[KeyId],
    most_keys: usize,
    ignore: impl Fn(&KeyId) -> bool,
) -> Result<Option<KeyId>, String> {
    let present = || keys.iter().filter(|key| !ignore(&key.id));
    if !present().any(|key| key.id == *old && key.active) {
        return Err(format!("old key {old} is no longer there, or no longer active"));
    }
    if present().count() < most_keys {
        return Ok(None);
    }
    let mut others = present().filter(|key| key.id != *old);
    let is_spent = |other: &&Key| !other.active && retired.contains(&other.id);
    match others.find(is_spent) {
        // Where one more would be one too many even without it, a person has to look.
        Some(other) if present().count() == most_keys => Ok(Some(other.id.clone())),
        _ => {
            let listed: Vec<String> = present().map(described).collect();
            let full = if most_keys == 2 {
                "both slots are full".to_owned()
            } else {
                format!("all {most_keys} places are taken")
            };
            Err(format!("{full}: {}", listed.join(" and ")))
        }
    }
}

fn described(key: &Key) -> String {
    let state = if key.active { "active" } else { "inactive" };
    match key.created_at {
        Some(at) => format!("{} ({state}, created {at})", key.id),
        None => format!("{} ({state})", key.id),
    }
}

/// A key that was made here: does the vendor have it, and if not, may it be told of it?
pub(super) fn register(rotation: &Rotation, issued: &Issued, facts: &Facts) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    if listing.keys.iter().any(|key| key.id == issued.key) {
        let key = issued.key.clone();
        return Step::Record(Event::Created { key, request: None });
    }
    if facts.registered {
        return Step::ReadKeys { again: true };
    }
    let most_keys = rotation.spec.capabilities().most_keys;
    match may_create(&rotation.spec.old_key, &listing.keys, &[], most_keys, |_| false) {
        Ok(_) => Step::Register,
        Err(why) => block(&why),
    }
}

pub(super) fn create(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Step {
    let Some(listing) = facts.listing(now) else {
        return Step::ReadKeys { again: false };
    };
    // What was deleted may still be listed for a while.
    let ignore = |key: &KeyId| rotation.discarded.contains(key);
    let most_keys = rotation.spec.capabilities().most_keys;
    match may_create(&rotation.spec.old_key, &listing.keys, &facts.retired, most_keys, ignore) {
        Ok(None) if rotation.spec.mints_locally => Step::Mint,
        // Whose a key is that appears is told by the vendor's clock, and by ours for how long.
        Ok(None) => match listing.skew().filter(|skew| *skew > MOST_SKEW) {
            None => Step::Create,
            Some(skew) => block(&format!(
                "the vendor's clock and this machine's differ by {} minutes: set the right one, then confirm",
                skew.as_mins()
            )),
        },
        Ok(Some(key)) => Step::Discard {
            key,
            why: "an earlier rotation retired it".to_owned(),
        },
        Err(why) => block(&why),
    }
}

pub(super) fn cut_over(
    rotation: &Rotation,
    issued: &Issued,
    delivered_at: Timestamp,
    facts: &Facts,
    now: Timestamp,
) -> Step {
    if let Some(event) = by_itself(rotation) {
        return Step::Record(event);
    }
    if rotation.spec.cutover == Cutover::Observed {
        return observe(rotation, issued, delivered_at, facts, now);
    }
    Step::Wait(Wait {
        on: Waiting::Cutover,
        until: overdue_at(rotation),
        why: match rotation.spec.prove {
            Prove::Login => format!(
                "every consumer moves to new key {}, and a person confirms it",
                issued.key
            ),
            Prove::Identity | Prove::Consumer => format!(
                "every consumer moves to new key {}, and a person confirms it once its use is on record",
                issued.key
            ),
        },
    })
}

/// New key in use by someone else, old key idle since the delivery.
fn observe(rotation: &Rotation, issued: &Issued, delivered_at: Timestamp, facts: &Facts, now: Timestamp) -> Step {
    let old_key = &rotation.spec.old_key;
    let watched_until = later(delivered_at, rotation.spec.observe_seconds);
    let overdue = overdue_at(rotation).filter(|overdue| *overdue <= now);
    let wait = |why| {
        Step::Wait(Wait {
            // Where no evidence comes in time, a person is asked.
            on: overdue.map_or(Waiting::Evidence, |_| Waiting::Cutover),
            until: overdue.or_else(|| now.checked_add(LOOK_AGAIN).ok()),
            why,
        })
    };
    if is_unlisted(facts, &issued.key) {
        return block(&format!("new key {} is gone, and nobody asked for that", issued.key));
    }
    let Some(new) = facts.last_use(&issued.key, now) else {
        return Step::ReadUse(issued.key.clone());
    };
    if *new == LastUse::NotReported {
        return wait(format!("the vendor does not report the use of new key {}", issued.key));
    }
    if !is_used_by_consumer(issued, delivered_at, new, rotation.spec.capabilities().use_steps) {
        return wait(format!(
            "nobody but rotate has been seen to use new key {} yet",
            issued.key
        ));
    }
    let Some(old) = facts.last_use(old_key, now) else {
        return Step::ReadUse(old_key.clone());
    };
    match old {
        LastUse::At { at, service, region } if *at > delivered_at => wait(format!(
            "old key {old_key} was used after the delivery: {service} in {region} at {at}"
        )),
        LastUse::NotReported => wait(format!("the vendor does not report the use of old key {old_key}")),
        // The record of use is up to hours late, and many consumers run once a day: idleness takes time to show.
        _ if now < watched_until => wait(format!(
            "new key {} is in use; whether old key {old_key} stays idle is watched until {watched_until}",
            issued.key
        )),
        LastUse::At { .. } | LastUse::NeverSeen => Step::Record(Event::CutOver {
            by: SwitchedBy::Observed {
                new: new.clone(),
                old: old.clone(),
            },
        }),
    }
}

/// The key whose record of use is asked for next, whatever the vendor's list shows: it may be read beside the list.
pub fn use_beside(rotation: &Rotation, facts: &Facts, now: Timestamp) -> Option<KeyId> {
    let retires = matches!(
        rotation.phase,
        Phase::CutOver(..) | Phase::Deactivating(..) | Phase::Soaking(..) | Phase::Deleting(..)
    );
    let old_key = &rotation.spec.old_key;
    let is_wanted = retires && rotation.undo.is_none() && facts.last_use(old_key, now).is_none();
    is_wanted.then(|| old_key.clone())
}

/// Whether the list that was read right before says that there is no old key to delete: where only removing is possible, it was
/// removed before its rest. A list that lags says nothing of the kind.
pub fn is_removed_already(rotation: &Rotation, facts: &Facts, now: Timestamp) -> bool {
    let capabilities = rotation.spec.capabilities();
    !capabilities.lists_lag && facts.listing(now).is_some() && is_unlisted(facts, &rotation.spec.old_key)
}

/// What stands between now and disabling or deleting the old key; `None`: nothing does.
pub(super) fn retire(
    rotation: &Rotation,
    issued: &Issued,
    switch: &Switch,
    facts: &Facts,
    now: Timestamp,
) -> Option<Step> {
    let old_key = &rotation.spec.old_key;
    if issued.key == *old_key {
        return Some(block("the new key is the old key: the journal is damaged"));
    }
    // Where keys are only removed there is no switching off and on within the second: the proof has to be of just now.
    // A cut-over in the future is a clock that went back: then its age has to do.
    let proved_since =
        rotation.spec.retirement == Retirement::Disable || issued.proved_at >= Some(switch.at) || switch.at > now;
    if let Some(step) = vouch(rotation, issued, facts, now) {
        return Some(step);
    }
    if !proved_since && rotation.spec.prove != Prove::Consumer {
        return Some(Step::Prove);
    }
    if let Some(step) = stands(issued, facts, now) {
        return Some(step);
    }
    // The record of a key that is gone cannot be read any more, and there is nothing left to lose.
    if is_unlisted(facts, old_key) {
        let enough = if rotation.spec.capabilities().lists_lag { 2 } else { 1 };
        return facts
            .keys
            .iter()
            .all(|listing| listing.agreeing < enough)
            .then_some(Step::ReadKeys { again: true });
    }
    let Some(last_use) = facts.last_use(old_key, now) else {
        return Some(Step::ReadUse(old_key.clone()));
    };
    match last_use {
        LastUse::At { at, service, region } if *at > switch.at => Some(block(&format!(
            "old key {old_key} was used after the cut-over of {}: {service} in {region} at {at}",
            switch.at
        ))),
        _ => None,
    }
}

/// Deleting asks for one thing more than disabling: that nobody has switched the old key on again.
pub(super) fn delete(rotation: &Rotation, issued: &Issued, switch: &Switch, facts: &Facts, now: Timestamp) -> Step {
    let old_key = &rotation.spec.old_key;
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    let expected = rotation.rests_first();
    if !expected && listing.keys.iter().any(|key| key.id == *old_key && key.active) {
        return block(&format!(
            "old key {old_key} is to be deleted, and someone has switched it on again"
        ));
    }
    retire(rotation, issued, switch, facts, now).unwrap_or(Step::Delete)
}

/// Whether the vendor's list was read and lacks this key.
pub(super) fn is_unlisted(facts: &Facts, key: &KeyId) -> bool {
    let lacks = |listing: &Listing| listing.keys.iter().all(|listed| listed.id != *key);
    facts.keys.as_ref().is_some_and(lacks)
}

/// The old key has to be listed as inactive before its rest begins.
pub(super) fn listed_inactive(rotation: &Rotation, retired: &Retired, facts: &Facts, now: Timestamp) -> Step {
    let Some(listing) = &facts.keys else {
        return Step::ReadKeys { again: false };
    };
    let old_key = &rotation.spec.old_key;
    if listing.keys.iter().any(|key| key.id == *old_key && key.active) {
        if listing.agreeing < 2 || now.duration_since(retired.at) < LONGEST_LAG {
            return Step::ReadKeys { again: true };
        }
        return block(&format!(
            "old key {old_key} was disabled at {}, and works: someone has put it back",
            retired.at
        ));
    }
    let was_there = |key: &KeyId| {
        let first = rotation.attempts.first();
        first.is_some_and(|attempt| attempt.ids_before.contains(key))
    };
    let known = |key: &KeyId| {
        key == old_key
            || was_there(key)
            || rotation.discarded.contains(key)
            || rotation.new_key.as_ref().is_some_and(|new| new.key == *key)
    };
    match listing.keys.iter().find(|key| !known(&key.id)) {
        Some(stranger) => super::attribution::stranger(rotation, stranger),
        None => Step::Record(Event::Soaking),
    }
}

/// Taking the new key back must leave its consumers one that works. What stands in the way; `None`: nothing does.
///
/// A removal whose answer was lost may still be on its way to the vendor, behind the registration that undid it. So a key
/// that was registered again is looked at longer before anyone has to rely on it.
pub(super) fn old_key_works(rotation: &Rotation, undo: &Undo, facts: &Facts) -> Option<Step> {
    let old_key = &rotation.spec.old_key;
    let Some(listing) = &facts.keys else {
        return Some(Step::ReadKeys { again: false });
    };
    let listed = listing.keys.iter().find(|key| key.id == *old_key);
    if listed.is_some_and(|key| key.active) {
        let looks = if undo.reactivated && comes_back(rotation) {
            LATE_LOOKS
        } else {
            1
        };
        return (listing.agreeing < looks).then_some(Step::ReadKeys { again: true });
    }
    // Where keys are only removed, a removed one is not listed, and can be registered again all the same.
    let comes_back = listed.is_some() || comes_back(rotation);
    match undo.reactivated {
        // Whatever a person insists on: first it is tried.
        false if comes_back && undo.kind == UndoKind::Rollback && !facts.owner_is_gone => {
            Some(Step::Reactivate(undo.why.clone()))
        }
        _ if undo.insisted => None,
        // It was switched on a moment ago, and the list does not show it yet.
        true if comes_back => Some(Step::ReadKeys { again: true }),
        _ => Some(block(&format!(
            "old key {old_key} does not work any more, so without the new one nobody would have a key"
        ))),
    }
}

/// No key is taken away while that would leave nobody one that works: the old one, or another that is on record as used. One
/// that reached no destination may go in any case, because nobody has it. What stands in the way; `None`: nothing does.
pub(super) fn leaves_one(rotation: &Rotation, issued: &Issued, facts: &Facts, now: Timestamp) -> Option<Step> {
    if issued.reached.is_empty() {
        return None;
    }
    let Some(listing) = facts.listing(now) else {
        return Some(Step::ReadKeys { again: false });
    };
    // One that is off can be switched on again, one that is gone cannot.
    if listing.keys.iter().all(|key| key.id != issued.key) || listing.is_active(&rotation.spec.old_key) {
        return None;
    }
    let others = listing.keys.iter().filter(|key| key.active && key.id != issued.key);
    for other in others {
        match facts.last_use(&other.id, now) {
            None => return Some(Step::ReadUse(other.id.clone())),
            Some(LastUse::At { .. }) => return None,
            Some(LastUse::NeverSeen | LastUse::NotReported) => {}
        }
    }
    Some(block(&format!(
        "without new key {} nobody would have a key that works; if it has to go all the same, delete it at the vendor by hand",
        issued.key
    )))
}

fn comes_back(rotation: &Rotation) -> bool {
    matches!(rotation.spec.retirement, Retirement::Remove { .. })
}

/// A new key that was taken back has to be gone. One that was made here and never proven may still be on its way to the
/// vendor: the program was killed, and its last call was not. So it is looked for longer, and taken back again.
pub(super) fn withdrawn(rotation: &Rotation, issued: &Issued, facts: &Facts, end: Event) -> Step {
    let looks = match (rotation.spec.mints_locally, issued.proved_at) {
        (true, None) => LATE_LOOKS,
        _ => 1,
    };
    match &facts.keys {
        Some(listing) if looks > 1 && listing.keys.iter().any(|listed| listed.id == issued.key) => {
            // Twice in a row it is no lag.
            if listing.agreeing < 2 {
                Step::ReadKeys { again: true }
            } else {
                Step::Withdraw
            }
        }
        Some(listing) if listing.agreeing < looks => Step::ReadKeys { again: true },
        _ => listed_gone(facts, &issued.key, end),
    }
}

/// A deleted key has to be gone from the list before the rotation ends.
pub(super) fn listed_gone(facts: &Facts, key: &KeyId, end: Event) -> Step {
    match &facts.keys {
        None => Step::ReadKeys { again: false },
        Some(listing) if listing.keys.iter().any(|listed| listed.id == *key) => Step::ReadKeys { again: true },
        Some(_) => Step::Record(end),
    }
}

/// Who else has used the new key since our own last proof, in words; `None` where the vendor says that nobody has.
pub fn used_by_others(issued: &Issued, last_use: &LastUse) -> Option<String> {
    match last_use {
        LastUse::At { at, service, region } => {
            let ours = issued
                .proved_at
                .is_some_and(|proved| at.duration_since(proved) <= CLOCKS_DIFFER);
            (!ours).then(|| format!("used by others: {service} in {region} at {at}"))
        }
        LastUse::NeverSeen => None,
        LastUse::NotReported => Some("perhaps used by others: the vendor does not report its use".to_owned()),
    }
}
