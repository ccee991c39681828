//! A whole journal on its way from one store to another, word for word.

use super::Sealed;
use super::line::StoredLine;

/// All that a store keeps.
pub struct Everything {
    pub(super) lines: Vec<StoredLine>,
    pub(super) summaries: Vec<Summarised>,
    /// The latest rotation of each target: the target's name, and the rotation's id.
    pub(super) targets: Vec<(String, String)>,
    pub(super) sealed: Vec<Sealed>,
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
