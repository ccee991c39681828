//! What the login may do, as the store itself says before anything is done.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::session::Session;
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

    /// Whether it may see what is there.
    pub(super) async fn check_reading(&self, session: &Session) -> Result<(), Fault> {
        for path in [&self.metadata, &self.data] {
            check("read", path, session).await?;
        }
        Ok(())
    }

    /// Whether it may write there. A secret that is there is updated, and any other is created.
    pub(super) async fn check_writing(&self, is_there: bool, session: &Session) -> Result<(), Fault> {
        if !is_there {
            check("create", &self.data, session).await?;
        }
        check("update", &self.data, session).await
    }
}

async fn check(verb: &str, (path, allowed): &(String, Vec<String>), session: &Session) -> Result<(), Fault> {
    if allowed.iter().any(|allowed| [verb, "root"].contains(&allowed.as_str())) {
        return Ok(());
    }
    Err(session.lacks(&format!("{verb} {path}")).await?)
}
