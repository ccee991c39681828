//! One passage of a target, whoever takes the steps.

use serde::{Deserialize, Serialize};

use super::{Event, GuidedRotation, Illegal, Record, Rotation};

/// A rotation that the program takes through the vendor's API, or one that a person walks through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyRotation {
    /// By the program.
    Automated(Box<Rotation>),
    /// By a person.
    Guided(Box<GuidedRotation>),
}

impl AnyRotation {
    /// What a course is after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::WalkOpened { .. }) => GuidedRotation::after(None, record).map(Self::from),
            (None, _) => Rotation::after(None, record).map(Self::from),
            (Some(Self::Automated(rotation)), _) => Rotation::after(Some(*rotation), record).map(Self::from),
            (Some(Self::Guided(walk)), _) => GuidedRotation::after(Some(*walk), record).map(Self::from),
        }
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Automated(rotation) => rotation.phase.is_closed(),
            Self::Guided(walk) => walk.is_closed(),
        }
    }

    /// The connector's id.
    pub fn connector(&self) -> &str {
        match self {
            Self::Automated(rotation) => &rotation.spec.connector,
            Self::Guided(walk) => &walk.itinerary.connector,
        }
    }

    /// The rotation, where the program takes it.
    pub fn automated(&self) -> Option<&Rotation> {
        match self {
            Self::Automated(rotation) => Some(rotation),
            Self::Guided(_) => None,
        }
    }
}

impl From<Rotation> for AnyRotation {
    fn from(rotation: Rotation) -> Self {
        Self::Automated(Box::new(rotation))
    }
}

impl From<GuidedRotation> for AnyRotation {
    fn from(walk: GuidedRotation) -> Self {
        Self::Guided(Box::new(walk))
    }
}
