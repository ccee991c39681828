//! What a thread of the journal tells: a passage of a target, or what was seen of it in between.

use serde::{Deserialize, Serialize};

use super::{AnyRotation, Event, GuidedRotation, Illegal, Inventory, Record, Rotation};

/// The state that one thread of events leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamState {
    /// One passage of a target through the phases.
    AnyRotation(AnyRotation),
    /// What is seen of a target between its passages.
    Inventory(Box<Inventory>),
}

impl StreamState {
    /// What a thread tells after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::Sighted { .. } | Event::Drifted { .. } | Event::Tried { .. }) => {
                Inventory::after(None, record).map(Self::from)
            }
            (None, _) => AnyRotation::after(None, record).map(Self::AnyRotation),
            (Some(Self::AnyRotation(course)), _) => AnyRotation::after(Some(course), record).map(Self::AnyRotation),
            (Some(Self::Inventory(watch)), _) => Inventory::after(Some(*watch), record).map(Self::from),
        }
    }

    /// Whether nothing has to follow.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::AnyRotation(course) => course.is_closed(),
            Self::Inventory(_) => true,
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

impl From<Inventory> for StreamState {
    fn from(watch: Inventory) -> Self {
        Self::Inventory(Box::new(watch))
    }
}
