//! The life of a guided rotation: a person takes the steps, and the journal keeps each with its evidence.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::guide::{Guide, Phase, Procedure};
use serde::{Deserialize, Serialize};

use super::{Event, Illegal, Record};

/// What is fixed when a guided rotation is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Itinerary {
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
}

/// One passage of a person through a guide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// What was fixed at its opening.
    pub itinerary: Itinerary,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The steps that were taken or skipped, in order.
    pub ticks: Vec<Tick>,
    /// Set once it was given up.
    pub aborted: bool,
}

/// One step that is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Which.
    pub step: String,
    /// When.
    pub at: Timestamp,
    /// Whose word it is.
    pub by: String,
    /// Whether it was taken.
    pub outcome: Ticked,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ticked {
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

impl Itinerary {
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
            steps: guide.steps(procedure).iter().map(|step| step.id.clone()).collect(),
            essential: match procedure {
                Procedure::Rotate => essential(guide),
                Procedure::Disconnect | Procedure::Reconnect => Vec::new(),
            },
            allowance_seconds,
        }
    }
}

/// Of a rotation by this guide, the steps without which nothing is rotated, by phase.
fn essential(guide: &Guide) -> Vec<Vec<String>> {
    let groups = [Phase::Created, Phase::Delivered, Phase::CutOver].map(|phase| {
        let steps = guide.rotate.iter().filter(|step| step.phase == phase);
        // To put a secret into a vault is not to make it, nor to deliver it.
        let steps = steps.filter(|step| step.changes() || phase == Phase::CutOver);
        steps.map(|step| step.id.clone()).collect::<Vec<_>>()
    });
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

impl Tick {
    /// Whether the step was taken, and not left out.
    fn is_taken(&self) -> bool {
        matches!(self.outcome, Ticked::Done { .. })
    }
}

impl Walk {
    pub(super) fn open(itinerary: &Itinerary, at: Timestamp) -> Self {
        Self {
            itinerary: itinerary.clone(),
            opened_at: at,
            ticks: Vec::new(),
            aborted: false,
        }
    }

    pub(super) fn after(mut self, record: &Record) -> Result<Self, Illegal> {
        let illegal = Illegal {
            event: record.event.name(),
            phase: self.phase_name(),
        };
        if self.is_closed() {
            return Err(illegal);
        }
        let (step, by, outcome) = match &record.event {
            Event::StepDone { step, by, evidence } => {
                let evidence = evidence.clone();
                (step, by, Ticked::Done { evidence })
            }
            Event::StepSkipped { step, by, why } => (step, by, Ticked::Skipped { why: why.clone() }),
            Event::WalkAborted { .. } => {
                self.aborted = true;
                return Ok(self);
            }
            _ => return Err(illegal),
        };
        // In order, and each once.
        if self.next_step() != Some(step) {
            return Err(illegal);
        }
        self.ticks.push(Tick {
            step: step.clone(),
            at: record.at,
            by: by.clone(),
            outcome,
        });
        Ok(self)
    }

    /// The first step that is neither taken nor skipped.
    pub fn next_step(&self) -> Option<&String> {
        self.itinerary.steps.get(self.ticks.len())
    }

    /// Whether nothing is left to do.
    pub fn is_closed(&self) -> bool {
        self.aborted || self.ticks.len() >= self.itinerary.steps.len()
    }

    /// Whether every step is behind.
    pub fn is_done(&self) -> bool {
        !self.aborted && self.is_closed()
    }

    /// When the credential was rotated, where this was the way: on the day on which the last step was ticked. Where the
    /// steps that matter were left out, the walk has ended, and nothing was rotated.
    pub fn rotated_at(&self) -> Option<Timestamp> {
        let taken: Vec<&Tick> = self.ticks.iter().filter(|tick| tick.is_taken()).collect();
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

    /// Its state, in errors and reports.
    pub fn phase_name(&self) -> &'static str {
        match (self.aborted, self.is_closed()) {
            (true, _) => "aborted",
            (false, true) => "done",
            (false, false) => "guided",
        }
    }
}
