//! A rotation that is being undone: who asked for it, how far back it goes, and what became of the destinations.

use std::collections::BTreeMap;
use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rotation that is being undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// Before or after the cut-over.
    pub kind: UndoKind,
    /// Why.
    pub why: String,
    /// Who asked; the program where the new key proved useless.
    pub by: Actor,
    /// Whether the new key goes even if someone uses it.
    pub forced: bool,
    /// Whether the old key was switched on again for it.
    pub reactivated: bool,
    /// Whether the person insisted after having been told what stands in the way.
    pub insisted: bool,
    /// Whether the person, told of a key that cannot be attributed, has the rotation end without touching any.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disowns: bool,
    /// What became of each destination.
    pub restored: BTreeMap<String, Restored>,
}

/// What is being undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoKind {
    /// A rotation whose consumers have not moved.
    Abort,
    /// A rotation whose consumers have moved.
    Rollback,
}

/// Who asks for something. The journal has a text: `rotate` is the program, and a person's has a user id in it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Actor {
    /// The program itself.
    Program,
    /// A person.
    Person(String),
}

impl Actor {
    const PROGRAM: &str = "rotate";

    /// How the journal writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Program => Self::PROGRAM,
            Self::Person(name) => name,
        }
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        match name.as_str() {
            Self::PROGRAM => Self::Program,
            _ => Self::Person(name),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.name().to_owned()
    }
}

/// What became of a destination when its rotation was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restored {
    /// It holds again what it held before.
    PutBack,
    /// Someone has changed it since; it was left alone.
    ChangedSince,
    /// It could not be put back, and the person said to go on all the same.
    Skipped,
}
