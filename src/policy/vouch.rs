//! What may be relied on of a new key: our own proof of it, or the vendor's list and what its consumer does with it.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::Automation;
use rotate_providers::contract::LastUse;

use super::{Facts, LOOK_AGAIN, Refusals, Step, Wait, Waiting, block, is_fresh, later};
use crate::machine::{Cutover, Event, Issued, Prove, Retired, Rotation, Switch};

/// How many readings in a row have to lack a new key before it is taken for gone.
const ABSENCES: u32 = 6;

/// Why a target cannot be proven as it asks, and what fixes that.
pub struct ProofFault {
    /// Why, as a fragment.
    pub why: String,
    /// What fixes it.
    pub remedy: String,
}

/// What does not go with this way of proving a key; `None`: all of it does.
pub fn proof_fault(automation: &Automation, prove: Prove, cutover: Cutover) -> Option<ProofFault> {
    let fault = |why: String, remedy: &str| {
        let remedy = remedy.to_owned();
        Some(ProofFault { why, remedy })
    };
    match prove {
        Prove::Identity | Prove::Consumer if automation.capabilities.replaces => fault(
            format!("at {} logins from here alone tell which secret stands", automation.id),
            "write login, and let this machine log in as the consumer does",
        ),
        Prove::Identity if !automation.capabilities.tells_identity => fault(
            format!("at {} a login cannot be told from what it is for", automation.id),
            "where only the consumer may log in, write consumer",
        ),
        Prove::Identity | Prove::Consumer if cutover == Cutover::Immediate => fault(
            "it does not go with an immediate cut-over: the old key would be disabled before anybody has proven the new one"
                .to_owned(),
            "let the cut-over be confirm or observed",
        ),
        _ => None,
    }
}

/// A key that nobody has yet: what makes it worth delivering.
pub(super) fn first_proof(rotation: &Rotation, issued: &Issued, facts: &Facts) -> Step {
    if rotation.spec.prove != Prove::Consumer {
        return Step::Prove;
    }
    match &facts.keys {
        None => Step::ReadKeys { again: false },
        Some(listing) if listing.is_active(&issued.key) => Step::Record(Event::Listed),
        Some(_) => Step::ReadKeys { again: true },
    }
}

/// What stands between now and relying on the new key; `None`: nothing does.
pub(super) fn vouch(rotation: &Rotation, issued: &Issued, facts: &Facts, now: Timestamp) -> Option<Step> {
    if rotation.spec.prove != Prove::Consumer {
        return (!is_fresh(issued.proved_at, now)).then_some(Step::Prove);
    }
    stands(issued, facts, now)
}

/// The list that is read right before others rely on the new key has to show it, active: a proof of minutes ago says nothing of
/// what has been done to it since. `None`: it does.
pub(super) fn stands(issued: &Issued, facts: &Facts, now: Timestamp) -> Option<Step> {
    match facts.listing(now) {
        None => Some(Step::ReadKeys { again: false }),
        Some(listing) if listing.is_active(&issued.key) => None,
        Some(listing) => {
            // One that is not there may only be shown late; one that is off is off.
            let is_off = listing.keys.iter().any(|key| key.id == issued.key);
            let enough = if is_off { 2 } else { ABSENCES };
            Some(match listing.agreeing < enough {
                true => Step::ReadKeys { again: true },
                false => block(&format!(
                    "new key {} is not listed as active, and nobody asked for that",
                    issued.key
                )),
            })
        }
    }
}

/// The old key is off, and the consumer has to show that the new one works: an ordinary wait.
pub(super) fn second_proof(
    rotation: &Rotation,
    issued: &Issued,
    switch: &Switch,
    retired: &Retired,
    facts: &Facts,
    now: Timestamp,
) -> Step {
    let key = &issued.key;
    match facts.listing(now) {
        None => return Step::ReadKeys { again: false },
        Some(listing) if !listing.is_active(key) => {
            return Step::Reactivate(format!("new key {key} is not listed as active any more"));
        }
        Some(_) => {}
    }
    let Some(last_use) = facts.last_use(key, now) else {
        return Step::ReadUse(key.clone());
    };
    let Refusals::Read(refused) = &facts.refused else {
        return Step::ReadRefusals {
            key: key.clone(),
            since: retired.at,
        };
    };
    let healed = |at: Timestamp| matches!(last_use, LastUse::At { at: used, .. } if *used > at);
    if let Some(refused) = refused.as_ref().filter(|refused| !healed(refused.at)) {
        return Step::Reactivate(format!(
            "a login with new key {key} was refused at {}: {}",
            refused.at, refused.why
        ));
    }
    if is_used_by_consumer(issued, retired.at, last_use, rotation.spec.capabilities().use_steps) {
        let last_use = last_use.clone();
        return Step::Record(Event::Used { last_use });
    }
    // After a person has looked, the time begins anew.
    let overdue = later(switch.at.max(retired.at), rotation.spec.allowance_seconds);
    let off = format!("old key {} is off since {}", rotation.spec.old_key, retired.at);
    if now >= overdue {
        return block(&format!(
            "{off}, and no use of new key {key} is on record since; whoever knows that its consumer works with it says so with \
             confirm --evidence"
        ));
    }
    let again = now.checked_add(LOOK_AGAIN).unwrap_or(Timestamp::MAX);
    Step::Wait(Wait {
        on: Waiting::Evidence,
        until: Some(again.min(overdue)),
        why: format!("{off}; the next use of new key {key} shows that its consumer works with it"),
    })
}

/// Whether the vendor's record shows that somebody else has used the new key since then: our own proofs show there too.
/// The vendor records use in such steps, so only use later than that after our own proof is someone else's.
pub fn is_used_by_consumer(issued: &Issued, since: Timestamp, last_use: &LastUse, steps: SignedDuration) -> bool {
    let LastUse::At { at, .. } = last_use else {
        return false;
    };
    match issued.proved_at {
        Some(proved) => at.duration_since(proved.max(since)) > steps,
        None => *at > since,
    }
}
