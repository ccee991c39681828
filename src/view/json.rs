//! For programs: one document, with a `schema_version`. The schema is `rotate.schema.json` beside this file.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Checkup, Listed, Outlook, Report, Verification};
use crate::store::{Line, Verified};

/// The version of every document.
const SCHEMA_VERSION: u32 = 1;

/// Targets.
pub fn document(reports: &[Report]) -> String {
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "targets": reports }))
}

/// Connectors.
pub fn connectors(listed: &[Listed]) -> String {
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "connectors": listed }))
}

/// What would be done with each target.
pub fn outlooks(outlooks: &[Outlook]) -> String {
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "outlook": outlooks }))
}

/// What a check-up found.
pub fn checkups(checkups: &[Checkup]) -> String {
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "checkups": checkups }))
}

/// What a try of a credential came to.
pub fn verification(verification: &Verification) -> String {
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "verification": verification }))
}

/// The journal.
pub fn journal(lines: &[Line]) -> String {
    let events: Vec<Value> = lines.iter().map(line).collect();
    pretty(&json!({ "schema_version": SCHEMA_VERSION, "events": events }))
}

fn line(line: &Line) -> Value {
    json!({
        "seq": line.seq,
        "at": line.record.at,
        "target": line.target,
        "rotation": line.rotation,
        "what": line.record.event,
    })
}

/// A journal that is whole.
pub fn verified(verified: &Verified) -> String {
    pretty(&json!({
        "schema_version": SCHEMA_VERSION,
        "whole": true,
        "events": verified.events,
        "rotations": verified.rotations,
        "head": verified.head,
    }))
}

fn pretty(value: &impl Serialize) -> String {
    // Values built here always serialise.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
