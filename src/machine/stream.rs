//! What a thread of the journal tells: a passage of a target, what was seen of it in between, or what seals all that waits.

use serde::{Deserialize, Serialize};

use super::{AnyRotation, Event, GuidedRotation, Illegal, Inventory, Record, Rotation, Sealing};

/// The state that one thread of events leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamState {
    /// One passage of a target through the phases.
    AnyRotation(AnyRotation),
    /// What is seen of a target between its passages.
    Inventory(Box<Inventory>),
    /// What seals all that waits.
    Sealing(Sealing),
}

impl StreamState {
    /// What a thread tells after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::Sighted { .. } | Event::Drifted { .. } | Event::Tried { .. }) => {
                Inventory::after(None, record).map(Self::from)
            }
            (None, Event::Rekeyed { .. }) => Sealing::after(None, record).map(Self::Sealing),
            (None, _) => AnyRotation::after(None, record).map(Self::AnyRotation),
            (Some(Self::AnyRotation(course)), _) => AnyRotation::after(Some(course), record).map(Self::AnyRotation),
            (Some(Self::Inventory(watch)), _) => Inventory::after(Some(*watch), record).map(Self::from),
            (Some(Self::Sealing(sealing)), _) => Sealing::after(Some(sealing), record).map(Self::Sealing),
        }
    }

    /// Whether nothing has to follow.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::AnyRotation(course) => course.is_closed(),
            Self::Inventory(_) | Self::Sealing(_) => true,
        }
    }
}

impl From<AnyRotation> for StreamState {
    fn from(course: AnyRotation) -> Self {
        Self::AnyRotation(course)
    }
}

impl From<Rotation> for StreamState {
    fn from(rotation: Rotation) -> Self {
        Self::AnyRotation(rotation.into())
    }
}

impl From<GuidedRotation> for StreamState {
    fn from(walk: GuidedRotation) -> Self {
        Self::AnyRotation(walk.into())
    }
}

impl From<Sealing> for StreamState {
    fn from(sealing: Sealing) -> Self {
        Self::Sealing(sealing)
    }
}

impl From<Inventory> for StreamState {
    fn from(watch: Inventory) -> Self {
        Self::Inventory(Box::new(watch))
    }
}
