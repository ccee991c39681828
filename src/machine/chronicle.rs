//! What a thread of the journal tells: a passage of a target, or what was seen of it in between.

use serde::{Deserialize, Serialize};

use super::{Course, Event, Illegal, Record, Rotation, Walk, Watch};

/// The state that one thread of events leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chronicle {
    /// One passage of a target through the phases.
    Course(Course),
    /// What is seen of a target between its passages.
    Watch(Box<Watch>),
}

impl Chronicle {
    /// What a thread tells after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::Sighted { .. } | Event::Drifted { .. } | Event::Tried { .. }) => {
                Watch::after(None, record).map(Self::from)
            }
            (None, _) => Course::after(None, record).map(Self::Course),
            (Some(Self::Course(course)), _) => Course::after(Some(course), record).map(Self::Course),
            (Some(Self::Watch(watch)), _) => Watch::after(Some(*watch), record).map(Self::from),
        }
    }

    /// Whether nothing has to follow.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Course(course) => course.is_closed(),
            Self::Watch(_) => true,
        }
    }
}

impl From<Course> for Chronicle {
    fn from(course: Course) -> Self {
        Self::Course(course)
    }
}

impl From<Rotation> for Chronicle {
    fn from(rotation: Rotation) -> Self {
        Self::Course(rotation.into())
    }
}

impl From<Walk> for Chronicle {
    fn from(walk: Walk) -> Self {
        Self::Course(walk.into())
    }
}

impl From<Watch> for Chronicle {
    fn from(watch: Watch) -> Self {
        Self::Watch(Box::new(watch))
    }
}
