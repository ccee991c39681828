//! What may be done now, decided by an ordered list of pure checks, each with its reason.
//!
//! [`next`] drives the real thing and the dry run alike, so the two cannot disagree.

mod attribution;
mod drift;
mod due;
mod gate;
mod hook;
mod in_place;
mod vouch;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Key, KeyId, LastUse, RefusedLogin};

pub use attribution::{INTENT_LASTS, Suspect, made_within, newcomer, suspect};
pub use drift::Expected;
pub use due::{Deadline, Lead, Terms, Urgency};
pub use gate::{is_removed_already, may_create, use_beside, used_by_others};
pub use hook::told_hook;
pub use in_place::{Stands, WAY_OUT, Which};
pub use vouch::{ProofFault, is_used_by_consumer, proof_fault};

use crate::machine::{
    Cutover, Event, Issued, Phase, Prove, Restored, Retirement, Rotation, RotationSpec, SwitchedBy, Undo, UndoKind,
};

/// How long a proof of the new key or a reading of the vendor's records is worth acting on.
pub const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// How long a reading of the vendor's list is the one right before an effect.
const CURRENT: SignedDuration = SignedDuration::from_mins(1);

/// Each phase but the first and the last ones has its new key.
const KEYLESS: &str = "there is no new key where there has to be one: the journal is damaged";

/// What two keys that work side by side have to do with one secret that is replaced where it stands: nothing.
const MISPLACED: &str =
    "a secret is being replaced where it stands, and its rotation does not say so: the journal is damaged";

/// How often an open wait for evidence is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// What was read at the vendor, as far as it was read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The keys, and whether a second reading some seconds later agreed.
    pub keys: Option<Listing>,
    /// When a key was last used, per key.
    pub uses: Vec<Use>,
    /// The login with the new key that the vendor has on record as refused.
    pub refused: Refusals,
    /// Which secret the vendor takes, where one is replaced where it stands.
    pub stands: Option<Stands>,
    /// The secret that was set in this run, and the vendor has said so: until then, a call may still be on its way.
    pub set: Option<Which>,
    /// Destinations that have failed once in this run: where consumers are cut off, the others come first.
    pub failed: BTreeSet<String>,
    /// Whether a destination holds the secret that is about to be replaced.
    pub old_is_held: Option<bool>,
    /// Whether the new key was just registered: the list may not show it yet.
    pub registered: bool,
    /// Whether the vendor has just said that the owner holds as many keys as it may: whatever the list shows.
    pub slots_full: bool,
    /// Whether the owner of the keys does not exist any more, and a person has insisted that this is so.
    pub owner_is_gone: bool,
    /// The keys that the destinations hold.
    pub held: Option<BTreeSet<KeyId>>,
    /// Keys that this journal itself retired in earlier rotations of the same owner.
    pub retired: Vec<KeyId>,
}

/// What is known of logins that the vendor has refused.
#[derive(Clone, Debug, Default)]
pub enum Refusals {
    /// Nothing: it was not asked.
    #[default]
    Unread,
    /// The latest one, or that there is none on record.
    Read(Option<RefusedLogin>),
}

/// One reading of the vendor's list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The keys.
    pub keys: Vec<Key>,
    /// How many readings in a row, spaced, gave this same list.
    pub agreeing: u32,
    /// When it was read, by our clock.
    pub read_at: Timestamp,
    /// When that was by the vendor's, where it has told.
    pub vendor_time: Option<Timestamp>,
}

impl Listing {
    /// Whether this key is listed, and active.
    pub fn is_active(&self, key: &KeyId) -> bool {
        self.keys.iter().any(|listed| listed.id == *key && listed.active)
    }

    /// What the vendor's clock shows now.
    fn vendor_now(&self, now: Timestamp) -> Option<Timestamp> {
        self.vendor_time?.checked_add(now.duration_since(self.read_at)).ok()
    }

    /// How far the vendor's clock and ours are apart.
    fn skew(&self) -> Option<SignedDuration> {
        Some(self.vendor_time?.duration_since(self.read_at).abs())
    }
}

/// One reading of a key's last use.
#[derive(Clone, Debug)]
pub struct Use {
    /// The key.
    pub key: KeyId,
    /// When it was read.
    pub read_at: Timestamp,
    /// What the vendor said.
    pub last_use: LastUse,
}

impl Facts {
    /// The list, where it was read just now.
    fn listing(&self, now: Timestamp) -> Option<&Listing> {
        let is_current = |listing: &&Listing| now.duration_since(listing.read_at).abs() <= CURRENT;
        self.keys.as_ref().filter(is_current)
    }

    fn last_use(&self, key: &KeyId, now: Timestamp) -> Option<&LastUse> {
        self.uses
            .iter()
            .rev()
            .find(|reading| reading.key == *key && is_fresh(Some(reading.read_at), now))
            .map(|reading| &reading.last_use)
    }
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Read the vendor's list of keys; again, some seconds later, where one reading is not enough.
    ReadKeys {
        /// Whether this reading has to follow another one at a distance.
        again: bool,
    },
    /// Read which keys the destinations hold.
    ReadDestinations,
    /// Read when a key was last used.
    ReadUse(KeyId),
    /// Read whether a login with a key was refused since then.
    ReadRefusals {
        /// Which key.
        key: KeyId,
        /// Since when.
        since: Timestamp,
    },
    /// Have the vendor create the new key.
    Create,
    /// Make the new key on this machine.
    Mint,
    /// Tell the vendor of the key that was made here.
    Register,
    /// Seal the secret that the destinations hold, and make the one that will take its place.
    Generate,
    /// Log in with these, in this order, until the vendor takes one.
    ReadWhich(&'static [Which]),
    /// Set the new secret in the place of the old one.
    Replace,
    /// Set the old secret again.
    Revert,
    /// Delete a key that nobody has.
    Discard {
        /// Which.
        key: KeyId,
        /// Why nobody has it.
        why: String,
    },
    /// Prove the new key.
    Prove,
    /// Write the secret to these destinations.
    Deliver(Vec<String>),
    /// Run a program after the delivery.
    RunHook(String),
    /// Disable the old key.
    Deactivate,
    /// Enable the old key again.
    Reactivate(String),
    /// Delete the old key.
    Delete,
    /// Put a destination back.
    Restore(String),
    /// Delete the new key.
    Withdraw,
    /// Record this; nothing outside changes.
    Record(Event),
    /// Nothing can be done now.
    Wait(Wait),
    /// The rotation has ended.
    Closed,
}

impl Step {
    /// Whether the step reads or changes something at the vendor.
    pub fn asks_the_vendor(&self) -> bool {
        !matches!(
            self,
            Step::Record(_)
                | Step::Mint
                | Step::Generate
                | Step::ReadDestinations
                | Step::Deliver(_)
                | Step::Restore(_)
                | Step::RunHook(_)
                | Step::Wait(_)
                | Step::Closed
        )
    }
}

/// A wait, which is a row and never a sleep.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// For whom.
    pub on: Waiting,
    /// When it ends by itself, or is looked at again; for a person: when it becomes overdue.
    pub until: Option<Timestamp>,
    /// In words.
    pub why: String,
}

/// What a wait waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A person moves the consumers and says so.
    Cutover,
    /// Evidence of the cut-over.
    Evidence,
    /// The old key's rest.
    Soak,
    /// The hours in which effects are allowed.
    Window,
    /// A person has to look.
    Person,
}

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
