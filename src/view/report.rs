//! Where one target stands, for text and JSON alike.

use jiff::Timestamp;
use rotate_providers::contract::Finding;
use serde::Serialize;

use super::outlook::noted;
use super::standing::{handover, reason, state, undo, what_next};
use super::{Noted, Speaker};
use crate::config::{How, Target};
use crate::engine::driver::{DriveError, Identity};
use crate::engine::{Age, Judgement, Verdict};
use crate::machine::{Rotation, Walk};
use crate::plan::{Guidance, Planned};
use crate::policy::{Facts, Step, Wait, Waiting, next};
use crate::store::{Automated, Sorted, Stored};

/// Where one target stands.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The target's name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Where it stands.
    pub state: &'static str,
    /// The key that is to go.
    pub old_key: Option<String>,
    /// The key that comes.
    pub new_key: Option<String>,
    /// The rotation's id.
    pub rotation: Option<String>,
    /// Where the new key goes.
    pub destinations: Vec<String>,
    /// What comes next.
    pub next: Next,
    /// Why it stands there, in words.
    pub reason: Option<String>,
    /// How old its key is; only of a configuration's targets, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeReport>,
    /// Whose credentials it would be done with; only of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// What would be done; only of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Vec<Planned>>,
    /// What would stand in the way; only of a dry run that opens a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<Noted>>,
    /// What shows only when it is used; only of a dry run that opens a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Vec<Noted>>,
    /// What a person has to know before the first step; only of guided targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide: Option<Guidance>,
    /// What a person does at the consumer, one action a line.
    #[serde(skip)]
    pub handover: Vec<String>,
    /// The command that takes it all back.
    #[serde(skip)]
    pub undo: Option<String>,
    #[serde(skip)]
    is_undone: bool,
    #[serde(skip)]
    is_brief: bool,
    #[serde(skip)]
    is_checklist: bool,
    #[serde(skip)]
    is_judged: bool,
}

/// How old a key is, and the days that follow from that.
#[derive(Clone, Debug, Serialize)]
pub struct AgeReport {
    /// When it was made.
    pub born_at: Timestamp,
    /// When its rotation begins.
    pub begins_at: Timestamp,
    /// When it has to be gone.
    pub gone_by: Timestamp,
    /// Its age, as a share of what it may become.
    #[serde(skip)]
    pub share: f64,
    /// Its age in whole days.
    pub days: i64,
}

impl AgeReport {
    /// At this time.
    pub fn at(age: &Age, now: Timestamp) -> Self {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let all = seconds(age.born_at, age.deadline.gone_by);
        Self {
            born_at: age.born_at,
            begins_at: age.deadline.begin_at,
            gone_by: age.deadline.gone_by,
            share: if all > 0.0 {
                seconds(age.born_at, now) / all
            } else {
                1.0
            },
            days: age.days(now),
        }
    }
}

/// What comes next.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Next {
    /// Who acts: `rotate`, `person`, or nobody.
    pub who: Option<&'static str>,
    /// What is done.
    pub what: Option<String>,
    /// The command for it.
    pub command: Option<String>,
    /// When: the end of a wait, or the day it becomes overdue.
    pub at: Option<Timestamp>,
}

impl Report {
    /// A target for which no rotation was opened.
    pub fn unopened(target: &str) -> Self {
        let connector = target.split('/').next().unwrap_or(target);
        Self {
            name: target.to_owned(),
            connector: connector.to_owned(),
            state: "idle",
            old_key: None,
            new_key: None,
            rotation: None,
            destinations: Vec::new(),
            next: Next::default(),
            reason: None,
            age: None,
            identity: None,
            plan: None,
            problems: None,
            unknown: None,
            guide: None,
            handover: Vec::new(),
            undo: None,
            is_undone: false,
            is_brief: false,
            is_checklist: false,
            is_judged: false,
        }
    }

    /// A target of a configuration in whose turn nothing was moved.
    pub fn judged(target: &Target, judged: &Judgement, now: Timestamp, speaker: &Speaker) -> Self {
        let mut report = Self::unopened(&target.name);
        let is_guided = matches!(target.how, How::ByHand(_));
        target.connector.id.clone_into(&mut report.connector);
        report.is_judged = true;
        report.reason = Some(target.in_its_words(&judged.reason));
        report.age = judged.age.as_ref().map(|age| AgeReport::at(age, now));
        let begins = judged.age.map(|age| age.deadline.begin_at);
        let next = |who, what: &str, at| Next {
            who: Some(who),
            what: Some(what.to_owned()),
            command: None,
            at,
        };
        report.next = match judged.verdict {
            Verdict::Blocked => {
                report.state = "blocked";
                let remedy = judged.remedy.iter();
                let remedy: Vec<String> = remedy.map(|line| speaker.line(&target.in_its_words(line))).collect();
                next("person", &remedy.join("\n"), None)
            }
            _ if is_guided => next("person", "takes the steps of the guide", begins),
            _ => next("rotate", "begins its rotation", begins),
        };
        report
    }

    /// Adds how old the key is.
    pub fn with_age(mut self, age: Option<&Age>, now: Timestamp) -> Self {
        self.age = age.map(|age| AgeReport::at(age, now));
        self
    }

    /// A rotation that would be opened.
    pub fn foreseen(target: &str, rotation: &Rotation, speaker: &Speaker) -> Self {
        let mut report = Self::built(target, None, rotation, None, Timestamp::MIN, speaker);
        report.state = "idle";
        report.undo = None;
        report.next = Next {
            who: Some("rotate"),
            what: Some("run the same command without --dry-run".to_owned()),
            command: None,
            at: None,
        };
        report
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
    pub fn walking(target: &str, id: &str, walk: &Walk, now: Timestamp, speaker: &Speaker) -> Self {
        let mut report = Self::unopened(target);
        let itinerary = &walk.itinerary;
        itinerary.connector.clone_into(&mut report.connector);
        report.rotation = Some(id.to_owned());
        report.state = walk.phase_name();
        let all = itinerary.steps.len();
        let progress = match itinerary.procedure.as_str() {
            "rotate" => walk.progress(),
            other => format!("`{other}`: {}", walk.progress()),
        };
        report.reason = Some(match walk.ticks.last().filter(|_| walk.is_done()) {
            Some(last) => format!("{progress}, the last one since {}", last.at.strftime("%Y-%m-%d")),
            None if !walk.is_closed() && walk.overdue_at() <= now => format!("overdue: {progress}"),
            None => progress,
        });
        let next = walk.next_step().zip(walk.next_position());
        if let Some((step, position)) = next.filter(|_| !walk.aborted) {
            report.next = Next {
                who: Some("person"),
                what: Some(format!("step {} of {all}: {step}", position + 1)),
                command: Some(speaker.command(&format!("done {target} {step}"))),
                at: Some(walk.overdue_at()),
            };
            report.undo = Some(speaker.command(&format!("abort {target}")));
        }
        report
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
        let charter = &rotation.charter;
        let waits_for_cutover = wait.is_some_and(|wait| wait.on == Waiting::Cutover);
        Self {
            name: target.to_owned(),
            connector: charter.connector.clone(),
            state: state(rotation),
            old_key: Some(charter.old_key.to_string()),
            new_key: rotation.issued().map(|issued| issued.key.to_string()),
            rotation: id.map(str::to_owned),
            destinations: charter.destinations.clone(),
            next: what_next(target, rotation, wait, speaker),
            reason: reason(rotation, wait, now),
            age: None,
            identity: None,
            plan: None,
            problems: None,
            unknown: None,
            guide: None,
            handover: if waits_for_cutover {
                handover(rotation)
            } else {
                Vec::new()
            },
            undo: undo(target, rotation, speaker),
            is_undone: rotation.undo.is_some() && !rotation.phase.is_closed(),
            is_brief: false,
            is_checklist: false,
            is_judged: false,
        }
    }

    /// Adds the line that begins it.
    pub fn with_beginning(mut self, line: String) -> Self {
        self.next = Next {
            who: Some("person"),
            what: Some("begins it".to_owned()),
            command: Some(line),
            at: None,
        };
        self
    }

    /// A guided rotation that would be opened.
    pub fn unwalked(target: &str, guide: Guidance, steps: Vec<Planned>) -> Self {
        let mut report = Self::unopened(target);
        report.guide = Some(guide);
        report.with_plan(steps)
    }

    /// Adds the guide that a person walks by.
    pub fn with_guide(mut self, guide: Guidance, steps: Vec<Planned>) -> Self {
        self.guide = Some(guide);
        self.with_plan(steps)
    }

    /// Adds what would be done.
    pub fn with_plan(mut self, plan: Vec<Planned>) -> Self {
        self.plan = Some(plan);
        self
    }

    /// Adds whose credentials it would be done with.
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Adds what was found out beforehand.
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        let (problems, unknown) = noted(findings);
        self.problems = Some(problems);
        self.unknown = Some(unknown);
        self
    }

    /// Adds why a command failed.
    pub fn fail(&mut self, error: &DriveError) {
        if let (DriveError::Refused(refusal), None) = (error, &self.rotation)
            && refusal.blocked
        {
            self.state = "blocked";
            self.next.who = Some("person");
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

    /// Shows a person the next step only.
    pub fn brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// The same, with one line a step where it has a plan.
    pub fn as_checklist(self) -> Self {
        Self {
            is_checklist: true,
            ..self
        }
    }

    pub(super) fn is_checklist(&self) -> bool {
        self.is_checklist
    }

    pub(super) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// Whether there is anything to say beside the reason.
    pub fn is_opened(&self) -> bool {
        self.rotation.is_some() || self.plan.is_some() || self.is_judged
    }
}
