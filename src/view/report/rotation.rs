//! One rotation as the report tells it.

use jiff::Timestamp;
use rotate_providers::PhaseName;
use schemars::JsonSchema;
use serde::Serialize;

use super::passage::Passage;
use super::told::PROGRAM;
use super::words::said;
use super::{RecordKind, RecordView};
use crate::machine::{Event, Trigger};
use crate::view::Mode;

/// One rotation, with every phase, who, when and how it is known.
#[derive(Debug, JsonSchema, Serialize)]
pub struct RotationView {
    /// Its id.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// Who took the steps.
    pub mode: Mode,
    /// `rotate`, or another procedure of the guide.
    pub procedure: String,
    /// The phase that was reached last.
    pub state: PhaseName,
    /// What made it begin: `due` by the age of its key, or `ordered`; null: not recorded.
    pub trigger: Option<Trigger>,
    /// Who made it begin; `rotate` is the program itself, by the configuration; null: not recorded.
    pub initiated_by: Option<String>,
    /// Who or what let it go on to the end of the old key; empty: nobody yet.
    pub approved_by: Vec<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ended; null: it is under way.
    pub ended_at: Option<Timestamp>,
    /// The key that was to go; null: not recorded.
    pub old_key: Option<String>,
    /// The key that came; null: none yet, or not recorded.
    pub new_key: Option<String>,
    /// Where it went.
    pub destinations: Vec<String>,
    /// When each phase was reached first.
    pub phases: Vec<PhaseView>,
    /// Whether old and new work at the same time at all; null: that depends, and is not recorded.
    pub overlaps: Option<bool>,
    /// How long both keys worked, in seconds; null: not over, or not recorded.
    #[schemars(range(min = 0))]
    pub overlap_seconds: Option<i64>,
    /// How long it took from the opening until the old key worked no longer, in seconds; null: it does, or not recorded.
    #[schemars(range(min = 0))]
    pub revoked_after_seconds: Option<i64>,
    /// When the new credential was shown to work, first and last; null: not recorded.
    pub proved: Option<Stretch>,
    /// When it was shown that the old one works no longer, first and last; null: not recorded.
    pub refused: Option<Stretch>,
    /// What the vendor calls the requests that changed something there, as its own log has them, oldest first; null: not recorded.
    pub request_ids: Option<Vec<RequestView>>,
    /// Everything that was recorded of it, oldest first.
    pub records: Vec<RecordView>,
    /// Whether the whole of it is taken back, or given up.
    #[serde(skip)]
    pub is_undone: bool,
}

/// What the vendor calls a request that changed something there.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RequestView {
    /// What it did, by the name of its event in the journal: `created`, `deactivated`, `deleted`.
    pub event: &'static str,
    /// When that was recorded.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

/// The first time and the last.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
pub struct Stretch {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

/// When a phase was reached first.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PhaseView {
    /// Which.
    pub phase: PhaseName,
    /// When.
    pub at: Timestamp,
}

impl RotationView {
    pub(super) fn of(passage: Passage) -> Self {
        let revoked_at = passage.revoked_at();
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs().max(0);
        let created_at = passage.at(PhaseName::Created);
        // What a person gave up or left out says nothing of the keys.
        let overlap_ends = revoked_at.or(passage.ended_at.filter(|_| !passage.is_guided));
        let overlap_seconds = match passage.has_overlap {
            Some(false) => created_at.map(|_| 0),
            Some(true) => created_at.zip(overlap_ends).map(|(from, to)| seconds(from, to)),
            None => None,
        };
        Self {
            mode: if passage.is_guided {
                Mode::Guided
            } else {
                Mode::Automated
            },
            state: passage.reached,
            is_undone: passage.is_undone,
            trigger: passage.begun.as_ref().map(|begun| begun.trigger),
            initiated_by: passage.begun.as_ref().map(|begun| said(begun.by.name())),
            approved_by: approvals(&passage.records),
            opened_at: passage.opened_at,
            ended_at: passage.ended_at,
            overlaps: passage.has_overlap,
            overlap_seconds,
            revoked_after_seconds: revoked_at.map(|at| seconds(passage.opened_at, at)),
            proved: stretch(&passage.records, RecordKind::Proof),
            refused: stretch(&passage.records, RecordKind::Refusal),
            request_ids: (!passage.requests.is_empty()).then_some(passage.requests),
            phases: passage
                .phases
                .iter()
                .map(|(phase, at)| PhaseView { phase: *phase, at: *at })
                .collect(),
            id: passage.id,
            procedure: passage.procedure,
            old_key: passage.old_key,
            new_key: passage.new_key,
            destinations: passage.destinations,
            records: passage.records,
        }
    }
}

impl RequestView {
    /// Of a line that tells of one.
    pub(super) fn of(event: &Event, at: Timestamp) -> Option<Self> {
        let id = said(event.request()?);
        let event = event.name();
        Some(Self { event, at, id })
    }
}

/// Each once: a person by name, anything else by what it was.
fn approvals(records: &[RecordView]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for record in records.iter().filter(|record| record.kind == RecordKind::Approval) {
        let person = record.by.as_ref().filter(|who| *who != PROGRAM);
        let who = person.unwrap_or(&record.what);
        if !all.contains(who) {
            all.push(who.clone());
        }
    }
    all
}

fn stretch(records: &[RecordView], kind: RecordKind) -> Option<Stretch> {
    let mut times = records
        .iter()
        .filter(|record| record.kind == kind)
        .map(|record| record.at);
    let first = times.next()?;
    let last = times.next_back().unwrap_or(first);
    Some(Stretch { first, last })
}
