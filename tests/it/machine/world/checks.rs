//! What has to hold at every step, by the keys that really live.

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Event, Phase, Restored, Retirement};
use rotate_providers::contract::KeyId;

use super::vendor::{SLOTS, public_half};
use super::{Checked, World};

impl World {
    pub(super) fn check_always(&self) -> Checked {
        self.check_consumers()?;
        self.must(
            self.vendor.strangers_are_untouched(),
            "a key of someone else is gone or was changed",
        )?;
        self.must(self.vendor.count() <= SLOTS, "there are more keys than slots")?;
        self.must(
            self.vendor.ours().len() <= 2,
            "more than the old key and a new one are ours",
        )
    }

    /// Before the cut-over the old key works; after it, the new one; while it is undone, one of the two at least, and the
    /// old one as soon as anyone may have gone back to it.
    fn check_consumers(&self) -> Checked {
        let old = self.vendor.is_active(&self.rotation.spec.old_key);
        let new = self.vendor.is_active(&self.new_key());
        let cut_over = self.has_cut_over();
        if self.rotated_by_hand {
            // That a key of someone else is never touched holds as ever.
            return Ok(());
        }
        let Some(undo) = &self.rotation.undo else {
            return match cut_over {
                false => self.must(old, "before the cut-over the old key does not work"),
                true => self.must(new, "after the cut-over the new key does not work"),
            };
        };
        let put_back = undo.restored.values().any(|outcome| *outcome == Restored::PutBack);
        self.must(old || new, "no key works")?;
        self.must(old || cut_over, "before the cut-over the old key does not work")?;
        self.must(
            old || !put_back,
            "a destination holds the old key again, and it does not work",
        )
    }

    pub(super) fn has_cut_over(&self) -> bool {
        let mut events = self.journal.iter().map(|record| &record.event);
        events.any(|event| matches!(event, Event::CutOver { .. }))
    }

    /// Who makes the new key.
    pub(super) fn check_made_by(&self, us: bool) -> Checked {
        self.must(
            self.rotation.spec.mints_locally == us,
            "a key is made where it should not be",
        )?;
        self.must(self.rotation.new_key.as_ref().is_none(), "a second key is made")
    }

    /// No slot is asked for while our own keys fill them all. A stranger may have been faster than the list.
    pub(super) fn check_room(&self) -> Checked {
        self.must(self.vendor.ours().len() == 1, "a key is created beside two others")
    }

    /// Before the vendor is told of a key.
    pub(super) fn check_register(&self, key: &KeyId) -> Checked {
        let public = self.rotation.new_key.as_ref().and_then(|issued| issued.public.clone());
        self.must(
            public == Some(public_half(key)),
            "a key is registered as what it is not",
        )?;
        let listed = self.facts.keys.iter().flat_map(|listing| &listing.keys);
        let others: Vec<&KeyId> = listed.map(|listed| &listed.id).filter(|id| *id != key).collect();
        self.must(
            others == [&self.rotation.spec.old_key],
            "a key is registered although the list shows no free slot beside the old key",
        )?;
        let ours = self.vendor.ours();
        self.must(
            ours.iter().all(|id| *id == key || **id == self.rotation.spec.old_key),
            "a key is registered beside another one that was lost",
        )
    }

    /// Before any key is deleted.
    pub(super) fn check_removal(&self, key: &KeyId) -> Checked {
        self.must(!self.vendor.is_strangers(key), "a key of someone else is deleted")
    }

    /// Before the old key is touched.
    pub(super) fn check_retire(&self) -> Checked {
        let new = self.new_key();
        self.must(
            self.rotation.undo.is_none(),
            "an old key is retired while it is needed again",
        )?;
        self.must(
            self.vendor.is_active(&new),
            "an old key is retired and the new one does not work",
        )?;
        self.must(new != self.rotation.spec.old_key, "the new key is the old one")?;
        let proved = self.rotation.new_key.as_ref().and_then(|issued| issued.proved_at);
        let fresh = proved.is_some_and(|at| self.now.duration_since(at) <= SignedDuration::from_mins(5));
        self.must(fresh, "an old key is retired without a fresh proof of the new one")
    }

    /// Before the old key is deleted it has rested: switched off, or, where nothing would bring it back, unused.
    pub(super) fn check_rest(&self) -> Checked {
        let spec = &self.rotation.spec;
        let for_good = spec.retirement == Retirement::RemoveForGood;
        let begins = |event: &Event| match event {
            Event::CutOver { .. } => for_good,
            Event::Deactivated { .. } => !for_good,
            _ => false,
        };
        let since: Option<Timestamp> = self
            .journal
            .iter()
            .rfind(|record| begins(&record.event))
            .map(|record| record.at);
        let soak = i64::try_from(spec.soak_seconds).map(SignedDuration::from_secs);
        let rested = since
            .zip(soak.ok())
            .is_some_and(|(at, soak)| self.now.duration_since(at) >= soak);
        self.must(rested, "an old key is deleted before it has rested")?;
        self.must(
            for_good || !self.vendor.is_active(&spec.old_key),
            "an old key is deleted that someone has switched on again",
        )
    }

    pub(super) fn check_end(&self) -> Checked {
        let survivor = match (&self.rotation.phase, &self.rotation.new_key) {
            (Phase::Done, Some(new)) => &new.key,
            _ => &self.rotation.spec.old_key,
        };
        self.must(
            self.vendor.is_active(survivor),
            "the key that should survive does not work",
        )?;
        // A key that a person was told of by name is theirs to look after.
        let disowned = self
            .journal
            .iter()
            .any(|record| matches!(record.event, Event::Disowned { .. }));
        self.must(
            disowned || self.vendor.ours() == [survivor],
            "more than one key is left at the end",
        )?;
        self.check_retired_once()
    }

    /// A key that nothing brings back is never disabled; any other is disabled before it is deleted.
    fn check_retired_once(&self) -> Checked {
        let has = |name: &str| self.journal.iter().any(|record| record.event.name() == name);
        let for_good = self.rotation.spec.retirement == Retirement::RemoveForGood;
        self.must(
            !for_good || !has("deactivate-intended"),
            "a key that nothing brings back was switched off",
        )?;
        self.must(
            for_good || !has("deleted") || has("deactivated"),
            "a key was deleted that was never switched off",
        )
    }

    pub(super) fn must(&self, holds: bool, promise: &str) -> Checked {
        if holds { Ok(()) } else { Err(promise.to_owned()) }
    }
}
