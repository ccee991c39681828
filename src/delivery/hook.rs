//! A program that runs after a delivery: whoever has read the destination once has to be told that it holds something new.
//!
//! It never gets the secret: its standard input is empty, and its environment says whose key it is about and no more.

use rotate_providers::secret::Secret;

use super::Fault;
use super::options::Options;
use super::program::{Program, behind_options, last_lines, options_before};
use super::readings::{is_between, is_long, long_words, readings};

/// How many of the last lines that it printed are told.
const MOST_LINES: usize = 5;

/// A program that runs after a delivery.
pub struct Hook {
    name: String,
    program: Program,
}

/// What a program is told.
pub struct HookTold<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The rotation's id.
    pub rotation: &'a str,
    /// The key that the destinations hold now.
    pub key: &'a str,
}

/// How it ended.
pub enum HookEnd {
    /// Well.
    Ran,
    /// Not well, as this says.
    Failed(String),
}

/// A program that cannot be run after a delivery.
#[derive(Debug, thiserror::Error)]
#[error("after the delivery, {hook}: {fault}")]
pub struct HookError {
    /// Its name.
    pub hook: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Hook {
    /// `PROGRAM ARG…`, quoted as for a shell, behind options as in `?env=NAME&timeout=30s`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (options, line) = options_before(text)?;
        Self::new(line, options)
    }

    /// The same, with its options apart.
    pub fn new(line: &str, mut options: Options) -> Result<Self, Fault> {
        let written = options.written();
        let (program, line) = Program::parse(line, &mut options)?;
        options.end()?;
        Ok(Self {
            name: behind_options(&written, &line),
            program,
        })
    }

    /// By the name that the journal knows it by.
    pub fn named(name: &str) -> Result<Self, HookError> {
        Self::parse(name).map_err(|fault| HookError {
            hook: name.to_owned(),
            fault,
        })
    }

    /// The name that the journal knows it by; parsed again, it gives the same program.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long it may take, in seconds.
    pub fn seconds(&self) -> u64 {
        self.program.time_limit().as_secs()
    }

    /// Looks whether it could be started, and does not start it.
    pub fn check(&self) -> Result<(), HookError> {
        self.program.check().map_err(|fault| self.failed(fault))
    }

    /// Runs it to its end. Not repeatable: nobody here knows what it does. What it printed is told unless it gives a secret away.
    pub async fn run(&self, told: &HookTold<'_>, gives_away: impl Fn(&str) -> bool) -> HookEnd {
        let variables = vec![
            ("ROTATE_TARGET", told.target.to_owned()),
            ("ROTATE_ROTATION", told.rotation.to_owned()),
            ("ROTATE_KEY_ID", told.key.to_owned()),
        ];
        let ended = match self.program.run(&[], variables, Secret::new([])).await {
            Ok(ended) => ended,
            Err(fault) => return HookEnd::Failed(fault.to_string()),
        };
        let said = last_lines(
            &ended.said,
            MOST_LINES,
            gives_away(&ended.began) || gives_away(&ended.said),
        );
        HookEnd::Failed(match ended.code {
            _ if ended.is_late => {
                let seconds = self.seconds();
                format!("it had not ended after {seconds} s and was killed with its process group{said}")
            }
            Some(0) => return HookEnd::Ran,
            Some(code) => format!("it ended with exit code {code}{said}"),
            None => format!("it was killed by a signal{said}"),
        })
    }

    fn failed(&self, fault: Fault) -> HookError {
        HookError {
            hook: self.name.clone(),
            fault,
        }
    }
}

/// Whether this text repeats something of what a destination held, in clear or encoded: a word that is long enough to be a secret,
/// or part of one; or the whole of it, or a value in it, whatever stands right beside that.
pub fn shows(said: &str, held: &Secret) -> bool {
    let Some(held) = held.expose_text().map(str::trim).filter(|held| !held.is_empty()) else {
        return false;
    };
    let (said, held) = (readings(said), readings(held));
    held.iter()
        .any(|held| said.iter().any(|said| repeats(said, held.trim())))
}

fn repeats(said: &str, held: &str) -> bool {
    let values = held.lines().filter_map(|line| line.split_once(['=', ':']));
    let mut values = values
        .map(|(_, value)| value.trim_matches(is_between))
        .filter(|value| is_long(value));
    said.contains(held)
        || long_words(said).any(|word| held.contains(word))
        || long_words(held).any(|word| said.contains(word))
        || values.any(|value| said.contains(value))
}
