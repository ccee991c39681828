//! What the login may do, as the store itself says before anything is done.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::wire::Reply;
use crate::delivery::Fault;

/// What is allowed at the two paths of a secret.
pub(super) struct Rights {
    data: (String, Vec<String>),
    metadata: (String, Vec<String>),
}

#[derive(Deserialize)]
struct Told {
    data: BTreeMap<String, Vec<String>>,
}

impl Rights {
    pub(super) fn read(reply: &Reply, data: String, metadata: String) -> Result<Self, Fault> {
        let mut told: Told = reply.parsed()?;
        let mut of = |path: String| {
            let allowed = told.data.remove(&path).unwrap_or_default();
            (path, allowed)
        };
        Ok(Self {
            data: of(data),
            metadata: of(metadata),
        })
    }

    /// What it lacks to see what is there.
    pub(super) fn lacks_reading(&self) -> Option<String> {
        [&self.metadata, &self.data]
            .into_iter()
            .find_map(|path| lacks("read", path))
    }

    /// What it lacks to write there. A secret that is there is updated, and any other is created.
    pub(super) fn lacks_writing(&self, is_there: bool) -> Option<String> {
        let creating = (!is_there).then(|| lacks("create", &self.data)).flatten();
        creating.or_else(|| lacks("update", &self.data))
    }
}

/// This right, unless it has it.
fn lacks(verb: &str, (path, allowed): &(String, Vec<String>)) -> Option<String> {
    let is_allowed = allowed.iter().any(|allowed| [verb, "root"].contains(&allowed.as_str()));
    (!is_allowed).then(|| format!("{verb} {path}"))
}
