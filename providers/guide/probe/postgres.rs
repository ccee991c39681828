//! A login at PostgreSQL, or at what speaks its protocol.

use serde::Deserialize;

use super::{Attempt, Outcome};
use crate::guide::Template;

/// A login at PostgreSQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresLogin {
    /// The server.
    pub server: Template,
    /// Its port.
    pub port: Template,
    /// The database.
    pub database: Template,
}

impl PostgresLogin {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        vec![&self.server, &self.port, &self.database]
    }
}
