//! `rotate walk TARGET`: one open step after the other, with a person at the terminal.

use clap::Args;

use super::done::{evidence, find, refused, ticked};
use super::guided::story;
use super::session::{Session, locate, tell_folder, tell_unknown};
use super::{Exit, Global, terminal};
use crate::driver::DriveError;
use crate::machine::Ticked;
use crate::render::text;
use crate::store::Guided;

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
            Ok(folder) if !folder.exists() => return tell_unknown(global, &self.target),
            Ok(_) => {}
            Err(error) => return tell_folder(global, &error),
        }
        let session = match Session::begin(global).await {
            Ok(session) => session,
            Err(error) => return tell_folder(global, &error),
        };
        match self.walk(global, &session).await {
            Ok(guided) => ticked(global, &guided),
            Err(error) => refused(global, &self.target, &error),
        }
    }

    async fn walk(&self, global: &Global, session: &Session) -> Result<Guided, DriveError> {
        let mut guided = find(session, &self.target).await?;
        let by = super::word::person();
        while let Some(step) = guided
            .rotation
            .next_step()
            .filter(|_| !guided.rotation.is_closed())
            .cloned()
        {
            let number = guided.rotation.ticks.len();
            terminal::print(&text::guided_step(&story(global, &guided), number, terminal::width()));
            let Some(outcome) = ask() else { break };
            guided = session.walker().tick(guided, &step, &by, outcome).await?;
        }
        Ok(guided)
    }
}

/// What became of the step; `None` where the person stops.
fn ask() -> Option<Ticked> {
    loop {
        let answer = terminal::read("Done? [y = yes, s = skip, q = stop here] ")?;
        match answer.as_str() {
            "y" | "yes" => {
                let note = note("What did you note down? (Enter: nothing) ", true)?;
                return Some(Ticked::Done {
                    evidence: (!note.is_empty()).then_some(note),
                });
            }
            "s" | "skip" => {
                return Some(Ticked::Skipped {
                    why: note("Why is it left out? ", false)?,
                });
            }
            "q" | "quit" => return None,
            _ => {}
        }
    }
}

fn note(question: &str, may_be_empty: bool) -> Option<String> {
    loop {
        let text = terminal::read(question)?;
        if text.is_empty() && may_be_empty {
            return Some(text);
        }
        match evidence(&text) {
            Ok(text) => return Some(text),
            Err(why) => terminal::note(&why),
        }
    }
}
