//! Parts of the chain: its end, one line of it, and the lines from one on.

use std::path::Path;

use sqlx::SqliteConnection;

use super::line::StoredLine;
use super::{REMEMBERED, classify};
use crate::store::chain::{GENESIS, hex};
use crate::store::{Head, Line, StoreError};

/// The last line; the beginning of every journal where there is none.
pub(super) async fn last(connection: &mut SqliteConnection, path: &Path) -> Result<Head, StoreError> {
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| classify(path, &error))?;
    Ok(last.map_or_else(Head::beginning, of))
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
    Ok(found.map(of))
}

/// The lines behind this one, each checked against its hash and the line before it.
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
        .bind(i64::from(most) + 1)
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    let mut rows = rows.iter();
    let mut before = (0, GENESIS.to_vec());
    if head.seq > 0 {
        let first = rows.next().map(StoredLine::read).transpose().map_err(fault)?;
        before = first.map_or(before, |first| (first.seq, first.hash.to_owned()));
    }
    if of(before.clone()) != *head {
        return Err(StoreError::NotAhead {
            head: head.hash.clone(),
        });
    }
    let mut lines = Vec::new();
    for row in rows {
        let stored = StoredLine::read(row).map_err(fault)?;
        if stored.seq != before.0 + 1 {
            return Err(stored.changed(&format!("follows a gap: event {} is missing", before.0 + 1)));
        }
        let record = stored.check(&before.1)?;
        before = (stored.seq, stored.hash.to_owned());
        lines.push(stored.saying(record).of_its_target());
    }
    Ok(lines)
}

fn of((seq, hash): (i64, Vec<u8>)) -> Head {
    Head { seq, hash: hex(&hash) }
}
