//! From the journal's lines to a rotation, trusting none of them.

use std::path::Path;

use jiff::Timestamp;

use super::line::StoredLine;
use crate::machine::StreamState;
use crate::store::chain::GENESIS;
use crate::store::{StoreError, Stored};

/// A line, and the hash before it.
pub(super) type Chained = (StoredLine, Option<Vec<u8>>);

/// Replays one rotation's lines, and says which is the last.
pub(super) fn replay(
    lines: impl IntoIterator<Item = Result<Chained, StoreError>>,
) -> Result<Option<(i64, Stored<StreamState>)>, StoreError> {
    let mut stored: Option<(i64, Stored<StreamState>)> = None;
    for (chained, revision) in lines.into_iter().zip(1..) {
        let (kept, before) = chained?;
        let line = kept.check(before.as_deref().unwrap_or(&GENESIS))?;
        if kept.revision != revision {
            return Err(kept.changed(&format!("follows a gap: revision {revision} is missing")));
        }
        let rotation = StreamState::after(stored.take().map(|(_, stored)| stored.rotation), &line.record)
            .map_err(|illegal| StoreError::illegal(&line, &illegal))?;
        let so_far = Stored {
            id: line.rotation,
            target: line.target,
            revision,
            updated_at: line.record.at,
            rotation,
        };
        stored = Some((line.seq, so_far));
    }
    Ok(stored)
}

/// What is kept of one thread beside the journal.
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) target: String,
    revision: i64,
    /// Its state, as it was written.
    snapshot: String,
}

impl Kept {
    /// One whose time of the last change can be read.
    pub(super) fn new(
        (id, target, revision): (String, String, i64),
        updated_at: &str,
        snapshot: String,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let kept = Self {
            id,
            target,
            revision,
            snapshot,
        };
        match updated_at.parse::<Timestamp>() {
            Ok(_) => Ok(kept),
            Err(_) => Err(kept.unreadable(path)),
        }
    }

    /// Whether it says the same as this state. Written by this version it does so word for word, and is not read for that; an
    /// older one may have written the same state in other words.
    fn says(&self, state: &StreamState, path: &Path) -> Result<bool, StoreError> {
        if serde_json::to_string(state).is_ok_and(|written| written == self.snapshot) {
            return Ok(true);
        }
        let kept: StreamState = serde_json::from_str(&self.snapshot).map_err(|_| self.unreadable(path))?;
        Ok(kept == *state)
    }

    fn unreadable(&self, path: &Path) -> StoreError {
        StoreError::Damaged {
            path: path.to_owned(),
            why: format!("the summary of {} cannot be read", self.target.escape_debug()),
        }
    }
}

/// The journal has to end where the summary beside it says: a line that was cut off or put behind changes no hash
/// before it.
pub(super) fn compare(
    target: &str,
    replayed: Option<(i64, Stored<StreamState>)>,
    kept: Option<Kept>,
    path: &Path,
) -> Result<Option<Stored<StreamState>>, StoreError> {
    let same = match (&replayed, &kept) {
        (Some((_, replayed)), Some(kept)) => {
            (&replayed.id, &replayed.target, replayed.revision) == (&kept.id, &kept.target, kept.revision)
                && kept.says(&replayed.rotation, path)?
        }
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(replayed.map(|(_, stored)| stored));
    }
    Err(StoreError::Changed {
        seq: replayed.map_or(0, |(seq, _)| seq),
        target: format!(" of {target}"),
        why: "is not where the summary kept beside the journal says that it ends".to_owned(),
    })
}
