//! A destination that is a program: it gets the secret on its standard input, and takes it wherever it belongs.
//!
//! Its last argument is what it is to do, and standard input has one JSON document, which says the same. Arguments and
//! environment never hold a secret.

pub(super) mod process;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::sanitized;
use serde::Serialize;
use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::options::Options;
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::duration;
use crate::hooks::crash_point;
use crate::machine::Restored;
use crate::private_file::{Place, Refused};
use crate::secret_scan::{looks_secret, value_looks_secret};
use process::{Ended, Job, run};

/// The protocol that its document is of.
const PROTOCOL: u8 = 1;

/// How a program says "it is not so": what it should hold it does not, what it should put back was changed since.
const NOT_SO: i32 = 10;

/// How long it may take, unless the name says otherwise, and how long it may be given.
const USUAL_SECONDS: u64 = 60;
const LONGEST_SECONDS: u64 = 600;

/// What of the environment it always gets, where it is set.
const ENVIRONMENT: [&str; 5] = ["HOME", "LANG", "LC_ALL", "PATH", "TZ"];

/// Whoever starts this program says with it that looking may start others: a pull request may have written their names.
const ALLOWED_BY: &str = "ROTATE_ALLOW_EXEC";

/// What is said of a destination that was not looked at because nobody has said so.
pub(super) const NOT_STARTED: &str =
    "not looked at: no program is started for that, unless ROTATE_ALLOW_EXEC=1 says so";

/// A program with its arguments.
pub(super) struct Exec {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    mapping: Mapping,
    can_verify: bool,
    can_restore: bool,
    environment: Vec<String>,
    time_limit: Duration,
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
        let (mut options, line) = match rest.strip_prefix('?') {
            Some(rest) => {
                let (options, line) = rest.split_once(' ').unwrap_or((rest, ""));
                (Options::parse(options)?, line)
            }
            None => (Options::default(), rest),
        };
        let written = options.written();
        let words = shlex::split(line).ok_or(Fault::Name("its command has a quote that nothing ends"))?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(Fault::Name("it names no program: write exec:/PATH/OF/PROGRAM ARG…"));
        };
        if !program.starts_with('/') {
            return Err(Fault::Name("write the whole path of the program, beginning with /"));
        }
        if words.iter().any(|word| word.chars().any(char::is_control)) {
            return Err(Fault::Name("its command has characters that cannot be written down"));
        }
        let is_secret = |word: &String| !word.starts_with('/') && value_looks_secret("argument", word).is_some();
        if arguments.iter().any(is_secret) {
            return Err(Fault::Name(
                "one of its arguments looks like a secret, and everybody would see it: name a variable with env=, or a file",
            ));
        }
        let joined = shlex::try_join(words.iter().map(String::as_str))
            .map_err(|_| Fault::Name("its command has characters that cannot be written down"))?;
        let (mut can_verify, mut can_restore) = (false, false);
        for ability in listed(&mut options, "can") {
            match ability.as_str() {
                "verify" => can_verify = true,
                "restore" => can_restore = true,
                _ => return Err(Fault::Option("can".to_owned(), "write verify, restore or both")),
            }
        }
        let environment = listed(&mut options, "env");
        let is_name = |name: &String| {
            name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        if !environment.iter().all(is_name) {
            return Err(Fault::Option("env".to_owned(), "write names of variables: NAME,NAME"));
        }
        let seconds = match options.take("timeout") {
            None => USUAL_SECONDS,
            Some(text) => duration::seconds(&text)
                .ok()
                .filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds))
                .ok_or_else(|| Fault::Option("timeout".to_owned(), "write a time from 1s to 10m"))?,
        };
        let mapping = Mapping::everything(form, &mut options)?;
        options.end()?;
        let name = match written.as_str() {
            "" => format!("exec:{joined}"),
            options => format!("exec:{options} {joined}"),
        };
        Ok(Self {
            name,
            program: PathBuf::from(program),
            arguments: arguments.to_vec(),
            mapping,
            can_verify,
            can_restore,
            environment,
            time_limit: Duration::from_secs(seconds),
        })
    }

    /// Asks the program, and says whether it is so.
    async fn ask(&self, action: Action, fields: Option<&Fields>) -> Result<bool, Fault> {
        check_program(&self.program)?;
        let environment = ENVIRONMENT
            .into_iter()
            .map(str::to_owned)
            .chain(self.environment.iter().cloned());
        let job = Job {
            program: self.program.clone(),
            arguments: self
                .arguments
                .iter()
                .cloned()
                .chain([action.name().to_owned()])
                .collect(),
            environment: environment
                .filter_map(|name| Some((name.clone().into(), std::env::var_os(name)?)))
                .collect(),
            input: self.document(action, fields)?,
            hears_errors: true,
            time_limit: self.time_limit,
        };
        let ended = tokio::task::spawn_blocking(move || run(job)).await;
        let ended = ended.map_err(|_| Fault::Program("the program could not be waited for".to_owned()))?;
        let shown = self.program.display();
        let ended = ended.map_err(|error| Fault::Program(format!("{shown} cannot be started: {error}")))?;
        self.assess(action, fields, &ended)
    }

    fn assess(&self, action: Action, fields: Option<&Fields>, ended: &Ended) -> Result<bool, Fault> {
        let said = said(ended, action, fields);
        let wrong = |what: String| {
            Err(Fault::Program(format!(
                "{} {} {what}",
                self.program.display(),
                action.name()
            )))
        };
        if ended.is_late {
            let seconds = self.time_limit.as_secs();
            return wrong(format!(
                "had not ended after {seconds} s and was killed with its process group{said}"
            ));
        }
        if fields.is_some_and(|fields| gives_away(fields, ended)) {
            tracing::warn!(
                "{} prints the secret that it is given; it was not shown: mend it",
                self.program.display()
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
        let mut bytes = Zeroizing::new(Vec::with_capacity(process::ROOM));
        serde_json::to_writer(&mut *bytes, &document)
            .map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
        bytes.push(b'\n');
        if bytes.len() > process::ROOM {
            return Err(Fault::Content("the credential is larger than any program is given"));
        }
        Ok(Secret::new(bytes.as_slice()))
    }

    fn failed(&self, fault: Fault) -> DeliveryError {
        DeliveryError {
            destination: self.name.clone(),
            fault,
        }
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

    fn occupies(&self) -> Occupied {
        Occupied {
            // Options say how it is asked, and not where it puts what it gets.
            place: match self.name.strip_prefix("exec:?").and_then(|rest| rest.split_once(' ')) {
                Some((_, command)) => format!("exec:{command}"),
                None => self.name.clone(),
            },
            names: None,
        }
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        check_program(&self.program).map_err(|fault| self.failed(fault))?;
        if !looking_starts_programs() {
            return Ok(Inspected::NotLookedAt(NOT_STARTED));
        }
        match self.ask(Action::Prepare, None).await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(self.failed(fault)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        match self.ask(Action::Prepare, None).await {
            Ok(_) => Ok(()),
            Err(fault) => Err(self.failed(fault)),
        }
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        if !self.can_verify {
            return Ok(false);
        }
        let answer = self.ask(Action::Verify, Some(fields)).await;
        answer.map_err(|fault| self.failed(fault))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        let delivered = self.ask(Action::Deliver, Some(fields)).await;
        delivered.map_err(|fault| self.failed(fault))?;
        crash_point("exec: delivered");
        if self.can_verify && !self.holds(fields).await? {
            return Err(self.failed(Fault::ReadBack));
        }
        Ok(())
    }

    async fn restore(&self, fields: &Fields, _: &Secret) -> Result<Restored, DeliveryError> {
        if !self.can_restore {
            return Err(self.failed(Fault::NotRestorable));
        }
        let restored = self.ask(Action::Restore, Some(fields)).await;
        let restored = restored.map_err(|fault| self.failed(fault))?;
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

/// The words of an option that is a list.
fn listed(options: &mut Options, key: &str) -> Vec<String> {
    let told = options.take(key).unwrap_or_default();
    let words = told.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Whether the program is there, and nobody else can put another in its stead.
fn check_program(path: &Path) -> Result<(), Fault> {
    let shown = path.display();
    let wrong = |what: &str| Err(Fault::Program(format!("{shown} {what}")));
    let Ok(found) = std::fs::metadata(path) else {
        return wrong("is not there, or may not be looked at");
    };
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return wrong("is no program that can be started");
    }
    if found.mode() & 0o022 != 0 {
        return wrong("can be written by other users, who would get the secret: chmod go-w it");
    }
    if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
        return wrong("belongs to another user, who would get the secret");
    }
    let Ok(real) = std::fs::canonicalize(path) else {
        return wrong("is not there, or may not be looked at");
    };
    // Whoever may rename in a folder on the way may put another program there.
    for way in [path, real.as_path()] {
        let place = Place::of(way).map_err(Refused::from)?;
        place.folder().keeps_for(Some(found.uid())).map_err(Refused::from)?;
    }
    Ok(())
}

/// The last line that it printed, where that shows no secret.
fn said(ended: &Ended, action: Action, fields: Option<&Fields>) -> String {
    // What it was given to put back is the old secret, of which nothing is known here.
    if matches!(action, Action::Restore) && !ended.said.trim().is_empty() {
        return "; what it printed is not shown: it may hold the old secret".to_owned();
    }
    let Some(last) = ended.said.lines().rev().find(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    if fields.is_some_and(|fields| gives_away(fields, ended)) || looks_secret(last).is_some() {
        return "; what it printed is not shown: it looks like a secret".to_owned();
    }
    let short: String = last.trim().chars().take(300).collect();
    format!(": {}", sanitized(&short))
}

/// Whether the secret shows in what is known of what it printed.
fn gives_away(fields: &Fields, ended: &Ended) -> bool {
    fields.gives_away(&ended.began) || fields.gives_away(&ended.said)
}

fn pairs<S: serde::Serializer>(pairs: &Option<Vec<(&str, &str)>>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().flatten().map(|(name, value)| (*name, *value)))
}
