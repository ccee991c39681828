//! Parts of the chain: its end, one line of it, and the lines from one on.

use std::path::Path;

use sqlx::SqliteConnection;

use super::rows::stored_line;
use super::{REMEMBERED, classify};
use crate::store::heads::{behind, head_of};
use crate::store::{Head, Line, StoreError};

/// The last line; the beginning of every journal where there is none.
pub(super) async fn last(connection: &mut SqliteConnection, path: &Path) -> Result<Head, StoreError> {
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| classify(path, &error))?;
    Ok(last.map_or_else(Head::beginning, head_of))
}

/// The line at this place.
pub(super) async fn at(connection: &mut SqliteConnection, path: &Path, seq: i64) -> Result<Option<Head>, StoreError> {
    if seq == 0 {
        return Ok(Some(Head::beginning()));
    }
    let found: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, hash FROM events WHERE seq = ?")
        .bind(seq)
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| classify(path, &error))?;
    Ok(found.map(head_of))
}

/// So many lines behind this one.
pub(super) async fn after(
    connection: &mut SqliteConnection,
    path: &Path,
    head: &Head,
    most: u32,
) -> Result<Vec<Line>, StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    // The line itself as well: it has to be the one that is meant.
    let rows = sqlx::query("SELECT * FROM events WHERE seq >= ? ORDER BY seq LIMIT ?")
        .persistent(REMEMBERED)
        .bind(head.seq)
        .bind(i64::from(most) + i64::from(head.seq > 0))
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    behind(head, rows.iter().map(|row| stored_line(row).map_err(fault)))
}
