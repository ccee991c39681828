//! The manual procedure of a connector, as data: the schema of every `guide.toml`.
//!
//! A guide is the safe way for *that* vendor: what has to be ready, who does what and where, what they should see, what
//! to note down, what cannot be taken back. Texts may name the person's own values: `{domain}`. In a command each of them
//! says how it is quoted: `{user|ident}`, `{user|literal}`, `{user|sh}`. What a person has to fill in by hand, such as a
//! password, is written `<NEW PASSWORD>` and is never asked for.

mod check;
mod commands;
mod form;
mod template;

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::sql_name;

pub use check::Flaw;
pub use form::Form;
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
    pub inputs: Vec<Input>,
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
    /// When it expires by itself: `never`, `after 2 years by default`.
    pub expires: String,
}

/// Whether old and new work at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// Something that the person may tell of the target. Never a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name, which is also its option: `domain` is `--domain`.
    pub name: String,
    /// Whether the plan is of little use without it.
    #[serde(default)]
    pub required: bool,
    /// Whether it names the target: `freshdesk/acme`.
    #[serde(default)]
    pub identifies: bool,
    /// Whether nobody can know it before one of the steps is taken.
    #[serde(default)]
    pub late: bool,
    /// Its value if nobody gives one.
    pub default: Option<String>,
    /// What it must look like, from beginning to end.
    #[serde(deserialize_with = "pattern")]
    pub pattern: Regex,
    /// What the text means; the text itself, unless told otherwise.
    #[serde(default)]
    pub meaning: Meaning,
    /// What it is, for `--help`.
    pub help: String,
}

/// What the text of an input means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Itself.
    #[default]
    Text,
    /// A name in SQL: its upper-case form, unless it is in double quotes of its own.
    SqlName,
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

/// One action of one person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the journal and on the command line.
    pub id: String,
    /// The phase that it belongs to.
    pub phase: Phase,
    /// Who does it.
    pub actor: Actor,
    /// Where: a menu path or an address.
    #[serde(rename = "where")]
    pub place: Option<Template>,
    /// What is done: one action.
    #[serde(rename = "do")]
    pub action: Template,
    /// What to type.
    pub command: Option<Command>,
    /// What the person should see.
    pub expect: Option<Template>,
    /// What to note down.
    pub evidence: Option<String>,
    /// In which form it is noted down.
    #[serde(default)]
    pub form: Form,
    /// The answers of which one is noted down, where its form is a choice.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The answers with which alone it is a step at all.
    #[serde(default)]
    pub only: Vec<Only>,
    /// Whether it changes anything outside, where its phase says otherwise.
    pub effect: Option<bool>,
    /// Whether it can be taken back.
    #[serde(default = "yes")]
    pub reversible: bool,
    /// What to beware of.
    pub caution: Option<Template>,
    /// How it is taken back, and how the rotation comes to its end after that.
    pub back: Option<Back>,
    /// Where the vendor describes it.
    pub link: Option<String>,
}

/// An answer that decides whether a step belongs to the plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// The input that is asked.
    pub input: String,
    /// The value that it has.
    pub is: String,
}

/// The way back from a step. A credential that was put back is not the end: what follows is told with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    /// What is done.
    #[serde(rename = "do")]
    pub action: Template,
    /// What to type.
    pub command: Option<Command>,
    /// How the rotation is finished from there.
    pub finish: Template,
    /// What to type for that.
    pub finish_command: Option<Command>,
}

/// Something to type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Into what.
    pub language: Language,
    /// The text.
    pub text: Template,
    /// What it does when it is run a second time.
    pub repeat: Option<Repeat>,
    /// Where it must not be repeated: how to see whether it ran.
    pub unknown: Option<Template>,
}

/// What a command does when it is run a second time, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Nothing more than the first time.
    Same,
    /// It fails, and changes nothing.
    Refused,
    /// Harm: nobody may run it again before they have looked.
    Once,
}

/// What a command is typed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// A POSIX shell.
    Shell,
    /// A SQL console.
    Sql,
}

impl Language {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Sql => "sql",
        }
    }
}

/// The phases, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing is changed yet.
    Opened,
    /// The new credential is made; without overlap this ends the old one.
    Created,
    /// The new credential is proven.
    Verified,
    /// Every consumer has it.
    Delivered,
    /// Every consumer is seen to use it.
    CutOver,
    /// The old credential is switched off, reversibly.
    Deactivated,
    /// The old credential rests.
    Soaked,
    /// The old credential is gone.
    Deleted,
}

impl Phase {
    /// Its name, as plans write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Created => "created",
            Self::Verified => "verified",
            Self::Delivered => "delivered",
            Self::CutOver => "cut over",
            Self::Deactivated => "deactivated",
            Self::Soaked => "soaked",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the old credential ends here, after it was replaced.
    pub fn revokes(self) -> bool {
        matches!(self, Self::Deactivated | Self::Deleted)
    }

    /// Whether its steps change something outside, as a rule.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::Created | Self::Delivered | Self::Deactivated | Self::Deleted
        )
    }
}

impl Step {
    /// Whether it changes a credential, a right or a setting at the vendor, in Gainsight or at a consumer. A note in a
    /// vault, a file on one's own machine and the run of a job are no such change.
    pub fn changes(&self) -> bool {
        self.effect.unwrap_or_else(|| self.phase.changes())
    }

    /// Every text of it that values go into.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let command = self.command.as_ref().map(|command| &command.text);
        let texts = [self.place.as_ref(), Some(&self.action), command, self.expect.as_ref()];
        texts.into_iter().flatten().chain(self.warnings())
    }

    /// What is told of it beside its action: what to beware of, and the way back.
    fn warnings(&self) -> impl Iterator<Item = &Template> {
        let unknown = self.command.as_ref().and_then(|command| command.unknown.as_ref());
        let back = self.back.as_ref().map(Back::texts);
        let texts = [self.caution.as_ref(), unknown];
        texts.into_iter().flatten().chain(back.into_iter().flatten())
    }

    /// Whether it belongs to the plan that is made with these values. While nobody has answered, it does.
    pub fn belongs(&self, values: &BTreeMap<String, String>) -> bool {
        let fits = |only: &Only| values.get(&only.input).is_none_or(|answer| *answer == only.is);
        self.only.iter().all(fits)
    }

    /// Everything that is typed in it, with what it is for.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let back = self.back.as_ref();
        let commands = [
            self.command.as_ref(),
            back.and_then(|back| back.command.as_ref()),
            back.and_then(|back| back.finish_command.as_ref()),
        ];
        commands.into_iter().flatten()
    }
}

impl Back {
    fn texts(&self) -> impl Iterator<Item = &Template> {
        let typed = [&self.command, &self.finish_command].into_iter().flatten();
        let typed = typed.flat_map(|command| [Some(&command.text), command.unknown.as_ref()].into_iter().flatten());
        [&self.action, &self.finish].into_iter().chain(typed)
    }
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Whoever runs `rotate`.
    Operator,
    /// An administrator of Gainsight.
    GainsightAdmin,
    /// A super administrator of Gainsight.
    GainsightSuperAdmin,
    /// An administrator at the vendor.
    VendorAdmin,
    /// The user at the vendor whose credential it is.
    VendorUser,
    /// A database administrator.
    Dba,
}

impl Actor {
    /// The person, in a plan for this vendor.
    pub fn title(self, vendor: &str) -> String {
        match self {
            Self::Operator => "You".to_owned(),
            Self::GainsightAdmin => "Gainsight admin".to_owned(),
            Self::GainsightSuperAdmin => "Gainsight super admin".to_owned(),
            Self::VendorAdmin => format!("{vendor} admin"),
            Self::VendorUser => format!("{vendor} user"),
            Self::Dba => "Database admin".to_owned(),
        }
    }
}

/// How to see that the old credential is dead.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negative {
    /// Who looks.
    pub actor: Actor,
    /// What they do. Never a series of logins with an old password: that locks accounts.
    #[serde(rename = "do")]
    pub action: Template,
    /// What to type.
    pub command: Option<Command>,
    /// What they should see.
    pub expect: Template,
    /// What still works for a while, and how long.
    pub residue: Option<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// Which of a guide's procedures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
        let guide: Self = toml::from_str(text).map_err(|error| Flaw::unreadable(text, &error))?;
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
    pub fn inputs_of(&self, procedure: Procedure) -> Vec<&Input> {
        let negative = self.negative.texts().filter(|_| procedure == Procedure::Rotate);
        let steps = self.steps(procedure);
        let texts: Vec<&Template> = steps.iter().flat_map(Step::texts).chain(negative).collect();
        let decides = |input: &Input| {
            let mut choices = steps.iter().flat_map(|step| &step.only);
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
    /// has the new one; `None` where they overlap.
    pub fn gap(&self, steps: &[&Step]) -> Option<(usize, usize)> {
        if self.credential.overlap == Overlap::Yes {
            return None;
        }
        let ends = |step: &&Step| step.phase <= Phase::Delivered && !step.reversible;
        let first = steps.iter().position(ends)?;
        let last = steps.iter().rposition(|step| step.phase == Phase::Delivered)?;
        (first <= last).then_some((first, last))
    }

    /// These values, and the defaults of the inputs for which there is none.
    pub fn with_defaults(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let inputs = self.inputs.iter();
        let defaults = inputs.filter_map(|input| Some((input.name.clone(), input.default.clone()?)));
        defaults.chain(given.clone()).collect()
    }

    /// The input that names the target.
    pub fn identity(&self) -> Option<&Input> {
        self.inputs.iter().find(|input| input.identifies)
    }
}

impl Negative {
    /// Every text of it that values go into.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let command = self.command.as_ref().map(|command| &command.text);
        [&self.action, &self.expect].into_iter().chain(command)
    }
}

impl Input {
    /// The option that gives it.
    pub fn option(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The value that this text means; `None` where it does not look as it must.
    pub fn read(&self, text: &str) -> Option<String> {
        if !self.pattern.is_match(text) || text.chars().any(char::is_control) {
            return None;
        }
        match self.meaning {
            Meaning::Text => Some(text.to_owned()),
            Meaning::SqlName => sql_name::meant(text).ok(),
        }
    }

    /// The values that it can have, where it is a choice between some words.
    pub fn choices(&self) -> Vec<&str> {
        let words: Vec<&str> = self.form().split('|').collect();
        let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match words.len() > 1 && words.iter().all(is_word) {
            true => words,
            false => Vec::new(),
        }
    }

    /// What it must look like, in the words of a regular expression.
    pub fn form(&self) -> &str {
        self.pattern.as_str().trim_start_matches("^(?:").trim_end_matches(")$")
    }
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&format!("^(?:{text})$")).map_err(serde::de::Error::custom)
}

fn yes() -> bool {
    true
}

fn rotation_only() -> Vec<Procedure> {
    vec![Procedure::Rotate]
}
