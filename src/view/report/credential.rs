//! One credential as the report tells it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rotate_providers::PhaseName;
use rotate_providers::contract::KeyId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::history::History;
use super::words::{said, said_all, told_if};
use super::{RecordView, RotationView, Sources};
use crate::config::{Exception, How, Target};
use crate::engine::OnRecord;
use crate::machine::{Inventory, InventoryReading, Phase};
use crate::view::{AgeView, Mode, Next, State, TargetView};

/// One credential: what it is, how old it is, who answers for it, and what was done with it.
#[derive(JsonSchema, Serialize)]
pub struct CredentialView {
    /// The target's name.
    pub name: String,
    /// Its connector.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
    pub connector: String,
    /// What it is a credential of; null where no guide says it.
    pub system: Option<String>,
    /// Whether the configuration lists it, and not the journal alone.
    pub configured: bool,
    /// Who takes the steps; null where nothing is known of it.
    pub mode: Option<Mode>,
    /// Who answers for it; null where the configuration does not say.
    pub owner: Option<String>,
    /// How its age stands to its limit.
    pub standing: Standing,
    /// Whether a person has to look, and nothing is touched until then.
    pub blocked: bool,
    /// Whether a person has to act.
    pub waits_for_person: bool,
    /// Where its rotation stands.
    pub state: State,
    /// Whether a rotation of it is under way now, whatever the period.
    #[serde(skip)]
    pub is_rotating: bool,
    /// Why it stands there.
    pub reason: Option<String>,
    /// What comes next.
    pub next: Next,
    /// The command that takes its open rotation back; null where nothing does.
    pub undo: Option<String>,
    /// What the configuration says of it, one `input = value` each.
    pub inputs: Vec<String>,
    /// The account that it belongs to; null: not recorded.
    pub account: Option<String>,
    /// The user that it belongs to; null: not recorded.
    pub user: Option<String>,
    /// The vendor's immutable id of that user; null: not recorded.
    pub immutable_id: Option<String>,
    /// The id or the fingerprint of the key in use; null: not recorded.
    pub key: Option<String>,
    /// When that key was made, by the vendor's clock; null: not recorded.
    pub created_at: Option<Timestamp>,
    /// Other keys of the same user that the vendor accepted when it was looked at last.
    pub other_active_keys: Vec<OtherKey>,
    /// Whether somebody has looked for such keys since its last change.
    #[serde(skip)]
    pub others_are_known: bool,
    /// When the vendor was looked at last; null: not recorded.
    pub looked_at: Option<Timestamp>,
    /// Where new keys go.
    pub destinations: Vec<String>,
    /// How old it is, and the days that follow from that; null: not recorded.
    pub age: Option<AgeView>,
    /// How old it may become, in days; null where the configuration does not list it.
    pub limit_days: Option<f64>,
    /// What that rests on; null where the configuration does not say.
    pub limit_basis: Option<String>,
    /// The last recorded use of the key in use; null: not recorded.
    pub last_use: Option<LastUseView>,
    /// Who has allowed it to be beyond its limit; null: nobody.
    pub exception: Option<ExceptionView>,
    /// What was recorded between its rotations, oldest first, in the period.
    pub records: Vec<RecordView>,
    /// Its rotations in the period, oldest first.
    pub rotations: Vec<RotationView>,
}

/// How the age of a credential stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is older than its limit.
    Overdue,
    /// Its rotation has to begin, or is under way, and its limit is still ahead.
    Due,
    /// Nobody knows how old it is.
    AgeUnknown,
    /// It is younger than the day on which its rotation has to begin.
    InPolicy,
}

impl Standing {
    /// Its name, wherever it is read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::AgeUnknown => "age-unknown",
            Self::InPolicy => "in-policy",
        }
    }

    /// The same for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::AgeUnknown => "age not recorded",
            Self::InPolicy => "within policy",
        }
    }

    fn of(age: Option<&AgeView>, now: Timestamp) -> Self {
        match age {
            None => Self::AgeUnknown,
            Some(age) if now >= age.gone_by => Self::Overdue,
            Some(age) if now >= age.begins_at => Self::Due,
            Some(_) => Self::InPolicy,
        }
    }
}

/// A key beside the one in use.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OtherKey {
    /// Its id.
    pub id: String,
    /// When it was made, by the vendor's clock; null: not recorded.
    pub created_at: Option<Timestamp>,
}

/// A use of a key, as the vendor has recorded it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LastUseView {
    /// When, as exact as the vendor tells it.
    pub at: Timestamp,
    /// When the journal wrote it down: it may have been used later.
    pub recorded_at: Timestamp,
    /// At which service, in which region.
    pub where_used: String,
}

/// Who has allowed a credential to be beyond its limit.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ExceptionView {
    /// Why.
    pub reason: String,
    /// Who.
    pub approved_by: String,
    /// The last day on which it holds.
    #[schemars(extend("format" = "date"))]
    pub until: String,
    /// Whether that day is over.
    pub expired: bool,
}

impl ExceptionView {
    fn of(exception: &Exception, now: Timestamp) -> Self {
        Self {
            reason: said(&exception.reason),
            approved_by: said(&exception.approved_by),
            until: exception.until.to_string(),
            expired: exception.until < now.to_zoned(TimeZone::UTC).date(),
        }
    }
}

impl CredentialView {
    pub(super) fn of(view: TargetView, target: Option<&Target>, sources: &mut Sources<'_>) -> Self {
        let survey = sources.survey;
        let known = match target {
            Some(target) => survey.of_target(target),
            None => survey.of(&view.name),
        };
        let history = history(&view.name, known, sources).unwrap_or_default();
        let (now, period) = (sources.now, sources.period);
        let inventory = known.watch.map(|watch| &watch.rotation);
        let keys = Keys::of(known);
        let principal = history.owner;
        let last_use = history.last_use.filter(|(key, _)| Some(key) == keys.live.as_ref());
        let between = history
            .between
            .into_iter()
            .filter(|record| period.has(record.at, Some(record.at)));
        let passages = history.passages.into_iter();
        let passages = passages.filter(|passage| period.has(passage.opened_at, passage.ended_at));
        Self {
            system: sources.histories.title(&view.connector),
            configured: target.is_some(),
            mode: view.mode,
            owner: told_if(view.owner.as_deref()),
            standing: Standing::of(view.age.as_ref(), now),
            blocked: view.is_blocked(),
            waits_for_person: view.waits_for_person(),
            state: view.state,
            is_rotating: known.course.is_some_and(|stored| !stored.rotation.is_closed()),
            reason: told_if(view.reason.as_deref()),
            undo: told_if(view.undo.as_deref()),
            inputs: target.map(inputs).unwrap_or_default(),
            account: principal.as_ref().and_then(|owner| told_if(Some(&owner.account))),
            user: principal.as_ref().and_then(|owner| told_if(Some(&owner.name))),
            immutable_id: principal.as_ref().and_then(|owner| told_if(Some(&owner.id))),
            key: keys.live.as_ref().and_then(|key| told_if(Some(key.as_str()))),
            created_at: keys.live_since(),
            other_active_keys: keys.others(),
            others_are_known: keys.has_looked_for_others(),
            looked_at: inventory.and_then(last_look),
            destinations: destinations(&view, target),
            limit_days: target.map(|target| target.terms.max_age.as_secs_f64() / DAY.as_secs_f64()),
            limit_basis: target.and_then(|target| told_if(target.policy_basis.as_deref())),
            last_use: last_use.map(|(_, used)| used),
            exception: target.and_then(|target| Some(ExceptionView::of(target.exception.as_ref()?, now))),
            records: between.collect(),
            rotations: passages.map(RotationView::of).collect(),
            next: Next {
                what: told_if(view.next.what.as_deref()),
                command: told_if(view.next.command.as_deref()),
                ..view.next
            },
            age: view.age,
            name: said(&view.name),
            connector: view.connector,
        }
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What the journal tells of it: under its own name, and under the one by which its latest rotation goes.
fn history(name: &str, known: OnRecord<'_>, sources: &mut Sources<'_>) -> Option<History> {
    let own = sources.histories.remove(name);
    let other = known
        .course
        .map(|course| course.target.as_str())
        .filter(|other| *other != name);
    let other = other.and_then(|other| sources.histories.remove(other));
    match own {
        Some(own) => Some(own.with(other)),
        None => other,
    }
}

fn last_look(inventory: &Inventory) -> Option<Timestamp> {
    let drift = inventory.drift.as_ref().map(|drift| drift.block.since);
    drift.max(inventory.seen_at)
}

fn destinations(view: &TargetView, target: Option<&Target>) -> Vec<String> {
    match target.map(|target| &target.how) {
        Some(How::Automatic(automatic)) => said_all(&automatic.deliver),
        _ => said_all(&view.destinations),
    }
}

fn inputs(target: &Target) -> Vec<String> {
    match &target.how {
        How::ByHand(by_hand) => by_hand
            .values
            .iter()
            .map(|(name, value)| said(&format!("{name} = {value}")))
            .collect(),
        How::Automatic(automatic) => {
            let values = automatic.inputs.as_object().into_iter().flatten();
            let told = values.filter_map(|(name, value)| match value {
                Value::String(value) => Some(said(&format!("{name} = {value}"))),
                Value::Null => None,
                other => Some(said(&format!("{name} = {other}"))),
            });
            told.collect()
        }
    }
}

/// The keys of one user, by the latest word on them.
struct Keys<'a> {
    /// The one in use.
    live: Option<KeyId>,
    /// One that works beside it, because a rotation is under way.
    beside: Option<KeyId>,
    /// What was seen at the vendor.
    seen: Option<&'a InventoryReading>,
    /// Whether that is older than what the rotation has changed since.
    is_stale: bool,
}

impl<'a> Keys<'a> {
    fn of(known: OnRecord<'a>) -> Self {
        let inventory = known.watch.map(|watch| &watch.rotation);
        let drift = inventory.and_then(|inventory| inventory.drift.as_ref());
        let expected = inventory.and_then(|inventory| inventory.sighting.as_ref());
        let seen = drift.map(|drift| &drift.found).or(expected);
        // Where something has changed that nobody here did, the one in use is still the one that was expected.
        let live = |reading: Option<&InventoryReading>| reading.and_then(|reading| reading.live.clone());
        let seen_live = live(seen).or_else(|| live(expected));
        let rotation = known.course.and_then(|course| course.rotation.automated());
        let Some(rotation) = rotation else {
            return Self {
                live: seen_live,
                beside: None,
                seen,
                is_stale: false,
            };
        };
        let issued = rotation.new_key.as_ref().map(|issued| issued.key.clone());
        let changed_at = known.course.map(|course| course.updated_at);
        let is_stale = inventory.and_then(last_look) < changed_at;
        let (live, beside) = match &rotation.phase {
            Phase::Done if is_stale => (issued, None),
            phase if phase.is_closed() => (seen_live.or_else(|| Some(rotation.spec.old_key.clone())), None),
            phase if is_off(phase.reached(rotation.new_key.as_ref())) => (issued, None),
            _ if rotation.spec.replaces() => (Some(rotation.spec.old_key.clone()), None),
            _ => (Some(rotation.spec.old_key.clone()), issued),
        };
        Self {
            live,
            beside,
            seen,
            is_stale,
        }
    }

    fn live_since(&self) -> Option<Timestamp> {
        let live = self.live.as_ref()?;
        self.seen?.keys.iter().find(|key| key.id == *live)?.created_at
    }

    fn has_looked_for_others(&self) -> bool {
        self.beside.is_some() || (self.live.is_some() && self.seen.is_some() && !self.is_stale)
    }

    fn others(&self) -> Vec<OtherKey> {
        if let Some(beside) = &self.beside {
            return vec![OtherKey {
                id: said(beside.as_str()),
                created_at: None,
            }];
        }
        let seen = self.seen.filter(|_| !self.is_stale);
        let keys = seen.into_iter().flat_map(|seen| &seen.keys);
        let others = keys.filter(|key| key.active && self.live.as_ref().is_some_and(|live| *live != key.id));
        let told = others.map(|key| OtherKey {
            id: said(key.id.as_str()),
            created_at: key.created_at,
        });
        told.collect()
    }
}

/// Whether the old key works no longer in this phase of a rotation that is under way.
fn is_off(phase: PhaseName) -> bool {
    matches!(phase, PhaseName::Deactivated | PhaseName::Soaked | PhaseName::Deleted)
}
