//! Which phase follows which event where a secret is replaced where it stands.
//!
//! It has no cut-over of its own, no rest and no removal: none of those phases is ever reached, so nothing that takes an old key
//! away can meet a secret of which there is only one.

use serde::{Deserialize, Serialize};

use super::{Event, Issued, Phase, Rotation, RotationSpec, UndoKind};

/// What is known of a new secret that takes the place of the old one. Until the vendor has it, it is called by its rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// Whether the old one is sealed, and can be set again.
    pub way_back: bool,
    /// Whether a call that sets the new one may ever have left.
    pub sent: bool,
}

impl Phase {
    /// The phase after this event, which leaves the new secret like this; `None` where it cannot follow.
    pub(super) fn replace(self, event: &Event, spec: &RotationSpec, new_key: Option<&Issued>) -> Option<Self> {
        Some(match (self, event) {
            (Phase::Opened, Event::OldSealed) => Phase::Opened,
            (Phase::Opened, Event::Generated { way_back, .. }) => Phase::Prepared(Replacement {
                way_back: *way_back,
                sent: false,
            }),
            (Phase::Prepared(new), Event::ReplaceIntended) => Phase::Replacing(Replacement { sent: true, ..new }),
            (Phase::Replacing(new), Event::ReplaceFailed { .. }) => Phase::Prepared(new),
            (Phase::Replacing(new), Event::Replaced { .. }) => Phase::Replaced(new),

            (Phase::Replaced(new), Event::Proved | Event::DeliverIntended { .. } | Event::Delivered { .. }) => {
                Phase::Replaced(new)
            }
            (Phase::Replaced(_), Event::Done) if new_key?.is_delivered_to(&spec.destinations) => Phase::Done,

            (Phase::Replacing(new) | Phase::Replaced(new) | Phase::Reverted(new), Event::RevertIntended)
                if new.way_back =>
            {
                Phase::Reverting(new)
            }
            (Phase::Replacing(new) | Phase::Replaced(new) | Phase::Reverting(new), Event::Reverted { .. })
                if new.way_back =>
            {
                Phase::Reverted(new)
            }
            (Phase::Reverted(_), Event::RolledBack) => Phase::RolledBack,
            (Phase::Opened | Phase::Prepared(_), Event::Aborted) => Phase::Aborted,
            // Given up: whoever looked at it has decided, and nothing is touched.
            (Phase::Replacing(_) | Phase::Replaced(_) | Phase::Reverting(_) | Phase::Reverted(_), Event::Aborted) => {
                Phase::Aborted
            }
            _ => return None,
        })
    }

    /// Whether the vendor may hold another secret than the destinations do.
    pub fn is_in_gap(&self) -> bool {
        matches!(
            self,
            Phase::Replacing(_) | Phase::Replaced(_) | Phase::Reverting(_) | Phase::Reverted(_)
        )
    }

    /// The secret that takes the place of another one, until that is over.
    pub fn replacement(&self) -> Option<&Replacement> {
        match self {
            Phase::Prepared(new)
            | Phase::Replacing(new)
            | Phase::Replaced(new)
            | Phase::Reverting(new)
            | Phase::Reverted(new) => Some(new),
            _ => None,
        }
    }

    /// Whether the old secret can be set again.
    pub(super) fn may_revert(&self) -> bool {
        matches!(self, Phase::Replacing(new) | Phase::Replaced(new) if new.way_back)
    }
}

impl Rotation {
    /// Whether an undo of this kind would end it where it stands: the vendor's secret is neither of the two, or cannot be known.
    /// Only a person who was told so may do that.
    pub(super) fn is_given_up_by(&self, kind: UndoKind) -> bool {
        kind == UndoKind::Abort && self.phase.is_in_gap() && self.blocked.is_some()
    }

    /// Whether this event fits what was asked for, where a secret is replaced where it stands.
    pub(super) fn may_be_replaced_by(&self, event: &Event) -> bool {
        let rolls_back = self.undo.as_ref().is_some_and(|undo| undo.kind == UndoKind::Rollback);
        match event {
            Event::RevertIntended | Event::Reverted { .. } => rolls_back,
            Event::Done if self.phase.is_in_gap() => self.undo.is_none(),
            Event::RolledBack if self.phase.is_in_gap() => rolls_back && self.is_put_back(),
            Event::Aborted if self.phase.is_in_gap() => self.undo.as_ref().is_some_and(|undo| undo.disowns),
            _ => true,
        }
    }

    pub(super) fn is_put_back(&self) -> bool {
        let reached = self.new_key.iter().flat_map(|new| &new.reached);
        let restored = self.undo.as_ref().map(|undo| &undo.restored);
        reached
            .into_iter()
            .all(|name| restored.is_some_and(|restored| restored.contains_key(name)))
    }
}
