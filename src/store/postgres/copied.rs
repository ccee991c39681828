//! Taking over a whole journal from another store, in one transaction.

use tokio_postgres::types::{ToSql, Type};

use super::fault::Failure;
use super::lease::LOCK;
use super::outbox;
use super::session::{For, Session};
use crate::store::copied::{CopiedLine, Everything};

/// How many rows are sent at a time.
const AT_ONCE: usize = 500;

type Column<'c> = (&'c (dyn ToSql + Sync), Type);

/// Writes all of it behind nothing, and says whether it did: where there is anything already, or the lease is another's, nothing
/// is done. The lease has ended afterwards: the numbers of the leases go on where those of the other store were.
pub(super) async fn take_over(
    session: &Session,
    schema: &str,
    fence: i64,
    all: &Everything,
    sealer: &str,
) -> Result<bool, Failure> {
    const FREE: &str = "
        SELECT 1 FROM lease WHERE fence = $1 AND expires_at > clock_timestamp()
            AND NOT EXISTS (SELECT 1 FROM events) AND NOT EXISTS (SELECT 1 FROM sealed)";
    session.run(&For::Writing.begin(schema)).await?;
    session.rows(LOCK, &[]).await?;
    if session.rows(FREE, &[(&fence, Type::INT8)]).await?.is_empty() {
        session.run("ROLLBACK").await?;
        return Ok(false);
    }
    lines(session, all).await?;
    summaries(session, all).await?;
    outbox::take_over(session, &all.told, &all.outbox).await?;
    let last = all.lines.iter().map(|line| line.fence).max().unwrap_or(0);
    session
        .rows("UPDATE about SET sealer = $1", &[(&sealer, Type::TEXT)])
        .await?;
    session
        .rows(
            "UPDATE lease SET fence = greatest(fence, $1), expires_at = '-infinity', holder = ''",
            &[(&last, Type::INT8)],
        )
        .await?;
    session.run("COMMIT").await?;
    Ok(true)
}

async fn lines(session: &Session, all: &Everything) -> Result<(), Failure> {
    const LINES: &str = "
        INSERT INTO events (seq, rotation, target, revision, at, body, hash, fence)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::bigint[])";
    for lines in all.lines.chunks(AT_ONCE) {
        let numbers = |of: fn(&CopiedLine) -> i64| lines.iter().map(of).collect::<Vec<_>>();
        let texts = |of: fn(&CopiedLine) -> &str| lines.iter().map(of).collect::<Vec<_>>();
        let columns: [Column<'_>; 8] = [
            (&numbers(|line| line.seq), Type::INT8_ARRAY),
            (&texts(|line| &line.rotation), Type::TEXT_ARRAY),
            (&texts(|line| &line.target), Type::TEXT_ARRAY),
            (&numbers(|line| line.revision), Type::INT8_ARRAY),
            (&texts(|line| &line.at), Type::TEXT_ARRAY),
            (&texts(|line| &line.body), Type::TEXT_ARRAY),
            (
                &lines.iter().map(|line| line.hash.as_slice()).collect::<Vec<_>>(),
                Type::BYTEA_ARRAY,
            ),
            (&numbers(|line| line.fence), Type::INT8_ARRAY),
        ];
        session.rows(LINES, &columns).await?;
    }
    Ok(())
}

async fn summaries(session: &Session, all: &Everything) -> Result<(), Failure> {
    const SUMMARIES: &str = "
        INSERT INTO rotations (id, target, revision, closed, updated_at, snapshot)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[], $5::text[], $6::text[])";
    const TARGETS: &str = "INSERT INTO targets (name, latest) SELECT * FROM unnest($1::text[], $2::text[])";
    const SEALED: &str = "
        INSERT INTO sealed (rotation, name, bytes) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])";
    for rows in all.summaries.chunks(AT_ONCE) {
        let columns: [Column<'_>; 6] = [
            (
                &rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.target.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.revision).collect::<Vec<_>>(),
                Type::INT8_ARRAY,
            ),
            (&rows.iter().map(|row| row.closed).collect::<Vec<_>>(), Type::BOOL_ARRAY),
            (
                &rows.iter().map(|row| row.updated_at.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.snapshot.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
        ];
        session.rows(SUMMARIES, &columns).await?;
    }
    for rows in all.targets.chunks(AT_ONCE) {
        let columns: [Column<'_>; 2] = [
            (
                &rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
        ];
        session.rows(TARGETS, &columns).await?;
    }
    for rows in all.sealed.chunks(AT_ONCE) {
        let columns: [Column<'_>; 3] = [
            (
                &rows.iter().map(|row| row.rotation.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
                Type::TEXT_ARRAY,
            ),
            (
                &rows.iter().map(|row| row.bytes.as_slice()).collect::<Vec<_>>(),
                Type::BYTEA_ARRAY,
            ),
        ];
        session.rows(SEALED, &columns).await?;
    }
    Ok(())
}
