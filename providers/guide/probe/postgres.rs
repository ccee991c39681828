//! A login at PostgreSQL, or at what speaks its protocol.

use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::error::DbError;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database::{Server, Trust, cut_off, login, no_tls, within};
use super::{Attempt, Outcome, Verdict};
use crate::contract::cause;
use crate::guide::Template;
use crate::web::{connection_failed, tls_failed};

/// Whom the session belongs to. It is asked as plain text, which poolers pass on as well.
const WHO: &str = "SELECT current_user";

/// A login at PostgreSQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresLogin {
    /// The server.
    pub server: Template,
    /// Its port.
    pub port: Template,
    /// The database.
    pub database: Template,
    /// The SQLSTATEs by which the server says that it does not take the password: PostgreSQL has one for that alone, what was made
    /// of its older versions uses that of all refusals.
    #[serde(default = "invalid_password")]
    pub refusals: Vec<String>,
}

type Opened = (
    Client,
    Connection<TcpStream, <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::Stream>,
);

/// Connects by the addresses that were looked at; inside, what the server says.
async fn connect(config: &Config, server: &Server<'_>) -> Result<Result<Opened, Error>, Outcome> {
    let Ok(tls) =
        MakeTlsConnect::<TcpStream>::make_tls_connect(&mut MakeRustlsConnect::new(server.tls()?), &server.host);
    let stream = TcpStream::connect(&*server.addresses).await;
    let stream = stream.map_err(|error| connection_failed(error.kind()))?;
    Ok(config.connect_raw(stream, tls).await)
}

impl PostgresLogin {
    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        within(attempt.network.time_out, self.log_in(attempt)).await
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        vec![&self.server, &self.port, &self.database]
    }

    /// One connection with the password, and one answer to the question for the password: the library's own way would go on to the next address of
    /// the server after a refusal.
    async fn log_in(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let (user, password) = login(&attempt)?;
        let database = attempt.fill(&self.database)?;
        let server = Server::find(&self.server, &self.port, attempt).await?;
        let mut config = Config::new();
        config.user(user).password(password).dbname(&database);
        config.ssl_mode(match server.trust {
            Trust::Authorities => SslMode::Require,
            Trust::ThisMachine => SslMode::Prefer,
        });
        let (client, mut connection) = match connect(&config, &server).await? {
            Ok(open) => open,
            Err(error) => return Err(self.refused(&error, server.trust)),
        };
        let answer = tokio::select! {
            answer = client.simple_query(WHO) => answer,
            _ = &mut connection => return Err(cut_off()),
        };
        // Says goodbye, so that the server's log has no complaint.
        drop(client);
        let _ = connection.await;
        let outcome = match answer {
            Ok(rows) => signed_in(&rows, user),
            Err(error) => self.refused(&error, server.trust),
        };
        if outcome.verdict != Verdict::Accepted {
            return Ok(outcome);
        }
        // Where a server asks for no password it takes any, and nothing was tried. Where it asks, none is sent.
        let mut without = Config::new();
        without.user(user).dbname(&database).ssl_mode(config.get_ssl_mode());
        Ok(match connect(&without, &server).await? {
            Ok(_) => Outcome::inconclusive(
                "no-password",
                "the server lets this user in without a password (trust or peer in its pg_hba.conf), so it takes any",
            ),
            Err(_) => outcome,
        })
    }

    fn refused(&self, error: &Error, trust: Trust) -> Outcome {
        if let Some(said) = error.as_db_error() {
            return self.meaning(said);
        }
        if let Some(tls) = cause(error) {
            return tls_failed(tls).into();
        }
        // The library has no other name for these two.
        match (error.to_string().as_str(), trust) {
            ("error performing TLS handshake", Trust::Authorities) => no_tls(),
            ("authentication error", _) => Outcome::inconclusive(
                "method",
                "the server asks for another proof than a password, or could not show that it knows the password itself",
            ),
            _ => cut_off(),
        }
    }

    /// The server's words are in its own language, and may be anything; what it names the place in its own code does not change.
    fn meaning(&self, said: &DbError) -> Outcome {
        let state = said.code().code();
        let is_state = state.len() == 5 && state.bytes().all(|letter| letter.is_ascii_alphanumeric());
        let class = if is_state {
            format!("sqlstate-{state}")
        } else {
            "sqlstate-unknown".to_owned()
        };
        let inconclusive = |reason: &'static str| Outcome::inconclusive(class.clone(), reason);
        let rejected = |reason: &'static str| Outcome::rejected(class.clone(), reason);
        let refused = "the password is wrong or has expired, or there is no such user: the server does not say which";
        match (state, said.routine()) {
            ("28000", Some("ClientAuthentication")) => inconclusive(
                "the server's rules (pg_hba.conf) let nobody in from here with this user, database and encryption",
            ),
            ("28000", Some("InitializeSessionUserId")) => {
                rejected("the user may not sign in (NOLOGIN), or does not exist")
            }
            // Where somebody else looks at the password for the server; these names are the same in every language.
            ("28000", Some("auth_failed"))
                if ["LDAP", "PAM", "RADIUS"]
                    .iter()
                    .any(|name| said.message().contains(name)) =>
            {
                rejected(refused)
            }
            (state, _) if self.refusals.iter().any(|refusal| refusal == state) => rejected(refused),
            ("28000", _) => inconclusive("the server refuses the user, and not for the password"),
            ("3D000", _) => inconclusive("there is no such database; nothing was said against the password"),
            ("42501", _) => {
                inconclusive("the user may not connect to this database; nothing was said against the password")
            }
            ("53300", _) => inconclusive("the server, the database or the user has as many connections as it may have"),
            ("57P03", _) => inconclusive("the server is starting, stopping or being repaired"),
            ("0A000" | "08P01" | "22023" | "42704", _) => {
                inconclusive("the server, or a pool before it, did not understand the beginning of the session")
            }
            _ => inconclusive("the server refuses the session, and not for the password"),
        }
    }
}

fn signed_in(rows: &[SimpleQueryMessage], user: &str) -> Outcome {
    let name = rows.iter().find_map(|row| match row {
        SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten(),
        _ => None,
    });
    match name {
        Some(name) if name == user => Outcome::accepted("signed-in", "the server let the user in"),
        Some(_) => Outcome::inconclusive(
            "other-user",
            "the server let somebody else in: a pool before it signs in as a user of its own",
        ),
        None => Outcome::inconclusive("other-user", "the server did not say whom it let in"),
    }
}

fn invalid_password() -> Vec<String> {
    vec!["28P01".to_owned()]
}
