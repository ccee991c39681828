//! Writes down what a person does. The only changes that it makes are in the journal.

use uuid::Uuid;

use crate::driver::{DriveError, Refusal};
use crate::evidence::looks_secret;
use crate::hooks::now;
use crate::machine::{Course, Event, Itinerary, Record, Ticked};
use crate::store::{Append, Guided, Lease, Store, Stored};

/// Keeps the journal of guided rotations.
pub struct Walker<'a> {
    /// Where rotations are kept.
    pub store: &'a dyn Store,
    /// The right to write there.
    pub lease: &'a Lease,
}

impl Walker<'_> {
    /// Opens a guided rotation.
    pub async fn open(&self, target: &str, itinerary: Itinerary) -> Result<Guided, DriveError> {
        let record = Record {
            at: now(),
            event: Event::WalkOpened { itinerary },
        };
        let stored = Stored {
            id: Uuid::now_v7().to_string(),
            target: target.to_owned(),
            revision: 0,
            updated_at: record.at,
            rotation: Course::after(None, &record)?,
        };
        self.append(stored, &record).await
    }

    /// Ticks the next step, which the person names by its number or its name.
    pub async fn tick(&self, guided: Guided, step: &str, by: &str, outcome: Ticked) -> Result<Guided, DriveError> {
        let step = self.next_step(&guided, step)?;
        let by = by.to_owned();
        let event = match outcome {
            Ticked::Done { evidence } => Event::StepDone { step, by, evidence },
            Ticked::Skipped { why } => Event::StepSkipped { step, by, why },
        };
        self.record(guided, event).await
    }

    /// Gives a guided rotation up. What was done stays done.
    pub async fn abort(&self, guided: Guided, by: &str) -> Result<Guided, DriveError> {
        if guided.rotation.is_closed() {
            return Err(refused(&guided, "it has ended already"));
        }
        self.record(guided, Event::WalkAborted { by: by.to_owned() }).await
    }

    /// The step that is meant, if it is the next one.
    fn next_step(&self, guided: &Guided, named: &str) -> Result<String, DriveError> {
        let walk = &guided.rotation;
        let steps = &walk.itinerary.steps;
        let Some(next) = walk.next_step().filter(|_| !walk.aborted) else {
            return Err(refused(guided, "it has ended already"));
        };
        let by_number = named.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let meant = match by_number {
            Some(index) => steps.get(index),
            None => steps.iter().find(|step| *step == named),
        };
        let (number, all) = (walk.ticks.len() + 1, steps.len());
        match meant {
            Some(step) if step == next => Ok(step.clone()),
            Some(step) => {
                let why = match walk.ticks.iter().find(|tick| tick.step == *step) {
                    Some(tick) => format!("step {step} was ticked already, at {} by {}", tick.at, tick.by),
                    None => format!("step {step} is not next: {next} (step {number} of {all}) comes before it"),
                };
                Err(refused(guided, &why))
            }
            None => {
                let named = match looks_secret(named) {
                    Some(_) => "of this name".to_owned(),
                    None => named.escape_debug().to_string(),
                };
                let why = format!("there is no step {named}; next is {next} (step {number} of {all})");
                Err(refused(guided, &why))
            }
        }
    }

    async fn record(&self, guided: Guided, event: Event) -> Result<Guided, DriveError> {
        let record = Record { at: now(), event };
        let stored = Stored {
            id: guided.id,
            target: guided.target,
            revision: guided.revision,
            updated_at: record.at,
            rotation: Course::after(Some(guided.rotation.into()), &record)?,
        };
        self.append(stored, &record).await
    }

    async fn append(&self, mut stored: Stored, record: &Record) -> Result<Guided, DriveError> {
        let append = Append {
            id: &stored.id,
            target: &stored.target,
            follows: stored.revision,
            record,
            state: &stored.rotation.clone().into(),
            seal: None,
        };
        self.store.append(self.lease, append).await?;
        stored.revision += 1;
        match stored.sort() {
            Err(guided) => Ok(*guided),
            Ok(automated) => Err(DriveError::Refused(Refusal::not_walked(&automated.target))),
        }
    }
}

fn refused(guided: &Guided, why: &str) -> DriveError {
    DriveError::Refused(Refusal::walk(&guided.target, why))
}
