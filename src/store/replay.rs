//! From the journal's lines to a rotation, trusting none of them.

use std::path::Path;

use super::line::{StoredLine, is_written};
use crate::machine::StreamState;
use crate::store::chain::GENESIS;
use crate::store::{StoreError, Stored};

/// A line, and the hash before it.
pub(super) type Chained<'r> = (StoredLine<'r>, Option<&'r [u8]>);

/// Replays one thread's lines, and compares where they lead with what is kept beside the journal of the last of them.
pub(super) fn checked<'r>(
    lines: impl IntoIterator<Item = Result<Chained<'r>, StoreError>>,
    kept: Option<&str>,
    path: &Path,
) -> Result<Option<Stored<StreamState>>, StoreError> {
    let Some((seq, replayed)) = replay(lines)? else {
        return Ok(None);
    };
    match kept {
        Some(snapshot) if is_kept(snapshot, &replayed, path)? => Ok(Some(replayed)),
        _ => Err(elsewhere(seq, &replayed.target)),
    }
}

/// Replays them, and says which is the last.
fn replay<'r>(
    lines: impl IntoIterator<Item = Result<Chained<'r>, StoreError>>,
) -> Result<Option<(i64, Stored<StreamState>)>, StoreError> {
    let mut state = None;
    let mut last = None;
    for (chained, revision) in lines.into_iter().zip(1..) {
        let (line, before) = chained?;
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
fn is_kept(snapshot: &str, thread: &Stored<StreamState>, path: &Path) -> Result<bool, StoreError> {
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
