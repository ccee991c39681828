//! Every credential on one line of time: how old its key is, when both keys worked, and when it has to be gone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::words::day;
use super::{CredentialView, Report, RotationView, Standing};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// No more of the past and of the future is drawn: a limit of ten years would leave nothing to see of today.
const FARTHEST: i32 = 400;

/// No more months than this are written above it.
const MOST_TICKS: usize = 9;

/// The stretch of time that is drawn, as wide as the page.
pub(super) struct Timeline {
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
}

/// A month, and where it begins.
pub(super) struct Tick {
    pub(super) x: String,
    pub(super) label: String,
}

/// What is drawn of one credential.
pub(super) struct Row {
    pub(super) bars: Vec<Bar>,
    /// Where its limit is, if that is on the page.
    pub(super) deadline: Option<String>,
    /// Where its exception ends.
    pub(super) exception: Option<String>,
    /// The same in words, for whoever does not see it.
    pub(super) told: String,
    /// The shortest word on it, which stands beside.
    pub(super) short: String,
}

/// A stretch of one kind.
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) width: String,
}

impl Timeline {
    pub(super) fn of(report: &Report) -> Self {
        let now = report.made_at;
        let mut from = later(now, -30);
        let mut to = later(now, 30);
        for credential in &report.credentials {
            if let Some(age) = &credential.age {
                from = from.min(age.born_at);
                to = to.max(age.gone_by);
            }
            if let Some(rotation) = credential.rotations.first() {
                from = from.min(rotation.opened_at);
            }
        }
        // Some room on both sides, so that nothing hides at an edge.
        let from = later(from.max(later(now, -FARTHEST)), -7);
        let to = later(to.min(later(now, FARTHEST)), 7);
        Self { from, to, now }
    }

    /// Today, in percent.
    pub(super) fn today(&self) -> String {
        percent(self.at(self.now))
    }

    /// Months, as many as can be read.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let first = self.from.to_zoned(TimeZone::UTC).date().first_of_month();
        let end = self.to.to_zoned(TimeZone::UTC).date();
        let months = i64::from(end.year() - first.year()) * 12 + i64::from(end.month() - first.month());
        let every = [1, 2, 3, 6, 12]
            .into_iter()
            .find(|every| months / every < MOST_TICKS as i64);
        let every = every.unwrap_or(24);
        let mut ticks = Vec::new();
        let mut month: Option<Date> = Some(first);
        while let Some(date) = month.filter(|date| *date <= end && ticks.len() <= MOST_TICKS * 2) {
            if let Ok(at) = date.to_zoned(TimeZone::UTC)
                && at.timestamp() >= self.from
            {
                ticks.push(Tick {
                    x: percent(self.at(at.timestamp())),
                    label: date.strftime("%b %Y").to_string(),
                });
            }
            month = date.checked_add(Span::new().months(every)).ok();
        }
        ticks
    }

    /// One credential.
    pub(super) fn row(&self, credential: &CredentialView) -> Row {
        let mut bars = self.past(&credential.rotations);
        if let Some(age) = &credential.age {
            let (life, over) = match credential.standing {
                Standing::Overdue => ("life overdue", age.gone_by),
                Standing::Due => ("life due", self.now),
                Standing::InPolicy | Standing::AgeUnknown => ("life in-policy", self.now),
            };
            bars.extend(self.bar(life, age.born_at, over.min(self.now)));
            bars.extend(self.bar("beyond", age.gone_by, self.now));
            bars.extend(self.bar("ahead", self.now, age.begins_at));
            bars.extend(self.bar("lead", age.begins_at.max(self.now), age.gone_by));
        }
        let overlaps = credential
            .rotations
            .iter()
            .filter_map(|rotation| self.overlap(rotation));
        bars.extend(overlaps);
        let exception = credential.exception.as_ref().and_then(|exception| {
            let last: Date = exception.until.parse().ok()?;
            let ends = last.to_zoned(TimeZone::UTC).ok()?.timestamp();
            self.shown(ends)
        });
        Row {
            bars,
            deadline: credential.age.as_ref().and_then(|age| self.shown(age.gone_by)),
            exception,
            told: told(credential),
            short: short(credential),
        }
    }

    /// The keys of before: each from the rotation that made it to the one that ended it.
    fn past(&self, rotations: &[RotationView]) -> Vec<Bar> {
        let mut bars = Vec::new();
        let mut made_at = None;
        for rotation in rotations {
            let Some(seconds) = rotation.revoked_after_seconds else {
                continue;
            };
            let revoked_at = rotation.opened_at + SignedDuration::from_secs(seconds);
            if let Some(made_at) = made_at {
                bars.extend(self.bar("past", made_at, revoked_at));
            }
            made_at = Some(rotation.opened_at);
        }
        bars
    }

    fn overlap(&self, rotation: &RotationView) -> Option<Bar> {
        let made = rotation.phases.iter().find(|phase| phase.phase.name() == "created")?.at;
        let ends = match (rotation.overlap_seconds, rotation.ended_at) {
            _ if rotation.overlaps == Some(false) => return None,
            (Some(seconds), _) => made + SignedDuration::from_secs(seconds),
            (None, None) => self.now,
            (None, Some(_)) => return None,
        };
        self.bar("overlap", made, ends)
    }

    /// A stretch, where it is long enough and on the page.
    fn bar(&self, class: &'static str, from: Timestamp, to: Timestamp) -> Option<Bar> {
        let (from, to) = (self.at(from), self.at(to));
        (to > from).then(|| Bar {
            class,
            x: percent(from),
            // What lasted for minutes is seen all the same.
            width: percent((to - from).max(0.3)),
        })
    }

    fn shown(&self, at: Timestamp) -> Option<String> {
        (self.from <= at && at <= self.to).then(|| percent(self.at(at)))
    }

    /// Where a moment is, in percent of the width.
    fn at(&self, at: Timestamp) -> f64 {
        let all = self.to.duration_since(self.from).as_secs_f64().max(1.0);
        (at.duration_since(self.from).as_secs_f64() / all * 100.0).clamp(0.0, 100.0)
    }
}

fn told(credential: &CredentialView) -> String {
    let standing = credential.standing.words();
    match &credential.age {
        None => format!("{}: {standing}", credential.name),
        Some(age) => format!(
            "{}: {standing}; {} days old, its rotation begins on {}, and its key has to be gone by {}",
            credential.name,
            age.days,
            day(age.begins_at),
            day(age.gone_by)
        ),
    }
}

fn short(credential: &CredentialView) -> String {
    match (&credential.age, credential.limit_days) {
        (Some(age), Some(limit)) => format!("{} of {limit:.0} days", age.days),
        (Some(age), None) => format!("{} days", age.days),
        (None, _) => "age not recorded".to_owned(),
    }
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn later(at: Timestamp, days: i32) -> Timestamp {
    let end = if days < 0 { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(DAY * days).unwrap_or(end)
}
