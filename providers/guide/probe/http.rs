//! One HTTP request with a credential, that only reads or asks for a token.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;
use crate::web::{Body, Request, form, hidden_header};

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
///
/// HEAD is none of them: its answer has no body, and a status alone accepts nothing here, because a captive portal, a page that asks
/// for a login and vendors that report errors with 200 send the same one. No connector's address needs it: the bodies are capped, and
/// neither kept nor shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Method {
    /// Reads.
    #[serde(rename = "GET")]
    Get,
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
        name: Template,
    },
    /// RFC 6749, section 2.3.1: who signs in and the secret, in the form.
    Form,
}

impl Http {
    /// The host of its address, where these values alone name it.
    pub(super) fn host_of_the_values(&self, values: &BTreeMap<String, String>) -> Option<String> {
        let url = Url::parse(&self.url.fill(values))
            .ok()
            .filter(|_| self.hosts.is_empty())?;
        Some(url.host_str()?.to_ascii_lowercase())
    }

    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        self.tried(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn tried(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let url = attempt.fill(&self.url)?;
        let mut headers = self.auth.headers(attempt)?;
        for (name, value) in &self.headers {
            headers.push((head(name)?, value_of(&attempt.fill(value)?)?));
        }
        let reply = attempt
            .network
            .send(Request {
                method: self.method.into(),
                url: &url,
                hosts: &self.hosts,
                headers,
                body: self.form(attempt)?.map(Body::form),
                is_secret_place: false,
                reads: &|status| self.answers.reads(status),
            })
            .await?;
        let outcome = self.answers.judge_for(attempt.values, reply.status, &reply.body);
        Ok(Outcome {
            through_proxy: reply.through_proxy,
            ..outcome
        })
    }

    fn form(&self, attempt: Attempt<'_>) -> Result<Option<Zeroizing<String>>, Outcome> {
        if self.method != Method::Post {
            return Ok(None);
        }
        let mut fields = Vec::new();
        for (name, value) in &self.form {
            fields.push((name.as_str(), attempt.fill(value)?));
        }
        let mut all: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if matches!(self.auth, Auth::Form) {
            all.push(("client_id", attempt.login()?));
            all.push(("client_secret", attempt.text()?));
        }
        Ok(Some(form(all)))
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        let texts = self.form.values().chain(self.headers.values());
        let header = match &self.auth {
            Auth::Header { name } => Some(name),
            _ => None,
        };
        texts
            .chain([&self.url])
            .chain(header)
            .chain(self.answers.texts())
            .collect()
    }
}

impl Auth {
    fn headers(&self, attempt: Attempt<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Outcome> {
        let secret = attempt.text()?;
        let (name, value) = match self {
            Self::Bearer => (AUTHORIZATION, Zeroizing::new(["Bearer ", secret].concat())),
            Self::Basic => {
                let login = attempt.login()?;
                if login.contains(':') {
                    return Err(Outcome::inconclusive(
                        "login",
                        "who signs in has a colon in the name, which this way of signing in cannot carry",
                    ));
                }
                (AUTHORIZATION, basic(login, secret))
            }
            Self::BasicUser { password } => (AUTHORIZATION, basic(secret, password)),
            Self::Header { name } => (head(&attempt.fill(name)?)?, Zeroizing::new(secret.to_owned())),
            Self::Form => return Ok(Vec::new()),
        };
        let unfit = || Outcome::inconclusive("secret-form", "it holds letters that no request can carry");
        Ok(vec![(name, hidden_header(value).ok_or_else(unfit)?)])
    }
}

fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let both = Zeroizing::new([user, ":", password].concat());
    let mut text = Zeroizing::new(String::with_capacity(8 + 2 * both.len()));
    text.push_str("Basic ");
    BASE64_STANDARD.encode_string(both.as_bytes(), &mut text);
    text
}

fn head(name: &str) -> Result<HeaderName, Outcome> {
    let name = HeaderName::from_bytes(name.as_bytes());
    name.map_err(|_| Outcome::inconclusive("request", "the name of a header is none"))
}

fn value_of(text: &str) -> Result<HeaderValue, Outcome> {
    HeaderValue::from_str(text).map_err(|_| Outcome::inconclusive("request", "a value fits into no header"))
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
        }
    }
}
