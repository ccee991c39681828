//! The phases of a rotation, by the names that people, programs and guides use for them. There is no other spelling.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A phase that a rotation has reached, or that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Nothing is changed yet; a new credential may be under way.
    Opened,
    /// The new credential exists; without overlap this ends the old one.
    Created,
    /// The new credential is proven.
    Verified,
    /// Every destination or consumer has it.
    Delivered,
    /// The last consumer has moved to it.
    CutOver,
    /// The old credential is switched off, reversibly.
    Deactivated,
    /// The old credential has rested.
    Soaked,
    /// The old credential is gone.
    Deleted,
    /// The end: the new credential lives, the old one is gone.
    Done,
    /// The end before the cut-over: the old credential lives, no new one does.
    Aborted,
    /// The end after the cut-over: the old credential lives again, the new one is gone.
    RolledBack,
    /// A person has to look; nothing is touched until then.
    Blocked,
}

impl PhaseName {
    /// The name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Created => "created",
            Self::Verified => "verified",
            Self::Delivered => "delivered",
            Self::CutOver => "cut-over",
            Self::Deactivated => "deactivated",
            Self::Soaked => "soaked",
            Self::Deleted => "deleted",
            Self::Done => "done",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled-back",
            Self::Blocked => "blocked",
        }
    }

    /// Whether the steps of a guide can belong to it: it is on the way, and no end of it.
    pub fn has_steps(self) -> bool {
        self <= Self::Deleted
    }

    /// Whether the old credential ends here, after it was replaced.
    pub fn revokes(self) -> bool {
        matches!(self, Self::Deactivated | Self::Deleted)
    }

    /// Whether its steps change something outside, as a rule.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::Created | Self::Delivered | Self::Deactivated | Self::Deleted
        )
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::PhaseName;

    #[test]
    fn a_phase_is_written_as_it_is_named() {
        for phase in [
            PhaseName::Opened,
            PhaseName::Created,
            PhaseName::Verified,
            PhaseName::Delivered,
            PhaseName::CutOver,
            PhaseName::Deactivated,
            PhaseName::Soaked,
            PhaseName::Deleted,
            PhaseName::Done,
            PhaseName::Aborted,
            PhaseName::RolledBack,
            PhaseName::Blocked,
        ] {
            let written = serde_json::to_value(phase).unwrap();
            assert_eq!(written, phase.name());
            assert_eq!(serde_json::from_value::<PhaseName>(written).unwrap(), phase);
            assert_eq!(format!("{phase:<12}|"), format!("{:<12}|", phase.name()));
        }
    }
}
