//! Many threads at once, each replayed from its journal and compared with what is kept beside it, before any of them is shown or
//! acted upon.

use std::collections::HashMap;
use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{chained, kept};
use super::{REMEMBERED, classify};
use crate::machine::StreamState;
use crate::store::replay::{Kept, compare, replay};
use crate::store::{StoreError, Stored};

/// Which threads.
pub(super) enum Which<'a> {
    /// The latest passage of every target.
    Courses,
    /// What was last seen of every target.
    Watches,
    /// All passages of this target.
    Of(&'a str),
}

/// The lines of the latest thread of every name, each with the hash before it. The journal says which there are, and its index is
/// asked for one name after the other: most lines are of threads that have ended.
const LATEST: &str = "
    WITH RECURSIVE names (name) AS (
        SELECT min(target) FROM events
        UNION ALL
        SELECT (SELECT min(target) FROM events WHERE target > name) FROM names WHERE name IS NOT NULL
    )
    SELECT e.*, (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
    FROM events e WHERE rotation IN (
        SELECT (SELECT rotation FROM events WHERE target = name ORDER BY seq DESC LIMIT 1)
        FROM names WHERE name IS NOT NULL AND (name GLOB 'watch:*') = ?1)
    ORDER BY rotation, revision";

const KEPT_LATEST: &str = "
    SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot, t.name AS named
    FROM targets t JOIN rotations r ON r.id = t.latest WHERE (t.name GLOB 'watch:*') = ?1";

/// The same of every thread of one name.
const ALL: &str = "
    SELECT e.*, (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
    FROM events e WHERE rotation IN (SELECT rotation FROM events WHERE target = ?1)
    ORDER BY rotation, revision";

const KEPT: &str =
    "SELECT id, target, revision, updated_at, snapshot, target AS named FROM rotations WHERE target = ?1";

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

impl Which<'_> {
    fn queries(&self) -> (Query, Query) {
        match self {
            Self::Courses => (
                sqlx::query(LATEST).persistent(REMEMBERED).bind(false),
                sqlx::query(KEPT_LATEST).bind(false),
            ),
            Self::Watches => (
                sqlx::query(LATEST).persistent(REMEMBERED).bind(true),
                sqlx::query(KEPT_LATEST).bind(true),
            ),
            Self::Of(target) => (
                sqlx::query(ALL).persistent(REMEMBERED).bind((*target).to_owned()),
                sqlx::query(KEPT).bind((*target).to_owned()),
            ),
        }
    }

    /// These threads, in the order of their names. What the journal tells and what is kept beside it is the same, or was changed.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        path: &Path,
    ) -> Result<Vec<Stored<StreamState>>, StoreError> {
        let fault = |error: sqlx::Error| classify(path, &error);
        let (lines, summaries) = self.queries();
        let mut threads = Threads {
            path,
            kept: HashMap::new(),
            checked: Vec::new(),
        };
        let mut all_kept = summaries.fetch(&mut *connection);
        while let Some(row) = all_kept.try_next().await.map_err(fault)? {
            let kept = kept(&row, path)?;
            let named: &str = row.try_get("named").map_err(fault)?;
            if named != kept.target {
                // It passes for the latest one of another target.
                compare(named, None, Some(kept), path)?;
            } else {
                threads.kept.insert(kept.id.clone(), kept);
            }
        }
        drop(all_kept);
        // One thread at a time: all lines of many years do not have to fit into the memory.
        let mut lines = lines.fetch(&mut *connection);
        let (mut id, mut rows) = (String::new(), Vec::new());
        while let Some(row) = lines.try_next().await.map_err(fault)? {
            let of: String = row.try_get("rotation").map_err(fault)?;
            if of != id {
                threads.check(&id, &rows)?;
                (id, rows) = (of, Vec::new());
            }
            rows.push(row);
        }
        threads.check(&id, &rows)?;
        threads.end()
    }
}

/// Threads on their way.
struct Threads<'a> {
    path: &'a Path,
    /// What is kept beside the journal of those that are still to come.
    kept: HashMap<String, Kept>,
    checked: Vec<Stored<StreamState>>,
}

impl Threads<'_> {
    fn check(&mut self, id: &str, rows: &[SqliteRow]) -> Result<(), StoreError> {
        let Some(replayed) = replay(chained(rows, self.path))? else {
            return Ok(());
        };
        let name = replayed.1.target.clone();
        self.checked
            .extend(compare(&name, Some(replayed), self.kept.remove(id), self.path)?);
        Ok(())
    }

    fn end(mut self) -> Result<Vec<Stored<StreamState>>, StoreError> {
        if let Some(kept) = self.kept.into_values().next() {
            // Its events are gone, or its target has later ones.
            let name = kept.target.clone();
            compare(&name, None, Some(kept), self.path)?;
        }
        self.checked.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(self.checked)
    }
}
