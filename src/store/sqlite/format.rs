//! The database file: private, durable, and of a format that this program knows.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use super::{classify, outbox};
use crate::private_file::{self, Place};
use crate::store::StoreError;

/// The format that this program writes.
const FORMAT: i64 = 3;
/// The one before it, and the one before that, which are read as they are. The first lease brings them to the format of today: who
/// only reads changes nothing.
const WITHOUT_OUTBOX: i64 = 2;
const WITHOUT_FENCES: i64 = 1;
/// "rota", so that `file` and the program itself can tell the database from others.
const APPLICATION: i64 = 0x726f_7461;

const SCHEMA: &str = "
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, rotation TEXT NOT NULL, target TEXT NOT NULL, revision INTEGER NOT NULL,
    at TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL, fence INTEGER NOT NULL DEFAULT 0
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

/// The column that came with the second format: under which lease a line was written.
const FENCE: &str = "fence INTEGER NOT NULL DEFAULT 0";

/// What SQLite may keep beside the database, and would go by.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The database is born private; SQLite gives its companions the same mode. None of them is anybody else's, or a link.
pub(super) fn make_private(place: &Place) -> Result<(), StoreError> {
    let refused = |place: &Place, error: private_file::Refused| StoreError::Unsafe {
        path: place.path(),
        why: error.to_string(),
    };
    let is_own = |place: &Place| private_file::is_own(place).map_err(|error| refused(place, error));
    if !is_own(place)? {
        match private_file::create(place, b"") {
            // Another one that begins here was faster.
            Err(error) if !is_own(place)? => return Err(refused(place, error)),
            Ok(()) | Err(_) => {}
        }
    }
    for companion in COMPANIONS {
        let mut name = place.name().to_owned();
        name.push(companion);
        is_own(&place.folder().place(name))?;
    }
    Ok(())
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
    // The number and the tables of one moment: another process may be bringing it up to date.
    let mut reading = connection.begin().await.map_err(fault)?;
    let found = format(&mut reading).await.map_err(fault)?;
    match found {
        (APPLICATION, found @ (WITHOUT_FENCES | WITHOUT_OUTBOX | FORMAT)) => {
            check_schema(path, &mut reading, found).await
        }
        (0, 0) if is_empty(&mut reading).await.map_err(fault)? => {
            drop(reading);
            initialise(connection).await.map_err(fault)
        }
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

/// Nothing is in the database but what was made with it: a trigger or a view would act with each of our own statements, and a
/// table that says something else would let through what ours does not.
async fn check_schema(path: &Path, connection: &mut SqliteConnection, format: i64) -> Result<(), StoreError> {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as("SELECT type, name, sql FROM sqlite_schema")
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| classify(path, &error))?;
    let damaged = |why: String| StoreError::Damaged {
        path: path.to_owned(),
        why,
    };
    let schema = match format {
        WITHOUT_FENCES => SCHEMA.replace(&format!(", {FENCE}"), ""),
        WITHOUT_OUTBOX => SCHEMA.to_owned(),
        _ => format!("{SCHEMA}{}", outbox::TABLES),
    };
    let mut made: Vec<String> = schema
        .split(';')
        .map(words)
        .filter(|made| made.starts_with("CREATE"))
        .collect();
    for (sort, name, sql) in rows {
        // Names that SQLite gives: of the indexes that a table brings along, and of its own statistics.
        if name.starts_with("sqlite_") && matches!(sort.as_str(), "index" | "table") {
            continue;
        }
        let sql = words(&sql.unwrap_or_default());
        match made.iter().position(|made| *made == sql) {
            Some(at) => drop(made.swap_remove(at)),
            None => {
                let name = name.escape_debug();
                return Err(damaged(format!("it has a {sort} {name} that rotate has not made")));
            }
        }
    }
    match made.first() {
        None => Ok(()),
        Some(missing) => {
            let name = missing
                .split(" (")
                .next()
                .unwrap_or_default()
                .trim_start_matches("CREATE ");
            Err(damaged(format!("it has no {name}")))
        }
    }
}

/// Brings a database of a format before to that of today, in one transaction. Lines that were written without fences name no lease.
pub(super) async fn bring_up_to_date(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found = format(&mut transaction).await?;
    if found == (APPLICATION, WITHOUT_FENCES) {
        let add = format!("ALTER TABLE events ADD COLUMN {FENCE}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(add))
            .execute(&mut *transaction)
            .await?;
    }
    if matches!(found, (APPLICATION, WITHOUT_FENCES | WITHOUT_OUTBOX)) {
        sqlx::raw_sql(outbox::TABLES).execute(&mut *transaction).await?;
        sqlx::raw_sql("PRAGMA user_version = 3")
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// A statement, however it is laid out: a column that was added later stands behind the line break of the last.
fn words(sql: &str) -> String {
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace(" ,", ",").replace("( ", "(").replace(" )", ")")
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
    sqlx::raw_sql(outbox::TABLES).execute(&mut *transaction).await?;
    sqlx::raw_sql("PRAGMA application_id = 0x726f7461; PRAGMA user_version = 3;")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
