//! What people are told: rows beside the journal, written in its own transactions.

use std::time::Instant;

use futures_util::future::join3;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::Inner;
use super::fault::Failure;
use super::lease::LOCK;
use super::read::{End, Unread};
use super::session::{For, Session, answered};
use crate::hooks::crash_point;
use crate::store::chain::{GENESIS, hex};
use crate::store::outbox::MOST;
use crate::store::{Lease, NotifierState, Outbox, Outgoing, Queued, Retry, Sealed, StoreError, Telling};

/// What is written without an event. Each of them may be done twice: nobody is told more of it.
pub(super) enum Beside<'a> {
    /// What people are told because of time alone, and who has had a digest when.
    Told(&'a [Telling], &'a [(String, Timestamp)]),
    /// These notices are sent no more: they have arrived, or nobody is there who is to get them.
    Ended(&'a [&'a str]),
    /// This notice is tried again later.
    PutOff(&'a Retry<'a>),
    /// These bytes are kept in the place of those that are sealed.
    Resealed(&'a Sealed, &'a [u8]),
    /// This sealer's secrets wait there from now on.
    SealsBy(&'a str),
}

impl Inner {
    /// Writes this in a transaction of its own, if the lease is still held.
    pub(super) async fn beside(&self, lease: &Lease, what: Beside<'_>) -> Result<(), StoreError> {
        let asked = Instant::now();
        loop {
            let session = self.session().await?;
            let token = self.mine().token.clone();
            match write_beside(&session, &self.address.schema, (lease.fence, &token), &what).await {
                Ok(ours) => {
                    self.put_back(session).await;
                    return if ours { Ok(()) } else { Err(StoreError::Race) };
                }
                Err(failure) => self.wait(asked, failure).await?,
            }
        }
    }
}

/// Says whether the lease was this one. Nobody else can take it before the transaction is over: its row is locked.
async fn write_beside(
    session: &Session,
    schema: &str,
    (fence, token): (i64, &str),
    what: &Beside<'_>,
) -> Result<bool, Failure> {
    const OURS: &str = "SELECT 1 FROM lease WHERE fence = $1 AND token = $2 AND expires_at > clock_timestamp()";
    session.run(&For::Writing.begin(schema)).await?;
    session.rows(LOCK, &[]).await?;
    let ours = session
        .rows(OURS, &[(&fence, Type::INT8), (&token, Type::TEXT)])
        .await?;
    if ours.is_empty() {
        session.run("ROLLBACK").await?;
        return Ok(false);
    }
    match what {
        Beside::Told(told, digests) => tell(session, told, digests).await?,
        Beside::Ended(ids) => {
            session
                .rows("DELETE FROM outbox WHERE id = ANY ($1)", &[(ids, Type::TEXT_ARRAY)])
                .await?;
        }
        Beside::PutOff(retry) => put_off(session, retry).await?,
        Beside::Resealed(sealed, bytes) => reseal(session, sealed, bytes).await?,
        Beside::SealsBy(sealer) => {
            session
                .rows("UPDATE about SET sealer = $1", &[(sealer, Type::TEXT)])
                .await?;
        }
    }
    let is_of_sealing = matches!(what, Beside::Resealed(..) | Beside::SealsBy(_));
    if is_of_sealing {
        crash_point("postgres: before sealing anew");
    }
    session.run("COMMIT").await?;
    if is_of_sealing {
        crash_point("postgres: sealed anew");
    }
    Ok(true)
}

async fn tell(session: &Session, told: &[Telling], digests: &[(String, Timestamp)]) -> Result<(), Failure> {
    const DIGESTS: &str = "
        INSERT INTO notifiers (name, digest_at, dropped) SELECT d.*, 0 FROM unnest($1::text[], $2::text[]) AS d
        ON CONFLICT (name) DO UPDATE SET digest_at = excluded.digest_at, dropped = 0";
    let names: Vec<&str> = digests.iter().map(|(name, _)| name.as_str()).collect();
    let times: Vec<String> = digests.iter().map(|(_, at)| at.to_string()).collect();
    session
        .rows(DIGESTS, &[(&names, Type::TEXT_ARRAY), (&times, Type::TEXT_ARRAY)])
        .await?;
    let rows = session
        .rows("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", &[])
        .await?;
    let end = match rows.first() {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, GENESIS.to_vec()),
    };
    let mut notes = Notes::default();
    for telling in told {
        notes.add(telling, &end.1);
    }
    notes.write(session, &end).await
}

async fn put_off(session: &Session, retry: &Retry<'_>) -> Result<(), Failure> {
    let next_at = retry.next_at.to_string();
    session
        .rows(
            "UPDATE outbox SET tries = tries + 1, next_at = $2, problem = $3 WHERE id = $1",
            &[
                (&retry.id, Type::TEXT),
                (&next_at, Type::TEXT),
                (&retry.problem, Type::TEXT),
            ],
        )
        .await?;
    if retry.holds_all {
        session
            .rows(
                "UPDATE outbox SET next_at = $2 WHERE notifier = (SELECT notifier FROM outbox WHERE id = $1)",
                &[(&retry.id, Type::TEXT), (&next_at, Type::TEXT)],
            )
            .await?;
    }
    Ok(())
}

async fn reseal(session: &Session, sealed: &Sealed, bytes: &[u8]) -> Result<(), Failure> {
    const RESEAL: &str = "UPDATE sealed SET bytes = $1 WHERE rotation = $2 AND name = $3 AND bytes = $4";
    session
        .rows(
            RESEAL,
            &[
                (&bytes, Type::BYTEA),
                (&sealed.rotation, Type::TEXT),
                (&sealed.name, Type::TEXT),
                (&sealed.bytes, Type::BYTEA),
            ],
        )
        .await?;
    Ok(())
}

/// What people are told, by columns.
#[derive(Default)]
pub(super) struct Notes<'t> {
    targets: Vec<&'t str>,
    states: Vec<&'t str>,
    notices: Notices<'t>,
}

#[derive(Default)]
struct Notices<'t> {
    ids: Vec<&'t str>,
    notifiers: Vec<&'t str>,
    recipients: Vec<&'t str>,
    targets: Vec<&'t str>,
    kinds: Vec<&'t str>,
    times: Vec<String>,
    bodies: Vec<&'t str>,
    kept: Vec<bool>,
    heads: Vec<String>,
    tries: Vec<i64>,
    next: Vec<String>,
    problems: Vec<&'t str>,
}

impl<'t> Notes<'t> {
    /// Adds what is told where the journal ends with this hash.
    pub(super) fn add(&mut self, telling: &'t Telling, head: &[u8]) {
        // A digest is about no target, of which nobody is told anything.
        if !telling.target.is_empty() {
            self.know(&telling.target, &telling.told);
        }
        for notice in &telling.notices {
            self.notices.add(notice, hex(head), (0, notice.at, ""));
        }
    }

    /// One row for each target: what was said last.
    fn know(&mut self, target: &'t str, state: &'t str) {
        let known = self.targets.iter().position(|known| *known == target);
        match known.and_then(|at| self.states.get_mut(at)) {
            Some(known) => *known = state,
            None => {
                self.targets.push(target);
                self.states.push(state);
            }
        }
    }

    /// Writes it, if the journal ends with this line, or with nothing. All that is asked is on its way at once.
    pub(super) async fn write(&self, session: &Session, end: &End) -> Result<(), Failure> {
        const TOLD: &str = "
            INSERT INTO told (target, state) SELECT t.* FROM unnest($3::text[], $4::text[]) AS t
            WHERE $1 = 0 OR EXISTS (SELECT 1 FROM events WHERE seq = $1 AND hash = $2)
            ON CONFLICT (target) DO UPDATE SET state = excluded.state";
        const NOTICES: &str = "
            INSERT INTO outbox
                (seq, id, notifier, recipient, target, kind, at, body, kept, head, tries, next_at, problem)
            SELECT coalesce((SELECT max(seq) FROM outbox), 0) + n.place, n.id, n.notifier, n.recipient, n.target, n.kind, n.at,
                n.body, n.kept, n.head, n.tries, n.next_at, n.problem
            FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[],
                $11::text[], $12::bigint[], $13::text[], $14::text[]) WITH ORDINALITY
                AS n (id, notifier, recipient, target, kind, at, body, kept, head, tries, next_at, problem, place)
            WHERE $1 = 0 OR EXISTS (SELECT 1 FROM events WHERE seq = $1 AND hash = $2)
            ON CONFLICT (id) DO NOTHING";
        // Whoever waits longest goes first, and is counted.
        const DROP: &str = "
            WITH waiting AS (
                SELECT seq, notifier, kept, count(*) OVER (PARTITION BY notifier, recipient) - $2 AS over,
                    row_number() OVER (PARTITION BY notifier, recipient, kept ORDER BY seq) AS place
                FROM outbox WHERE notifier = ANY ($1)),
            dropped AS (
                DELETE FROM outbox o USING waiting w WHERE o.seq = w.seq AND NOT w.kept AND w.place <= w.over
                RETURNING o.notifier)
            INSERT INTO notifiers (name, digest_at, dropped) SELECT notifier, $3, count(*) FROM dropped GROUP BY notifier
            ON CONFLICT (name) DO UPDATE SET dropped = notifiers.dropped + excluded.dropped";
        if self.targets.is_empty() && self.notices.ids.is_empty() {
            return Ok(());
        }
        let notices = &self.notices;
        let now = notices.times.iter().max().cloned().unwrap_or_default();
        let behind: [Column<'_>; 2] = [(&end.0, Type::INT8), (&end.1, Type::BYTEA)];
        let told: Vec<Column<'_>> = behind
            .iter()
            .cloned()
            .chain([
                (&self.targets as &(dyn ToSql + Sync), Type::TEXT_ARRAY),
                (&self.states, Type::TEXT_ARRAY),
            ])
            .collect();
        let written: Vec<Column<'_>> = behind.iter().cloned().chain(notices.columns()).collect();
        let counted: [Column<'_>; 3] = [
            (&notices.notifiers, Type::TEXT_ARRAY),
            (&MOST, Type::INT8),
            (&now, Type::TEXT),
        ];
        let (told, written, dropped) = answered(async {
            Ok(join3(
                session.client.query_typed(TOLD, &told),
                session.client.query_typed(NOTICES, &written),
                session.client.query_typed(DROP, &counted),
            )
            .await)
        })
        .await?;
        told?;
        written?;
        dropped?;
        Ok(())
    }
}

type Column<'c> = (&'c (dyn ToSql + Sync), Type);

impl<'t> Notices<'t> {
    fn add(&mut self, notice: &'t Outgoing, head: String, (tries, next_at, problem): (u32, Timestamp, &'t str)) {
        self.ids.push(&notice.id);
        self.notifiers.push(&notice.notifier);
        self.recipients.push(&notice.recipient);
        self.targets.push(&notice.target);
        self.kinds.push(&notice.kind);
        self.times.push(notice.at.to_string());
        self.bodies.push(&notice.body);
        self.kept.push(notice.is_kept);
        self.heads.push(head);
        self.tries.push(i64::from(tries));
        self.next.push(next_at.to_string());
        self.problems.push(problem);
    }

    /// In the order of the statement.
    fn columns(&self) -> [Column<'_>; 12] {
        [
            (&self.ids, Type::TEXT_ARRAY),
            (&self.notifiers, Type::TEXT_ARRAY),
            (&self.recipients, Type::TEXT_ARRAY),
            (&self.targets, Type::TEXT_ARRAY),
            (&self.kinds, Type::TEXT_ARRAY),
            (&self.times, Type::TEXT_ARRAY),
            (&self.bodies, Type::TEXT_ARRAY),
            (&self.kept, Type::BOOL_ARRAY),
            (&self.heads, Type::TEXT_ARRAY),
            (&self.tries, Type::INT8_ARRAY),
            (&self.next, Type::TEXT_ARRAY),
            (&self.problems, Type::TEXT_ARRAY),
        ]
    }
}

/// Takes over what another store had of it, in the transaction that is open.
pub(super) async fn take_over(session: &Session, told: &[(String, String)], outbox: &Outbox) -> Result<(), Failure> {
    const NOTIFIERS: &str = "
        INSERT INTO notifiers (name, digest_at, dropped) SELECT n.* FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n
        ON CONFLICT (name) DO UPDATE SET digest_at = excluded.digest_at, dropped = excluded.dropped";
    let mut notes = Notes::default();
    // Each is named once: they are the rows of a table.
    for (target, state) in told {
        notes.targets.push(target);
        notes.states.push(state);
    }
    for queued in &outbox.queued {
        let standing = (queued.tries, queued.next_at, queued.problem.as_str());
        notes.notices.add(&queued.notice, queued.head.clone(), standing);
    }
    notes.write(session, &(0, Vec::new())).await?;
    let known = &outbox.notifiers;
    let dropped = |state: &NotifierState| i64::try_from(state.dropped).unwrap_or(i64::MAX);
    let columns: [Column<'_>; 3] = [
        (
            &known.iter().map(|state| state.name.as_str()).collect::<Vec<_>>(),
            Type::TEXT_ARRAY,
        ),
        (
            &known
                .iter()
                .map(|state| state.digest_at.to_string())
                .collect::<Vec<_>>(),
            Type::TEXT_ARRAY,
        ),
        (&known.iter().map(dropped).collect::<Vec<_>>(), Type::INT8_ARRAY),
    ];
    session.rows(NOTIFIERS, &columns).await?;
    Ok(())
}

/// What people were told of each target last.
pub(super) async fn told(session: &Session) -> Result<Vec<(String, String)>, Unread> {
    let rows = session
        .rows("SELECT target, state FROM told ORDER BY target", &[])
        .await?;
    let told = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(told).collect()
}

/// What waits.
pub(super) async fn outbox(session: &Session) -> Result<Outbox, Unread> {
    let rows = session
        .rows(
            "SELECT id, notifier, recipient, target, kind, at, body, kept, head, tries, next_at, problem
             FROM outbox ORDER BY seq",
            &[],
        )
        .await?;
    let states = session
        .rows("SELECT name, digest_at, dropped FROM notifiers ORDER BY name", &[])
        .await?;
    let state = |row: &Row| {
        Ok(NotifierState {
            name: row.try_get(0)?,
            digest_at: time(row, 1)?,
            dropped: row.try_get::<_, i64>(2)?.unsigned_abs(),
        })
    };
    Ok(Outbox {
        queued: rows.iter().map(queued).collect::<Result<_, _>>()?,
        notifiers: states.iter().map(state).collect::<Result<_, Unread>>()?,
    })
}

fn queued(row: &Row) -> Result<Queued, Unread> {
    Ok(Queued {
        notice: Outgoing {
            id: row.try_get(0)?,
            notifier: row.try_get(1)?,
            recipient: row.try_get(2)?,
            target: row.try_get(3)?,
            kind: row.try_get(4)?,
            at: time(row, 5)?,
            body: row.try_get(6)?,
            is_kept: row.try_get(7)?,
        },
        head: row.try_get(8)?,
        tries: u32::try_from(row.try_get::<_, i64>(9)?).unwrap_or(u32::MAX),
        next_at: time(row, 10)?,
        problem: row.try_get(11)?,
    })
}

fn time(row: &Row, column: usize) -> Result<Timestamp, Unread> {
    let text: &str = row.try_get(column)?;
    let read = text.parse();
    read.map_err(|_| StoreError::Database("a time in the outbox cannot be read".to_owned()).into())
}
