//! `rotate undo TARGET STEP`: the tick of a step is taken back.

use clap::Args;

use super::done::{begun, find, note, refused};
use super::rotate::story;
use super::session::{Session, show};
use super::{Exit, Global, terminal};
use crate::engine::driver::DriveError;
use crate::notify::Limits;
use crate::store::Guided;
use crate::view::Detail;

/// Take the tick of a step back: it is open again.
///
/// Nothing is done or undone at the vendor. The journal keeps the tick and that it was taken back. A rotation that had ended
/// with that tick is open again; one that was given up stays as it was left.
#[derive(Args)]
pub(super) struct Command {
    /// The target: as `rotate status` names it, or whatever identifies it
    target: String,
    /// The step: its number or its name
    step: String,
    /// Why it is taken back
    #[arg(long, allow_hyphen_values = true)]
    why: Option<String>,
}

impl Command {
    pub(super) async fn run(mut self, global: &Global) -> Exit {
        match note("--why", self.why.as_deref(), "nothing was taken back") {
            Ok(why) => self.why = why,
            Err(exit) => return exit,
        }
        let session = match begun(global, &self.target).await {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        match self.take_back(global, &session).await {
            Ok((guided, had_ended)) => {
                if had_ended {
                    let target = &guided.target;
                    terminal::note(&format!("{target}: this rotation had ended, and is open again"));
                }
                show(global, &[story(global, &guided).in_detail(Detail::NextStep)]);
                session.post(Limits::PERSON).await;
                Exit::Ok
            }
            Err(error) => refused(global, &self.target, &error),
        }
    }

    async fn take_back(&self, global: &Global, session: &Session) -> Result<(Guided, bool), DriveError> {
        let guided = find(global, session, &self.target).await?;
        let had_ended = guided.rotation.is_done();
        let by = super::who::person();
        let undone = session.walker().undo(guided, &self.step, &by, self.why.clone()).await?;
        Ok((undone, had_ended))
    }
}
