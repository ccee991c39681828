//! The embedded store: one SQLite database in the state folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rotate_providers::contract::KeyId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tokio::sync::Mutex;

use super::chain::{GENESIS, Link};
use super::{Append, Lease, Line, Store, StoreError, Stored, Verified};
use crate::hooks::crash_point;
use crate::machine::{Event, Record, Rotation};
use crate::private_file;

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

/// A SQLite database that only its owner can read.
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<SqliteConnection>,
}

impl SqliteStore {
    /// Opens the database, or makes it where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fault = |error: sqlx::Error| classify(path, &error);
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // What is erased is overwritten.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(fault)?;
        check_durability(path, &mut connection).await?;
        check_format(path, &mut connection).await?;
        Ok(Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
        })
    }

    fn fault(&self, error: sqlx::Error) -> StoreError {
        classify(&self.path, &error)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let lock = lock(&self.path.with_extension("lock"))?;
        let mut connection = self.connection.lock().await;
        let row = sqlx::query("UPDATE lease SET fence = fence + 1 RETURNING fence")
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| self.fault(error))?;
        Ok(Lease {
            fence: row.try_get(0).map_err(|error| self.fault(error))?,
            _lock: Some(lock),
        })
    }

    async fn latest(&self, target: &str) -> Result<Option<Stored>, StoreError> {
        let rows = {
            let mut connection = self.connection.lock().await;
            // One line more than the rotation has: the hash before its first.
            sqlx::query(
                "SELECT e.seq, e.rotation, e.target, e.revision, e.at, e.body, e.hash,
                        (SELECT p.hash FROM events p WHERE p.seq = e.seq - 1) AS before
                 FROM events e JOIN targets t ON t.latest = e.rotation WHERE t.name = ? ORDER BY e.revision",
            )
            .bind(target)
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.fault(error))?
        };
        let mut stored: Option<Stored> = None;
        for (row, revision) in rows.iter().zip(1..) {
            let stored_line = StoredLine::read(row).map_err(|error| self.fault(error))?;
            let before: Option<Vec<u8>> = row.try_get("before").map_err(|error| self.fault(error))?;
            let line = stored_line.check(before.as_deref().unwrap_or(&GENESIS))?;
            if stored_line.revision != revision {
                return Err(StoreError::changed(
                    &line,
                    format!("follows a gap: revision {revision} is missing"),
                ));
            }
            let rotation = Rotation::after(stored.take().map(|stored| stored.rotation), &line.record)
                .map_err(|illegal| StoreError::illegal(&line, &illegal))?;
            stored = Some(Stored {
                id: line.rotation,
                target: line.target,
                revision,
                updated_at: line.record.at,
                rotation,
            });
        }
        Ok(stored)
    }

    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        crash_point("store: before commit");
        let written = write(&mut connection, lease, &append).await;
        match written {
            Ok(true) => {}
            Ok(false) => return Err(StoreError::Race),
            Err(error) => return Err(self.fault(error)),
        }
        crash_point("store: after commit");
        if append.record.event.is_final() {
            // What was sealed must not linger in the write-ahead log either. It is erased from the database already.
            if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut *connection)
                .await
            {
                tracing::warn!("the write-ahead log could not be emptied: {}", self.fault(error));
            }
        }
        Ok(())
    }

    async fn sealed(&self, rotation: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.connection.lock().await;
        sqlx::query_scalar("SELECT bytes FROM sealed WHERE rotation = ? AND name = ?")
            .bind(rotation)
            .bind(name)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.fault(error))
    }

    async fn summaries(&self) -> Result<Vec<Stored>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot
             FROM targets t JOIN rotations r ON r.id = t.latest ORDER BY t.name",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        rows.iter().map(|row| self.summary(row)).collect()
    }

    async fn journal(&self, target: Option<&str>) -> Result<Vec<Line>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT seq, rotation, target, revision, at, body, hash FROM events
             WHERE ?1 IS NULL OR target = ?1 ORDER BY seq",
        )
        .bind(target)
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        rows.iter()
            .map(|row| StoredLine::read(row).map_err(|error| self.fault(error))?.parse())
            .collect()
    }

    async fn retired(&self, target: &str) -> Result<Vec<KeyId>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT id, target, revision, updated_at, snapshot FROM rotations WHERE target = ? AND closed = 1",
        )
        .bind(target)
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        let mut keys = Vec::new();
        for row in &rows {
            let stored = self.summary(row)?;
            if matches!(stored.rotation.phase, crate::machine::Phase::Done(_)) {
                keys.push(stored.rotation.charter.old_key);
            }
        }
        Ok(keys)
    }

    async fn verify(&self) -> Result<Verified, StoreError> {
        let mut connection = self.connection.lock().await;
        super::sqlite_verify::verify(&mut connection, &self.path).await
    }
}

impl SqliteStore {
    fn summary(&self, row: &SqliteRow) -> Result<Stored, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            Ok((
                row.try_get::<String, _>("id")?,
                row.try_get::<String, _>("target")?,
                row.try_get::<i64, _>("revision")?,
                row.try_get::<String, _>("updated_at")?,
                row.try_get::<String, _>("snapshot")?,
            ))
        };
        let (id, target, revision, updated_at, snapshot) = read().map_err(|error| self.fault(error))?;
        let unreadable = || StoreError::Damaged {
            path: self.path.clone(),
            why: format!("the summary of {target} cannot be read"),
        };
        let updated_at = updated_at.parse().map_err(|_| unreadable())?;
        let rotation = serde_json::from_str(&snapshot).map_err(|_| unreadable())?;
        Ok(Stored {
            id,
            target,
            revision,
            updated_at,
            rotation,
        })
    }
}

/// A journal line as its row holds it.
pub(super) struct StoredLine {
    pub(super) seq: i64,
    pub(super) rotation: String,
    pub(super) target: String,
    pub(super) revision: i64,
    at: String,
    body: String,
    pub(super) hash: Vec<u8>,
}

impl StoredLine {
    pub(super) fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            rotation: row.try_get("rotation")?,
            target: row.try_get("target")?,
            revision: row.try_get("revision")?,
            at: row.try_get("at")?,
            body: row.try_get("body")?,
            hash: row.try_get("hash")?,
        })
    }

    /// The line, if its hash fits.
    pub(super) fn check(&self, before: &[u8]) -> Result<Line, StoreError> {
        let link = Link {
            seq: self.seq,
            rotation: &self.rotation,
            target: &self.target,
            revision: self.revision,
            at: &self.at,
            body: &self.body,
        };
        if link.hash(before) != self.hash.as_slice() {
            return Err(self.changed("does not fit its hash"));
        }
        self.parse()
    }

    fn parse(&self) -> Result<Line, StoreError> {
        let at = self.at.parse().map_err(|_| self.changed("has no readable time"))?;
        let event: Event = serde_json::from_str(&self.body).map_err(|_| self.changed("cannot be read"))?;
        Ok(Line {
            seq: self.seq,
            rotation: self.rotation.clone(),
            target: self.target.clone(),
            record: Record { at, event },
        })
    }

    pub(super) fn changed(&self, why: &str) -> StoreError {
        StoreError::Changed {
            seq: self.seq,
            target: format!(" of {}", self.target),
            why: why.to_owned(),
        }
    }
}

/// Writes one event; `Ok(false)` where the lease or the revision is no longer ours.
async fn write(connection: &mut SqliteConnection, lease: &Lease, append: &Append<'_>) -> Result<bool, sqlx::Error> {
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
    .bind(append.rotation.phase.is_closed())
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

/// The database is born private; SQLite gives its companions the same mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let refused = |error: private_file::Refused| StoreError::Unsafe {
        path: path.to_owned(),
        why: error.to_string(),
    };
    if !path.exists() {
        private_file::create(path, b"").map_err(refused)?;
    }
    private_file::check(path).map(|_| ()).map_err(refused)
}

/// What was asked for is read back: a journal that is not durable is worse than none.
async fn check_durability(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
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

async fn check_format(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    let found = format(connection).await.map_err(fault)?;
    match found {
        (APPLICATION, FORMAT) => Ok(()),
        (0, 0) => initialise(connection).await.map_err(fault),
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

/// The embedded lease: a file lock, which the system gives back when its holder dies, however it dies.
fn lock(path: &Path) -> Result<File, StoreError> {
    let fault = |error: std::io::Error| StoreError::Database(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() {
                String::new()
            } else {
                format!(" (process {holder})")
            };
            return Err(StoreError::Held(holder));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(fault(error)),
    }
    // For the message above only.
    let _ = file.set_len(0).and_then(|()| file.rewind());
    let _ = writeln!(file, "{}", std::process::id());
    Ok(file)
}

/// What an error of the database means to the person who has to mend it.
pub(super) fn classify(path: &Path, error: &sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code());
    // The primary result code is the low byte: <https://www.sqlite.org/rescode.html>.
    let primary = code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff);
    let path = path.to_owned();
    match primary {
        Some(11 | 26) => StoreError::Damaged {
            path,
            why: error.to_string(),
        },
        Some(13) => StoreError::Full { path },
        Some(19) => StoreError::Race,
        _ => StoreError::Database(error.to_string()),
    }
}
