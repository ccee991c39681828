//! A client behind its guard, and what its calls come to.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use snowflake_connector_rs::{Client, ClientConfig, DynamicRow, Error as ClientError, ResultCursor, Session};
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::timeout;
use url::Url;

use super::guard::{Guard, Stopped};
use crate::untrusted::Label;

/// The client itself would wait for two minutes.
const LOGIN_PATIENCE: Duration = Duration::from_secs(25);

/// A statement of ours takes no second; its outcome is found out by reading.
pub(super) const STATEMENT_PATIENCE: Duration = Duration::from_secs(60);

/// No statement of ours asks for more rows, or for more cells in all.
const MOST_ROWS: usize = 10_000;
const MOST_CELLS: usize = 200_000;

/// A task yields after so many steps at the latest.
const LARGEST_BUDGET: usize = 1024;

/// Why a call has no answer.
pub(super) enum Failed {
    /// None came in time.
    Late,
    /// The client says why.
    Client(ClientError),
    /// The guard says why.
    Stopped(Stopped),
    /// There is one, which is more than was asked for.
    TooMuch,
    /// There is no port for a guard.
    Unguarded,
}

/// A client and its guard.
pub(super) struct Channel {
    client: Client,
    guard: Arc<Guard>,
}

/// A session, and the guard of its client: it has to live as long.
pub(super) struct Line {
    session: Session,
    guard: Arc<Guard>,
}

impl Channel {
    /// A client for this endpoint, which the configuration names as well.
    pub(super) async fn new(config: ClientConfig, endpoint: &Url) -> Result<Self, Failed> {
        let guard = Guard::start(endpoint).await.map_err(|_| Failed::Unguarded)?;
        let transport = guard.transport().ok_or(Failed::Unguarded)?;
        Ok(Self {
            client: Client::new(config.with_transport(transport)).map_err(Failed::Client)?,
            guard: Arc::new(guard),
        })
    }

    pub(super) async fn log_in(&self) -> Result<Line, Failed> {
        let session = within(LOGIN_PATIENCE, &self.guard, self.client.create_session()).await?;
        Ok(Line {
            session,
            guard: Arc::clone(&self.guard),
        })
    }
}

impl Line {
    /// The rows that a statement gives, and the id under which Snowflake's history of queries has it: it comes with the answer.
    pub(super) async fn ask(&self, statement: &str) -> Result<(Vec<DynamicRow>, Option<Label>), Failed> {
        let query = self.session.query(statement.to_owned());
        let answer = within(STATEMENT_PATIENCE, &self.guard, query).await?;
        let id = Label::uuid(answer.query_id());
        Ok((rows(answer).await?, id))
    }
}

async fn within<T>(
    patience: Duration,
    guard: &Guard,
    call: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Failed> {
    match timeout(patience, guard.watch(call)).await {
        Ok(Ok(outcome)) => outcome.map_err(Failed::Client),
        Ok(Err(why)) => Err(Failed::Stopped(why)),
        Err(_) => Err(Failed::Late),
    }
}

/// The rows that came with the answer. Further parts of it would be fetched from wherever it says, packed twice, and a
/// large part would be unpacked on a thread that nothing ends: the client waits for both. So nothing is waited for here.
async fn rows(mut answer: ResultCursor) -> Result<Vec<DynamicRow>, Failed> {
    if answer.is_exhausted() {
        return Ok(Vec::new());
    }
    // Even a thread that is free is waited for by a task that has had its turn.
    for _ in 0..LARGEST_BUDGET {
        if !has_budget_remaining() {
            break;
        }
        let _ = consume_budget().now_or_never();
    }
    let table = answer.next_table().now_or_never().ok_or(Failed::TooMuch)?;
    let Some(table) = table.map_err(Failed::Client)? else {
        return Ok(Vec::new());
    };
    let cells = table.row_count().saturating_mul(table.schema().len());
    if !answer.is_exhausted() || table.row_count() > MOST_ROWS || cells > MOST_CELLS {
        return Err(Failed::TooMuch);
    }
    let rows = table.dynamic_rows().map_err(Failed::Client)?;
    rows.map(|row| row.map_err(Failed::Client)).collect()
}
