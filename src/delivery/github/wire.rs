//! Requests to GitHub's API: none follows where it is led, each has an end, and what GitHub asks to wait is waited, within bounds.

use std::io::ErrorKind;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method};
use rotate_providers::authorities;
use rotate_providers::web::{self, Broken};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::address::Api;
use super::faults::{passing, unfit, unreadable};
use super::token::{Token, TokenFrom};
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

/// What GitHub's documentation is of: <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const VERSION: &str = "2022-11-28";
const KIND: &str = "application/vnd.github+json";

const CONNECTED: Duration = Duration::from_secs(10);
const ANSWERED: Duration = Duration::from_secs(20);

/// A page of a hundred repositories is half of one.
const LARGEST: usize = 2 << 20;

/// How often a call is sent whose answer was lost, or that met a fault of GitHub's own. Each may be repeated: a secret that is sent
/// again is the same secret.
const MOST_TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// How long, and how often, one call waits for its turn where GitHub limits how often it is called.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const MOST_WAITS: u32 = 5;
/// What GitHub asks for where it names no time.
const USUAL_WAIT: Duration = Duration::from_secs(60);

/// GitHub, as one token sees it.
pub(super) struct Wire {
    client: Client,
    api: Api,
    pub(super) token: Token,
}

/// What it answers.
pub(super) struct Reply {
    pub(super) status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    /// Whether it was sent once: what was there before is known then.
    pub(super) is_first: bool,
}

impl Wire {
    pub(super) fn new(api: &Api, from: &TokenFrom) -> Result<Self, Fault> {
        let token = from.find(api)?;
        let cannot = |why: String| unfit(why, "see the system's certificates");
        let tls = authorities::trusted(None)
            .map_err(|why| cannot(format!("the system's authorities cannot be read: {why}")))?;
        let builder = web::client(tls, CONNECTED).timeout(ANSWERED);
        // This machine is reached without a proxy.
        let builder = match api.host() {
            Some(_) => builder,
            None => builder.no_proxy(),
        };
        let client = builder
            .build()
            .map_err(|_| cannot("no HTTPS client can be made here".to_owned()))?;
        Ok(Self {
            client,
            api: api.clone(),
            token,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Reply, Fault> {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn put(&self, path: &str, body: &impl Serialize) -> Result<Reply, Fault> {
        let body = serde_json::to_vec(body).map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Sends it until there is an answer that says something.
    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Fault> {
        let (mut tries, mut sent, mut waits, mut waited) = (0, 0, 0, Duration::ZERO);
        loop {
            sent += 1;
            let answer = self.send_once(method.clone(), path, body.clone()).await;
            let fault = match answer {
                Ok(reply) if reply.is_limited() => {
                    let wait = reply.wait();
                    waits += 1;
                    if waits > MOST_WAITS || waited + wait > LONGEST_WAIT {
                        return Err(limited(wait));
                    }
                    tracing::warn!("GitHub asks to wait {} s before the next call", wait.as_secs());
                    tokio::time::sleep(wait).await;
                    waited += wait;
                    continue;
                }
                Ok(reply) if reply.status < 500 => {
                    let is_first = sent == 1;
                    return Ok(Reply { is_first, ..reply });
                }
                Ok(reply) => passing(format!("GitHub has a fault of its own ({})", reply.status)),
                Err(fault) if fault.is_passing() => fault,
                Err(fault) => return Err(fault),
            };
            tries += 1;
            if tries >= MOST_TRIES {
                return Err(fault);
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    async fn send_once(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Fault> {
        let mut sending = self
            .client
            .request(method, self.api.at(path))
            .header(AUTHORIZATION, self.token.header.clone())
            .header(ACCEPT, KIND)
            .header("x-github-api-version", VERSION);
        if let Some(body) = body {
            sending = sending.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = web::sent(sending).await.map_err(|broken| unanswered(&broken))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Reply {
            status,
            headers,
            body: web::body(answer, LARGEST).await.map_err(|broken| unanswered(&broken))?,
            is_first: true,
        })
    }
}

impl Reply {
    /// What it says, where that is what it should.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T, Fault> {
        // What serde says of it would quote it.
        serde_json::from_slice(&self.body).map_err(|_| unreadable(what))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When it was given, by GitHub's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let zoned = rfc2822::parse(self.header(DATE.as_str())?).ok()?;
        Some(zoned.timestamp())
    }

    /// Where else it is.
    pub(super) fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// Whether it says nothing but that there were too many calls:
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.
    fn is_limited(&self) -> bool {
        let is_used_up = self
            .header("x-ratelimit-remaining")
            .is_some_and(|left| left.trim() == "0");
        let is_told = || {
            let said = String::from_utf8_lossy(&self.body).to_ascii_lowercase();
            said.contains("rate limit") || said.contains("abuse detection")
        };
        match self.status {
            429 => true,
            403 => self.header(RETRY_AFTER.as_str()).is_some() || is_used_up || is_told(),
            _ => false,
        }
    }

    /// How long it asks to wait.
    fn wait(&self) -> Duration {
        let number = |name: &str| self.header(name)?.trim().parse::<u64>().ok();
        let until_reset = || {
            let (reset, date) = (number("x-ratelimit-reset")?, self.date()?);
            let seconds = i64::try_from(reset).ok()?.saturating_sub(date.as_second());
            Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1)))
        };
        let asked = number(RETRY_AFTER.as_str()).map(|seconds| Duration::from_secs(seconds.max(1)));
        asked.or_else(until_reset).unwrap_or(USUAL_WAIT)
    }
}

fn limited(wait: Duration) -> Fault {
    let seconds = wait.as_secs();
    Fault::Store {
        kind: Answer::Passing,
        what: format!("GitHub limits how often it is called, and asks to wait {seconds} s"),
        remedy: match wait > LONGEST_WAIT {
            true => format!("run the same command again in {seconds} s"),
            false => "run the same command again in a minute".to_owned(),
        },
    }
}

/// Why there is no answer, in our own words.
fn unanswered(broken: &Broken) -> Fault {
    let why = match broken {
        Broken::TooLong => return unreadable("that, which is longer than anything it says,"),
        Broken::Late => "GitHub has not answered in time",
        Broken::Io(ErrorKind::ConnectionRefused) => "no connection to GitHub came about: nobody is there",
        Broken::Unconnected | Broken::Tls(_) | Broken::Io(_) => {
            "no connection to GitHub came about: a firewall, a proxy, a certificate, or nobody is there"
        }
        Broken::Cut | Broken::HalfWay => "the connection to GitHub broke before its answer was whole",
    };
    passing(why.to_owned())
}
