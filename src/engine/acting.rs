//! What is needed to move targets, and what those of one command take for themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Principal, Provider};

use super::assess::{Action, Assessment, OnRecord};
use super::error::DriveError;
use crate::engine::driver::{Driver, Interrupt, Openings, Pace, Progress};
use crate::engine::inventory::InventoryJournal;
use crate::engine::journal::Journal;
use crate::machine::{CopiesDrift, Inventory, InventoryReading};
use crate::seal::Sealer;
use crate::store::Stored;

/// Everything that is needed to move a target.
#[derive(Clone, Copy)]
pub struct Acting<'a> {
    /// The journal, and the right to write there.
    pub journal: Journal<'a>,
    /// What seals secrets.
    pub sealer: &'a dyn Sealer,
    /// Counts, spacings and deadlines.
    pub pace: Pace,
    /// Set once the program is asked to stop.
    pub interrupt: &'a Interrupt,
    /// What this run has begun: two names may lead to one user, or to one destination.
    pub claims: &'a Claims,
    /// Whose command it is, for the journal.
    pub by: &'a str,
    /// How often a target is looked at although nothing is due.
    pub look_every: SignedDuration,
    /// Who is told.
    pub progress: &'a dyn Progress,
}

/// What the targets of one command take for themselves.
#[derive(Default)]
pub struct Claims {
    /// Owners whose rotations were begun, with the target's name.
    owners: Mutex<HashMap<(&'static str, String, String), String>>,
    /// Those rotations, with where they deliver.
    pub(super) openings: Openings,
}

impl Claims {
    /// The other target that has begun a rotation of the same owner's keys; `None`: this one has it now.
    pub(super) fn claim(&self, connector: &'static str, owner: &Principal, target: &str) -> Option<String> {
        let mut claims = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = (connector, owner.account.clone(), owner.id.clone());
        let holder = claims.entry(owner).or_insert_with(|| target.to_owned());
        (holder != target).then(|| holder.clone())
    }
}

impl Acting<'_> {
    /// What moves the keys of one target.
    pub fn driver<'d>(&'d self, provider: &'d dyn Provider) -> Driver<'d> {
        Driver {
            store: self.journal.store,
            lease: self.journal.lease,
            sealer: self.sealer,
            provider,
            progress: self.progress,
            pace: self.pace,
            interrupt: self.interrupt,
        }
    }

    /// Writes down what was seen, if it says anything new.
    pub(super) async fn write_down(
        &self,
        target: &str,
        known: OnRecord<'_>,
        drift: Option<&str>,
        sighting: InventoryReading,
        copies: Option<&CopiesDrift>,
    ) -> Result<Stored<Inventory>, DriveError> {
        let watch = known.watch.cloned();
        let watcher = InventoryJournal(self.journal);
        let watch = match drift {
            Some(why) => watcher.drifted(target, watch, why, sighting).await?,
            None => watcher.saw(target, watch, sighting).await?,
        };
        watcher.copies(target, watch, copies).await
    }
}

/// A target is looked at when its rotation may be due, when something was wrong with it, and every few days.
pub(super) fn needs_a_look(
    look_every: SignedDuration,
    known: OnRecord<'_>,
    judged: &Assessment,
    now: Timestamp,
) -> bool {
    let seen_at = known.watch.and_then(|watch| watch.rotation.seen_at);
    let ended_at = known.course.map(|stored| stored.updated_at);
    let looked_at = seen_at.max(ended_at);
    let stuck = known.watch.is_some_and(|watch| {
        watch.rotation.sighting.as_ref().is_none_or(|it| it.live.is_none()) && seen_at >= ended_at
    });
    let drifted = known
        .watch
        .is_some_and(|watch| watch.rotation.drift.is_some() || watch.rotation.copies.is_some());
    let is_long_ago = looked_at.is_none_or(|at| now.duration_since(at) >= look_every);
    match judged.action {
        Action::Start => true,
        // Its window is shut: what it was seen to be is known, and holds no longer than that of any other.
        Action::Wait => judged.age.is_none() || is_long_ago,
        // What was never seen cannot be accepted either.
        Action::Blocked => drifted || known.watch.is_none(),
        // Where a rotation could not be opened, that is looked at again each time.
        Action::NotDue => stuck || is_long_ago,
        Action::Continue | Action::Guided => false,
    }
}
