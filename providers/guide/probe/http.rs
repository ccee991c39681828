//! One HTTP request with a credential, that only reads or asks for a token.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;

/// One HTTP request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// What is done there.
    pub method: Method,
    /// Where, https.
    pub url: Template,
    /// The vendor's hosts: a whole name, or with a dot before it all names that end so. Empty where the person names the address.
    pub hosts: Vec<String>,
    /// Where the secret goes.
    pub auth: Auth,
    /// What else a form says that is sent: `grant_type`.
    #[serde(default)]
    pub form: BTreeMap<String, Template>,
    /// What else the head of the request says.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// What the answers mean.
    pub answers: Answers,
}

/// What is done at an address. POST goes to where tokens are given out, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Method {
    /// Reads.
    #[serde(rename = "GET")]
    Get,
    /// Reads the head alone.
    #[serde(rename = "HEAD")]
    Head,
    /// Asks for a token.
    #[serde(rename = "POST")]
    Post,
}

/// Where the secret goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "style", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// RFC 6750, in the head.
    Bearer,
    /// RFC 7617: who signs in, and the secret as the password.
    Basic,
    /// RFC 7617: the secret as the user, and this word as the password.
    BasicUser {
        /// A word that means nothing.
        password: String,
    },
    /// A head of the vendor's own.
    Header {
        /// Its name.
        name: String,
    },
    /// RFC 6749, section 2.3.1: who signs in and the secret, in the form.
    Form,
}

impl Http {
    pub(super) async fn run(&self, _attempt: Attempt<'_>) -> Outcome {
        Outcome::inconclusive("not-built", "not built")
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        let texts = self.form.values().chain(self.headers.values());
        texts.chain([&self.url]).collect()
    }
}
