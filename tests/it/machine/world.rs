//! A vendor, consumers, a person, strangers and a network, all of whom may let a rotation down at any step.
//!
//! The world takes the driver's place: it asks `policy::next` for a step, records what the driver would record, and lets
//! dice decide what comes of it. Zero is always the outcome that one hopes for, so a walk whose dice have run out goes
//! straight to its end. What the world checks, it checks against the keys that really live, not against the journal.

mod calls;
mod checks;
mod people;
mod vendor;

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Event, Record, Rotation, RotationSpec};
use rotate::policy::{Facts, Listing, Refusals, Step, Use, next};
use rotate_providers::contract::{KeyId, LastUse};

use vendor::Vendor;

/// No walk is longer: each roll costs a few steps at most, and what is left when they have run out is one rotation.
const LONGEST: usize = 2500;
/// From anywhere to the end, once everything goes well.
const STRAIGHT: usize = 100;

pub(super) struct World {
    rotation: Rotation,
    journal: Vec<Record>,
    facts: Facts,
    /// Whether this run of the program has looked whose keys these are: it does so before anything else.
    recognised: bool,
    now: Timestamp,
    vendor: Vendor,
    /// Whether the vendor keeps a record of use and shows it.
    reports_use: bool,
    /// Whether the vendor tells its time.
    tells_time: bool,
    met_strangers: bool,
    refused: bool,
    finished_by_hand: bool,
    /// Whether a person has put a key of their own in the place of the old one, before the cut-over.
    pub(super) rotated_by_hand: bool,
    rolls: std::vec::IntoIter<u8>,
}

type Checked = Result<(), String>;

impl World {
    pub(super) fn new(spec: RotationSpec, now: Timestamp, reports_use: bool, rolls: Vec<u8>) -> Self {
        let vendor = Vendor::new(&spec);
        let opened = Record {
            at: now,
            event: Event::Opened {
                spec: spec.into(),
                begun: None,
            },
        };
        Self {
            rotation: Rotation::after(None, &opened).expect("a journal begins with its opening"),
            journal: vec![opened],
            facts: Facts::default(),
            recognised: false,
            now,
            vendor,
            reports_use,
            tells_time: rolls.len().is_multiple_of(2),
            rotated_by_hand: false,
            met_strangers: false,
            refused: false,
            finished_by_hand: false,
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
            self.check_always()?;
            match self.roll(24) {
                23 => self.ask_for_undo()?,
                22 => self.stranger_comes(),
                21 => self.finish_by_hand()?,
                20 => self.rotate_by_hand()?,
                _ => {}
            }
            match next(&self.rotation, &self.facts, self.now) {
                Step::Closed if self.rotated_by_hand => return self.check_always(),
                Step::Closed => return self.check_end(),
                step if !self.recognised && step.asks_the_vendor() => self.recognise(),
                step => self.take(step)?,
            }
            let seconds = i64::from(self.roll(250));
            self.pass(SignedDuration::from_secs(seconds));
        }
        Err("it does not end".to_owned())
    }

    pub(super) fn has_met_strangers(&self) -> bool {
        self.met_strangers
    }

    /// Whether the vendor ever said that there is no room.
    pub(super) fn was_refused(&self) -> bool {
        self.refused
    }

    pub(super) fn was_finished_by_hand(&self) -> bool {
        self.finished_by_hand
    }

    /// The phases in which an undo was asked for.
    pub(super) fn undone_in(&self) -> Vec<&'static str> {
        let (mut phases, mut rotation) = (Vec::new(), None);
        for record in &self.journal {
            if let (Event::UndoRequested { .. }, Some(before)) = (&record.event, &rotation) {
                let before: &Rotation = before;
                phases.push(before.phase.name());
            }
            rotation = Rotation::after(rotation, record).ok();
        }
        phases
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
        format!("{lines}now {}\nkeys {:#?}", self.now, self.vendor)
    }

    fn take(&mut self, step: Step) -> Checked {
        match step {
            Step::ReadKeys { .. } => self.read_keys(),
            Step::ReadDestinations => {
                self.facts.held = Some(
                    self.rotation
                        .new_key
                        .as_ref()
                        .map(|it| it.key.clone())
                        .into_iter()
                        .collect(),
                )
            }
            Step::ReadUse(key) => self.read_use(key),
            // Only where the proof is the consumer's, which these worlds' is not.
            Step::ReadRefusals { .. } => self.facts.refused = Refusals::Read(None),
            Step::Create => return self.create(),
            Step::Mint => return self.mint(),
            Step::Register => return self.register(),
            Step::Generate | Step::ReadWhich(_) | Step::Replace | Step::Revert => {
                return Err("one secret is replaced, and there are two keys".to_owned());
            }
            Step::Discard { key, why } => return self.discard(key, why),
            Step::Prove => return self.prove(),
            Step::Deliver(destinations) => return self.deliver(destinations),
            Step::RunHook(hook) => return Err(format!("{hook} is run, and nobody has asked for one")),
            Step::Deactivate => return self.deactivate(),
            Step::Reactivate(why) => return self.reactivate(why),
            Step::Delete => return self.delete(),
            Step::Restore(destination) => return self.restore(destination),
            Step::Withdraw => return self.withdraw(),
            Step::Record(event) => return self.record(event),
            Step::Wait(wait) => return self.wait(wait.on, wait.until),
            Step::Closed => {}
        }
        Ok(())
    }

    /// Looks whose keys these are, and at the keys.
    fn recognise(&mut self) {
        self.recognised = true;
        self.facts.keys = None;
        self.read_keys();
    }

    fn read_keys(&mut self) {
        let keys = self.vendor.list();
        let agreeing = match &self.facts.keys {
            Some(before) if before.keys == keys => before.agreeing + 1,
            _ => 1,
        };
        self.facts.keys = Some(Listing {
            keys,
            agreeing,
            read_at: self.now,
            vendor_time: self.tells_time.then_some(self.now),
        });
    }

    fn read_use(&mut self, key: KeyId) {
        let is_new = self.rotation.new_key.as_ref().is_some_and(|issued| issued.key == key);
        let hoped_for = if is_new && self.rotation.undo.is_none() {
            self.used_before(0)
        } else {
            LastUse::NeverSeen
        };
        let last_use = match self.roll(6) {
            _ if !self.reports_use => LastUse::NotReported,
            // Nobody puts a key there and leaves it unused.
            _ if self.vendor.is_strangers(&key) => self.used_before(0),
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
            service: "s3".into(),
            region: "us-east-1".into(),
        }
    }

    /// The program ends, killed or not, and what it had read is gone with it.
    fn stop(&mut self) -> Checked {
        self.facts = Facts::default();
        self.recognised = false;
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
        let issued = self.rotation.new_key.as_ref().map(|issued| issued.key.clone());
        issued.unwrap_or_else(KeyId::to_be_made)
    }

    fn may_lag(&mut self) {
        // That a key was not created is believed of two readings that agree, so a vendor that creates keys lags by one.
        let most = if self.rotation.spec.mints_locally { 3 } else { 1 };
        let readings = match self.roll(3) {
            1 => 1 + self.roll(most),
            _ => 0,
        };
        self.vendor.lag(readings);
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    fn roll(&mut self, sides: u8) -> u8 {
        self.rolls.next().map_or(0, |roll| roll % sides)
    }
}
