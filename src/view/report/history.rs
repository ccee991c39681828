//! What the journal tells of every target, gathered line by line while its chain is checked.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::{KeyId, LastUse, Principal};
use rotate_providers::guide::{Guide, Overlap, Procedure};

use super::told::{NEW_WAS_TRIED, Told, step_done, told, tried};
use super::words::{said, said_all};
use super::{LastUseView, RecordKind, RecordView};
use crate::engine::Survey;
use crate::machine::{AnyRotation, Begun, Event, GuidedRotation, Rotation, StreamState, SwitchedBy, Tried};
use crate::store::Line;

/// What the journal tells, by the names under which it knows its targets.
#[derive(Default)]
pub struct Histories {
    by_target: HashMap<String, History>,
    guides: Guides,
    /// How many lines each rotation and each watch has, by its id.
    lines: HashMap<String, i64>,
}

/// What the guides of the connectors say. Each is read once.
#[derive(Default)]
pub(super) struct Guides(HashMap<String, Known>);

/// What the guide of a connector says, as it is now.
#[derive(Default)]
pub(super) struct Known {
    /// What is rotated.
    pub(super) title: Option<String>,
    /// Whether old and new work at the same time; `None` where that depends.
    has_overlap: Option<bool>,
    /// To which phase each step belongs; a step of before that it has no longer belongs to none.
    phases: HashMap<String, PhaseName>,
    /// The steps of a rotation that end the old credential.
    revoking: HashSet<String>,
}

impl Guides {
    pub(super) fn of(&mut self, connector: &str) -> &Known {
        self.0.entry(connector.to_owned()).or_insert_with(|| {
            let guide = rotate_providers::connector(connector).and_then(|connector| connector.guide().ok());
            guide.map(|guide| Known::of(&guide)).unwrap_or_default()
        })
    }
}

impl Known {
    fn of(guide: &Guide) -> Self {
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

/// What it tells of one target.
#[derive(Default)]
pub(super) struct History {
    /// Its rotations, oldest first.
    pub(super) passages: Vec<Passage>,
    /// What happened between them.
    pub(super) between: Vec<RecordView>,
    /// Whose keys they were last.
    pub(super) owner: Option<Principal>,
    /// The last word on the use of a key.
    pub(super) last_use: Option<(KeyId, LastUseView)>,
}

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
    /// What made it begin, and who, where that was recorded.
    pub(super) begun: Option<Begun>,
}

impl Histories {
    /// Takes one line in, with where its thread stands after it.
    pub fn take(&mut self, line: &Line, state: &StreamState) {
        match self.lines.get_mut(&line.rotation) {
            Some(lines) => *lines += 1,
            None => {
                self.lines.insert(line.rotation.clone(), 1);
            }
        }
        if let StreamState::Sealing(_) = state {
            // Said of no credential.
            return;
        }
        let name = line.target_name();
        if !self.by_target.contains_key(name) {
            self.by_target.insert(name.to_owned(), History::default());
        }
        if let Some(history) = self.by_target.get_mut(name) {
            match state {
                StreamState::AnyRotation(rotation) => {
                    let known = self.guides.of(rotation.connector());
                    history.take(line, rotation, known);
                }
                StreamState::Inventory(_) => history.take_between(&line.record.event, line.record.at),
                StreamState::Sealing(_) => {}
            }
        }
    }

    /// Whether this survey knows of nothing that was recorded before or after: then both are of the same moment.
    pub fn is_of_the_time_of(&self, survey: &Survey) -> bool {
        let mut revisions = survey.revisions();
        revisions.all(|(id, revision)| self.lines.get(id) == Some(&revision))
    }

    /// What it tells of the target under this name; it is not asked for again.
    pub(super) fn remove(&mut self, name: &str) -> Option<History> {
        self.by_target.remove(name)
    }

    /// What a connector rotates, in a few words.
    pub(super) fn title(&mut self, connector: &str) -> Option<String> {
        self.guides.of(connector).title.clone()
    }
}

impl History {
    /// This and what is known of the same credential under another name.
    pub(super) fn with(mut self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        self.passages.extend(other.passages);
        self.passages.sort_by_key(|passage| passage.opened_at);
        self.between.extend(other.between);
        self.between.sort_by_key(|record| record.at);
        self.owner = self.owner.or(other.owner);
        self.last_use = self.last_use.or(other.last_use);
        self
    }

    fn take(&mut self, line: &Line, rotation: &AnyRotation, known: &Known) {
        let (event, at) = (&line.record.event, line.record.at);
        if self.passages.last().is_none_or(|passage| passage.id != line.rotation) {
            self.passages.push(Passage::opened(&line.rotation, rotation, at));
        }
        let Some(passage) = self.passages.last_mut() else {
            return;
        };
        if let Event::Opened { begun, .. } | Event::WalkOpened { begun, .. } = event {
            passage.begun.clone_from(begun);
        }
        match rotation {
            AnyRotation::Automated(rotation) => {
                passage.follow(rotation, at);
                passage.follow_old_key(event, at);
                self.owner = Some(rotation.spec.owner.clone());
            }
            AnyRotation::Guided(walk) => {
                passage.follow_walk(walk, at, known);
                if let Event::StepUndone { step, .. } = event {
                    passage.take_back(step, walk);
                }
            }
        }
        if let Some(used) = use_of(event, at)
            && let AnyRotation::Automated(rotation) = rotation
            && let Some(issued) = &rotation.new_key
        {
            self.last_use = Some((issued.key.clone(), used));
        }
        if let Some(told) = told(event, rotation, |step| known.phases.get(step).copied()) {
            passage.records.push(record(told, at, Some(passage.reached)));
        }
    }

    fn take_between(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Sighted { sighting } => self.owner = Some(sighting.owner.clone()),
            Event::Drifted { why, sighting } => {
                self.owner = Some(sighting.owner.clone());
                let what = format!("something had changed that nobody here did: {why}");
                self.between.push(record(Told::plain(what), at, None));
            }
            Event::Released { by } => {
                let what = "a person accepted what is there, and said to go on";
                self.between.push(record(Told::plain(what).by(by), at, None));
            }
            Event::Tried {
                credential,
                verdict,
                class,
                by,
            } => {
                let what = tried(*credential, *verdict, class);
                self.between.push(record(Told::plain(what).by(by), at, None));
            }
            _ => {}
        }
    }
}

fn record(told: Told, at: Timestamp, phase: Option<PhaseName>) -> RecordView {
    RecordView {
        at,
        phase: told.phase.or(phase),
        what: said(&told.what),
        by: told.by.as_deref().map(said),
        evidence: told.evidence.as_deref().map(said),
        kind: told.kind,
    }
}

/// What an event says of the use of the new key.
fn use_of(event: &Event, recorded_at: Timestamp) -> Option<LastUseView> {
    let used = match event {
        Event::Used { last_use } => last_use,
        Event::CutOver {
            by: SwitchedBy::Observed { new, .. },
        } => new,
        _ => return None,
    };
    let LastUse::At { at, service, region } = used else {
        return None;
    };
    Some(LastUseView {
        at: *at,
        recorded_at,
        where_used: said(&format!("{service}, {region}")),
    })
}

impl Passage {
    fn opened(id: &str, rotation: &AnyRotation, at: Timestamp) -> Self {
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
            begun: None,
        }
    }

    fn follow(&mut self, rotation: &Rotation, at: Timestamp) {
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

    fn follow_old_key(&mut self, event: &Event, at: Timestamp) {
        match event {
            // What takes the old one's place ends it.
            Event::Deactivated | Event::Replaced { .. } => self.old_off_at = Some(at),
            Event::Deleted => self.old_off_at = self.old_off_at.or(Some(at)),
            Event::Reactivated | Event::Reverted { .. } => self.old_off_at = None,
            _ => {}
        }
    }

    fn follow_walk(&mut self, walk: &GuidedRotation, at: Timestamp, known: &Known) {
        self.has_overlap = known.has_overlap;
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
        let revoked = taken.find(|tick| known.revoking.contains(&tick.step));
        self.old_off_at = revoked.map(|tick| tick.at);
        self.reached = self.phases.last().map_or(PhaseName::Opened, |(phase, _)| *phase);
        if let (Some(end), Some(ended_at)) = (walk.ended(), self.ended_at) {
            self.reached = end;
            self.reach(end, ended_at);
        }
    }

    /// The tick of a step shows nothing any more once it is taken back, nor does a try of a credential that may be made again.
    fn take_back(&mut self, step: &str, walk: &GuidedRotation) {
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

    use rotate_providers::guide::probe::Verdict;

    use super::*;
    use crate::machine::{GuidedSpec, StepOutcome, StepRecord};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A passage through the guide of this connector, with these steps taken or left out, one a second.
    fn walked(connector: &str, procedure: Procedure, steps: &[(&str, bool)]) -> Passage {
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
            itinerary: GuidedSpec::of(connector, &guide, procedure, &BTreeMap::new(), 0),
            opened_at: at(0),
            ticks: (1..).zip(steps).map(tick).collect(),
            aborted: false,
            tries: Vec::new(),
        };
        let mut passage = Passage::opened("id", &AnyRotation::Guided(Box::new(walk.clone())), at(0));
        passage.follow_walk(&walk, at(9), &Known::of(&guide));
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
        let known = Known::of(&guide);
        for event in &events {
            let told = told(event, &rotation, |step| known.phases.get(step).copied()).unwrap();
            passage.records.push(record(told, at(1), None));
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
        passage.follow_old_key(&Event::Deactivated, at(1));
        assert_eq!(passage.revoked_at(), Some(at(1)));
        passage.follow_old_key(&Event::Reactivated, at(2));
        assert_eq!(passage.revoked_at(), None);
        passage.follow_old_key(&Event::Deactivated, at(3));
        passage.follow_old_key(&Event::Deleted, at(4));
        assert_eq!(passage.revoked_at(), Some(at(3)));
    }
}
