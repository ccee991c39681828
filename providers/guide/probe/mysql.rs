//! A login at MySQL.

use serde::Deserialize;

use super::{Attempt, Outcome};
use crate::guide::Template;

/// A login at MySQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MysqlLogin {
    /// The server.
    pub server: Template,
    /// Its port.
    pub port: Template,
}

impl MysqlLogin {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        vec![&self.server, &self.port]
    }
}
