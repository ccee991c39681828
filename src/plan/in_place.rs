//! What is foreseen of a secret that is replaced where it stands.

use rotate_providers::PhaseName;
use rotate_providers::contract::KeyId;

use super::Simulation;
use crate::machine::{Event, Illegal, Phase};
use crate::policy::{Stands, Step, Which};

impl Simulation {
    /// Plays a step that only such a secret has, with the best outcome.
    pub(super) fn in_place(&mut self, step: Step, old: &KeyId) -> Result<(), Illegal> {
        match step {
            Step::Generate => {
                let way_back = self.facts.old_is_held;
                let kept = match way_back {
                    Some(true) => "; the old one is sealed as well, so it can be set again until the rotation ends",
                    Some(false) => "; no destination holds the old one, so there is no way back once it is replaced",
                    None => "; the old one is sealed as well if a destination holds it, or else there is no way back",
                };
                let what = format!("make a new secret on this machine and seal it{kept}");
                self.plan(PhaseName::Created, "rotate", what, false, true);
                let key = KeyId::to_be_made();
                let way_back = way_back.unwrap_or(true);
                self.record(Event::Generated { key, way_back })?;
            }
            Step::ReadWhich(order) => {
                let stands = match &self.rotation.phase {
                    Phase::Prepared(_) => {
                        let what =
                            format!("log in with {old}, so that it is certain that logins from here tell the truth");
                        self.plan(PhaseName::Created, "rotate", what, false, true);
                        Which::Old
                    }
                    Phase::Replacing(_) if self.rotation.undo.is_none() => {
                        let what = "log in with the new secret, once".to_owned();
                        self.plan(PhaseName::Verified, "rotate", what, false, true);
                        Which::New
                    }
                    _ => order.first().copied().unwrap_or(Which::Old),
                };
                self.facts.stands = Some(Stands::This(stands));
                // The list was of before.
                self.facts.keys = self.facts.keys.take().filter(|_| stands == Which::Old);
            }
            Step::Replace => {
                let way_back = self.rotation.phase.replacement().is_some_and(|new| new.way_back);
                let what = format!(
                    "replace {old} where it stands: from here on consumers are cut off, until the last destination holds the new \
                     secret and they have read it there"
                );
                self.effect(PhaseName::Created, what, way_back);
                if matches!(self.rotation.phase, Phase::Prepared(_)) {
                    self.record(Event::ReplaceIntended)?;
                }
                self.facts.stands = Some(Stands::This(Which::New));
                let key = KeyId::to_be_made();
                let what = "log in with the new secret, once".to_owned();
                self.plan(PhaseName::Verified, "rotate", what, false, true);
                self.record(Event::Replaced { key, request: None })?;
            }
            Step::Revert => {
                self.effect(
                    PhaseName::Aborted,
                    format!("set {old} again in the place of the new secret"),
                    true,
                );
                if !matches!(self.rotation.phase, Phase::Reverting(_)) {
                    self.record(Event::RevertIntended)?;
                }
                self.facts.stands = Some(Stands::This(Which::Old));
            }
            _ => {}
        }
        Ok(())
    }

    /// What is said of a delivery that ends the gap.
    pub(super) fn end_of_gap(&self, destination: &str) -> &'static str {
        let (Phase::Replaced(_), Some(new)) = (&self.rotation.phase, &self.rotation.new_key) else {
            return "";
        };
        let mut all = self.rotation.spec.destinations.iter();
        let is_last = all.all(|name| name == destination || new.delivered.contains(name));
        if is_last {
            ": this is the cut-over, and the old one is gone"
        } else {
            ""
        }
    }

    /// The one secret that the vendor lists, as it should be by now.
    pub(super) fn standing<'k>(&'k self, phase: &'k Phase) -> &'k KeyId {
        let stands_new = matches!(self.facts.stands, Some(Stands::This(Which::New)));
        match (phase, &self.rotation.new_key) {
            (Phase::Replaced(_), Some(new)) => &new.key,
            (Phase::Replacing(_), Some(new)) if stands_new => &new.key,
            _ => &self.rotation.spec.old_key,
        }
    }
}
