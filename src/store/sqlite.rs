//! The embedded store: one SQLite database in the state folder.

mod format;
mod line;
mod lock;
mod replay;
mod verify;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rotate_providers::contract::KeyId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, SqliteConnection};
use tokio::sync::Mutex;

use line::StoredLine;

use super::{Append, Lease, Line, Store, StoreError, Stored, Verified};
use crate::hooks::crash_point;

/// A SQLite database that only its owner can read.
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<SqliteConnection>,
}

impl SqliteStore {
    /// Opens the database, or makes it where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fault = |error: sqlx::Error| classify(path, &error);
        format::make_private(path)?;
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
        format::check_durability(path, &mut connection).await?;
        format::check_format(path, &mut connection).await?;
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
        let lock = lock::take(&self.path.with_extension("lock"))?;
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
        let mut connection = self.connection.lock().await;
        let kept = sqlx::query(
            "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot
             FROM targets t JOIN rotations r ON r.id = t.latest WHERE t.name = ?",
        )
        .bind(target)
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        let kept = kept.map(|row| self.summary(&row)).transpose()?;
        let rows = sqlx::query(
            "SELECT seq, rotation, target, revision, at, body, hash,
                    (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
             FROM events e
             WHERE rotation = (SELECT rotation FROM events WHERE target = ? ORDER BY seq DESC LIMIT 1)
             ORDER BY revision",
        )
        .bind(target)
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        let replayed = replay::replay(&rows, |error| self.fault(error))?;
        replay::compare(target, replayed, kept)
    }

    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        crash_point("store: before commit");
        let written = write::write(&mut connection, lease, &append).await;
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
            let rotation = stored.rotation.automated();
            keys.extend(rotation.and_then(|rotation| rotation.retired()).cloned());
        }
        Ok(keys)
    }

    async fn verify(&self) -> Result<Verified, StoreError> {
        let mut connection = self.connection.lock().await;
        verify::verify(&mut connection, &self.path).await
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

/// What an error of the database means to the person who has to mend it.
fn classify(path: &Path, error: &sqlx::Error) -> StoreError {
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
