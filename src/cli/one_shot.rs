//! What the commands that rotate one target share.
//!
//! Each opens a rotation, or goes on where an open one stands; or foretells it, which changes nothing.

use rotate_providers::trace::traced;
use rotate_providers::{Paces, Vendors};

use super::fleet::look;
use super::session::{Session, locate, show, speaker, tell, tell_folder};
use super::{Exit, Global, terminal};
use crate::engine::driver::{DriveError, Existing, Outcome, Refusal, Request};
use crate::engine::{Claims, Forecast, Order, Survey, Turn, TurnOutcome, automated, in_the_way, turn_span};
use crate::hooks::now;
use crate::state_folder::FolderError;
use crate::view::TargetView;

/// How a one-shot command goes about it.
pub(super) struct Options {
    /// Print the plan, and call nothing that writes.
    pub(super) dry_run: bool,
    /// Do not ask before beginning.
    pub(super) yes: bool,
    /// Rotate once more, although a rotation has just ended.
    pub(super) again: bool,
}

/// Rotates a target, or prints what would be done.
pub(super) async fn rotate(global: &Global, request: &Request<'_>, options: &Options, question: &str) -> Exit {
    if options.dry_run {
        return dry_run(global, request).await;
    }
    // Before the journal is taken: nobody else has to wait for the answer.
    let asks = !options.yes && terminal::is_attended();
    if asks && would_open(global, request).await && !terminal::ask(question) {
        terminal::note("nothing was begun");
        return Exit::Ok;
    }
    let session = match Session::begin(global).await {
        Ok(session) => session,
        Err(error) => return tell_folder(global, &error),
    };
    let span = turn_span(request.target, Some(request.connector.id));
    let result = traced(span, advance(global, &session, request), DriveError::class).await;
    session.conclude(global, request.target, result).await
}

/// Whether there is nothing yet to go on with. What cannot be read is told by whoever acts upon it.
async fn would_open(global: &Global, request: &Request<'_>) -> bool {
    let standing = async {
        let store = locate(global).ok()?.open_journal().await.ok()?;
        let latest = match store {
            Some(store) => store.latest(request.target).await.ok()?,
            None => None,
        };
        request.standing(automated(latest).ok()?).ok()
    };
    matches!(standing.await, Some(Existing::Absent))
}

async fn advance(global: &Global, session: &Session, request: &Request<'_>) -> Result<Outcome, DriveError> {
    let survey = Survey::read(&session.store).await?;
    let turn = Turn {
        survey: &survey,
        store: Some(&session.store),
        vendors: Some(&session.vendors),
    };
    let claims = Claims::default();
    match turn.act(&Order::Now(request), &session.acting(global, &claims)).await? {
        TurnOutcome::Moved(outcome) => Ok(*outcome),
        TurnOutcome::Rests(outcome) => {
            if outcome.wait.is_none() {
                let ended = outcome.stored.updated_at.strftime("%Y-%m-%d %H:%M UTC");
                terminal::note(&format!(
                    "this rotation ended at {ended}, so nothing was done; --again rotates once more"
                ));
            }
            Ok(*outcome)
        }
        // An order is obeyed or refused, and a guided rotation is refused.
        TurnOutcome::Judged(_) | TurnOutcome::Guided(_) => Err(DriveError::Refused(Refusal::fault_of_the_program(
            "the order was not carried out, and nothing was changed",
        ))),
    }
}

/// Prints what would be done, from where the target stands. Reads only, and makes no state folder.
async fn dry_run(global: &Global, request: &Request<'_>) -> Exit {
    let speaker = speaker(global);
    match plan(global, request).await {
        Ok(Ok((report, refusal))) => {
            show(global, &[report]);
            match refusal.map(DriveError::Refused) {
                None => Exit::Ok,
                Some(error) => {
                    tell(&speaker, request.target, &error, None);
                    Exit::of_error(&error)
                }
            }
        }
        Ok(Err(error)) => {
            tell(&speaker, request.target, &error, None);
            let mut report = TargetView::unopened(request.target);
            report.fail(&error);
            show(global, &[report]);
            Exit::of_error(&error)
        }
        Err(error) => tell_folder(global, &error),
    }
}

/// What would be done, and what is known to stand in the way.
type ForecastRotation = (TargetView, Option<Refusal>);

async fn plan(global: &Global, request: &Request<'_>) -> Result<Result<ForecastRotation, DriveError>, FolderError> {
    let (store, survey) = look(global).await?.into_parts();
    let vendors = Vendors::new(global.access(Paces::default()));
    let turn = Turn {
        survey: &survey,
        store: store.as_deref(),
        vendors: Some(&vendors),
    };
    let explained = turn.explain(&Order::Now(request), now()).await;
    Ok(explained.map(|foreseen| report(global, request, foreseen)))
}

fn report(global: &Global, request: &Request<'_>, foreseen: Forecast) -> ForecastRotation {
    let speaker = speaker(global);
    let refusal = in_the_way(&foreseen.findings);
    let mut report = TargetView::rehearsed(request.target, foreseen, now(), &speaker);
    if let Some(refusal) = &refusal {
        report.fail(&DriveError::Refused(refusal.clone()));
    }
    (report, refusal)
}
