//! A grant by an assertion that a service account's key signs: RFC 7523, section 2.1.

use serde::Deserialize;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;

/// A service account's key file, tried where tokens are given out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtBearer {
    /// Where tokens are given out, https. The key file is not asked.
    pub token_url: Template,
    /// The vendor's hosts, as in an HTTP probe.
    pub hosts: Vec<String>,
    /// What the token would be good for.
    pub scope: String,
    /// The project that the key has to belong to.
    pub project: Option<Template>,
    /// What the answers mean.
    pub answers: Answers,
}

impl JwtBearer {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        [&self.token_url].into_iter().chain(&self.project).collect()
    }
}
