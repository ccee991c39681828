//! What is stored, from its rows.

use std::path::Path;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::classify;
use crate::store::StoreError;
use crate::store::line::StoredLine;
use crate::store::replay::{Chained, Kept};

/// A line of the journal.
pub(super) fn stored_line(row: &SqliteRow) -> Result<StoredLine, sqlx::Error> {
    Ok(StoredLine {
        seq: row.try_get("seq")?,
        rotation: row.try_get("rotation")?,
        target: row.try_get("target")?,
        revision: row.try_get("revision")?,
        at: row.try_get("at")?,
        body: row.try_get("body")?,
        fence: match row.try_get("fence") {
            // A database that no newer version has written to has no such column.
            Err(sqlx::Error::ColumnNotFound(_)) => 0,
            fence => fence?,
        },
        hash: row.try_get("hash")?,
    })
}

/// Lines whose rows carry the hash before each as `before`.
pub(super) fn chained<'r>(
    rows: &'r [SqliteRow],
    path: &'r Path,
) -> impl Iterator<Item = Result<Chained, StoreError>> + 'r {
    rows.iter().map(move |row| {
        let read = || Ok((stored_line(row)?, row.try_get("before")?));
        read().map_err(|error: sqlx::Error| classify(path, &error))
    })
}

/// What is kept of one thread beside the journal.
pub(super) fn kept(row: &SqliteRow, path: &Path) -> Result<Kept, StoreError> {
    let read = || -> Result<_, sqlx::Error> {
        let named = (row.try_get("id")?, row.try_get("target")?, row.try_get("revision")?);
        Ok((named, row.try_get::<&str, _>("updated_at")?, row.try_get("snapshot")?))
    };
    let (named, updated_at, snapshot) = read().map_err(|error| classify(path, &error))?;
    Kept::new(named, updated_at, snapshot, path)
}
