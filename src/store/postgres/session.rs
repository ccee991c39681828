//! One connection. It keeps nothing from one transaction to the next, so a pooler that gives each transaction another
//! connection of its own does no harm: no statement has a name, and what a transaction needs it sets for itself.

use std::time::Duration;

use rotate_providers::authorities;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, RowStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, Tls};
use super::fault::Failure;

/// How long a connection may take to be made, and an answer to come.
const CONNECTS: Duration = Duration::from_secs(10);
pub(super) const ANSWERS: Duration = Duration::from_secs(30);

/// Seen by the administrators of the server.
const APPLICATION: &str = "rotate";

/// What is written stays, whatever the server, the database or the role has for a default: a commit that is not yet safe is no
/// commit. Only what is stricter is left alone. Whoever is stopped in the middle of it does not keep others waiting.
const WRITE: &str = "SET LOCAL lock_timeout = '20s';
    SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = '10s';
    SELECT set_config('synchronous_commit',
        CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN 'on'
             ELSE current_setting('synchronous_commit') END, true)";

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Everything is read as it is at one moment, whoever writes meanwhile.
    Reading,
    /// Each statement sees what was committed before it.
    Writing,
}

impl For {
    pub(super) fn begin(self, schema: &str) -> String {
        let path = format!("SET LOCAL search_path TO \"{schema}\"");
        match self {
            Self::Reading => format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {path}"),
            Self::Writing => format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {path}; {WRITE}"),
        }
    }
}

/// A connection, which is closed when this is dropped, whatever is under way.
pub(super) struct Session {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Session {
    pub(super) async fn connect(address: &Address) -> Result<Self, Failure> {
        timeout(CONNECTS, Self::open(address))
            .await
            .unwrap_or_else(|_| Err(Failure::silent(CONNECTS.as_secs())))
    }

    async fn open(address: &Address) -> Result<Self, Failure> {
        let broken = |why: std::io::Error| Failure::Broken(why.to_string());
        let stream = TcpStream::connect((address.host.as_str(), address.port))
            .await
            .map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        if address.tls == Tls::ThisMachine && !stream.peer_addr().map_err(broken)?.ip().is_loopback() {
            // Its name says that it is this machine, and whoever answers for names says another.
            return Err(Failure::Broken(format!(
                "{} leads to another machine, and nothing proves which: write its real name",
                address.host
            )));
        }
        let mut config = Config::new();
        config
            .user(&address.user)
            .dbname(&address.database)
            .application_name(APPLICATION);
        if let Some(password) = &address.password {
            config.password(password.expose());
        }
        match &address.tls {
            Tls::ThisMachine => {
                let (client, connection) = config.ssl_mode(SslMode::Disable).connect_raw(stream, NoTls).await?;
                Ok(Self::of(client, async move { drop(connection.await) }))
            }
            Tls::Full(file) => {
                let trusted = authorities::trusted(file.as_deref()).map_err(Failure::Broken)?;
                let mut tls = MakeRustlsConnect::new(trusted);
                let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, &address.host)
                    .map_err(|_| Failure::Broken("its host is no name that a certificate can have".to_owned()))?;
                let (client, connection) = config.ssl_mode(SslMode::Require).connect_raw(stream, tls).await?;
                Ok(Self::of(client, async move { drop(connection.await) }))
            }
        }
    }

    fn of(client: Client, connection: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            client,
            task: tokio::spawn(connection),
        }
    }

    /// Runs statements that give nothing.
    pub(super) async fn run(&self, statements: &str) -> Result<(), Failure> {
        answered(self.client.batch_execute(statements)).await
    }

    /// Runs one statement, and gives its rows.
    pub(super) async fn rows(
        &self,
        statement: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Failure> {
        answered(self.client.query_typed(statement, values)).await
    }

    /// The same, row by row: a whole journal need not fit into the memory.
    pub(super) async fn stream(
        &self,
        statement: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<RowStream, Failure> {
        let values: Vec<_> = values.iter().map(|(value, of)| (*value, of.clone())).collect();
        answered(self.client.query_typed_raw(statement, values)).await
    }
}

/// An answer, or none in time.
pub(super) async fn answered<T>(answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
    match timeout(ANSWERS, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::silent(ANSWERS.as_secs())),
    }
}
