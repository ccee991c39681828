//! What is known of the two keys of a rotation: how the new one came about, where it is, and since when the old one is off.

use std::collections::BTreeSet;
use std::ops::Not;

use jiff::Timestamp;
use rotate_providers::contract::{KeyId, LastUse, PublicHalf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Event;

/// One attempt at creating a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When its intent was recorded.
    pub at: Timestamp,
    /// The keys that existed before.
    pub ids_before: BTreeSet<KeyId>,
    /// When, by the vendor's clock, its key can have been made; where that is not on record, around its intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_within: Option<Span>,
}

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Span {
    /// Whether this moment is in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// The new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its id.
    pub key: KeyId,
    /// Its public half, where it is a key pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicHalf>,
    /// When the program itself last used it: the vendor's record of use shows our own proofs too.
    pub proved_at: Option<Timestamp>,
    /// Destinations that may hold it.
    pub reached: BTreeSet<String>,
    /// Destinations that hold it for certain.
    pub delivered: BTreeSet<String>,
}

impl Issued {
    fn new(key: &KeyId, public: Option<&PublicHalf>) -> Self {
        Self {
            key: key.clone(),
            public: public.cloned(),
            proved_at: None,
            reached: BTreeSet::new(),
            delivered: BTreeSet::new(),
        }
    }

    /// The new key after an event that fits where its rotation stands.
    pub(super) fn after(before: Option<Self>, event: &Event, at: Timestamp) -> Option<Self> {
        let Some(mut new) = before else {
            return match event {
                Event::Created { key, .. } | Event::Generated { key, .. } => Some(Self::new(key, None)),
                Event::Minted { key, public } => Some(Self::new(key, Some(public))),
                _ => None,
            };
        };
        match event {
            Event::Proved => new.proved_at = Some(at),
            // A login has shown it, and the vendor has a name for it from here on.
            Event::Replaced { key, .. } => {
                new.key = key.clone();
                new.proved_at = Some(at);
            }
            Event::DeliverIntended { destination } => {
                new.reached.insert(destination.clone());
            }
            Event::Delivered { destination } => {
                new.reached.insert(destination.clone());
                new.delivered.insert(destination.clone());
            }
            Event::Aborted | Event::RolledBack => return None,
            _ => {}
        }
        Some(new)
    }

    /// Whether each of these destinations holds it.
    pub(super) fn is_delivered_to(&self, destinations: &[String]) -> bool {
        destinations.iter().all(|name| self.delivered.contains(name))
    }
}

/// The cut-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// When.
    pub at: Timestamp,
    /// How it became known.
    pub by: SwitchedBy,
}

/// How the cut-over became known.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchedBy {
    /// A person said so.
    Person(String),
    /// A person said so, where no record shows that the new key is in use.
    Attested {
        /// Who.
        by: String,
        /// What they have seen.
        evidence: String,
    },
    /// The vendor's record of use shows it.
    Observed {
        /// The new key's last use.
        new: LastUse,
        /// The old key's last use.
        old: LastUse,
    },
    /// The delivery is the cut-over.
    Delivery,
}

/// The old key since it was disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Since when.
    pub at: Timestamp,
    /// Whether the new key was proven since, where that is for us to do.
    pub proved: bool,
    /// Whether its consumer has used it since, where the proof rests on that.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub used: bool,
}

impl Retired {
    pub(super) fn since(at: Timestamp) -> Self {
        Self {
            at,
            proved: false,
            used: false,
        }
    }
}
