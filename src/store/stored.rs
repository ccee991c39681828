//! A thread of the journal as it is known after its last event: a rotation, what was seen of a target, what seals.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{StoreError, WATCH};
use crate::hooks::now;
use crate::machine::{AnyRotation, GuidedRotation, Inventory, Rotation, Sealing, StreamState};

/// A rotation as the store knows it.
#[derive(Clone, Debug)]
pub struct Stored<R = AnyRotation> {
    /// Its id.
    pub id: String,
    /// Its target's name.
    pub target: String,
    /// How many events it has.
    pub revision: i64,
    /// When the last one was recorded.
    pub updated_at: Timestamp,
    /// What they say.
    pub rotation: R,
}

/// A rotation that the program takes.
pub type Automated = Stored<Rotation>;

/// A rotation that a person takes.
pub type Guided = Stored<GuidedRotation>;

/// A rotation, by who takes its steps.
pub enum Sorted {
    /// The program.
    Automated(Box<Automated>),
    /// A person.
    Guided(Box<Guided>),
}

impl<R> Stored<R> {
    /// Whether it was changed within the last day: the same command again is a repeat, not a wish for another one.
    pub fn is_recent(&self) -> bool {
        is_recent(self.updated_at)
    }
}

/// Whether this was within the last day.
pub fn is_recent(at: Timestamp) -> bool {
    const DAY: SignedDuration = SignedDuration::from_hours(24);
    now().duration_since(at) < DAY
}

impl Stored {
    /// Tells the two kinds apart.
    pub fn sort(self) -> Sorted {
        let (id, target, revision, updated_at) = (self.id, self.target, self.revision, self.updated_at);
        match self.rotation {
            AnyRotation::Automated(rotation) => Sorted::Automated(Box::new(Stored {
                id,
                target,
                revision,
                updated_at,
                rotation: *rotation,
            })),
            AnyRotation::Guided(walk) => Sorted::Guided(Box::new(Stored {
                id,
                target,
                revision,
                updated_at,
                rotation: *walk,
            })),
        }
    }
}

impl From<Automated> for Stored {
    fn from(stored: Automated) -> Self {
        Self {
            id: stored.id,
            target: stored.target,
            revision: stored.revision,
            updated_at: stored.updated_at,
            rotation: stored.rotation.into(),
        }
    }
}

impl Stored<StreamState> {
    /// A passage of the target.
    pub(super) fn course(self, path: &Path) -> Result<Stored, StoreError> {
        match self.rotation {
            StreamState::AnyRotation(course) => Ok(Stored {
                id: self.id,
                target: self.target,
                revision: self.revision,
                updated_at: self.updated_at,
                rotation: course,
            }),
            StreamState::Inventory(_) | StreamState::Sealing(_) => Err(misplaced(path, &self.target)),
        }
    }

    /// What was seen of a target, under the target's own name.
    pub(super) fn watch(self, path: &Path) -> Result<Stored<Inventory>, StoreError> {
        match (self.rotation, self.target.strip_prefix(WATCH)) {
            (StreamState::Inventory(watch), Some(target)) => Ok(Stored {
                id: self.id,
                target: target.to_owned(),
                revision: self.revision,
                updated_at: self.updated_at,
                rotation: *watch,
            }),
            _ => Err(misplaced(path, &self.target)),
        }
    }

    /// What seals all that waits.
    pub(super) fn sealing(self, path: &Path) -> Result<Stored<Sealing>, StoreError> {
        match self.rotation {
            StreamState::Sealing(sealing) => Ok(Stored {
                id: self.id,
                target: self.target,
                revision: self.revision,
                updated_at: self.updated_at,
                rotation: sealing,
            }),
            _ => Err(misplaced(path, &self.target)),
        }
    }
}

/// All of these threads as what each is. Of tens of thousands, a list that grew while it is filled would take three times its room.
pub(super) fn all_as<R>(
    threads: Vec<Stored<StreamState>>,
    what: impl Fn(Stored<StreamState>) -> Result<Stored<R>, StoreError>,
) -> Result<Vec<Stored<R>>, StoreError> {
    let mut all = Vec::with_capacity(threads.len());
    for thread in threads {
        all.push(what(thread)?);
    }
    Ok(all)
}

fn misplaced(path: &Path, name: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        why: format!("{name} is kept as what it is not"),
    }
}
