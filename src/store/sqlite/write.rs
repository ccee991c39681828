//! The one transaction that writes.
//!
//! A commit waits for the disk, and a fleet writes thousands of events. So whoever holds the connection writes for all who
//! wait for it: they share one transaction, and none of them goes on before it is on the disk.

use std::collections::HashMap;

use sqlx::{Connection, SqliteConnection};

use crate::store::Sealed;
use crate::store::chain::{GENESIS, Link};
use crate::store::entry::{Entry, Waiting};

use super::outbox;

/// Writes all of these events or none; says of each whether its lease and its revision were still ours.
pub(super) async fn write(connection: &mut SqliteConnection, batch: &[Waiting]) -> Result<Vec<bool>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let fence: i64 = sqlx::query_scalar("SELECT fence FROM lease")
        .fetch_one(&mut *transaction)
        .await?;
    let mut revisions = revisions(&mut transaction, batch).await?;
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let mut end = last.unwrap_or((0, GENESIS.to_vec()));
    let mut written = Vec::new();
    for Waiting { entry, .. } in batch {
        let revision = revisions.entry(entry.id.as_str()).or_insert(0);
        let ours = fence == entry.fence && *revision == entry.follows;
        if ours {
            end = insert(&mut transaction, entry, end).await?;
            *revision += 1;
        }
        written.push(ours);
    }
    transaction.commit().await?;
    Ok(written)
}

/// Keeps these bytes where those are sealed, and says whether the lease was ours still.
pub(super) async fn reseal(
    connection: &mut SqliteConnection,
    fence: i64,
    sealed: &Sealed,
    bytes: &[u8],
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar("SELECT fence FROM lease")
        .fetch_one(&mut *transaction)
        .await?;
    if found != fence {
        return Ok(false);
    }
    sqlx::query("UPDATE sealed SET bytes = ? WHERE rotation = ? AND name = ? AND bytes = ?")
        .bind(bytes)
        .bind(&sealed.rotation)
        .bind(&sealed.name)
        .bind(&sealed.bytes)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// How many events each of these rotations has; one that is not there has none. Asked once for all: each question goes to
/// another thread and back.
async fn revisions<'b>(
    connection: &mut SqliteConnection,
    batch: &'b [Waiting],
) -> Result<HashMap<&'b str, i64>, sqlx::Error> {
    let ids: Vec<&str> = batch.iter().map(|waiting| waiting.entry.id.as_str()).collect();
    let asked = serde_json::to_string(&ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let found: Vec<(String, i64)> =
        sqlx::query_as("SELECT id, revision FROM rotations WHERE id IN (SELECT value FROM json_each(?))")
            .bind(asked)
            .fetch_all(&mut *connection)
            .await?;
    let revision_of = |id: &'b str| {
        let found = found.iter().find(|(known, _)| known == id);
        (id, found.map_or(0, |(_, revision)| *revision))
    };
    Ok(ids.into_iter().map(revision_of).collect())
}

/// The line and what it leads to, in one go. Each takes its own arguments, in this order.
const LINE: &str = "
    INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?);
    INSERT INTO rotations VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        revision = excluded.revision, closed = excluded.closed, updated_at = excluded.updated_at,
        snapshot = excluded.snapshot";

/// Writes one event behind this end of the chain, and gives the new end.
async fn insert(
    connection: &mut SqliteConnection,
    entry: &Entry,
    (last_seq, before): (i64, Vec<u8>),
) -> Result<(i64, Vec<u8>), sqlx::Error> {
    let link = Link {
        seq: last_seq + 1,
        rotation: &entry.id,
        target: &entry.target,
        revision: entry.follows + 1,
        at: &entry.at,
        body: &entry.body,
        fence: entry.fence,
    };
    let hash = link.hash(&before).to_vec();
    sqlx::query(LINE)
        .bind(link.seq)
        .bind(link.rotation)
        .bind(link.target)
        .bind(link.revision)
        .bind(link.at)
        .bind(link.body)
        .bind(&hash)
        .bind(link.fence)
        .bind(&entry.id)
        .bind(&entry.target)
        .bind(link.revision)
        .bind(entry.closed)
        .bind(link.at)
        .bind(&entry.snapshot)
        .execute(&mut *connection)
        .await?;
    if entry.names_target {
        sqlx::query("INSERT INTO targets VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET latest = excluded.latest")
            .bind(&entry.target)
            .bind(&entry.id)
            .execute(&mut *connection)
            .await?;
    }
    if let Some((name, bytes)) = &entry.seal {
        sqlx::query("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)")
            .bind(&entry.id)
            .bind(name)
            .bind(bytes)
            .execute(&mut *connection)
            .await?;
    }
    if entry.is_final {
        sqlx::query("DELETE FROM sealed WHERE rotation = ?")
            .bind(&entry.id)
            .execute(&mut *connection)
            .await?;
    }
    if let Some(telling) = &entry.telling {
        outbox::write(connection, telling, &hash).await?;
    }
    Ok((link.seq, hash))
}
