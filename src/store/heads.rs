//! The lines behind a head.

use super::chain::{GENESIS, hex};
use super::line::StoredLine;
use super::{Head, Line, StoreError};

/// The head that a line with this number and hash was.
pub(super) fn head_of((seq, hash): (i64, Vec<u8>)) -> Head {
    Head { seq, hash: hex(&hash) }
}

/// The lines behind this head, each checked against its hash and the line before it. The first one that is read has to be the line
/// itself, unless it is the beginning that is meant.
pub(super) fn behind<'r>(
    head: &Head,
    lines: impl IntoIterator<Item = Result<StoredLine<'r>, StoreError>>,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = lines.into_iter();
    let mut before = (0, GENESIS.to_vec());
    if head.seq > 0
        && let Some(first) = lines.next().transpose()?
    {
        before = (first.seq, first.hash.to_owned());
    }
    if head_of(before.clone()) != *head {
        return Err(StoreError::NotAhead {
            head: head.hash.clone(),
        });
    }
    let mut found = Vec::new();
    for stored in lines {
        let stored = stored?;
        if stored.seq != before.0 + 1 {
            return Err(stored.changed(&format!("follows a gap: event {} is missing", before.0 + 1)));
        }
        let record = stored.check(&before.1)?;
        before = (stored.seq, stored.hash.to_owned());
        found.push(stored.saying(record).of_its_target());
    }
    Ok(found)
}
