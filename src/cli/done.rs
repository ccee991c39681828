//! `rotate done TARGET STEP`: a person has taken a step of a guided rotation.

use clap::Args;
use rotate_providers::guide::Form;
use rotate_providers::untrusted::is_harmful;

use super::named::{readable_config, resolve, unknown};
use super::pasted::left_out;
use super::rotate::{ending, story};
use super::session::{Session, locate, show, speaker, tell, tell_folder};
use super::{Exit, Global, terminal};
use crate::engine::driver::{DriveError, Refusal};
use crate::machine::{GuidedRotation, StepOutcome};
use crate::notify::Limits;
use crate::plan::procedure_of;
use crate::secret_scan::{self, looks_secret};
use crate::store::{Guided, Sorted, Store, Stored};
use crate::view::{Detail, TargetView};

/// Mark a step of a guided rotation as done or skipped.
///
/// Evidence can be added later: `--evidence` on a step that is done is kept beside what was noted before. `rotate undo` takes a
/// tick back.
#[derive(Args)]
pub(super) struct Command {
    /// The target, as `rotate status` names it
    target: String,
    /// The step: its number or its name
    #[arg(required_unless_present = "skip")]
    step: Option<String>,
    /// What you noted down: names, times, public ids. Never a secret: it is kept in the clear
    #[arg(long, conflicts_with = "skip", allow_hyphen_values = true)]
    evidence: Option<String>,
    /// Leave this step out
    #[arg(long, value_name = "STEP", requires = "why", conflicts_with = "step")]
    skip: Option<String>,
    /// Why it is left out
    #[arg(long, conflicts_with = "step", allow_hyphen_values = true)]
    why: Option<String>,
}

impl Command {
    pub(super) async fn run(mut self, global: &Global) -> Exit {
        match note("--why", self.why.as_deref(), "nothing was ticked") {
            Ok(why) => self.why = why,
            Err(exit) => return exit,
        }
        let session = match begun(global, &self.target).await {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let guided = match find(global, &session, &self.target).await {
            Ok(guided) => guided,
            Err(error) => return refused(global, &self.target, &error),
        };
        if let Some(text) = &self.evidence {
            match evidence_of(&guided, self.step.as_deref(), text) {
                Ok(kept) => self.evidence = Some(kept),
                Err(why) => {
                    terminal::error(&format!("--evidence: {why}"), &["nothing was ticked".to_owned()]);
                    return Exit::Usage;
                }
            }
        }
        match self.tick(&session, guided).await {
            Ok(guided) => {
                let exit = ticked(global, &guided);
                session.post(Limits::PERSON).await;
                exit
            }
            Err(error) => refused(global, &self.target, &error),
        }
    }

    async fn tick(&self, session: &Session, guided: Guided) -> Result<Guided, DriveError> {
        if let (Some(evidence), Some(step)) = (&self.evidence, &self.step)
            && guided.rotation.is_ticked(step)
        {
            let by = super::who::person();
            return session.walker().add_evidence(guided, step, &by, evidence).await;
        }
        let (step, outcome) = match (&self.skip, &self.step) {
            (Some(step), _) => (
                step,
                StepOutcome::Skipped {
                    why: self.why.clone().unwrap_or_default(),
                },
            ),
            (None, Some(step)) => (
                step,
                StepOutcome::Done {
                    evidence: self.evidence.clone(),
                },
            ),
            // The command line asks for one of the two.
            (None, None) => return Err(DriveError::Refused(Refusal::walk(&self.target, "no step is named"))),
        };
        session
            .walker()
            .tick(guided, step, &super::who::person(), outcome)
            .await
    }
}

/// Shows what is next.
pub(super) fn ticked(global: &Global, guided: &Guided) -> Exit {
    if let Some(end) = ending(&guided.rotation) {
        terminal::note(&format!("{}: {end}", guided.target));
    }
    if let Some(residue) = residue(&guided.rotation) {
        terminal::note(&format!("{}: still works for a while: {residue}", guided.target));
    }
    show(global, &[story(global, guided).in_detail(Detail::NextStep)]);
    Exit::Ok
}

/// What works on although the old credential has gone, where the last thing said is that it has.
fn residue(walk: &GuidedRotation) -> Option<String> {
    let last = walk.ticks.last().filter(|tick| tick.is_taken())?;
    let (guide, procedure) = procedure_of(&walk.itinerary)?;
    let step = guide.steps(procedure).iter().find(|step| step.id == last.step)?;
    let values = guide.with_defaults(&walk.itinerary.values);
    let residue = guide.negative.residue_for(&values).to_owned();
    step.phase.revokes().then_some(residue)
}

/// Tells why nothing was ticked; programs get their document all the same.
pub(super) fn refused(global: &Global, target: &str, error: &DriveError) -> Exit {
    tell(&speaker(global), target, error, None);
    let mut report = TargetView::unopened(&left_out(target));
    report.fail(error);
    show(global, &[report]);
    Exit::of_error(error)
}

/// A note of the command line, which may be kept; where it may not, that is told, with what was left undone. The parser of the
/// command line would print what it refuses.
pub(super) fn note(option: &str, text: Option<&str>, undone: &str) -> Result<Option<String>, Exit> {
    text.map(evidence).transpose().map_err(|why| {
        terminal::error(&format!("{option}: {why}"), &[undone.to_owned()]);
        Exit::Usage
    })
}

/// The journal, where there is one: of a target that was never begun it is told how that is done.
pub(super) async fn begun(global: &Global, target: &str) -> Result<Session, Exit> {
    match locate(global) {
        Ok(folder) if !folder.exists() => return Err(tell_unbegun(global, target)),
        Ok(_) => {}
        Err(error) => return Err(tell_folder(global, &error)),
    }
    Session::begin(global)
        .await
        .map_err(|error| tell_folder(global, &error))
}

/// The guided rotation that is meant.
pub(super) async fn find(global: &Global, session: &Session, target: &str) -> Result<Guided, DriveError> {
    let config = readable_config(global);
    let name = resolve(&session.store, config.as_ref(), target).await?;
    match session.store.latest(&name).await?.map(Stored::sort) {
        Some(Sorted::Guided(guided)) => Ok(*guided),
        Some(Sorted::Automated(automated)) => Err(DriveError::Refused(Refusal::not_walked(&automated.target))),
        None => Err(DriveError::Refused(unknown(config.as_ref(), target))),
    }
}

/// Tells that nothing was begun yet, and how it is.
pub(super) fn tell_unbegun(global: &Global, target: &str) -> Exit {
    let refusal = unknown(readable_config(global).as_ref(), target);
    refused(global, target, &DriveError::Refused(refusal))
}

/// A note that may be kept.
pub(super) fn evidence(text: &str) -> Result<String, String> {
    one_line(text, LONGEST)?;
    match looks_secret(text) {
        Some(why) => Err(format!("it was not kept: {why}")),
        None => Ok(text.trim().to_owned()),
    }
}

/// A note about a step, named by its number or its name, that may be kept: in the form that the guide asks for.
pub(super) fn evidence_of(guided: &Guided, step: Option<&str>, text: &str) -> Result<String, String> {
    let walk = &guided.rotation;
    let itinerary = &walk.itinerary;
    let guide = procedure_of(itinerary);
    let named = step.and_then(|named| walk.step_named(named));
    let found = guide.as_ref().zip(named).and_then(|((guide, procedure), id)| {
        let step = guide.steps(*procedure).iter().find(|step| step.id == *id)?;
        Some((guide, step))
    });
    let Some((guide, step)) = found else {
        return evidence(text);
    };
    one_line(
        text,
        if step.form == Form::PublicKey {
            LONGEST_KEYS
        } else {
            LONGEST
        },
    )?;
    match secret_scan::refused(text, step, &secret_scan::words_of(guide, &itinerary.values)) {
        Some(why) => Err(why),
        None => Ok(text.trim().to_owned()),
    }
}

const LONGEST: usize = 500;
/// Two public keys of 4096 bits, with their names.
const LONGEST_KEYS: usize = 2_000;

fn one_line(text: &str, longest: usize) -> Result<(), String> {
    if text.chars().any(is_harmful) {
        return Err("write it on one line, without invisible letters".to_owned());
    }
    if text.chars().count() > longest {
        return Err(format!("keep it short: at most {longest} characters"));
    }
    match text.trim().is_empty() {
        true => Err("say something, or leave it out".to_owned()),
        false => Ok(()),
    }
}
