//! The calls, each with its time, its cap on the answer, and what may be sent again.

use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use rotate_providers::secret::Secret;
use rotate_providers::trace::traced;
use rotate_providers::web;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::faults::{passing, unreachable};
use super::place::Place;
use super::{MANAGER, encoded};
use crate::delivery::Fault;

/// A Secret is 1 MiB of data, a third more in base64, with what is noted of it.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// One call takes no longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often one that may be repeated is sent, how far apart, and how long a server that is busy is waited for: the next run is
/// a better time than any later.
const MOST_ATTEMPTS: u32 = 4;
const SPACING: Duration = Duration::from_millis(250);
const LONGEST_WAIT: u64 = 10;

/// A key of the data, and what it becomes; without a value it goes.
pub(super) type Change<'a> = (&'a str, Option<&'a [u8]>);

/// An answer, whatever it says.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Secret,
    /// How many seconds the server asks to wait.
    wait: Option<u64>,
}

/// One call.
struct Call<'a> {
    method: Method,
    path: &'a str,
    /// Its form, and what is sent.
    body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    /// Whether it changes nothing, so that it may be sent again whatever became of it.
    is_look: bool,
}

/// Reads an object.
pub(super) async fn read(client: &Client, path: &str) -> Result<Reply, Fault> {
    let call = Call {
        method: Method::GET,
        path,
        body: None,
        is_look: true,
    };
    send(client, &call).await
}

/// Changes these keys of the Secret, if that is still of this version.
pub(super) async fn write(
    client: &Client,
    path: &str,
    version: &str,
    changes: &[Change<'_>],
    is_rehearsal: bool,
) -> Result<Reply, Fault> {
    let rehearsal = if is_rehearsal { "&dryRun=All" } else { "" };
    let call = Call {
        method: Method::PATCH,
        path: &format!("{path}?fieldManager={MANAGER}{rehearsal}"),
        body: Some(("application/merge-patch+json", patch(version, changes))),
        is_look: is_rehearsal,
    };
    send(client, &call).await
}

/// Whether these credentials may do that with the Secret, as far as the server says so.
pub(super) async fn may(client: &Client, place: &Place, verb: &str) -> Result<bool, Fault> {
    let asked = serde_json::json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "namespace": place.namespace, "verb": verb, "version": "v1", "resource": "secrets", "name": place.secret,
        }},
    });
    #[derive(Deserialize)]
    struct Review {
        status: Verdict,
    }
    #[derive(Deserialize)]
    struct Verdict {
        allowed: bool,
    }
    let call = Call {
        method: Method::POST,
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body: Some(("application/json", Zeroizing::new(asked.to_string().into_bytes()))),
        is_look: true,
    };
    let reply = send(client, &call).await?;
    // Where nobody may ask, the call itself tells.
    let review: Option<Review> = serde_json::from_slice(reply.body.expose()).ok();
    match reply.status {
        401 => Err(place.refused("ask what is allowed", &reply)),
        200..=299 => Ok(review.is_none_or(|review| review.status.allowed)),
        _ => Ok(true),
    }
}

/// Whether its namespace is being deleted. Where these credentials may not see that, nobody says so.
pub(super) async fn is_ending(client: &Client, place: &Place) -> Result<bool, Fault> {
    #[derive(Deserialize)]
    struct Namespace {
        status: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        phase: String,
    }
    let reply = read(client, &format!("/api/v1/namespaces/{}", place.namespace)).await?;
    let shown: Option<Namespace> = serde_json::from_slice(reply.body.expose()).ok();
    Ok(reply.status == 200 && shown.is_some_and(|shown| shown.status.phase == "Terminating"))
}

/// A merge patch: what is not named in it stays, and the version makes it fail where somebody else was first.
fn patch(version: &str, changes: &[Change<'_>]) -> Zeroizing<Vec<u8>> {
    let values: Vec<(&str, Option<Zeroizing<String>>)> =
        changes.iter().map(|(key, value)| (*key, value.map(encoded))).collect();
    // Room for everything: what grows leaves copies behind.
    let long: usize = values
        .iter()
        .map(|(key, value)| key.len() + value.as_ref().map_or(4, |value| value.len()) + 6)
        .sum();
    let mut text = Zeroizing::new(Vec::with_capacity(long + version.len() + 64));
    // Neither a key nor a version nor base64 has a letter that JSON would write in another way.
    text.extend_from_slice(br#"{"metadata":{"resourceVersion":""#);
    text.extend_from_slice(version.as_bytes());
    text.extend_from_slice(br#""},"data":{"#);
    for (at, (key, value)) in values.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.push(b'"');
        text.extend_from_slice(key.as_bytes());
        text.extend_from_slice(br#"":"#);
        match value {
            Some(value) => {
                text.push(b'"');
                text.extend_from_slice(value.as_bytes());
                text.push(b'"');
            }
            None => text.extend_from_slice(b"null"),
        }
    }
    text.extend_from_slice(b"}}");
    text
}

/// Sends it, and again where that does no harm: a server that is busy has not begun with it.
async fn send(client: &Client, call: &Call<'_>) -> Result<Reply, Fault> {
    let mut attempt = 1;
    loop {
        let outcome = within_patience(client, call).await;
        let (may_repeat, wait) = match &outcome {
            Ok(reply) if reply.status == 429 => (true, reply.wait),
            Ok(reply) if reply.status >= 500 => (call.is_look, reply.wait),
            Ok(_) => (false, None),
            Err(fault) => (call.is_look && fault.is_passing(), None),
        };
        let is_long = wait.is_some_and(|seconds| seconds > LONGEST_WAIT);
        if !may_repeat || is_long || attempt == MOST_ATTEMPTS {
            return match outcome {
                Ok(reply) if reply.status == 429 => Err(passing("the server has too much to do (429)".to_owned())),
                Ok(reply) if reply.status >= 500 => Err(passing(format!("the server fails ({})", reply.status))),
                outcome => outcome,
            };
        }
        let wait = wait.map_or(SPACING * attempt, Duration::from_secs);
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

/// Sends it once, within a span that does not name the host: the client alone knows it.
async fn within_patience(client: &Client, call: &Call<'_>) -> Result<Reply, Fault> {
    let span = web::of_request(&call.method, None);
    let sending = async {
        let sent = tokio::time::timeout(PATIENCE, once(client, call)).await;
        sent.unwrap_or_else(|_| Err(passing(format!("no answer within {} s", PATIENCE.as_secs()))))
    };
    let reply = traced(span.clone(), sending, |_| "unanswered").await?;
    web::answered(&span, reply.status);
    Ok(reply)
}

async fn once(client: &Client, call: &Call<'_>) -> Result<Reply, Fault> {
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(call.path)
        .header("accept", "application/json");
    let body = match &call.body {
        Some((form, body)) => {
            request = request.header("content-type", *form);
            Body::from(body.to_vec())
        }
        None => Body::empty(),
    };
    let request = request
        .body(body)
        .map_err(|_| Fault::Name("it is no place of a Kubernetes API"))?;
    let response = client.send(request).await.map_err(|error| unreachable(&error))?;
    let status = response.status().as_u16();
    let wait = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
    let body =
        body.map_err(|_| passing("its answer breaks off, or is larger than any that belongs there".to_owned()))?;
    Ok(Reply {
        status,
        body: Secret::new(body.to_bytes()),
        wait,
    })
}
