//! One action of one person: what it is, what is typed, what is seen, and how it is taken back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Form, Template};
use crate::PhaseName;

/// One action of one person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the journal and on the command line.
    pub id: String,
    /// The phase that it belongs to.
    pub phase: PhaseName,
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

impl Only {
    /// Whether these values give the answer, or leave it open.
    pub fn fits(&self, values: &BTreeMap<String, String>) -> bool {
        values.get(&self.input).is_none_or(|answer| *answer == self.is)
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
        self.only.iter().all(|only| only.fits(values))
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

fn yes() -> bool {
    true
}
