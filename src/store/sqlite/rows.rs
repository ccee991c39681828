//! Lines of the journal, from their rows.

use std::path::Path;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::classify;
use crate::store::StoreError;
use crate::store::line::StoredLine;
use crate::store::replay::Chained;

/// A line of a row that begins with all columns of one, in the order of their table.
pub(super) fn stored_line(row: &SqliteRow) -> Result<StoredLine<'_>, sqlx::Error> {
    Ok(StoredLine {
        seq: row.try_get(0)?,
        rotation: row.try_get(1)?,
        target: row.try_get(2)?,
        revision: row.try_get(3)?,
        at: row.try_get(4)?,
        body: row.try_get(5)?,
        hash: row.try_get(6)?,
        fence: match row.try_get("fence") {
            // A database that no newer version has written to has no such column.
            Err(sqlx::Error::ColumnNotFound(_)) => 0,
            fence => fence?,
        },
    })
}

/// Lines whose rows carry the hash before each as `before`.
pub(super) fn chained<'r>(
    rows: &'r [SqliteRow],
    path: &'r Path,
) -> impl Iterator<Item = Result<Chained<'r>, StoreError>> + 'r {
    rows.iter().map(move |row| {
        let read = || Ok((stored_line(row)?, row.try_get("before")?));
        read().map_err(|error: sqlx::Error| classify(path, &error))
    })
}
