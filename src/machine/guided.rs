//! The life of a guided rotation: a person takes the steps, and the journal keeps each with its evidence.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::PhaseName;
use rotate_providers::guide::probe::{Verdict, Which};
use rotate_providers::guide::{Guide, Procedure, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Illegal, Record, Tried};

/// What is fixed when a guided rotation is opened.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuidedSpec {
    /// The connector's id.
    pub connector: String,
    /// Which of its procedures.
    pub procedure: String,
    /// What the person told of the target.
    pub values: BTreeMap<String, String>,
    /// The steps of the procedure, in order, as they were on that day.
    pub steps: Vec<String>,
    /// Steps that make, deliver and prove the new credential, in groups: unless one of each was taken, nothing was
    /// rotated. Empty where nothing is, and in journals that were written before this was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub essential: Vec<Vec<String>>,
    /// How long it may take before it is overdue, in seconds.
    pub allowance_seconds: u64,
    /// What has to be seen before the old credential may go, where the new one can be tried. Absent where it cannot, and in
    /// journals that were written before it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// What has to be seen before the old credential may go.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The step in which the new credential is tried. Who leaves it out says why, and that counts as well.
    pub step: String,
    /// The steps that stay shut until then.
    pub opens: Vec<String>,
}

/// One try of a credential that the vendor answered.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Try {
    /// Which credential.
    pub credential: Tried,
    /// What the vendor said.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
}

/// One passage of a person through a guide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuidedRotation {
    /// What was fixed at its opening.
    pub itinerary: GuidedSpec,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The steps that are done or skipped, in the order of their ticks.
    pub ticks: Vec<StepRecord>,
    /// Set once it was given up.
    pub aborted: bool,
    /// The last try of each credential to which the vendor said yes or no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
}

/// One step that is done or skipped.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct StepRecord {
    /// Which.
    pub step: String,
    /// When.
    pub at: Timestamp,
    /// Whose word it is.
    pub by: String,
    /// Whether it was taken.
    pub outcome: StepOutcome,
    /// What was noted down later, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Note>,
}

/// Evidence that was added to a step after its tick.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Whose word it is.
    pub by: String,
    /// What was noted down.
    pub evidence: String,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// Taken.
    Done {
        /// What was noted down.
        evidence: Option<String>,
    },
    /// Left out.
    Skipped {
        /// Why.
        why: String,
    },
}

impl GuidedSpec {
    /// The way of a rotation by this guide.
    pub fn of(
        connector: &str,
        guide: &Guide,
        procedure: Procedure,
        values: &BTreeMap<String, String>,
        allowance_seconds: u64,
    ) -> Self {
        Self {
            connector: connector.to_owned(),
            procedure: procedure.name().to_owned(),
            values: values.clone(),
            steps: guide
                .steps_for(procedure, values)
                .iter()
                .map(|step| step.id.clone())
                .collect(),
            essential: match procedure {
                Procedure::Rotate => essential(&guide.steps_for(procedure, values)),
                Procedure::Disconnect | Procedure::Reconnect => Vec::new(),
            },
            allowance_seconds,
            proof: proof(guide, procedure, values),
        }
    }
}

/// Where the new credential of this rotation can be tried, and what waits for that.
fn proof(guide: &Guide, procedure: Procedure, values: &BTreeMap<String, String>) -> Option<Proof> {
    let probe = guide.probe.as_ref().filter(|_| procedure == Procedure::Rotate)?;
    let probe = probe.fitting(&guide.with_defaults(values), Some(Which::New))?;
    let steps = guide.steps_for(procedure, values);
    let is_meant = |step: &&&Step| match &probe.step {
        Some(named) => step.id == *named,
        None => step.phase == PhaseName::Verified,
    };
    let step = steps.iter().find(is_meant)?.id.clone();
    let opens = steps.iter().filter(|step| step.phase.revokes());
    Some(Proof {
        step,
        opens: opens.map(|step| step.id.clone()).collect(),
    })
}

/// Of a rotation by this guide, the steps without which nothing is rotated, by phase.
fn essential(steps: &[&Step]) -> Vec<Vec<String>> {
    let groups = [PhaseName::Created, PhaseName::Delivered, PhaseName::CutOver].map(|phase| {
        let steps = steps.iter().filter(|step| step.phase == phase);
        // To put a secret into a vault is not to make it, nor to deliver it.
        let steps = steps.filter(|step| step.changes() || phase == PhaseName::CutOver);
        steps.map(|step| step.id.clone()).collect::<Vec<_>>()
    });
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

impl StepRecord {
    /// Whether the step was taken, and not left out.
    pub fn is_taken(&self) -> bool {
        matches!(self.outcome, StepOutcome::Done { .. })
    }

    /// Whether this is noted down of it already.
    pub fn has(&self, note: &str) -> bool {
        let first = matches!(&self.outcome, StepOutcome::Done { evidence: Some(evidence) } if evidence == note);
        first || self.added.iter().any(|added| added.evidence == note)
    }
}

impl GuidedRotation {
    /// What a guided rotation is after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::WalkOpened { itinerary, .. }) => Ok(Self {
                itinerary: itinerary.clone(),
                opened_at: record.at,
                ticks: Vec::new(),
                aborted: false,
                tries: Vec::new(),
            }),
            (Some(walk), _) => walk.apply(record),
            (None, event) => Err(Illegal {
                event: event.name(),
                phase: "idle",
            }),
        }
    }

    fn apply(mut self, record: &Record) -> Result<Self, Illegal> {
        let illegal = Illegal {
            event: record.event.name(),
            phase: self.ended().map_or("guided", PhaseName::name),
        };
        // What was given up stays as it was left.
        if self.aborted {
            return Err(illegal);
        }
        let at = record.at;
        match &record.event {
            Event::StepDone { step, .. } if self.is_shut(step) => Err(illegal),
            Event::StepDone { step, by, evidence } => {
                let evidence = evidence.clone();
                self.tick_next(step, at, by, StepOutcome::Done { evidence })
                    .ok_or(illegal)
            }
            Event::StepSkipped { step, by, why } => {
                let why = why.clone();
                self.tick_next(step, at, by, StepOutcome::Skipped { why })
                    .ok_or(illegal)
            }
            // Also of the last one: then the end has not come after all.
            Event::StepUndone { step, .. } if self.tick_of(step).is_some() => {
                self.ticks.retain(|tick| tick.step != *step);
                // Another credential may be made now, of which nobody has said anything.
                if !self.has_new() {
                    self.tries.retain(|it| it.credential != Tried::New);
                }
                Ok(self)
            }
            Event::EvidenceAdded { step, by, evidence } => {
                let mut taken = self.ticks.iter_mut().filter(|tick| tick.is_taken());
                let tick = taken.find(|tick| tick.step == *step).ok_or(illegal)?;
                tick.added.push(Note {
                    at,
                    by: by.clone(),
                    evidence: evidence.clone(),
                });
                Ok(self)
            }
            // Also after the last step: the old credential is tried then.
            Event::Tried {
                credential, verdict, ..
            } => {
                if *verdict != Verdict::Inconclusive && (*credential != Tried::New || self.has_new()) {
                    self.tries.retain(|before| before.credential != *credential);
                    self.tries.push(Try {
                        credential: *credential,
                        verdict: *verdict,
                        at,
                    });
                }
                Ok(self)
            }
            Event::WalkAborted { .. } if !self.is_closed() => {
                self.aborted = true;
                Ok(self)
            }
            _ => Err(illegal),
        }
    }

    /// In order, and each once.
    fn tick_next(mut self, step: &str, at: Timestamp, by: &str, outcome: StepOutcome) -> Option<Self> {
        if self.next_step()? != step {
            return None;
        }
        self.ticks.push(StepRecord {
            step: step.to_owned(),
            at,
            by: by.to_owned(),
            outcome,
            added: Vec::new(),
        });
        Some(self)
    }

    /// What became of this step; `None` while it is open.
    pub fn tick_of(&self, step: &str) -> Option<&StepRecord> {
        self.ticks.iter().find(|tick| tick.step == step)
    }

    /// Whether this step waits until the vendor has accepted the new credential, or somebody has said why nobody asks.
    pub fn is_shut(&self, step: &str) -> bool {
        let Some(proof) = self
            .itinerary
            .proof
            .as_ref()
            .filter(|proof| proof.opens.iter().any(|it| it == step))
        else {
            return false;
        };
        let left_out = self.tick_of(&proof.step).filter(|tick| !tick.is_taken());
        match self.tries.iter().find(|it| it.credential == Tried::New) {
            Some(said) if said.verdict == Verdict::Accepted => false,
            // Whoever leaves it out after the refusal knows of it, and says why.
            Some(said) => left_out.is_none_or(|tick| tick.at < said.at),
            None => left_out.is_none(),
        }
    }

    /// Whether all is done that comes before the proof: earlier there is no new credential to try.
    pub fn has_new(&self) -> bool {
        self.itinerary.proof.as_ref().is_none_or(|proof| {
            let before = self.itinerary.steps.iter().take_while(|step| **step != proof.step);
            before.into_iter().all(|step| self.tick_of(step).is_some())
        })
    }

    /// What the vendor said last of a credential.
    pub fn said_of(&self, credential: Tried) -> Option<Verdict> {
        let last = self.tries.iter().find(|it| it.credential == credential)?;
        Some(last.verdict)
    }

    /// The step of this number or name.
    pub fn step_named(&self, named: &str) -> Option<&String> {
        let steps = &self.itinerary.steps;
        match named.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
            Some(index) => steps.get(index),
            None => steps.iter().find(|step| *step == named),
        }
    }

    /// Whether the step of this number or name is done or skipped.
    pub fn is_ticked(&self, named: &str) -> bool {
        self.step_named(named).is_some_and(|step| self.tick_of(step).is_some())
    }

    /// The first step that is neither done nor skipped.
    pub fn next_step(&self) -> Option<&String> {
        self.next_position().and_then(|at| self.itinerary.steps.get(at))
    }

    /// Its position among all steps.
    pub fn next_position(&self) -> Option<usize> {
        let steps = &self.itinerary.steps;
        steps.iter().position(|step| self.tick_of(step).is_none())
    }

    /// How many steps are done, and how many are skipped: `8 of 10 steps are done, 1 skipped`.
    pub fn progress(&self) -> String {
        let all = self.itinerary.steps.len();
        let done = self.ticks.iter().filter(|tick| tick.is_taken()).count();
        match self.ticks.len() - done {
            0 => format!("{done} of {all} steps are done"),
            skipped => format!("{done} of {all} steps are done, {skipped} skipped"),
        }
    }

    /// Whether nothing is left to do.
    pub fn is_closed(&self) -> bool {
        self.aborted || self.next_position().is_none()
    }

    /// Whether every step is done or skipped.
    pub fn is_done(&self) -> bool {
        !self.aborted && self.is_closed()
    }

    /// When the credential was rotated, where this was the way: on the day on which the last step was ticked. Where the
    /// steps that matter were left out, the walk has ended, and nothing was rotated.
    pub fn rotated_at(&self) -> Option<Timestamp> {
        let taken: Vec<&StepRecord> = self.ticks.iter().filter(|tick| tick.is_taken()).collect();
        let has_one = |group: &Vec<String>| taken.iter().any(|tick| group.contains(&tick.step));
        let rotates = self.rotates() && self.is_done();
        let rotated = rotates && !taken.is_empty() && self.itinerary.essential.iter().all(has_one);
        self.ticks.last().filter(|_| rotated).map(|tick| tick.at)
    }

    /// Whether it is the way of a rotation, and not of a disconnection or reconnection.
    pub fn rotates(&self) -> bool {
        self.itinerary.procedure == Procedure::Rotate.name()
    }

    /// When a person should have walked to the end.
    pub fn overdue_at(&self) -> Timestamp {
        let allowance = i64::try_from(self.itinerary.allowance_seconds).unwrap_or(i64::MAX);
        let later = self.opened_at.checked_add(SignedDuration::from_secs(allowance));
        later.unwrap_or(Timestamp::MAX)
    }

    /// How it has ended; `None` while a step is open.
    pub fn ended(&self) -> Option<PhaseName> {
        match (self.aborted, self.is_closed()) {
            (true, _) => Some(PhaseName::Aborted),
            (false, true) => Some(PhaseName::Done),
            (false, false) => None,
        }
    }
}
