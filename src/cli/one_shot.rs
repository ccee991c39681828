//! What the commands that rotate one target share.
//!
//! Each opens a rotation, or goes on where an open one stands; or foretells it, which changes nothing.

use rotate_providers::contract::Provider;
use rotate_providers::{Paces, Vendors};

use super::session::{Session, locate, show, speaker, tell, tell_folder};
use super::{Exit, Global, terminal};
use crate::driver::{DriveError, Found, History, Outcome, Refusal, Request, Standing};
use crate::fleet::{check, foretell, in_the_way};
use crate::hooks::now;
use crate::plan::foresee;
use crate::policy::Facts;
use crate::render::Report;
use crate::state_folder::FolderError;
use crate::store::{Automated, Store, Stored};

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
    let result = advance(global, &session, request).await;
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
    matches!(standing.await, Some(Standing::Absent))
}

async fn advance(global: &Global, session: &Session, request: &Request<'_>) -> Result<Outcome, DriveError> {
    let connect = request.connector.connect;
    let stored = match request.standing(automated(session.store.latest(request.target).await?)?)? {
        Standing::Present(stored) => *stored,
        Standing::Absent => {
            let provider = connect(request.inputs.clone(), &session.vendors).await?;
            return open(global, session, provider.as_ref(), request).await;
        }
    };
    // A rotation that has ended, or that a person has to move, needs no vendor.
    if let Some(outcome) = Outcome::idle(&stored, now()) {
        if outcome.wait.is_none() {
            let ended = stored.updated_at.strftime("%Y-%m-%d %H:%M UTC");
            terminal::note(&format!(
                "this rotation ended at {ended}, so nothing was done; --again rotates once more"
            ));
        }
        return Ok(outcome);
    }
    let provider = connect(request.inputs.clone(), &session.vendors).await?;
    let driver = session.driver(global, provider.as_ref());
    driver.advance(stored).await
}

/// Opens a rotation and moves it as far as it may go. What is known to stand in its way is told before a key is made.
async fn open(
    global: &Global,
    session: &Session,
    provider: &dyn Provider,
    request: &Request<'_>,
) -> Result<Outcome, DriveError> {
    let driver = session.driver(global, provider);
    driver.rehearse(request).await?;
    let history = History::read(&session.store, request.target).await?;
    let found = driver.look(request, history).await?;
    if found.live.is_ok() {
        let looking = check(provider, &found.observation.owner, request.destinations);
        let findings = tokio::select! {
            findings = looking => findings,
            () = session.interrupt.wait() => return Err(DriveError::Interrupted),
        };
        if let Some(refusal) = in_the_way(&findings) {
            return Err(DriveError::Refused(refusal));
        }
    }
    driver.introduce(&found).await?;
    driver.begin(request, found).await
}

/// The target's latest rotation, unless a person is walking through one: two at once would be two new keys.
pub(super) fn automated(latest: Option<Stored>) -> Result<Option<Automated>, DriveError> {
    match latest.map(Stored::sort) {
        None => Ok(None),
        Some(Ok(automated)) => Ok(Some(automated)),
        Some(Err(guided)) if guided.rotation.is_closed() => Ok(None),
        Some(Err(guided)) => Err(DriveError::Refused(Refusal::walked(&guided.target))),
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
            let mut report = Report::unopened(request.target);
            report.fail(&error);
            show(global, &[report]);
            Exit::of_error(&error)
        }
        Err(error) => tell_folder(global, &error),
    }
}

/// What would be done, and what is known to stand in the way.
type Foretold = (Report, Option<Refusal>);

async fn plan(global: &Global, request: &Request<'_>) -> Result<Result<Foretold, DriveError>, FolderError> {
    let store = locate(global)?.open_journal().await?;
    let (latest, history) = match &store {
        Some(store) => (
            store.latest(request.target).await?,
            History::read(store, request.target).await?,
        ),
        None => (None, History::default()),
    };
    let speaker = speaker(global);
    let work = async {
        if let Standing::Present(stored) = request.standing(automated(latest)?)? {
            let steps = foresee(stored.rotation.clone(), Facts::default(), now())?;
            let wait = Outcome::idle(&stored, now()).and_then(|outcome| outcome.wait);
            let report = Report::of(&stored, wait.as_ref(), now(), &speaker).with_plan(steps);
            return Ok((report, None));
        }
        let provider =
            (request.connector.connect)(request.inputs.clone(), &Vendors::new(global.access(Paces::default()))).await?;
        let found = Found::look(provider.as_ref(), request, history).await?;
        let opening = foretell(provider.as_ref(), request, found, now()).await?;
        let refusal = in_the_way(&opening.findings);
        let report = match &opening.rotation {
            Some(rotation) => Report::foreseen(request.target, rotation, &speaker),
            None => Report::unopened(request.target),
        };
        let mut report = report
            .with_plan(opening.steps)
            .with_identity(opening.identity)
            .with_findings(opening.findings);
        if let Some(refusal) = &refusal {
            report.fail(&DriveError::Refused(refusal.clone()));
        }
        Ok((report, refusal))
    };
    Ok(work.await)
}
