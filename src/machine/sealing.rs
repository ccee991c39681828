//! By what secrets are sealed that wait: of the journal as a whole, and of no target.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Event, Illegal, Record};

/// What a person had secrets sealed with last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// By what.
    pub sealed_with: String,
    /// Since when.
    pub since: Timestamp,
}

impl Sealing {
    /// What is known after one more event.
    pub fn after(_before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match &record.event {
            Event::Rekeyed { to, .. } => Ok(Self {
                sealed_with: to.clone(),
                since: record.at,
            }),
            event => Err(Illegal {
                event: event.name(),
                phase: "sealing",
            }),
        }
    }
}
