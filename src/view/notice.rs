//! What is told of one target, in words: from where it stands, and never from what a vendor or an error has said.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::PhaseName;
use rotate_providers::untrusted::Sanitized;

use super::{Mode, Speaker, State, TargetView};
use crate::config::Config;
use crate::machine::{AnyRotation, GuidedRotation, StreamState};
use crate::notify::{BlockedBy, Compose, Digest, Kind, Need, Standing, TargetNotice};
use crate::plan::{Planned, StepState, lead, procedure_of};
use crate::secret_scan::looks_secret;
use crate::store::Stored;

/// So many steps of a guide are told at once, and so much of each.
const MOST_STEPS: usize = 12;
const LONGEST_STEP: usize = 600;

/// So many targets stand in a digest.
const MOST_NEEDS: usize = 50;

/// What is known of a target beside where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause {
    /// What has a person look.
    pub by: Option<BlockedBy>,
    /// What could not be done, where something could not.
    pub failure: Option<&'static str>,
    /// The day that counts.
    pub until: Option<Timestamp>,
}

/// Puts into words what is told.
pub struct Words {
    here: Speaker,
    speaker: Speaker,
    owners: HashMap<String, String>,
    connectors: HashMap<String, &'static str>,
}

impl Words {
    /// With commands that hold wherever they are read, where those of views hold here; and owners as the configuration has them.
    pub fn new(here: Speaker, anywhere: Speaker, config: &Config) -> Self {
        let owned = |target: &crate::config::Target| Some((target.name.clone(), target.owner.clone()?));
        Self {
            here,
            speaker: anywhere,
            owners: config.targets.iter().filter_map(owned).collect(),
            connectors: config
                .targets
                .iter()
                .map(|target| (target.name.clone(), target.connector.id))
                .collect(),
        }
    }

    /// What is told of a target that looks like this.
    pub fn of(&self, kind: Kind, view: &TargetView, cause: Cause) -> TargetNotice {
        let target = view.name.as_str();
        let status = self.speaker.command(&format!("status {target}"));
        let next = view.next.command.as_deref().map(|command| self.anywhere(command));
        let (why, steps, command) = match kind {
            Kind::Announced => (
                "Its rotation begins soon. Nothing has to be done yet.".to_owned(),
                Vec::new(),
                Some(status),
            ),
            Kind::Begun => (
                "Its rotation has begun. Who has to act is told when it comes to that.".to_owned(),
                Vec::new(),
                Some(status),
            ),
            Kind::Waits => (
                "It goes on once a person has done what stands here, and has said so.".to_owned(),
                view.handover.clone(),
                next.or(Some(status)),
            ),
            Kind::Overdue => (
                "A day has gone by on which it should have been done. Nothing is forced.".to_owned(),
                view.handover.clone(),
                next.or(Some(status)),
            ),
            Kind::Blocked => self.blocked(target, cause, status),
            Kind::Failed => (
                format!(
                    "{}. What is recorded stands, and the next run goes on from there.",
                    cause.failure.unwrap_or("Something could not be done")
                ),
                vec![format!("see why: {status}")],
                Some(self.speaker.command(&format!("run --only {target}"))),
            ),
            Kind::Undone => (undone(view).to_owned(), Vec::new(), Some(status)),
            Kind::Done | Kind::Digest | Kind::Test => match view.mode {
                // A person may have left out what counts, and not every guide brings a new key.
                Some(Mode::Guided) => (
                    "Its last step is done or was left out. See what was left out before relying on it.".to_owned(),
                    Vec::new(),
                    Some(status),
                ),
                _ => (
                    "Its rotation is done: the new key lives, and the old one is gone.".to_owned(),
                    Vec::new(),
                    None,
                ),
            },
        };
        let is_open = !matches!(kind, Kind::Done | Kind::Undone | Kind::Announced);
        let state = match (kind, view.state) {
            // No rotation is open that says it.
            (Kind::Blocked, State::Idle) => State::At(PhaseName::Blocked),
            (_, state) => state,
        };
        TargetNotice {
            target: outside(target),
            connector: shown(&view.connector),
            owner: self.owners.get(target).map(|owner| outside(owner)),
            state: shown(state.name()),
            why: shown(&why),
            steps: steps.iter().map(|step| shown(step)).collect(),
            command: command.map(|command| shown(&command)),
            undo: view
                .undo
                .as_deref()
                .filter(|_| is_open)
                .map(|undo| shown(&self.anywhere(undo))),
            until: cause.until.or(view.next.at.filter(|_| is_open)),
            rotation: view.rotation.as_deref().map(shown),
            old_key: view.old_key.as_deref().map(shown),
            new_key: view.new_key.as_deref().map(shown),
        }
    }

    /// A command of a view, which names folders and files as whoever gave the command did: relative to where they were, or not at all
    /// where their environment does.
    fn anywhere(&self, command: &str) -> String {
        match command.strip_prefix(&self.here.command("")) {
            Some(arguments) => self.speaker.command(arguments),
            None => command.to_owned(),
        }
    }

    fn blocked(&self, target: &str, cause: Cause, status: String) -> (String, Vec<String>, Option<String>) {
        let confirm = self.speaker.command(&format!("confirm {target}"));
        let verify = self.speaker.command(&format!("verify {target}"));
        let (why, more) = match cause.by {
            Some(BlockedBy::Vendor) => (
                "Its keys have changed at the vendor, and this journal did not do that.",
                Some(format!(
                    "put the vendor's side in order; or accept what is there: {confirm}"
                )),
            ),
            Some(BlockedBy::Destination) => (
                "A destination holds something else than was delivered there.",
                Some(format!("put it in order; or accept what is there: {confirm}")),
            ),
            Some(BlockedBy::Credential) => (
                "The vendor refuses its credential.",
                Some(format!("put the right secret in its place, and try it: {verify}")),
            ),
            Some(BlockedBy::Rotation(_) | BlockedBy::Obstacle) | None => (
                "Nothing of it is touched until a person has looked at it and resolved it.",
                None,
            ),
        };
        let see = format!("see what was found, and what resolves it: {status}");
        let failure = cause.failure.map(|failure| format!("{failure}. ")).unwrap_or_default();
        let why = format!("{failure}{why}");
        (why, std::iter::once(see).chain(more).collect(), Some(status))
    }

    /// Where these targets stand, for a digest.
    pub fn digest<'v>(
        &self,
        views: impl Iterator<Item = &'v TargetView>,
        stands: &dyn Fn(&str) -> Standing,
        now: Timestamp,
        dropped: u64,
    ) -> Digest {
        let mut digest = Digest {
            dropped,
            command: Some(shown(&self.speaker.command("status"))),
            ..Digest::default()
        };
        for view in views {
            digest.targets += 1;
            let Some(what) = needed(view, &stands(&view.name), now) else {
                digest.quiet += 1;
                continue;
            };
            if digest.needs.len() == MOST_NEEDS {
                digest.more += 1;
                continue;
            }
            digest.needs.push(Need {
                target: outside(&view.name),
                owner: self.owners.get(&view.name).map(|owner| outside(owner)),
                what: what.into(),
            });
        }
        digest
    }

    /// The targets that have an owner, with that.
    pub fn owned(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.owners
            .iter()
            .map(|(target, owner)| (target.as_str(), owner.as_str()))
    }

    /// The owner of a target.
    pub fn owner_of(&self, target: &str) -> Option<&str> {
        self.owners.get(target).map(String::as_str)
    }
}

impl Compose for Words {
    fn owner(&self, target: &str) -> Option<String> {
        self.owner_of(target).map(str::to_owned)
    }

    fn after(&self, kind: Kind, target: &str, id: &str, state: &StreamState, at: Timestamp) -> TargetNotice {
        let StreamState::AnyRotation(rotation) = state else {
            let by = match state {
                StreamState::Inventory(watch) if watch.drift.is_some() => BlockedBy::Vendor,
                StreamState::Inventory(watch) if watch.copies.is_some() => BlockedBy::Destination,
                _ => BlockedBy::Credential,
            };
            let cause = Cause {
                by: Some(by),
                ..Cause::default()
            };
            let mut view = TargetView::unopened(target);
            if let Some(connector) = self.connectors.get(target) {
                (*connector).clone_into(&mut view.connector);
            }
            return self.of(kind, &view, cause);
        };
        let stored = Stored {
            id: id.to_owned(),
            target: target.to_owned(),
            revision: 0,
            updated_at: at,
            rotation: rotation.clone(),
        };
        // As every view has its commands: they are made whole once.
        let mut view = TargetView::standing(&stored, at, &self.here);
        if let AnyRotation::Guided(walk) = rotation {
            view.handover = open_steps(walk);
        }
        let by = match Standing::of(id, rotation, at) {
            Standing::Blocked { by, .. } => Some(by),
            _ => None,
        };
        let cause = Cause { by, ..Cause::default() };
        self.of(kind, &view, cause)
    }
}

/// What a person does by a guide, from the first step that is open.
pub fn open_steps(walk: &GuidedRotation) -> Vec<String> {
    let Some((guide, procedure)) = procedure_of(&walk.itinerary) else {
        return Vec::new();
    };
    let steps = lead(&guide, procedure, &walk.itinerary.values, Some(walk));
    let is_open = |step: &&Planned| step.guided.as_ref().is_some_and(|it| it.state == StepState::Open);
    let open: Vec<&Planned> = steps.iter().filter(is_open).collect();
    let told = open.iter().take(MOST_STEPS).map(|step| {
        let name = step.guided.as_ref().map(|it| it.step.as_str()).unwrap_or_default();
        let what: String = step.what.chars().take(LONGEST_STEP).collect();
        format!("{name} ({}): {what}", step.who)
    });
    let more = open.len().saturating_sub(MOST_STEPS);
    let more = (more > 0).then(|| format!("and {more} more"));
    told.chain(more).collect()
}

/// What a rotation that was not taken to its end leaves: which key works then, only a look can tell.
fn undone(view: &TargetView) -> &'static str {
    match view.mode {
        Some(Mode::Guided) => {
            "It was given up. What was done at the vendor stays done: see which steps are ticked, and which key works."
        }
        // An abort may be forced where nobody could be asked, and before anything was put back.
        _ => "Its rotation was aborted or rolled back. See which key is in use, and what was left as it is.",
    }
}

/// What somebody has to do about a target, in a few words; `None`: nobody has to do anything.
fn needed(view: &TargetView, standing: &Standing, now: Timestamp) -> Option<&'static str> {
    use super::Who;
    let is_person = view.next.who == Some(Who::Person);
    let is_late = |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at) >= SignedDuration::ZERO);
    // What stands in the way only a run may have found, and the journal does not hold it.
    let is_blocked = matches!(standing, Standing::Blocked { .. });
    if is_blocked || view.state == State::At(PhaseName::Blocked) {
        return Some("blocked");
    }
    let is_overdue = is_late(view.age.as_ref().map(|age| age.gone_by)) || (is_person && is_late(view.next.at));
    let has_failed = matches!(standing, Standing::Failed { .. });
    let is_open = view.state != State::Idle && view.rotation.is_some();
    match (is_overdue, has_failed) {
        (true, true) => Some("overdue, and the last run could not go on with it"),
        (true, false) => Some("overdue"),
        (false, true) => Some("the last run could not go on with it"),
        (false, false) => (is_person && is_open).then_some("waits for a person"),
    }
}

/// What the program itself says, which may have names in it that were looked at when they came in: one visible line.
fn shown(text: &str) -> Sanitized {
    Sanitized::of(text)
}

/// A name as somebody has written it: one visible line, and never what looks like a secret.
fn outside(text: &str) -> Sanitized {
    let text = Sanitized::of(text);
    match looks_secret(&text) {
        Some(_) => "(not told: it looks like a secret)".into(),
        None => text,
    }
}
