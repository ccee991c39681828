//! `rotate confirm`, `rotate abort`, `rotate rollback`: a person's word.

use clap::Args;
use rotate_providers::trace::traced;
use tracing::Span;

use super::done::{note, refused};
use super::named::{readable_config, resolve};
use super::rotate::story;
use super::session::{Session, locate, show, speaker, tell_folder, tell_unknown};
use super::who::person;
use super::{Exit, Global, terminal};
use crate::engine::driver::{DriveError, Outcome, Refusal};
use crate::engine::{self, OnRecord, automated, connect, is_given_up, turn_span};
use crate::hooks::now;
use crate::notify::Limits;
use crate::store::{Sorted, Store};
use crate::view::TargetView;

/// Confirm the cut-over, or clear a block.
///
/// The cut-over: every consumer has moved to the new key. A block: you have looked at what blocked the rotation and resolved it.
#[derive(Args)]
pub(super) struct Confirm {
    /// The target, as `rotate status` names it
    target: String,
    /// What you have seen of the consumer's use of the new key, where its proof rests on that and no record shows it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    evidence: Option<String>,
    /// Run the program after the delivery that failed, or of which nobody knows how it ended, once more
    #[arg(long, conflicts_with = "evidence")]
    run_again: bool,
}

/// Undo a rotation before its cut-over: put destinations back, delete the new key.
#[derive(Args)]
pub(super) struct Abort {
    /// The target, as `rotate status` names it
    target: String,
    /// Delete the new key even if someone else uses it
    #[arg(long)]
    force: bool,
}

/// Undo a rotation after its cut-over, while the old key lives: switch it on again, put destinations back.
///
/// The new key is deleted if nobody else has used it; otherwise it stays until --force says that its users are back.
#[derive(Args)]
pub(super) struct Rollback {
    /// The target, as `rotate status` names it
    target: String,
    /// Delete the new key even if someone else uses it
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy)]
enum Word<'a> {
    Confirm { evidence: Option<&'a str> },
    RunAgain,
    Abort { force: bool },
    Rollback { force: bool },
}

impl Confirm {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let evidence = match note("--evidence", self.evidence.as_deref(), "nothing was confirmed") {
            Ok(evidence) => evidence,
            Err(exit) => return exit,
        };
        let evidence = evidence.as_deref();
        let word = match self.run_again {
            true => Word::RunAgain,
            false => Word::Confirm { evidence },
        };
        speak(global, &self.target, word).await
    }
}

impl Abort {
    pub(super) async fn run(self, global: &Global) -> Exit {
        speak(global, &self.target, Word::Abort { force: self.force }).await
    }
}

impl Rollback {
    pub(super) async fn run(self, global: &Global) -> Exit {
        speak(global, &self.target, Word::Rollback { force: self.force }).await
    }
}

async fn speak(global: &Global, target: &str, word: Word<'_>) -> Exit {
    // A mistyped folder must not become a new one.
    match locate(global) {
        Ok(folder) if !folder.exists() => return tell_unknown(global, target),
        Ok(_) => {}
        Err(error) => return tell_folder(global, &error),
    }
    let session = match Session::begin(global).await {
        Ok(session) => session,
        Err(error) => return tell_folder(global, &error),
    };
    if let (Word::Confirm { evidence: None }, Some(exit)) = (word, release(global, &session, target).await) {
        return exit;
    }
    if let Some(exit) = give_up(global, &session, target, word).await {
        return exit;
    }
    let span = turn_span(target, None);
    let result = traced(span, act(global, &session, target, word), DriveError::class).await;
    session.conclude(global, target, result).await
}

/// A guided rotation can be given up, and nothing else; `None` where the target's rotation is none.
async fn give_up(global: &Global, session: &Session, target: &str, word: Word<'_>) -> Option<Exit> {
    // Whatever is wrong with the name is told by whoever acts upon it.
    let name = resolve(&session.store, readable_config(global).as_ref(), target)
        .await
        .ok()?;
    let guided = match session.store.latest(&name).await.ok()??.sort() {
        Sorted::Guided(guided) => guided,
        Sorted::Automated(_) => return None,
    };
    let result = match word {
        _ if guided.rotation.is_closed() => Err(DriveError::Refused(Refusal::walk(&name, "it has ended already"))),
        Word::Abort { .. } => session.walker().abort(*guided, &person()).await,
        Word::Confirm { .. } | Word::RunAgain | Word::Rollback { .. } => {
            Err(DriveError::Refused(Refusal::walked(&name)))
        }
    };
    Some(match result {
        Ok(guided) => {
            terminal::note("what was done at the vendor stays done: look at the steps that are ticked");
            show(global, &[story(global, &guided)]);
            session.post(Limits::PERSON).await;
            Exit::Ok
        }
        Err(error) => refused(global, target, &error),
    })
}

/// Between two rotations there is something to confirm as well: what has changed at the vendor, or that a rotation which was
/// taken back may be begun again. `None` where there is no such thing.
async fn release(global: &Global, session: &Session, target: &str) -> Option<Exit> {
    let watch = session.store.watch(target).await.ok()??;
    let latest = session.store.latest(target).await.ok()?;
    if latest.as_ref().is_some_and(|stored| !stored.rotation.is_closed()) {
        return None;
    }
    let known = OnRecord {
        course: latest.as_ref(),
        watch: Some(&watch),
        rotated_before: None,
    };
    let what = known.holds()?;
    Some(match session.watcher().release(target, watch, &person()).await {
        Ok(_) => {
            terminal::note(&format!("{target}: accepted ({what}); `rotate run` goes on with it"));
            let standing = latest.map(|stored| TargetView::standing(&stored, now(), &speaker(global)));
            show(global, &[standing.unwrap_or_else(|| TargetView::unopened(target))]);
            session.post(Limits::PERSON).await;
            Exit::Ok
        }
        Err(error) => refused(global, target, &error),
    })
}

async fn act(global: &Global, session: &Session, target: &str, word: Word<'_>) -> Result<Outcome, DriveError> {
    let Some(stored) = automated(session.store.latest(target).await?)? else {
        return Err(DriveError::Refused(Refusal::unknown_target(target)));
    };
    if matches!(word, Word::Abort { force: true }) && is_given_up(&stored) {
        return engine::give_up(session.writer(), stored, &person()).await;
    }
    Span::current().record("rotate.connector", stored.rotation.spec.connector.as_str());
    let (_, provider) = connect(&stored.rotation.spec, &session.vendors).await?;
    let driver = session.driver(global, provider.as_ref());
    let by = person();
    match word {
        Word::Confirm { evidence } => driver.confirm(stored, &by, evidence).await,
        Word::RunAgain => driver.run_again(stored, &by).await,
        Word::Abort { force } => driver.abort(stored, &by, force).await,
        Word::Rollback { force } => driver.rollback(stored, &by, force).await,
    }
}
