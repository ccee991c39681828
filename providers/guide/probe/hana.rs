//! A login at SAP HANA.

use serde::Deserialize;

use super::{Attempt, Outcome};
use crate::guide::Template;

/// A login at SAP HANA.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HanaLogin {
    /// The server.
    pub server: Template,
    /// Its port.
    pub port: Template,
}

impl HanaLogin {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        vec![&self.server, &self.port]
    }
}
