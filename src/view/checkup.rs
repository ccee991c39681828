//! What a check-up found, for people and programs.

use rotate_providers::contract::{Check, Finding};
use rotate_providers::untrusted::sanitized;
use schemars::JsonSchema;
use serde::Serialize;

/// What was looked at of one thing.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Checkup {
    /// The thing: `configuration`, `state folder`, or a target's name.
    pub name: String,
    /// What was found of it.
    pub findings: Vec<Found>,
}

/// One thing that was found.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Found {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub verdict: Outcome,
    /// Why, where it is not fine.
    pub why: Option<String>,
    /// What fixes it, one command or sentence a line.
    pub remedy: Vec<String>,
}

/// How something is that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it has to be.
    Fine,
    /// A rotation would fail on it.
    Wrong,
    /// It shows only when it is used.
    Unknown,
}

impl Checkup {
    /// All is well, as this says.
    pub fn fine(name: &str, what: &str) -> Self {
        let check = Check::Fine;
        let what = what.into();
        Self::of(name, vec![Finding { what, check }])
    }

    /// It cannot be used.
    pub fn wrong(name: &str, why: &str, remedy: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            findings: vec![Found {
                what: "it cannot be used".to_owned(),
                verdict: Outcome::Wrong,
                why: Some(why.to_owned()),
                remedy,
            }],
        }
    }

    /// What was found.
    pub fn of(name: &str, findings: Vec<Finding>) -> Self {
        let found = |Finding { what, check }| {
            let (verdict, why, remedy) = match check {
                Check::Fine => (Outcome::Fine, None, Vec::new()),
                Check::Wrong { why, remedy } => (Outcome::Wrong, Some(why), remedy.lines().map(sanitized).collect()),
                Check::Unknown { why } => (Outcome::Unknown, Some(why), Vec::new()),
            };
            Found {
                what: what.into(),
                verdict,
                why: why.map(String::from),
                remedy,
            }
        };
        Self {
            name: name.to_owned(),
            findings: findings.into_iter().map(found).collect(),
        }
    }

    /// The same, in other words.
    pub fn said_as(mut self, say: impl Fn(&str) -> String) -> Self {
        for found in &mut self.findings {
            found.why = found.why.as_ref().map(|why| say(why));
            found.remedy = found.remedy.iter().map(|line| say(line)).collect();
        }
        self
    }

    /// Whether something of it would fail.
    pub fn would_fail(&self) -> bool {
        self.findings.iter().any(|found| found.verdict == Outcome::Wrong)
    }
}

/// For people.
pub fn text(checkups: &[Checkup]) -> String {
    let mut lines = Vec::new();
    for checkup in checkups {
        lines.push(checkup.name.clone());
        for found in &checkup.findings {
            let mark = match found.verdict {
                Outcome::Fine => "ok ",
                Outcome::Wrong => "BAD",
                Outcome::Unknown => "?  ",
            };
            let why = found.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            lines.push(format!("  {mark} {}{why}", found.what));
            lines.extend(found.remedy.iter().map(|line| format!("        {line}")));
        }
    }
    lines.iter().map(|line| sanitized(line) + "\n").collect()
}
