//! The right to write: a row with an end, by the clock of the database, and a number that grows with each holder.
//!
//! It is renewed from a thread of its own while it is held. Whoever is killed, or stopped past its end, has lost it by the
//! clock alone; every write names its number, and is looked at in the same transaction. So the journal stays clean whatever
//! happens. Calls to a vendor are another matter: the lease is looked at right before each, and has to last for longer than a
//! call does; and who takes over waits for as long again.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::address::Address;
use super::fault::Failure;
use super::session::{For, Session};
use crate::store::StoreError;

/// How long a lease lasts that is not renewed.
const LASTS: Duration = Duration::from_secs(150);
/// How much of it is left at least when a call to a vendor begins: no call takes longer. Who takes over waits for as long once it
/// has ended, unless it was given back.
const A_CALL: Duration = Duration::from_secs(75);
/// How often it is renewed.
const EVERY: Duration = Duration::from_secs(25);
/// How long a renewal may take: whoever ends waits for the one that is under way.
const RENEWS_WITHIN: Duration = Duration::from_secs(8);
/// How long a holder that ends tries to give it back.
const GIVES_BACK_WITHIN: Duration = Duration::from_secs(3);

/// Those lengths, which tests shorten.
#[derive(Clone, Copy)]
pub(super) struct Lengths {
    pub(super) lasts: Duration,
    pub(super) a_call: Duration,
    every: Duration,
}

impl Lengths {
    /// How long what is begun under the lease may take at most: whoever takes over begins after it.
    pub(super) fn longest_call(&self) -> Duration {
        // So much is left when it begins, and so long the next one waits at least; a fifth is for what is slow to end.
        (self.a_call + self.a_call).mul_f32(0.8)
    }

    pub(super) fn usual() -> Self {
        #[cfg(feature = "test-hooks")]
        if let Some(lasts) = shortened() {
            return Self {
                lasts,
                a_call: lasts / 2,
                every: lasts / 6,
            };
        }
        Self {
            lasts: LASTS,
            a_call: A_CALL,
            every: EVERY,
        }
    }
}

/// How long a lease lasts, in milliseconds, where a test says so.
#[cfg(feature = "test-hooks")]
fn shortened() -> Option<Duration> {
    let said = std::env::var("ROTATE_TEST_LEASE").ok()?;
    said.parse().ok().map(Duration::from_millis)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// There is one writer at a time, whoever believes to be it.
pub(super) const LOCK: &str = "SELECT 1 FROM lease FOR UPDATE";

/// Nobody has it, or whoever had it has not renewed it, and what it was doing at a vendor has come to its end.
const TAKE: &str = "
    UPDATE lease SET fence = fence + 1, holder = $1, token = $2,
        expires_at = clock_timestamp() + $3 * interval '1 millisecond'
    WHERE expires_at + $4 * interval '1 millisecond' <= clock_timestamp() OR token = $2
    RETURNING fence, (SELECT fence FROM events ORDER BY seq DESC LIMIT 1)";

const HOLDER: &str = "
    SELECT holder,
        ceil(extract(epoch FROM expires_at + $1 * interval '1 millisecond' - clock_timestamp()))::bigint
    FROM lease WHERE expires_at > '-infinity'";

const RENEW: &str = "
    UPDATE lease SET expires_at = clock_timestamp() + $2 * interval '1 millisecond'
    WHERE fence = $1 AND token = $3 AND expires_at > clock_timestamp() RETURNING fence";

const LEFT: &str = "
    SELECT (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint FROM lease
    WHERE fence = $1 AND token = $2";

const GIVE_BACK: &str = "UPDATE lease SET expires_at = '-infinity', holder = '' WHERE fence = $1 AND token = $2";

/// Takes the lease. `token` tells an attempt whose answer was lost from somebody else's.
pub(super) async fn take(
    session: &Session,
    address: &Address,
    token: &str,
    lengths: Lengths,
) -> Result<Result<i64, StoreError>, Failure> {
    session.run(&For::Writing.begin(&address.schema)).await?;
    let place = address.shown();
    let taken = session
        .rows(
            TAKE,
            &[
                (&holder(), Type::TEXT),
                (&token, Type::TEXT),
                (&milliseconds(lengths.lasts), Type::INT8),
                (&milliseconds(lengths.a_call), Type::INT8),
            ],
        )
        .await?;
    let Some(row) = taken.first() else {
        let rows = session
            .rows(HOLDER, &[(&milliseconds(lengths.a_call), Type::INT8)])
            .await?;
        session.run("ROLLBACK").await?;
        return Ok(Err(held(rows.first(), &place)?));
    };
    let (fence, last): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    // A writer that was stopped long ago would take its own lease for the newest again.
    if last.is_some_and(|last| fence <= last) {
        session
            .rows(GIVE_BACK, &[(&fence, Type::INT8), (&token, Type::TEXT)])
            .await?;
        session.run("COMMIT").await?;
        return Ok(Err(StoreError::Damaged {
            path: place,
            why: "the count of its leases was lowered".to_owned(),
        }));
    }
    session.run("COMMIT").await?;
    Ok(Ok(fence))
}

fn held(row: Option<&tokio_postgres::Row>, place: &Path) -> Result<StoreError, Failure> {
    let (holder, seconds): (String, i64) = match row {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        // It was given back this moment.
        None => (String::new(), 0),
    };
    Ok(StoreError::Leased {
        place: place.to_owned(),
        holder: rotate_providers::untrusted::Sanitized::of(&holder).to_string(),
        seconds: seconds.max(0),
    })
}

/// This process, as others are told of it.
fn holder() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => format!("process {}", std::process::id()),
        name => format!("process {} on {name}", std::process::id()),
    }
}

/// A new name for one who wants the lease.
pub(super) fn new_token() -> String {
    Uuid::now_v7().to_string()
}

/// How much longer the lease lasts, renewed where that is less than a call may take; `None` where it is lost.
pub(super) async fn left(
    session: &Session,
    schema: &str,
    (fence, token): (i64, &str),
    lengths: Lengths,
) -> Result<Option<Duration>, Failure> {
    session.run(&For::Writing.begin(schema)).await?;
    let rows = session
        .rows(LEFT, &[(&fence, Type::INT8), (&token, Type::TEXT)])
        .await?;
    let left: i64 = match rows.first() {
        Some(row) => row.try_get(0)?,
        None => 0,
    };
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    let left = match () {
        () if left >= lengths.a_call => Some(left),
        () if left.is_zero() => None,
        () => renewed(session, (fence, token), lengths)
            .await?
            .then_some(lengths.lasts),
    };
    session.run("COMMIT").await?;
    Ok(left)
}

async fn renewed(session: &Session, (fence, token): (i64, &str), lengths: Lengths) -> Result<bool, Failure> {
    let lasts = milliseconds(lengths.lasts);
    let renewed = session
        .rows(
            RENEW,
            &[(&fence, Type::INT8), (&lasts, Type::INT8), (&token, Type::TEXT)],
        )
        .await?;
    Ok(!renewed.is_empty())
}

/// By which sealer the journal seals; the first one that asks is written down.
pub(super) async fn seals_with(
    session: &Session,
    schema: &str,
    fence: i64,
    sealer: &str,
) -> Result<Option<String>, Failure> {
    const FIRST: &str = "
        UPDATE about SET sealer = $1 WHERE sealer IS NULL
            AND EXISTS (SELECT 1 FROM lease WHERE fence = $2 AND expires_at > clock_timestamp())";
    session.run(&For::Writing.begin(schema)).await?;
    session.rows(LOCK, &[]).await?;
    session
        .rows(FIRST, &[(&sealer, Type::TEXT), (&fence, Type::INT8)])
        .await?;
    let rows = session.rows("SELECT sealer FROM about", &[]).await?;
    session.run("COMMIT").await?;
    match rows.first() {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(None),
    }
}

/// Renews the lease until it is dropped, and then gives it back.
pub(super) struct Held {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Held {
    pub(super) fn keep(
        address: Arc<Address>,
        (fence, token): (i64, String),
        lengths: Lengths,
    ) -> Result<Self, StoreError> {
        let (stop, stopped) = mpsc::channel::<()>();
        let failed = |error: std::io::Error| StoreError::Database(format!("the lease cannot be kept: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || {
                let mut session = None;
                while stopped.recv_timeout(lengths.every) == Err(RecvTimeoutError::Timeout) {
                    let renewal = renew(&mut session, &address, (fence, &token), lengths);
                    match runtime.block_on(async { tokio::time::timeout(RENEWS_WITHIN, renewal).await }) {
                        Ok(Ok(true)) => {}
                        // Each write will be told, and nothing is given back that somebody else has.
                        Ok(Ok(false)) => return runtime.shutdown_background(),
                        Ok(Err(failure)) => {
                            session = None;
                            let failure = failure.meaning(&address.shown(), &address.user);
                            tracing::warn!("the lease could not be renewed: {failure}");
                        }
                        Err(_) => {
                            session = None;
                            tracing::warn!("the lease could not be renewed: no answer");
                        }
                    }
                }
                let giving_back = give_back(&mut session, &address, (fence, &token));
                let given_back = runtime.block_on(async { tokio::time::timeout(GIVES_BACK_WITHIN, giving_back).await });
                if !matches!(given_back, Ok(Ok(()))) {
                    tracing::warn!("the lease could not be given back: it ends by itself");
                }
                // A resolver that does not answer holds nobody up.
                drop(session);
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn renew(
    kept: &mut Option<Session>,
    address: &Address,
    held: (i64, &str),
    lengths: Lengths,
) -> Result<bool, Failure> {
    let session = taken(kept, address).await?;
    session.run(&For::Writing.begin(&address.schema)).await?;
    let renewed = renewed(&session, held, lengths).await?;
    session.run("COMMIT").await?;
    *kept = Some(session);
    Ok(renewed)
}

async fn give_back(kept: &mut Option<Session>, address: &Address, (fence, token): (i64, &str)) -> Result<(), Failure> {
    let session = taken(kept, address).await?;
    session.run(&For::Writing.begin(&address.schema)).await?;
    session
        .rows(GIVE_BACK, &[(&fence, Type::INT8), (&token, Type::TEXT)])
        .await?;
    session.run("COMMIT").await
}

/// The session of the last time, or a new one. One that fails on the way is not put back, and so closed.
async fn taken(kept: &mut Option<Session>, address: &Address) -> Result<Session, Failure> {
    match kept.take() {
        Some(session) => Ok(session),
        None => Session::connect(address).await,
    }
}
