//! A vendor, consumers, a person and a network, all of whom may let a rotation down at any step.
//!
//! The world takes the driver's place: it asks `policy::next` for a step, records what the driver would record, and lets
//! dice decide what comes of it. Zero is always the outcome that one hopes for, so a walk whose dice have run out goes
//! straight to its end. What the world checks, it checks against the keys that really live, not against the journal.

#[path = "checks.rs"]
mod checks;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Charter, Event, Phase, Record, Restored, Rotation, SwitchedBy, UndoKind};
use rotate::policy::{Facts, Listing, Step, Use, Waiting, next};
use rotate_providers::contract::{Key, KeyId, LastUse};

/// No walk is longer: each roll costs a few steps at most, and what is left when they have run out is one rotation.
const LONGEST: usize = 1500;
/// From anywhere to the end, once everything goes well.
const STRAIGHT: usize = 60;

pub(super) struct World {
    rotation: Rotation,
    journal: Vec<Record>,
    facts: Facts,
    now: Timestamp,
    /// What lives at the vendor.
    keys: BTreeMap<KeyId, Key>,
    /// What the vendor's list shows once more although it is no longer so.
    stale: Option<Vec<Key>>,
    made: u32,
    rolls: std::vec::IntoIter<u8>,
}

type Checked = Result<(), String>;

impl World {
    pub(super) fn new(charter: Charter, now: Timestamp, rolls: Vec<u8>) -> Self {
        let old = Key {
            id: charter.old_key.clone(),
            active: true,
            created_at: None,
        };
        let opened = Record {
            at: now,
            event: Event::Opened { charter },
        };
        Self {
            rotation: Rotation::after(None, &opened).expect("a journal begins with its opening"),
            journal: vec![opened],
            facts: Facts::default(),
            now,
            keys: BTreeMap::from([(old.id.clone(), old)]),
            stale: None,
            made: 0,
            rolls: rolls.into_iter(),
        }
    }

    /// Walks to the end.
    pub(super) fn play(&mut self) -> Checked {
        let mut straight = 0;
        for _ in 0..LONGEST {
            let lucky = self.rolls.len() == 0;
            straight = if lucky { straight + 1 } else { 0 };
            if straight > STRAIGHT {
                return Err("although everything goes well, it does not end".to_owned());
            }
            self.check_consumers()?;
            if self.roll(24) == 23 {
                self.undo()?;
            }
            match next(&self.rotation, &self.facts, self.now) {
                Step::Closed => return self.check_end(),
                step => self.take(step)?,
            }
            let seconds = i64::from(self.roll(250));
            self.pass(SignedDuration::from_secs(seconds));
        }
        Err("it does not end".to_owned())
    }

    pub(super) fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    pub(super) fn story(&self) -> String {
        let lines = self
            .journal
            .iter()
            .map(|record| format!("{} {:?}\n", record.at, record.event));
        let lines: String = lines.collect();
        format!("{lines}now {}\nkeys {:#?}", self.now, self.keys)
    }

    fn take(&mut self, step: Step) -> Checked {
        match step {
            Step::ReadKeys { .. } => self.read_keys(),
            Step::ReadUse(key) => self.read_use(key),
            Step::Create => return self.create(),
            Step::Discard { key, why } => return self.discard(key, why),
            Step::Prove => return self.prove(),
            Step::Deliver(destination) => return self.deliver(destination),
            Step::Deactivate => return self.deactivate(),
            Step::Reactivate(why) => return self.reactivate(why),
            Step::Delete => return self.delete(),
            Step::Restore(destination) => {
                let outcome = match self.roll(3) {
                    0 => Restored::PutBack,
                    1 => Restored::ChangedSince,
                    _ => return self.crash(),
                };
                return self.record(Event::Restored { destination, outcome });
            }
            Step::Withdraw => return self.withdraw(),
            Step::Record(event) => return self.record(event),
            Step::Wait(wait) => return self.wait(wait.on, wait.until),
            Step::Closed => {}
        }
        Ok(())
    }

    fn read_keys(&mut self) {
        let keys = self.stale.take().unwrap_or_else(|| self.listed());
        let agreeing = match &self.facts.keys {
            Some(before) if before.keys == keys => before.agreeing + 1,
            _ => 1,
        };
        self.facts.keys = Some(Listing { keys, agreeing });
    }

    fn read_use(&mut self, key: KeyId) {
        let is_new = self.rotation.issued().is_some_and(|issued| issued.key == key);
        let hoped_for = if is_new && self.rotation.undo.is_none() {
            self.used_before(0)
        } else {
            LastUse::NeverSeen
        };
        let last_use = match self.roll(6) {
            0 => hoped_for,
            1 => LastUse::NotReported,
            2 => LastUse::NeverSeen,
            minutes => self.used_before(i64::from(minutes) * 7),
        };
        let read_at = self.now;
        self.facts.uses.push(Use { key, read_at, last_use });
    }

    fn used_before(&self, minutes: i64) -> LastUse {
        LastUse::At {
            at: self.now - SignedDuration::from_mins(minutes),
            service: "s3".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    fn create(&mut self) -> Checked {
        let listing = self.facts.keys.take();
        let ids_before: BTreeSet<KeyId> = listing.into_iter().flat_map(|l| l.keys).map(|key| key.id).collect();
        self.record(Event::CreateIntended { ids_before })?;
        // Both slots taken, and it asks for another one: the vendor would say no, but it should have known.
        self.must(self.keys.len() == 1, "a key is created beside two others")?;
        match self.roll(5) {
            0 => {
                let key = self.make(0);
                self.record(Event::Created { key })
            }
            1 => self.crash(),
            2 => {
                // The answer was lost; the clocks may differ, sometimes by more than can be forgiven.
                let ahead = [0, 60, -60, 3600][usize::from(self.roll(4))];
                self.make(ahead);
                self.crash()
            }
            3 => self.record(Event::CreateFailed {
                why: "quota".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn make(&mut self, clock_ahead: i64) -> KeyId {
        self.may_lag();
        self.made += 1;
        let id = KeyId::new(format!("AKIANEW{}", self.made));
        let key = Key {
            id: id.clone(),
            active: true,
            created_at: Some(self.now + SignedDuration::from_secs(clock_ahead)),
        };
        self.keys.insert(id.clone(), key);
        id
    }

    fn discard(&mut self, key: KeyId, why: String) -> Checked {
        if !matches!(self.rotation.phase, Phase::Discarding(_)) {
            let key = key.clone();
            self.record(Event::DiscardIntended { key, why })?;
        }
        self.must(key != self.rotation.charter.old_key, "the old key is discarded")?;
        self.must(
            self.rotation.issued().is_none(),
            "a key is discarded after one was issued",
        )?;
        match self.roll(3) {
            1 => return self.crash(),
            outcome => {
                self.may_lag();
                self.keys.remove(&key);
                if outcome == 2 {
                    return self.crash();
                }
            }
        }
        self.facts.keys = None;
        self.record(Event::Discarded { key })
    }

    fn prove(&mut self) -> Checked {
        let roll = self.roll(4);
        let lives = self.is_active(&self.new_key());
        let refused = || "the new key was refused".to_owned();
        let event = match (roll, &self.rotation.phase) {
            (0, _) if lives => Event::Proved,
            (0 | 1, Phase::Created(_)) => Event::UndoRequested {
                kind: UndoKind::Abort,
                why: refused(),
                by: "rotate".to_owned(),
                forced: true,
            },
            (0..3, Phase::Deactivating(..) | Phase::Deactivated(..)) => Event::ReactivateIntended { why: refused() },
            (0 | 1, _) => Event::Blocked { why: refused() },
            _ => return self.crash(),
        };
        self.record(event)
    }

    fn deliver(&mut self, destination: String) -> Checked {
        self.must(self.is_active(&self.new_key()), "a key that does not work is delivered")?;
        let roll = self.roll(3);
        if roll == 1 {
            return self.crash();
        }
        self.record(Event::DeliverIntended {
            destination: destination.clone(),
        })?;
        if roll == 2 {
            return self.crash();
        }
        self.record(Event::Delivered { destination })
    }

    fn deactivate(&mut self) -> Checked {
        if matches!(self.rotation.phase, Phase::CutOver(..)) {
            self.record(Event::DeactivateIntended)?;
        }
        self.check_retire()?;
        self.effect(Event::Deactivated, |world, old| world.switch(old, false))
    }

    fn reactivate(&mut self, why: String) -> Checked {
        if !matches!(self.rotation.phase, Phase::Reactivating(..)) {
            self.record(Event::ReactivateIntended { why })?;
        }
        let old = self.rotation.charter.old_key.clone();
        self.must(self.keys.contains_key(&old), "a deleted key is to be enabled")?;
        self.effect(Event::Reactivated, |world, old| world.switch(old, true))
    }

    fn delete(&mut self) -> Checked {
        if matches!(self.rotation.phase, Phase::Soaking(..)) {
            self.record(Event::DeleteIntended)?;
        }
        self.check_retire()?;
        self.effect(Event::Deleted, |world, old| {
            world.keys.remove(old);
        })
    }

    fn withdraw(&mut self) -> Checked {
        if !matches!(self.rotation.phase, Phase::Withdrawing(_)) {
            self.record(Event::WithdrawIntended)?;
        }
        let old = self.rotation.charter.old_key.clone();
        self.must(
            self.rotation.undo.is_some(),
            "a new key is withdrawn and nobody asked for it",
        )?;
        self.must(
            self.is_active(&old),
            "the new key is withdrawn and the old one does not work",
        )?;
        let new = self.new_key();
        self.effect(Event::Withdrawn, |world, _| {
            world.keys.remove(&new);
        })
    }

    /// An effect on the old key, its result, and the deaths before and after it.
    fn effect(&mut self, result: Event, act: impl FnOnce(&mut Self, &KeyId)) -> Checked {
        let roll = self.roll(3);
        if roll == 1 {
            return self.crash();
        }
        self.may_lag();
        let old = self.rotation.charter.old_key.clone();
        act(self, &old);
        if roll == 2 {
            return self.crash();
        }
        self.facts.keys = None;
        self.record(result)
    }

    fn wait(&mut self, on: Waiting, until: Option<Timestamp>) -> Checked {
        self.stale = None;
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let by = "someone".to_owned();
        match (on, self.roll(5)) {
            (Waiting::Cutover, 0) | (Waiting::Evidence, 3) => {
                let by = SwitchedBy::Person(by);
                self.record(Event::CutOver { by })?;
            }
            (Waiting::Person, 0) => {
                // A person who looks takes away what nobody can attribute.
                let known = [self.rotation.charter.old_key.clone(), self.new_key()];
                self.keys.retain(|id, _| known.contains(id));
                self.facts = Facts::default();
                self.record(Event::Resumed { by })?;
            }
            (Waiting::Soak, 0) => self.now = until.unwrap_or(self.now),
            (_, 1) => self.undo()?,
            (_, 2) => self.pass(days(20)),
            _ => self.pass(days(2)),
        }
        Ok(())
    }

    /// A person asks for it, whatever the moment.
    fn undo(&mut self) -> Checked {
        let kinds = [UndoKind::Abort, UndoKind::Rollback];
        let Some(kind) = kinds.into_iter().find(|kind| self.rotation.may_undo(*kind)) else {
            return Ok(());
        };
        let forced = self.roll(2) == 1;
        let (why, by) = ("someone asked for it".to_owned(), "someone".to_owned());
        self.record(Event::UndoRequested { kind, why, by, forced })
    }

    fn crash(&mut self) -> Checked {
        self.facts = Facts::default();
        Ok(())
    }

    fn record(&mut self, event: Event) -> Checked {
        let record = Record { at: self.now, event };
        let after = Rotation::after(Some(self.rotation.clone()), &record);
        self.rotation = after.map_err(|illegal| format!("policy and machine disagree: {illegal}"))?;
        self.journal.push(record);
        Ok(())
    }

    fn new_key(&self) -> KeyId {
        let issued = self.rotation.issued().map(|issued| issued.key.clone());
        issued.unwrap_or_else(|| KeyId::new("(none)"))
    }

    fn is_active(&self, key: &KeyId) -> bool {
        self.keys.get(key).is_some_and(|key| key.active)
    }

    fn switch(&mut self, id: &KeyId, active: bool) {
        if let Some(key) = self.keys.get_mut(id) {
            key.active = active;
        }
    }

    fn listed(&self) -> Vec<Key> {
        self.keys.values().cloned().collect()
    }

    fn may_lag(&mut self) {
        let listed = self.listed();
        self.stale = (self.roll(3) == 1).then_some(listed);
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    fn roll(&mut self, sides: u8) -> u8 {
        self.rolls.next().map_or(0, |roll| roll % sides)
    }
}
