//! The one transaction that writes.

use sqlx::{Connection, SqliteConnection};

use crate::store::chain::{GENESIS, Link};
use crate::store::{Append, Lease};

/// Writes one event; `Ok(false)` where the lease or the revision is no longer ours.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    lease: &Lease,
    append: &Append<'_>,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let fence: i64 = sqlx::query_scalar("SELECT fence FROM lease")
        .fetch_one(&mut *transaction)
        .await?;
    let revision: Option<i64> = sqlx::query_scalar("SELECT revision FROM rotations WHERE id = ?")
        .bind(append.id)
        .fetch_optional(&mut *transaction)
        .await?;
    if fence != lease.fence || revision.unwrap_or(0) != append.follows {
        return Ok(false);
    }
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let (last_seq, before) = last.unwrap_or((0, GENESIS.to_vec()));
    let at = append.record.at.to_string();
    let encode = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    let body = serde_json::to_string(&append.record.event).map_err(encode)?;
    let snapshot = serde_json::to_string(append.rotation).map_err(encode)?;
    let link = Link {
        seq: last_seq + 1,
        rotation: append.id,
        target: append.target,
        revision: append.follows + 1,
        at: &at,
        body: &body,
    };
    sqlx::query("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(link.seq)
        .bind(link.rotation)
        .bind(link.target)
        .bind(link.revision)
        .bind(link.at)
        .bind(link.body)
        .bind(link.hash(&before).as_slice())
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO rotations VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
         revision = excluded.revision, closed = excluded.closed, updated_at = excluded.updated_at,
         snapshot = excluded.snapshot",
    )
    .bind(append.id)
    .bind(append.target)
    .bind(link.revision)
    .bind(append.rotation.is_closed())
    .bind(link.at)
    .bind(&snapshot)
    .execute(&mut *transaction)
    .await?;
    if append.follows == 0 {
        sqlx::query("INSERT INTO targets VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET latest = excluded.latest")
            .bind(append.target)
            .bind(append.id)
            .execute(&mut *transaction)
            .await?;
    }
    if let Some((name, bytes)) = append.seal {
        sqlx::query("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)")
            .bind(append.id)
            .bind(name)
            .bind(bytes)
            .execute(&mut *transaction)
            .await?;
    }
    if append.record.event.is_final() {
        sqlx::query("DELETE FROM sealed WHERE rotation = ?")
            .bind(append.id)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(true)
}
