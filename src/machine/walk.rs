//! The life of a guided rotation: a person takes the steps, and the journal keeps each with its evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;
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

    /// Its state, in errors and reports.
    pub fn phase_name(&self) -> &'static str {
        match (self.aborted, self.is_closed()) {
            (true, _) => "aborted",
            (false, true) => "done",
            (false, false) => "guided",
        }
    }
}
