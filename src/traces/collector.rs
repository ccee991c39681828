//! The way to the collector: as every request of this program leaves, to https or this machine, led nowhere else, with an end to
//! each answer.

use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use rotate_providers::web::{self, Body, Network, Reply, Unanswered};
use tracing::subscriber::{NoSubscriber, with_default};

use super::tally::Tally;

/// The collector.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) network: Network,
    pub(super) tally: Arc<Tally>,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // It is asked for on a thread of the library's own, which has nothing else to do.
        let reply = self.post(request);
        let reply = reply.map_err(|why| {
            self.tally.failed(&why);
            HttpError::from(why)
        })?;
        if let Some(why) = refused(reply.status) {
            self.tally.failed(&why);
        }
        let answer = Response::builder().status(reply.status);
        Ok(answer.body(Bytes::copy_from_slice(&reply.body))?)
    }
}

impl Collector {
    fn post(&self, request: Request<Bytes>) -> Result<Reply, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("it cannot be sent from here: {error}"))?;
        let (head, message) = request.into_parts();
        let url = head.uri.to_string();
        let asked = web::Request {
            method: Method::POST,
            url: &url,
            hosts: &[],
            headers: headers(&head.headers),
            body: Some(Body::protobuf(message)),
            is_secret_place: true,
            reads: &|status| (200..300).contains(&status),
        };
        // What is sent here is no part of the trace: it would never end.
        let sent = with_default(NoSubscriber::new(), || runtime.block_on(self.network.send(asked)));
        // A name lookup that hangs keeps nobody waiting.
        runtime.shutdown_background();
        sent.map_err(|unanswered| unsent(&unanswered))
    }
}

/// What stands above the message; any of it may be a token.
fn headers<'h>(asked: impl IntoIterator<Item = (&'h HeaderName, &'h HeaderValue)>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(ACCEPT, HeaderValue::from_static("application/x-protobuf"))];
    for (name, value) in asked.into_iter().filter(|(name, _)| *name != CONTENT_TYPE) {
        let mut value = value.clone();
        value.set_sensitive(true);
        headers.push((name.clone(), value));
    }
    headers
}

/// Why it was not taken, where that is what the answer says.
fn refused(status: u16) -> Option<String> {
    match status {
        200..300 => None,
        300..400 => Some(format!(
            "the collector leads elsewhere (status {status}), and that is not followed"
        )),
        _ => Some(format!("the collector answered with status {status}")),
    }
}

/// The same where there is no answer, in our own words: an address may be a secret.
fn unsent(unanswered: &Unanswered) -> String {
    match unanswered.class {
        "address" => "it is neither https nor this machine, or leads to where nothing may be sent".to_owned(),
        class => format!("the collector was not reached, or gave no answer ({class})"),
    }
}
