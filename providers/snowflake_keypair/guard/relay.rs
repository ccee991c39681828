//! What a guard does with one connection of its client.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{HeaderValue, PROXY_AUTHORIZATION};
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, on};
use hyper::{Method, Request, Response, StatusCode, Uri, client, server};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::origin::{Origin, place_of};
use super::route::{Route, Stream, Unconnected};
use super::tunnel::{Endless, pass_on};
use super::{LONGEST_ANSWER, LONGEST_HANDSHAKE, REFUSED_AT, Stopped};

type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A tunnel that was granted, until the client has heard of it.
type Granted = Mutex<Option<(OnUpgrade, Box<dyn Stream>)>>;

/// What all connections of a guard share.
pub(super) struct Relay {
    pub(super) origin: Origin,
    pub(super) route: Route,
    /// The login that the client alone knows.
    pub(super) expected: HeaderValue,
    /// Stops the client's calls.
    pub(super) tell: watch::Sender<Option<Stopped>>,
}

impl Relay {
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let granted = Granted::default();
        let service = service_fn(|request| self.answer(request, &granted));
        let requests = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that goes away is nobody's fault.
        let _ = requests.with_upgrades().await;
        let granted = granted.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some((client, endpoint)) = granted else {
            return;
        };
        if let Ok(client) = client.await
            && let Err(Endless) = pass_on(client, endpoint, LONGEST_ANSWER + LONGEST_HANDSHAKE).await
        {
            self.stop(Stopped::Endless);
        }
    }

    async fn answer(&self, mut request: Request<Incoming>, granted: &Granted) -> io::Result<Response<Body>> {
        let login = request.headers_mut().remove(PROXY_AUTHORIZATION);
        let is_ours = login.as_ref() == Some(&self.expected);
        match (is_ours, self.origin.is_meant_by(request.method(), request.uri())) {
            (true, true) => {}
            (false, true) => return Ok(bare(StatusCode::PROXY_AUTHENTICATION_REQUIRED)),
            (true, false) => {
                self.stop(Stopped::Redirect(place_of(request.method(), request.uri())));
                return Ok(bare(StatusCode::FORBIDDEN));
            }
            (false, false) => return Ok(refusal(&place_of(request.method(), request.uri()))),
        }
        let endpoint = match self.route.connect(&self.origin).await {
            Ok(endpoint) => endpoint,
            Err(why) => {
                if let Unconnected::Proxy(why) = why {
                    self.stop(why);
                }
                // Whoever calls hears nothing, as from an endpoint that is not there.
                return Err(io::ErrorKind::NotConnected.into());
            }
        };
        if request.method() == Method::CONNECT {
            *granted.lock().unwrap_or_else(PoisonError::into_inner) = Some((on(request), endpoint));
            return Ok(bare(StatusCode::OK));
        }
        self.pass_on(request, endpoint).await.map_err(io::Error::other)
    }

    /// One plain request, without what was meant for the proxy.
    async fn pass_on(
        &self,
        mut request: Request<Incoming>,
        endpoint: Box<dyn Stream>,
    ) -> Result<Response<Body>, hyper::Error> {
        *request.uri_mut() = request
            .uri()
            .path_and_query()
            .cloned()
            .map_or_else(Uri::default, Uri::from);
        let (mut endpoint, connection) = client::conn::http1::Builder::new()
            .max_buf_size(LONGEST_ANSWER)
            .handshake(TokioIo::new(endpoint))
            .await?;
        // It ends with this request, or with the answer that takes it along.
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let tell = self.tell.clone();
        let answer = endpoint.send_request(request).await.inspect_err(|error| {
            if error.is_parse_too_large() {
                self.stop(Stopped::Endless);
            }
        })?;
        if answer.body().size_hint().lower() > LONGEST_ANSWER as u64 {
            self.stop(Stopped::Endless);
            return Ok(bare(StatusCode::BAD_GATEWAY));
        }
        Ok(answer.map(|body| {
            let body = Limited::new(body, LONGEST_ANSWER).map_err(move |error| {
                let _ = &driving;
                if error.is::<http_body_util::LengthLimitError>() {
                    tell.send_replace(Some(Stopped::Endless));
                }
                error
            });
            body.boxed_unsync()
        }))
    }

    /// Stops the calls that are waiting for an answer.
    pub(super) fn stop(&self, why: Stopped) {
        self.tell.send_replace(Some(why));
    }
}

/// The client takes its login away from a request that it repeats elsewhere over plain http, so that it cannot be told from a
/// stranger's. It stops no call, then: whoever has asked is told, and passes on what it has heard.
fn refusal(place: &str) -> Response<Body> {
    let text = Full::from(format!("{REFUSED_AT}{place}"));
    let mut response = Response::new(text.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    response
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}
