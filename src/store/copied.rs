//! A whole journal on its way from one store to another, word for word.

use super::line::StoredLine;
use super::{Outbox, Sealed};

/// All that a store keeps.
pub struct Everything {
    pub(super) lines: Vec<CopiedLine>,
    pub(super) summaries: Vec<Summarised>,
    /// The latest rotation of each target: the target's name, and the rotation's id.
    pub(super) targets: Vec<(String, String)>,
    pub(super) sealed: Vec<Sealed>,
    /// What people were told of each target last: the target's name, and the words of whoever told them.
    pub(super) told: Vec<(String, String)>,
    /// What they are still to be told.
    pub(super) outbox: Outbox,
}

/// A line of the journal, whose row is gone.
pub(super) struct CopiedLine {
    pub(super) seq: i64,
    pub(super) rotation: String,
    pub(super) target: String,
    pub(super) revision: i64,
    pub(super) at: String,
    pub(super) body: String,
    pub(super) fence: i64,
    pub(super) hash: Vec<u8>,
}

impl From<StoredLine<'_>> for CopiedLine {
    fn from(line: StoredLine<'_>) -> Self {
        Self {
            seq: line.seq,
            rotation: line.rotation.to_owned(),
            target: line.target.to_owned(),
            revision: line.revision,
            at: line.at.to_owned(),
            body: line.body.to_owned(),
            fence: line.fence,
            hash: line.hash.to_owned(),
        }
    }
}

/// What is kept of one rotation beside the journal.
pub(super) struct Summarised {
    pub(super) id: String,
    pub(super) target: String,
    pub(super) revision: i64,
    pub(super) closed: bool,
    pub(super) updated_at: String,
    pub(super) snapshot: String,
}
