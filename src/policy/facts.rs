//! What was read at the vendor and at the destinations, and how long a reading counts.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Key, KeyId, LastUse, RefusedLogin};

use super::{Stands, Which, is_fresh};

/// How long a reading of the vendor's list is the one right before an effect.
const CURRENT: SignedDuration = SignedDuration::from_mins(1);

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

impl Facts {
    /// The list, where it was read just now.
    pub(super) fn listing(&self, now: Timestamp) -> Option<&Listing> {
        let is_current = |listing: &&Listing| now.duration_since(listing.read_at).abs() <= CURRENT;
        self.keys.as_ref().filter(is_current)
    }

    pub(super) fn last_use(&self, key: &KeyId, now: Timestamp) -> Option<&LastUse> {
        self.uses
            .iter()
            .rev()
            .find(|reading| reading.key == *key && is_fresh(Some(reading.read_at), now))
            .map(|reading| &reading.last_use)
    }
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
    pub(super) fn vendor_now(&self, now: Timestamp) -> Option<Timestamp> {
        self.vendor_time?.checked_add(now.duration_since(self.read_at)).ok()
    }

    /// How far the vendor's clock and ours are apart.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
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
