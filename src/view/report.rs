//! The evidence that an auditor asks for: which credentials there are, how old they are, who replaced them, and how that is
//! known. One [`Report`], laid out as a page, as a table for spreadsheets, and as JSON.
//!
//! It says what the configuration and the journal hold, and nothing else: what neither holds is told as not recorded. The lines that
//! it is made from are those whose chain was checked in the same reading.

mod credential;
mod guides;
mod history;
mod page;
mod passage;
mod rotation;
mod sheet;
mod summary;
mod timeline;
mod told;
mod words;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::PhaseName;
use rotate_providers::controls::{Control, controls};
use schemars::JsonSchema;
use serde::Serialize;

pub use credential::{CredentialView, ExceptionView, LastUseView, OtherKey, Standing};
pub use history::Histories;
pub use page::write as page;
pub use rotation::{PhaseView, RequestView, RotationView};
pub use sheet::write as sheet;
pub use summary::{Summary, Waiting};

use super::{AgeView, TargetView};
use crate::config::{Config, Target};
use crate::engine::Survey;
use crate::store::Verified;
use words::{said, told_if};

/// The evidence of a fleet.
#[derive(JsonSchema, Serialize)]
pub struct Report {
    /// When it was made. Where credentials stand is told as of then.
    pub made_at: Timestamp,
    /// Which rotations are told.
    pub period: Period,
    /// Which credentials it is about, and how it is known that these are all.
    pub population: Population,
    /// What a person reads first.
    pub summary: Summary,
    /// That nobody has changed what it was made from.
    pub integrity: Integrity,
    /// What it answers of rules that are often asked for.
    pub controls: Vec<ControlView>,
    /// The credentials, by name.
    pub credentials: Vec<CredentialView>,
}

/// From when until when. A rotation belongs to it that was under way in it.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
pub struct Period {
    /// Its begin; null: that of the journal.
    pub since: Option<Timestamp>,
    /// Its end.
    pub until: Timestamp,
}

impl Period {
    /// Whether something that lasted from then, and until then where it has ended, was under way in it.
    fn has(&self, from: Timestamp, to: Option<Timestamp>) -> bool {
        from < self.until && self.since.is_none_or(|since| to.is_none_or(|to| since <= to))
    }
}

/// Which credentials a report is about.
#[derive(JsonSchema, Serialize)]
pub struct Population {
    /// The file that lists them; null: there was none, and only the journal was asked.
    pub listed_in: Option<String>,
    /// When it was read.
    pub listed_at: Timestamp,
    /// Who made the report, as this machine knows them.
    pub listed_by: String,
    /// How many the file lists.
    pub configured: usize,
    /// How many the journal knows, and the file does not list.
    pub only_in_journal: usize,
    /// What is meant not to be among them; the file says so.
    pub out_of_scope: Vec<OutOfScopeView>,
}

/// Credentials that are meant not to be among the targets.
#[derive(JsonSchema, Serialize)]
pub struct OutOfScopeView {
    /// Which.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who has said so; null where that is not told.
    pub approved_by: Option<String>,
}

/// That the journal is what it was.
#[derive(JsonSchema, Serialize)]
pub struct Integrity {
    /// Whether every line of the journal fits its hash, its predecessor and what is kept beside it. Where one does not, there is no
    /// report.
    #[schemars(extend("const" = true))]
    pub intact: bool,
    /// How many events it holds.
    #[schemars(range(min = 0))]
    pub events: i64,
    /// How many rotations they belong to, watches of targets included.
    #[schemars(range(min = 0))]
    pub rotations: i64,
    /// The hash of the last line: it stands for all of them.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub head: String,
    /// The version of rotate that made the report.
    pub version: String,
    /// The SHA-256 of the configuration; null where there was none.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub config_sha256: Option<String>,
}

/// One rule, and what of the report answers it.
#[derive(JsonSchema, Serialize)]
pub struct ControlView {
    /// Who has written it, and in which edition.
    pub framework: String,
    /// Its number there.
    pub id: String,
    /// What it asks for, in our words.
    pub asks: String,
    /// What of the report answers it.
    pub answered_by: String,
    /// To how many of the credentials it applies.
    #[schemars(range(min = 0))]
    pub credentials: usize,
    /// How many of them are not shown to be within what it asks; null where the report alone cannot tell.
    pub beyond: Option<usize>,
    /// Where that stands.
    #[schemars(regex(pattern = "^https://"))]
    pub source: String,
}

/// Something that happened, and was recorded.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RecordView {
    /// When it was recorded.
    pub at: Timestamp,
    /// The phase that it belongs to; null where it belongs to none.
    pub phase: Option<PhaseName>,
    /// What.
    pub what: String,
    /// Whose word or deed it is: `rotate` is the program itself; null: not recorded.
    pub by: Option<String>,
    /// What was noted down.
    pub evidence: Option<String>,
    /// What it shows.
    pub kind: RecordKind,
}

/// What a record shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// That a step was taken.
    Progress,
    /// That the new credential works.
    Proof,
    /// That somebody or something let it go on.
    Approval,
    /// That the old credential works no longer.
    Refusal,
    /// That it is taken back.
    Undo,
    /// That a person had to look.
    Blocked,
}

impl RecordKind {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Proof => "proof",
            Self::Approval => "approval",
            Self::Refusal => "refusal",
            Self::Undo => "undo",
            Self::Blocked => "blocked",
        }
    }
}

/// What a report is made from.
pub struct Sources<'a> {
    /// The fleet, where there is one.
    pub config: Option<&'a Config>,
    /// What the journal knows of where its targets stand.
    pub survey: &'a Survey,
    /// What it tells of the way there.
    pub histories: Histories,
    /// That nobody has changed it.
    pub verified: &'a Verified,
    /// Which rotations are asked for.
    pub period: Period,
    /// When.
    pub now: Timestamp,
    /// Who asks.
    pub by: String,
}

impl Report {
    /// The report of these targets, each as it stands.
    pub fn of(views: Vec<TargetView>, mut sources: Sources<'_>) -> Self {
        let targets = sources
            .config
            .map(|config| config.targets.as_slice())
            .unwrap_or_default();
        let by_name = targets.iter().map(|target| (target.name.as_str(), target)).collect();
        let by_name: std::collections::HashMap<&str, &Target> = by_name;
        let only_in_journal = views
            .iter()
            .filter(|view| !by_name.contains_key(view.name.as_str()))
            .count();
        let mut credentials = Vec::with_capacity(views.len());
        for view in views {
            let target = by_name.get(view.name.as_str()).copied();
            credentials.push(CredentialView::of(view, target, &mut sources));
        }
        let population = Population::of(&sources, targets.len(), only_in_journal);
        Self {
            made_at: sources.now,
            period: sources.period,
            population,
            summary: Summary::of(&credentials),
            integrity: Integrity::of(sources.verified, sources.config),
            controls: controls()
                .iter()
                .map(|control| ControlView::of(control, &credentials, sources.now))
                .collect(),
            credentials,
        }
    }
}

impl Population {
    fn of(sources: &Sources<'_>, configured: usize, only_in_journal: usize) -> Self {
        let out_of_scope = sources.config.map(|config| config.out_of_scope.as_slice());
        let told = |left_out: &crate::config::OutOfScope| OutOfScopeView {
            what: said(&left_out.what),
            reason: said(&left_out.reason),
            approved_by: told_if(left_out.approved_by.as_deref()),
        };
        Self {
            listed_in: sources.config.map(|config| said(&config.path.display().to_string())),
            listed_at: sources.now,
            listed_by: said(&sources.by),
            configured,
            only_in_journal,
            out_of_scope: out_of_scope.unwrap_or_default().iter().map(told).collect(),
        }
    }
}

impl Integrity {
    fn of(verified: &Verified, config: Option<&Config>) -> Self {
        Self {
            intact: true,
            events: verified.events,
            rotations: verified.rotations,
            head: verified.head.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_sha256: config.map(|config| config.fingerprint.clone()),
        }
    }
}

impl ControlView {
    fn of(control: &Control, credentials: &[CredentialView], now: Timestamp) -> Self {
        let applies = |credential: &&CredentialView| control.applies_to(&credential.connector);
        let concerned: Vec<&CredentialView> = credentials.iter().filter(applies).collect();
        let beyond = |days: i64| {
            let limit = SignedDuration::from_secs(days.saturating_mul(86_400));
            let is_older = |age: &AgeView| now.duration_since(age.born_at) > limit;
            let is_beyond = |credential: &&&CredentialView| credential.age.as_ref().is_none_or(is_older);
            concerned.iter().filter(is_beyond).count()
        };
        let several = |_| {
            // Where nobody has looked, nobody has seen that there is one alone.
            let has_several = |credential: &&&CredentialView| {
                !credential.others_are_known || !credential.other_active_keys.is_empty()
            };
            concerned.iter().filter(has_several).count()
        };
        Self {
            framework: control.framework.clone(),
            id: control.id.clone(),
            asks: control.asks.clone(),
            answered_by: control.answered_by.clone(),
            credentials: concerned.len(),
            beyond: control
                .max_days
                .map(beyond)
                .or_else(|| control.one_key.then_some(()).map(several)),
            source: control.source.clone(),
        }
    }
}
