//! What would be done from here to the end, and why.
//!
//! The plan is not written down anywhere: it is what [`policy::next`](crate::policy::next) decides when every call works
//! and every wait ends. So it cannot disagree with the real thing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::{Key, KeyId, LastUse, PublicHalf};

mod guided;
mod in_place;
mod planned;

pub use guided::{Guidance, Missing, lead, procedure_of};
pub use planned::{GuidedStep, Planned, StepState, Typed, WayBack};

use crate::delivery::{self, Capabilities, Destination};
use crate::machine::{Event, Illegal, Phase, Record, Restored, Retirement, Rotation, SwitchedBy};
use crate::policy::{Facts, Listing, Refusals, Step, Use, Waiting, next};

/// The name that a key has in a plan before it exists.
pub const NEW_KEY: &str = KeyId::TO_BE_MADE;

/// The steps from here to the end, if all goes well.
pub fn forecast(rotation: Rotation, facts: Facts, now: Timestamp) -> Result<Vec<Planned>, Illegal> {
    let mut foresight = Simulation {
        rotation,
        facts,
        now,
        steps: Vec::new(),
    };
    // Every step moves on, so a plan is short; the bound only keeps a mistake from looping.
    for _ in 0..200 {
        let step = next(&foresight.rotation, &foresight.facts, foresight.now);
        if !foresight.take(step)? {
            break;
        }
    }
    Ok(foresight.steps)
}

struct Simulation {
    rotation: Rotation,
    facts: Facts,
    now: Timestamp,
    steps: Vec<Planned>,
}

impl Simulation {
    /// Plays one step with the best outcome; `false` where the plan ends.
    fn take(&mut self, step: Step) -> Result<bool, Illegal> {
        let old = self.rotation.spec.old_key.clone();
        let new = self
            .rotation
            .new_key
            .as_ref()
            .map_or_else(KeyId::to_be_made, |new| new.key.clone());
        match step {
            Step::ReadKeys { .. } => self.list(&old),
            Step::ReadDestinations => self.facts.held = Some(BTreeSet::new()),
            Step::ReadUse(key) => self.facts.uses.push(Use {
                key,
                read_at: self.now,
                last_use: LastUse::NeverSeen,
            }),
            Step::ReadRefusals { .. } => self.facts.refused = Refusals::Read(None),
            Step::Create => {
                self.effect(
                    PhaseName::Created,
                    format!("create a new key beside {old} and seal its secret"),
                    true,
                );
                let ids_before = BTreeSet::from([old]);
                self.record(Event::CreateIntended {
                    ids_before,
                    made_within: None,
                })?;
                self.record(Event::Created {
                    key: new,
                    request: None,
                })?;
            }
            Step::Mint => {
                let what = "make a new key pair on this machine and seal its private half".to_owned();
                self.plan(PhaseName::Created, "rotate", what, false, true);
                let public = PublicHalf::new(new.as_str());
                self.record(Event::Minted { key: new, public })?;
            }
            Step::Register => {
                self.effect(PhaseName::Created, format!("register {new} beside {old}"), true);
                self.facts.registered = true;
            }
            Step::Generate | Step::ReadWhich(_) | Step::Replace | Step::Revert => self.in_place(step, &old)?,
            Step::Discard { key, why } => {
                self.effect(PhaseName::Opened, format!("delete key {key}: {why}"), false);
                if !matches!(self.rotation.phase, Phase::Discarding(_)) {
                    self.record(Event::DiscardIntended { key: key.clone(), why })?;
                }
                self.record(Event::Discarded { key, request: None })?;
            }
            Step::Prove => {
                let what = format!("log in with {new}, with the permission that the consumer needs");
                self.plan(self.phase_of_proof(), "rotate", what, false, true);
                self.record(Event::Proved)?;
            }
            Step::Deliver(destinations) => {
                for destination in destinations {
                    self.deliver(&new, destination)?;
                }
            }
            Step::RunHook(hook) => {
                let what = match self.rotation.undo {
                    None => format!("run {hook}, once"),
                    Some(_) => format!("run {hook}, once more, because the old secret is back"),
                };
                self.effect(PhaseName::Delivered, what, true);
                let ran = hook.clone();
                self.record(Event::HookIntended { hook })?;
                self.record(Event::HookRan { hook: ran })?;
            }
            Step::Deactivate => {
                let what = match self.rotation.spec.retirement {
                    Retirement::Disable => format!("disable {old}, if nobody has used it since"),
                    _ => format!("remove {old}; its public half is on record, so it can be registered again"),
                };
                self.effect(PhaseName::Deactivated, what, true);
                if !matches!(self.rotation.phase, Phase::Deactivating(..)) {
                    self.record(Event::DeactivateIntended)?;
                }
                self.record(Event::Deactivated { request: None })?;
            }
            Step::Reactivate(why) => {
                self.effect(PhaseName::Deactivated, format!("enable {old} again: {why}"), true);
                if !matches!(self.rotation.phase, Phase::Reactivating(..)) {
                    self.record(Event::ReactivateIntended { why })?;
                }
                self.record(Event::Reactivated { request: None })?;
            }
            Step::Delete => {
                match self.rotation.spec.retirement {
                    Retirement::Disable | Retirement::Remove { .. } if self.rotation.rests_first() => {
                        let what = format!("delete {old}, which works until then, if nobody has used it since");
                        self.effect(PhaseName::Deleted, what, false);
                    }
                    Retirement::Disable => {
                        self.effect(
                            PhaseName::Deleted,
                            format!("delete {old}, if nobody has used it since"),
                            false,
                        );
                    }
                    // Nothing is left to remove, unless someone has put it there again, and then nothing is.
                    Retirement::Remove { .. } => {
                        let what = format!("make sure that {old} is gone; from then on it is not registered again");
                        self.plan(PhaseName::Deleted, "rotate", what, false, false);
                        self.facts.keys = None;
                    }
                    Retirement::RemoveForGood | Retirement::Replace => {
                        let what = format!("remove {old}; its public half is not known, so nothing brings it back");
                        self.effect(PhaseName::Deleted, what, false);
                    }
                }
                if !matches!(self.rotation.phase, Phase::Deleting(..)) {
                    self.record(Event::DeleteIntended)?;
                }
                self.record(Event::Deleted { request: None })?;
            }
            Step::Restore(destination) => {
                self.effect(
                    PhaseName::Aborted,
                    format!("put back what {destination} held before"),
                    true,
                );
                let outcome = Restored::PutBack;
                self.record(Event::Restored { destination, outcome })?;
            }
            Step::Withdraw => {
                self.effect(PhaseName::Aborted, format!("delete {new}"), false);
                if !matches!(self.rotation.phase, Phase::Withdrawing) {
                    self.record(Event::WithdrawIntended)?;
                }
                self.record(Event::Withdrawn { request: None })?;
            }
            Step::Record(event @ Event::Blocked { .. }) => {
                if let Event::Blocked { why } = &event {
                    self.plan(PhaseName::Blocked, "a person", why.clone(), false, true);
                }
                return Ok(false);
            }
            Step::Record(event @ Event::Listed) => {
                let what = format!("find {new} in the vendor's list; that it works is its consumer's to prove");
                self.plan(PhaseName::Verified, "rotate", what, false, true);
                self.record(event)?;
            }
            Step::Record(event) => self.record(event)?,
            Step::Wait(wait) => return self.wait(wait.on, wait.until, wait.why),
            Step::Closed => return Ok(false),
        }
        Ok(true)
    }

    fn deliver(&mut self, new: &KeyId, destination: String) -> Result<(), Illegal> {
        let gap = self.end_of_gap(&destination);
        let parsed = self.destination(&destination);
        let remark = parsed.as_ref().and_then(|parsed| parsed.remark());
        let remark = remark.map(|remark| format!("; {remark}")).unwrap_or_default();
        let what = match parsed.map(|parsed| parsed.capabilities()) {
            Some(can) if can.is_write_only() => format!(
                "send {new} to {destination}, which is write-only: its receipt is all the proof there is{remark}{gap}"
            ),
            Some(can) if can != Capabilities::READABLE => {
                format!("write {new} to {destination} ({can}), read it back and compare{gap}")
            }
            _ => format!("write {new} to {destination}, read it back and compare{gap}"),
        };
        self.effect(PhaseName::Delivered, what, true);
        self.record(Event::Delivered { destination })
    }

    /// A destination of the rotation; `None` where this program does not know it.
    fn destination(&self, destination: &str) -> Option<Box<dyn Destination>> {
        let automation = rotate_providers::automation(&self.rotation.spec.connector)?;
        delivery::parse(automation.secret, destination).ok()
    }

    /// Lets a wait end the way it should.
    fn wait(&mut self, on: Waiting, until: Option<Timestamp>, why: String) -> Result<bool, Illegal> {
        let who = match on {
            Waiting::Cutover | Waiting::Person => "a person",
            Waiting::Evidence => "the consumers",
            Waiting::Soak | Waiting::Window => "rotate",
        };
        let phase = match on {
            Waiting::Evidence if matches!(self.rotation.phase, Phase::Deactivated(..)) => PhaseName::Deactivated,
            Waiting::Cutover | Waiting::Evidence => PhaseName::CutOver,
            Waiting::Soak => PhaseName::Soaked,
            Waiting::Window => self.phase_of_window(),
            Waiting::Person => PhaseName::Blocked,
        };
        self.plan(phase, who, why, false, true);
        match on {
            Waiting::Evidence if matches!(self.rotation.phase, Phase::Deactivated(..)) => {
                let last_use = LastUse::NeverSeen;
                self.record(Event::Used { last_use })?;
            }
            Waiting::Cutover | Waiting::Evidence => {
                let by = SwitchedBy::Person("someone".to_owned());
                self.record(Event::CutOver { by })?;
            }
            Waiting::Soak | Waiting::Window => {
                self.now = until.unwrap_or(self.now);
                if let Some(last) = self.steps.last_mut() {
                    last.at = until;
                }
            }
            Waiting::Person => return Ok(false),
        }
        Ok(true)
    }

    fn phase_of_window(&self) -> PhaseName {
        match self.rotation.phase {
            Phase::Opened => PhaseName::Opened,
            Phase::Verified => PhaseName::Verified,
            Phase::CutOver(..) => PhaseName::CutOver,
            _ => PhaseName::Soaked,
        }
    }

    fn phase_of_proof(&self) -> PhaseName {
        match self.rotation.phase {
            Phase::Created | Phase::Verified => PhaseName::Verified,
            Phase::Deactivated(..) => PhaseName::Deactivated,
            Phase::Soaking(..) | Phase::Deleting(..) => PhaseName::Deleted,
            Phase::CutOver(..) if self.rotation.rests_first() => PhaseName::Deleted,
            _ => PhaseName::CutOver,
        }
    }

    /// The list as it should look: what was disabled or deleted so far, is.
    fn list(&mut self, old: &KeyId) {
        let key = |id: &KeyId, active| Key {
            id: id.clone(),
            active,
            created_at: None,
            public: None,
            delete_by_hand: String::new(),
        };
        let new = self.rotation.new_key.as_ref().map(|new| &new.key);
        let keys = match &self.rotation.phase {
            phase if self.rotation.spec.replaces() => vec![key(self.standing(phase), true)],
            Phase::Opened | Phase::Creating | Phase::Withdrawn => vec![key(old, true)],
            Phase::Deleted => new.map(|new| key(new, true)).into_iter().collect(),
            phase => {
                let off = matches!(phase, Phase::Deactivated(..) | Phase::Soaking(..) | Phase::Deleting(..));
                let listed = match self.rotation.spec.retirement {
                    _ if self.rotation.rests_first() => Some(key(old, true)),
                    Retirement::Disable => Some(key(old, !off)),
                    Retirement::Remove { .. } => (!off).then(|| key(old, true)),
                    Retirement::RemoveForGood | Retirement::Replace => Some(key(old, true)),
                };
                let registered = !matches!(phase, Phase::Minted) || self.facts.registered;
                let new = new.filter(|_| registered).map(|new| key(new, true));
                listed.into_iter().chain(new).collect()
            }
        };
        // In a plan every list agrees.
        let agreeing = u32::MAX;
        self.facts.keys = Some(Listing {
            keys,
            agreeing,
            read_at: self.now,
            vendor_time: None,
        });
    }

    fn effect(&mut self, phase: PhaseName, what: String, reversible: bool) {
        self.plan(phase, "rotate", what, true, reversible);
        self.facts.keys = None;
    }

    fn plan(&mut self, phase: PhaseName, who: &'static str, what: String, effect: bool, reversible: bool) {
        self.steps.push(Planned {
            phase,
            who: who.to_owned(),
            what,
            effect,
            reversible,
            at: None,
            guided: None,
        });
    }

    fn record(&mut self, event: Event) -> Result<(), Illegal> {
        let record = Record { at: self.now, event };
        self.rotation = Rotation::after(Some(self.rotation.clone()), &record)?;
        Ok(())
    }
}
