//! Writes down what is seen of targets between their rotations, and what people say of it.

use rotate_providers::guide::probe::Verdict;

use crate::engine::driver::DriveError;
use crate::engine::journal::Journal;
use crate::machine::{CopiesDrift, Event, Inventory, InventoryReading, Tried};
use crate::store::Stored;

/// Keeps the journal of what is seen.
pub struct InventoryJournal<'a>(pub Journal<'a>);

impl InventoryJournal<'_> {
    /// Everything is as expected.
    pub async fn saw(
        &self,
        target: &str,
        watch: Option<Stored<Inventory>>,
        sighting: InventoryReading,
    ) -> Result<Stored<Inventory>, DriveError> {
        self.record(target, watch, Event::Sighted { sighting }).await
    }

    /// Something has changed. What is known already is not said again.
    pub async fn drifted(
        &self,
        target: &str,
        watch: Option<Stored<Inventory>>,
        why: &str,
        sighting: InventoryReading,
    ) -> Result<Stored<Inventory>, DriveError> {
        if let Some(watch) = &watch
            && let Some(drift) = &watch.rotation.drift
            && drift.block.why == why
            && drift.found == sighting
        {
            return Ok(watch.clone());
        }
        let why = why.to_owned();
        self.record(target, watch, Event::Drifted { why, sighting }).await
    }

    /// What its destinations hold. What is known already is not said again.
    pub async fn copies(
        &self,
        target: &str,
        watch: Stored<Inventory>,
        drift: Option<&CopiesDrift>,
    ) -> Result<Stored<Inventory>, DriveError> {
        let event = match (drift, &watch.rotation.copies) {
            (None, None) => return Ok(watch),
            (None, Some(_)) => Event::CopiesAsLeft,
            (Some(drift), Some(known)) if *drift == **known => return Ok(watch),
            (Some(drift), _) => Event::CopiesDrifted {
                expected: drift.expected.clone(),
                copies: drift.copies.clone(),
            },
        };
        self.record(target, Some(watch), event).await
    }

    /// Its credential was tried.
    pub async fn tried(
        &self,
        target: &str,
        watch: Option<Stored<Inventory>>,
        verdict: Verdict,
        class: &str,
        by: &str,
    ) -> Result<Stored<Inventory>, DriveError> {
        let (class, by) = (class.to_owned(), by.to_owned());
        let event = Event::Tried {
            credential: Tried::Present,
            verdict,
            class,
            by,
        };
        self.record(target, watch, event).await
    }

    /// A person says to go on.
    pub async fn release(
        &self,
        target: &str,
        watch: Stored<Inventory>,
        by: &str,
    ) -> Result<Stored<Inventory>, DriveError> {
        let by = by.to_owned();
        self.record(target, Some(watch), Event::Released { by }).await
    }

    async fn record(
        &self,
        target: &str,
        watch: Option<Stored<Inventory>>,
        event: Event,
    ) -> Result<Stored<Inventory>, DriveError> {
        match &watch {
            Some(watch) => self.0.append(watch, event, None).await,
            None => self.0.open(target, event).await,
        }
    }
}
