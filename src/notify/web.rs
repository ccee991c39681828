//! Notices over HTTP: one request to an address that a secret names.

use std::net::IpAddr;
use std::time::Duration;

use rotate_providers::secret_from::SecretFrom;

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
    body: Vec<u8>,
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
        let is_told = |key: &str| !document[key].is_null() && document[key] != false && document[key] != "";
        says_no("ok") || says_no("success") || is_told("error") || is_told("errors")
    }
}

pub(super) async fn post(_posting: Posting<'_>) -> Result<Answer, Fault> {
    Err(Fault::of_way("not yet"))
}

pub(super) async fn address_of(_host: &str, _port: u16, _allow_private: bool) -> Result<IpAddr, Fault> {
    Err(Fault::of_way("not yet"))
}
