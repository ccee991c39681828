//! Whether a credential is alive, found out by one login that only reads: what is asked, as data of a guide, and who asks.
//!
//! Protocols stand here and know no vendor; hosts, addresses and what an answer means are data of the connector. A probe gives one
//! of three verdicts, and only the vendor's own refusal is a rejection: whatever stands between here and there is inconclusive.

mod answers;
pub(super) mod check;
mod client_assertion;
mod database;
mod http;
mod json_login;
mod jwt_bearer;
mod mysql;
mod outcome;
mod postgres;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Deserialize;
use tracing::Instrument;
use tracing::field::Empty;
use url::Url;

use super::{Only, Piece, Template};
use crate::secret::Secret;
use crate::trace::failed;
use crate::web::Network;

pub use crate::inputs::Mistaken;
pub use answers::{Answer, Answers, Meant};
pub use client_assertion::ClientAssertion;
pub use http::{Auth, Http};
pub use json_login::{JsonLogin, Said};
pub use jwt_bearer::JwtBearer;
pub use mysql::MysqlLogin;
pub use outcome::{Outcome, Verdict};
pub use postgres::PostgresLogin;

/// What is over after a moment is over then.
const BEFORE_THE_SECOND: Duration = Duration::from_secs(1);

/// How a guide's credential is tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What it does at the vendor, for people: `asks Freshdesk whose key it is`.
    pub does: String,
    /// The step of the rotation that it stands for; the first that proves anything, unless told otherwise.
    pub step: Option<String>,
    /// What its acceptance does not show: `that the agent may read tickets`.
    pub beyond: Option<String>,
    /// The answers with which alone it can be tried like this.
    #[serde(default)]
    pub only: Vec<Only>,
    /// The credential of a rotation that alone is tried like this, where old and new are not of one kind.
    pub credential: Option<Which>,
    /// Who signs in, where the secret alone does not say it: a user, a client, an account.
    pub login: Option<Template>,
    /// The same for the new credential of a rotation, where that has another name.
    pub new_login: Option<Template>,
    /// Whether wrong tries may lock whoever signs in: then an old secret is tried by nobody who has not been told.
    #[serde(default)]
    pub locks: bool,
    /// What the secret looks like.
    pub secret: SecretForm,
    /// How it is done.
    pub how: How,
    /// Other ways, for credentials that this one is not for.
    #[serde(default)]
    pub or: Vec<Probe>,
}

/// What a secret looks like, told before it is sent anywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretForm {
    /// What it is: `the API key`.
    pub what: String,
    /// Whether it has lines, as key files do.
    #[serde(default)]
    pub lines: bool,
    /// What people give in its place.
    #[serde(default)]
    pub mistaken: Vec<Mistaken>,
}

/// The protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum How {
    /// One HTTP request.
    Http(Http),
    /// RFC 7523, section 2.1: an assertion, signed with the key of a service account, for an access token.
    JwtBearer(JwtBearer),
    /// RFC 7523, section 2.2: a client that signs in with an assertion.
    ClientAssertion(ClientAssertion),
    /// A login at PostgreSQL, or at what speaks its protocol.
    PostgresLogin(PostgresLogin),
    /// A login at MySQL.
    MysqlLogin(MysqlLogin),
    /// A login whose request is one JSON document.
    JsonLogin(JsonLogin),
    /// Code of the connector's own.
    Own,
}

/// One try: what is tried, and by which way. The secret is in clear on the wire only.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The inputs, defaults included.
    pub values: &'a BTreeMap<String, String>,
    /// Who signs in.
    pub login: Option<&'a str>,
    /// The secret.
    pub secret: &'a Secret,
    /// How the vendor is reached.
    pub network: &'a Network,
}

impl SecretForm {
    /// Why a secret of this form cannot be the one that is meant. Nothing of it is told.
    pub fn flaw(&self, secret: &Secret, values: &BTreeMap<String, String>) -> Option<String> {
        let what = &self.what;
        let bytes = secret.expose();
        if bytes.is_empty() {
            return Some("it is empty".to_owned());
        }
        let Some(text) = secret.expose_text() else {
            return Some(format!("it is no text in UTF-8, and {what} is"));
        };
        if !self.lines && text.contains(['\n', '\r']) {
            return Some(format!("it has several lines, and {what} is one"));
        }
        if !self.lines && text.chars().any(char::is_control) {
            return Some(format!(
                "it has control characters in it, and {what} has none: it was pasted with more than itself"
            ));
        }
        if !self.lines && text.trim() != text {
            return Some(format!(
                "it begins or ends with a blank, and {what} does not: it was pasted with more than itself"
            ));
        }
        if !self.lines && text.starts_with("-----BEGIN ") {
            return Some(format!("it is a key or a certificate in PEM, and not {what}"));
        }
        if let Some((name, _)) = values.iter().find(|(_, value)| *value == text) {
            return Some(format!(
                "it is what was given as --{}, and not {what}",
                name.replace('_', "-")
            ));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return Some(format!("it is an address, and not {what}"));
        }
        let mistaken = self.mistaken.iter().find(|mistaken| mistaken.pattern.is_match(text));
        mistaken.map(|mistaken| mistaken.is.clone())
    }
}

impl Attempt<'_> {
    /// A text with the inputs in it; one that is missing is named.
    pub(crate) fn fill(&self, text: &Template) -> Result<String, Outcome> {
        let missing = text.pieces().iter().find_map(|piece| match piece {
            Piece::Value { input, .. } if !self.values.contains_key(input) => Some(input),
            _ => None,
        });
        match missing {
            None => Ok(text.fill(self.values)),
            Some(input) => Err(Outcome::inconclusive(
                "input-missing",
                format!("{input} was not told: give --{}", input.replace('_', "-")),
            )),
        }
    }

    /// Who signs in.
    pub(crate) fn login(&self) -> Result<&str, Outcome> {
        let login = self.login.filter(|login| !login.is_empty());
        login.ok_or_else(|| Outcome::inconclusive("input-missing", "it was not told who signs in"))
    }

    /// The secret, where it is text.
    pub(crate) fn text(&self) -> Result<&str, Outcome> {
        let text = self.secret.expose_text();
        text.ok_or_else(|| Outcome::inconclusive("secret-form", "the secret is no text in UTF-8"))
    }
}

/// A probe that is code of a connector's own.
pub type Own = for<'a> fn(Attempt<'a>) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Which credential of a rotation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The one that is in use, or that is about to be replaced.
    Present,
    /// The one that takes its place.
    New,
}

impl Probe {
    /// Tries a credential: once, and a second time where the vendor has said nothing and counts nobody out.
    pub async fn run(&self, own: Option<Own>, attempt: Attempt<'_>) -> Outcome {
        let first = self.try_once(own, attempt).await;
        if self.locks || !first.may_be_repeated {
            return first;
        }
        tokio::time::sleep(BEFORE_THE_SECOND).await;
        self.try_once(own, attempt).await
    }

    /// Tries a credential once, whatever comes of it.
    pub async fn try_once(&self, own: Option<Own>, attempt: Attempt<'_>) -> Outcome {
        let span = tracing::info_span!(
            "probe",
            otel.status_code = Empty,
            rotate.probe.verdict = Empty,
            error.type = Empty,
        );
        let outcome = self.tried(own, attempt).instrument(span.clone()).await;
        span.record("rotate.probe.verdict", outcome.verdict.name());
        if outcome.verdict == Verdict::Inconclusive {
            failed(&span, &outcome.class);
        }
        outcome
    }

    async fn tried(&self, own: Option<Own>, attempt: Attempt<'_>) -> Outcome {
        match &self.how {
            How::Http(http) => http.run(attempt).await,
            How::JwtBearer(jwt) => jwt.run(attempt).await,
            How::ClientAssertion(assertion) => assertion.run(attempt).await,
            How::PostgresLogin(login) => login.run(attempt).await,
            How::MysqlLogin(login) => login.run(attempt).await,
            How::JsonLogin(login) => login.run(attempt).await,
            How::Own => match own {
                Some(own) => own(attempt).await,
                None => Outcome::inconclusive("not-built", "this build has no probe for it"),
            },
        }
    }

    /// The way for this credential of the rotation that these values are about, if there is one; outside of any rotation the
    /// values alone say of what kind the credential is.
    pub fn fitting(&self, values: &BTreeMap<String, String>, which: Option<Which>) -> Option<&Self> {
        let is_meant = |way: &&Self| way.credential.is_none() || which.is_none() || way.credential == which;
        self.ways().filter(is_meant).find(|way| way.fits(values))
    }

    /// Whose wrong tries a vendor counts together: who signs in, and where.
    pub fn account(&self, which: Which, values: &BTreeMap<String, String>) -> String {
        let login = self.login_of(which).map(|login| login.fill(values));
        format!("{}\n{}", self.how.place(values), login.unwrap_or_default())
    }

    /// The host that a credential would be sent to, where the guide has no hosts of the vendor's and these values alone name it.
    pub fn host_of_the_values(&self, values: &BTreeMap<String, String>) -> Option<String> {
        match &self.how {
            How::Http(http) => http.host_of_the_values(values),
            How::PostgresLogin(login) => Some(login.server.fill(values)),
            How::MysqlLogin(login) => Some(login.server.fill(values)),
            How::JwtBearer(_) | How::ClientAssertion(_) | How::JsonLogin(_) | How::Own => None,
        }
    }

    /// All ways.
    pub fn ways(&self) -> impl Iterator<Item = &Self> {
        [self].into_iter().chain(&self.or)
    }

    fn fits(&self, values: &BTreeMap<String, String>) -> bool {
        let fits = |only: &Only| values.get(&only.input) == Some(&only.is);
        self.only.iter().all(fits)
    }

    /// Who signs in with this credential.
    pub fn login_of(&self, which: Which) -> Option<&Template> {
        let new = self.new_login.as_ref().filter(|_| which == Which::New);
        new.or(self.login.as_ref())
    }

    /// Every text of it that values go into.
    pub fn texts(&self) -> Vec<&Template> {
        let mut texts: Vec<&Template> = self.login.iter().chain(&self.new_login).collect();
        texts.extend(self.how.texts());
        texts
    }

    /// The same, of the try of one credential.
    pub fn texts_of(&self, which: Which) -> Vec<&Template> {
        let mut texts: Vec<&Template> = self.login_of(which).into_iter().collect();
        texts.extend(self.how.texts());
        texts
    }
}

impl How {
    /// Where people sign in, whatever else is asked there.
    fn place(&self, values: &BTreeMap<String, String>) -> String {
        let host_of = |url: &Template| {
            let url = url.fill(values);
            let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
            host.unwrap_or(url)
        };
        let server = |server: &Template, port: &Template| format!("{}:{}", server.fill(values), port.fill(values));
        let place = match self {
            Self::Http(http) => host_of(&http.url),
            Self::JwtBearer(jwt) => host_of(&jwt.token_url),
            Self::ClientAssertion(assertion) => host_of(&assertion.token_url),
            Self::JsonLogin(login) => host_of(&login.url),
            Self::PostgresLogin(login) => server(&login.server, &login.port),
            Self::MysqlLogin(login) => server(&login.server, &login.port),
            Self::Own => String::new(),
        };
        place.to_ascii_lowercase()
    }

    fn texts(&self) -> Vec<&Template> {
        match self {
            Self::Http(http) => http.texts(),
            Self::JwtBearer(jwt) => jwt.texts(),
            Self::ClientAssertion(assertion) => assertion.texts(),
            Self::PostgresLogin(login) => login.texts(),
            Self::MysqlLogin(login) => login.texts(),
            Self::JsonLogin(login) => login.texts(),
            Self::Own => Vec::new(),
        }
    }
}
