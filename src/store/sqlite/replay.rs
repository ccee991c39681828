//! From the journal's lines to a rotation, trusting none of them.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::line::StoredLine;
use crate::machine::Chronicle;
use crate::store::chain::GENESIS;
use crate::store::{StoreError, Stored};

/// Replays one rotation's lines, and says which is the last; each row carries the hash before it as `before`.
pub(super) fn replay(
    rows: &[SqliteRow],
    fault: impl Fn(sqlx::Error) -> StoreError,
) -> Result<Option<(i64, Stored<Chronicle>)>, StoreError> {
    let mut stored: Option<(i64, Stored<Chronicle>)> = None;
    for (row, revision) in rows.iter().zip(1..) {
        let kept = StoredLine::read(row).map_err(&fault)?;
        let before: Option<Vec<u8>> = row.try_get("before").map_err(&fault)?;
        let line = kept.check(before.as_deref().unwrap_or(&GENESIS))?;
        if kept.revision != revision {
            return Err(kept.changed(&format!("follows a gap: revision {revision} is missing")));
        }
        let rotation = Chronicle::after(stored.take().map(|(_, stored)| stored.rotation), &line.record)
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

/// The journal has to end where the summary beside it says: a line that was cut off or put behind changes no hash
/// before it.
pub(super) fn compare(
    target: &str,
    replayed: Option<(i64, Stored<Chronicle>)>,
    kept: Option<Stored<Chronicle>>,
) -> Result<Option<Stored<Chronicle>>, StoreError> {
    let same = match (&replayed, &kept) {
        (Some((_, replayed)), Some(kept)) => {
            (&replayed.id, &replayed.target, replayed.revision) == (&kept.id, &kept.target, kept.revision)
                && replayed.rotation == kept.rotation
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
