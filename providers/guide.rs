//! The manual procedure of a connector, as data: the schema of every `guide.toml`.
//!
//! A guide is the safe way for *that* vendor: what has to be ready, who does what and where, what they should see, what
//! to note down, what cannot be taken back. Texts may name the person's own values: `{domain}`. In a command each of them
//! says how it is quoted: `{user|ident}`, `{user|literal}`, `{user|sh}`. What a person has to fill in by hand, such as a
//! password, is written `<NEW PASSWORD>` and is never asked for.

mod check;
mod commands;
mod flaw;
mod form;
mod negative;
pub mod probe;
mod references;
mod step;
mod template;
mod told;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PhaseName;
use crate::inputs::{InputSpec, Rule};

pub use flaw::Flaw;
pub use form::Form;
pub use negative::Negative;
pub use probe::Probe;
pub use step::{Actor, Back, Command, Language, Only, Repeat, Step};
pub use template::{Piece, Quoting, Template};

/// One connector's guide.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// What is rotated, in a few words: `Freshdesk API key`.
    pub title: String,
    /// Who made the other side: `Freshdesk`.
    pub vendor: String,
    /// The headings of the source documents that this covers.
    pub seeds: Vec<String>,
    /// The month in which its facts were looked at last: `2026-11`.
    pub checked: String,
    /// How the credential works.
    pub credential: Credential,
    /// The roles that the people involved need, one a line.
    pub roles: Vec<String>,
    /// What else uses the same credential and stops with it.
    #[serde(default)]
    pub affects: Vec<String>,
    /// What has to be ready before the first step. Where old and new do not overlap, this keeps the gap short.
    #[serde(default)]
    pub prepare: Vec<String>,
    /// What the person may tell of the target.
    #[serde(default, rename = "input")]
    pub inputs: Vec<InputSpec>,
    /// Where this differs from the source documents, and why.
    #[serde(default, rename = "correction")]
    pub corrections: Vec<Correction>,
    /// The rotation.
    pub rotate: Vec<Step>,
    /// Cutting Gainsight off.
    #[serde(default)]
    pub disconnect: Vec<Step>,
    /// Connecting it again.
    #[serde(default)]
    pub reconnect: Vec<Step>,
    /// How to see that the old credential is dead.
    pub negative: Negative,
    /// How the credential is tried, where there is a way that only reads.
    pub probe: Option<Probe>,
    /// Why nothing can be tried, where there is none.
    pub no_probe: Option<String>,
    /// Where the facts are from.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// How a credential works at its vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// What it is: `the API key of one Freshdesk agent`.
    pub what: String,
    /// How many can exist at once, in words: `1`, `up to 10`, `2 per user`.
    pub coexist: String,
    /// Whether old and new work at the same time.
    pub overlap: Overlap,
    /// What decides it, where that depends: `whether the system can hold two credentials`.
    pub depends: Option<String>,
    /// How long nothing works, where they do not.
    pub gap: Option<String>,
    /// How long the connection stops all the same, where they do.
    pub pause: Option<String>,
    /// Answers with which they do not overlap, although they do otherwise.
    #[serde(default)]
    pub unless: Vec<Unless>,
    /// When it expires by itself: `never`, `after 2 years by default`.
    pub expires: String,
}

/// An exception to the overlap: with these answers the new credential ends the old one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unless {
    /// The answers, all of which have been given.
    pub only: Vec<Only>,
    /// How long nothing works then.
    pub gap: String,
}

impl Credential {
    /// The gap of a plan with these values, defaults included, where they make an exception to the overlap.
    pub fn exception(&self, values: &BTreeMap<String, String>) -> Option<&str> {
        let given = |only: &Only| values.get(&only.input) == Some(&only.is);
        let exception = self.unless.iter().find(|one| one.only.iter().all(given))?;
        Some(&exception.gap)
    }

    /// Whether old and new overlap in a plan with these values, defaults included.
    pub fn overlap_with(&self, values: &BTreeMap<String, String>) -> Overlap {
        self.exception(values).map_or(self.overlap, |_| Overlap::None)
    }
}

/// Whether old and new work at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// Both work until the old one is revoked.
    Yes,
    /// The new one ends the old one.
    None,
    /// Nobody knows before asking.
    Depends,
}

impl Overlap {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::None => "none",
            Self::Depends => "depends",
        }
    }
}

/// Where a guide differs from its source document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// What the document advises.
    pub says: String,
    /// What is done here, and why.
    pub instead: String,
    /// The procedures that it is about.
    #[serde(default = "rotation_only")]
    pub procedures: Vec<Procedure>,
}

/// Where a fact is from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The page.
    pub url: String,
    /// What it says that is used here.
    pub says: String,
    /// How sure that is.
    pub certainty: Certainty,
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Read in the source.
    Seen,
    /// Known from experience; the guide words it as something to check.
    Unchecked,
}

impl Certainty {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Unchecked => "unchecked",
        }
    }
}

/// What all connectors connect their vendors to.
pub const PLATFORM: &str = "Gainsight";

/// Which of a guide's procedures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Procedure {
    /// Replace the credential.
    Rotate,
    /// Cut Gainsight off.
    Disconnect,
    /// Connect it again.
    Reconnect,
}

impl Procedure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rotate, Self::Disconnect, Self::Reconnect];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|procedure| procedure.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Disconnect => "disconnect",
            Self::Reconnect => "reconnect",
        }
    }
}

impl Guide {
    /// Reads a guide; an error names the line.
    pub fn read(text: &str) -> Result<Self, Flaw> {
        Self::read_beside(text, &[])
    }

    /// The same, for a connector that the program rotates with these inputs: their rules hold for the guide's as well.
    pub(crate) fn read_beside(text: &str, of_the_program: &[InputSpec]) -> Result<Self, Flaw> {
        let mut guide: Self = toml::from_str(text).map_err(|error| Flaw::unreadable(text, &error))?;
        for input in &mut guide.inputs {
            let own = of_the_program.iter().find(|own| own.name == input.name);
            match (own, matches!(input.rule, Rule::OfTheProgram)) {
                (Some(own), true) => input.rule = own.rule.clone(),
                (None, false) => {}
                (Some(_), false) => return Err(Flaw::repeated_rule(&input.name)),
                (None, true) => return Err(Flaw::no_rule(&input.name)),
            }
        }
        check::check(&guide)?;
        Ok(guide)
    }

    /// The steps of a procedure; empty where the guide has none.
    pub fn steps(&self, procedure: Procedure) -> &[Step] {
        match procedure {
            Procedure::Rotate => &self.rotate,
            Procedure::Disconnect => &self.disconnect,
            Procedure::Reconnect => &self.reconnect,
        }
    }

    /// The inputs that a procedure has a place for, and the one that names the target.
    pub fn inputs_of(&self, procedure: Procedure) -> Vec<&InputSpec> {
        let negative = self.negative.ways().filter(|_| procedure == Procedure::Rotate);
        let negative: Vec<&Negative> = negative.collect();
        let steps = self.steps(procedure);
        let ends = negative.iter().flat_map(|way| way.texts());
        let texts: Vec<&Template> = steps.iter().flat_map(Step::texts).chain(ends).collect();
        let decides = |input: &InputSpec| {
            let of_ends = negative.iter().flat_map(|way| &way.only);
            let mut choices = steps.iter().flat_map(|step| &step.only).chain(of_ends);
            choices.any(|only| only.input == input.name)
        };
        let inputs = self.inputs.iter();
        inputs
            .filter(|input| input.identifies || decides(input) || texts.iter().any(|text| text.names(&input.name)))
            .collect()
    }

    /// The steps of a procedure that belong to a plan with these values, with their defaults for what is not given.
    pub fn steps_for(&self, procedure: Procedure, given: &BTreeMap<String, String>) -> Vec<&Step> {
        let values = self.with_defaults(given);
        let steps = self.steps(procedure).iter();
        steps.filter(|step| step.belongs(&values)).collect()
    }

    /// The first and the last of these steps between which the old credential does not work any more and not every consumer
    /// has the new one; `None` where they overlap with these values.
    pub fn gap(&self, steps: &[&Step], values: &BTreeMap<String, String>) -> Option<(usize, usize)> {
        if self.credential.overlap_with(values) == Overlap::Yes {
            return None;
        }
        let ends = |step: &&Step| step.phase <= PhaseName::Delivered && !step.reversible;
        let first = steps.iter().position(ends)?;
        let last = steps.iter().rposition(|step| step.phase == PhaseName::Delivered)?;
        (first <= last).then_some((first, last))
    }

    /// These values, and the defaults of the inputs for which there is none.
    pub fn with_defaults(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let inputs = self.inputs.iter();
        let defaults = inputs.filter_map(|input| Some((input.name.to_string(), input.default.as_ref()?.to_string())));
        defaults.chain(given.clone()).collect()
    }

    /// The input that names the target.
    pub fn identity(&self) -> Option<&InputSpec> {
        self.inputs.iter().find(|input| input.identifies)
    }
}

fn rotation_only() -> Vec<Procedure> {
    vec![Procedure::Rotate]
}
