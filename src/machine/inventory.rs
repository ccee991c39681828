//! What is seen of a target between its rotations, and whether anything there has changed behind our back.
//!
//! A key's age is observed and not assumed, so each look at the vendor is an event. A look that finds something nobody
//! asked for (a strange key, a new key that vanished, a user that was made again) is a *drift*: the target is blocked
//! until the vendor's side is as it was, or a person accepts what is there.

use jiff::Timestamp;
use rotate_providers::contract::{Key, KeyId, Observation, Principal};
use rotate_providers::guide::probe::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, CopiesDrift, Event, Illegal, Record};

/// One look at a target.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryReading {
    /// Who owned the keys.
    pub owner: Principal,
    /// The keys that existed, in the vendor's order.
    pub keys: Vec<SeenKey>,
    /// The one that was in use, where that could be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<KeyId>,
}

/// A key as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenKey {
    /// Its id.
    pub id: KeyId,
    /// Whether the vendor accepted it.
    pub active: bool,
    /// When it was made, by the vendor's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// What is known of a target between its rotations. What most targets have nothing of stands elsewhere: there are thousands at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// The last look at which everything was as expected; where there was none yet, what was found instead. Absent where nobody
    /// can look, and its credential was only tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sighting: Option<InventoryReading>,
    /// When everything was last as expected.
    pub seen_at: Option<Timestamp>,
    /// When it was looked at for the first time.
    pub first_at: Timestamp,
    /// What has changed since, where something has.
    pub drift: Option<Box<Drift>>,
    /// When a person last said to go on.
    pub released_at: Option<Timestamp>,
    /// The last try of its credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Box<Trial>>,
    /// The destinations that do not hold what was left there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<Box<CopiesDrift>>,
    /// Those of which a person has accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_copies: Option<Box<CopiesDrift>>,
}

/// One try of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What the vendor said. A refusal stands until it is accepted: what is inconclusive says nothing else.
    pub verdict: Verdict,
    /// The class of the answer.
    pub class: String,
    /// When it was tried last.
    pub at: Timestamp,
}

/// Something that changed behind our back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What, and since when it is known.
    pub block: Block,
    /// What was seen instead.
    pub found: InventoryReading,
}

impl InventoryReading {
    /// What an observation shows.
    pub fn of(found: &Observation, live: Option<&KeyId>) -> Self {
        let seen = |key: &Key| SeenKey {
            id: key.id.clone(),
            active: key.active,
            created_at: key.created_at,
        };
        Self {
            owner: found.owner.clone(),
            keys: found.keys.iter().map(seen).collect(),
            live: live.cloned(),
        }
    }

    /// When the key that is in use was made, where that is known.
    pub fn born_at(&self) -> Option<Timestamp> {
        let live = self.live.as_ref()?;
        self.keys.iter().find(|key| key.id == *live)?.created_at
    }
}

impl Inventory {
    /// What is known after one more look, or one more word.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        let illegal = Illegal {
            event: record.event.name(),
            phase: match &before {
                None => "unseen",
                Some(watch) if watch.drift.is_some() => "drifted",
                Some(_) => "seen",
            },
        };
        match (before, &record.event) {
            (before, Event::Sighted { sighting }) => Ok(Self {
                sighting: Some(sighting.clone()),
                seen_at: Some(record.at),
                drift: None,
                ..before.unwrap_or_else(|| Self::unseen(record.at))
            }),
            (before, Event::Drifted { why, sighting }) => {
                let drift = Drift {
                    block: Block {
                        why: why.clone(),
                        since: record.at,
                    },
                    found: sighting.clone(),
                };
                // What was expected at a first look is what a rotation left.
                let unseen = Self {
                    sighting: Some(sighting.clone()),
                    ..Self::unseen(record.at)
                };
                Ok(Self {
                    drift: Some(Box::new(drift)),
                    ..before.unwrap_or(unseen)
                })
            }
            (Some(mut watch), Event::CopiesDrifted { .. } | Event::CopiesAsLeft) => {
                watch.take_copies(&record.event, record.at);
                Ok(watch)
            }
            (Some(mut watch), Event::Released { .. }) => {
                // Of the vendor nothing was seen where destinations alone are accepted.
                let seen_at = match (&watch.drift, &watch.copies) {
                    (None, Some(_)) => watch.seen_at,
                    _ => Some(record.at),
                };
                watch.take_copies(&record.event, record.at);
                Ok(watch.released(seen_at, record.at))
            }
            (before, Event::Tried { verdict, class, .. }) => {
                let before = before.unwrap_or_else(|| Self::unseen(record.at));
                let refused = before.trial.as_ref().filter(|trial| trial.verdict == Verdict::Rejected);
                let trial = match (refused, verdict) {
                    // It stays known as what it was, and of when.
                    (Some(refused), Verdict::Inconclusive) => refused.clone(),
                    _ => Box::new(Trial {
                        verdict: *verdict,
                        class: class.clone(),
                        at: record.at,
                    }),
                };
                Ok(Self {
                    trial: Some(trial),
                    ..before
                })
            }
            _ => Err(illegal),
        }
    }

    fn released(self, seen_at: Option<Timestamp>, at: Timestamp) -> Self {
        Self {
            seen_at,
            sighting: self.drift.map(|drift| drift.found).or(self.sighting),
            drift: None,
            released_at: Some(at),
            ..self
        }
    }

    /// Of a target that was not looked at so far.
    pub fn unseen(at: Timestamp) -> Self {
        Self {
            sighting: None,
            seen_at: None,
            first_at: at,
            drift: None,
            released_at: None,
            trial: None,
            copies: None,
            accepted_copies: None,
        }
    }
}
