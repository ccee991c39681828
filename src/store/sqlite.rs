//! The embedded store: one SQLite database in the state folder.

mod format;
mod heads;
mod lock;
mod outbox;
mod rows;
mod threads;
mod whole;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rotate_providers::contract::KeyId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tokio::sync::{Mutex, oneshot};

use rows::stored_line;
use threads::Which;
use write::write;

use super::entry::{Entry, Waiting};
use super::stored::all_as;
use super::{
    Append, Head, Lease, Line, Outbox, Retry, SEALING, Sealed, Store, StoreError, Stored, Telling, Verified, Visit,
    watch_of,
};
use crate::hooks::crash_point;
use crate::machine::{Inventory, Sealing, StreamState};
use crate::private_file::Place;

/// A SQLite database that only its owner can read.
pub struct SqliteStore {
    place: Place,
    path: PathBuf,
    options: SqliteConnectOptions,
    connection: Mutex<SqliteConnection>,
    waiting: std::sync::Mutex<Vec<Waiting>>,
}

/// A statement that takes all columns of a line is not kept from one use to the next: a first lease adds one.
const REMEMBERED: bool = false;

/// How many rows are read before anybody waits for anybody.
const ROWS_AT_ONCE: usize = 1024;

impl SqliteStore {
    /// Opens the database of this path, or makes it where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let place = Place::of(path).map_err(|unfit| StoreError::Unsafe {
            path: path.to_owned(),
            why: unfit.to_string(),
        })?;
        Self::open_at(&place).await
    }

    /// The same, in a folder that is open.
    pub async fn open_at(place: &Place) -> Result<Self, StoreError> {
        let path = &place.path();
        let fault = |error: sqlx::Error| classify(path, &error);
        format::make_private(place)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // Rows come from another thread, and many at a time.
            .row_buffer_size(ROWS_AT_ONCE)
            // What is erased is overwritten.
            .pragma("secure_delete", "ON")
            // What somebody else has written into the file runs no code and is looked at before it is believed.
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(fault)?;
        format::check_durability(path, &mut connection).await?;
        format::check_format(path, &mut connection).await?;
        // SQLite goes by the path.
        let still = Place::of(path).is_ok_and(|now| now.folder().identity() == place.folder().identity());
        if !still {
            return Err(StoreError::Unsafe {
                path: path.to_owned(),
                why: "its folder was put elsewhere while it was opened".to_owned(),
            });
        }
        Ok(Self {
            place: place.clone(),
            path: path.to_owned(),
            options,
            connection: Mutex::new(connection),
            waiting: std::sync::Mutex::default(),
        })
    }

    /// All that it keeps, to be copied by whoever has its lease.
    #[cfg(feature = "postgres")]
    pub async fn everything(&self) -> Result<super::copied::Everything, StoreError> {
        let sealed = self.all_sealed().await?;
        let mut connection = self.connection.lock().await;
        whole::everything(&mut connection, sealed)
            .await
            .map_err(|error| self.fault(error))
    }

    fn fault(&self, error: sqlx::Error) -> StoreError {
        classify(&self.path, &error)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let lock = lock::take(
            &self
                .place
                .folder()
                .place(self.path.with_extension("lock").file_name().unwrap_or_default()),
        )?;
        let mut connection = self.connection.lock().await;
        format::bring_up_to_date(&mut connection)
            .await
            .map_err(|error| self.fault(error))?;
        let row = sqlx::query("UPDATE lease SET fence = fence + 1 RETURNING fence")
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.fault(error))?;
        let row = row.ok_or_else(|| StoreError::Damaged {
            path: self.path.clone(),
            why: "the count of its leases is missing".to_owned(),
        })?;
        let fence: i64 = row.try_get(0).map_err(|error| self.fault(error))?;
        let last: Option<i64> = sqlx::query_scalar("SELECT fence FROM events ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.fault(error))?;
        // A writer that was stopped long ago would take its own lease for the newest again.
        if last.is_some_and(|last| fence <= last) {
            return Err(StoreError::Damaged {
                path: self.path.clone(),
                why: "the count of its leases was lowered".to_owned(),
            });
        }
        Ok(Lease {
            fence,
            _kept: Box::new(lock),
        })
    }

    /// A lock of the system cannot be lost.
    async fn still_held(&self, _lease: &Lease) -> Result<(), StoreError> {
        Ok(())
    }

    /// Its own identity lies beside it.
    async fn sealed_by(&self, _lease: &Lease, _sealer: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// The same: each secret says by what it is sealed.
    async fn changes_to(&self, _lease: &Lease, _sealer: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// The same.
    async fn seal_by(&self, _lease: &Lease, _sealer: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn reseal(&self, lease: &Lease, sealed: &Sealed, bytes: &[u8]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        crash_point("reseal: before commit");
        let written = write::reseal(&mut connection, lease.fence, sealed, bytes).await;
        self.told_by(written.map(|ours| ours.then_some(()).ok_or(outbox::Lost)))?;
        crash_point("reseal: after commit");
        self.empty_log(&mut connection).await;
        Ok(())
    }

    fn elsewhere(&self) -> Option<&Path> {
        None
    }

    async fn latest(&self, target: &str) -> Result<Option<Stored>, StoreError> {
        let found = self.latest_of(target).await?;
        found.map(|stored| stored.course(&self.path)).transpose()
    }

    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError> {
        let (told, mut outcome) = oneshot::channel();
        let entry = Entry::new(lease, &append)?;
        crash_point("store: before commit");
        self.waiting().push(Waiting { entry, told });
        let mut connection = self.connection.lock().await;
        // Whoever held the connection until now may have written this along with their own.
        let outcome = match outcome.try_recv() {
            Ok(outcome) => outcome,
            Err(_) => {
                self.commit(&mut connection).await;
                outcome.try_recv().unwrap_or(Err(StoreError::Race))
            }
        };
        drop(connection);
        outcome?;
        crash_point("store: after commit");
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
        let all = self.threads(Which::Courses).await?;
        all_as(all, |stored| stored.course(&self.path))
    }

    async fn watch(&self, target: &str) -> Result<Option<Stored<Inventory>>, StoreError> {
        let found = self.latest_of(&watch_of(target)).await?;
        found.map(|stored| stored.watch(&self.path)).transpose()
    }

    async fn sealing(&self) -> Result<Option<Stored<Sealing>>, StoreError> {
        let found = self.latest_of(SEALING).await?;
        found.map(|stored| stored.sealing(&self.path)).transpose()
    }

    async fn watches(&self) -> Result<Vec<Stored<Inventory>>, StoreError> {
        let all = self.threads(Which::Watches).await?;
        all_as(all, |stored| stored.watch(&self.path))
    }

    async fn journal(&self, target: Option<&str>) -> Result<Vec<Line>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT * FROM events
             WHERE ?1 IS NULL OR target IN (?1, ?2) ORDER BY seq",
        )
        .persistent(REMEMBERED)
        .bind(target)
        .bind(target.map(watch_of))
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        rows.iter()
            .map(|row| {
                let line = stored_line(row).map_err(|error| self.fault(error))?;
                Ok(line.saying(line.parse()?).of_its_target())
            })
            .collect()
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let mut connection = self.connection.lock().await;
        heads::last(&mut connection, &self.path).await
    }

    async fn head_at(&self, seq: i64) -> Result<Option<Head>, StoreError> {
        let mut connection = self.connection.lock().await;
        heads::at(&mut connection, &self.path, seq).await
    }

    async fn after(&self, head: &Head, most: u32) -> Result<Vec<Line>, StoreError> {
        let mut connection = self.connection.lock().await;
        heads::after(&mut connection, &self.path, head, most).await
    }

    async fn told(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut connection = self.connection.lock().await;
        outbox::told(&mut connection).await.map_err(|error| self.fault(error))
    }

    async fn tell(&self, lease: &Lease, told: &[Telling], digests: &[(String, Timestamp)]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        let written = outbox::tell(&mut connection, lease.fence, told, digests).await;
        self.told_by(written)
    }

    async fn outbox(&self) -> Result<Outbox, StoreError> {
        let mut connection = self.connection.lock().await;
        outbox::outbox(&mut connection).await.map_err(|error| self.fault(error))
    }

    async fn sent(&self, lease: &Lease, id: &str) -> Result<(), StoreError> {
        self.end(lease, &[id]).await
    }

    async fn end(&self, lease: &Lease, ids: &[&str]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        let written = outbox::end(&mut connection, lease.fence, ids).await;
        self.told_by(written)
    }

    async fn put_off(&self, lease: &Lease, retry: &Retry<'_>) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        let written = outbox::put_off(&mut connection, lease.fence, retry).await;
        self.told_by(written)
    }

    async fn closed(&self, target: &str) -> Result<Vec<Stored>, StoreError> {
        let all = self.threads(Which::Of(target)).await?;
        let closed = all.into_iter().filter(|stored| stored.rotation.is_closed());
        closed.map(|stored| stored.course(&self.path)).collect()
    }

    async fn retired(&self, target: &str) -> Result<Vec<KeyId>, StoreError> {
        let closed = self.closed(target).await?;
        let retired = |stored: &Stored| stored.rotation.automated()?.retired().cloned();
        Ok(closed.iter().filter_map(retired).collect())
    }

    async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows: Vec<(String, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT s.rotation, r.target, s.name, s.bytes FROM sealed s JOIN rotations r ON r.id = s.rotation
             ORDER BY s.rotation, s.name",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.fault(error))?;
        let sealed = |(rotation, target, name, bytes)| Sealed {
            rotation,
            target,
            name,
            bytes,
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let mut connection = self.connection.lock().await;
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM events LIMIT 1")
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.fault(error))?;
        Ok(found.is_none())
    }

    async fn verify_each(&self, visit: &mut Visit<'_>) -> Result<Verified, StoreError> {
        let mut connection = self.connection.lock().await;
        whole::verify(&mut connection, &self.path, visit).await
    }
}

impl SqliteStore {
    fn told_by(&self, written: Result<Result<(), outbox::Lost>, sqlx::Error>) -> Result<(), StoreError> {
        let written = written.map_err(|error| self.fault(error))?;
        written.map_err(|outbox::Lost| StoreError::Race)
    }

    /// Those who wait for their event to be written.
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        // Nothing can go wrong while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes for all who wait, and tells each.
    async fn commit(&self, connection: &mut SqliteConnection) {
        let batch = std::mem::take(&mut *self.waiting());
        let erases = batch.iter().any(|waiting| waiting.entry.is_final);
        match self.write(connection, &batch).await {
            Ok(written) => {
                for (waiting, ours) in batch.into_iter().zip(written) {
                    let outcome = if ours { Ok(()) } else { Err(StoreError::Race) };
                    // One who has stopped waiting finds it in the journal.
                    let _ = waiting.told.send(outcome);
                }
            }
            Err(error) => self.commit_alone(connection, batch, error).await,
        }
        if erases {
            self.empty_log(connection).await;
        }
    }

    /// Writes these events. A connection on which that failed may believe for ever that it is inside of a transaction, of
    /// which the database knows nothing; so it is replaced.
    async fn write(&self, connection: &mut SqliteConnection, batch: &[Waiting]) -> Result<Vec<bool>, sqlx::Error> {
        let written = write(connection, batch).await;
        if written.is_err() {
            match self.options.connect().await {
                Ok(new) => {
                    // Closing it gives up whatever it still holds.
                    let _ = std::mem::replace(connection, new).close().await;
                }
                Err(error) => tracing::warn!("the journal could not be opened again: {}", self.fault(error)),
            }
        }
        written
    }

    /// What failed together is tried one by one: what is wrong with one event is no concern of the others.
    async fn commit_alone(&self, connection: &mut SqliteConnection, batch: Vec<Waiting>, error: sqlx::Error) {
        let mut shared = (batch.len() == 1).then_some(error);
        for waiting in batch {
            let written = match shared.take() {
                Some(error) => Err(error),
                None => self.write(connection, std::slice::from_ref(&waiting)).await,
            };
            let outcome = match written.as_deref() {
                Ok([true]) => Ok(()),
                Ok(_) => Err(StoreError::Race),
                Err(error) => Err(classify(&self.path, error)),
            };
            let _ = waiting.told.send(outcome);
        }
    }

    /// What was sealed must not linger in the write-ahead log either. It is erased from the database already.
    async fn empty_log(&self, connection: &mut SqliteConnection) {
        let emptied = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *connection)
            .await;
        match emptied {
            Ok(0) => {}
            // The next end of a rotation does it.
            Ok::<i64, _>(_) => tracing::warn!("the write-ahead log could not be emptied: someone is reading it"),
            Err(error) => tracing::warn!("the write-ahead log could not be emptied: {}", self.fault(error)),
        }
    }

    /// The latest thread of this name.
    async fn latest_of(&self, name: &str) -> Result<Option<Stored<StreamState>>, StoreError> {
        Ok(self.threads(Which::Latest(name)).await?.pop())
    }

    /// These threads, each compared with what is kept beside the journal.
    async fn threads(&self, which: Which<'_>) -> Result<Vec<Stored<StreamState>>, StoreError> {
        let mut connection = self.connection.lock().await;
        which.read(&mut connection, &self.path).await
    }
}

/// What an error of the database means to the person who has to fix it.
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
