//! Where a target stands, as far as people are told of it, and which notices a change of that makes: pure.

use jiff::Timestamp;
use rotate_providers::PhaseName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Kind;
use crate::machine::{AnyRotation, Inventory, Phase, Rotation, StreamState};
use crate::policy::{Facts, Step, Waiting, next};

/// Where a target stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "stands")]
pub enum Standing {
    /// Nothing is to be told of it.
    #[default]
    Quiet,
    /// Its rotation goes on by itself.
    Moving {
        /// The rotation's id.
        rotation: String,
        /// The phase that was reached last.
        phase: String,
    },
    /// A person has to act, as was planned.
    Waiting {
        /// The rotation's id.
        rotation: String,
    },
    /// A person has to look, and nothing is touched until then.
    Blocked {
        /// The rotation's id, where one is open.
        rotation: Option<String>,
        /// By what.
        by: BlockedBy,
        /// What tells this reason from another one of its kind, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Reason>,
    },
    /// The last run could not go on with it.
    Failed {
        /// The rotation's id, where one is open.
        rotation: Option<String>,
        /// The phase that was reached last.
        phase: Option<String>,
    },
    /// Its rotation was aborted or rolled back.
    Undone {
        /// The rotation's id.
        rotation: String,
    },
    /// Its rotation has come to its end.
    Done {
        /// The rotation's id.
        rotation: String,
    },
}

/// What has a person look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockedBy {
    /// Its rotation, since then.
    Rotation(Timestamp),
    /// What has changed at the vendor behind the journal's back.
    Vendor,
    /// A destination that holds something else than was left there.
    Destination,
    /// The vendor refuses its credential.
    Credential,
    /// Something that stands in the way of its rotation.
    Obstacle,
}

/// A reason, as it is told from another one: by its words, without names and numbers. A day more, or a key that is called otherwise,
/// makes no other reason, and nothing that somebody has named is kept beside the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason(String);

impl Reason {
    /// The one that these words say.
    pub fn of(words: &str) -> Self {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || ",.;'-".contains(letter);
        let plain = words.split_whitespace().filter(|word| word.chars().all(is_plain));
        let hash = Sha256::digest(plain.collect::<Vec<_>>().join(" "));
        Self(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What people were told of a target last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where it stood.
    #[serde(flatten)]
    pub standing: Standing,
    /// The beginning that was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Timestamp>,
    /// The day of which it was said that it has gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Timestamp>,
    /// Where it was said to stand since it has come further: what goes and comes back with each run is told once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Standing>,
}

/// Where a target stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Where it stands.
    pub standing: Standing,
    /// When its rotation begins, where that is soon.
    pub announced: Option<Timestamp>,
    /// The latest of its days that have gone by.
    pub overdue: Option<Timestamp>,
}

impl Standing {
    /// Where a rotation stands that was changed last at this time.
    pub fn of(id: &str, rotation: &AnyRotation, updated_at: Timestamp) -> Self {
        let id = id.to_owned();
        match rotation {
            AnyRotation::Automated(rotation) => Self::of_automated(id, rotation, updated_at),
            AnyRotation::Guided(walk) => match walk.ended() {
                None => Self::Waiting { rotation: id },
                Some(PhaseName::Done) => Self::Done { rotation: id },
                Some(_) => Self::Undone { rotation: id },
            },
        }
    }

    fn of_automated(id: String, rotation: &Rotation, updated_at: Timestamp) -> Self {
        match &rotation.phase {
            Phase::Done => return Self::Done { rotation: id },
            Phase::Aborted | Phase::RolledBack => return Self::Undone { rotation: id },
            _ => {}
        }
        // What it waits for does not depend on how long it has waited: this is the state right after its last event.
        match next(rotation, &Facts::default(), updated_at) {
            Step::Wait(wait) if wait.on == Waiting::Person => {
                let since = rotation.blocked.as_ref().map_or(updated_at, |block| block.since);
                Self::Blocked {
                    rotation: Some(id),
                    by: BlockedBy::Rotation(since),
                    why: None,
                }
            }
            Step::Wait(wait) if wait.on == Waiting::Cutover => Self::Waiting { rotation: id },
            _ => Self::Moving {
                rotation: id,
                phase: rotation.reached().name().to_owned(),
            },
        }
    }

    /// What has a person look at a target between its rotations; `None`: nothing does.
    fn of_inventory(watch: &Inventory) -> Option<BlockedBy> {
        let is_refused = watch
            .trial
            .as_ref()
            .is_some_and(|trial| trial.verdict == rotate_providers::guide::probe::Verdict::Rejected);
        match (&watch.drift, &watch.copies) {
            (Some(_), _) => Some(BlockedBy::Vendor),
            (None, Some(_)) => Some(BlockedBy::Destination),
            (None, None) => is_refused.then_some(BlockedBy::Credential),
        }
    }

    /// The rotation that it is about.
    pub fn rotation(&self) -> Option<&str> {
        match self {
            Self::Quiet => None,
            Self::Moving { rotation, .. }
            | Self::Waiting { rotation }
            | Self::Undone { rotation }
            | Self::Done { rotation } => Some(rotation),
            Self::Blocked { rotation, .. } | Self::Failed { rotation, .. } => rotation.as_deref(),
        }
    }

    /// The rotation that is under way, and the phase that it had reached; `None` where none is known to be.
    pub fn open_at(&self) -> Option<(Option<String>, Option<String>)> {
        let rotation = self.rotation().filter(|_| self.is_open())?;
        let phase = match self {
            Self::Moving { phase, .. } => Some(phase.clone()),
            Self::Failed { phase, .. } => phase.clone(),
            _ => None,
        };
        Some((Some(rotation.to_owned()), phase))
    }

    /// Whether this is no news after the other: what has it stand there is the same, as far as that is known.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Blocked { rotation, by, why },
                Self::Blocked {
                    rotation: its_rotation,
                    by: its_by,
                    why: its_why,
                },
            ) => rotation == its_rotation && by == its_by && (why == its_why || why.is_none() || its_why.is_none()),
            _ => self == other,
        }
    }

    /// Whether it says more than the other, which is the same.
    fn is_clearer_than(&self, other: &Self) -> bool {
        let is_clear = |it: &Self| matches!(it, Self::Blocked { why: Some(_), .. });
        is_clear(self) && !is_clear(other)
    }

    /// Whether a rotation of it is under way.
    fn is_open(&self) -> bool {
        !matches!(self, Self::Done { .. } | Self::Undone { .. }) && self.rotation().is_some()
    }
}

impl Now {
    /// Where a target stands after one more event; `None` where that event says nothing of it.
    pub fn after(told: &Told, id: &str, state: &StreamState, at: Timestamp) -> Option<Self> {
        let standing = match state {
            StreamState::AnyRotation(rotation) => Standing::of(id, rotation, at),
            // While a rotation is open, that says where the target stands.
            // No target's.
            StreamState::Sealing(_) => return None,
            StreamState::Inventory(_) if told.standing.is_open() => return None,
            StreamState::Inventory(watch) => match (Standing::of_inventory(watch), &told.standing) {
                (Some(by), _) => Standing::Blocked {
                    rotation: None,
                    by,
                    why: None,
                },
                (None, Standing::Blocked { rotation: None, by, .. }) if *by != BlockedBy::Obstacle => Standing::Quiet,
                (None, _) => return None,
            },
        };
        Some(Self {
            standing,
            ..Self::default()
        })
    }
}

impl Told {
    /// What is told now: what a person was told of stays as it was where nothing new is to be said.
    pub fn change(&self, now: &Now) -> (Self, Vec<Kind>) {
        let mut kinds = Vec::new();
        let announced = now.announced.filter(|at| self.announced != Some(*at));
        kinds.extend(announced.map(|_| Kind::Announced));
        let (standing, said) = match self.kind_of(&now.standing) {
            Some(kind) => {
                kinds.extend(kind.filter(|_| !self.said.iter().any(|it| it.is(&now.standing))));
                (now.standing.clone(), self.said_with(&now.standing))
            }
            None => (self.standing.clone(), self.said.clone()),
        };
        let overdue = now.overdue.filter(|at| self.overdue < Some(*at));
        kinds.extend(overdue.map(|_| Kind::Overdue));
        let told = Self {
            standing,
            announced: announced.or(self.announced),
            overdue: overdue.or(self.overdue),
            said,
        };
        (told, kinds)
    }

    /// What was said once this is, too; whatever lets it stand somewhere else ends what was said before.
    fn said_with(&self, now: &Standing) -> Vec<Standing> {
        let mut said = self.said.clone();
        match now {
            // It was reached again: another failure is news.
            Standing::Waiting { .. } => said.clear(),
            // Whoever has to look is told when it waits for them as planned again.
            Standing::Blocked { .. } => said.retain(|it| !matches!(it, Standing::Waiting { .. })),
            Standing::Failed { .. } => {}
            Standing::Moving { phase, .. } => {
                let stood_still =
                    |it: &Standing| matches!(it, Standing::Failed { phase: Some(failed), .. } if failed == phase);
                if !said.iter().any(stood_still) {
                    said.clear();
                }
                return said;
            }
            Standing::Quiet | Standing::Undone { .. } | Standing::Done { .. } => return Vec::new(),
        }
        match said.iter_mut().find(|it| it.is(now)) {
            Some(same) if now.is_clearer_than(same) => *same = now.clone(),
            Some(_) => {}
            None => said.push(now.clone()),
        }
        said
    }

    /// The notice of this change, where it makes one; `None`: there is no change.
    fn kind_of(&self, now: &Standing) -> Option<Option<Kind>> {
        if self.standing.is(now) {
            return now.is_clearer_than(&self.standing).then_some(None);
        }
        let is_same = self.standing.rotation().is_some() && self.standing.rotation() == now.rotation();
        Some(match now {
            Standing::Quiet => None,
            Standing::Moving { phase, .. } => match &self.standing {
                // A try again that has come no further.
                Standing::Failed {
                    phase: Some(failed), ..
                } if is_same && failed == phase => return None,
                _ if is_same => None,
                _ => Some(Kind::Begun),
            },
            Standing::Waiting { .. } => Some(Kind::Waits),
            Standing::Blocked { .. } => Some(Kind::Blocked),
            Standing::Failed { .. } => Some(Kind::Failed),
            Standing::Undone { .. } => Some(Kind::Undone),
            Standing::Done { .. } => Some(Kind::Done),
        })
    }
}
