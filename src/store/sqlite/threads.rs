//! Many threads at once, each replayed from its journal and compared with what is kept beside it, before any of them is shown or
//! acted upon.

use std::collections::HashMap;
use std::path::Path;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::replay::{compare, replay};
use super::{classify, summary};
use crate::machine::Chronicle;
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

/// The journal says which there are. What is kept beside it says the same, or was changed.
impl Which<'_> {
    /// The lines of these threads, each with the hash before it.
    fn lines(&self) -> &'static str {
        match self {
            Self::Courses => {
                "SELECT seq, rotation, target, revision, at, body, hash,
                        (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
                 FROM events e WHERE rotation IN (
                     SELECT rotation FROM events WHERE seq IN (
                         SELECT max(seq) FROM events WHERE target NOT GLOB 'watch:*' GROUP BY target))
                 ORDER BY rotation, revision"
            }
            Self::Watches => {
                "SELECT seq, rotation, target, revision, at, body, hash,
                        (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
                 FROM events e WHERE rotation IN (
                     SELECT rotation FROM events WHERE seq IN (
                         SELECT max(seq) FROM events WHERE target GLOB 'watch:*' GROUP BY target))
                 ORDER BY rotation, revision"
            }
            Self::Of(_) => {
                "SELECT seq, rotation, target, revision, at, body, hash,
                        (SELECT hash FROM events p WHERE p.seq = e.seq - 1) AS before
                 FROM events e WHERE rotation IN (SELECT rotation FROM events WHERE target = ?)
                 ORDER BY rotation, revision"
            }
        }
    }

    /// What is kept of them.
    fn kept(&self) -> &'static str {
        match self {
            Self::Courses => {
                "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot
                 FROM targets t JOIN rotations r ON r.id = t.latest WHERE t.name NOT GLOB 'watch:*'"
            }
            Self::Watches => {
                "SELECT r.id, r.target, r.revision, r.updated_at, r.snapshot
                 FROM targets t JOIN rotations r ON r.id = t.latest WHERE t.name GLOB 'watch:*'"
            }
            Self::Of(_) => "SELECT id, target, revision, updated_at, snapshot FROM rotations WHERE target = ?",
        }
    }

    async fn rows(
        &self,
        statement: &'static str,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let query = sqlx::query(statement);
        let query = match self {
            Self::Of(target) => query.bind(*target),
            Self::Courses | Self::Watches => query,
        };
        query.fetch_all(connection).await
    }

    /// These threads, in the order of their targets' names.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        path: &Path,
    ) -> Result<Vec<Stored<Chronicle>>, StoreError> {
        let fault = |error: sqlx::Error| classify(path, &error);
        let mut kept = HashMap::new();
        for row in self.rows(self.kept(), connection).await.map_err(fault)? {
            let summary = summary(&row, path)?;
            kept.insert(summary.id.clone(), summary);
        }
        let lines = self.rows(self.lines(), connection).await.map_err(fault)?;
        let ids: Vec<String> = lines
            .iter()
            .map(|row| row.try_get("rotation"))
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        let mut threads = Vec::new();
        let mut rest = lines.as_slice();
        for of_one in ids.chunk_by(|one, next| one == next) {
            let (rows, after) = rest.split_at(of_one.len());
            rest = after;
            let replayed = replay(rows, fault)?;
            let Some(id) = of_one.first() else { continue };
            let name = replayed
                .as_ref()
                .map(|(_, stored)| stored.target.clone())
                .unwrap_or_default();
            threads.extend(compare(&name, replayed, kept.remove(id))?);
        }
        if let Some(summary) = kept.into_values().next() {
            // Its events are gone, or the target has later ones.
            compare(&summary.target.clone(), None, Some(summary))?;
        }
        threads.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(threads)
    }
}
