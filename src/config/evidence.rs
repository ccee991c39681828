//! What a file says for those who check it: what a limit rests on, who has allowed more than it, and what is left out and why.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::reader::{Reader, Section};
use super::value::{date, parsed};
use crate::secret_scan::looks_secret;

/// A target that may be beyond its limit for a time. It is told, and changes nothing of what is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Why.
    pub reason: String,
    /// Who has allowed it.
    pub approved_by: String,
    /// The last day on which it holds.
    pub until: Date,
}

/// Credentials that are meant not to be among the targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfScope {
    /// Which.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who has said so, where that is told.
    pub approved_by: Option<String>,
}

/// What the limit of a target rests on.
pub(super) fn policy_basis(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Option<String> {
    parsed(reader, table, "policy_basis", sentence).map(|taken| taken.value)
}

/// The exception of a target.
pub(super) fn exception<'t>(reader: &mut Reader<'t>, table: &mut Section<'t>) -> Option<Exception> {
    table.has("exception").then_some(())?;
    let mut section = reader.table(table, "exception");
    let reason = needed(reader, &mut section, "reason");
    let approved_by = needed(reader, &mut section, "approved_by");
    let until = date(reader, &mut section, "until").map(|taken| taken.value);
    if until.is_none() {
        missing(
            reader,
            &section,
            "until",
            "write the last day on which it holds: 2027-03-31",
        );
    }
    reader.close(section);
    Some(Exception {
        reason: reason?,
        approved_by: approved_by?,
        until: until?,
    })
}

/// Every `[[out_of_scope]]`.
pub(super) fn out_of_scope<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Vec<OutOfScope> {
    let mut all = Vec::new();
    for mut table in reader.tables(root, "out_of_scope") {
        let what = needed(reader, &mut table, "what");
        let reason = needed(reader, &mut table, "reason");
        let approved_by = parsed(reader, &mut table, "approved_by", sentence).map(|taken| taken.value);
        if let (Some(what), Some(reason)) = (what, reason) {
            all.push(OutOfScope {
                what,
                reason,
                approved_by,
            });
        }
        reader.close(table);
    }
    all
}

fn needed(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<String> {
    let told = parsed(reader, section, key, sentence);
    if told.is_none() {
        missing(reader, section, key, "write it in quotes, in a few words");
    }
    told.map(|taken| taken.value)
}

/// Of what is there and wrong, that was told already.
fn missing(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, remedy: &str) {
    if !section.was_there(key) {
        let at = section.span.clone();
        reader.mistake(Some(at), &section.key(key), "it is missing", remedy);
    }
}

/// Words for people, which others will read: no secret is among them.
fn sentence(text: &str) -> Result<String, String> {
    if let Some(why) = looks_secret(text) {
        return Err(format!("{why}: no secret belongs here"));
    }
    let fits = !text.trim().is_empty() && text.chars().count() <= 1_000 && !text.chars().any(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err("write one line of up to 1000 letters".to_owned()),
    }
}

/// What a few words are, for whoever reads the report.
pub(super) fn sentence_schema(what: &str) -> Value {
    json!({ "description": what, "type": "string", "minLength": 1, "maxLength": 1000 })
}

/// What an exception is, in the schema.
pub(super) fn exception_schema() -> Value {
    json!({
        "description": "It may be beyond its max_age for a time. The report tells of it; what is done stays the same.",
        "type": "object",
        "additionalProperties": false,
        "required": ["reason", "approved_by", "until"],
        "properties": {
            "reason": sentence_schema("Why."),
            "approved_by": sentence_schema("Who has allowed it."),
            "until": { "description": "The last day on which it holds: 2027-03-31.", "type": "string", "format": "date" }
        }
    })
}

/// What is left out, in the schema.
pub(super) fn out_of_scope_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["what", "reason"],
        "properties": {
            "what": sentence_schema("Which credentials."),
            "reason": sentence_schema("Why they are not among the targets."),
            "approved_by": sentence_schema("Who has said so.")
        }
    })
}
