//! A login at MySQL.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError, OptsBuilder, Row, ServerError, SslOpts};
use rustls::Error as TlsError;
use serde::Deserialize;

use super::database::{Server, Trust, cut_off, login, no_tls, within};
use super::{Attempt, Outcome};
use crate::contract::cause;
use crate::guide::Template;
use crate::web::{connection_failed, tls_failed};

/// The account that the session belongs to.
const WHO: &str = "SELECT CURRENT_USER()";

/// No answer here is longer; and where both of these are told, the library asks the server for nothing of its own.
const LONGEST_PACKET: usize = 64 << 10;
const IDLE_SECONDS: usize = 60;

/// Any address, as the host of an account.
const ANYWHERE: &str = "%";

/// A login at MySQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MysqlLogin {
    /// The server.
    pub server: Template,
    /// Its port.
    pub port: Template,
    /// The host of the account: an account is a user at a host, and from elsewhere another one may be meant.
    pub account_host: Template,
}

impl MysqlLogin {
    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        within(attempt.network.time_out, self.log_in(attempt)).await
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        vec![&self.server, &self.port, &self.account_host]
    }

    /// One connection with one login, and always with TLS: without it the library would encrypt the password with whatever key it
    /// is shown, and not survive one that is none.
    async fn log_in(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let (user, password) = login(&attempt)?;
        let account_host = attempt.fill(&self.account_host)?;
        let server = Server::find(&self.server, &self.port, attempt).await?;
        let tls = match server.trust {
            Trust::Authorities => {
                let trusted = server
                    .authorities()?
                    .into_iter()
                    .map(|der| der.to_vec().into())
                    .collect();
                SslOpts::default()
                    .with_disable_built_in_roots(true)
                    .with_root_certs(trusted)
            }
            Trust::ThisMachine => SslOpts::default().with_danger_accept_invalid_certs(true),
        };
        let addresses: Vec<_> = server.addresses.iter().map(|address| address.ip()).collect();
        let port = server.addresses.first().map_or(0, |address| address.port());
        let options = OptsBuilder::default()
            .ip_or_hostname(server.host.as_str())
            .tcp_port(port)
            .resolved_ips(Some(addresses))
            .user(Some(user))
            .pass(Some(password))
            .ssl_opts(tls)
            // A socket of this machine would be a second login.
            .prefer_socket(false)
            .max_allowed_packet(Some(LONGEST_PACKET))
            .wait_timeout(Some(IDLE_SECONDS))
            .stmt_cache_size(0);
        let opened = Conn::new(options).await;
        let mut session = opened.map_err(|error| refused(&error, &account_host))?;
        let answer = session.query_first::<Row, _>(WHO).await;
        // Says goodbye, so that the server's log has no complaint; whatever comes of that.
        let _ = session.disconnect().await;
        let row = answer.map_err(|error| refused(&error, &account_host))?;
        let account = row.and_then(|row| row.get_opt::<String, _>(0)).and_then(Result::ok);
        Ok(signed_in(account.as_deref(), user, &account_host))
    }
}

fn signed_in(account: Option<&str>, user: &str, account_host: &str) -> Outcome {
    match account.and_then(|account| account.rsplit_once('@')) {
        Some((name, host)) if name == user && host.eq_ignore_ascii_case(account_host) => {
            Outcome::accepted("signed-in", "the server let the user in")
        }
        Some((name, _)) if name == user => Outcome::inconclusive(
            "other-account",
            "the password is that of another account of the same user: from here the server finds one with another host than the \
             one that was given (--account-host)",
        ),
        _ => Outcome::inconclusive("other-account", "the server let somebody else in, or did not say whom"),
    }
}

fn refused(error: &Error, account_host: &str) -> Outcome {
    match error {
        Error::Server(said) => meaning(said, account_host),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => no_tls(),
        Error::Driver(
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled,
        ) => Outcome::inconclusive(
            "method",
            "the server asks for another proof than a password, or for the password in a form that anybody could read; it does so as well \
             where there is no such account",
        ),
        Error::Io(trouble) => {
            if let Some(tls) = cause::<TlsError>(error) {
                return tls_failed(tls).into();
            }
            match trouble {
                IoError::Io(trouble) if trouble.kind() != std::io::ErrorKind::ConnectionRefused => cut_off(),
                IoError::Io(trouble) => connection_failed(trouble.kind()).into(),
                IoError::Tls(_) => Outcome::inconclusive(
                    "tls",
                    "no TLS came about with what answers there; the credential was not sent",
                ),
            }
        }
        _ => cut_off(),
    }
}

fn meaning(said: &ServerError, account_host: &str) -> Outcome {
    let class = format!("mysql-{}", said.code);
    let inconclusive = |reason: &'static str| Outcome::inconclusive(class.clone(), reason);
    match said.code {
        1045 if account_host == ANYWHERE || seen_from(&said.message).is_some_and(|seen| takes(account_host, seen)) => {
            Outcome::rejected(
                class,
                "the password is wrong, or there is no such account: the server does not say which",
            )
        }
        1045 => inconclusive(
            "access denied, which may be for the address: the account takes the user from its own host alone, and here is another",
        ),
        3118 => Outcome::rejected(class, "the account is locked (ACCOUNT LOCK)"),
        // Both say that the password was right. Whoever uses it is turned away all the same.
        1820 | 1862 => inconclusive(
            "the password is right and has expired: nobody can work with it, and whoever has it can still set another one; change it",
        ),
        3955 => inconclusive("the account is locked for a while after too many wrong passwords"),
        1040 | 1203 | 1226 => inconclusive("the server or the account has as many connections as it may have"),
        1129 | 1130 => inconclusive("the server lets nobody in from here"),
        1053 | 3032 => inconclusive("the server is stopping, or lets administrators in alone"),
        1251 | 1275 | 1524 => {
            inconclusive("the server proves this account by a method that it does not have, or that we do not")
        }
        3159 => inconclusive("the server takes no connection without TLS"),
        _ => inconclusive("the server refuses the session, and not for the password"),
    }
}

/// The address or name under which the server sees this machine: the account that it names ends with it, in every language.
fn seen_from(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("'@'")?;
    rest.split_once('\'').map(|(host, _)| host)
}

/// Whether the host of an account, in which `%` stands for any letters and `_` for one, takes this one. Netmasks and lists are not
/// read: then it is not known.
fn takes(account_host: &str, seen: &str) -> bool {
    let (mut patterns, mut letters) = (account_host.chars(), seen.chars());
    match patterns.next() {
        None => seen.is_empty(),
        Some('%') => {
            let rest = patterns.as_str();
            seen.char_indices().any(|(at, _)| takes(rest, &seen[at..])) || takes(rest, "")
        }
        Some(pattern) => letters.next().is_some_and(|letter| {
            (pattern == '_' || pattern.eq_ignore_ascii_case(&letter)) && takes(patterns.as_str(), letters.as_str())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{seen_from, takes};

    #[test]
    fn an_account_takes_the_addresses_of_its_host_and_no_others() {
        for (host, seen) in [
            ("%", "10.0.0.1"),
            ("10.1.%", "10.1.2.3"),
            ("10.1.2._", "10.1.2.3"),
            ("localhost", "LOCALHOST"),
            ("%.acme.example", "a.b.acme.example"),
        ] {
            assert!(takes(host, seen), "{host} {seen}");
        }
        for (host, seen) in [
            ("10.1.%", "10.2.2.3"),
            ("10.1.2._", "10.1.2.33"),
            ("localhost", "127.0.0.1"),
            ("10.0.0.0/255.0.0.0", "10.1.2.3"),
            ("", "a"),
            ("a", ""),
        ] {
            assert!(!takes(host, seen), "{host} {seen}");
        }
        assert_eq!(
            seen_from("Access denied for user 'a'@'10.1.2.3' (using password: YES)"),
            Some("10.1.2.3")
        );
        assert_eq!(seen_from("denied"), None);
    }
}
