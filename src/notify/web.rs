//! Notices over HTTP: one request to an address that a secret names.

#[cfg(feature = "notify-email")]
use std::net::IpAddr;
use std::time::Duration;

#[cfg(any(feature = "notify-slack", feature = "notify-teams", feature = "notify-webhook"))]
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
#[cfg(any(feature = "notify-slack", feature = "notify-teams", feature = "notify-webhook"))]
use rotate_providers::secret_from::SecretFrom;
#[cfg(feature = "notify-email")]
use rotate_providers::web::Host;
#[cfg(any(feature = "notify-slack", feature = "notify-teams", feature = "notify-webhook"))]
use rotate_providers::web::{Body, Request};
use rotate_providers::web::{Network, Unanswered};
use zeroize::Zeroizing;

use super::Fault;

/// One request.
pub(super) struct Posting<'a> {
    /// Where the address is found.
    pub(super) url: &'a SecretFrom,
    /// Whether it may be one of a private network.
    pub(super) allow_private: bool,
    /// What stands above the body, beside what each request has.
    pub(super) headers: Vec<(&'static str, String)>,
    /// A JSON document.
    pub(super) body: String,
    /// How long all of it may take.
    pub(super) time: Duration,
}

/// What was answered. It is looked at and never repeated.
pub(super) struct Answer {
    pub(super) status: u16,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The body where it is text, without blanks around it.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or("?").trim()
    }

    /// Whether its body is a document that tells of a failure.
    pub(super) fn says_error(&self) -> bool {
        let document: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let says_no = |key: &str| document[key] == false;
        let is_told = |key: &str| !is_nothing(&document[key]);
        says_no("ok") || says_no("success") || is_told("error") || is_told("errors")
    }
}

/// Whether a field that tells of failures tells of none.
fn is_nothing(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null => true,
        Value::Bool(is_told) => !is_told,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
    }
}

/// Sends a document to an address that is all there is to it: whoever knows that may send there.
#[cfg(any(feature = "notify-slack", feature = "notify-teams"))]
pub(super) async fn post_alone(
    url: &SecretFrom,
    allow_private: bool,
    body: String,
    time: Duration,
) -> Result<Answer, Fault> {
    let posting = Posting {
        url,
        allow_private,
        headers: Vec::new(),
        body,
        time,
    };
    post(posting).await
}

/// Sends it, once. A redirect is an answer that says no.
#[cfg(any(feature = "notify-slack", feature = "notify-teams", feature = "notify-webhook"))]
pub(super) async fn post(posting: Posting<'_>) -> Result<Answer, Fault> {
    let url = posting.url.read();
    let url = url.map_err(|why| Fault::of_way(format!("its address, {}: {why}", posting.url)))?;
    let url = url.expose_text().map(str::trim);
    let url = url.ok_or_else(|| Fault::of_way(format!("its address, {}, is no text", posting.url)))?;
    let mut headers = Vec::new();
    for (name, value) in posting.headers {
        let value = HeaderValue::from_str(&value).map_err(|_| Fault::of_message("its head cannot be sent"))?;
        headers.push((HeaderName::from_static(name), value));
    }
    let request = Request {
        method: Method::POST,
        url,
        hosts: &[],
        headers,
        body: Some(Body::json(Zeroizing::new(posting.body))),
        is_secret_place: true,
        // Some say with a good status that it has failed.
        reads: &|status| (200..300).contains(&status),
    };
    let reply = network(posting.allow_private, posting.time).send(request).await;
    let reply = reply.map_err(|unanswered| fault(&unanswered))?;
    match reply.status {
        200..300 => Ok(Answer {
            status: reply.status,
            body: reply.body,
        }),
        300..400 => Err(Fault::of_way(
            "it leads elsewhere, and nothing is sent to where an answer leads",
        )),
        status @ (400 | 413 | 422) => Err(Fault::of_message(format!("it answered with status {status}"))),
        status => Err(Fault::of_way(format!("it answered with status {status}"))),
    }
}

/// The address that a host has, where notices may be sent there.
#[cfg(feature = "notify-email")]
pub(super) async fn address_of(host: &str, port: u16, allow_private: bool, time: Duration) -> Result<IpAddr, Fault> {
    let found = network(allow_private, time).addresses(host, port, Host::Vendor).await;
    let found = found.map_err(|unanswered| fault(&unanswered))?;
    let first = found.first().map(|address| address.ip());
    first.ok_or_else(|| Fault::of_way("its name has no address"))
}

fn network(allow_private: bool, time: Duration) -> Network {
    Network {
        allow_private,
        time_out: time,
        ..Network::default()
    }
}

/// Why there is no answer, in the words of those who have a configuration and no options.
fn fault(unanswered: &Unanswered) -> Fault {
    Fault::of_way(match unanswered.class {
        "private-address" => {
            "its name leads to an address of a private network, and nothing was sent; if that is right: allow_private = true"
                .to_owned()
        }
        "address" => "its address is neither https nor of this machine, or leads to where nothing is sent".to_owned(),
        // The name may be the secret: whoever knows such an address may send there.
        "dns" => "its name could not be looked up, or has no address: check it, and the way out".to_owned(),
        // There it is about a credential, which no notice holds.
        "tls" => {
            let why = unanswered.why.strip_suffix("; the credential was not sent");
            format!("{}; nothing was sent", why.unwrap_or(&unanswered.why))
        }
        _ => unanswered.why.to_string(),
    })
}
