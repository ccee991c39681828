//! `audit verify`: the whole chain, every replay, every summary.

use std::collections::HashMap;
use std::path::Path;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::classify;
use super::line::StoredLine;
use crate::machine::Chronicle;
use crate::store::chain::{GENESIS, hex};
use crate::store::{Line, StoreError, Verified};

/// Walks the journal once, line by line, and compares where it leads with what is kept beside it.
pub(super) async fn verify(connection: &mut SqliteConnection, path: &Path) -> Result<Verified, StoreError> {
    let fault = |error: sqlx::Error| classify(path, &error);
    let health: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    if health != "ok" {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            why: health,
        });
    }
    let rows = sqlx::query("SELECT seq, rotation, target, revision, at, body, hash FROM events ORDER BY seq")
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    let mut walk = Walk::default();
    for row in &rows {
        walk.take(&StoredLine::read(row).map_err(fault)?)?;
    }
    let kept = sqlx::query(
        "SELECT r.id, r.target, r.revision, r.closed, r.snapshot, t.latest
         FROM rotations r LEFT JOIN targets t ON t.name = r.target",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault)?;
    for row in &kept {
        walk.compare(&Summary::read(row).map_err(fault)?)?;
    }
    walk.end(i64::try_from(kept.len()).unwrap_or(i64::MAX))
}

/// What is kept of one rotation beside the journal, so that it need not be replayed to be shown.
struct Summary {
    id: String,
    target: String,
    revision: i64,
    closed: bool,
    snapshot: String,
    latest: Option<String>,
}

impl Summary {
    fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get(0)?,
            target: row.try_get(1)?,
            revision: row.try_get(2)?,
            closed: row.try_get(3)?,
            snapshot: row.try_get(4)?,
            latest: row.try_get(5)?,
        })
    }
}

#[derive(Default)]
struct Walk {
    head: Option<(i64, Vec<u8>)>,
    latest: HashMap<String, String>,
    rotations: HashMap<String, (i64, Chronicle, Line)>,
}

impl Walk {
    fn take(&mut self, stored: &StoredLine) -> Result<(), StoreError> {
        let (last, before) = self.head.take().unwrap_or((0, GENESIS.to_vec()));
        if stored.seq != last + 1 {
            return Err(stored.changed(&format!("follows a gap: event {} is missing", last + 1)));
        }
        let line = stored.check(&before)?;
        let known = self.rotations.remove(&stored.rotation);
        let (revision, rotation) = match known {
            Some((revision, rotation, _)) => (revision, Some(rotation)),
            None => (0, None),
        };
        if stored.revision != revision + 1 {
            return Err(stored.changed(&format!("has revision {} after {revision}", stored.revision)));
        }
        let rotation =
            Chronicle::after(rotation, &line.record).map_err(|illegal| StoreError::illegal(&line, &illegal))?;
        self.head = Some((stored.seq, stored.hash.clone()));
        self.latest.insert(stored.target.clone(), stored.rotation.clone());
        self.rotations
            .insert(stored.rotation.clone(), (stored.revision, rotation, line));
        Ok(())
    }

    fn compare(&mut self, kept: &Summary) -> Result<(), StoreError> {
        let last = self.head.as_ref().map_or(0, |(seq, _)| *seq);
        let Some((revision, rotation, line)) = self.rotations.remove(&kept.id) else {
            return Err(StoreError::Changed {
                seq: last + 1,
                target: String::new(),
                why: format!("is missing: rotation {} is summarised and has no events", kept.id),
            });
        };
        if revision != kept.revision {
            return Err(StoreError::changed(
                &line,
                format!(
                    "is the last of its rotation, but {} events were recorded and not {revision}",
                    kept.revision
                ),
            ));
        }
        let same_end = serde_json::from_str::<Chronicle>(&kept.snapshot).is_ok_and(|kept| kept == rotation)
            && kept.closed == rotation.is_closed()
            && kept.target == line.target;
        if !same_end {
            return Err(StoreError::changed(
                &line,
                "leads elsewhere than the summary kept beside it",
            ));
        }
        if kept.latest.as_ref() != self.latest.get(&line.target) {
            return Err(StoreError::changed(
                &line,
                "belongs to a target whose latest rotation is kept wrongly",
            ));
        }
        Ok(())
    }

    fn end(self, rotations: i64) -> Result<Verified, StoreError> {
        if let Some((_, _, line)) = self.rotations.values().next() {
            return Err(StoreError::changed(
                line,
                "belongs to a rotation that is not summarised",
            ));
        }
        let (events, head) = self.head.unwrap_or((0, GENESIS.to_vec()));
        Ok(Verified {
            events,
            rotations,
            head: hex(&head),
        })
    }
}
