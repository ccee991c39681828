//! What made a rotation begin, and who.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Actor;

/// What made a rotation begin, and who.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// What.
    pub trigger: Trigger,
    /// Who.
    pub by: Actor,
}

/// What makes a rotation begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The age of the key, by the configuration.
    Due,
    /// A person, who wants it before that, or whatever its age.
    Ordered,
}

impl Trigger {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Ordered => "ordered",
        }
    }
}

impl Begun {
    /// By the configuration.
    pub fn due() -> Self {
        Self {
            trigger: Trigger::Due,
            by: Actor::Program,
        }
    }

    /// By the order of this person.
    pub fn ordered(by: &str) -> Self {
        Self {
            trigger: Trigger::Ordered,
            by: Actor::Person(by.to_owned()),
        }
    }
}
