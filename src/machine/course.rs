//! One passage of a target, whoever takes the steps.

use serde::{Deserialize, Serialize};

use super::{Event, Illegal, Record, Rotation, Walk};

/// A rotation that the program takes through the vendor's API, or one that a person walks through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Course {
    /// By the program.
    Automated(Box<Rotation>),
    /// By a person.
    Guided(Box<Walk>),
}

impl Course {
    /// What a course is after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::WalkOpened { .. }) => Walk::after(None, record).map(Self::from),
            (None, _) => Rotation::after(None, record).map(Self::from),
            (Some(Self::Automated(rotation)), _) => Rotation::after(Some(*rotation), record).map(Self::from),
            (Some(Self::Guided(walk)), _) => Walk::after(Some(*walk), record).map(Self::from),
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
            Self::Automated(rotation) => &rotation.charter.connector,
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

impl From<Rotation> for Course {
    fn from(rotation: Rotation) -> Self {
        Self::Automated(Box::new(rotation))
    }
}

impl From<Walk> for Course {
    fn from(walk: Walk) -> Self {
        Self::Guided(Box::new(walk))
    }
}
