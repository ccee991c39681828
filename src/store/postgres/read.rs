//! What is kept, from its rows. None of it is believed before it was replayed.

use std::path::Path;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::Failure;
use super::session::{Session, answered};
use crate::machine::StreamState;
use crate::store::heads::{behind, head_of};
use crate::store::line::StoredLine;
use crate::store::replay::{checked, elsewhere};
use crate::store::verify::{Chain, Summary};
use crate::store::{Head, Line, StoreError, Stored, Verified, Visit};

/// Where the journal ends: the number of a line, and its hash.
pub(super) type End = (i64, Vec<u8>);

type Values<'v> = [(&'v (dyn ToSql + Sync), Type); 1];

/// A fault of the way, or what is wrong with what came.
pub(super) enum Unread {
    Failure(Failure),
    Store(StoreError),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<tokio_postgres::Error> for Unread {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A line of the journal; its columns come first in each question.
pub(super) fn stored_line(row: &Row) -> Result<StoredLine<'_>, tokio_postgres::Error> {
    Ok(StoredLine {
        seq: row.try_get(0)?,
        rotation: row.try_get(1)?,
        target: row.try_get(2)?,
        revision: row.try_get(3)?,
        at: row.try_get(4)?,
        body: row.try_get(5)?,
        hash: row.try_get(6)?,
        fence: row.try_get(7)?,
    })
}

/// The columns of a line, behind which others may stand.
pub(super) const LINE: &str = "e.seq, e.rotation, e.target, e.revision, e.at, e.body, e.hash, e.fence";

/// The last line of the journal; the beginning of every journal where there is none.
pub(super) async fn head(session: &Session) -> Result<Head, Unread> {
    let rows = session
        .rows("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", &[])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(Head::beginning());
    };
    Ok(head_of((row.try_get(0)?, row.try_get(1)?)))
}

/// The line at this place.
pub(super) async fn head_at(session: &Session, seq: i64) -> Result<Option<Head>, Unread> {
    if seq == 0 {
        return Ok(Some(Head::beginning()));
    }
    let rows = session
        .rows("SELECT seq, hash FROM events WHERE seq = $1", &[(&seq, Type::INT8)])
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(head_of((row.try_get(0)?, row.try_get(1)?))))
}

/// So many lines behind this one.
pub(super) async fn after(session: &Session, head: &Head, most: u32) -> Result<Vec<Line>, Unread> {
    // The line itself as well: it has to be the one that is meant.
    let lines = format!("SELECT {LINE} FROM events e WHERE e.seq >= $1 ORDER BY e.seq LIMIT $2");
    let most = i64::from(most) + i64::from(head.seq > 0);
    let rows = session
        .rows(&lines, &[(&head.seq, Type::INT8), (&most, Type::INT8)])
        .await?;
    let lines = rows.iter().map(|row| stored_line(row).map_err(unreadable));
    Ok(behind(head, lines)?)
}

fn unreadable(error: tokio_postgres::Error) -> StoreError {
    StoreError::Database(error.to_string())
}

/// Which threads.
pub(super) enum Which<'a> {
    /// The latest passage of every target, or what was last seen of every one.
    All { watches: bool },
    /// The latest one of this name.
    Latest(&'a str),
    /// All passages of this target.
    Of(&'a str),
}

/// The journal says which threads there are, and its index is asked for one name after the other: most lines are of threads that
/// have ended.
const LATEST: &str = "
    WITH RECURSIVE names (name) AS (
        (SELECT target FROM events ORDER BY target LIMIT 1)
        UNION ALL
        SELECT (SELECT target FROM events WHERE target > name ORDER BY target LIMIT 1) FROM names WHERE name IS NOT NULL
    )
    SELECT (SELECT rotation FROM events WHERE target = name ORDER BY seq DESC LIMIT 1)
    FROM names WHERE name IS NOT NULL AND starts_with(name, 'watch:') = $1 AND NOT starts_with(name, 'journal:')";

impl Which<'_> {
    /// The ids of these threads, whether each is to be kept as the latest of its name, and what asks for a name that is kept beside
    /// the journal and has no line there.
    fn asked(&self) -> (&'static str, bool, &'static str) {
        match self {
            Self::All { .. } => (
                LATEST,
                true,
                "SELECT name FROM targets t WHERE starts_with(name, 'watch:') = $1
                    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.target = t.name) LIMIT 1",
            ),
            Self::Latest(_) => (
                "(SELECT rotation FROM events WHERE target = $1 ORDER BY seq DESC LIMIT 1)",
                true,
                "SELECT name FROM targets WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM events WHERE target = $1)",
            ),
            Self::Of(_) => (
                "SELECT rotation FROM events WHERE target = $1",
                false,
                "SELECT target FROM rotations r WHERE target = $1
                    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.rotation = r.id AND e.target = r.target) LIMIT 1",
            ),
        }
    }

    fn values(&self) -> Values<'_> {
        match self {
            Self::All { watches } => [(watches, Type::BOOL)],
            Self::Latest(name) | Self::Of(name) => [(name, Type::TEXT)],
        }
    }

    /// These threads, in the order of their names. What the journal tells and what is kept beside it is the same, or was changed.
    pub(super) async fn read(&self, session: &Session, path: &Path) -> Result<Vec<Stored<StreamState>>, Unread> {
        let (ids, as_latest, stray) = self.asked();
        if let Some(row) = session.rows(stray, &self.values()).await?.first() {
            return Err(elsewhere(0, row.try_get(0)?).into());
        }
        let kept = match as_latest {
            true => "CASE WHEN t.latest = r.id THEN r.snapshot END",
            false => "r.snapshot",
        };
        // Each line with the hash before it, and the last with the state that is kept, where that is kept of this very line.
        let lines = format!(
            "SELECT {LINE}, p.hash, {kept}
             FROM events e LEFT JOIN events p ON p.seq = e.seq - 1
                LEFT JOIN rotations r ON r.id = e.rotation AND r.target = e.target
                    AND r.revision = e.revision AND r.updated_at = e.at
                LEFT JOIN targets t ON t.name = r.target
             WHERE e.rotation IN ({ids}) ORDER BY e.rotation, e.revision"
        );
        let mut threads = Vec::new();
        // One thread at a time: all lines of many years do not have to fit into the memory.
        let mut thread: Vec<Row> = Vec::new();
        let mut rows = pin!(session.stream(&lines, &self.values()).await?);
        while let Some(row) = answered(rows.try_next()).await? {
            if let Some(before) = thread.last()
                && before.try_get::<_, &str>(1)? != row.try_get::<_, &str>(1)?
            {
                threads.extend(check(&thread, path)?);
                thread.clear();
            }
            thread.push(row);
        }
        threads.extend(check(&thread, path)?);
        threads.sort_by(|one: &Stored<StreamState>, other| one.target.cmp(&other.target));
        Ok(threads)
    }
}

/// One thread, whose last line has what is kept beside it.
fn check(rows: &[Row], path: &Path) -> Result<Option<Stored<StreamState>>, StoreError> {
    let Some(last) = rows.last() else { return Ok(None) };
    let kept = last.try_get(9).map_err(unreadable)?;
    let chained = |row| Ok((stored_line(row)?, row.try_get(8)?));
    checked(rows.iter().map(|row| chained(row).map_err(unreadable)), kept, path)
}

/// Walks the journal once, line by line, and compares where it leads with what is kept beside it.
pub(super) async fn verify(session: &Session, path: &Path, visit: &mut Visit<'_>) -> Result<Verified, Unread> {
    let mut walk = Chain::default();
    let lines = format!("SELECT {LINE} FROM events e ORDER BY e.seq");
    let mut rows = pin!(session.stream(&lines, &[]).await?);
    while let Some(row) = answered(rows.try_next()).await? {
        walk.take(&stored_line(&row)?, visit)?;
    }
    let mut count = 0;
    let mut rows = pin!(
        session
            .stream(
                "SELECT r.id, r.target, r.revision, r.closed, r.snapshot, t.latest, r.updated_at
                 FROM rotations r LEFT JOIN targets t ON t.name = r.target",
                &[],
            )
            .await?
    );
    while let Some(row) = answered(rows.try_next()).await? {
        count += 1;
        walk.compare(&Summary {
            id: row.try_get(0)?,
            target: row.try_get(1)?,
            revision: row.try_get(2)?,
            closed: row.try_get(3)?,
            snapshot: row.try_get(4)?,
            latest: row.try_get(5)?,
            updated_at: row.try_get(6)?,
        })?;
    }
    for row in session
        .rows("SELECT rotation, name FROM sealed ORDER BY rotation, name", &[])
        .await?
    {
        walk.found_sealed(row.try_get(0)?, row.try_get(1)?)?;
    }
    let rows = session.rows("SELECT fence FROM lease", &[]).await?;
    let fences: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    walk.check_fences(&fences?, path)?;
    Ok(walk.end(count)?)
}
