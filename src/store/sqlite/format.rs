//! The database file: private, durable, and of a format that this program knows.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use super::classify;
use crate::private_file;
use crate::store::StoreError;

/// The format that this program writes.
const FORMAT: i64 = 1;
/// "rota", so that `file` and the program itself can tell the database from others.
const APPLICATION: i64 = 0x726f_7461;

const SCHEMA: &str = "
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, rotation TEXT NOT NULL, target TEXT NOT NULL, revision INTEGER NOT NULL,
    at TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_rotation ON events (rotation, revision);
CREATE INDEX events_of_target ON events (target, seq);
CREATE TABLE rotations (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, revision INTEGER NOT NULL, closed INTEGER NOT NULL,
    updated_at TEXT NOT NULL, snapshot TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_rotation ON rotations (target) WHERE closed = 0;
CREATE TABLE targets (name TEXT PRIMARY KEY, latest TEXT NOT NULL REFERENCES rotations (id)) STRICT, WITHOUT ROWID;
CREATE TABLE sealed (
    rotation TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (rotation, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), fence INTEGER NOT NULL) STRICT;
INSERT INTO lease VALUES (1, 0);
";

/// The database is born private; SQLite gives its companions the same mode.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let refused = |error: private_file::Refused| StoreError::Unsafe {
        path: path.to_owned(),
        why: error.to_string(),
    };
    if !path.exists() {
        private_file::create(path, b"").map_err(refused)?;
    }
    private_file::check_own(path).map_err(refused)
}

/// What was asked for is read back: a journal that is not durable is worse than none.
pub(super) async fn check_durability(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    if mode != "wal" || synchronous != 2 {
        return Err(StoreError::Database(format!(
            "it would not be durable (journal_mode={mode}, synchronous={synchronous})"
        )));
    }
    Ok(())
}

pub(super) async fn check_format(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    let found = format(connection).await.map_err(fault)?;
    match found {
        (APPLICATION, FORMAT) => Ok(()),
        (0, 0) if is_empty(connection).await.map_err(fault)? => initialise(connection).await.map_err(fault),
        (APPLICATION, found) if found > FORMAT => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Err(StoreError::Damaged {
            path: path.to_owned(),
            why: "it belongs to another program".to_owned(),
        }),
    }
}

/// Most programs leave both numbers at zero, so a database of theirs is told by what is in it.
async fn is_empty(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?;
    Ok(tables == 0)
}

async fn format(connection: &mut SqliteConnection) -> Result<(i64, i64), sqlx::Error> {
    let application = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    let version = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    Ok((application, version))
}

/// Makes the tables in one transaction. Another process may do the same at the same time: the second finds them made.
async fn initialise(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if format(&mut transaction).await? == (APPLICATION, FORMAT) {
        return Ok(());
    }
    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
    sqlx::raw_sql("PRAGMA application_id = 0x726f7461; PRAGMA user_version = 1;")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
