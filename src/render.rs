//! Lays out output: text for people, JSON for programs. The only code that does.

pub mod checkup;
pub mod json;
mod listed;
pub mod markdown;
mod markup;
pub mod outlook;
mod page;
mod report;
mod standing;
pub mod text;

use rotate_providers::shell::quoted;
use std::path::Path;

pub use checkup::Checkup;
pub use listed::Listed;
pub use outlook::{Noted, Outlook};
pub use page::page;
pub use report::{AgeReport, Next, Report};

/// How commands that a person is told to run begin: with the state folder, where it is not the default one.
pub struct Speaker {
    options: String,
}

impl Speaker {
    /// Commands for this state folder and this configuration, where they are not the default ones.
    pub fn new(state_dir: Option<&Path>, config: Option<&Path>) -> Self {
        let option = |name: &str, path: Option<&Path>| match path {
            Some(path) => format!(" --{name} {}", quoted(&path.display().to_string())),
            None => String::new(),
        };
        Self {
            options: option("state-dir", state_dir) + &option("config", config),
        }
    }

    /// A command of ours, complete.
    pub fn command(&self, arguments: &str) -> String {
        format!("rotate{} {arguments}", self.options)
    }

    /// A line of advice; where it is a command of ours, it is completed.
    pub fn line(&self, line: &str) -> String {
        match line.strip_prefix("rotate ") {
            Some(arguments) => self.command(arguments),
            None => line.to_owned(),
        }
    }
}
