//! What is kept, from its rows. None of it is believed before it was replayed.

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::Failure;
use super::session::{Session, answered};
use crate::machine::StreamState;
use crate::store::line::StoredLine;
use crate::store::replay::{Chained, Kept, compare, replay};
use crate::store::verify::{Chain, Summary};
use crate::store::{StoreError, Stored, Verified, Visit};

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
pub(super) fn stored_line(row: &Row) -> Result<StoredLine, tokio_postgres::Error> {
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

/// The same, and the hash before it.
const CHAINED: &str = "e.seq, e.rotation, e.target, e.revision, e.at, e.body, e.hash, e.fence, p.hash
    FROM events e LEFT JOIN events p ON p.seq = e.seq - 1";

fn chained(row: &Row) -> Result<Chained, StoreError> {
    let read = || Ok((stored_line(row)?, row.try_get(8)?));
    read().map_err(|error: tokio_postgres::Error| StoreError::Database(error.to_string()))
}

fn kept(row: &Row, path: &Path) -> Result<Kept, Unread> {
    let named = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Kept::new(named, row.try_get(3)?, row.try_get(4)?, path)?)
}

/// The latest thread of this name, replayed from its journal and compared with what is kept beside it.
pub(super) async fn latest(session: &Session, name: &str, path: &Path) -> Result<Option<Stored<StreamState>>, Unread> {
    let named: Values<'_> = [(&name, Type::TEXT)];
    let rows = session
        .rows(
            "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot
             FROM targets t JOIN rotations r ON r.id = t.latest WHERE t.name = $1",
            &named,
        )
        .await?;
    let summary = rows.first().map(|row| kept(row, path)).transpose()?;
    let lines = format!(
        "SELECT {CHAINED}
         WHERE e.rotation = (SELECT rotation FROM events WHERE target = $1 ORDER BY seq DESC LIMIT 1) ORDER BY e.revision"
    );
    let rows = session.rows(&lines, &named).await?;
    Ok(compare(name, replay(rows.iter().map(chained))?, summary, path)?)
}

/// Which threads.
pub(super) enum Which<'a> {
    /// The latest passage of every target, or what was last seen of every one.
    Latest { watches: bool },
    /// All passages of this target.
    Of(&'a str),
}

/// The journal says which threads there are, and its index is asked for one name after the other: most lines are of threads that
/// have ended.
const NAMES: &str = "
    WITH RECURSIVE names (name) AS (
        (SELECT target FROM events ORDER BY target LIMIT 1)
        UNION ALL
        SELECT (SELECT target FROM events WHERE target > name ORDER BY target LIMIT 1) FROM names WHERE name IS NOT NULL
    )";

impl Which<'_> {
    fn lines(&self) -> String {
        match self {
            Self::Latest { .. } => format!(
                "{NAMES} SELECT {CHAINED} WHERE e.rotation IN (
                    SELECT (SELECT rotation FROM events WHERE target = name ORDER BY seq DESC LIMIT 1)
                    FROM names WHERE name IS NOT NULL AND starts_with(name, 'watch:') = $1)
                 ORDER BY e.rotation, e.revision"
            ),
            Self::Of(_) => format!(
                "SELECT {CHAINED} WHERE e.rotation IN (SELECT rotation FROM events WHERE target = $1)
                 ORDER BY e.rotation, e.revision"
            ),
        }
    }

    fn summaries(&self) -> &'static str {
        match self {
            Self::Latest { .. } => {
                "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot, t.name
                 FROM targets t JOIN rotations r ON r.id = t.latest WHERE starts_with(t.name, 'watch:') = $1"
            }
            Self::Of(_) => "SELECT id, target, revision, updated_at, snapshot, target FROM rotations WHERE target = $1",
        }
    }

    fn values(&self) -> Values<'_> {
        match self {
            Self::Latest { watches } => [(watches, Type::BOOL)],
            Self::Of(target) => [(target, Type::TEXT)],
        }
    }

    /// These threads, in the order of their names. What the journal tells and what is kept beside it is the same, or was changed.
    pub(super) async fn read(&self, session: &Session, path: &Path) -> Result<Vec<Stored<StreamState>>, Unread> {
        let mut beside = HashMap::new();
        let mut rows = pin!(session.stream(self.summaries(), &self.values()).await?);
        while let Some(row) = answered(rows.try_next()).await? {
            let kept = kept(&row, path)?;
            let named: &str = row.try_get(5)?;
            if named != kept.target {
                // It passes for the latest one of another target.
                compare(named, None, Some(kept), path)?;
            } else {
                beside.insert(kept.id.clone(), kept);
            }
        }
        let mut checked = Vec::new();
        let mut check = |id: &str, thread: Vec<Chained>| -> Result<(), StoreError> {
            let Some(replayed) = replay(thread.into_iter().map(Ok))? else {
                return Ok(());
            };
            let name = replayed.1.target.clone();
            checked.extend(compare(&name, Some(replayed), beside.remove(id), path)?);
            Ok(())
        };
        // One thread at a time: all lines of many years do not have to fit into the memory.
        let mut rows = pin!(session.stream(&self.lines(), &self.values()).await?);
        let (mut id, mut thread) = (String::new(), Vec::new());
        while let Some(row) = answered(rows.try_next()).await? {
            let line = chained(&row)?;
            if line.0.rotation != id {
                check(&id, std::mem::take(&mut thread))?;
                id.clone_from(&line.0.rotation);
            }
            thread.push(line);
        }
        check(&id, thread)?;
        if let Some(kept) = beside.into_values().next() {
            // Its events are gone, or its target has later ones.
            let name = kept.target.clone();
            compare(&name, None, Some(kept), path)?;
        }
        checked.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(checked)
    }
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
                "SELECT r.id, r.target, r.revision, r.closed, r.snapshot, t.latest
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
