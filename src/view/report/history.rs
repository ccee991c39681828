//! What the journal tells of every target, gathered line by line while its chain is checked.

use std::collections::HashMap;

use jiff::Timestamp;
use rotate_providers::contract::{KeyId, LastUse, Principal};

use super::guides::{Guides, Known};
use super::passage::Passage;
use super::rotation::RequestView;
use super::told::{Told, told, tried};
use super::words::said;
use super::{LastUseView, RecordView};
use crate::engine::Survey;
use crate::machine::{AnyRotation, Event, StreamState, SwitchedBy};
use crate::store::Line;

/// What the journal tells, by the names under which it knows its targets.
#[derive(Default)]
pub struct Histories {
    by_target: HashMap<String, History>,
    guides: Guides,
    /// How many lines each rotation and each watch has, by its id.
    lines: HashMap<String, i64>,
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
        self.guides.of(connector).title()
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
                passage.requests.extend(RequestView::of(event, at));
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
            passage.records.push(told.recorded(at, Some(passage.reached)));
        }
    }

    fn take_between(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Sighted { sighting } => self.owner = Some(sighting.owner.clone()),
            Event::Drifted { why, sighting } => {
                self.owner = Some(sighting.owner.clone());
                let what = format!("something had changed that nobody here did: {why}");
                self.between.push(Told::plain(what).recorded(at, None));
            }
            Event::Released { by } => {
                let what = "a person accepted what is there, and said to go on";
                self.between.push(Told::plain(what).by(by).recorded(at, None));
            }
            Event::Tried {
                credential,
                verdict,
                class,
                by,
            } => {
                let what = tried(*credential, *verdict, class);
                self.between.push(Told::plain(what).by(by).recorded(at, None));
            }
            _ => {}
        }
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
