//! Credentials that are tried at their vendor, by a login that only reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which credential of a guided rotation was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tried {
    /// The one that comes.
    New,
    /// The one that is to go.
    Old,
    /// The one that is in use, while no rotation is open.
    Present,
}

impl Tried {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Present => "present",
        }
    }
}
