//! The turn of a target that is moved: by `run`, and by the command for one target.

use std::collections::BTreeMap;

use rotate_providers::guide::Procedure;

use super::acting::Acting;
use super::assess::{Action, Assessment};
use super::order::Order;
use super::preflight::{in_the_way, lacking};
use super::turn::{Decision, Preflight, Purpose, Ready, Sight, Turn, connect, stuck};
use crate::config::{How, Target};
use crate::engine::driver::{DriveError, Outcome, Refusal};
use crate::engine::guided::GuidedJournal;
use crate::hooks::now;
use crate::machine::{AnyRotation, Begun, GuidedSpec};
use crate::store::{Guided, Sorted, Stored};

/// What became of a target's turn.
pub enum TurnOutcome {
    /// Nothing was to be done, or nothing can be.
    Judged(Assessment),
    /// A rotation was moved.
    Moved(Box<Outcome>),
    /// A rotation waits, or had ended before.
    Rests(Box<Outcome>),
    /// A person takes the steps.
    Guided(Box<Guided>),
}

impl Turn<'_> {
    /// Moves a target as far as it may go.
    pub async fn act(&self, order: &Order<'_>, acting: &Acting<'_>) -> Result<TurnOutcome, DriveError> {
        match (self.decide(order, &Purpose::Act(acting)).await?, order) {
            (Decision::Resume(open), Order::Scheduled { .. }) => Box::pin(self.resume(&open, acting)).await,
            // It was read from the journal line by line.
            (Decision::Resume(open), Order::Now(_)) => Box::pin(self.go_on(*open, acting)).await,
            (Decision::Leave(judged), Order::Scheduled { target, .. }) if judged.action == Action::Guided => {
                let begun = order.begun(&judged, acting.by, now());
                Box::pin(self.announce(target, judged, begun, acting)).await
            }
            (Decision::Leave(judged), _) => Ok(TurnOutcome::Judged(judged)),
            (Decision::Begin(ready), _) => Box::pin(begin(*ready, order, acting)).await,
        }
    }

    /// Moves an open rotation, whether the configuration names it or not.
    pub async fn resume(&self, open: &Stored, acting: &Acting<'_>) -> Result<TurnOutcome, DriveError> {
        // The journal itself, not the summary: each line is checked before it is acted upon.
        match acting.journal.store.latest(&open.target).await? {
            Some(stored) => self.go_on(stored, acting).await,
            None => Err(DriveError::SecretMissing),
        }
    }

    async fn go_on(&self, stored: Stored, acting: &Acting<'_>) -> Result<TurnOutcome, DriveError> {
        let stored = match stored.sort() {
            Sorted::Automated(automated) => *automated,
            Sorted::Guided(guided) => return Ok(TurnOutcome::Guided(guided)),
        };
        // A rotation that has ended, or that a person has to move, needs no vendor.
        if let Some(outcome) = Outcome::idle(&stored, now()) {
            return Ok(TurnOutcome::Rests(Box::new(outcome)));
        }
        let Some(vendors) = self.vendors else {
            return Err(DriveError::Refused(Refusal::fault_of_the_program(
                "nobody may be called, so nothing was moved",
            )));
        };
        let (_, provider) = connect(&stored.rotation.spec, vendors).await?;
        let moved = acting.driver(provider.as_ref()).advance(stored).await?;
        Ok(TurnOutcome::Moved(Box::new(moved)))
    }

    /// Opens the guided rotation of a target whose day has come, so that its steps can be ticked.
    async fn announce(
        &self,
        target: &Target,
        judged: Assessment,
        begun: Begun,
        acting: &Acting<'_>,
    ) -> Result<TurnOutcome, DriveError> {
        let values = match &target.how {
            How::ByHand(by_hand) => &by_hand.values,
            How::Automatic(_) => &BTreeMap::new(),
        };
        let known = self.survey.of_target(target);
        // What a person has given up, or ended without rotating, is not put before them again the next day.
        if let Some(stored) = known.course
            && let AnyRotation::Guided(walk) = &stored.rotation
            && walk.rotates()
            && walk.rotated_at().is_none()
            && now().duration_since(stored.updated_at) < acting.look_every
        {
            return Ok(TurnOutcome::Judged(judged));
        }
        let guide = target.connector.guide().map_err(|flaw| {
            DriveError::Refused(Refusal::fault_of_the_program(format!(
                "the guide of {}: {flaw}",
                target.connector.id
            )))
        })?;
        if let Some(refusal) = lacking(&guide, values) {
            return Ok(TurnOutcome::Judged(stuck(judged, &refusal)));
        }
        let itinerary = GuidedSpec::of(
            target.connector.id,
            &guide,
            Procedure::Rotate,
            values,
            target.allowance_seconds,
        );
        let journal = GuidedJournal(acting.journal);
        let opened = journal.open(&target.name, itinerary, begun).await?;
        Ok(TurnOutcome::Guided(Box::new(opened)))
    }
}

/// Opens a rotation of what was found, and moves it as far as it may go.
async fn begin(ready: Ready<'_>, order: &Order<'_>, acting: &Acting<'_>) -> Result<TurnOutcome, DriveError> {
    let Ready { sight, preflight } = ready;
    let Preflight { identity, findings } = preflight;
    let Sight {
        asked,
        provider,
        found,
        judged,
        drift,
        ..
    } = sight;
    let request = asked.request(&found.history);
    let owner = &found.observation.owner;
    let begun = order.begun(&judged, acting.by, now());
    if let Some(other) = acting.claims.claim(request.connector.id, owner, request.target) {
        let why = format!("target {other} rotates the keys of the same user, {}", owner.name);
        return Err(DriveError::Refused(Refusal::because(
            why,
            "name each user once: leave one of the two targets out",
        )));
    }
    let driver = acting.driver(provider.as_ref());
    driver.rehearse(&request).await?;
    // What stands in the way is looked at again in each run, and has cost nothing.
    if let Some(refusal) = in_the_way(&findings) {
        return match order {
            Order::Scheduled { .. } => Ok(TurnOutcome::Judged(stuck(judged, &refusal))),
            Order::Now(_) => Err(DriveError::Refused(refusal)),
        };
    }
    acting.progress.tell(&identity.to_string());
    match (found.surprise(), drift) {
        (Some(surprise), _) => acting.progress.tell(&surprise),
        (None, Some(drift)) => acting
            .progress
            .tell(&format!("{drift}; this order goes on all the same")),
        (None, None) => {}
    }
    let outcome = driver.begin(&request, found, begun, &acting.claims.openings).await?;
    Ok(TurnOutcome::Moved(Box::new(outcome)))
}
