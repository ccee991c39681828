//! `rotate walk TARGET`: one open step after the other, with a person at the terminal.

use std::sync::Arc;

use clap::Args;
use rotate_providers::guide::probe::{Outcome, Verdict};
use rotate_providers::{Paces, Vendors};

use super::done::{evidence, evidence_of, find, refused, tell_unbegun, ticked};
use super::named::readable_config;
use super::rotate::story;
use super::secret::{self, NoSecret};
use super::session::{Session, locate, tell_folder};
use super::trial::Trial;
use super::way::WayArgs;
use super::{Exit, Global, process, terminal};
use crate::engine::driver::{DriveError, Interrupt};
use crate::machine::StepOutcome;
use crate::notify::Limits;
use crate::state_folder::FolderError;
use crate::store::Guided;
use crate::view::text;

/// Walk through the open steps of a guided rotation, one by one.
#[derive(Args)]
pub(super) struct Command {
    /// The target, as `rotate status` names it
    target: String,
    #[command(flatten)]
    way: WayArgs,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        if !terminal::is_attended() {
            terminal::error(
                "there is nobody to walk with: this is not a terminal",
                &[format!("tick one step at a time: rotate done {} STEP", self.target)],
            );
            return Exit::Usage;
        }
        match locate(global) {
            Ok(folder) if !folder.exists() => return tell_unbegun(global, &self.target),
            Ok(_) => {}
            Err(error) => return tell_folder(global, &error),
        }
        let interrupt = Arc::<Interrupt>::default();
        process::listen(&interrupt);
        match self.walk(global, &interrupt).await {
            Ok(Ok((guided, session))) => {
                let exit = ticked(global, &guided);
                if let Some(session) = session {
                    session.post(Limits::PERSON).await;
                }
                if interrupt.is_set() { Exit::Interrupted } else { exit }
            }
            Ok(Err(error)) => refused(global, &self.target, &error),
            Err(error) => tell_folder(global, &error),
        }
    }

    /// The journal is taken for each tick, and left to others while the person works. Gives whoever has written the last one down, and
    /// tells of it.
    async fn walk(
        &self,
        global: &Global,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Result<(Guided, Option<Session>), DriveError>, FolderError> {
        let config = readable_config(global);
        let session = || {
            Session::begin_for(
                global,
                Vendors::new(global.access(Paces::default())),
                Arc::clone(interrupt),
                config.as_ref(),
            )
        };
        let by = super::who::person();
        let mut guided = match find(global, &session().await?, &self.target).await {
            Ok(guided) => guided,
            Err(error) => return Ok(Err(error)),
        };
        // What stops on the way, and what has to be ready, is known before the first step.
        if !guided.rotation.is_closed() {
            terminal::print(&text::guided_opening(&story(global, &guided), terminal::width()));
        }
        let mut ticked: Option<Session> = None;
        while let Some(step) = guided
            .rotation
            .next_step()
            .filter(|_| !guided.rotation.is_closed())
            .cloned()
        {
            let number = guided.rotation.next_position().unwrap_or_default();
            terminal::print(&text::guided_step(&story(global, &guided), number, terminal::width()));
            // Whoever looks at a step does not wait for those who are told of the one before.
            if let Some(session) = ticked.take() {
                session.post(Limits::PERSON).await;
            }
            let Some(asked) = ask(global, &guided, &step, &self.way, interrupt).await else {
                break;
            };
            let session = session().await?;
            let outcome = match asked {
                Asked::Told(outcome) => outcome,
                Asked::Tried(mut trial, verdict) => {
                    if let Err(error) = trial.record(&session.store, &session.walker(), &verdict).await {
                        return Ok(Err(error));
                    }
                    let Some(after) = trial.walk.take() else { break };
                    guided = after;
                    if verdict.verdict != Verdict::Accepted {
                        ticked = Some(session);
                        continue;
                    }
                    // The verdict in the journal is what was noted down.
                    StepOutcome::Done { evidence: None }
                }
            };
            match session.walker().tick(guided, &step, &by, outcome).await {
                Ok(after) => guided = after,
                Err(error) => return Ok(Err(error)),
            }
            ticked = Some(session);
        }
        Ok(Ok((guided, ticked)))
    }
}

/// What a person did with a step.
enum Asked {
    /// It is done, or left out.
    Told(StepOutcome),
    /// The new credential was tried.
    Tried(Box<Trial>, Outcome),
}

/// What became of the step; `None` where the person stops.
async fn ask(global: &Global, guided: &Guided, step: &str, way: &WayArgs, interrupt: &Interrupt) -> Option<Asked> {
    let proof = guided.rotation.itinerary.proof.as_ref();
    let can_be_tried = proof.is_some_and(|proof| proof.step == step);
    let question = match can_be_tried {
        true => "Done? [y = yes, v = let rotate try the new credential, s = skip, q = stop here] ",
        false => "Done? [y = yes, s = skip, q = stop here] ",
    };
    loop {
        let answer = terminal::read(question, interrupt).await?;
        match answer.as_str() {
            "y" | "yes" => {
                let question = "What did you note down? [Enter = nothing, q = stop here] ";
                let keep = |text: &str| evidence_of(guided, Some(step), text);
                let note = note(question, true, &keep, interrupt).await?;
                return Some(Asked::Told(StepOutcome::Done {
                    evidence: (!note.is_empty()).then_some(note),
                }));
            }
            "s" | "skip" => {
                return Some(Asked::Told(StepOutcome::Skipped {
                    why: note("Why is it left out? [q = stop here] ", false, &evidence, interrupt).await?,
                }));
            }
            "v" | "verify" if can_be_tried => {
                if let Some(tried) = tried(global, guided, way, interrupt).await? {
                    return Some(tried);
                }
            }
            "q" | "quit" => return None,
            _ => {}
        }
    }
}

/// Tries the new credential; nothing inside where that was not possible, and `None` where the person stops.
async fn tried(global: &Global, guided: &Guided, way: &WayArgs, interrupt: &Interrupt) -> Option<Option<Asked>> {
    let Some(mut trial) = Trial::of_walk(guided) else {
        return Some(None);
    };
    for name in trial.missing() {
        let question = format!("--{} [q = stop here] ", name.replace('_', "-"));
        let text = terminal::read(&question, interrupt).await.filter(|text| text != "q")?;
        match trial.takes(&name, &text) {
            true => trial.add(&name, &text),
            false => {
                terminal::note("it does not have the form that the guide asks for, and nothing was sent");
                return Some(None);
            }
        }
    }
    let secret = match secret::read(None, &trial.question(), trial.has_lines(), interrupt).await {
        Ok(secret) => secret,
        Err(NoSecret::Stopped) => return None,
        Err(NoSecret::Unread(why)) => {
            terminal::note(&why);
            return Some(None);
        }
    };
    if let Some(flaw) = trial.flaw(&secret) {
        terminal::note(&format!("the secret: {flaw}; nothing was sent"));
        return Some(None);
    }
    let network = way.network(&trial.network, &global.allowed);
    let outcome = tokio::select! {
        outcome = trial.run(&secret, &network) => outcome,
        () = interrupt.wait() => return None,
    };
    terminal::note(&format!(
        "{} ({}): {}",
        outcome.verdict.name(),
        outcome.class,
        outcome.reason
    ));
    Some(Some(Asked::Tried(Box::new(trial), outcome)))
}

/// A note; `None` where the person stops. An answer that was meant for the question before is no note.
async fn note(
    question: &str,
    may_be_empty: bool,
    keep: &(dyn Fn(&str) -> Result<String, String> + Sync),
    interrupt: &Interrupt,
) -> Option<String> {
    loop {
        let text = terminal::read(question, interrupt).await?;
        match text.to_ascii_lowercase().as_str() {
            "" if may_be_empty => return Some(text),
            "q" | "quit" => return None,
            "y" | "yes" | "n" | "no" | "s" | "skip" | "done" | "ok" => {
                terminal::note(&format!(
                    "{text} is an answer and no note: name what you saw, where and when"
                ));
                continue;
            }
            _ => {}
        }
        match keep(&text) {
            Ok(text) => return Some(text),
            Err(why) => terminal::note(&why),
        }
    }
}
