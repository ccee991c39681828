//! What people are told: rows beside the journal, written in its own transactions.

use jiff::Timestamp;
use sqlx::{Connection, Row, SqliteConnection};

use crate::store::chain::{GENESIS, hex};
use crate::store::outbox::MOST;
use crate::store::{NotifierState, Outbox, Outgoing, Queued, Retry, Telling};

/// The tables that came with the third format.
pub(super) const TABLES: &str = "
CREATE TABLE told (target TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, notifier TEXT NOT NULL, recipient TEXT NOT NULL, target TEXT NOT NULL,
    kind TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, kept INTEGER NOT NULL, head TEXT NOT NULL, tries INTEGER NOT NULL,
    next_at TEXT NOT NULL, problem TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_of_notifier ON outbox (notifier, seq);
CREATE TABLE notifiers (
    name TEXT PRIMARY KEY, digest_at TEXT NOT NULL, dropped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Whether somebody else has become the writer since.
pub(super) struct Lost;

/// Writes what people are told, where the journal ends with this hash.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    telling: &Telling,
    head: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO told VALUES (?, ?) ON CONFLICT (target) DO UPDATE SET state = excluded.state")
        .bind(&telling.target)
        .bind(&telling.told)
        .execute(&mut *connection)
        .await?;
    for notice in &telling.notices {
        insert(connection, notice, head).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, notice: &Outgoing, head: &[u8]) -> Result<(), sqlx::Error> {
    let at = notice.at.to_string();
    sqlx::query("INSERT INTO outbox VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '')")
        .bind(&notice.id)
        .bind(&notice.notifier)
        .bind(&notice.recipient)
        .bind(&notice.target)
        .bind(&notice.kind)
        .bind(&at)
        .bind(&notice.body)
        .bind(notice.is_kept)
        .bind(hex(head))
        .bind(&at)
        .execute(&mut *connection)
        .await?;
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE notifier = ? AND recipient = ?")
        .bind(&notice.notifier)
        .bind(&notice.recipient)
        .fetch_one(&mut *connection)
        .await?;
    let over = waiting - MOST;
    if over <= 0 {
        return Ok(());
    }
    let dropped = sqlx::query(
        "DELETE FROM outbox WHERE seq IN
            (SELECT seq FROM outbox WHERE notifier = ? AND recipient = ? AND kept = 0 ORDER BY seq LIMIT ?)",
    )
    .bind(&notice.notifier)
    .bind(&notice.recipient)
    .bind(over)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO notifiers VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET dropped = dropped + excluded.dropped",
    )
    .bind(&notice.notifier)
    .bind(&at)
    .bind(i64::try_from(dropped.rows_affected()).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Writes what people are told because of time alone, in a transaction of its own.
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    fence: i64,
    told: &[Telling],
    digests: &[(String, Timestamp)],
) -> Result<Result<(), Lost>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if !is_ours(&mut transaction, fence).await? {
        return Ok(Err(Lost));
    }
    let head: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let head = head.unwrap_or_else(|| GENESIS.to_vec());
    for (name, at) in digests {
        sqlx::query(
            "INSERT INTO notifiers VALUES (?, ?, 0)
             ON CONFLICT (name) DO UPDATE SET digest_at = excluded.digest_at, dropped = 0",
        )
        .bind(name)
        .bind(at.to_string())
        .execute(&mut *transaction)
        .await?;
    }
    for telling in told {
        // A digest is about no target, of which nobody is told anything.
        if telling.target.is_empty() {
            for notice in &telling.notices {
                insert(&mut transaction, notice, &head).await?;
            }
        } else {
            write(&mut transaction, telling, &head).await?;
        }
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

/// These notices are sent no more: they have arrived, or nobody is there who is to get them.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    fence: i64,
    ids: &[&str],
) -> Result<Result<(), Lost>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if !is_ours(&mut transaction, fence).await? {
        return Ok(Err(Lost));
    }
    for id in ids {
        sqlx::query("DELETE FROM outbox WHERE id = ?")
            .bind(*id)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

/// This notice is tried again later.
pub(super) async fn put_off(
    connection: &mut SqliteConnection,
    fence: i64,
    retry: &Retry<'_>,
) -> Result<Result<(), Lost>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if !is_ours(&mut transaction, fence).await? {
        return Ok(Err(Lost));
    }
    let next_at = retry.next_at.to_string();
    sqlx::query("UPDATE outbox SET tries = tries + 1, next_at = ?, problem = ? WHERE id = ?")
        .bind(&next_at)
        .bind(retry.problem)
        .bind(retry.id)
        .execute(&mut *transaction)
        .await?;
    if retry.holds_all {
        sqlx::query("UPDATE outbox SET next_at = ?1 WHERE notifier = (SELECT notifier FROM outbox WHERE id = ?2)")
            .bind(&next_at)
            .bind(retry.id)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

async fn is_ours(connection: &mut SqliteConnection, fence: i64) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar("SELECT fence FROM lease")
        .fetch_one(&mut *connection)
        .await?;
    Ok(found == fence)
}

/// What people were told of each target last. A database of an older format has nothing of that.
pub(super) async fn told(connection: &mut SqliteConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    if !is_there(connection).await? {
        return Ok(Vec::new());
    }
    sqlx::query_as("SELECT target, state FROM told")
        .fetch_all(&mut *connection)
        .await
}

/// What waits.
pub(super) async fn outbox(connection: &mut SqliteConnection) -> Result<Outbox, sqlx::Error> {
    if !is_there(connection).await? {
        return Ok(Outbox::default());
    }
    let rows = sqlx::query("SELECT * FROM outbox ORDER BY seq")
        .fetch_all(&mut *connection)
        .await?;
    let states: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT name, digest_at, dropped FROM notifiers ORDER BY name")
            .fetch_all(&mut *connection)
            .await?;
    let state = |(name, digest_at, dropped): (String, String, i64)| {
        Ok(NotifierState {
            name,
            digest_at: time(&digest_at)?,
            dropped: dropped.unsigned_abs(),
        })
    };
    Ok(Outbox {
        queued: rows.iter().map(queued).collect::<Result<_, _>>()?,
        notifiers: states.into_iter().map(state).collect::<Result<_, sqlx::Error>>()?,
    })
}

fn queued(row: &sqlx::sqlite::SqliteRow) -> Result<Queued, sqlx::Error> {
    let (at, next_at): (String, String) = (row.try_get("at")?, row.try_get("next_at")?);
    let tries: i64 = row.try_get("tries")?;
    Ok(Queued {
        notice: Outgoing {
            id: row.try_get("id")?,
            notifier: row.try_get("notifier")?,
            recipient: row.try_get("recipient")?,
            target: row.try_get("target")?,
            kind: row.try_get("kind")?,
            at: time(&at)?,
            body: row.try_get("body")?,
            is_kept: row.try_get("kept")?,
        },
        head: row.try_get("head")?,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        next_at: time(&next_at)?,
        problem: row.try_get("problem")?,
    })
}

fn time(text: &str) -> Result<Timestamp, sqlx::Error> {
    text.parse()
        .map_err(|error: jiff::Error| sqlx::Error::Decode(error.into()))
}

async fn is_there(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'outbox'")
        .fetch_one(&mut *connection)
        .await?;
    Ok(found > 0)
}
