//! The one place that appends to the journal: an event, what it leads to, and the line that it follows.

use uuid::Uuid;

use crate::engine::error::DriveError;
use crate::hooks::now;
use crate::machine::{Event, GuidedRotation, Illegal, Inventory, Record, Rotation, Sealing, StreamState};
use crate::store::{Append, Lease, SEALING, Store, Stored, watch_of};

/// The journal, for whoever has the right to write there.
#[derive(Clone, Copy)]
pub struct Journal<'a> {
    /// Where it is kept.
    pub store: &'a dyn Store,
    /// The right to write there.
    pub lease: &'a Lease,
}

impl Journal<'_> {
    /// Begins a thread with its first event. Not repeatable: a repeat is a lost race.
    pub async fn open<T: Thread>(&self, target: &str, event: Event) -> Result<Stored<T>, DriveError> {
        let record = Record { at: now(), event };
        let stored = Stored {
            id: Uuid::now_v7().to_string(),
            target: target.to_owned(),
            revision: 0,
            updated_at: record.at,
            rotation: T::after(None, &record)?,
        };
        self.write(stored, &record, None).await
    }

    /// Adds an event to a thread, with what is sealed along with it. Not repeatable: a repeat is a lost race.
    pub async fn append<T: Thread>(
        &self,
        stored: &Stored<T>,
        event: Event,
        seal: Option<(&str, &[u8])>,
    ) -> Result<Stored<T>, DriveError> {
        let record = Record { at: now(), event };
        let after = Stored {
            updated_at: record.at,
            rotation: T::after(Some(stored.rotation.clone()), &record)?,
            ..stored.clone()
        };
        self.write(after, &record, seal).await
    }

    async fn write<T: Thread>(
        &self,
        mut stored: Stored<T>,
        record: &Record,
        seal: Option<(&str, &[u8])>,
    ) -> Result<Stored<T>, DriveError> {
        let append = Append {
            id: &stored.id,
            target: &T::name(&stored.target),
            follows: stored.revision,
            record,
            state: &stored.rotation.clone().into(),
            seal,
            telling: None,
        };
        self.store.append(self.lease, append).await?;
        stored.revision += 1;
        Ok(stored)
    }
}

/// What the events of one thread lead to.
pub trait Thread: Clone + Into<StreamState> {
    /// Where one more event leads.
    fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal>;

    /// The name of a target's thread.
    fn name(target: &str) -> String {
        target.to_owned()
    }
}

impl Thread for Rotation {
    fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        Self::after(before, record)
    }
}

impl Thread for GuidedRotation {
    fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        Self::after(before, record)
    }
}

impl Thread for Inventory {
    fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        Self::after(before, record)
    }

    fn name(target: &str) -> String {
        watch_of(target)
    }
}

impl Thread for Sealing {
    fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        Self::after(before, record)
    }

    fn name(_of_no_target: &str) -> String {
        SEALING.to_owned()
    }
}
