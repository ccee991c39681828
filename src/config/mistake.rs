//! What is wrong in a configuration file, where, and what fixes it.

use std::fmt;
use std::path::{Path, PathBuf};

use rotate_providers::untrusted::sanitized;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from one; `None`: the file as a whole.
    pub line: Option<usize>,
    /// The key, with the target that it belongs to: `target "main": soak`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What fixes it.
    pub remedy: String,
}

/// All mistakes of a file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The file.
    pub path: PathBuf,
    /// At least one.
    pub all: Vec<Mistake>,
}

impl Mistakes {
    pub(super) fn new(path: &Path, mut all: Vec<Mistake>) -> Self {
        all.sort_by_key(|mistake| mistake.line);
        Self {
            path: path.to_owned(),
            all,
        }
    }

    /// One line a mistake, each followed by its remedy.
    pub fn lines(&self) -> Vec<String> {
        let told = |mistake: &Mistake| {
            let place = match mistake.line {
                Some(line) => format!("{}:{line}", self.path.display()),
                None => self.path.display().to_string(),
            };
            [
                sanitized(&format!("{place}: {}: {}", mistake.key, mistake.what)),
                format!("    {}", sanitized(&mistake.remedy)),
            ]
        };
        self.all.iter().flat_map(told).collect()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.all.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{} has {count} mistake{plural}", self.path.display())
    }
}
