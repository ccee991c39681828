//! A program that the configuration names: how it is written down, when it is not started, and what it gets.
//!
//! Its environment is cleared but for an allow-list, and it ends, in its time, with all that it has started.

pub(super) mod process;

use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rotate_providers::secret::Secret;
use rotate_providers::untrusted::sanitized;

use super::Fault;
use super::options::Options;
use crate::duration;
use crate::private_file::{Place, Refused};
use crate::secret_scan::{looks_secret, value_looks_secret};
use process::{Job, run};

pub(super) use process::{Ended, ROOM};

/// How long it may take, unless its options say otherwise, and how long it may be given.
const USUAL_SECONDS: u64 = 60;
const LONGEST_SECONDS: u64 = 600;

/// What of the environment it always gets, where it is set.
const ENVIRONMENT: [&str; 5] = ["HOME", "LANG", "LC_ALL", "PATH", "TZ"];

/// How much of a line that it printed is told.
const LONGEST_LINE: usize = 300;

/// A program with its arguments.
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<String>,
    time_limit: Duration,
}

/// What stands before a command line: `?env=NAME&timeout=30s PROGRAM ARG…`.
pub(super) fn options_before(rest: &str) -> Result<(Options, &str), Fault> {
    match rest.strip_prefix('?') {
        Some(rest) => {
            let (options, line) = rest.split_once(' ').unwrap_or((rest, ""));
            Ok((Options::parse(options)?, line))
        }
        None => Ok((Options::default(), rest)),
    }
}

/// Options and command line as one text again.
pub(super) fn behind_options(options: &str, line: &str) -> String {
    match options {
        "" => line.to_owned(),
        options => format!("{options} {line}"),
    }
}

impl Program {
    /// `PROGRAM ARG…`, quoted as for a shell, with its options `env` and `timeout`; and the line as it is always written.
    pub(super) fn parse(line: &str, options: &mut Options) -> Result<(Self, String), Fault> {
        let words = shlex::split(line).ok_or(Fault::Name("its command has a quote that nothing ends"))?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(Fault::Name("it names no program: write /PATH/OF/PROGRAM ARG…"));
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
        let environment = listed(options, "env");
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
        let program = Self {
            path: PathBuf::from(program),
            arguments: arguments.to_vec(),
            environment,
            time_limit: Duration::from_secs(seconds),
        };
        Ok((program, joined))
    }

    /// How long it may take.
    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Its path, as it is told.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Runs it to its end, with these arguments behind its own, these variables, and this on its standard input.
    pub(super) async fn run(
        &self,
        arguments: &[&str],
        told: Vec<(&'static str, String)>,
        input: Secret,
    ) -> Result<Ended, Fault> {
        self.run_within(self.time_limit, arguments, told, input).await
    }

    /// The same, where it has this time.
    pub(super) async fn run_within(
        &self,
        time_limit: Duration,
        arguments: &[&str],
        told: Vec<(&'static str, String)>,
        input: Secret,
    ) -> Result<Ended, Fault> {
        self.check()?;
        let allowed = ENVIRONMENT
            .into_iter()
            .map(str::to_owned)
            .chain(self.environment.iter().cloned());
        let allowed = allowed.filter_map(|name| Some((OsString::from(&name), std::env::var_os(name)?)));
        let told = told
            .into_iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let own = self.arguments.iter().map(String::as_str);
        let job = Job {
            program: self.path.clone(),
            arguments: own.chain(arguments.iter().copied()).map(str::to_owned).collect(),
            environment: allowed.chain(told).collect(),
            input,
            hears_errors: true,
            time_limit,
        };
        let ended = tokio::task::spawn_blocking(move || run(job)).await;
        let ended = ended.map_err(|_| Fault::Program("the program could not be waited for".to_owned()))?;
        ended.map_err(|error| Fault::Program(format!("{} cannot be started: {error}", self.shown())))
    }

    /// Whether the program is there, and nobody else can put another in its stead.
    pub(super) fn check(&self) -> Result<(), Fault> {
        check(&self.path)
    }
}

/// The words of an option that is a list.
pub(super) fn listed(options: &mut Options, key: &str) -> Vec<String> {
    let told = options.take(key).unwrap_or_default();
    let words = told.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The last lines that it printed, at most so many, where none shows a secret.
pub(super) fn last_lines(said: &str, most: usize, gives_away: bool) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(most)..];
    if last.is_empty() {
        return String::new();
    }
    if gives_away || last.iter().any(|line| looks_secret(line).is_some()) {
        return "; what it printed is not shown: it looks like a secret".to_owned();
    }
    let short = |line: &&str| -> String { line.trim().chars().take(LONGEST_LINE).collect() };
    let short: Vec<String> = last.iter().map(short).collect();
    format!(": {}", sanitized(&short.join(" | ")))
}

fn check(path: &Path) -> Result<(), Fault> {
    let shown = path.display();
    let wrong = |what: &str| Err(Fault::Program(format!("{shown} {what}")));
    let Ok(found) = std::fs::metadata(path) else {
        return wrong("is not there, or may not be looked at");
    };
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return wrong("is no program that can be started");
    }
    if found.mode() & 0o022 != 0 {
        return wrong("can be written by other users, who would decide what it does: chmod go-w it");
    }
    if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
        return wrong("belongs to another user, who would decide what it does");
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
