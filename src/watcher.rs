//! Writes down what is seen of targets between their rotations, and what people say of it.

use uuid::Uuid;

use crate::driver::DriveError;
use crate::hooks::now;
use crate::machine::{Event, Record, Sighting, Watch};
use crate::store::{Append, Lease, Store, Stored, watch_of};

/// Keeps the journal of what is seen.
pub struct Watcher<'a> {
    /// Where it is kept.
    pub store: &'a dyn Store,
    /// The right to write there.
    pub lease: &'a Lease,
}

impl Watcher<'_> {
    /// Everything is as expected.
    pub async fn saw(
        &self,
        target: &str,
        watch: Option<Stored<Watch>>,
        sighting: Sighting,
    ) -> Result<Stored<Watch>, DriveError> {
        self.record(target, watch, Event::Sighted { sighting }).await
    }

    /// Something has changed. What is known already is not said again.
    pub async fn drifted(
        &self,
        target: &str,
        watch: Option<Stored<Watch>>,
        why: &str,
        sighting: Sighting,
    ) -> Result<Stored<Watch>, DriveError> {
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

    /// A person says to go on.
    pub async fn release(&self, target: &str, watch: Stored<Watch>, by: &str) -> Result<Stored<Watch>, DriveError> {
        let by = by.to_owned();
        self.record(target, Some(watch), Event::Released { by }).await
    }

    async fn record(
        &self,
        target: &str,
        watch: Option<Stored<Watch>>,
        event: Event,
    ) -> Result<Stored<Watch>, DriveError> {
        let record = Record { at: now(), event };
        let (id, follows, before) = match watch {
            Some(watch) => (watch.id, watch.revision, Some(watch.rotation)),
            None => (Uuid::now_v7().to_string(), 0, None),
        };
        let after = Watch::after(before, &record)?;
        let append = Append {
            id: &id,
            target: &watch_of(target),
            follows,
            record: &record,
            state: &after.clone().into(),
            seal: None,
        };
        self.store.append(self.lease, append).await?;
        Ok(Stored {
            id,
            target: target.to_owned(),
            revision: follows + 1,
            updated_at: record.at,
            rotation: after,
        })
    }
}
