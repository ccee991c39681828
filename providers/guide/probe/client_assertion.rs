//! A client that signs in with an assertion: RFC 7523, section 2.2.

use serde::Deserialize;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;

/// A client's certificate with its private key, tried where tokens are given out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientAssertion {
    /// Where tokens are given out, https.
    pub token_url: Template,
    /// The vendor's hosts, as in an HTTP probe.
    pub hosts: Vec<String>,
    /// What else the form says: `scope`.
    pub form: std::collections::BTreeMap<String, Template>,
    /// What the answers mean.
    pub answers: Answers,
}

impl ClientAssertion {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        [&self.token_url].into_iter().chain(self.form.values()).collect()
    }
}
