//! The client that every request goes through, and what it says when there is no answer.

use std::io;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use rustls::{ClientConfig, Error as TlsError};
use zeroize::Zeroizing;

use crate::contract::cause;

/// A client that follows nowhere, repeats nothing by itself, and tells nobody where it comes from.
pub fn client(tls: ClientConfig, connected: Duration) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .no_gzip()
        .connect_timeout(connected)
        .user_agent(concat!("rotate/", env!("CARGO_PKG_VERSION")))
}

/// How a request ended without a whole answer.
#[derive(Clone, Debug)]
pub enum Broken {
    /// No TLS came about, or a certificate cannot be trusted: nothing was sent.
    Tls(TlsError),
    /// Not in the time that it has.
    Late,
    /// No connection came about, for this reason of the system.
    Io(io::ErrorKind),
    /// The connection broke behind the request: nobody knows what became of that.
    Cut,
    /// No connection came about.
    Unconnected,
    /// The answer is no HTTP, or ended half-way.
    HalfWay,
    /// The answer is longer than there can be.
    TooLong,
}

impl Broken {
    /// Its name, which stays what it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tls(_) => "tls",
            Self::Late => "time-out",
            Self::Io(_) | Self::Unconnected => "connection",
            Self::Cut | Self::HalfWay => "answer",
            Self::TooLong => "answer-too-long",
        }
    }

    /// Whether it is about the certificate of whoever answered.
    pub fn is_about_a_certificate(&self) -> bool {
        matches!(self, Self::Tls(TlsError::InvalidCertificate(_)))
    }
}

impl From<&reqwest::Error> for Broken {
    /// What the library itself says may hold the address and more.
    fn from(error: &reqwest::Error) -> Self {
        if let Some(tls) = cause::<TlsError>(error) {
            return Self::Tls(tls.clone());
        }
        if error.is_timeout() {
            return Self::Late;
        }
        if let Some(io) = cause::<io::Error>(error) {
            return match error.is_connect() {
                true => Self::Io(io.kind()),
                false => Self::Cut,
            };
        }
        match error.is_connect() {
            true => Self::Unconnected,
            false => Self::HalfWay,
        }
    }
}

/// The body of an answer, unless it has no end.
pub async fn body(mut answer: Response, most: usize) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let told = answer.content_length().and_then(|length| usize::try_from(length).ok());
    // Room for everything: what grows leaves copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(told.unwrap_or(most).min(most)));
    while let Some(chunk) = answer.chunk().await.map_err(|error| Broken::from(&error))? {
        if body.len() + chunk.len() > most {
            return Err(Broken::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
