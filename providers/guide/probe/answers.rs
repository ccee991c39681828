//! What a vendor's answers mean, as data: the first rule that an answer fits decides, and one that fits none is inconclusive.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::outcome::{Outcome, Verdict};
use crate::guide::Template;

/// The rules of one probe, in their order.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Answers(Vec<Answer>);

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The statuses that it is about.
    pub status: Vec<u16>,
    /// Where in a JSON body its mark stands, as a JSON pointer: `/error`.
    pub at: Option<String>,
    /// What stands there, where any of these will do; where it is left out anything but nothing: no `null`, `false` or empty
    /// text. Numbers and truth values as they are written.
    #[serde(default)]
    pub is: Vec<String>,
    /// What the text there begins with: `AADSTS7000215`.
    #[serde(default)]
    pub begins: Vec<String>,
    /// What its body has in it, anywhere.
    pub contains: Option<Template>,
    /// What it means.
    pub verdict: Meant,
    /// Why, as a fragment for people.
    pub means: String,
}

/// A verdict, as a guide writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meant {
    /// The vendor let it in.
    Accepted,
    /// The vendor refused this credential.
    Rejected,
    /// Nothing is known of the credential.
    Inconclusive,
}

impl From<Meant> for Verdict {
    fn from(meant: Meant) -> Self {
        match meant {
            Meant::Accepted => Self::Accepted,
            Meant::Rejected => Self::Rejected,
            Meant::Inconclusive => Self::Inconclusive,
        }
    }
}

impl Answers {
    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.0.iter()
    }

    /// Whether the body of an answer with this status decides anything; else it is not read.
    pub(super) fn reads(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|answer| answer.status.contains(&status) && (answer.at.is_some() || answer.contains.is_some()))
    }

    /// The texts that values go into.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().filter_map(|answer| answer.contains.as_ref())
    }

    /// What an answer with this status and body means.
    pub fn assess(&self, status: u16, body: &[u8]) -> Outcome {
        self.judge_for(&BTreeMap::new(), status, body)
    }

    /// The same, where values say what the body has in it.
    pub fn judge_for(&self, values: &BTreeMap<String, String>, status: u16, body: &[u8]) -> Outcome {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let class = format!("http-{status}");
        match self
            .0
            .iter()
            .find(|answer| answer.fits(values, status, body, json.as_ref()))
        {
            Some(answer) => Outcome::of(answer.verdict.into(), class.into(), answer.means.clone().into()),
            None => otherwise(status, class),
        }
    }
}

impl Answer {
    fn fits(&self, values: &BTreeMap<String, String>, status: u16, text: &[u8], body: Option<&Value>) -> bool {
        if !self.status.contains(&status) {
            return false;
        }
        if let Some(contains) = &self.contains {
            let mark = contains.fill(values);
            return !mark.is_empty() && text.windows(mark.len()).any(|part| part == mark.as_bytes());
        }
        let Some(at) = &self.at else { return true };
        let Some(found) = body.and_then(|body| body.pointer(at)) else {
            return false;
        };
        let text = match found {
            Value::String(text) => text.clone(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            other => other.to_string(),
        };
        let any = self.is.is_empty() && self.begins.is_empty();
        let says_nothing = matches!(found, Value::Null | Value::Bool(false)) || found.as_str() == Some("");
        any && !says_nothing
            || self.is.contains(&text)
            || self.begins.iter().any(|begins| text.starts_with(begins.as_str()))
    }
}

/// What every vendor means where nothing else is told.
fn otherwise(status: u16, class: String) -> Outcome {
    match status {
        300..=399 => Outcome::inconclusive(
            class,
            "the answer leads elsewhere, where a credential is not taken: the address is not the right one",
        ),
        403 => Outcome::inconclusive(
            class,
            "refused without a word about the credential: a right that is missing, or addresses that may not come in",
        ),
        407 => Outcome::inconclusive(class, "a proxy wants a login of its own"),
        408 | 425 => Outcome::inconclusive(class, "the vendor gave up waiting").repeatable(),
        429 => Outcome::inconclusive(class, "too many calls: the vendor asks to come again later"),
        500..=599 => Outcome::inconclusive(class, "the vendor has a fault of its own").repeatable(),
        _ => Outcome::inconclusive(class, "an answer that the guide knows no meaning of"),
    }
}
