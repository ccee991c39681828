//! Lays out output: text for people, JSON for programs. The only code that does.

mod automated;
pub mod checkup;
pub mod json;
mod listed;
pub mod markdown;
mod markup;
pub mod metrics;
pub mod notice;
mod page;
pub mod plans;
pub mod report;
mod schema;
mod shared;
mod target_view;
pub mod text;
mod verification;

use rotate_providers::shell::quoted;
use std::path::Path;

pub use checkup::Checkup;
pub use listed::Listed;
pub use page::page;
pub use report::Report;
pub use schema::{notice_schema, schema};
pub use target_view::{AgeView, Detail, Mode, Next, Noted, State, TargetView, Who};
pub use verification::Verification;

use crate::plan::Planned;

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

/// What stands above a step: its phase, or that nothing works meanwhile, and who has to be there.
fn heading(view: &TargetView, steps: &[Planned], step: &Planned) -> String {
    let is_in_gap = |step: &Planned| step.guided.as_ref().is_some_and(|guided| guided.in_gap);
    if !is_in_gap(step) {
        return step.phase.name().to_owned();
    }
    let mut people: Vec<&str> = Vec::new();
    for step in steps.iter().filter(|step| is_in_gap(step)) {
        if !people.contains(&step.who.as_str()) {
            people.push(&step.who);
        }
    }
    let depends = view.guide.as_ref().is_some_and(|guide| guide.depends.is_some());
    let perhaps = if depends { ", where there is one" } else { "" };
    format!("during the gap{perhaps} (on the call: {})", people.join(", "))
}
