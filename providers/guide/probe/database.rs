//! What the logins at databases share: where the server is, whom it may be taken for, and why it was not reached.
//!
//! A server elsewhere has to speak TLS, with a certificate for its name. On this machine it is mostly the end of a tunnel, and
//! has a certificate for another name or none; there TLS is used where the server has it, and believed only with a `ca_file`.

mod trust;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Attempt, Outcome};
use crate::guide::Template;

pub(super) use trust::{Trust, unbelieved};

/// Where a database listens.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) trust: Trust,
}

impl Server {
    /// Finds it, once for the whole call. Databases are mostly on private networks, so any address will do.
    pub(super) async fn find(server: &Template, port: &Template, attempt: Attempt<'_>) -> Result<Self, Outcome> {
        let (host, port) = (attempt.fill(server)?, attempt.fill(port)?);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Ok(port @ 1..) = port.parse::<u16>() else {
            return Err(Outcome::inconclusive("input", "the port is no number from 1 to 65535"));
        };
        let trust = Trust::of(is_this_machine(&host), attempt.network.ca_file.as_deref())?;
        let addresses = match lookup_host((host.as_str(), port)).await {
            Ok(found) => found.collect::<Vec<_>>(),
            Err(_) => Vec::new(),
        };
        if addresses.is_empty() {
            let reason = "no address was found for the name of the server: it is wrong, or known elsewhere only";
            return Err(Outcome::inconclusive("no-address", reason).repeatable());
        }
        Ok(Self { host, addresses, trust })
    }
}

/// The user and the password of an attempt.
pub(super) fn login(attempt: Attempt<'_>) -> Result<(&str, &str), Outcome> {
    let Some(user) = attempt.login.filter(|user| !user.is_empty()) else {
        return Err(Outcome::inconclusive("input", "nobody said which user signs in"));
    };
    match attempt.secret.expose_text().filter(|text| !text.is_empty()) {
        Some(password) => Ok((user, password)),
        None => Err(Outcome::inconclusive("input", "the password is empty, or no text")),
    }
}

/// One try, and no longer than this.
pub(super) async fn within(time_out: Duration, login: impl Future<Output = Outcome>) -> Outcome {
    match timeout(time_out, login).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::inconclusive(
            "time-out",
            format!("the server had not answered after {} seconds", time_out.as_secs()),
        ),
    }
}

/// Why no connection came to be. Nothing was sent.
pub(super) fn unreached(error: &io::Error) -> Outcome {
    let reason = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens at this address and port",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no way leads from here to the server's network"
        }
        io::ErrorKind::TimedOut => "the server's address does not answer: it is down, or a firewall drops what comes from here",
        _ => "no connection to the server came to be",
    };
    Outcome::inconclusive("unreachable", reason).repeatable()
}

/// What the server did instead of answering, where it is not known whether it had read the password.
pub(super) fn cut_off() -> Outcome {
    Outcome::inconclusive(
        "cut-off",
        "the connection ended before the server had said anything about the password",
    )
}

/// Without this there is no telling who answers.
pub(super) fn no_tls() -> Outcome {
    Outcome::inconclusive(
        "no-tls",
        "the server does not speak TLS, so the password was not sent to it",
    )
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn only_a_name_that_can_be_nothing_else_is_this_machine() {
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_this_machine(here), "{here}");
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
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
