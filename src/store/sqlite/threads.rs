//! Many threads at once, each replayed from its journal and compared with what is kept beside it, before any of them is shown or
//! acted upon.

use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::rows::chained;
use super::{REMEMBERED, classify};
use crate::machine::StreamState;
use crate::store::replay::{checked, elsewhere};
use crate::store::{StoreError, Stored};

/// Which threads.
pub(super) enum Which<'a> {
    /// The latest passage of every target.
    Courses,
    /// What was last seen of every target.
    Watches,
    /// The latest one of this name.
    Latest(&'a str),
    /// All passages of this target.
    Of(&'a str),
}

/// The lines of these threads, each with the hash before it, and the last with the state that is kept beside the journal, where that
/// is kept of this very line.
macro_rules! lines {
    ($threads:expr $(, $kept:expr)?) => {
        concat!(
            "SELECT e.*, (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before, r.snapshot
             FROM events e LEFT JOIN rotations r ON r.id = e.rotation AND r.target = e.target
                AND r.revision = e.revision AND r.updated_at = e.at ", $($kept,)?
            " WHERE e.rotation IN (", $threads, ") ORDER BY e.rotation, e.revision"
        )
    };
}

/// It is kept as the latest thread of its name.
macro_rules! as_latest {
    () => {
        "AND EXISTS (SELECT 1 FROM targets WHERE name = e.target AND latest = e.rotation)"
    };
}

/// The latest thread of every name. The journal says which names there are, and its index is asked for one after the other: most
/// lines are of threads that have ended. Names of one sort stand together in it, so those of the others are not even passed, nor
/// what is said of the whole journal; no text is as great as `x''`.
const LATEST: &str = lines!(
    "WITH RECURSIVE sorts (low, high) AS (
        SELECT 'watch:', 'watch;' WHERE ?1
        UNION ALL SELECT '', 'journal:' WHERE NOT ?1
        UNION ALL SELECT 'journal;', 'watch:' WHERE NOT ?1
        UNION ALL SELECT 'watch;', x'' WHERE NOT ?1
    ),
    names (name, high) AS (
        SELECT (SELECT min(target) FROM events WHERE target >= low AND target < high), high FROM sorts
        UNION ALL
        SELECT (SELECT min(target) FROM events WHERE target > name AND target < high), high FROM names
        WHERE name IS NOT NULL
    )
    SELECT (SELECT rotation FROM events WHERE target = name ORDER BY seq DESC LIMIT 1)
    FROM names WHERE name IS NOT NULL",
    as_latest!()
);

/// A name that is kept beside the journal and has no line there.
const STRAY_LATEST: &str = "
    SELECT name FROM targets t
    WHERE (name >= 'watch:' AND name < 'watch;') = ?1
        AND NOT EXISTS (SELECT 1 FROM events e WHERE e.target = t.name)
    LIMIT 1";

/// The same of one name.
const LATEST_OF: &str = lines!(
    "SELECT rotation FROM (SELECT rotation FROM events WHERE target = ?1 ORDER BY seq DESC LIMIT 1)",
    as_latest!()
);

const STRAY_LATEST_OF: &str =
    "SELECT name FROM targets WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM events WHERE target = ?1)";

/// The same of every thread of one name.
const ALL_OF: &str = lines!("SELECT rotation FROM events WHERE target = ?1");

const STRAY_OF: &str = "
    SELECT target FROM rotations r
    WHERE target = ?1 AND NOT EXISTS (SELECT 1 FROM events e WHERE e.rotation = r.id AND e.target = r.target)
    LIMIT 1";

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

impl Which<'_> {
    /// The one that asks for the lines, and the one that asks for what is kept without any.
    fn queries(&self) -> (Query, Query) {
        let (lines, stray) = match self {
            Self::Courses | Self::Watches => (LATEST, STRAY_LATEST),
            Self::Latest(_) => (LATEST_OF, STRAY_LATEST_OF),
            Self::Of(_) => (ALL_OF, STRAY_OF),
        };
        let (lines, stray) = (sqlx::query(lines).persistent(REMEMBERED), sqlx::query(stray));
        match self {
            Self::Courses => (lines.bind(false), stray.bind(false)),
            Self::Watches => (lines.bind(true), stray.bind(true)),
            Self::Latest(name) | Self::Of(name) => (lines.bind((*name).to_owned()), stray.bind((*name).to_owned())),
        }
    }

    /// These threads, in the order of their names. What the journal tells and what is kept beside it is the same, or was changed.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        path: &Path,
    ) -> Result<Vec<Stored<StreamState>>, StoreError> {
        let fault = |error: sqlx::Error| classify(path, &error);
        let (lines, stray) = self.queries();
        // All of it is read as it is at one moment, whoever writes meanwhile.
        let mut reading = connection.begin().await.map_err(fault)?;
        if let Some(row) = stray.fetch_optional(&mut *reading).await.map_err(fault)? {
            return Err(elsewhere(0, row.try_get(0).map_err(fault)?));
        }
        // One thread at a time: all lines of many years do not have to fit into the memory.
        let mut lines = lines.fetch(&mut *reading);
        let mut threads = Vec::new();
        let mut rows: Vec<SqliteRow> = Vec::new();
        while let Some(row) = lines.try_next().await.map_err(fault)? {
            if let Some(before) = rows.last()
                && rotation(before).map_err(fault)? != rotation(&row).map_err(fault)?
            {
                threads.extend(check(&rows, path)?);
                rows.clear();
            }
            rows.push(row);
        }
        threads.extend(check(&rows, path)?);
        threads.sort_by(|one: &Stored<StreamState>, other| one.target.cmp(&other.target));
        Ok(threads)
    }
}

/// Which thread a line belongs to.
fn rotation(row: &SqliteRow) -> Result<&str, sqlx::Error> {
    row.try_get(1)
}

/// One thread, whose last line has what is kept beside it.
fn check(rows: &[SqliteRow], path: &Path) -> Result<Option<Stored<StreamState>>, StoreError> {
    let Some(last) = rows.last() else { return Ok(None) };
    let kept = last.try_get("snapshot").map_err(|error| classify(path, &error))?;
    checked(chained(rows, path), kept, path)
}
