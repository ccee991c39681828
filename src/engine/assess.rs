//! Is this target's rotation due? Decided from what is on record, with its reason; pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::drifted::remedy;
use crate::config::{ByHand, How, Target};
use crate::machine::{Actor, AnyRotation, CopiesDrift, GuidedRotation, Inventory, Phase, Rotation, Undo, UndoKind};
use crate::policy::{Deadline, Facts, Step, Urgency, Waiting, next};
use crate::store::Stored;

/// What the journal knows of a target.
#[derive(Clone, Copy, Default)]
pub struct OnRecord<'a> {
    /// Its latest rotation.
    pub course: Option<&'a Stored>,
    /// What was last seen of it.
    pub watch: Option<&'a Stored<Inventory>>,
    /// When an earlier passage rotated it, where the latest did not.
    pub rotated_before: Option<Timestamp>,
}

impl OnRecord<'_> {
    /// What keeps a target whose rotation has ended from being rotated again until a person says so; `None`: nothing does.
    pub fn holds(&self) -> Option<String> {
        let drift = self.watch.and_then(|watch| watch.rotation.drift.as_ref());
        let copies = || Some(self.copies()?.words());
        let drift = drift.map(|drift| drift.block.why.clone());
        drift.or_else(copies).or_else(|| held(*self))
    }

    /// The destinations that do not hold what the last rotation left there. What was seen before it says nothing of that.
    fn copies(&self) -> Option<&CopiesDrift> {
        let copies = self.watch?.rotation.copies.as_ref()?;
        let left = self.course?.rotation.automated()?.new_key.as_ref()?;
        (left.key == copies.expected).then_some(copies)
    }
}

/// What `run` would do with a target now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing: its key is young enough.
    NotDue,
    /// Open a rotation.
    Start,
    /// Move the rotation that is open.
    Continue,
    /// Nothing yet: someone or some time is waited for.
    Wait,
    /// Nothing: a person has to look.
    Blocked,
    /// Remind a person, who takes the steps.
    Guided,
}

impl Action {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotDue => "not-due",
            Self::Start => "start",
            Self::Continue => "continue",
            Self::Wait => "wait",
            Self::Blocked => "blocked",
            Self::Guided => "guided",
        }
    }

    /// Whether someone or something has to act.
    pub fn is_to_do(self) -> bool {
        !matches!(self, Self::NotDue | Self::Wait)
    }
}

/// An action with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// What would be done.
    pub action: Action,
    /// Why, in words.
    pub reason: String,
    /// What resolves it, one command or sentence a line.
    pub remedy: Vec<String>,
    /// How old the key is, where that is known.
    pub age: Option<Age>,
    /// Whether a person should know of it by now: it is announced, overdue, or blocked.
    pub is_pressing: bool,
    /// Where something has changed behind our back.
    pub drift: Option<DriftAt>,
}

/// Where something has changed behind the journal's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftAt {
    /// At the vendor: its keys, or their owner.
    Vendor,
    /// At a destination, which holds another key than was delivered there.
    Destination,
}

/// Whose word it is how old a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeBasis {
    /// The vendor's, at the last look.
    Vendor,
    /// The journal's: of a rotation that made it, or of the person who has done the last step of one.
    Journal,
    /// The configuration's: `last_rotated`.
    Configuration,
}

/// How old a key is, and how old it may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// When it was made.
    pub born_at: Timestamp,
    /// Whose word that is.
    pub basis: AgeBasis,
    /// What follows from that.
    pub deadline: Deadline,
}

impl Age {
    fn of(target: &Target, (born_at, basis): (Timestamp, AgeBasis)) -> Self {
        Self {
            born_at,
            basis,
            deadline: target.terms.deadline(born_at),
        }
    }

    /// Its age in whole days.
    pub fn days(&self, now: Timestamp) -> i64 {
        now.duration_since(self.born_at).as_hours() / 24
    }
}

/// Judges a target by what is on record. `within` takes for due what will be due until then.
pub fn assess(target: &Target, known: OnRecord<'_>, now: Timestamp, within: SignedDuration) -> Assessment {
    let age = born_at(target, known, now).map(|born| Age::of(target, born));
    let judgement = match known.course.filter(|stored| !stored.rotation.is_closed()) {
        Some(stored) => of_open(target, stored, now),
        None => between(target, known, age, now, within),
    };
    Assessment { age, ..judgement }
}

/// The same, of a target that the program would open a rotation of at once if it were due.
fn between(
    target: &Target,
    known: OnRecord<'_>,
    age: Option<Age>,
    now: Timestamp,
    within: SignedDuration,
) -> Assessment {
    if let Some(drift) = known.watch.and_then(|watch| watch.rotation.drift.as_ref()) {
        let remedy = vec![
            "put the vendor's side in order; or accept what is there:".to_owned(),
            format!("rotate confirm {}", target.name),
        ];
        return Assessment {
            drift: Some(DriftAt::Vendor),
            ..blocked(drift.block.why.clone(), remedy)
        };
    }
    if let Some(copies) = known.copies() {
        return Assessment {
            drift: Some(DriftAt::Destination),
            ..blocked(copies.words(), remedy(&target.name))
        };
    }
    if let (How::Automatic(_), Some(why)) = (&target.how, held(known)) {
        return blocked(
            why,
            vec![
                "once it may be begun again:".to_owned(),
                format!("rotate confirm {}", target.name),
            ],
        );
    }
    if let How::ByHand(by_hand) = &target.how
        && let Some(date) = yet_to_come(by_hand, now)
    {
        return blocked(
            format!("its last_rotated is {date}, which is yet to come"),
            vec!["correct it in rotate.toml".to_owned()],
        );
    }
    match (age, &target.how) {
        (Some(age), _) => {
            let known_since = known.watch.map(|watch| watch.rotation.first_at);
            by_age(target, age, known_since, now, within)
        }
        (None, How::ByHand(_)) => Assessment {
            is_pressing: true,
            ..plain(
                Action::Guided,
                "no rotation of it is on record, and no last_rotated says when it was".to_owned(),
            )
        },
        (None, How::Automatic(_)) => plain(
            Action::Wait,
            "the key's age is not known yet; `rotate run` finds it out, and `rotate plan` without --offline".to_owned(),
        ),
    }
}

fn by_age(
    target: &Target,
    age: Age,
    known_since: Option<Timestamp>,
    now: Timestamp,
    within: SignedDuration,
) -> Assessment {
    let how = &target.how;
    let deadline = age.deadline;
    let days = age.days(now);
    let urgency = deadline.urgency(now.checked_add(within).unwrap_or(Timestamp::MAX));
    let begins = day(deadline.begin_at);
    let (action, reason) = match urgency {
        Urgency::NotYet | Urgency::Soon => (
            Action::NotDue,
            format!("{days} days old; its rotation begins on {begins}"),
        ),
        Urgency::Due | Urgency::Overdue if now >= deadline.gone_by => (
            due(how),
            format!("{days} days old: it should have been gone by {}", day(deadline.gone_by)),
        ),
        Urgency::Due | Urgency::Overdue => (
            due(how),
            format!(
                "{days} days old: due since {begins}, to be gone by {}",
                day(deadline.gone_by)
            ),
        ),
    };
    let reason = match action {
        Action::Start | Action::Guided if now < deadline.begin_at => {
            format!("{days} days old; due on {begins}, and asked for ahead of time")
        }
        _ => reason,
    };
    let announced = now >= deadline.warn_at;
    match shut(how, now).filter(|_| action == Action::Start) {
        Some(_) if known_since.is_some_and(|since| is_missed(target, deadline.begin_at.max(since), now)) => {
            missed(&target.name, &reason)
        }
        Some(opens) => Assessment {
            is_pressing: announced,
            ..plain(Action::Wait, format!("{reason}; its window opens at {}", minute(opens)))
        },
        None => Assessment {
            is_pressing: announced || target.terms.max_age <= SignedDuration::ZERO,
            ..plain(action, reason)
        },
    }
}

/// A day on which nothing can have been rotated yet, anywhere on earth.
pub fn yet_to_come(by_hand: &ByHand, now: Timestamp) -> Option<Date> {
    let today = now.to_zoned(TimeZone::UTC).date();
    by_hand
        .last_rotated
        .filter(|date| today.tomorrow().is_ok_and(|tomorrow| *date > tomorrow))
}

fn due(how: &How) -> Action {
    match how {
        How::Automatic(_) => Action::Start,
        How::ByHand(_) => Action::Guided,
    }
}

fn shut(how: &How, now: Timestamp) -> Option<Timestamp> {
    match how {
        How::Automatic(automatic) => automatic.window.as_ref()?.opens_after(now),
        How::ByHand(_) => None,
    }
}

/// A rotation that a person has taken back is not begun again behind their back; and one whose new key proved useless is not
/// repeated day after day, each time at the cost of a key.
fn held(known: OnRecord<'_>) -> Option<String> {
    let stored = known.course?;
    let rotation = stored.rotation.automated()?;
    let undo = rotation.undo.as_ref()?;
    let released = known.watch.and_then(|watch| watch.rotation.released_at);
    let ended = matches!(rotation.phase, Phase::Aborted | Phase::RolledBack);
    (ended && released < Some(stored.updated_at)).then(|| why_held(undo, stored.updated_at))
}

fn why_held(undo: &Undo, at: Timestamp) -> String {
    let what = match undo.kind {
        UndoKind::Abort => "aborted",
        UndoKind::Rollback => "rolled back",
    };
    match &undo.by {
        Actor::Program => format!("its last rotation was {what} on {}: {}", day(at), undo.why),
        Actor::Person(person) => format!("its last rotation was {what} by {person} on {}", day(at)),
    }
}

/// Whether the window must have been open since then, and no run came by.
fn is_missed(target: &Target, since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) >= target.terms.late
}

/// A window that no run falls into is no reason to wait for ever.
fn missed(target: &str, reason: &str) -> Assessment {
    blocked(
        format!("{reason}; the window has been open since then, but `rotate run` was not started in it"),
        vec![
            "let cron run while the window is open; or by hand, while it is:".to_owned(),
            format!("rotate run --only {target}"),
        ],
    )
}

fn of_open(target: &Target, stored: &Stored, now: Timestamp) -> Assessment {
    if let AnyRotation::Automated(rotation) = &stored.rotation
        && let Step::Wait(wait) = next(rotation, &Facts::default(), now)
        && wait.on == Waiting::Window
        && is_missed(target, ready_at(stored, rotation), now)
    {
        return missed(&target.name, &wait.why);
    }
    under_way(stored, now)
}

/// What is to be done with an open rotation, whatever the configuration says of its target.
pub(super) fn under_way(stored: &Stored, now: Timestamp) -> Assessment {
    match &stored.rotation {
        AnyRotation::Automated(rotation) => automated(&stored.target, rotation, now),
        AnyRotation::Guided(walk) => walked(&stored.target, walk, now),
    }
}

/// Since when an open rotation could go on, but for its window.
fn ready_at(stored: &Stored, rotation: &Rotation) -> Timestamp {
    let rests = match &rotation.phase {
        Phase::Soaking(..) => true,
        Phase::CutOver(..) => rotation.rests_first(),
        _ => false,
    };
    let soak = i64::try_from(rotation.spec.soak_seconds).unwrap_or(i64::MAX);
    let rest = SignedDuration::from_secs(if rests { soak } else { 0 });
    stored.updated_at.checked_add(rest).unwrap_or(Timestamp::MAX)
}

fn automated(target: &str, rotation: &Rotation, now: Timestamp) -> Assessment {
    match next(rotation, &Facts::default(), now) {
        Step::Wait(wait) if wait.on == Waiting::Person => blocked(
            wait.why,
            vec!["see what to do:".to_owned(), format!("rotate status {target}")],
        ),
        Step::Wait(wait) => {
            let overdue = wait.on == Waiting::Cutover && wait.until.is_some_and(|until| until <= now);
            let reason = if overdue {
                format!("overdue: {}", wait.why)
            } else {
                wait.why
            };
            Assessment {
                is_pressing: overdue,
                ..plain(Action::Wait, reason)
            }
        }
        _ => plain(Action::Continue, format!("goes on from `{}`", rotation.reached())),
    }
}

fn walked(target: &str, walk: &GuidedRotation, now: Timestamp) -> Assessment {
    let overdue = walk.overdue_at() <= now;
    let late = if overdue { "overdue: " } else { "" };
    Assessment {
        remedy: vec![format!("rotate status {target}")],
        is_pressing: overdue,
        ..plain(Action::Guided, format!("{late}{}", walk.progress()))
    }
}

/// When the key that is in use was made: seen at the vendor, or told by the journal, whichever is the later word.
fn born_at(target: &Target, known: OnRecord<'_>, now: Timestamp) -> Option<(Timestamp, AgeBasis)> {
    let latest = known
        .course
        .and_then(|stored| Some((born_by(&stored.rotation)?, stored.updated_at)));
    let told = latest.or(known.rotated_before.map(|at| (at, at)));
    let seen = known.watch.and_then(|watch| {
        let watch = &watch.rotation;
        Some((watch.sighting.as_ref()?.born_at()?, watch.seen_at?))
    });
    let on_record = match (told, seen) {
        (Some((told, ended_at)), Some((_, seen_at))) if seen_at < ended_at => Some((told, AgeBasis::Journal)),
        (_, Some((seen, _))) => Some((seen, AgeBasis::Vendor)),
        (told, None) => told.map(|(told, _)| (told, AgeBasis::Journal)),
    };
    match &target.how {
        How::Automatic(_) => on_record,
        How::ByHand(by_hand) => {
            let date = by_hand.last_rotated.filter(|_| yet_to_come(by_hand, now).is_none());
            let dated = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
            let told = told.map(|(told, _)| (told, AgeBasis::Journal));
            let dated = dated.map(|dated| (dated.timestamp(), AgeBasis::Configuration));
            // Of the same day, the journal knows more.
            [dated, told].into_iter().flatten().max_by_key(|(at, _)| *at)
        }
    }
}

/// When a finished rotation made the key that it left. It was opened before, and on most days not long before.
pub(super) fn born_by(course: &AnyRotation) -> Option<Timestamp> {
    match course {
        AnyRotation::Automated(rotation) => matches!(rotation.phase, Phase::Done).then_some(rotation.opened_at),
        AnyRotation::Guided(walk) => walk.rotated_at(),
    }
}

fn plain(action: Action, reason: String) -> Assessment {
    Assessment {
        action,
        reason,
        remedy: Vec::new(),
        age: None,
        is_pressing: false,
        drift: None,
    }
}

fn blocked(reason: String, remedy: Vec<String>) -> Assessment {
    Assessment {
        remedy,
        is_pressing: true,
        ..plain(Action::Blocked, reason)
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
