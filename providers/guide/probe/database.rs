//! What the logins at databases share: where the server is, whom it may be taken for, and how long it has.
//!
//! A server elsewhere has to speak TLS, with a certificate for its name. On this machine there is mostly the end of a tunnel, which
//! has a certificate for another name or none; it is believed as it is, unless there is a `ca_file` to hold it against.

mod anybody;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::{Attempt, Outcome};
use crate::authorities;
use crate::guide::Template;
use crate::web::{Host, Network};

/// Where a database listens.
pub(super) struct Server<'a> {
    pub(super) host: String,
    /// Looked up once for the whole call.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) trust: Trust,
    network: &'a Network,
}

/// Whom the server may be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever has a certificate for its name from an authority.
    Authorities,
    /// Whoever listens on this machine.
    ThisMachine,
}

impl<'a> Server<'a> {
    pub(super) async fn find(server: &Template, port: &Template, attempt: Attempt<'a>) -> Result<Self, Outcome> {
        let (host, port) = (attempt.fill(server)?, attempt.fill(port)?);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Ok(port @ 1..) = port.parse::<u16>() else {
            return Err(Outcome::inconclusive(
                "address",
                "the port is no number from 1 to 65535",
            ));
        };
        Ok(Self {
            addresses: attempt.network.addresses(&host, port, Host::Database).await?,
            trust: Trust::in_whoever_is_at(&host, attempt.network.ca_file.is_some()),
            network: attempt.network,
            host,
        })
    }

    /// TLS as this server is trusted.
    pub(super) fn tls(&self) -> Result<ClientConfig, Outcome> {
        match self.trust {
            Trust::Authorities => Ok(self.network.authorities()?),
            Trust::ThisMachine => anybody::client(),
        }
    }

    /// The certificates of the authorities themselves, for a client that takes nothing else.
    pub(super) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, Outcome> {
        let cannot = |why: &'static str| Outcome::inconclusive("authorities", why);
        authorities::check().map_err(|_| cannot("the system's authorities cannot be read (SSL_CERT_FILE)"))?;
        let mut found = rustls_native_certs::load_native_certs().certs;
        found.extend(self.network.own_authorities()?);
        // One that cannot be used would be the end of the whole client.
        let mut roots = RootCertStore::empty();
        found.retain(|certificate| roots.add(certificate.clone()).is_ok());
        match found.is_empty() {
            true => Err(cannot(
                "this machine has no certificates of authorities (ca-certificates)",
            )),
            false => Ok(found),
        }
    }
}

impl Trust {
    fn in_whoever_is_at(host: &str, is_held_against_a_file: bool) -> Self {
        let this_machine =
            host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match this_machine && !is_held_against_a_file {
            true => Self::ThisMachine,
            false => Self::Authorities,
        }
    }
}

/// The user and the password of an attempt. A database takes an empty one for none.
pub(super) fn login<'a>(attempt: &'a Attempt<'_>) -> Result<(&'a str, &'a str), Outcome> {
    let (user, password) = (attempt.login()?, attempt.text()?);
    match password.is_empty() || password.contains('\0') {
        true => Err(Outcome::inconclusive(
            "secret-form",
            "the password is empty, or has a letter in it that none can have",
        )),
        false => Ok((user, password)),
    }
}

/// One try, and no longer than this.
pub(super) async fn within(time_out: Duration, login: impl Future<Output = Result<Outcome, Outcome>>) -> Outcome {
    match timeout(time_out, login).await {
        Ok(Ok(outcome) | Err(outcome)) => outcome,
        Err(_) => Outcome::inconclusive("time-out", format!("no whole answer within {} s", time_out.as_secs())),
    }
}

/// It is not known whether the server had seen the password, so nobody tries again.
pub(super) fn cut_off() -> Outcome {
    Outcome::inconclusive(
        "cut-off",
        "the connection ended, or what came was no answer, before anything was said about the password",
    )
}

/// Without TLS there is no telling who answers.
pub(super) fn no_tls() -> Outcome {
    Outcome::inconclusive("no-tls", "the server does not speak TLS; the password was not sent")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Server, Trust};
    use crate::guide::Template;
    use crate::guide::probe::Attempt;
    use crate::secret::Secret;
    use crate::web::Network;

    #[tokio::test]
    async fn an_address_is_where_it_says_in_brackets_and_without() {
        let network = Network::default();
        let secret = Secret::new("geheim");
        for (given, host, address) in [
            ("2001:db8::17", "2001:db8::17", "[2001:db8::17]:5432"),
            ("[::1]", "::1", "[::1]:5432"),
            ("::1", "::1", "[::1]:5432"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.1:5432"),
        ] {
            let values = BTreeMap::from([("server".to_owned(), given.to_owned())]);
            let attempt = Attempt {
                values: &values,
                login: None,
                secret: &secret,
                network: &network,
            };
            let (server, port) = (Template::parse("{server}").unwrap(), Template::parse("5432").unwrap());
            // That it is an address.
            let found = Server::find(&server, &port, attempt).await.ok().unwrap();
            assert_eq!(
                (found.host.as_str(), found.addresses[0].to_string().as_str()),
                (host, address)
            );
            // TLS takes it for a name that a certificate can be held against.
            assert!(rustls::pki_types::ServerName::try_from(found.host).is_ok(), "{given}");
        }
    }

    #[test]
    fn only_what_can_be_nothing_else_is_taken_for_this_machine_and_not_against_a_file() {
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert_eq!(Trust::in_whoever_is_at(here, false), Trust::ThisMachine, "{here}");
            assert_eq!(Trust::in_whoever_is_at(here, true), Trust::Authorities, "{here}");
        }
        for elsewhere in [
            "localhost.",
            "localhost.example",
            "127.0.0.1.example",
            "10.0.0.1",
            "::",
            "0.0.0.0",
            "db.internal",
            "",
        ] {
            assert_eq!(
                Trust::in_whoever_is_at(elsewhere, false),
                Trust::Authorities,
                "{elsewhere}"
            );
        }
    }
}
