//! What a guide tells a person to type, typed: every statement for MySQL and PostgreSQL on a real server, every command for a
//! shell in bash and in dash.
//!
//! The servers are found or started by the fixtures. Of Redshift there is none to be had; what it shares with PostgreSQL runs
//! there, and the test says what does not.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

mod clients;
mod interrupted;
mod mysql;
mod postgres;
mod redshift;
mod shells;

use std::collections::{BTreeMap, BTreeSet};

use rotate_providers::connector;
use rotate_providers::guide::{Command, Guide, Language, Procedure, Repeat};

type Values = BTreeMap<String, String>;

/// Names that a database takes, and that end a quote, a statement or a shell's word where somebody forgot to write them as one.
const NAMES: [&str; 11] = [
    "gainsight",
    "Gain Sight",
    "O'Brien",
    "a\"b`c",
    "M\u{fc}ller",
    "x; DROP ROLE admin; --",
    "$(id) ${HOME}",
    "first+last@acme.com",
    "back\\slash",
    "end\\",
    "UPPER#%_",
];

/// A guide, and what of it was typed.
struct Typist {
    guide: Guide,
    typed: BTreeSet<String>,
}

impl Typist {
    fn of(id: &str) -> Self {
        let guide = connector(id).and_then(|connector| connector.guide().ok());
        Self {
            guide: guide.expect("the guide is sound"),
            typed: BTreeSet::new(),
        }
    }

    /// What a step has to type: `step`, `step/back` or `step/finish`.
    fn command(&self, named: &str) -> &Command {
        let (id, part) = named.split_once('/').unwrap_or((named, ""));
        if id == "negative" {
            return self
                .guide
                .negative
                .command
                .as_ref()
                .expect("the negative check has one");
        }
        let step = self.guide.steps(Procedure::Rotate).iter().find(|step| step.id == id);
        let step = step.expect(named);
        let back = step.back.as_ref();
        let command = match part {
            "back" => back.and_then(|back| back.command.as_ref()),
            "finish" => back.and_then(|back| back.finish_command.as_ref()),
            _ => step.command.as_ref(),
        };
        command.expect(named)
    }

    /// The text as a person with these values sees it, with what they write over the words in angle brackets.
    fn text(&mut self, named: &str, values: &Values, written: &[(&str, &str)]) -> String {
        self.typed.insert(named.to_owned());
        let mut text = self.command(named).text.fill(values);
        for (place, words) in written {
            assert!(text.contains(place), "{named} has no {place}: {text}");
            text = text.replace(place, words);
        }
        text.trim().to_owned()
    }

    fn repeat(&self, named: &str) -> Option<Repeat> {
        self.command(named).repeat
    }

    /// Everything of this language that there is to type.
    fn all(&self, language: Language) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for step in self.guide.steps(Procedure::Rotate) {
            let back = step.back.as_ref();
            for (command, part) in [
                (step.command.as_ref(), ""),
                (back.and_then(|back| back.command.as_ref()), "/back"),
                (back.and_then(|back| back.finish_command.as_ref()), "/finish"),
            ] {
                if command.is_some_and(|command| command.language == language) {
                    all.insert(format!("{}{part}", step.id));
                }
            }
        }
        if self
            .guide
            .negative
            .command
            .as_ref()
            .is_some_and(|command| command.language == language)
        {
            all.insert("negative".to_owned());
        }
        all
    }

    /// Nothing of the guide was left out.
    #[track_caller]
    fn expect_everything_typed(&self, language: Language, but: &[&str]) {
        let typed: BTreeSet<&str> = self
            .typed
            .iter()
            .map(String::as_str)
            .chain(but.iter().copied())
            .collect();
        let left: Vec<String> = self
            .all(language)
            .into_iter()
            .filter(|named| !typed.contains(named.as_str()))
            .collect();
        assert!(left.is_empty(), "never typed: {left:?}");
    }
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The values go through the guide's own forms first: what it would refuse is not typed.
fn taken(guide: &Guide, values: &Values) -> bool {
    values.iter().all(|(name, value)| {
        let input = guide.inputs.iter().find(|input| input.name == *name);
        input.is_some_and(|input| input.takes(value))
    })
}
