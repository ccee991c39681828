//! What the guides of the connectors say of a rotation by hand.

use std::collections::{HashMap, HashSet};

use rotate_providers::PhaseName;
use rotate_providers::guide::{Guide, Overlap, Procedure};

/// What the guides of the connectors say. Each is read once.
#[derive(Default)]
pub(super) struct Guides(HashMap<String, Known>);

impl Guides {
    pub(super) fn of(&mut self, connector: &str) -> &Known {
        self.0.entry(connector.to_owned()).or_insert_with(|| {
            let guide = rotate_providers::connector(connector).and_then(|connector| connector.guide().ok());
            guide.map(|guide| Known::of(&guide)).unwrap_or_default()
        })
    }
}

/// What the guide of a connector says, as it is now.
#[derive(Default)]
pub(super) struct Known {
    /// What is rotated.
    pub(super) title: Option<String>,
    /// Whether old and new work at the same time; `None` where that depends.
    pub(super) has_overlap: Option<bool>,
    /// To which phase each step belongs; a step of before that it has no longer belongs to none.
    pub(super) phases: HashMap<String, PhaseName>,
    /// The steps of a rotation that end the old credential.
    pub(super) revoking: HashSet<String>,
}

impl Known {
    pub(super) fn of(guide: &Guide) -> Self {
        // Of two steps of one name that of the rotation counts.
        let procedures = Procedure::ALL.into_iter().rev();
        let steps = procedures.flat_map(|procedure| guide.steps(procedure));
        Self {
            title: Some(guide.title.clone()),
            has_overlap: match guide.credential.overlap {
                Overlap::Yes => Some(true),
                Overlap::None => Some(false),
                Overlap::Depends => None,
            },
            phases: steps.map(|step| (step.id.clone(), step.phase)).collect(),
            revoking: revoking(guide),
        }
    }
}

/// The steps of a rotation that end the old credential: those that take it away, and without overlap what cannot be taken back
/// before everybody has the new one.
fn revoking(guide: &Guide) -> HashSet<String> {
    let has_gap = guide.credential.overlap == Overlap::None;
    let steps = guide.steps(Procedure::Rotate).iter();
    let revoking = steps.filter(|step| {
        let takes_away = step.phase.revokes() && step.changes();
        takes_away || has_gap && step.phase <= PhaseName::Delivered && !step.reversible
    });
    revoking.map(|step| step.id.clone()).collect()
}
