//! A dead man's switch: somebody elsewhere is told that a run begins and how it ended, and raises the alarm where nobody tells.
//!
//! The form is that of healthchecks: a `POST` to `URL/start`, and one to `URL/EXIT-STATUS`, both with the id of the run. The URL is a
//! secret, because whoever knows it can say that all is well; so it stands in no message, and neither does what its host answers.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use rotate_providers::web::{Body, Network, Request, Unanswered};
use serde::Serialize;
use tokio::task::JoinHandle;
use tracing::Instrument;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::HeartbeatTo;

/// How long one try may take.
const TIME_OUT: Duration = Duration::from_secs(4);

/// How long after a try that failed there is another one.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// One run, as somebody elsewhere hears of it.
pub struct Heartbeat {
    url: Zeroizing<String>,
    variable: String,
    network: Network,
    run: Uuid,
    started: Option<JoinHandle<Result<(), String>>>,
}

/// What is told of a run that has ended. Names and words of vendors are none of it.
#[derive(Debug, Serialize)]
pub struct Ended {
    /// The number that it ends with.
    #[serde(skip)]
    pub exit: u8,
    /// How many targets there were, by what became of them.
    pub targets: String,
    /// How many events the journal holds; null where it cannot be read.
    pub events: Option<i64>,
    /// The head of its chain.
    pub head: Option<String>,
}

impl Heartbeat {
    /// One for the run with this id. The error says why there is none.
    pub fn new(to: &HeartbeatTo, run: Uuid) -> Result<Self, String> {
        let variable = &to.url_env;
        let url = std::env::var(variable)
            .map(Zeroizing::new)
            .map_err(|_| format!("the variable {variable}, which [heartbeat] names, is not set, or is no text"))?;
        let url = Zeroizing::new(url.trim().to_owned());
        let is_url = Url::parse(&url).is_ok_and(|url| !url.cannot_be_a_base() && url.fragment().is_none());
        if !is_url {
            return Err(format!("what {variable} holds is no URL"));
        }
        Ok(Self {
            url,
            variable: variable.clone(),
            network: Network {
                allow_private: to.allow_private,
                time_out: TIME_OUT,
                ..Network::default()
            },
            run,
            started: None,
        })
    }

    /// Tells that it begins. Nobody waits for that: a host that hangs holds no rotation up.
    pub fn start(&mut self) {
        let (network, place) = (self.network.clone(), self.place("start"));
        let telling = async move { send(&network, &place, "{}").await };
        self.started = Some(tokio::spawn(telling.in_current_span()));
    }

    /// Tells how it ended. The errors say what was not told, and name the variable in the place of the URL.
    pub async fn end(mut self, ended: &Ended) -> Vec<String> {
        let mut untold = Vec::new();
        // What comes later must not be overtaken by what was before.
        if let Some(started) = self.started.take()
            && let Ok(Err(why)) = started.await
        {
            untold.push(format!("that the run began was not told: {}: {why}", self.variable));
        }
        let body = serde_json::to_string(ended).unwrap_or_default();
        let place = self.place(&ended.exit.to_string());
        if let Err(why) = send(&self.network, &place, &body).await {
            untold.push(format!("how the run ended was not told: {}: {why}", self.variable));
        }
        untold
    }

    /// The URL with this behind its path, and the id of the run.
    fn place(&self, what: &str) -> Zeroizing<String> {
        let Ok(mut url) = Url::parse(&self.url) else {
            return self.url.clone();
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(what);
        }
        url.query_pairs_mut().append_pair("rid", &self.run.to_string());
        Zeroizing::new(url.into())
    }
}

/// Sends it, and once more where that may help.
async fn send(network: &Network, place: &str, body: &str) -> Result<(), String> {
    match once(network, place, body).await {
        Err(Failed { is_final: false, .. }) => {
            tokio::time::sleep(BETWEEN_TRIES).await;
            once(network, place, body).await.map_err(|failed| failed.why)
        }
        Err(failed) => Err(failed.why),
        Ok(()) => Ok(()),
    }
}

/// A try that failed.
struct Failed {
    why: String,
    is_final: bool,
}

async fn once(network: &Network, place: &str, body: &str) -> Result<(), Failed> {
    let sent = network.send(Request {
        method: Method::POST,
        url: place,
        hosts: &[],
        headers: Vec::new(),
        body: Some(Body::json(Zeroizing::new(body.to_owned()))),
        is_secret_place: true,
        reads: &|_| false,
    });
    let reply = sent.await.map_err(|unanswered| Failed::of(&unanswered))?;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_success() {
        return Ok(());
    }
    Err(Failed {
        why: match status.is_redirection() {
            true => format!(
                "its host leads elsewhere (status {}), and that is not followed",
                reply.status
            ),
            false => format!("its host answered with status {}", reply.status),
        },
        is_final: !(status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS),
    })
}

impl Failed {
    /// In our own words: what is said of an address may hold it.
    fn of(unanswered: &Unanswered) -> Self {
        let why = match unanswered.class {
            "address" => "it is neither https nor this machine, or leads to where nothing may be sent".to_owned(),
            "private-address" => {
                "its host is on a private network; if that is right, write allow_private = true in [heartbeat]"
                    .to_owned()
            }
            class => format!("its host was not reached, or gave no answer ({class})"),
        };
        Self {
            why,
            is_final: !unanswered.may_be_repeated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_stands_behind_the_path_whatever_the_url_ends_with() {
        let place = |url: &str| {
            let heartbeat = Heartbeat {
                url: Zeroizing::new(url.to_owned()),
                variable: "URL".to_owned(),
                network: Network::default(),
                run: Uuid::nil(),
                started: None,
            };
            heartbeat.place("3").to_string()
        };
        let rid = "rid=00000000-0000-0000-0000-000000000000";
        assert_eq!(place("https://hc.example/u"), format!("https://hc.example/u/3?{rid}"));
        assert_eq!(place("https://hc.example/u/"), format!("https://hc.example/u/3?{rid}"));
        assert_eq!(place("https://hc.example"), format!("https://hc.example/3?{rid}"));
        assert_eq!(
            place("https://hc.example/key/slug?create=1"),
            format!("https://hc.example/key/slug/3?create=1&{rid}")
        );
    }
}
