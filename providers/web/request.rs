//! One request with a credential: to one host, by addresses that were looked at, without following where it is led, and without
//! reading more of the answer than is needed.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy};
use rustls::{CertificateError, Error as TlsError};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{Broken, Network, Unanswered, body, client, hidden_body, span};
use crate::endpoint::remote_host;
use crate::trace;

/// No more of an answer is read.
const MOST: usize = 64 << 10;

/// One request.
pub struct Request<'a> {
    /// What is done.
    pub method: Method,
    /// Where, https.
    pub url: &'a str,
    /// Whose hosts it may go to: a whole name, or with a dot before it all names that end so. Empty where whoever names the address may.
    pub hosts: &'a [String],
    /// Its head. Values may be secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent, if anything.
    pub body: Option<Body>,
    /// Whether its very place is a secret, so that no trace names the host.
    pub is_secret_place: bool,
    /// Whether the body of an answer with this status decides anything.
    pub reads: &'a (dyn Fn(u16) -> bool + Sync),
}

/// What is sent. It is shown nowhere, and wiped when it is dropped.
pub struct Body {
    kind: &'static str,
    bytes: Bytes,
}

impl Body {
    /// A form, encoded.
    pub fn form(form: Zeroizing<String>) -> Self {
        Self {
            kind: "application/x-www-form-urlencoded",
            bytes: hidden_body(form),
        }
    }

    /// A JSON document.
    pub fn json(document: Zeroizing<String>) -> Self {
        Self {
            kind: "application/json",
            bytes: hidden_body(document),
        }
    }

    /// A message in protobuf, which has no secret in it.
    pub fn protobuf(message: Bytes) -> Self {
        Self {
            kind: "application/x-protobuf",
            bytes: message,
        }
    }
}

/// The status of an answer, and as much of its body as is looked at. It is kept nowhere.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body, where that decides anything.
    pub body: Zeroizing<Vec<u8>>,
    /// Whether a proxy stood between.
    pub through_proxy: bool,
}

/// A form in one line, wiped when it is dropped.
pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Zeroizing<String> {
    let fields: Vec<(&str, &str)> = fields.into_iter().collect();
    // Room for everything at once: a string that grows leaves copies of secrets behind.
    let most = fields
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(most));
    form.extend_pairs(fields);
    Zeroizing::new(form.finish())
}

impl Network {
    /// Sends a form to where tokens are given out. Values may be secret.
    pub async fn post_form(&self, url: &str, hosts: &[String], fields: &[(&str, &str)]) -> Result<Reply, Unanswered> {
        self.send(Request {
            method: Method::POST,
            url,
            hosts,
            headers: Vec::new(),
            body: Some(Body::form(form(fields.iter().copied()))),
            is_secret_place: false,
            reads: &|_| true,
        })
        .await
    }

    /// Sends one request.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Unanswered> {
        let url = self.place(request.url, request.hosts)?;
        let proxy = proxy_for(&url);
        let through_proxy = proxy.is_some();
        let span = span::of_request(&request.method, Some(&url).filter(|_| !request.is_secret_place));
        let sending = async {
            let sent = tokio::time::timeout(self.time_out, self.send_to(&url, proxy, request)).await;
            let late = || {
                Unanswered::new(
                    "time-out",
                    format!("no whole answer within {} s", self.time_out.as_secs()),
                )
            };
            sent.unwrap_or_else(|_| Err(late().repeatable()))
        };
        let reply = trace::traced(span.clone(), sending, |unanswered| unanswered.class).await;
        match reply {
            Ok(reply) => {
                span::answered(&span, reply.status);
                Ok(Reply { through_proxy, ..reply })
            }
            Err(outcome) => Err(Unanswered {
                through_proxy,
                ..outcome
            }),
        }
    }

    async fn send_to(&self, url: &Url, proxy: Option<Intercept>, request: Request<'_>) -> Result<Reply, Unanswered> {
        let client = self.client(url, proxy).await?;
        let mut headers = HeaderMap::from_iter(request.headers);
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        let mut sending = client.request(request.method, url.clone());
        if let Some(Body { kind, bytes }) = request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            sending = sending.body(bytes);
        }
        let answer = sending
            .headers(headers)
            .send()
            .await
            .map_err(|error| unanswered(&Broken::from(&error)))?;
        let status = answer.status().as_u16();
        let body = match (request.reads)(status) {
            true => body(answer, MOST).await.map_err(|broken| unanswered(&broken))?,
            false => Zeroizing::default(),
        };
        Ok(Reply {
            status,
            body,
            through_proxy: false,
        })
    }

    async fn client(&self, url: &Url, proxy: Option<Intercept>) -> Result<Client, Unanswered> {
        let builder = client(self.authorities()?, self.time_out)
            .no_proxy()
            .pool_max_idle_per_host(0);
        let builder = match proxy {
            Some(proxy) => {
                // An address is looked at here also where a proxy calls it; what a name leads to is the proxy's to know.
                if !matches!(url.host(), Some(Host::Domain(_)) | None) {
                    self.addresses_of(url).await?;
                }
                builder.proxy(as_named(&proxy)?)
            }
            None => builder.dns_resolver(Arc::new(Pinned {
                host: url.host_str().unwrap_or_default().to_ascii_lowercase(),
                addresses: self.addresses_of(url).await?,
            })),
        };
        builder
            .build()
            .map_err(|_| Unanswered::new("client", "no HTTPS client could be made here"))
    }
}

/// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or small letters; this machine is called directly.
fn proxy_for(url: &Url) -> Option<Intercept> {
    remote_host(url)?;
    Matcher::from_env().intercept(&url.as_str().parse().ok()?)
}

fn as_named(proxy: &Intercept) -> Result<Proxy, Unanswered> {
    let unusable = || Unanswered::new("proxy", "the proxy that the environment names is no address of one");
    let named = Proxy::all(proxy.uri().to_string()).map_err(|_| unusable())?;
    Ok(match proxy.basic_auth() {
        Some(login) => named.custom_http_auth(login.clone()),
        None => named,
    })
}

/// What a host's name leads to, for one call.
struct Pinned {
    host: String,
    addresses: Vec<SocketAddr>,
}

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        let found: Result<Addrs, Box<dyn StdError + Send + Sync>> = match name.as_str().eq_ignore_ascii_case(&self.host)
        {
            true => Ok(Box::new(self.addresses.clone().into_iter())),
            false => Err(Box::new(Elsewhere)),
        };
        Box::pin(std::future::ready(found))
    }
}

/// Another host was asked for than the one that was looked at.
#[derive(Debug)]
struct Elsewhere;

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another host")
    }
}

impl StdError for Elsewhere {}

/// Why there is no answer, in our own words.
fn unanswered(broken: &Broken) -> Unanswered {
    match broken {
        Broken::Tls(error) => tls_failed(error),
        Broken::Io(kind) => connection_failed(*kind),
        Broken::Cut => connection_failed(io::ErrorKind::ConnectionReset),
        Broken::Late => Unanswered::new("time-out", "no connection within the time that it has").repeatable(),
        Broken::Unconnected => Unanswered::new(
            "connection",
            "no connection came about: a firewall, a proxy, or nobody is there",
        )
        .repeatable(),
        Broken::HalfWay => Unanswered::new("answer", "the answer is no HTTP, or ended half-way").repeatable(),
        Broken::TooLong => Unanswered::new(
            "answer-too-long",
            format!(
                "the answer is longer than {} KiB, and nothing of it was believed",
                MOST >> 10
            ),
        ),
    }
}

pub(crate) fn connection_failed(kind: io::ErrorKind) -> Unanswered {
    let why = match kind {
        io::ErrorKind::ConnectionRefused => "nobody listens there: check host and port",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no way leads there from this machine",
        io::ErrorKind::TimedOut => "nobody answered",
        _ => "the connection was closed before the answer",
    };
    Unanswered::new("connection", why).repeatable()
}

/// What is wrong with a certificate, in our own words.
pub(crate) fn tls_failed(error: &TlsError) -> Unanswered {
    let why = match error {
        TlsError::InvalidCertificate(wrong) => match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired, or the clock here is wrong"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet, or the clock here is wrong"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the server's certificate is from an authority that is not trusted here: something on the way opens TLS, or a ca_file is missing"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another host"
            }
            CertificateError::Revoked => "the server's certificate was revoked",
            _ => "the server's certificate cannot be trusted",
        },
        _ => "no TLS came about with what answers there",
    };
    Unanswered::new("tls", format!("{why}; the credential was not sent"))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use reqwest::dns::{Name, Resolve};

    use super::{Pinned, form};

    /// Who answers for names can give a good address to whoever looks, and another one to whoever calls.
    #[tokio::test]
    async fn a_host_is_called_at_the_addresses_that_were_looked_at_and_no_other_host_at_any() {
        let seen: Vec<SocketAddr> = vec!["192.0.2.7:443".parse().unwrap(), "[2001:db8::7]:443".parse().unwrap()];
        let pinned = Pinned {
            host: "localhost".to_owned(),
            addresses: seen.clone(),
        };
        let name = |text: &str| text.parse::<Name>().unwrap();
        for spelled in ["localhost", "LocalHost"] {
            let found = pinned.resolve(name(spelled)).await.unwrap();
            assert_eq!(found.collect::<Vec<_>>(), seen, "{spelled}");
        }
        assert!(pinned.resolve(name("localhost.localdomain")).await.is_err());
    }

    #[test]
    fn a_form_has_its_room_from_the_beginning_so_that_no_copy_of_it_is_left_behind() {
        let secret = "\u{fffd}".repeat(500);
        let fields = [("client_id", "client"), ("client_secret", secret.as_str())];
        let room: usize = fields
            .iter()
            .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
            .sum();
        let encoded = form(fields);
        assert!(
            encoded.len() > 4500 && encoded.capacity() == room,
            "{} {room}",
            encoded.capacity()
        );
    }
}
