//! One target's turn: look where looking is needed, and move what may move.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Principal, Provider};
use rotate_providers::guide::Procedure;
use rotate_providers::{Vendors, automation};

use super::check::lacking;
use super::expected::{at_home, drift};
use super::{Judgement, Known, Survey, Verdict, Wanted, check, in_the_way, judge};
use crate::config::{Automatic, Config, How, Target};
use crate::driver::{DriveError, Driver, Found, History, Interrupt, Outcome, Pace, Progress, Refusal};
use crate::hooks::now;
use crate::machine::{Course, Itinerary, Sighting, Watch};
use crate::seal::Sealer;
use crate::store::{Guided, Lease, Store, Stored};
use crate::walker::Walker;
use crate::watcher::Watcher;

/// Everything that a run needs to move its targets.
pub struct Fleet<'a> {
    /// What is asked for.
    pub config: &'a Config,
    /// What the journal knew when the run began.
    pub survey: &'a Survey,
    /// Where rotations are kept.
    pub store: &'a dyn Store,
    /// The right to write there.
    pub lease: &'a Lease,
    /// What seals secrets.
    pub sealer: &'a dyn Sealer,
    /// What targets share at their vendors.
    pub vendors: &'a Arc<Vendors>,
    /// Counts, spacings and deadlines.
    pub pace: Pace,
    /// Set once the program is asked to stop.
    pub interrupt: &'a Interrupt,
    /// What will be due within this time is due.
    pub within: SignedDuration,
    /// Whose rotations this run has begun: two names may lead to one user.
    pub claims: &'a Claims,
}

/// Owners whose rotations were begun, with the target's name.
#[derive(Default)]
pub struct Claims(Mutex<HashMap<(&'static str, String, String), String>>);

/// What became of a target's turn.
pub enum Attended<'t> {
    /// Nothing was to be done, or nothing can be.
    Judged(&'t Target, Judgement),
    /// A rotation was moved, or waits.
    Moved(Box<Outcome>),
    /// A person takes the steps.
    Guided(Box<Guided>),
}

impl Claims {
    /// The other target that has begun a rotation of the same owner's keys; `None`: this one has it now.
    fn claim(&self, connector: &'static str, owner: &Principal, target: &str) -> Option<String> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = (connector, owner.account.clone(), owner.id.clone());
        let holder = claims.entry(owner).or_insert_with(|| target.to_owned());
        (holder != target).then(|| holder.clone())
    }
}

impl Fleet<'_> {
    /// Moves one target of the configuration as far as it may go.
    pub async fn attend<'t>(&self, target: &'t Target, progress: &dyn Progress) -> Result<Attended<'t>, DriveError> {
        let known = self.survey.of_target(target);
        if let Some(open) = known.course.filter(|stored| !stored.rotation.is_closed()) {
            return self.go_on(open, progress).await;
        }
        let judged = judge(target, known, now(), self.within);
        match &target.how {
            How::ByHand(by_hand) if judged.verdict == Verdict::Guided => {
                self.announce(target, &by_hand.values, known, judged).await
            }
            How::ByHand(_) => Ok(Attended::Judged(target, judged)),
            How::Automatic(_) if !needs_a_look(self.config, known, &judged, now()) => {
                Ok(Attended::Judged(target, judged))
            }
            How::Automatic(automatic) => self.look(target, automatic, known, progress).await,
        }
    }

    /// Moves an open rotation, whether the configuration names it or not.
    pub async fn go_on<'t>(&self, open: &Stored, progress: &dyn Progress) -> Result<Attended<'t>, DriveError> {
        // The journal itself, not the summary: each line is checked before it is acted upon.
        let Some(stored) = self.store.latest(&open.target).await? else {
            return Err(DriveError::SecretMissing);
        };
        let stored = match stored.sort() {
            Ok(automated) => automated,
            Err(guided) => return Ok(Attended::Guided(guided)),
        };
        if let Some(outcome) = Outcome::idle(&stored, now()) {
            return Ok(Attended::Moved(Box::new(outcome)));
        }
        let charter = &stored.rotation.charter;
        let Some(automation) = automation(&charter.connector) else {
            return Err(DriveError::UnknownConnector(charter.connector.clone()));
        };
        let provider = (automation.connect)(charter.inputs.clone(), self.vendors).await?;
        let moved = self.driver(provider.as_ref(), progress).advance(stored).await?;
        Ok(Attended::Moved(Box::new(moved)))
    }

    /// Looks at the vendor, writes down what is there, and begins a rotation if it is due.
    async fn look<'t>(
        &self,
        target: &'t Target,
        automatic: &Automatic,
        known: Known<'_>,
        progress: &dyn Progress,
    ) -> Result<Attended<'t>, DriveError> {
        let wanted = Wanted::new(target, automatic, now())?;
        wanted.check_references()?;
        let history = History::beside(self.store, &target.name, Arc::clone(&self.survey.rivals)).await?;
        let request = wanted.request(&history);
        let provider = (automatic.automation.connect)(automatic.inputs.clone(), self.vendors).await?;
        let driver = self.driver(provider.as_ref(), progress);
        let found = driver.look(&request, history).await?;
        at_home(&target.name, known, &found.observation.owner)?;
        let watch = self.write_down(target, known, &found).await?;
        let known = Known {
            watch: Some(&watch),
            ..known
        };
        let judged = judge(target, known, now(), self.within);
        if let (Err(DriveError::Refused(refusal)), Verdict::NotDue | Verdict::Start | Verdict::Wait) =
            (&found.live, judged.verdict)
        {
            return Ok(Attended::Judged(target, stuck(judged, refusal)));
        }
        // A key whose age nobody tells is taken for one that is too old.
        let due = judged.verdict == Verdict::Start || (judged.verdict == Verdict::Wait && judged.age.is_none());
        if !due {
            return Ok(Attended::Judged(target, judged));
        }
        let owner = &found.observation.owner;
        if let Some(other) = self.claims.claim(automatic.automation.id, owner, &target.name) {
            let why = format!("target {other} rotates the keys of the same user, {}", owner.name);
            return Err(DriveError::Refused(Refusal::because(
                why,
                "name each user once: leave one of the two targets out",
            )));
        }
        driver.rehearse(&request).await?;
        // What stands in the way is looked at again in each run, and has cost nothing.
        let looking = check(provider.as_ref(), owner, request.destinations);
        let findings = tokio::select! {
            findings = looking => findings,
            () = self.interrupt.wait() => return Err(DriveError::Interrupted),
        };
        if let Some(refusal) = in_the_way(&findings) {
            return Ok(Attended::Judged(target, stuck(judged, &refusal)));
        }
        driver.introduce(&found).await?;
        let begun = driver.begin(&request, found).await?;
        Ok(Attended::Moved(Box::new(begun)))
    }

    /// Writes down what was seen, if it says anything new.
    async fn write_down(&self, target: &Target, known: Known<'_>, found: &Found) -> Result<Stored<Watch>, DriveError> {
        let live = found.live.as_ref().ok().map(|live| &live.key);
        let sighting = Sighting::of(&found.observation, live);
        let watch = known.watch.cloned();
        let watcher = Watcher {
            store: self.store,
            lease: self.lease,
        };
        match drift(known, &sighting) {
            Some(why) => watcher.drifted(&target.name, watch, &why, sighting).await,
            None => watcher.saw(&target.name, watch, sighting).await,
        }
    }

    /// Opens the guided rotation of a target whose day has come, so that its steps can be ticked.
    async fn announce<'t>(
        &self,
        target: &'t Target,
        values: &BTreeMap<String, String>,
        known: Known<'_>,
        judged: Judgement,
    ) -> Result<Attended<'t>, DriveError> {
        // What a person has given up, or ended without rotating, is not put before them again the next day.
        if let Some(stored) = known.course
            && let Course::Guided(walk) = &stored.rotation
            && walk.rotates()
            && walk.rotated_at().is_none()
            && now().duration_since(stored.updated_at) < self.config.look_every
        {
            return Ok(Attended::Judged(target, judged));
        }
        let guide = target.connector.guide().map_err(|flaw| {
            DriveError::Refused(Refusal::because(
                format!("the guide of {}: {flaw}", target.connector.id),
                "this is a fault of the program",
            ))
        })?;
        if let Some(refusal) = lacking(&guide, values) {
            return Ok(Attended::Judged(target, stuck(judged, &refusal)));
        }
        let itinerary = Itinerary::of(
            target.connector.id,
            &guide,
            Procedure::Rotate,
            values,
            target.allowance_seconds,
        );
        let walker = Walker {
            store: self.store,
            lease: self.lease,
        };
        let opened = walker.open(&target.name, itinerary).await?;
        Ok(Attended::Guided(Box::new(opened)))
    }

    fn driver<'d>(&'d self, provider: &'d dyn Provider, progress: &'d dyn Progress) -> Driver<'d> {
        Driver {
            store: self.store,
            lease: self.lease,
            sealer: self.sealer,
            provider,
            progress,
            pace: self.pace,
            interrupt: self.interrupt,
        }
    }
}

/// A target is looked at when its rotation may be due, when something was wrong with it, and every few days.
pub(super) fn needs_a_look(config: &Config, known: Known<'_>, judged: &Judgement, now: Timestamp) -> bool {
    let seen_at = known.watch.and_then(|watch| watch.rotation.seen_at);
    let ended_at = known.course.map(|stored| stored.updated_at);
    let looked_at = seen_at.max(ended_at);
    let stuck = known
        .watch
        .is_some_and(|watch| watch.rotation.sighting.live.is_none() && seen_at >= ended_at);
    let drifted = known.watch.is_some_and(|watch| watch.rotation.drift.is_some());
    match judged.verdict {
        Verdict::Start => true,
        // Its window is shut; what it was seen to be is known.
        Verdict::Wait => judged.age.is_none(),
        // What was never seen cannot be accepted either.
        Verdict::Blocked => drifted || known.watch.is_none(),
        // Where a rotation could not be opened, that is looked at again each time.
        Verdict::NotDue => stuck || looked_at.is_none_or(|at| now.duration_since(at) >= config.look_every),
        Verdict::Continue | Verdict::Guided => false,
    }
}

/// A target whose rotation cannot be opened, when its day comes or already now.
pub(super) fn stuck(judged: Judgement, refusal: &Refusal) -> Judgement {
    Judgement {
        verdict: Verdict::Blocked,
        reason: refusal.why.clone(),
        remedy: refusal.remedy.clone(),
        is_pressing: true,
        ..judged
    }
}
