//! `rotate walk TARGET`: one open step after the other, with a person at the terminal.

use std::sync::Arc;

use clap::Args;
use rotate_providers::{Paces, Vendors};

use super::done::{evidence, evidence_of, find, refused, tell_unbegun, ticked};
use super::rotate::story;
use super::session::{Session, locate, tell_folder};
use super::{Exit, Global, process, terminal};
use crate::engine::driver::{DriveError, Interrupt};
use crate::machine::Ticked;
use crate::state_folder::FolderError;
use crate::store::Guided;
use crate::view::text;

/// Walk through the open steps of a guided rotation, one by one.
#[derive(Args)]
pub(super) struct Command {
    /// The target, as `rotate status` names it
    target: String,
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
            Ok(Ok(guided)) => match ticked(global, &guided) {
                _ if interrupt.is_set() => Exit::Interrupted,
                exit => exit,
            },
            Ok(Err(error)) => refused(global, &self.target, &error),
            Err(error) => tell_folder(global, &error),
        }
    }

    /// The journal is taken for each tick, and left to others while the person works.
    async fn walk(
        &self,
        global: &Global,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Result<Guided, DriveError>, FolderError> {
        let session = || {
            Session::begin_for(
                global,
                Vendors::new(global.access(Paces::default())),
                Arc::clone(interrupt),
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
        while let Some(step) = guided
            .rotation
            .next_step()
            .filter(|_| !guided.rotation.is_closed())
            .cloned()
        {
            let number = guided.rotation.next_position().unwrap_or_default();
            terminal::print(&text::guided_step(&story(global, &guided), number, terminal::width()));
            let Some(outcome) = ask(&guided, &step, interrupt).await else {
                break;
            };
            let session = session().await?;
            match session.walker().tick(guided, &step, &by, outcome).await {
                Ok(after) => guided = after,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(guided))
    }
}

/// What became of the step; `None` where the person stops.
async fn ask(guided: &Guided, step: &str, interrupt: &Interrupt) -> Option<Ticked> {
    loop {
        let answer = terminal::read("Done? [y = yes, s = skip, q = stop here] ", interrupt).await?;
        match answer.as_str() {
            "y" | "yes" => {
                let question = "What did you note down? [Enter = nothing, q = stop here] ";
                let keep = |text: &str| evidence_of(guided, Some(step), text);
                let note = note(question, true, &keep, interrupt).await?;
                return Some(Ticked::Done {
                    evidence: (!note.is_empty()).then_some(note),
                });
            }
            "s" | "skip" => {
                return Some(Ticked::Skipped {
                    why: note("Why is it left out? [q = stop here] ", false, &evidence, interrupt).await?,
                });
            }
            "q" | "quit" => return None,
            _ => {}
        }
    }
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
