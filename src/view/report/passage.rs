//! One rotation as the report tells it: how far it went, when, and what became of the old key.

use jiff::Timestamp;
use rotate_providers::PhaseName;

use super::guides::Known;
use super::rotation::RequestView;
use super::told::{NEW_WAS_TRIED, step_done};
use super::words::{said, said_all};
use super::{RecordKind, RecordView};
use crate::machine::{AnyRotation, Begun, Event, GuidedRotation, Rotation, Tried};

/// One rotation, as far as it went.
pub(super) struct Passage {
    pub(super) id: String,
    pub(super) opened_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    /// Where it stands after its last line.
    pub(super) reached: PhaseName,
    pub(super) is_guided: bool,
    /// Whether both keys work at the same time; `None` where that depends.
    pub(super) has_overlap: Option<bool>,
    /// Which procedure of the guide a person goes through; `rotate` where the program rotates.
    pub(super) procedure: String,
    pub(super) old_key: Option<String>,
    pub(super) new_key: Option<String>,
    pub(super) destinations: Vec<String>,
    /// When each phase was reached first.
    pub(super) phases: Vec<(PhaseName, Timestamp)>,
    /// When the old key was switched off; `None` while it works, and again once it does.
    old_off_at: Option<Timestamp>,
    /// Whether the whole of it is taken back, or given up.
    pub(super) is_undone: bool,
    /// What happened, oldest first.
    pub(super) records: Vec<RecordView>,
    /// What the vendor calls the requests, where that was recorded.
    pub(super) requests: Vec<RequestView>,
    /// What made it begin, and who, where that was recorded.
    pub(super) begun: Option<Begun>,
}

impl Passage {
    pub(super) fn opened(id: &str, rotation: &AnyRotation, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            opened_at: at,
            ended_at: None,
            reached: PhaseName::Opened,
            is_guided: rotation.automated().is_none(),
            procedure: match rotation {
                AnyRotation::Automated(_) => "rotate".to_owned(),
                AnyRotation::Guided(walk) => walk.itinerary.procedure.clone(),
            },
            has_overlap: None,
            old_key: None,
            new_key: None,
            destinations: Vec::new(),
            phases: Vec::new(),
            old_off_at: None,
            is_undone: false,
            records: Vec::new(),
            requests: Vec::new(),
            begun: None,
        }
    }

    pub(super) fn follow(&mut self, rotation: &Rotation, at: Timestamp) {
        self.has_overlap = Some(!rotation.spec.replaces());
        self.old_key = Some(said(rotation.spec.old_key.as_str()));
        if let Some(issued) = &rotation.new_key {
            self.new_key = Some(said(issued.key.as_str()));
        }
        if self.destinations.len() != rotation.spec.destinations.len() {
            self.destinations = said_all(&rotation.spec.destinations);
        }
        self.reached = rotation.phase.reached(rotation.new_key.as_ref());
        self.reach(self.reached, at);
        self.ended_at = rotation.phase.is_closed().then_some(at);
        self.is_undone = rotation.undo.is_some() || matches!(self.reached, PhaseName::Aborted | PhaseName::RolledBack);
        if rotation.blocked.is_some() {
            self.reached = PhaseName::Blocked;
        }
    }

    pub(super) fn follow_old_key(&mut self, event: &Event, at: Timestamp) {
        match event {
            // What takes the old one's place ends it.
            Event::Deactivated { .. } | Event::Replaced { .. } => self.old_off_at = Some(at),
            Event::Deleted { .. } => self.old_off_at = self.old_off_at.or(Some(at)),
            Event::Reactivated { .. } | Event::Reverted { .. } => self.old_off_at = None,
            _ => {}
        }
    }

    pub(super) fn follow_walk(&mut self, walk: &GuidedRotation, at: Timestamp, known: &Known) {
        self.has_overlap = known.has_overlap(&walk.itinerary);
        self.is_undone = walk.aborted;
        // What is tried or noted after the last step does not make the end later.
        self.ended_at = walk.is_closed().then(|| self.ended_at.unwrap_or(at));
        // A tick may have been taken back.
        self.phases.clear();
        self.reach(PhaseName::Opened, self.opened_at);
        for tick in walk.ticks.iter().filter(|tick| tick.is_taken()) {
            if let Some(phase) = known.phases.get(&tick.step) {
                self.reach(*phase, tick.at);
            }
        }
        let mut taken = walk.ticks.iter().filter(|tick| tick.is_taken() && walk.rotates());
        let revoked = taken.find(|tick| known.revokes(&walk.itinerary, &tick.step));
        self.old_off_at = revoked.map(|tick| tick.at);
        self.reached = self.phases.last().map_or(PhaseName::Opened, |(phase, _)| *phase);
        if let (Some(end), Some(ended_at)) = (walk.ended(), self.ended_at) {
            self.reached = end;
            self.reach(end, ended_at);
        }
    }

    /// The tick of a step shows nothing any more once it is taken back, nor does a try of a credential that may be made again.
    pub(super) fn take_back(&mut self, step: &str, walk: &GuidedRotation) {
        let tick = said(&step_done(step));
        let is_untried = walk.said_of(Tried::New).is_none();
        for record in &mut self.records {
            let is_moot = record.what == tick || is_untried && record.what.starts_with(NEW_WAS_TRIED);
            if is_moot && matches!(record.kind, RecordKind::Proof | RecordKind::Approval) {
                record.kind = RecordKind::Progress;
            }
        }
    }

    /// When the old key worked no longer; `None` while it does, where it works again, and where nobody has noted it.
    pub(super) fn revoked_at(&self) -> Option<Timestamp> {
        let is_taken_back = matches!(self.reached, PhaseName::Aborted | PhaseName::RolledBack);
        self.old_off_at.filter(|_| !is_taken_back)
    }

    /// A phase counts from when it was reached first.
    pub(super) fn reach(&mut self, phase: PhaseName, at: Timestamp) {
        if !self.phases.iter().any(|(reached, _)| *reached == phase) {
            self.phases.push((phase, at));
        }
    }

    /// When this phase was reached first.
    pub(super) fn at(&self, phase: PhaseName) -> Option<Timestamp> {
        let found = self.phases.iter().find(|(reached, _)| *reached == phase);
        found.map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rotate_providers::guide::Procedure;
    use rotate_providers::guide::probe::Verdict;

    use super::*;
    use crate::machine::{GuidedSpec, StepOutcome, StepRecord};
    use crate::view::report::told::told;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A passage through the guide of this connector, with these steps taken or left out, one a second.
    fn walked(connector: &str, procedure: Procedure, steps: &[(&str, bool)]) -> Passage {
        answered(connector, procedure, &[], steps)
    }

    fn answered(connector: &str, procedure: Procedure, answers: &[(&str, &str)], steps: &[(&str, bool)]) -> Passage {
        let values: BTreeMap<String, String> = answers.iter().map(|(of, is)| ((*of).into(), (*is).into())).collect();
        let guide = rotate_providers::connector(connector).unwrap().guide().unwrap();
        let tick = |(second, (step, is_taken)): (i64, &(&str, bool))| StepRecord {
            step: (*step).to_owned(),
            at: at(second),
            by: "maria".to_owned(),
            outcome: match is_taken {
                true => StepOutcome::Done { evidence: None },
                false => StepOutcome::Skipped { why: "gone".to_owned() },
            },
            added: Vec::new(),
        };
        let walk = GuidedRotation {
            itinerary: GuidedSpec::of(connector, &guide, procedure, &values, 0),
            opened_at: at(0),
            ticks: (1..).zip(steps).map(tick).collect(),
            aborted: false,
            tries: Vec::new(),
        };
        let mut passage = Passage::opened("id", &AnyRotation::Guided(Box::new(walk.clone())), at(0));
        passage.follow_walk(&walk, at(9), &Known::of(guide.clone()));
        passage
    }

    #[test]
    fn by_hand_the_old_key_is_off_from_the_step_that_ends_it_and_from_no_other() {
        let off = |connector, procedure, steps: &[(&str, bool)]| walked(connector, procedure, steps).revoked_at();
        let rotate = Procedure::Rotate;
        assert_eq!(off("segment", rotate, &[("pause-consumers", true)]), None);
        let reset = [("pause-consumers", true), ("reset", true), ("remove-copies", true)];
        assert_eq!(off("segment", rotate, &reset), Some(at(2)));
        assert_eq!(
            off("segment", rotate, &[("reset", false), ("remove-copies", true)]),
            None
        );
        let revoked = [("prove-with-a-job", true), ("revoke-the-old-key", true)];
        assert_eq!(off("aha", rotate, &revoked), Some(at(2)));
        for left in [("revoke-the-old-key", false), ("prove-with-a-job", true)] {
            assert_eq!(off("aha", rotate, &[left, ("prove-once-more", true)]), None);
        }
        // Whether both work depends on an answer, and no step took the old one away.
        assert_eq!(off("custom-rest-api", rotate, &[("issue", true)]), None);
        // The two of Mixpanel's accounts work side by side; a project has one secret.
        let made = |kind, step| answered("mixpanel", rotate, &[("kind", kind)], &[(step, true)]);
        let (beside, instead) = (
            made("service-account", "create-account"),
            made("project-secret", "project-secret-reset"),
        );
        assert_eq!((beside.has_overlap, beside.revoked_at()), (Some(true), None));
        assert_eq!((instead.has_overlap, instead.revoked_at()), (Some(false), Some(at(1))));
    }

    #[test]
    fn a_tick_that_was_taken_back_proves_nothing_and_undoes_no_rotation() {
        let connector = "aha";
        let guide = rotate_providers::connector(connector).unwrap().guide().unwrap();
        let walk = GuidedRotation {
            itinerary: GuidedSpec::of(connector, &guide, Procedure::Rotate, &BTreeMap::new(), 0),
            opened_at: at(0),
            ticks: Vec::new(),
            aborted: false,
            tries: Vec::new(),
        };
        let rotation = AnyRotation::Guided(Box::new(walk.clone()));
        let mut passage = walked(connector, Procedure::Rotate, &[]);
        let step_done = |step: &str| Event::StepDone {
            step: step.to_owned(),
            by: "maria".to_owned(),
            evidence: None,
        };
        let accepted = Event::Tried {
            credential: Tried::New,
            verdict: Verdict::Accepted,
            class: "http-200".to_owned(),
            by: "maria".to_owned(),
        };
        let events = [step_done("try-the-new-key"), step_done("prove-with-a-job"), accepted];
        let known = Known::of(guide.clone());
        for event in &events {
            let told = told(event, &rotation, |step| known.phases.get(step).copied()).unwrap();
            passage.records.push(told.recorded(at(1), None));
        }
        let kinds = |passage: &Passage| passage.records.iter().map(|record| record.kind).collect::<Vec<_>>();
        let (proof, approval, progress) = (RecordKind::Proof, RecordKind::Approval, RecordKind::Progress);
        assert_eq!(kinds(&passage), [proof, approval, proof]);
        passage.take_back("try-the-new-key", &walk);
        assert_eq!(kinds(&passage), [progress, approval, progress]);
        passage.take_back("prove-with-a-job", &walk);
        assert_eq!(kinds(&passage), [progress; 3]);
        passage.follow_walk(&walk, at(2), &known);
        assert!(!passage.is_undone);
        let given_up = GuidedRotation { aborted: true, ..walk };
        passage.follow_walk(&given_up, at(3), &known);
        assert!(passage.is_undone);
    }

    #[test]
    fn a_key_that_was_switched_on_again_is_off_from_the_second_time_alone() {
        let mut passage = walked("segment", Procedure::Rotate, &[]);
        passage.follow_old_key(&Event::Deactivated { request: None }, at(1));
        assert_eq!(passage.revoked_at(), Some(at(1)));
        passage.follow_old_key(&Event::Reactivated { request: None }, at(2));
        assert_eq!(passage.revoked_at(), None);
        passage.follow_old_key(&Event::Deactivated { request: None }, at(3));
        passage.follow_old_key(&Event::Deleted { request: None }, at(4));
        assert_eq!(passage.revoked_at(), Some(at(3)));
    }
}
