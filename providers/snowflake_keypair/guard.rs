//! What stands between the Snowflake client and the network, and lets it talk to the account's own host alone.
//!
//! The client follows redirects, with the password or the token in the body, to any host and to plain http, and cannot be
//! told not to. It can be told of a proxy. So each client gets one of its own, on the loopback interface and for as long as
//! it lives: it opens tunnels to the endpoint's host and port and to nothing else, and TLS goes through them from end to
//! end. Where the endpoint is plain http, which is this machine, each request is looked at by itself. Whatever else the
//! client asks for is refused, and the call that led to it is told at once: the client itself might try for a minute.
//!
//! The guard also counts what comes back. The client opens a connection for each request, so the length of an answer is
//! what is received on one. It unpacks what is compressed, at most a thousandfold: the figures below bound its memory.

mod origin;
mod relay;
mod route;
#[cfg(test)]
mod tests;
mod tunnel;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hyper::header::HeaderValue;
use snowflake_connector_rs::{ProxyConfig, TransportConfig};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use url::Url;

use origin::Origin;
use relay::Relay;
use route::Route;

/// The longest answer, as it is received. Those to our statements have 2 to 4 KiB, and 15 where something on the way has
/// unpacked them: `DESC USER` has some fifty rows.
pub(super) const LONGEST_ANSWER: usize = 32 << 10;

/// What the handshake of a TLS connection may add: certificates have 3 to 6 KiB.
const LONGEST_HANDSHAKE: usize = 12 << 10;

/// Until somebody else has given a file descriptor back.
const PAUSE: Duration = Duration::from_millis(50);

const USER: &str = "guard";

/// What a client hears that asks for another place without its login; the place follows.
const REFUSED_AT: &str = "rotate sends nothing to ";

/// Why a call was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The answer led to this other place, where nothing was sent.
    Redirect(String),
    /// The answer had no end.
    Endless,
    /// There was no file descriptor left for it.
    Unserved,
    /// The proxy that the environment names, by its address, does not take the request further.
    Proxy { address: String, why: NoTunnel },
}

/// Why a proxy does not take a request further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTunnel {
    /// It wants another user and password.
    Login,
    /// It was not reached, or does not want to.
    Refused,
    /// It speaks something else than HTTP.
    Scheme,
}

/// The proxy of one client. With it go its port, its connections and its tasks.
pub(super) struct Guard {
    address: SocketAddr,
    password: String,
    stopped: watch::Receiver<Option<Stopped>>,
    serving: JoinHandle<()>,
}

impl Guard {
    /// Starts one in front of this endpoint.
    pub(super) async fn start(endpoint: &Url) -> io::Result<Self> {
        let origin = Origin::of(endpoint).ok_or(io::ErrorKind::InvalidInput)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let password = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{password}")));
        let (tell, stopped) = watch::channel(None);
        let relay = Relay {
            route: Route::to(endpoint),
            origin,
            expected: HeaderValue::try_from(expected).map_err(io::Error::other)?,
            tell,
        };
        Ok(Self {
            address,
            password,
            stopped,
            serving: tokio::spawn(serve(listener, Arc::new(relay))),
        })
    }

    /// What sends a client through this guard.
    pub(super) fn transport(&self) -> Option<TransportConfig> {
        let url = Url::parse(&format!("http://{}", self.address)).ok()?;
        let proxy = ProxyConfig::new(url).with_basic_auth(USER, self.password.as_str());
        Some(TransportConfig::default().with_proxy(proxy))
    }

    /// What the call comes to, or why it was stopped. Calls of one client at the same time cannot be told apart here, so
    /// all of them are stopped.
    pub(super) async fn watch<T, E>(&self, call: impl Future<Output = Result<T, E>>) -> Result<Result<T, E>, Stopped> {
        let mut stopped = self.stopped.clone();
        stopped.mark_unchanged();
        let outcome = tokio::select! {
            biased;
            () = told(&mut stopped) => None,
            outcome = call => Some(outcome),
        };
        let why = stopped.borrow().clone();
        match (outcome, why) {
            (Some(Ok(value)), _) => Ok(Ok(value)),
            (Some(error), why) => match why.filter(|_| stopped.has_changed().unwrap_or(false)) {
                Some(why) => Err(why),
                None => Ok(error),
            },
            (None, why) => Err(why.unwrap_or(Stopped::Endless)),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The place that the guard has told its client not to go to, if that is what the client says of a status.
pub(super) fn refused_place(said: &str) -> Option<String> {
    let place = said.strip_prefix("HTTP 407: ")?.strip_prefix(REFUSED_AT)?;
    // The endpoint could have said the same.
    Some(crate::endpoint::place(place))
}

/// Comes back when a call was stopped, and else never.
async fn told(stopped: &mut watch::Receiver<Option<Stopped>>) {
    if stopped.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn serve(listener: TcpListener, relay: Arc<Relay>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Arc::clone(&relay).serve(stream));
                }
                Err(_) => {
                    relay.stop(Stopped::Unserved);
                    sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
