//! Lays out output: text for people, JSON for programs. The only code that does.

pub mod json;
mod listed;
pub mod markdown;
mod report;
pub mod text;

use std::path::Path;

pub use listed::Listed;
pub use report::{Next, Report};

/// How commands that a person is told to run begin: with the state folder, where it is not the default one.
pub struct Speaker {
    state_dir: Option<String>,
}

impl Speaker {
    /// Commands for this state folder.
    pub fn new(state_dir: Option<&Path>) -> Self {
        let quoted = |path: &Path| {
            let text = path.display().to_string();
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
            if plain {
                text
            } else {
                format!("'{}'", text.replace('\'', "'\\''"))
            }
        };
        Self {
            state_dir: state_dir.map(quoted),
        }
    }

    /// A command of ours, complete.
    pub fn command(&self, arguments: &str) -> String {
        match &self.state_dir {
            Some(folder) => format!("rotate --state-dir {folder} {arguments}"),
            None => format!("rotate {arguments}"),
        }
    }

    /// A line of advice; where it is a command of ours, it is completed.
    pub fn line(&self, line: &str) -> String {
        match line.strip_prefix("rotate ") {
            Some(arguments) => self.command(arguments),
            None => line.to_owned(),
        }
    }
}
