//! The journal in a PostgreSQL database, for as many machines as there are: the same chain, behind a lease.

mod address;
mod commit;
mod copied;
mod fault;
mod grants;
mod lease;
mod outage;
mod outbox;
mod read;
mod schema;
mod session;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use rotate_providers::contract::KeyId;
use tokio::sync::{Mutex, oneshot};
use tokio_postgres::types::Type;

pub use address::Address;
pub use grants::grants;
pub use schema::Migrated;

use fault::Failure;
use lease::{Held, Lengths};
use outage::Outage;
use outbox::Beside;
use read::{LINE, Unread, Which, stored_line};
use session::{For, Session};
use write::Mine;

use super::copied::Everything;
use super::entry::{Entry, Waiting};
use super::stored::all_as;
use super::{
    Append, CHANGING, Head, Lease, Line, Outbox, Retry, SEALING, Sealed, Store, StoreError, Stored, Telling, Verified,
    Visit, watch_of,
};
use crate::hooks::crash_point;
use crate::machine::{Inventory, Sealing, StreamState};
use crate::seal::key_of;

const VERSION: i64 = schema::VERSION;

/// Reads with a session, and again for a while where the server, or the way there, fails meanwhile.
macro_rules! read {
    ($store:expr, $session:ident => $reading:expr) => {{
        let asked = Instant::now();
        loop {
            let $session = $store.reading().await?;
            let read = {
                let $session = &$session;
                $reading.await
            };
            match read {
                Err(Unread::Failure(failure)) if $store.inner.outage.wait(asked, &failure).await => {}
                read => break $store.end($session, read).await,
            }
        }
    }};
}

/// A row where anything was written, if only whose secrets are to wait here.
const WRITTEN_TO: &str = "SELECT 1 FROM about WHERE sealer IS NOT NULL OR EXISTS (SELECT 1 FROM events)";

/// A journal in PostgreSQL.
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    address: Arc<Address>,
    /// What people may see of the address.
    place: PathBuf,
    lengths: Lengths,
    outage: Outage,
    /// A session is taken out while it is used: where whoever used it has gone away in the middle, it is closed.
    idle: Mutex<Option<Session>>,
    waiting: std::sync::Mutex<Vec<Waiting>>,
    /// One transaction after the other: whoever comes meanwhile waits for the next.
    writing: Mutex<()>,
    /// What is known of the lease that was taken last.
    mine: std::sync::Mutex<Mine>,
}

impl PostgresStore {
    /// Opens the journal there. It has to be made before ([`PostgresStore::migrate`]), and to be as it was made.
    pub async fn open(address: Address) -> Result<Self, StoreError> {
        let session = Session::connect(&address)
            .await
            .map_err(|failure| failure.meaning(&address.shown(), &address.user))?;
        schema::check(&session, &address).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                place: address.shown(),
                address: Arc::new(address),
                lengths: Lengths::usual(),
                outage: Outage::default(),
                idle: Mutex::new(Some(session)),
                waiting: std::sync::Mutex::default(),
                writing: Mutex::default(),
                mine: std::sync::Mutex::default(),
            }),
        })
    }

    /// Makes the tables, or brings them to the version of today.
    pub async fn migrate(address: &Address) -> Result<Migrated, StoreError> {
        schema::migrate(address).await
    }

    /// Takes over all that another store kept, which was sealed to this sealer, and says whether it did: where there is a journal
    /// already, nothing is done. The lease has ended afterwards.
    pub async fn take_over(&self, lease: &Lease, all: &Everything, sealer: &str) -> Result<bool, StoreError> {
        let inner = &self.inner;
        let session = inner.session().await?;
        let taken = copied::take_over(&session, &inner.address.schema, lease.fence, all, sealer).await;
        taken.map_err(|failure| inner.fault(failure))
    }

    /// Begins to read, all of it as it is at one moment.
    async fn reading(&self) -> Result<Session, StoreError> {
        let begin = For::Reading.begin(&self.inner.address.schema);
        // One that has waited may have been ended by the server, or on the way.
        if let Some(session) = self.inner.idle.lock().await.take()
            && session.run(&begin).await.is_ok()
        {
            return Ok(session);
        }
        let session = self.inner.connect().await?;
        session.run(&begin).await.map_err(|failure| self.inner.fault(failure))?;
        Ok(session)
    }

    /// Ends what was read, and keeps the session for the next. What was read stays true where the end of it is lost.
    async fn end<T>(&self, session: Session, read: Result<T, Unread>) -> Result<T, StoreError> {
        let read = read.map_err(|unread| match unread {
            Unread::Failure(failure) => self.inner.fault(failure),
            Unread::Store(error) => error,
        })?;
        if session.run("COMMIT").await.is_ok() {
            self.inner.put_back(session).await;
        }
        Ok(read)
    }

    async fn latest_of(&self, name: &str) -> Result<Option<Stored<StreamState>>, StoreError> {
        Ok(self.threads(Which::Latest(name)).await?.pop())
    }

    async fn threads(&self, which: Which<'_>) -> Result<Vec<Stored<StreamState>>, StoreError> {
        read!(self, session => which.read(session, &self.inner.place))
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let inner = &self.inner;
        let token = lease::new_token();
        let asked = Instant::now();
        let fence = loop {
            let session = inner.session().await?;
            match lease::take(&session, &inner.address, &token, inner.lengths).await {
                Ok(taken) => {
                    inner.put_back(session).await;
                    break taken?;
                }
                // The answer may have been lost, and not the lease: by its token it is known again.
                Err(failure) => inner.wait(asked, failure).await?,
            }
        };
        *inner.mine() = Mine {
            token: token.clone(),
            end: None,
        };
        Ok(Lease {
            fence,
            _kept: Box::new(Held::keep(Arc::clone(&inner.address), (fence, token), inner.lengths)?),
        })
    }

    async fn still_held(&self, lease: &Lease) -> Result<(), StoreError> {
        let inner = &self.inner;
        let asked = Instant::now();
        loop {
            let session = inner.session().await?;
            let token = inner.mine().token.clone();
            match lease::left(&session, &inner.address.schema, (lease.fence, &token), inner.lengths).await {
                Ok(left) => {
                    inner.put_back(session).await;
                    return left.map(drop).ok_or(StoreError::Race);
                }
                Err(failure) => inner.wait(asked, failure).await?,
            }
        }
    }

    async fn sealed_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        let inner = &self.inner;
        let asked = Instant::now();
        let known = loop {
            let session = inner.session().await?;
            match lease::seals_with(&session, &inner.address.schema, lease.fence, sealer).await {
                Ok(known) => {
                    inner.put_back(session).await;
                    break known.unwrap_or_default();
                }
                Err(failure) => inner.wait(asked, failure).await?,
            }
        };
        let place = inner.place.clone();
        if let Some(to) = known.strip_prefix(CHANGING) {
            let to = to.to_owned();
            return Err(StoreError::Changing { place, to });
        }
        // What names a method was configured, and one recipient alone is an identity in a state folder. Earlier versions remembered who
        // asks for a key along with it.
        match key_of(&known) == key_of(sealer) {
            true => Ok(()),
            false if known.contains(':') || sealer.contains(':') => Err(StoreError::OtherSealer {
                place,
                known,
                ours: sealer.to_owned(),
            }),
            false => Err(StoreError::OtherIdentity { place }),
        }
    }

    async fn changes_to(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        let changing = format!("{CHANGING}{sealer}");
        self.inner.beside(lease, Beside::SealsBy(&changing)).await
    }

    async fn seal_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::SealsBy(sealer)).await
    }

    async fn reseal(&self, lease: &Lease, sealed: &Sealed, bytes: &[u8]) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::Resealed(sealed, bytes)).await
    }

    fn elsewhere(&self) -> Option<&Path> {
        Some(&self.inner.place)
    }

    fn longest_call(&self) -> Option<Duration> {
        Some(self.inner.lengths.longest_call())
    }

    async fn latest(&self, target: &str) -> Result<Option<Stored>, StoreError> {
        let found = self.latest_of(target).await?;
        found.map(|stored| stored.course(&self.inner.place)).transpose()
    }

    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError> {
        let (told, outcome) = oneshot::channel();
        let entry = Entry::new(lease, &append)?;
        crash_point("postgres: before commit");
        self.inner.waiting().push(Waiting { entry, told });
        // Whoever stops waiting for it does not stop it.
        tokio::spawn(Arc::clone(&self.inner).commit());
        outcome.await.unwrap_or(Err(StoreError::Race))?;
        crash_point("postgres: after commit");
        Ok(())
    }

    async fn sealed(&self, rotation: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read!(self, session => async {
            let rows = session
                .rows(
                    "SELECT bytes FROM sealed WHERE rotation = $1 AND name = $2",
                    &[(&rotation, Type::TEXT), (&name, Type::TEXT)],
                )
                .await?;
            Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
        })
    }

    async fn summaries(&self) -> Result<Vec<Stored>, StoreError> {
        let all = self.threads(Which::All { watches: false }).await?;
        all_as(all, |stored| stored.course(&self.inner.place))
    }

    async fn watch(&self, target: &str) -> Result<Option<Stored<Inventory>>, StoreError> {
        let found = self.latest_of(&watch_of(target)).await?;
        found.map(|stored| stored.watch(&self.inner.place)).transpose()
    }

    async fn sealing(&self) -> Result<Option<Stored<Sealing>>, StoreError> {
        let found = self.latest_of(SEALING).await?;
        found.map(|stored| stored.sealing(&self.inner.place)).transpose()
    }

    async fn watches(&self) -> Result<Vec<Stored<Inventory>>, StoreError> {
        let all = self.threads(Which::All { watches: true }).await?;
        all_as(all, |stored| stored.watch(&self.inner.place))
    }

    async fn journal(&self, target: Option<&str>) -> Result<Vec<Line>, StoreError> {
        let lines =
            format!("SELECT {LINE} FROM events e WHERE $1::text IS NULL OR e.target IN ($1, $2) ORDER BY e.seq");
        read!(self, session => async {
            let rows = session
                .rows(
                    &lines,
                    &[(&target, Type::TEXT), (&target.map(watch_of), Type::TEXT)],
                )
                .await?;
            rows.iter()
                .map(|row| {
                    let line = stored_line(row)?;
                    Ok(line.saying(line.parse()?).of_its_target())
                })
                .collect()
        })
    }

    async fn head(&self) -> Result<Head, StoreError> {
        read!(self, session => read::head(session))
    }

    async fn head_at(&self, seq: i64) -> Result<Option<Head>, StoreError> {
        read!(self, session => read::head_at(session, seq))
    }

    async fn after(&self, head: &Head, most: u32) -> Result<Vec<Line>, StoreError> {
        read!(self, session => read::after(session, head, most))
    }

    async fn told(&self) -> Result<Vec<(String, String)>, StoreError> {
        read!(self, session => outbox::told(session))
    }

    async fn tell(&self, lease: &Lease, told: &[Telling], digests: &[(String, Timestamp)]) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::Told(told, digests)).await
    }

    async fn outbox(&self) -> Result<Outbox, StoreError> {
        read!(self, session => outbox::outbox(session))
    }

    async fn sent(&self, lease: &Lease, id: &str) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::Ended(&[id])).await
    }

    async fn end(&self, lease: &Lease, ids: &[&str]) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::Ended(ids)).await
    }

    async fn put_off(&self, lease: &Lease, retry: &Retry<'_>) -> Result<(), StoreError> {
        self.inner.beside(lease, Beside::PutOff(retry)).await
    }

    async fn closed(&self, target: &str) -> Result<Vec<Stored>, StoreError> {
        let all = self.threads(Which::Of(target)).await?;
        let closed = all.into_iter().filter(|stored| stored.rotation.is_closed());
        closed.map(|stored| stored.course(&self.inner.place)).collect()
    }

    async fn retired(&self, target: &str) -> Result<Vec<KeyId>, StoreError> {
        let closed = self.closed(target).await?;
        let retired = |stored: &Stored| stored.rotation.automated()?.retired().cloned();
        Ok(closed.iter().filter_map(retired).collect())
    }

    async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        read!(self, session => async {
            // Who only reads may see whether anything lies there, and not what.
            if session.rows("SELECT rotation FROM sealed LIMIT 1", &[]).await?.is_empty() {
                return Ok(Vec::new());
            }
            let rows = session
                .rows(
                    "SELECT s.rotation, r.target, s.name, s.bytes FROM sealed s JOIN rotations r ON r.id = s.rotation
                     ORDER BY s.rotation, s.name",
                    &[],
                )
                .await?;
            let sealed = |row: &tokio_postgres::Row| {
                Ok(Sealed {
                    rotation: row.try_get(0)?,
                    target: row.try_get(1)?,
                    name: row.try_get(2)?,
                    bytes: row.try_get(3)?,
                })
            };
            rows.iter().map(sealed).collect()
        })
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let rows = read!(self, session => async { Ok(session.rows(WRITTEN_TO, &[]).await?) });
        rows.map(|rows| rows.is_empty())
    }

    async fn verify_each(&self, visit: &mut Visit<'_>) -> Result<Verified, StoreError> {
        let session = self.reading().await?;
        let read = read::verify(&session, &self.inner.place, visit).await;
        self.end(session, read).await
    }
}

impl Inner {
    fn fault(&self, failure: Failure) -> StoreError {
        failure.meaning(&self.place, &self.address.user)
    }

    /// Those who wait for their event to be written.
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        // Nothing can go wrong while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mine(&self) -> MutexGuard<'_, Mine> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session; a server that stops or is gone for a moment is tried again for a while.
    async fn session(&self) -> Result<Session, StoreError> {
        if let Some(session) = self.idle.lock().await.take()
            && !session.client.is_closed()
        {
            return Ok(session);
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Session, StoreError> {
        let asked = Instant::now();
        loop {
            match Session::connect(&self.address).await {
                Ok(session) => return Ok(session),
                Err(failure) => self.wait(asked, failure).await?,
            }
        }
    }

    /// Keeps a session, on which all was answered, for whoever asks next.
    async fn put_back(&self, session: Session) {
        self.outage.is_over();
        *self.idle.lock().await = Some(session);
    }

    /// Waits until what was asked then is worth another try, or gives up.
    async fn wait(&self, asked: Instant, failure: Failure) -> Result<(), StoreError> {
        match self.outage.wait(asked, &failure).await {
            true => Ok(()),
            false => Err(self.fault(failure)),
        }
    }
}
