//! A destination that is a program: it gets the secret on its standard input, and takes it wherever it belongs.
//!
//! Its last argument is what it is to do, and standard input has one JSON document, which says the same. Arguments and
//! environment never hold a secret.

use std::time::Duration;

use async_trait::async_trait;
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::program::{Ended, Program, ROOM, behind_options, last_lines, listed, options_before};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;

/// The protocol that its document is of.
const PROTOCOL: u8 = 1;

/// How a program says "it is not so": what it should hold it does not, what it should put back was changed since.
const NOT_SO: i32 = 10;

/// Whoever starts this program says with it that looking may start others: a pull request may have written their names.
const ALLOWED_BY: &str = "ROTATE_ALLOW_EXEC";

/// What is said of a destination that was not looked at because nobody has said so.
pub(super) const NOT_STARTED: &str =
    "not looked at: no program is started for that, unless ROTATE_ALLOW_EXEC=1 says so";

/// A program with its arguments.
pub(super) struct Exec {
    name: String,
    program: Program,
    mapping: Mapping,
    can_verify: bool,
    can_restore: bool,
}

/// What it is asked for.
#[derive(Clone, Copy)]
enum Action {
    Prepare,
    Deliver,
    Verify,
    Restore,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Deliver => "deliver",
            Self::Verify => "verify",
            Self::Restore => "restore",
        }
    }
}

/// The document. Holds a secret: never printed, dropped at once.
#[derive(Serialize)]
struct Document<'a> {
    protocol: u8,
    action: &'static str,
    destination: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    expects: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "pairs")]
    fields: Option<Vec<(&'a str, &'a str)>>,
}

impl Exec {
    /// `PROGRAM ARG…`, quoted as for a shell, behind options as in `?can=verify,restore&env=NAME&timeout=30s`.
    pub(super) fn new(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (mut options, line) = options_before(rest)?;
        let written = options.written();
        let (program, line) = Program::parse(line, &mut options)?;
        let (mut can_verify, mut can_restore) = (false, false);
        for ability in listed(&mut options, "can") {
            match ability.as_str() {
                "verify" => can_verify = true,
                "restore" => can_restore = true,
                _ => return Err(Fault::Option("can".to_owned(), "write verify, restore or both")),
            }
        }
        let mapping = Mapping::everything(form, &mut options)?;
        options.end()?;
        Ok(Self {
            name: format!("exec:{}", behind_options(&written, &line)),
            program,
            mapping,
            can_verify,
            can_restore,
        })
    }

    /// Asks the program, and says whether it is so.
    async fn ask(&self, action: Action, fields: Option<&Fields>) -> Result<bool, Fault> {
        let input = self.document(action, fields)?;
        let ended = self.program.run(&[action.name()], Vec::new(), input).await?;
        self.assess(action, fields, &ended)
    }

    fn assess(&self, action: Action, fields: Option<&Fields>, ended: &Ended) -> Result<bool, Fault> {
        let said = said(ended, action, fields);
        let wrong = |what: String| {
            Err(Fault::Program(format!(
                "{} {} {what}",
                self.program.shown(),
                action.name()
            )))
        };
        if ended.is_late {
            let seconds = self.program.time_limit().as_secs();
            return wrong(format!(
                "had not ended after {seconds} s and was killed with its process group{said}"
            ));
        }
        if fields.is_some_and(|fields| gives_away(fields, ended)) {
            tracing::warn!(
                "{} prints the secret that it is given; it was not shown: mend it",
                self.program.shown()
            );
        }
        match (ended.code, action) {
            (Some(0), Action::Prepare) => Ok(true),
            (Some(0), _) if ended.left_unread => wrong(
                "ended well without reading all of its standard input, so it cannot have delivered anything".to_owned(),
            ),
            (Some(0), _) => Ok(true),
            (Some(NOT_SO), Action::Verify | Action::Restore) => Ok(false),
            (Some(code), _) => wrong(format!("ended with exit code {code}{said}")),
            (None, _) => wrong(format!("was killed by a signal{said}")),
        }
    }

    fn document(&self, action: Action, fields: Option<&Fields>) -> Result<Secret, Fault> {
        // What a program can get ready for, before there is a secret.
        let expects = match fields {
            Some(_) => serde_json::Map::new(),
            None => self
                .mapping
                .names()
                .map(|name| (name.to_owned(), true.into()))
                .collect(),
        };
        let document = Document {
            protocol: PROTOCOL,
            action: action.name(),
            destination: &self.name,
            rotation: fields.map(|fields| fields.rotation.as_str()),
            key: fields.map(|fields| fields.key.as_str()),
            expects,
            fields: fields.map(|fields| self.mapping.values_there_are(fields)),
        };
        // Room for everything: what grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *bytes, &document)
            .map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
        bytes.push(b'\n');
        if bytes.len() > ROOM {
            return Err(Fault::Content("the credential is larger than any program is given"));
        }
        Ok(Secret::new(bytes.as_slice()))
    }
}

#[async_trait]
impl Destination for Exec {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            readable: self.can_verify,
            versioned: self.can_restore,
            restores: self.can_restore,
            ..Capabilities::WRITE_ONLY
        }
    }

    /// It is shown a secret, and says whether it holds that one.
    fn tells_key(&self) -> bool {
        false
    }

    fn occupies(&self) -> Occupied {
        // Options say how it is asked, and not where it puts what it gets.
        let place = match self.name.strip_prefix("exec:?").and_then(|rest| rest.split_once(' ')) {
            Some((_, command)) => format!("exec:{command}"),
            None => self.name.clone(),
        };
        Occupied::at(place, None)
    }

    /// One program may keep a lock while it works, whatever its arguments are.
    fn part_of(&self) -> String {
        format!("exec:{}", self.program.shown())
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(self.program.time_limit())
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        self.program.check().map_err(|fault| fault.at(&self.name))?;
        if !looking_starts_programs() {
            return Ok(Inspected::NotLookedAt(NOT_STARTED));
        }
        match self.ask(Action::Prepare, None).await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        match self.ask(Action::Prepare, None).await {
            Ok(_) => Ok(()),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        if !self.can_verify {
            return Ok(false);
        }
        let answer = self.ask(Action::Verify, Some(fields)).await;
        answer.map_err(|fault| fault.at(&self.name))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        let delivered = self.ask(Action::Deliver, Some(fields)).await;
        delivered.map_err(|fault| fault.at(&self.name))?;
        crash_point("exec: delivered");
        if self.can_verify && !self.holds(fields).await? {
            return Err(Fault::ReadBack.at(&self.name));
        }
        Ok(())
    }

    async fn restore(&self, fields: &Fields, _: &Secret) -> Result<Restored, DeliveryError> {
        if !self.can_restore {
            return Err(Fault::NotRestorable.at(&self.name));
        }
        let restored = self.ask(Action::Restore, Some(fields)).await;
        let restored = restored.map_err(|fault| fault.at(&self.name))?;
        crash_point("exec: put back");
        Ok(match restored {
            true => Restored::PutBack,
            false => Restored::ChangedSince,
        })
    }
}

/// Whether looking at a destination may start a program.
pub(super) fn looking_starts_programs() -> bool {
    std::env::var_os(ALLOWED_BY).is_some_and(|said| said == "1")
}

/// The last line that it printed, where that shows no secret.
fn said(ended: &Ended, action: Action, fields: Option<&Fields>) -> String {
    // What it was given to put back is the old secret, of which nothing is known here.
    if matches!(action, Action::Restore) && !ended.said.trim().is_empty() {
        return "; what it printed is not shown: it may hold the old secret".to_owned();
    }
    let gives_away = fields.is_some_and(|fields| gives_away(fields, ended));
    last_lines(&ended.said, 1, gives_away)
}

/// Whether the secret shows in what is known of what it printed.
fn gives_away(fields: &Fields, ended: &Ended) -> bool {
    fields.gives_away(&ended.began) || fields.gives_away(&ended.said)
}

fn pairs<S: serde::Serializer>(pairs: &Option<Vec<(&str, &str)>>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().flatten().map(|(name, value)| (*name, *value)))
}
