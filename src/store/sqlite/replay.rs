//! From the journal's lines to a rotation, trusting none of them.

use std::path::Path;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::line::{StoredLine, is_written};
use crate::machine::StreamState;
use crate::store::chain::GENESIS;
use crate::store::{StoreError, Stored};

/// Replays one rotation's lines, and says which is the last; each row carries the hash before it as `before`.
pub(super) fn replay(
    rows: &[SqliteRow],
    fault: impl Fn(sqlx::Error) -> StoreError,
) -> Result<Option<(i64, Stored<StreamState>)>, StoreError> {
    let mut state = None;
    let mut last = None;
    for (row, revision) in rows.iter().zip(1..) {
        let line = StoredLine::read(row).map_err(&fault)?;
        let before: Option<&[u8]> = row.try_get("before").map_err(&fault)?;
        let record = line.check(before.unwrap_or(&GENESIS))?;
        if line.revision != revision {
            return Err(line.changed(&format!("follows a gap: revision {revision} is missing")));
        }
        let after = StreamState::after(state.take(), &record);
        state = Some(after.map_err(|illegal| line.illegal(&illegal))?);
        last = Some((line, record.at));
    }
    let stored = last.zip(state).map(|((line, updated_at), rotation)| {
        let stored = Stored {
            id: line.rotation.to_owned(),
            target: line.target.to_owned(),
            revision: line.revision,
            updated_at,
            rotation,
        };
        (line.seq, stored)
    });
    Ok(stored)
}

/// Whether this is kept as the state of a thread. Written by this version it says so word for word, and is not read for that; an older
/// one may have written the same state in other words.
pub(super) fn is_kept(snapshot: &str, thread: &Stored<StreamState>, path: &Path) -> Result<bool, StoreError> {
    if is_written(&thread.rotation, snapshot) {
        return Ok(true);
    }
    let kept: StreamState = serde_json::from_str(snapshot).map_err(|_| StoreError::Damaged {
        path: path.to_owned(),
        why: format!("the summary of {} cannot be read", thread.target.escape_debug()),
    })?;
    Ok(kept == thread.rotation)
}

/// The journal has to end where the summary beside it says: a line that was cut off or put behind changes no hash
/// before it.
pub(super) fn elsewhere(seq: i64, target: &str) -> StoreError {
    StoreError::Changed {
        seq,
        target: format!(" of {target}"),
        why: "is not where the summary kept beside the journal says that it ends".to_owned(),
    }
}
