//! The whole journal, as it is at one moment.

use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

#[cfg(feature = "postgres")]
use super::outbox;
use super::rows::stored_line;
use super::{REMEMBERED, classify};
#[cfg(feature = "postgres")]
use crate::store::copied::{Everything, Summarised};
use crate::store::verify::{Chain, Summary};
use crate::store::{StoreError, Verified, Visit};

/// Walks the journal once, line by line, and compares where it leads with what is kept beside it.
pub(super) async fn verify(
    connection: &mut SqliteConnection,
    path: &Path,
    visit: &mut Visit<'_>,
) -> Result<Verified, StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    // All of it is read as it is at one moment, whoever writes meanwhile.
    let mut connection = connection.begin().await.map_err(fault)?;
    let health: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    if health != "ok" {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            why: health,
        });
    }
    let mut walk = Chain::default();
    {
        let events = sqlx::query("SELECT * FROM events ORDER BY seq").persistent(REMEMBERED);
        let mut rows = events.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(fault)? {
            walk.take(&stored_line(&row).map_err(fault)?, visit)?;
        }
    }
    let kept = sqlx::query(
        "SELECT r.id, r.target, r.revision, r.closed, r.snapshot, t.latest, r.updated_at
         FROM rotations r LEFT JOIN targets t ON t.name = r.target",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault)?;
    for row in &kept {
        walk.compare(&summary(row).map_err(fault)?)?;
    }
    let sealed: Vec<(String, String)> = sqlx::query_as("SELECT rotation, name FROM sealed ORDER BY rotation, name")
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    for (rotation, name) in &sealed {
        walk.found_sealed(rotation, name)?;
    }
    let fences: Vec<i64> = sqlx::query_scalar("SELECT fence FROM lease")
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    walk.check_fences(&fences, path)?;
    walk.end(i64::try_from(kept.len()).unwrap_or(i64::MAX))
}

fn summary(row: &SqliteRow) -> Result<Summary, sqlx::Error> {
    Ok(Summary {
        id: row.try_get(0)?,
        target: row.try_get(1)?,
        revision: row.try_get(2)?,
        closed: row.try_get(3)?,
        snapshot: row.try_get(4)?,
        latest: row.try_get(5)?,
        updated_at: row.try_get(6)?,
    })
}

/// All of it, to be copied. Nobody writes meanwhile.
#[cfg(feature = "postgres")]
pub(super) async fn everything(
    connection: &mut SqliteConnection,
    sealed: Vec<crate::store::Sealed>,
) -> Result<Everything, sqlx::Error> {
    let lines = sqlx::query("SELECT * FROM events ORDER BY seq")
        .persistent(REMEMBERED)
        .fetch_all(&mut *connection)
        .await?;
    let summaries = sqlx::query("SELECT id, target, revision, closed, updated_at, snapshot FROM rotations ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    let copied = |row: &SqliteRow| Ok(stored_line(row)?.into());
    let summarised = |row: &SqliteRow| {
        Ok(Summarised {
            id: row.try_get(0)?,
            target: row.try_get(1)?,
            revision: row.try_get(2)?,
            closed: row.try_get(3)?,
            updated_at: row.try_get(4)?,
            snapshot: row.try_get(5)?,
        })
    };
    Ok(Everything {
        lines: lines.iter().map(copied).collect::<Result<_, sqlx::Error>>()?,
        summaries: summaries.iter().map(summarised).collect::<Result<_, sqlx::Error>>()?,
        targets: sqlx::query_as("SELECT name, latest FROM targets ORDER BY name")
            .fetch_all(&mut *connection)
            .await?,
        sealed,
        told: outbox::told(connection).await?,
        outbox: outbox::outbox(connection).await?,
    })
}
