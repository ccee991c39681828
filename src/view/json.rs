//! For programs: one document, with a `schema_version`. The schema is `rotate.schema.json` beside this file, and is made from
//! these types.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Checkup, Listed, Report, TargetView, Verification};
use crate::machine::Event;
use crate::store::{Anchored, Line, Verified};

/// The version of every document: a document of another version may have other fields.
pub const SCHEMA_VERSION: u32 = 2;

/// A document: what it holds, and the version of its form.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "{T}Document")]
pub(super) struct Document<T> {
    /// The version of this schema. A document of another version may have other fields.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[serde(flatten)]
    body: T,
}

/// Targets, in the order of the configuration or by name: of the commands that rotate, `plan`, `run`, `status`, and of those
/// by which a person says something. Empty where nothing is on record, or nothing is open.
#[derive(JsonSchema, Serialize)]
pub(super) struct Targets<'a> {
    targets: &'a [TargetView],
}

/// What a check-up found: of `doctor`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Checkups<'a> {
    #[schemars(length(min = 1))]
    checkups: &'a [Checkup],
}

/// Connectors, by id: of `connectors`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Connectors<'a> {
    #[schemars(length(min = 1))]
    connectors: &'a [Listed],
}

/// What a try of a credential came to: of `verify`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Verifications<'a> {
    verification: &'a Verification,
}

/// The journal, oldest event first: of `audit`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Journal<'a> {
    events: Vec<JournalLine<'a>>,
}

/// One event of the journal.
#[derive(JsonSchema, Serialize)]
pub(super) struct JournalLine<'a> {
    /// Its number; the first is 1.
    #[schemars(range(min = 1))]
    seq: i64,
    /// When it was recorded.
    at: Timestamp,
    /// The target that it is about.
    target: &'a str,
    /// The rotation that it belongs to, or what is seen of a target between its rotations: a UUID of version 7, which sorts by the
    /// time of its opening.
    #[schemars(extend("format" = "uuid"))]
    rotation: &'a str,
    /// What happened.
    what: &'a Event,
}

impl<'a> JournalLine<'a> {
    fn of(line: &'a Line) -> Self {
        Self {
            seq: line.seq,
            at: line.record.at,
            target: &line.target,
            rotation: &line.rotation,
            what: &line.record.event,
        }
    }
}

/// A journal that is intact: of `audit verify`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Intact<'a> {
    /// Whether every line is what it was; where it is not, no document is printed.
    #[schemars(extend("const" = true))]
    intact: bool,
    /// How many events there are.
    #[schemars(range(min = 0))]
    events: i64,
    /// How many rotations they belong to, watches of targets included.
    #[schemars(range(min = 0))]
    rotations: i64,
    /// The hash of the last line: it stands for all of them.
    #[schemars(regex(pattern = "^([0-9a-f]{64})?$"))]
    head: &'a str,
    /// The event whose head was noted down before; 0: before the first. Only where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    against: Option<i64>,
    /// The event whose head was noted down last in the anchor; every other head there is one that the journal had, too. Only where
    /// there is an anchor with a head in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    anchored: Option<i64>,
}

/// One line of a journal that is followed: of `audit --follow json`, which prints one such document a line.
#[derive(JsonSchema, Serialize)]
pub(super) struct Followed<'a> {
    event: JournalLine<'a>,
    /// The hash of this line, which stands for all up to it.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    head: String,
}

/// The evidence of a fleet: of `report`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Reports<'a> {
    report: &'a Report,
}

/// Whether notices arrive: of `notify test`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Trials<'a> {
    #[schemars(length(min = 1))]
    notifiers: &'a [Tried],
}

/// What came of a test.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Tried {
    /// The notifier's name.
    pub name: String,
    /// Whether it has taken the test.
    pub arrived: bool,
    /// Why it has not; null where it has.
    pub why: Option<String>,
}

/// Whether notices arrive.
pub fn tried(notifiers: &[Tried]) -> String {
    document(Trials { notifiers })
}

/// Targets.
pub fn targets(targets: &[TargetView]) -> String {
    document(Targets { targets })
}

/// Connectors.
pub fn connectors(connectors: &[Listed]) -> String {
    document(Connectors { connectors })
}

/// What a check-up found.
pub fn checkups(checkups: &[Checkup]) -> String {
    document(Checkups { checkups })
}

/// What a try of a credential came to.
pub fn verification(verification: &Verification) -> String {
    document(Verifications { verification })
}

/// The journal.
pub fn journal(lines: &[Line]) -> String {
    document(Journal {
        events: lines.iter().map(JournalLine::of).collect(),
    })
}

/// A journal that is intact.
pub fn verified(verified: &Verified, against: Option<i64>, anchored: Option<&Anchored>) -> String {
    document(Intact {
        intact: true,
        events: verified.events,
        rotations: verified.rotations,
        head: &verified.head,
        against,
        anchored: anchored.map(|anchored| anchored.head.seq),
    })
}

/// A line of a journal that is followed, without the end of the line.
pub fn followed(line: &Line) -> String {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        body: Followed {
            event: JournalLine::of(line),
            head: line.head().hash,
        },
    };
    // Values of these types always serialise.
    serde_json::to_string(&document).unwrap_or_default()
}

/// The evidence of a fleet, which may be long.
pub fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        body: Reports { report },
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn document(body: impl Serialize) -> String {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        body,
    };
    // Values of these types always serialise.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
