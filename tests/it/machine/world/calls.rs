//! The driver's calls: the intent first, then the call, then its result, and a death wherever one can be.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rotate::machine::{Event, Phase, Restored, Retirement, UndoKind};
use rotate::policy::made_within;
use rotate_providers::contract::KeyId;

use super::vendor::{Refusal, Vendor, clock_off, public_half};
use super::{Checked, World};

const LONGEST_CALL: SignedDuration = SignedDuration::from_secs(30);

impl World {
    pub(super) fn create(&mut self) -> Checked {
        self.check_made_by(false)?;
        let listing = self.facts.keys.take();
        let made_within = listing
            .as_ref()
            .and_then(|listing| made_within(listing, self.now, LONGEST_CALL));
        let ids_before: BTreeSet<KeyId> = listing.into_iter().flat_map(|l| l.keys).map(|key| key.id).collect();
        self.record(Event::CreateIntended {
            ids_before,
            made_within,
        })?;
        self.check_room()?;
        let roll = self.roll(5);
        if self.vendor.is_full() {
            self.refused = true;
            let why = "quota".to_owned();
            self.record(Event::CreateFailed { why })?;
            return self.stop();
        }
        match roll {
            0 => {
                let key = self.make(SignedDuration::ZERO);
                self.record(Event::Created { key, request: None })
            }
            1 => self.stop(),
            2 => {
                // The answer was lost.
                let off = clock_off(self.roll(4));
                // A vendor that has told its time is taken at its word.
                let off = if self.tells_time { SignedDuration::ZERO } else { off };
                self.make(off);
                self.stop()
            }
            3 => self.record(Event::CreateFailed {
                why: "not now".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn make(&mut self, clock_ahead: SignedDuration) -> KeyId {
        self.may_lag();
        let key = self.vendor.name("AKIANEW");
        // There is room for it: that was looked at just now.
        let _ = self.vendor.register(&key, self.now + clock_ahead);
        key
    }

    /// Nothing changes at the vendor, so all that a crash costs is the key.
    pub(super) fn mint(&mut self) -> Checked {
        self.check_made_by(true)?;
        match self.roll(3) {
            0 => {
                let key = self.vendor.name("SHA256:NEW");
                let public = public_half(&key);
                self.record(Event::Minted { key, public })
            }
            _ => self.stop(),
        }
    }

    pub(super) fn register(&mut self) -> Checked {
        let key = self.new_key();
        self.check_register(&key)?;
        let roll = self.roll(4);
        if roll == 1 {
            return self.stop();
        }
        self.may_lag();
        if self.vendor.register(&key, self.now).is_err() {
            // Someone was faster. What to do about it is decided with the next look at the list.
            self.refused = true;
            return self.stop();
        }
        // The answer was lost, or the program died before it looked at the list.
        if roll > 1 {
            return self.stop();
        }
        self.facts.keys = None;
        self.facts.registered = true;
        Ok(())
    }

    pub(super) fn discard(&mut self, key: KeyId, why: String) -> Checked {
        if !matches!(self.rotation.phase, Phase::Discarding(_)) {
            let key = key.clone();
            self.record(Event::DiscardIntended { key, why })?;
        }
        self.check_removal(&key)?;
        self.must(key != self.rotation.spec.old_key, "the old key is discarded")?;
        self.must(
            self.vendor.is_active(&self.rotation.spec.old_key),
            "a key is discarded while the old one does not work",
        )?;
        self.must(
            self.rotation.new_key.as_ref().is_none(),
            "a key is discarded after one was issued",
        )?;
        match self.roll(3) {
            1 => return self.stop(),
            outcome => {
                self.may_lag();
                self.vendor.remove(&key);
                if outcome == 2 {
                    return self.stop();
                }
            }
        }
        self.facts.keys = None;
        self.record(Event::Discarded { key, request: None })
    }

    pub(super) fn prove(&mut self) -> Checked {
        let roll = self.roll(4);
        let lives = self.vendor.is_active(&self.new_key());
        let refused = || "the new key was refused".to_owned();
        let event = match (roll, &self.rotation.phase) {
            (0, _) if lives => Event::Proved,
            (0 | 1, Phase::Created) => Event::UndoRequested {
                kind: UndoKind::Abort,
                why: refused(),
                by: "rotate".to_owned().into(),
                forced: true,
            },
            (0..3, Phase::Deactivating(..) | Phase::Deactivated(..)) => Event::ReactivateIntended { why: refused() },
            (0 | 1, _) => Event::Blocked { why: refused() },
            _ => return self.stop(),
        };
        self.record(event)
    }

    pub(super) fn deliver(&mut self, destinations: Vec<String>) -> Checked {
        let lives = self.vendor.is_active(&self.new_key());
        self.must(lives, "a key that does not work is delivered")?;
        let roll = self.roll(3);
        if roll == 1 {
            return self.stop();
        }
        for destination in destinations.clone() {
            self.record(Event::DeliverIntended { destination })?;
        }
        // One that fails keeps no other from getting the key.
        let has_failed = roll == 2;
        for destination in destinations.into_iter().skip(usize::from(has_failed)) {
            self.record(Event::Delivered { destination })?;
        }
        if has_failed { self.stop() } else { Ok(()) }
    }

    pub(super) fn deactivate(&mut self) -> Checked {
        if matches!(self.rotation.phase, Phase::CutOver(..)) {
            self.record(Event::DeactivateIntended)?;
        }
        self.check_retire()?;
        let for_good = self.rotation.spec.retirement == Retirement::RemoveForGood;
        self.must(
            !for_good,
            "a key that nothing brings back is switched off before its rest",
        )?;
        self.effect(Event::Deactivated { request: None }, |vendor, old| {
            vendor.switch_off(old)
        })
    }

    pub(super) fn reactivate(&mut self, why: String) -> Checked {
        if !matches!(self.rotation.phase, Phase::Reactivating(..)) {
            self.record(Event::ReactivateIntended { why })?;
        }
        let roll = self.roll(3);
        if roll == 1 {
            return self.stop();
        }
        let public = match &self.rotation.spec.retirement {
            Retirement::Remove { public } => Some(public.clone()),
            Retirement::Disable | Retirement::RemoveForGood | Retirement::Replace => None,
        };
        let old = self.rotation.spec.old_key.clone();
        self.may_lag();
        match self.vendor.switch_on(&old, public.as_ref(), self.now) {
            Ok(()) => {}
            Err(Refusal::NotFound) => {
                let why = "it is gone".to_owned();
                return self.record(Event::Blocked { why });
            }
            Err(Refusal::Full) => {
                self.refused = true;
                self.make_room();
                return self.stop();
            }
        }
        if roll == 2 {
            return self.stop();
        }
        self.facts.keys = None;
        self.record(Event::Reactivated { request: None })
    }

    pub(super) fn delete(&mut self) -> Checked {
        if !matches!(self.rotation.phase, Phase::Deleting(..)) {
            self.record(Event::DeleteIntended)?;
        }
        self.check_retire()?;
        self.check_rest()?;
        self.effect(Event::Deleted { request: None }, |vendor, old| vendor.remove(old))
    }

    pub(super) fn restore(&mut self, destination: String) -> Checked {
        let old = self.vendor.is_active(&self.rotation.spec.old_key);
        self.must(
            old || self.rotated_by_hand,
            "a destination is put back to a key that does not work",
        )?;
        let outcome = match self.roll(3) {
            0 => Restored::PutBack,
            1 => Restored::ChangedSince,
            _ => return self.stop(),
        };
        self.record(Event::Restored { destination, outcome })
    }

    pub(super) fn withdraw(&mut self) -> Checked {
        if !matches!(self.rotation.phase, Phase::Withdrawing) {
            self.record(Event::WithdrawIntended)?;
        }
        let new = self.new_key();
        self.check_removal(&new)?;
        self.must(
            self.rotation.undo.is_some(),
            "a new key is withdrawn and nobody asked for it",
        )?;
        let is_anyones = self
            .rotation
            .new_key
            .as_ref()
            .is_some_and(|issued| !issued.reached.is_empty());
        self.must(
            !is_anyones || self.rotated_by_hand || self.vendor.is_active(&self.rotation.spec.old_key),
            "the new key is withdrawn and the old one does not work",
        )?;
        self.effect(Event::Withdrawn { request: None }, |vendor, _| vendor.remove(&new))
    }

    /// An effect on the old key, its result, and the deaths before and after it.
    fn effect(&mut self, result: Event, act: impl FnOnce(&mut Vendor, &KeyId)) -> Checked {
        let roll = self.roll(3);
        if roll == 1 {
            return self.stop();
        }
        self.may_lag();
        act(&mut self.vendor, &self.rotation.spec.old_key);
        if roll == 2 {
            return self.stop();
        }
        self.facts.keys = None;
        self.record(result)
    }
}
