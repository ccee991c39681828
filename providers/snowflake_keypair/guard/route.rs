//! How an endpoint is reached: through the proxy that the environment names for it, as by a client without a guard, and
//! this machine directly.

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;
use url::Url;

use super::origin::Origin;
use super::{NoTunnel, Stopped};
use crate::endpoint::remote_host;

/// A connection, whatever it goes through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The way to an endpoint.
pub(super) enum Route {
    Direct,
    Through(Box<Intercept>),
}

/// Why there is no connection.
pub(super) enum Unconnected {
    /// The endpoint was not reached.
    Endpoint,
    /// The proxy before it is in the way.
    Proxy(Stopped),
}

impl Route {
    /// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or small letters.
    pub(super) fn to(endpoint: &Url) -> Self {
        let uri = endpoint.as_str().parse::<Uri>().ok();
        let uri = uri.filter(|_| remote_host(endpoint).is_some());
        match uri.and_then(|uri| Matcher::from_env().intercept(&uri)) {
            Some(proxy) => Self::Through(Box::new(proxy)),
            None => Self::Direct,
        }
    }

    /// A connection to the endpoint, through whatever lies before it.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Box<dyn Stream>, Unconnected> {
        let uri = origin.uri().ok_or(Unconnected::Endpoint)?;
        match self {
            Self::Direct => {
                let stream = called(tcp(), uri).await.map_err(|_| Unconnected::Endpoint)?;
                Ok(Box::new(stream.into_inner()))
            }
            Self::Through(proxy) => {
                let tunnel = through(proxy, uri).await;
                tunnel.map_err(|why| {
                    let address = proxy.uri().authority().map(ToString::to_string).unwrap_or_default();
                    Unconnected::Proxy(Stopped::Proxy { address, why })
                })
            }
        }
    }
}

async fn through(proxy: &Intercept, uri: Uri) -> Result<Box<dyn Stream>, NoTunnel> {
    let login = proxy.basic_auth().cloned();
    match proxy.uri().scheme_str() {
        Some("http") => {
            let stream = tunnelled(proxy.uri(), login, tcp(), uri).await?;
            Ok(Box::new(stream.into_inner()))
        }
        Some("https") => {
            let connector = HttpsConnectorBuilder::new()
                .with_provider_and_platform_verifier(default_provider())
                .map_err(|_| NoTunnel::Refused)?
                .https_only()
                .enable_http1()
                .wrap_connector(tcp());
            let stream = tunnelled(proxy.uri(), login, connector, uri).await?;
            Ok(Box::new(TokioIo::new(stream)))
        }
        _ => Err(NoTunnel::Scheme),
    }
}

async fn tunnelled<C>(proxy: &Uri, login: Option<HeaderValue>, connector: C, uri: Uri) -> Result<C::Response, NoTunnel>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let tunnel = Tunnel::new(proxy.clone(), connector);
    let tunnel = match login {
        Some(login) => tunnel.with_auth(login),
        None => tunnel,
    };
    called(tunnel, uri).await.map_err(|error| {
        // It is told nowhere else.
        if error.to_string().contains("authorization required") {
            NoTunnel::Login
        } else {
            NoTunnel::Refused
        }
    })
}

async fn called<S: Service<Uri>>(mut service: S, uri: Uri) -> Result<S::Response, S::Error> {
    std::future::poll_fn(|context| service.poll_ready(context)).await?;
    service.call(uri).await
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}
