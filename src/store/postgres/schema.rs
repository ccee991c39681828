//! The tables, their versions, and whether they are still what was made.

use std::path::Path;

use tokio_postgres::types::Type;

use super::address::Address;
use super::fault::Failure;
use super::session::{For, Session};
use crate::store::StoreError;

/// The version of the tables that this program reads and writes.
pub(super) const VERSION: i64 = 1;

/// What brings the tables from one version to the next, the first from nothing. Never changed once released; the next one is
/// added behind.
const STEPS: [&str; 1] = ["
CREATE TABLE about (
    one integer PRIMARY KEY CHECK (one = 1), program text NOT NULL CHECK (program = 'rotate'), version bigint NOT NULL,
    sealer text
);
INSERT INTO about VALUES (1, 'rotate', 0, NULL);
CREATE TABLE events (
    seq bigint PRIMARY KEY, rotation text COLLATE \"C\" NOT NULL, target text COLLATE \"C\" NOT NULL, revision bigint NOT NULL,
    at text NOT NULL, body text NOT NULL, hash bytea NOT NULL, fence bigint NOT NULL
);
CREATE UNIQUE INDEX events_of_rotation ON events (rotation, revision);
CREATE INDEX events_of_target ON events (target, seq);
CREATE TABLE rotations (
    id text COLLATE \"C\" PRIMARY KEY, target text COLLATE \"C\" NOT NULL, revision bigint NOT NULL, closed boolean NOT NULL,
    updated_at text NOT NULL, snapshot text NOT NULL
);
CREATE UNIQUE INDEX one_open_rotation ON rotations (target) WHERE NOT closed;
CREATE TABLE targets (name text COLLATE \"C\" PRIMARY KEY, latest text COLLATE \"C\" NOT NULL REFERENCES rotations (id));
CREATE TABLE sealed (
    rotation text COLLATE \"C\" NOT NULL, name text COLLATE \"C\" NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (rotation, name)
);
CREATE TABLE lease (
    one integer PRIMARY KEY CHECK (one = 1), fence bigint NOT NULL, holder text NOT NULL, token text NOT NULL,
    expires_at timestamptz NOT NULL
);
INSERT INTO lease VALUES (1, 0, '', '', '-infinity');
CREATE TABLE told (target text COLLATE \"C\" PRIMARY KEY, state text NOT NULL);
CREATE TABLE outbox (
    seq bigint PRIMARY KEY, id text COLLATE \"C\" NOT NULL UNIQUE, notifier text COLLATE \"C\" NOT NULL, recipient text NOT NULL,
    target text NOT NULL, kind text NOT NULL, at text NOT NULL, body text NOT NULL, kept boolean NOT NULL, head text NOT NULL,
    tries bigint NOT NULL, next_at text NOT NULL, problem text NOT NULL
);
CREATE INDEX outbox_of_notifier ON outbox (notifier, seq);
CREATE TABLE notifiers (name text COLLATE \"C\" PRIMARY KEY, digest_at text NOT NULL, dropped bigint NOT NULL);
"];

/// Everything that is in the schema, a line each, as the server's catalogue has it.
const FOUND: &str = "
SELECT line FROM (
    SELECT format('%s %s is %s%s', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'relation' END, c.relname,
            CASE c.relpersistence WHEN 'p' THEN 'kept' ELSE 'not kept' END, CASE WHEN c.relrowsecurity THEN ', in part' ELSE '' END)
        AS line
    FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind NOT IN ('i', 't', 'I')
    UNION ALL
    SELECT format('column %s.%s: %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation NOT IN (0, 100) THEN format(' in the order %s',
                (SELECT collname FROM pg_collation WHERE oid = a.attcollation)) ELSE '' END,
            CASE WHEN a.attnotnull THEN '' ELSE ', or nothing' END,
            CASE WHEN a.atthasdef THEN ', or by itself' ELSE '' END)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('constraint of %s: %s%s', c.relname, replace(pg_get_constraintdef(k.oid), format('%I.', $1::text), ''),
            CASE WHEN k.convalidated THEN '' ELSE ' not validated' END)
    FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE c.relnamespace = $1::text::regnamespace AND k.contype NOT IN ('n', 't')
    UNION ALL
    SELECT format('index of %s: %s%s%s%s', c.relname, CASE WHEN i.indisunique THEN 'each once, ' ELSE '' END,
            (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n)
             FROM generate_series(1, i.indnatts) AS n),
            coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), ''),
            CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' broken' END)
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT format('trigger %s of %s', t.tgname, c.relname)
    FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
    WHERE c.relnamespace = $1::text::regnamespace AND (NOT t.tgisinternal OR t.tgenabled <> 'O')
    UNION ALL
    SELECT format('rule %s of %s', r.rulename, c.relname)
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relnamespace = $1::text::regnamespace
) AS found ORDER BY line COLLATE \"C\"";

/// What it is when nobody has changed it.
const MADE: &str = include_str!("schema.txt");

/// Whether the tables are those of this program, and as it made them.
pub(super) async fn check(session: &Session, address: &Address) -> Result<(), StoreError> {
    let place = &address.shown();
    let meaning = |failure: Failure| failure.meaning(place, &address.user);
    session
        .run(&For::Reading.begin(&address.schema))
        .await
        .map_err(meaning)?;
    check_server(session, address).await?;
    // To who may not use a schema it looks as if nothing were in it.
    let rights = session
        .rows(
            "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1",
            &[(&address.schema, Type::TEXT)],
        )
        .await
        .map_err(meaning)?;
    if rights.first().is_some_and(|row| matches!(row.try_get(0), Ok(false))) {
        return Err(Failure::denied().meaning(place, &address.user));
    }
    match version(session).await.map_err(meaning)? {
        Some(VERSION) => {}
        Some(found) if found > VERSION => {
            return Err(StoreError::Newer {
                path: place.clone(),
                found,
                known: VERSION,
            });
        }
        found => {
            return Err(StoreError::NotMigrated {
                place: place.clone(),
                found: found.unwrap_or(0),
                known: VERSION,
            });
        }
    }
    let rows = session
        .rows(FOUND, &[(&address.schema, Type::TEXT)])
        .await
        .map_err(meaning)?;
    let found: Vec<String> = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(|error| meaning(error.into()))?;
    compare(&found, place)?;
    session.run("COMMIT").await.map_err(meaning)
}

/// Texts are kept as they are, and a commit is kept as well.
async fn check_server(session: &Session, address: &Address) -> Result<(), StoreError> {
    const SETTINGS: &str = "SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('server_version_num')::integer";
    /// PostgreSQL 13.
    const OLDEST: i32 = 130_000;
    let place = address.shown();
    let meaning = |failure: Failure| failure.meaning(&place, &address.user);
    let rows = session.rows(SETTINGS, &[]).await.map_err(meaning)?;
    let read = |row: &tokio_postgres::Row| -> Result<(String, String, i32), tokio_postgres::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let unfit = |why: String, remedy: &str| {
        Err(StoreError::Unfit {
            place: place.clone(),
            why,
            remedy: remedy.to_owned(),
        })
    };
    let Some(row) = rows.first() else {
        return Err(meaning(Failure::Broken("no answer".to_owned())));
    };
    match read(row).map_err(|error| meaning(error.into()))? {
        (encoding, ..) if encoding != "UTF8" => unfit(
            format!("the database keeps texts as {encoding}"),
            "make one that keeps them as UTF-8: createdb --encoding=UTF8 --template=template0",
        ),
        (_, fsync, _) if fsync != "on" => unfit(
            "the server does not wait for its disk (fsync is off), so a journal there may be lost".to_owned(),
            "have fsync switched on in postgresql.conf",
        ),
        (.., version) if version < OLDEST => unfit(
            "the server is older than PostgreSQL 13".to_owned(),
            "use one that its makers still care for",
        ),
        _ => Ok(()),
    }
}

/// The version of the tables; `None` where there are none.
async fn version(session: &Session) -> Result<Option<i64>, Failure> {
    let rows = session
        .rows("SELECT version FROM about WHERE program = 'rotate'", &[])
        .await;
    match rows {
        Ok(rows) => Ok(rows.first().and_then(|row| row.try_get(0).ok())),
        Err(failure) if failure.is_missing_table() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A trigger or a rule would act with each of our own statements, and a table that says something else would let through what
/// ours does not.
fn compare(found: &[String], place: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| {
        Err(StoreError::Unfit {
            place: place.to_owned(),
            why,
            remedy: "have the owner of the schema undo that change; whether the journal is whole is told by: rotate audit verify".to_owned(),
        })
    };
    let made: Vec<&str> = MADE.lines().collect();
    if let Some(theirs) = found.iter().find(|line| !made.contains(&line.as_str())) {
        return damaged(format!("it has what rotate has not made: {}", theirs.escape_debug()));
    }
    match made.iter().find(|line| !found.iter().any(|found| found == **line)) {
        Some(missing) => damaged(format!("it lacks: {missing}")),
        None => Ok(()),
    }
}

/// What became of the tables.
pub enum Migrated {
    /// They were made.
    Made,
    /// They were those of an older version.
    From(i64),
    /// There was nothing to do.
    Not,
}

/// Makes the tables, or brings them to the version of today, in one transaction. Whoever does that owns them.
pub(super) async fn migrate(address: &Address) -> Result<Migrated, StoreError> {
    let place = address.shown();
    let meaning = |failure: Failure| failure.meaning(&place, &address.user);
    let session = Session::connect(address).await.map_err(meaning)?;
    session
        .run(&For::Writing.begin(&address.schema))
        .await
        .map_err(meaning)?;
    check_server(&session, address).await?;
    // Two who do this at once come one after the other. The number is rotate's own: "rota".
    session
        .run("SELECT pg_advisory_xact_lock(1919906913)")
        .await
        .map_err(meaning)?;
    session.run("SAVEPOINT looking").await.map_err(meaning)?;
    let found = version(&session).await.map_err(meaning)?;
    session.run("ROLLBACK TO looking").await.map_err(meaning)?;
    let steps = match found {
        Some(found) if found > VERSION => {
            return Err(StoreError::Newer {
                path: place,
                found,
                known: VERSION,
            });
        }
        Some(found) => usize::try_from(found).unwrap_or(0),
        None => 0,
    };
    if steps >= STEPS.len() {
        return Ok(Migrated::Not);
    }
    // Whoever owns a schema that was made for them may make no other in this database.
    let is_made = session
        .rows(
            "SELECT 1 FROM pg_namespace WHERE nspname = $1",
            &[(&address.schema, Type::TEXT)],
        )
        .await
        .map_err(meaning)?;
    if is_made.is_empty() {
        let make = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", address.schema);
        session.run(&make).await.map_err(meaning)?;
    }
    for step in STEPS.iter().skip(steps) {
        session.run(step).await.map_err(meaning)?;
    }
    session
        .run(&format!("UPDATE about SET version = {VERSION}; COMMIT"))
        .await
        .map_err(meaning)?;
    Ok(found.map_or(Migrated::Made, Migrated::From))
}
