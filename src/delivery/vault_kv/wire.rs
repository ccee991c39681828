//! One call of the store: to one address, without following where it is led, and without reading more of an answer than there
//! can be.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method};
use rotate_providers::authorities;
use rotate_providers::endpoint::host_elsewhere;
use rotate_providers::secret::Secret;
use rotate_providers::web::{self, Broken, hidden_body, hidden_header};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::faults::{denied, passing, unfit};
use crate::delivery::Fault;

/// A secret has up to 1 MiB, and an answer is hardly longer than what it holds.
const MOST_BYTES: usize = 2 << 20;

const CONNECTED: Duration = Duration::from_secs(10);
const ANSWERED: Duration = Duration::from_secs(30);

/// How often a call that may be repeated is made, and what lies between the first two.
const MOST_CALLS: u32 = 3;
const SPACING: Duration = Duration::from_millis(300);

/// What is written as it is in a part of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'@')
    .remove(b':')
    .remove(b'=')
    .remove(b',');

/// Where it is, for now.
pub(super) struct Server {
    /// Without a slash at its end.
    pub(super) address: String,
    /// What has named it.
    pub(super) named_by: &'static str,
    pub(super) namespace: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

/// Everything that goes to one server.
pub(super) struct Wire {
    client: Client,
    pub(super) server: Server,
}

/// One call.
pub(super) struct Call<'a> {
    /// What it does there, for people: `read`.
    pub(super) verb: &'static str,
    pub(super) method: Method,
    /// Behind `/v1/`, not yet encoded.
    pub(super) path: &'a str,
    pub(super) version: Option<u64>,
    pub(super) body: Option<Zeroizing<String>>,
    pub(super) repeat: Repeat,
}

/// What a second call of the same does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Nothing that the first one did not.
    Harmless,
    /// It may use something up.
    Never,
}

/// An answer. Its body may hold secrets.
pub(super) struct Reply {
    pub(super) status: u16,
    body: Zeroizing<Vec<u8>>,
    pub(super) leads_to: Option<String>,
    pub(super) wait: Option<Duration>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

/// A token in the head of a request, where no diagnostics show it.
pub(super) fn hidden(token: &Secret) -> Result<HeaderValue, Fault> {
    let text = token.expose_text().map(|text| Zeroizing::new(text.to_owned()));
    text.and_then(hidden_header).ok_or_else(|| {
        denied(
            "the token holds letters that no token has".to_owned(),
            "see what is in its file or variable",
        )
    })
}

impl<'a> Call<'a> {
    pub(super) fn read(path: &'a str) -> Self {
        Self {
            verb: "read",
            method: Method::GET,
            path,
            version: None,
            body: None,
            repeat: Repeat::Harmless,
        }
    }

    pub(super) fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    pub(super) fn send(verb: &'static str, path: &'a str, body: Zeroizing<String>, repeat: Repeat) -> Self {
        Self {
            verb,
            method: Method::POST,
            path,
            version: None,
            body: Some(body),
            repeat,
        }
    }
}

impl Reply {
    /// What it says, in the form that is expected. Nothing of it is repeated where it is something else.
    pub(super) fn parsed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|_| {
            unfit(
                "what answers there does not answer as a key-value store does".to_owned(),
                "see what VAULT_ADDR or address= leads to",
            )
        })
    }

    /// Whether an error in it has these words. What the server says is compared and never repeated.
    pub(super) fn says(&self, words: &str) -> bool {
        let errors = serde_json::from_slice::<Errors>(&self.body).map(|told| told.errors);
        errors.unwrap_or_default().iter().any(|error| error.contains(words))
    }

    /// Whether it is the store's own word that there is no such thing. Whatever else answers with 404 does not know.
    pub(super) fn is_nothing(&self) -> bool {
        let errors = serde_json::from_slice::<Errors>(&self.body).map(|told| told.errors);
        self.status == 404 && errors.is_ok_and(|errors| errors.is_empty())
    }

    /// Whether the same call may be answered otherwise in a moment.
    fn is_passing(&self) -> bool {
        matches!(self.status, 412 | 429 | 472 | 473 | 500 | 502..=504) && !self.says("sealed")
    }
}

impl Wire {
    pub(super) fn to(server: Server) -> Result<Self, Fault> {
        let tls = authorities::trusted(server.ca_file.as_deref()).map_err(|why| {
            unfit(
                format!("the authorities of its certificate cannot be read: {why}"),
                "name a file of certificates in PEM with ca_file= or VAULT_CACERT",
            )
        })?;
        let mut headers = HeaderMap::new();
        // An agent on the way may ask for it, as a sign that no browser was led there.
        headers.insert(
            HeaderName::from_static("x-vault-request"),
            HeaderValue::from_static("true"),
        );
        if let Some(namespace) = server
            .namespace
            .as_deref()
            .and_then(|it| HeaderValue::from_str(it).ok())
        {
            headers.insert(HeaderName::from_static("x-vault-namespace"), namespace);
        }
        let builder = web::client(tls, CONNECTED).default_headers(headers).timeout(ANSWERED);
        let is_here = host_elsewhere(&server.address).is_none();
        let builder = if is_here { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|_| {
            unfit(
                "no HTTPS client could be made here".to_owned(),
                "see HTTPS_PROXY and NO_PROXY",
            )
        })?;
        Ok(Self { client, server })
    }

    /// Makes the call, again where that is harmless and the answer is none to believe yet.
    pub(super) async fn send(&self, call: &Call<'_>, token: Option<&HeaderValue>) -> Result<Reply, Fault> {
        let calls = match call.repeat {
            Repeat::Harmless => MOST_CALLS,
            Repeat::Never => 1,
        };
        let mut spacing = SPACING;
        for _ in 1..calls {
            let wait = match self.once(call, token).await {
                Ok(reply) if reply.is_passing() => reply.wait,
                Err(fault) if fault.is_passing() => None,
                answered => return answered,
            };
            tokio::time::sleep(wait.unwrap_or(spacing)).await;
            spacing *= 3;
        }
        self.once(call, token).await
    }

    async fn once(&self, call: &Call<'_>, token: Option<&HeaderValue>) -> Result<Reply, Fault> {
        let parts: Vec<String> = call
            .path
            .split('/')
            .map(|part| utf8_percent_encode(part, PLAIN).to_string())
            .collect();
        let mut url = format!("{}/v1/{}", self.server.address, parts.join("/"));
        if let Some(version) = call.version {
            url.push_str(&format!("?version={version}"));
        }
        let mut sending = self.client.request(call.method.clone(), url);
        if let Some(token) = token {
            sending = sending.header(HeaderName::from_static("x-vault-token"), token.clone());
        }
        if let Some(body) = &call.body {
            sending = sending
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(hidden_body(Zeroizing::new(body.as_str().to_owned())));
        }
        let answer = web::sent(sending).await.map_err(|broken| self.unanswered(&broken))?;
        let leads_to = answer
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .map(str::to_owned);
        let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok());
        let wait = wait
            .and_then(|wait| wait.parse().ok())
            .map(|seconds: u64| Duration::from_secs(seconds.min(10)));
        Ok(Reply {
            status: answer.status().as_u16(),
            leads_to,
            wait,
            body: web::body(answer, MOST_BYTES)
                .await
                .map_err(|broken| self.unanswered(&broken))?,
        })
    }

    /// Why there is no answer, in our own words.
    fn unanswered(&self, broken: &Broken) -> Fault {
        let Server { address, named_by, .. } = &self.server;
        let why = match broken {
            broken if broken.is_about_a_certificate() => {
                return unfit(
                    format!("the certificate of {address} cannot be trusted here, and no token was sent there"),
                    "name its authority with ca_file= or VAULT_CACERT; see the clock, and that it is for this host",
                );
            }
            Broken::TooLong => {
                return unfit(
                    format!("the answer of {address} is longer than {} MiB", MOST_BYTES >> 20),
                    "see what VAULT_ADDR or address= leads to",
                );
            }
            Broken::Late => "no whole answer came in time",
            Broken::Tls(_) | Broken::Io(_) | Broken::Unconnected => "no connection came about",
            Broken::Cut => "the connection broke before the answer was whole",
            Broken::HalfWay => "the answer ended half-way, or is no HTTP",
        };
        passing(format!("{address} (from {named_by}): {why}"))
    }
}
