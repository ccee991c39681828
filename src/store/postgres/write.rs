//! The one transaction that writes.
//!
//! It locks the lease's row first, so there is one writer at a time, whoever believes to be it; it looks whether that lease is
//! its own and has not ended; and it writes for all who wait. Two answers are waited for: the lease with the end of the chain,
//! and the commit. Where the second one is lost nobody knows what became of it, so the end of the chain is read once more behind
//! the same lock, which waits for that other transaction to be over.

use std::collections::HashMap;

use futures_util::future::{join3, join4};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};

use super::fault::Failure;
use super::lease::LOCK;
use super::outbox::Notes;
use super::read::End;
use super::session::{ANSWERS, For, Session};
use crate::hooks::crash_point;
use crate::store::chain::{GENESIS, Link};
use crate::store::entry::{Entry, Waiting};

/// Where a transaction that writes came to its end.
pub(super) enum Halted {
    /// Nothing is written.
    Before(Failure),
    /// The commit was on its way: nobody knows. What would have been the first line, and whose entries were written along.
    Unknown(Failure, Sent),
    /// The journal does not end any more where this holder of the lease has left it.
    Rewound(i64),
}

/// What the holder of a lease knows. A database that was put back to an older state may give a number a second time, and never the
/// name; and while the lease is held nobody else can have moved the end of the journal.
#[derive(Clone, Default)]
pub(super) struct Mine {
    /// The name of the lease.
    pub(super) token: String,
    /// The last line that was written under it, and its hash.
    pub(super) end: Option<End>,
}

/// What was sent, and may have been written.
pub(super) struct Sent {
    pub(super) ours: Vec<bool>,
    first: End,
    pub(super) end: End,
}

const END: &str = "
    SELECT l.fence, l.expires_at > clock_timestamp(), e.seq, e.hash, l.token
    FROM lease l LEFT JOIN (SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1) AS e ON true";

const REVISIONS: &str = "SELECT id, revision FROM rotations WHERE id = ANY($1)";

/// All lines with what they lead to, and only while the lease is held.
const WRITE: &str = "
    WITH held AS (SELECT 1 FROM lease WHERE fence = $1 AND token = $17 AND expires_at > clock_timestamp()),
    lines AS (
        INSERT INTO events (seq, rotation, target, revision, at, body, hash, fence)
        SELECT l.*, $1 FROM held,
            unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bytea[]) AS l
        RETURNING seq),
    summaries AS (
        INSERT INTO rotations (id, target, revision, closed, updated_at, snapshot)
        SELECT s.* FROM held, unnest($3::text[], $4::text[], $5::bigint[], $9::boolean[], $6::text[], $10::text[]) AS s
        ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, closed = excluded.closed,
            updated_at = excluded.updated_at, snapshot = excluded.snapshot),
    named AS (
        INSERT INTO targets (name, latest) SELECT n.* FROM held, unnest($11::text[], $12::text[]) AS n
        ON CONFLICT (name) DO UPDATE SET latest = excluded.latest),
    kept AS (
        INSERT INTO sealed (rotation, name, bytes)
        SELECT k.* FROM held, unnest($13::text[], $14::text[], $15::bytea[]) AS k
        ON CONFLICT (rotation, name) DO UPDATE SET bytes = excluded.bytes),
    erased AS (DELETE FROM sealed WHERE rotation = ANY($16::text[]) AND EXISTS (SELECT 1 FROM held))
    SELECT count(*) FROM lines";

/// Writes all of these events or none; says of each whether its lease and its revision were still ours, and where the journal ends
/// where anything was written.
pub(super) async fn write(
    session: &Session,
    schema: &str,
    mine: &Mine,
    batch: &[Waiting],
) -> Result<(Vec<bool>, Option<End>), Halted> {
    let looked = look(session, schema, mine, batch).await.map_err(Halted::Before)?;
    let (fence, ours, rows) = looked.map_err(Halted::Rewound)?;
    let (Some(first), Some(last)) = (rows.line(0), rows.line(rows.seqs.len().saturating_sub(1))) else {
        session.run("ROLLBACK").await.map_err(Halted::Before)?;
        return Ok((ours, None));
    };
    let sent = || Sent {
        ours: ours.clone(),
        first: first.clone(),
        end: last.clone(),
    };
    crash_point("postgres: locked");
    let values = rows.values(&fence, &mine.token);
    let sending = join3(
        session.client.query_typed(WRITE, &values),
        // Nobody is told of what was not written, because the lease came to its end in between.
        rows.notes.write(session, &last),
        session.client.batch_execute("COMMIT"),
    );
    let (written, committed) = match timeout(ANSWERS, sending).await {
        Ok((written, noted, committed)) => (
            written.map_err(Failure::from).and_then(|rows| noted.map(|()| rows)),
            committed.map_err(Failure::from),
        ),
        Err(_) => return Err(Halted::Unknown(Failure::silent(ANSWERS.as_secs()), sent())),
    };
    let count: Result<i64, Failure> = match written {
        // The commit that follows it commits nothing.
        Err(failure) if failure.is_definite() => return Err(Halted::Before(failure)),
        Err(failure) => Err(failure),
        Ok(rows) => match rows.first().map(|row| row.try_get(0)) {
            Some(count) => count.map_err(Failure::from),
            None => Ok(0),
        },
    };
    match count.and_then(|count| committed.map(|()| count)) {
        Err(failure) => Err(Halted::Unknown(failure, sent())),
        // The lease came to its end in between.
        Ok(0) => Ok((vec![false; batch.len()], None)),
        Ok(_) => Ok((ours, Some(last))),
    }
}

/// Begins the transaction, and looks which of these entries may be written, and behind which line. Inside, the line behind which the
/// journal was put back.
async fn look<'b>(
    session: &Session,
    schema: &str,
    mine: &Mine,
    batch: &'b [Waiting],
) -> Result<Result<(i64, Vec<bool>, Rows<'b>), i64>, Failure> {
    let begin = For::Writing.begin(schema);
    let ids: Vec<&str> = batch.iter().map(|waiting| waiting.entry.id.as_str()).collect();
    let asked: [(&(dyn ToSql + Sync), Type); 1] = [(&ids, Type::TEXT_ARRAY)];
    // One after the other on the server, which need not wait for us in between. The end of the chain is read behind the lock.
    let looking = join4(
        session.client.batch_execute(&begin),
        session.client.query_typed(LOCK, &[]),
        session.client.query_typed(END, &[]),
        session.client.query_typed(REVISIONS, &asked),
    );
    let (begun, locked, end, known) = timeout(ANSWERS, looking)
        .await
        .map_err(|_| Failure::silent(ANSWERS.as_secs()))?;
    begun?;
    locked?;
    let end = end?;
    let Some(row) = end.first() else {
        return Err(Failure::Broken("its row for the lease is missing".to_owned()));
    };
    let (fence, is_held): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
    let (seq, hash): (Option<i64>, Option<Vec<u8>>) = (row.try_get(2)?, row.try_get(3)?);
    let is_mine = is_held && row.try_get::<_, &str>(4)? == mine.token;
    let mut revisions = HashMap::new();
    for row in known? {
        revisions.insert(row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?);
    }
    let mut end = (seq.unwrap_or(0), hash.unwrap_or_else(|| GENESIS.to_vec()));
    if is_mine && mine.end.as_ref().is_some_and(|left| *left != end) {
        return Ok(Err(end.0));
    }
    let (mut ours, mut rows) = (Vec::new(), Rows::default());
    for Waiting { entry, .. } in batch {
        let revision = revisions.entry(entry.id.clone()).or_insert(0);
        let is_ours = is_mine && fence == entry.fence && *revision == entry.follows;
        if is_ours {
            end = rows.add(entry, end);
            *revision += 1;
        }
        ours.push(is_ours);
    }
    Ok(Ok((fence, ours, rows)))
}

/// Whether what was sent is there. Answered only once the transaction that may have written it is over.
pub(super) async fn read_back(session: &Session, schema: &str, sent: &Sent) -> Result<bool, Failure> {
    session.run(&For::Writing.begin(schema)).await?;
    session.rows(LOCK, &[]).await?;
    let found = session
        .rows("SELECT hash FROM events WHERE seq = $1", &[(&sent.first.0, Type::INT8)])
        .await?;
    session.run("COMMIT").await?;
    let hash: Option<Vec<u8>> = found.first().map(|row| row.try_get(0)).transpose()?;
    Ok(hash.as_ref() == Some(&sent.first.1))
}

/// The columns of what is written.
#[derive(Default)]
struct Rows<'e> {
    seqs: Vec<i64>,
    ids: Vec<&'e str>,
    targets: Vec<&'e str>,
    revisions: Vec<i64>,
    times: Vec<&'e str>,
    bodies: Vec<&'e str>,
    hashes: Vec<Vec<u8>>,
    closed: Vec<bool>,
    snapshots: Vec<&'e str>,
    named: Vec<&'e str>,
    latest: Vec<&'e str>,
    sealed_for: Vec<&'e str>,
    sealed_names: Vec<&'e str>,
    sealed: Vec<&'e [u8]>,
    ended: Vec<&'e str>,
    notes: Notes<'e>,
}

impl<'e> Rows<'e> {
    /// Adds an event behind this end of the chain, and gives the new end.
    fn add(&mut self, entry: &'e Entry, (last_seq, before): (i64, Vec<u8>)) -> (i64, Vec<u8>) {
        let link = Link {
            seq: last_seq + 1,
            rotation: &entry.id,
            target: &entry.target,
            revision: entry.follows + 1,
            at: &entry.at,
            body: &entry.body,
            fence: entry.fence,
        };
        let hash = link.hash(&before).to_vec();
        self.seqs.push(link.seq);
        self.ids.push(link.rotation);
        self.targets.push(link.target);
        self.revisions.push(link.revision);
        self.times.push(link.at);
        self.bodies.push(link.body);
        self.hashes.push(hash.clone());
        self.closed.push(entry.closed);
        self.snapshots.push(&entry.snapshot);
        if entry.names_target {
            self.named.push(link.target);
            self.latest.push(link.rotation);
        }
        if let Some((name, bytes)) = &entry.seal {
            self.sealed_for.push(link.rotation);
            self.sealed_names.push(name);
            self.sealed.push(bytes);
        }
        if entry.is_final {
            self.ended.push(link.rotation);
        }
        if let Some(telling) = &entry.telling {
            self.notes.add(telling, &hash);
        }
        (link.seq, hash)
    }

    fn line(&self, at: usize) -> Option<End> {
        Some((*self.seqs.get(at)?, self.hashes.get(at)?.clone()))
    }

    /// In the order of the statement.
    fn values<'v>(&'v self, fence: &'v i64, token: &'v String) -> [(&'v (dyn ToSql + Sync), Type); 17] {
        [
            (fence, Type::INT8),
            (&self.seqs, Type::INT8_ARRAY),
            (&self.ids, Type::TEXT_ARRAY),
            (&self.targets, Type::TEXT_ARRAY),
            (&self.revisions, Type::INT8_ARRAY),
            (&self.times, Type::TEXT_ARRAY),
            (&self.bodies, Type::TEXT_ARRAY),
            (&self.hashes, Type::BYTEA_ARRAY),
            (&self.closed, Type::BOOL_ARRAY),
            (&self.snapshots, Type::TEXT_ARRAY),
            (&self.named, Type::TEXT_ARRAY),
            (&self.latest, Type::TEXT_ARRAY),
            (&self.sealed_for, Type::TEXT_ARRAY),
            (&self.sealed_names, Type::TEXT_ARRAY),
            (&self.sealed, Type::BYTEA_ARRAY),
            (&self.ended, Type::TEXT_ARRAY),
            (token, Type::TEXT),
        ]
    }
}
