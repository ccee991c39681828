//! The vendor: two slots, a list that lags, and others who have the same rights as the program.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Retirement, RotationSpec};
use rotate_providers::contract::{Key, KeyId, PublicHalf};

/// An owner holds no more keys.
pub(super) const SLOTS: usize = 2;

/// Why the vendor did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Every slot is taken.
    Full,
    /// The key is gone, and nobody knows what would register it again.
    NotFound,
}

pub(super) struct Vendor {
    /// What lives there.
    keys: BTreeMap<KeyId, Key>,
    /// What someone else put there: it is theirs alone.
    strangers: BTreeMap<KeyId, Key>,
    /// What the list shows a few times more although it is no longer so.
    stale: Option<(Vec<Key>, u8)>,
    /// Whether a key can be disabled; elsewhere it can only be removed.
    disables: bool,
    /// Whether the list shows what registers a key.
    shows_public: bool,
    made: u32,
}

impl Vendor {
    pub(super) fn new(spec: &RotationSpec) -> Self {
        let disables = spec.retirement == Retirement::Disable;
        let shows_public = matches!(spec.retirement, Retirement::Remove { .. });
        let mut vendor = Self {
            keys: BTreeMap::new(),
            strangers: BTreeMap::new(),
            stale: None,
            disables,
            shows_public,
            made: 0,
        };
        vendor.put(&spec.old_key, None);
        vendor
    }

    /// A name that no key has had yet.
    pub(super) fn name(&mut self, prefix: &str) -> KeyId {
        self.made += 1;
        KeyId::parse(&format!("{prefix}{}", self.made)).expect("the name of a key")
    }

    fn put(&mut self, id: &KeyId, created_at: Option<Timestamp>) {
        let public = self.shows_public.then(|| public_half(id));
        let key = Key {
            id: id.clone(),
            active: true,
            created_at,
            public,
            delete_by_hand: String::new(),
        };
        self.keys.insert(id.clone(), key);
    }

    /// Puts a key into a free slot, whoever made it. One that is there already stays as it is.
    pub(super) fn register(&mut self, id: &KeyId, made: Timestamp) -> Result<(), Refusal> {
        if self.keys.contains_key(id) {
            return Ok(());
        }
        if self.is_full() {
            return Err(Refusal::Full);
        }
        self.put(id, Some(made));
        Ok(())
    }

    /// Disables a key, or removes it where there is nothing else.
    pub(super) fn switch_off(&mut self, id: &KeyId) {
        if self.disables {
            self.keys.entry(id.clone()).and_modify(|key| key.active = false);
        } else {
            self.remove(id);
        }
    }

    /// Enables a key again, or registers it again.
    pub(super) fn switch_on(&mut self, id: &KeyId, public: Option<&PublicHalf>, now: Timestamp) -> Result<(), Refusal> {
        match self.keys.get_mut(id) {
            Some(key) => key.active = true,
            None if public.is_some() => return self.register(id, now),
            None => return Err(Refusal::NotFound),
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &KeyId) {
        self.keys.remove(id);
    }

    pub(super) fn is_active(&self, id: &KeyId) -> bool {
        self.keys.get(id).is_some_and(|key| key.active)
    }

    pub(super) fn is_full(&self) -> bool {
        self.keys.len() >= SLOTS
    }

    pub(super) fn is_strangers(&self, id: &KeyId) -> bool {
        self.strangers.contains_key(id)
    }

    /// The keys that are not someone else's.
    pub(super) fn ours(&self) -> Vec<&KeyId> {
        self.keys.keys().filter(|id| !self.is_strangers(id)).collect()
    }

    /// How many keys there are.
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    /// Whether everything that is someone else's is as they left it.
    pub(super) fn strangers_are_untouched(&self) -> bool {
        self.strangers.iter().all(|(id, key)| self.keys.get(id) == Some(key))
    }

    /// Someone else takes a free slot.
    pub(super) fn stranger(&mut self, now: Timestamp) -> bool {
        if self.is_full() {
            return false;
        }
        let id = self.name("STRANGER");
        self.put(&id, Some(now));
        self.strangers.extend(self.keys.get(&id).map(|key| (id, key.clone())));
        true
    }

    /// A person takes away, by hand, whatever is not one of these.
    pub(super) fn clear_away(&mut self, known: &[KeyId]) {
        self.keys.retain(|id, _| known.contains(id));
        self.strangers.clear();
        self.stale = None;
    }

    /// The list as it is shown: not always as it is.
    pub(super) fn list(&mut self) -> Vec<Key> {
        match self.stale.take() {
            Some((shown, more)) => {
                self.stale = more.checked_sub(1).map(|more| (shown.clone(), more));
                shown
            }
            None => self.listed(),
        }
    }

    fn listed(&self) -> Vec<Key> {
        self.keys.values().cloned().collect()
    }

    /// The next readings, this many, show the list as it is now; with none, the list is up to date.
    pub(super) fn lag(&mut self, readings: u8) {
        self.stale = readings.checked_sub(1).map(|more| (self.listed(), more));
    }
}

/// What registers a key, by its name.
pub(super) fn public_half(id: &KeyId) -> PublicHalf {
    PublicHalf::new(format!("public half of {id}"))
}

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keys.values().map(|key| (key.id.as_str(), key.active));
        f.debug_map().entries(keys).finish()
    }
}

/// How far a vendor's clock may be off when an answer was lost; the last one is too much to be forgiven.
pub(super) fn clock_off(roll: u8) -> SignedDuration {
    SignedDuration::from_secs([0, 60, -60, 3600][usize::from(roll % 4)])
}
