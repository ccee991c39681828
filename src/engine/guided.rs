//! Writes down what a person does. The only changes that it makes are in the journal.

use rotate_providers::guide::probe::Verdict;

use crate::engine::driver::{DriveError, Refusal};
use crate::engine::journal::Journal;
use crate::machine::{Begun, Event, GuidedSpec, StepOutcome, Tried};
use crate::secret_scan::looks_secret;
use crate::store::Guided;

/// Keeps the journal of guided rotations.
pub struct GuidedJournal<'a>(pub Journal<'a>);

impl GuidedJournal<'_> {
    /// Opens a guided rotation.
    pub async fn open(&self, target: &str, itinerary: GuidedSpec, begun: Begun) -> Result<Guided, DriveError> {
        let begun = Some(begun);
        self.0.open(target, Event::WalkOpened { itinerary, begun }).await
    }

    /// Ticks the next step, which the person names by its number or its name.
    pub async fn tick(&self, guided: Guided, step: &str, by: &str, outcome: StepOutcome) -> Result<Guided, DriveError> {
        let step = next_step(&guided, step)?;
        if matches!(outcome, StepOutcome::Done { .. }) && guided.rotation.is_shut(&step) {
            return Err(shut(&guided, &step));
        }
        let by = by.to_owned();
        let event = match outcome {
            StepOutcome::Done { evidence } => Event::StepDone { step, by, evidence },
            StepOutcome::Skipped { why } => Event::StepSkipped { step, by, why },
        };
        self.record(guided, event).await
    }

    /// Adds evidence to a step that is done. A repeat adds nothing.
    pub async fn add_evidence(
        &self,
        guided: Guided,
        step: &str,
        by: &str,
        evidence: &str,
    ) -> Result<Guided, DriveError> {
        let step = any_step(&guided, step)?;
        let walk = &guided.rotation;
        match walk.tick_of(&step) {
            Some(tick) if !walk.aborted && tick.has(evidence) => Ok(guided),
            Some(tick) if !walk.aborted && tick.is_taken() => {
                let (by, evidence) = (by.to_owned(), evidence.to_owned());
                self.record(guided, Event::EvidenceAdded { step, by, evidence }).await
            }
            Some(_) if walk.aborted => Err(refused(&guided, GIVEN_UP)),
            Some(tick) => {
                let why = format!(
                    "step {step} was skipped, at {} by {}: there is no evidence of it",
                    tick.at, tick.by
                );
                Err(refused_with(
                    &guided,
                    &why,
                    &[
                        "take that back first:",
                        &format!("rotate undo {} {step}", guided.target),
                    ],
                ))
            }
            None => Err(refused(&guided, &format!("step {step} is open: it is not done yet"))),
        }
    }

    /// Takes a tick back: the step is open again, and a rotation that had ended with it is open as well.
    pub async fn undo(&self, guided: Guided, step: &str, by: &str, why: Option<String>) -> Result<Guided, DriveError> {
        let step = any_step(&guided, step)?;
        if guided.rotation.aborted {
            return Err(refused(&guided, GIVEN_UP));
        }
        if guided.rotation.tick_of(&step).is_none() {
            let why = format!("step {step} is open: there is no tick to take back");
            return Err(refused(&guided, &why));
        }
        let by = by.to_owned();
        self.record(guided, Event::StepUndone { step, by, why }).await
    }

    /// Writes down what the vendor said to a credential of it.
    pub async fn tried(
        &self,
        guided: Guided,
        credential: Tried,
        verdict: Verdict,
        class: &str,
        by: &str,
    ) -> Result<Guided, DriveError> {
        let (class, by) = (class.to_owned(), by.to_owned());
        let event = Event::Tried {
            credential,
            verdict,
            class,
            by,
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

    async fn record(&self, guided: Guided, event: Event) -> Result<Guided, DriveError> {
        self.0.append(&guided, event, None).await
    }
}

/// Why nothing of it changes any more.
const GIVEN_UP: &str = "it was given up, and stays as it was left";

/// The step that is meant, if it is the next one.
fn next_step(guided: &Guided, named: &str) -> Result<String, DriveError> {
    let walk = &guided.rotation;
    let Some((next, position)) = walk.next_step().zip(walk.next_position()).filter(|_| !walk.aborted) else {
        return Err(refused(guided, "it has ended already"));
    };
    let step = any_step(guided, named)?;
    if step == *next {
        return Ok(step);
    }
    Err(match walk.tick_of(&step) {
        Some(tick) => {
            let what = if tick.is_taken() { "done" } else { "skipped" };
            let why = format!(
                "step {step} was ticked already, as {what}, at {} by {}",
                tick.at, tick.by
            );
            let back = format!("rotate undo {} {step}", guided.target);
            refused_with(guided, &why, &["to take that back:", &back])
        }
        None => {
            let (number, all) = (position + 1, walk.itinerary.steps.len());
            let why = format!("step {step} is not next: {next} (step {number} of {all}) comes before it");
            refused(guided, &why)
        }
    })
}

/// Why the old credential stays, and what opens the step in which it goes.
fn shut(guided: &Guided, step: &str) -> DriveError {
    let (target, walk) = (&guided.target, &guided.rotation);
    let proof = walk
        .itinerary
        .proof
        .as_ref()
        .map(|proof| proof.step.as_str())
        .unwrap_or_default();
    let why = match walk.said_of(Tried::New) {
        Some(Verdict::Rejected) => {
            format!("step {step} is shut: the vendor has refused the new credential, so the old one stays")
        }
        _ => format!("step {step} is shut: nobody has seen the vendor accept the new credential, so the old one stays"),
    };
    refused_with(
        guided,
        &why,
        &[
            "try the new credential:",
            &format!("rotate verify {target}"),
            &format!("or, where that cannot be, say why step {proof} is left out:"),
            &format!("rotate undo {target} {proof}"),
            &format!("rotate done {target} --skip {proof} --why WHY"),
        ],
    )
}

/// The step that is named, by its number or its name.
fn any_step(guided: &Guided, named: &str) -> Result<String, DriveError> {
    let walk = &guided.rotation;
    walk.step_named(named).cloned().ok_or_else(|| {
        let named = match looks_secret(named) {
            Some(_) => "of this name".to_owned(),
            None => named.escape_debug().to_string(),
        };
        let all = walk.itinerary.steps.len();
        let next = walk.next_step().zip(walk.next_position());
        let next = next.map(|(next, position)| format!("; next is {next} (step {} of {all})", position + 1));
        refused(guided, &format!("there is no step {named}{}", next.unwrap_or_default()))
    })
}

fn refused(guided: &Guided, why: &str) -> DriveError {
    DriveError::Refused(Refusal::walk(&guided.target, why))
}

fn refused_with(guided: &Guided, why: &str, remedy: &[&str]) -> DriveError {
    let refusal = Refusal::walk(&guided.target, why);
    let refusal = remedy.iter().fold(refusal, |refusal, line| refusal.with(*line));
    DriveError::Refused(refusal)
}
