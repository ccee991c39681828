//! What the guides of the connectors say of a rotation by hand.

use std::collections::HashMap;

use rotate_providers::PhaseName;
use rotate_providers::guide::{Guide, Overlap, Procedure};

use crate::machine::GuidedSpec;

/// What the guides of the connectors say. Each is read once.
#[derive(Default)]
pub(super) struct Guides(HashMap<String, Known>);

impl Guides {
    pub(super) fn of(&mut self, connector: &str) -> &Known {
        self.0.entry(connector.to_owned()).or_insert_with(|| {
            let guide = rotate_providers::connector(connector).and_then(|connector| connector.guide().ok());
            guide.map(Known::of).unwrap_or_default()
        })
    }
}

/// What the guide of a connector says, as it is now.
#[derive(Default)]
pub(super) struct Known {
    /// To which phase each step belongs; a step of before that it has no longer belongs to none.
    pub(super) phases: HashMap<String, PhaseName>,
    guide: Option<Guide>,
}

impl Known {
    pub(super) fn of(guide: Guide) -> Self {
        // Of two steps of one name that of the rotation counts.
        let procedures = Procedure::ALL.into_iter().rev();
        let steps = procedures.flat_map(|procedure| guide.steps(procedure));
        Self {
            phases: steps.map(|step| (step.id.clone(), step.phase)).collect(),
            guide: Some(guide),
        }
    }

    /// What is rotated.
    pub(super) fn title(&self) -> Option<String> {
        Some(self.guide.as_ref()?.title.clone())
    }

    /// Whether old and new work at the same time, with the answers of this plan; `None` where that depends.
    pub(super) fn has_overlap(&self, plan: &GuidedSpec) -> Option<bool> {
        let guide = self.guide.as_ref()?;
        match guide.credential.overlap_with(&guide.with_defaults(&plan.values)) {
            Overlap::Yes => Some(true),
            Overlap::None => Some(false),
            Overlap::Depends => None,
        }
    }

    /// Whether this step of a rotation ends the old credential: one that takes it away, and without overlap what cannot be taken back
    /// before everybody has the new one.
    pub(super) fn revokes(&self, plan: &GuidedSpec, id: &str) -> bool {
        let steps = self.guide.iter().flat_map(|guide| guide.steps(Procedure::Rotate));
        let has_gap = self.has_overlap(plan) == Some(false);
        steps.filter(|step| step.id == id).any(|step| {
            let takes_away = step.phase.revokes() && step.changes();
            takes_away || has_gap && step.phase <= PhaseName::Delivered && !step.reversible
        })
    }
}
