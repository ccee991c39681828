//! A vendor with one slot, destinations, a person, somebody who does not ask, and a network, all of whom may let a rotation down
//! at any step. It takes the driver's place, as `machine/world.rs` does where two keys work side by side.

use rotate::policy::{Facts, Listing, Stands, Step, Waiting, Which, next};
use rotate_providers::contract::Key;

use crate::machine::*;

/// No walk is longer.
const LONGEST: usize = 1500;

/// Whose a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    Old,
    New,
    /// Of somebody who does not ask.
    Third,
}

/// The vendor, the destinations, a person and a network. Zero is always the outcome that one hopes for.
pub(super) struct OneSlot {
    pub(super) rotation: Rotation,
    facts: Facts,
    recognised: bool,
    vendor: Secret,
    number: u32,
    /// Whether the vendor tells one secret from another.
    tells: bool,
    /// What each destination holds.
    held: [Option<Secret>; 2],
    before: [Option<Secret>; 2],
    rolls: std::vec::IntoIter<u8>,
    pub(super) story: String,
    is_sealed: bool,
    pub(super) meddled: bool,
    /// Whether the vendor was ever seen to take the new one.
    seen: bool,
    failed_in_a_row: u32,
    /// Whether the last login has met somebody else's.
    met_a_third: bool,
    /// How often this run has set a secret: the driver gives up after two.
    replacements: u32,
}

type Checked = Result<(), String>;

const NAMES: [&str; 2] = ["d1", "d2"];

impl OneSlot {
    pub(super) fn new(tells: bool, is_held: bool, rolls: Vec<u8>) -> Self {
        let old_key = name(tells, 1);
        let spec = RotationSpec {
            old_key,
            // Nothing is known of this vendor.
            ..super::kind().spec(Cutover::Immediate, &NAMES, 0)
        };
        let held = [is_held.then_some(Secret::Old); 2];
        Self {
            rotation: Rotation::after(
                None,
                &record(Event::Opened {
                    spec: spec.into(),
                    begun: None,
                }),
            )
            .expect("it begins"),
            facts: Facts::default(),
            recognised: false,
            vendor: Secret::Old,
            number: 1,
            tells,
            held,
            before: held,
            rolls: rolls.into_iter(),
            story: String::new(),
            is_sealed: false,
            meddled: false,
            seen: false,
            failed_in_a_row: 0,
            met_a_third: false,
            replacements: 0,
        }
    }

    fn roll(&mut self, sides: u8) -> u8 {
        self.rolls.next().map_or(0, |roll| roll % sides)
    }

    fn record(&mut self, event: Event) -> Checked {
        self.story += &format!("{event:?}\n");
        let after = Rotation::after(Some(self.rotation.clone()), &record(event));
        self.rotation = after.map_err(|illegal| format!("policy and machine disagree: {illegal}"))?;
        Ok(())
    }

    fn stop(&mut self) -> Checked {
        self.facts = Facts::default();
        self.recognised = false;
        self.failed_in_a_row = 0;
        self.replacements = 0;
        Ok(())
    }

    pub(super) fn play(&mut self) -> Checked {
        for _ in 0..LONGEST {
            match self.roll(40) {
                39 => self.somebody_sets_a_third(),
                38 => self.ask_for_undo()?,
                _ => {}
            }
            match next(&self.rotation, &self.facts, NOW) {
                Step::Closed => return self.check_end(),
                step if step.asks_the_vendor() && !self.recognised => {
                    self.recognised = true;
                    self.list();
                }
                step => self.take(step)?,
            }
            self.check_always()?;
        }
        Err("it does not end".to_owned())
    }

    fn list(&mut self) {
        let key = Key {
            id: name(self.tells, self.number),
            active: true,
            created_at: None,
            public: None,
            delete_by_hand: String::new(),
        };
        self.facts.keys = Some(Listing {
            keys: vec![key],
            agreeing: 1,
            read_at: NOW,
            vendor_time: None,
        });
    }

    fn set(&mut self, secret: Secret) {
        self.vendor = secret;
        self.number += 1;
        self.facts.keys = None;
        self.facts.stands = None;
    }

    fn somebody_sets_a_third(&mut self) {
        if self.rotation.phase.is_closed() {
            return;
        }
        self.vendor = Secret::Third;
        self.number += 1;
        self.meddled = true;
    }

    fn ask_for_undo(&mut self) -> Checked {
        let kinds = [UndoKind::Rollback, UndoKind::Abort];
        let Some(kind) = kinds.into_iter().find(|kind| self.rotation.may_undo(*kind)) else {
            return Ok(());
        };
        let forced = self.rotation.phase.is_in_gap() && kind == UndoKind::Abort;
        self.stop()?;
        self.request(kind, forced)
    }

    fn request(&mut self, kind: UndoKind, forced: bool) -> Checked {
        let (why, by) = ("why".to_owned(), "someone".to_owned());
        self.record(Event::UndoRequested {
            kind,
            why,
            by: by.into(),
            forced,
        })
    }

    fn take(&mut self, step: Step) -> Checked {
        if matches!(step, Step::Replace | Step::Revert) {
            if self.replacements == 2 {
                return self.stop();
            }
            self.replacements += 1;
        }
        match step {
            Step::ReadKeys { .. } => self.list(),
            Step::Generate => {
                let way_back = self.held.contains(&Some(Secret::Old));
                if way_back {
                    self.record(Event::OldSealed)?;
                }
                if self.roll(4) == 1 {
                    return self.stop();
                }
                self.is_sealed = true;
                let key = KeyId::parse(NEW).expect("the name of a key");
                self.record(Event::Generated { key, way_back })?;
            }
            Step::ReadWhich(order) => return self.read_which(order),
            Step::Replace => {
                if matches!(self.rotation.phase, Phase::Prepared(_)) {
                    self.record(Event::ReplaceIntended)?;
                }
                self.must(self.is_sealed, "a secret is set that is not sealed")?;
                self.must(!self.met_a_third, "somebody else's secret is replaced")?;
                self.must(self.rotation.undo.is_none(), "a secret is set while it is taken back")?;
                match self.roll(6) {
                    1 => return self.stop(),
                    2 => self.set(Secret::New),
                    // It was set, and the program died before it knew.
                    3 => {
                        self.set(Secret::New);
                        return self.stop();
                    }
                    4 => {
                        self.record(Event::ReplaceFailed { why: "no".to_owned() })?;
                        return self.stop();
                    }
                    // The answer was lost, and nothing was done.
                    5 => {
                        self.facts.keys = None;
                        self.facts.stands = None;
                    }
                    _ => self.set(Secret::New),
                }
            }
            Step::Revert => {
                if !matches!(self.rotation.phase, Phase::Reverting(_)) {
                    self.record(Event::RevertIntended)?;
                }
                match self.roll(4) {
                    1 => return self.stop(),
                    2 => {
                        self.set(Secret::Old);
                        return self.stop();
                    }
                    _ => self.set(Secret::Old),
                }
            }
            Step::Prove => {
                let event = match self.vendor {
                    Secret::New => Event::Proved,
                    _ => Event::Blocked {
                        why: "refused".to_owned(),
                    },
                };
                self.record(event)?;
            }
            Step::Deliver(destinations) => {
                self.must(self.seen, "a secret is delivered that nobody has seen to work")?;
                for destination in destinations.clone() {
                    self.record(Event::DeliverIntended { destination })?;
                }
                for destination in &destinations {
                    if self.roll(4) == 1 {
                        return self.stop();
                    }
                    self.held[at(destination)] = Some(Secret::New);
                }
                for destination in destinations {
                    if self.roll(4) == 1 {
                        return self.stop();
                    }
                    self.record(Event::Delivered { destination })?;
                }
            }
            Step::Restore(destination) => {
                self.facts.stands = None;
                self.held[at(&destination)] = self.before[at(&destination)];
                if self.roll(4) == 1 {
                    return self.stop();
                }
                let outcome = Restored::PutBack;
                self.record(Event::Restored { destination, outcome })?;
            }
            Step::Record(event) => {
                self.seen |= matches!(event, Event::Replaced { .. });
                if matches!(event, Event::Reverted { .. }) {
                    self.facts.stands = None;
                }
                self.record(event)?;
            }
            Step::Wait(wait) => {
                self.must(wait.on == Waiting::Person, "there is nothing to wait for")?;
                self.stop()?;
                // A person looks, and gives it up, or says that all is well where it may be.
                if self.roll(3) == 1 || !self.rotation.may_undo(UndoKind::Abort) {
                    let by = "someone".to_owned();
                    return self.record(Event::Resumed { by });
                }
                return self.request(UndoKind::Abort, true);
            }
            other => return Err(format!("{other:?} is none of these steps")),
        }
        Ok(())
    }

    fn read_which(&mut self, order: &[Which]) -> Checked {
        if self.roll(5) == 1 {
            // Nothing is known, and nothing moves.
            return self.stop();
        }
        self.met_a_third = self.vendor == Secret::Third;
        for which in order {
            let secret = match which {
                Which::Old => Secret::Old,
                Which::New => Secret::New,
            };
            if secret == Secret::Old {
                let is_known = self.rotation.phase.replacement().is_some_and(|new| new.way_back);
                self.must(is_known, "a login with a secret that nobody knows")?;
            }
            if self.vendor == secret {
                self.failed_in_a_row = 0;
                self.facts.stands = Some(Stands::This(*which));
                return Ok(());
            }
            self.failed_in_a_row += 1;
        }
        // One before, and one after each of two calls.
        self.must(self.failed_in_a_row <= 3, "a user is locked out by logins of ours")?;
        self.facts.stands = Some(Stands::Neither("wrong".to_owned()));
        self.facts.keys = None;
        Ok(())
    }

    fn check_always(&self) -> Checked {
        let is_ours = self.vendor != Secret::New || self.is_sealed || self.held.contains(&Some(Secret::New));
        self.must(is_ours, "the secret that stands is lost")?;
        if self.meddled {
            return Ok(());
        }
        let may_differ = self.rotation.phase.is_in_gap() || self.rotation.phase.is_closed();
        let agree = self.held.iter().flatten().all(|held| *held == self.vendor);
        self.must(may_differ || agree, "consumers are cut off, and nobody says so")
    }

    fn check_end(&self) -> Checked {
        if self.meddled {
            return Ok(());
        }
        let (vendor, held) = (self.vendor, self.held);
        match self.rotation.phase {
            Phase::Done => self.must(
                vendor == Secret::New && held == [Some(Secret::New); 2],
                "it is not done",
            ),
            _ => self.must(vendor == Secret::Old && held == self.before, "it is not undone"),
        }
    }

    fn must(&self, holds: bool, promise: &str) -> Checked {
        if holds { Ok(()) } else { Err(promise.to_owned()) }
    }
}

fn name(tells: bool, number: u32) -> KeyId {
    let number = if tells { number } else { 0 };
    KeyId::parse(&format!("password-{number}")).expect("the name of a key")
}

fn at(destination: &str) -> usize {
    NAMES
        .iter()
        .position(|name| *name == destination)
        .expect("it is one of them")
}
