//! How a view of a target is made: from its rotation, from what was judged of it, or from what would be done with it.

use jiff::Timestamp;
use rotate_providers::PhaseName;

use super::{AgeView, Detail, Mode, Next, State, TargetView, Who, noted};
use crate::config::Target;
use crate::engine::driver::DriveError;
use crate::engine::{Action, Assessment, Forecast, ForecastRotation};
use crate::machine::{GuidedRotation, Rotation};
use crate::plan::{Guidance, Planned};
use crate::policy::{Facts, Step, Wait, Waiting, next};
use crate::store::{Automated, Sorted, Stored};
use crate::view::Speaker;
use crate::view::automated::{handover, reason, undo, what_next};

impl TargetView {
    /// A target for which no rotation was opened.
    pub fn unopened(target: &str) -> Self {
        let connector = target.split('/').next().unwrap_or(target);
        Self {
            name: target.to_owned(),
            connector: connector.to_owned(),
            mode: None,
            owner: None,
            state: State::Idle,
            action: None,
            drift: None,
            reason: None,
            age: None,
            rotation: None,
            old_key: None,
            new_key: None,
            destinations: Vec::new(),
            next: Next::default(),
            identity: None,
            steps: None,
            problems: Vec::new(),
            unknown: Vec::new(),
            remedy: Vec::new(),
            guide: None,
            handover: Vec::new(),
            undo: None,
            is_undone: false,
            detail: Detail::Whole,
            has_failed: false,
            is_pressing: false,
        }
    }

    /// A target of a configuration in whose turn nothing was moved.
    pub fn judged(target: &Target, judged: &Assessment, now: Timestamp, speaker: &Speaker) -> Self {
        let mut view = Self::unopened(&target.name).assessed(target, judged, now, speaker);
        view.reason = Some(target.in_its_words(&judged.reason));
        let begins = judged.age.map(|age| age.deadline.begin_at);
        let next = |who, what: &str, at| Next {
            who: Some(who),
            what: Some(what.to_owned()),
            command: None,
            at,
        };
        view.next = match (judged.action, view.mode) {
            (Action::Blocked, _) => {
                view.state = State::At(PhaseName::Blocked);
                next(Who::Person, &view.remedy.join("\n"), None)
            }
            (_, Some(Mode::Guided)) => next(Who::Person, "takes the steps of the guide", begins),
            _ => next(Who::Rotate, "begins its rotation", begins),
        };
        view
    }

    /// Adds what `run` would do with a target of the configuration, and how old its key is.
    pub fn assessed(self, target: &Target, judged: &Assessment, now: Timestamp, speaker: &Speaker) -> Self {
        let remedy = judged.remedy.iter();
        Self {
            connector: target.connector.id.to_owned(),
            mode: Some(Mode::of(target)),
            owner: target.owner.clone(),
            action: Some(judged.action),
            drift: judged.drift,
            age: judged.age.as_ref().map(|age| AgeView::at(age, now)),
            remedy: remedy.map(|line| speaker.line(&target.in_its_words(line))).collect(),
            is_pressing: judged.is_pressing,
            ..self
        }
    }

    /// What would be done with a target of the configuration.
    pub fn planned(target: &Target, foreseen: Forecast, at: Timestamp, speaker: &Speaker) -> Self {
        let judged = Self::judged(target, &foreseen.judgement, at, speaker);
        let view = match &foreseen.rotation {
            ForecastRotation::Open(stored) => Self {
                reason: judged.reason,
                ..Self::standing_as(&target.name, stored, at, speaker)
            },
            ForecastRotation::New(rotation) => Self {
                next: judged.next,
                reason: judged.reason,
                ..Self::foreseen(&target.name, rotation, speaker)
            },
            ForecastRotation::Nothing => judged,
        };
        let view = view.assessed(target, &foreseen.judgement, at, speaker);
        let mut view = view.foretold(foreseen);
        for noted in view.problems.iter_mut().chain(&mut view.unknown) {
            noted.why = target.in_its_words(&noted.why);
            noted.remedy = noted.remedy.as_ref().map(|remedy| target.in_its_words(remedy));
        }
        view
    }

    /// What a command would do.
    pub fn rehearsed(name: &str, foreseen: Forecast, now: Timestamp, speaker: &Speaker) -> Self {
        let view = match &foreseen.rotation {
            ForecastRotation::Open(stored) => Self::standing(stored, now, speaker),
            ForecastRotation::New(rotation) => Self::foreseen(name, rotation, speaker),
            ForecastRotation::Nothing => Self::unopened(name),
        };
        view.foretold(foreseen)
    }

    fn foretold(self, foreseen: Forecast) -> Self {
        let has_failed = foreseen.would_fail();
        let (problems, unknown) = noted(foreseen.findings);
        Self {
            action: Some(foreseen.judgement.action),
            steps: Some(foreseen.steps),
            identity: foreseen.identity,
            problems,
            unknown,
            has_failed,
            ..self
        }
    }

    /// A rotation that would be opened.
    pub fn foreseen(target: &str, rotation: &Rotation, speaker: &Speaker) -> Self {
        Self {
            state: State::Idle,
            undo: None,
            next: Next {
                who: Some(Who::Rotate),
                what: Some("run the same command without --dry-run".to_owned()),
                command: None,
                at: None,
            },
            ..Self::built(target, None, rotation, None, Timestamp::MIN, speaker)
        }
    }

    /// A rotation as it stands, with what can be said without asking the vendor.
    pub fn standing(stored: &Stored, now: Timestamp, speaker: &Speaker) -> Self {
        Self::standing_as(&stored.target, stored, now, speaker)
    }

    /// The same, under the name that the configuration gives to its target.
    pub fn standing_as(name: &str, stored: &Stored, now: Timestamp, speaker: &Speaker) -> Self {
        match stored.clone().sort() {
            Sorted::Automated(automated) => Self::now(&automated, now, speaker),
            Sorted::Guided(guided) => Self::walking(name, &guided.id, &guided.rotation, now, speaker),
        }
    }

    /// The same, of a rotation that the program takes.
    pub fn now(stored: &Automated, now: Timestamp, speaker: &Speaker) -> Self {
        let wait = match next(&stored.rotation, &Facts::default(), now) {
            Step::Wait(wait) => Some(wait),
            _ => None,
        };
        Self::of(stored, wait.as_ref(), now, speaker)
    }

    /// A rotation that a person walks through.
    pub fn walking(target: &str, id: &str, walk: &GuidedRotation, now: Timestamp, speaker: &Speaker) -> Self {
        let mut view = Self::unopened(target);
        let itinerary = &walk.itinerary;
        itinerary.connector.clone_into(&mut view.connector);
        view.mode = Some(Mode::Guided);
        view.rotation = Some(id.to_owned());
        view.state = walk.ended().map_or(State::Guided, State::At);
        let all = itinerary.steps.len();
        let progress = match itinerary.procedure.as_str() {
            "rotate" => walk.progress(),
            other => format!("`{other}`: {}", walk.progress()),
        };
        view.reason = Some(match walk.ticks.last().filter(|_| walk.is_done()) {
            Some(last) => format!("{progress}, the last one since {}", last.at.strftime("%Y-%m-%d")),
            None if !walk.is_closed() && walk.overdue_at() <= now => format!("overdue: {progress}"),
            None => progress,
        });
        let next = walk.next_step().zip(walk.next_position());
        if let Some((step, position)) = next.filter(|_| !walk.aborted) {
            view.next = Next {
                who: Some(Who::Person),
                what: Some(format!("step {} of {all}: {step}", position + 1)),
                command: Some(speaker.command(&format!("done {target} {step}"))),
                at: Some(walk.overdue_at()),
            };
            view.undo = Some(speaker.command(&format!("abort {target}")));
        }
        view
    }

    /// A rotation that a command has just moved to where it waits.
    pub fn of(stored: &Automated, wait: Option<&Wait>, now: Timestamp, speaker: &Speaker) -> Self {
        Self::built(&stored.target, Some(&stored.id), &stored.rotation, wait, now, speaker)
    }

    fn built(
        target: &str,
        id: Option<&str>,
        rotation: &Rotation,
        wait: Option<&Wait>,
        now: Timestamp,
        speaker: &Speaker,
    ) -> Self {
        let spec = &rotation.spec;
        let waits_for_cutover = wait.is_some_and(|wait| wait.on == Waiting::Cutover);
        Self {
            connector: spec.connector.clone(),
            mode: Some(Mode::Automated),
            state: State::At(rotation.reached()),
            reason: reason(rotation, wait, now),
            rotation: id.map(str::to_owned),
            old_key: Some(spec.old_key.to_string()),
            new_key: rotation.new_key.as_ref().map(|new| new.key.to_string()),
            destinations: spec.destinations.clone(),
            next: what_next(target, rotation, wait, speaker),
            handover: if waits_for_cutover {
                handover(rotation)
            } else {
                Vec::new()
            },
            undo: undo(target, rotation, speaker),
            is_undone: rotation.undo.is_some() && !rotation.phase.is_closed(),
            ..Self::unopened(target)
        }
    }

    /// Adds the line that begins it.
    pub fn with_beginning(mut self, line: String) -> Self {
        self.next = Next {
            who: Some(Who::Person),
            what: Some("begins it".to_owned()),
            command: Some(line),
            at: None,
        };
        self
    }

    /// A guided rotation that would be opened.
    pub fn unwalked(target: &str, guide: Guidance, steps: Vec<Planned>) -> Self {
        let view = Self::unopened(target).with_guide(guide, steps);
        Self {
            mode: Some(Mode::Guided),
            ..view
        }
    }

    /// Adds the guide that a person walks by.
    pub fn with_guide(self, guide: Guidance, steps: Vec<Planned>) -> Self {
        Self {
            guide: Some(Box::new(guide)),
            steps: Some(steps),
            ..self
        }
    }

    /// Adds why a command failed.
    pub fn fail(&mut self, error: &DriveError) {
        if let (DriveError::Refused(refusal), None) = (error, &self.rotation)
            && refusal.blocked
        {
            self.state = State::At(PhaseName::Blocked);
            self.next.who = Some(Who::Person);
            self.next.what = Some(refusal.remedy.join("\n"));
        }
        // Why a rotation is being undone is not forgotten over what stops the undoing.
        let undone = self
            .reason
            .take()
            .filter(|_| self.is_undone)
            .map(|why| format!("; it is being undone: {why}"));
        self.reason = Some(format!("{error}{}", undone.unwrap_or_default()));
    }

    /// The same, with as much of its guide as this.
    pub fn in_detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}
