//! Command lines: printed as they could be typed, then run.

#![expect(clippy::print_stderr, reason = "it is there to be read")]

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command line.
pub(crate) struct Said {
    command: Command,
    shown: String,
    variables: String,
}

impl Said {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        Self {
            command: Command::new(program),
            shown: shown(program),
            variables: String::new(),
        }
    }

    pub(crate) fn word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word.as_ref());
        self.shown.push(' ');
        self.shown.push_str(&shown(word.as_ref()));
        self
    }

    pub(crate) fn words<W: AsRef<OsStr>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, Self::word)
    }

    /// The same, with this variable.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value.as_ref());
        self.variables.push_str(&format!("{name}={} ", shown(value.as_ref())));
        self
    }

    /// The same, without this variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The same, in this folder.
    pub(crate) fn at(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let line = self.print();
        let started = Instant::now();
        let status = self.command.status();
        let status = status.map_err(|error| format!("{line}: it cannot be started: {error}"))?;
        eprintln!("== took {} s", started.elapsed().as_secs());
        status.success().then_some(()).ok_or(format!("{line}: {status}"))
    }

    /// Runs it, and gives what it printed on stdout; what it says beside that is shown.
    pub(crate) fn read(mut self) -> Result<String, String> {
        let line = self.print();
        let ran = self.command.stderr(Stdio::inherit()).output();
        let ran = ran.map_err(|error| format!("{line}: it cannot be started: {error}"))?;
        if !ran.status.success() {
            return Err(format!("{line}: {}", ran.status));
        }
        String::from_utf8(ran.stdout).map_err(|_| format!("{line}: what it printed is no text"))
    }

    /// Says that it is not run, and why.
    pub(crate) fn leave_out(self, why: &str) {
        eprintln!("== NOT RUN, because {why}: {}{}", self.variables, self.shown);
    }

    /// As it could be typed.
    pub(crate) fn line(&self) -> String {
        format!("{}{}", self.variables, self.shown)
    }

    fn print(&self) -> String {
        let line = self.line();
        eprintln!("== {line}");
        line
    }
}

/// A word as a shell takes it.
fn shown(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''").replace('\u{1f}', " "))
}

/// Whether a program of this name is on the path.
pub(crate) fn is_there(program: &str) -> bool {
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
