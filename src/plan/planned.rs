//! A step of a plan, as people and programs read it.

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::guide::Language;
use schemars::JsonSchema;
use serde::Serialize;

use crate::machine::StepRecord;

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Planned {
    /// The phase it belongs to.
    pub phase: PhaseName,
    /// Who acts: `rotate` or a person.
    pub who: String,
    /// What is done.
    pub what: String,
    /// Whether it changes anything outside.
    pub effect: bool,
    /// Whether it can be undone afterwards.
    pub reversible: bool,
    /// When, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What a person needs to know of it; only of guided steps.
    #[serde(flatten)]
    pub guided: Option<GuidedStep>,
}

impl Planned {
    /// Its first sentence, without the stop.
    pub fn in_short(&self) -> &str {
        let end = self
            .what
            .find(". ")
            .or_else(|| self.what.find(": write"))
            .unwrap_or(self.what.len());
        self.what[..end].trim_end_matches('.')
    }
}

/// What a person needs to know of a step.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct GuidedStep {
    /// Its name, for `rotate done`.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
    pub step: String,
    /// Where: a menu path or an address.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Into what: `shell` or `sql`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What the person should see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// What to note down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The answers of which one is noted down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// With which answer it belongs to the plan, while nobody has given one: `--provider external`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Whether old and new do not work at the same time meanwhile.
    #[schemars(extend("const" = true))]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_gap: bool,
    /// What to beware of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// Of a command that must not be run twice: how to see whether it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// How it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back: Option<WayBack>,
    /// Where the vendor describes it.
    #[schemars(regex(pattern = "^https://"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether it is open, done or skipped.
    pub state: StepState,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tick: Option<StepRecord>,
}

impl GuidedStep {
    /// What to note down, with the answers of which it is one.
    pub fn noted(&self) -> Option<String> {
        let evidence = self.evidence.as_ref()?;
        match self.answers.is_empty() {
            true => Some(evidence.clone()),
            false => Some(format!("{evidence}: {}", self.answers.join(" | "))),
        }
    }
}

/// How a step is taken back, and how the rotation comes to its end after that.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WayBack {
    /// What is done.
    pub what: String,
    /// What to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typed: Option<Typed>,
    /// How the rotation is finished from there.
    pub finish: String,
    /// What to type for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_typed: Option<Typed>,
}

/// Something to type.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Typed {
    /// The text.
    pub command: String,
    /// Into what: `shell` or `sql`.
    pub language: Language,
    /// Where it must not be run twice: how to see whether it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
}

/// Whether a step of a guide was taken. One that was skipped is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Nothing was said of it.
    Open,
    /// It was taken.
    Done,
    /// It was left out.
    Skipped,
}

impl StepState {
    /// By its tick.
    pub fn of(tick: Option<&StepRecord>) -> Self {
        match tick {
            None => Self::Open,
            Some(tick) if tick.is_taken() => Self::Done,
            Some(_) => Self::Skipped,
        }
    }
}
