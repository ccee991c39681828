//! One event on its way to where it is kept.

use tokio::sync::oneshot;

use super::{Append, Lease, StoreError, Telling};

/// One event on its way to the disk.
pub(super) struct Entry {
    pub(super) fence: i64,
    pub(super) id: String,
    pub(super) target: String,
    pub(super) follows: i64,
    pub(super) at: String,
    pub(super) body: String,
    pub(super) snapshot: String,
    pub(super) closed: bool,
    pub(super) is_final: bool,
    /// Whether the target's latest rotation is this one from here on.
    pub(super) names_target: bool,
    pub(super) seal: Option<(String, Vec<u8>)>,
    pub(super) telling: Option<Telling>,
}

/// An entry and whoever waits for it.
pub(super) struct Waiting {
    pub(super) entry: Entry,
    pub(super) told: oneshot::Sender<Result<(), StoreError>>,
}

impl Entry {
    pub(super) fn new(lease: &Lease, append: &Append<'_>) -> Result<Self, StoreError> {
        let encode = |error: serde_json::Error| StoreError::Database(error.to_string());
        Ok(Self {
            fence: lease.fence,
            id: append.id.to_owned(),
            target: append.target.to_owned(),
            follows: append.follows,
            at: append.record.at.to_string(),
            body: serde_json::to_string(&append.record.event).map_err(encode)?,
            snapshot: serde_json::to_string(append.state).map_err(encode)?,
            closed: append.state.is_closed(),
            is_final: append.record.event.is_final(),
            names_target: append.follows == 0,
            seal: append.seal.map(|(name, bytes)| (name.to_owned(), bytes.to_owned())),
            telling: append.telling.clone(),
        })
    }
}
