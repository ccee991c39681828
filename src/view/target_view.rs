//! One target: where it stands, what would be done with it, and why. Text, Markdown and JSON are all laid out from this.

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::{Check, Finding};
use schemars::JsonSchema;
use serde::Serialize;

mod made;

use crate::config::{How, Target};
use crate::engine::driver::Identity;
use crate::engine::{Action, Age, AgeBasis, DriftAt};
use crate::plan::{Guidance, Planned};

/// One target.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TargetView {
    /// The target's name.
    #[schemars(regex(pattern = "^([A-Za-z0-9][A-Za-z0-9_.@+=,%/-]*|[a-z0-9-]+/.+)$"))]
    pub name: String,
    /// Its connector.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
    pub connector: String,
    /// Who takes the steps; null where nothing is known of the target.
    pub mode: Option<Mode>,
    /// Who is asked about it, by the configuration; null where that does not say.
    pub owner: Option<String>,
    /// Where it stands.
    pub state: State,
    /// What `run` would do with it; null where that was not asked.
    pub action: Option<Action>,
    /// Where something has changed behind the journal's back; null where nothing has, as far as that was looked at.
    pub drift: Option<DriftAt>,
    /// Why it stands there, or why that would be done.
    pub reason: Option<String>,
    /// How old its key is; null where that is not known.
    pub age: Option<AgeView>,
    /// The rotation's id; null where none was opened.
    #[schemars(extend("format" = "uuid"))]
    pub rotation: Option<String>,
    /// The key that is to go; null where there is no rotation, and of a guided one.
    pub old_key: Option<String>,
    /// The key that comes; null before it is made, and of a guided rotation.
    pub new_key: Option<String>,
    /// Where the new key goes.
    #[schemars(inner(regex(pattern = "^[a-z][a-z0-9-]*:.")))]
    pub destinations: Vec<String>,
    /// What comes next.
    pub next: Next,
    /// Whose credentials it would be done with; null where no vendor was asked.
    pub identity: Option<Identity>,
    /// The steps from here to the end, and those of a guide that are done or skipped; null where they were not asked for.
    pub steps: Option<Vec<Planned>>,
    /// What would stand in the way.
    pub problems: Vec<Noted>,
    /// What shows only later.
    pub unknown: Vec<Noted>,
    /// What a person does about it, one command or sentence a line.
    pub remedy: Vec<String>,
    /// What a person has to know before the first step; null where no guide is shown.
    pub guide: Option<Box<Guidance>>,
    /// What a person does at the consumer, one action a line.
    #[serde(skip)]
    pub handover: Vec<String>,
    /// The command that takes it all back; null where nothing does.
    pub undo: Option<String>,
    #[serde(skip)]
    is_undone: bool,
    /// How much of its guide is shown to a person.
    #[serde(skip)]
    pub(super) detail: Detail,
    #[serde(skip)]
    pub(super) has_failed: bool,
    #[serde(skip)]
    pub(super) is_pressing: bool,
}

/// How much of a guide is shown to a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    #[default]
    Whole,
    /// One line a step.
    Checklist,
    /// The next step.
    NextStep,
}

/// Who takes the steps of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The program, through the vendor's API.
    Automated,
    /// A person, with the guide.
    Guided,
}

impl Mode {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Guided => "guided",
        }
    }

    fn of(target: &Target) -> Self {
        match target.how {
            How::Automatic(_) => Self::Automated,
            How::ByHand(_) => Self::Guided,
        }
    }
}

/// Where a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No rotation is open.
    Idle,
    /// A person is on the way through its guide.
    Guided,
    /// A phase, which was reached last.
    #[serde(untagged)]
    At(PhaseName),
}

impl State {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Guided => "guided",
            Self::At(phase) => phase.name(),
        }
    }
}

/// Something that was found out beforehand.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Noted {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub why: String,
    /// What fixes it; null where that is not known.
    pub remedy: Option<String>,
}

fn noted(findings: Vec<Finding>) -> (Vec<Noted>, Vec<Noted>) {
    let (mut problems, mut unknown) = (Vec::new(), Vec::new());
    for Finding { what, check } in findings {
        match check {
            Check::Fine => {}
            Check::Wrong { why, remedy } => problems.push(Noted {
                what: what.into(),
                why: why.into(),
                remedy: Some(remedy),
            }),
            Check::Unknown { why } => unknown.push(Noted {
                what: what.into(),
                why: why.into(),
                remedy: None,
            }),
        }
    }
    (problems, unknown)
}

/// How old a key is, and the days that follow from that.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AgeView {
    /// When it was made.
    pub born_at: Timestamp,
    /// Whose word that is.
    pub basis: AgeBasis,
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

impl AgeView {
    /// At this time.
    pub fn at(age: &Age, now: Timestamp) -> Self {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let all = seconds(age.born_at, age.deadline.gone_by);
        Self {
            born_at: age.born_at,
            basis: age.basis,
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
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Next {
    /// Who acts; null: nobody.
    pub who: Option<Who>,
    /// What is done.
    pub what: Option<String>,
    /// The command for it.
    pub command: Option<String>,
    /// When: the end of a wait, or the day it becomes overdue.
    pub at: Option<Timestamp>,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The program.
    Rotate,
    /// A person.
    Person,
}

impl Who {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Person => "person",
        }
    }
}

impl TargetView {
    /// Whether there is anything to say beside the reason.
    pub fn is_opened(&self) -> bool {
        self.rotation.is_some() || self.steps.is_some() || self.action.is_some()
    }

    /// Whether it would fail, or could not be looked at.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether a person has to look, and nothing is touched until then.
    pub fn is_blocked(&self) -> bool {
        self.action == Some(Action::Blocked) || self.state == State::At(PhaseName::Blocked)
    }

    /// Whether a person has to act.
    pub fn waits_for_person(&self) -> bool {
        self.next.who == Some(Who::Person) && self.action != Some(Action::NotDue)
    }

    /// Whether someone or something has to act.
    pub fn is_to_do(&self) -> bool {
        self.action.is_some_and(Action::is_to_do)
    }
}
