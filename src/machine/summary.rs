//! A rotation as the store keeps it beside its journal: the new key stands in the phase, as it did in the first version.
//!
//! A summary is compared with the journal word for word, also by older versions of this program: what is written never changes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::contract::KeyId;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{Attempt, Block, Hooks, Issued, Phase, Replacement, Rotation, RotationSpec, Undo};

#[derive(Serialize)]
struct Written<'a> {
    charter: &'a RotationSpec,
    opened_at: Timestamp,
    attempts: &'a [Attempt],
    discarded: &'a BTreeSet<KeyId>,
    phase: PhaseWithKey<'a>,
    undo: Option<&'a Undo>,
    blocked: Option<&'a Block>,
    #[serde(skip_serializing_if = "Hooks::is_empty")]
    hooks: &'a Hooks,
}

/// A phase, and the new key that is to stand in it.
struct PhaseWithKey<'a>(&'a Phase, Option<&'a Issued>);

#[derive(Serialize)]
struct ReplacementWithKey<'a> {
    issued: &'a Issued,
    #[serde(flatten)]
    replacement: &'a Replacement,
}

impl Serialize for Rotation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            charter: &self.spec,
            opened_at: self.opened_at,
            attempts: &self.attempts,
            discarded: &self.discarded,
            phase: PhaseWithKey(&self.phase, self.new_key.as_ref()),
            undo: self.undo.as_ref(),
            blocked: self.blocked.as_ref(),
            hooks: &self.hooks,
        };
        written.serialize(to)
    }
}

impl Serialize for PhaseWithKey<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(phase, new_key) = self;
        let name = phase.name();
        let Some(issued) = *new_key else {
            return match phase {
                Phase::Opened | Phase::Creating | Phase::Aborted | Phase::RolledBack => to.serialize_str(name),
                Phase::Discarding(key) => (Named { name, holds: key }).serialize(to),
                _ => Err(S::Error::custom(format!("there is no new key in the phase `{name}`"))),
            };
        };
        match phase {
            Phase::Opened | Phase::Creating | Phase::Discarding(_) | Phase::Aborted | Phase::RolledBack => {
                Err(S::Error::custom(format!("there is a new key in the phase `{name}`")))
            }
            Phase::Minted
            | Phase::Created
            | Phase::Verified
            | Phase::Deleted
            | Phase::Withdrawing
            | Phase::Withdrawn
            | Phase::Done => (Named { name, holds: issued }).serialize(to),
            Phase::Prepared(replacement)
            | Phase::Replacing(replacement)
            | Phase::Replaced(replacement)
            | Phase::Reverting(replacement)
            | Phase::Reverted(replacement) => {
                let holds = ReplacementWithKey { issued, replacement };
                (Named { name, holds }).serialize(to)
            }
            Phase::Delivered(at) => (Named {
                name,
                holds: (issued, at),
            })
            .serialize(to),
            Phase::CutOver(switch) | Phase::Deactivating(switch) => (Named {
                name,
                holds: (issued, switch),
            })
            .serialize(to),
            Phase::Deactivated(switch, retired)
            | Phase::Soaking(switch, retired)
            | Phase::Deleting(switch, retired) => (Named {
                name,
                holds: (issued, switch, retired),
            })
            .serialize(to),
            Phase::Reactivating(switch, why) => (Named {
                name,
                holds: (issued, switch, why),
            })
            .serialize(to),
        }
    }
}

/// A phase's name, and what the phase holds.
struct Named<T> {
    name: &'static str,
    holds: T,
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_newtype_variant("Phase", 0, self.name, &self.holds)
    }
}

/// What is read.
#[derive(Deserialize)]
pub(super) struct Kept {
    charter: RotationSpec,
    opened_at: Timestamp,
    attempts: Vec<Attempt>,
    discarded: BTreeSet<KeyId>,
    phase: Value,
    undo: Option<Undo>,
    blocked: Option<Block>,
    #[serde(default)]
    hooks: Hooks,
}

impl TryFrom<Kept> for Rotation {
    type Error = serde_json::Error;

    fn try_from(mut kept: Kept) -> Result<Self, Self::Error> {
        let new_key = lifted(&mut kept.phase).map(serde_json::from_value).transpose()?;
        Ok(Self {
            spec: kept.charter,
            opened_at: kept.opened_at,
            attempts: kept.attempts,
            discarded: kept.discarded,
            new_key,
            phase: serde_json::from_value(kept.phase)?,
            undo: kept.undo,
            blocked: kept.blocked,
            hooks: kept.hooks,
        })
    }
}

/// Takes the new key out of a phase in which there is one: it is all that it holds, the first of it, or what bears its name.
fn lifted(phase: &mut Value) -> Option<Value> {
    let (name, content) = phase.as_object_mut()?.iter_mut().next()?;
    match content {
        Value::Object(fields) if fields.contains_key("issued") => fields.remove("issued"),
        Value::Object(_) => {
            let (name, issued) = (name.clone(), content.take());
            *phase = Value::String(name);
            Some(issued)
        }
        Value::Array(parts) if !parts.is_empty() => {
            let issued = parts.remove(0);
            // One thing alone stands without brackets.
            if parts.len() == 1 {
                *content = parts.remove(0);
            }
            Some(issued)
        }
        _ => None,
    }
}
