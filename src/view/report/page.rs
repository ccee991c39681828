//! The page: one file that needs nothing else, for the screen and for paper.

use std::io::{self, Write};

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::rotation::RequestView;
use super::timeline::{Row, Timeline};
use super::words::{NOT_RECORDED, count, day, length, second};
use super::{ControlView, CredentialView, Report, RotationView};
use crate::view::{AgeView, Mode};

/// Writes the page.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    Page::of(report).write_into(out)
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a Report,
    timeline: Timeline,
    /// The credentials, those first that need a person soonest.
    urgent: Vec<(usize, &'a CredentialView)>,
    style: &'static str,
}

/// One thing that is known, or is not.
struct Fact {
    name: &'static str,
    value: Option<String>,
}

impl Fact {
    fn new(name: &'static str, value: Option<String>) -> Self {
        Self { name, value }
    }

    fn several(name: &'static str, values: &[String]) -> Self {
        Self::new(name, (!values.is_empty()).then(|| values.join(", ")))
    }
}

impl<'a> Page<'a> {
    fn of(report: &'a Report) -> Self {
        let mut urgent: Vec<(usize, &CredentialView)> = (1..).zip(&report.credentials).collect();
        urgent.sort_by_key(|(number, it)| {
            let gone_by = it.age.as_ref().map(|age| age.gone_by);
            (it.standing, !it.blocked, gone_by, *number)
        });
        Self {
            report,
            timeline: Timeline::of(report),
            urgent,
            style: include_str!("page.css"),
        }
    }

    /// The whole report in two sentences.
    fn verdict(&self) -> String {
        let it = &self.report.summary;
        if it.credentials == 0 {
            return "No credential is listed, and the journal knows none.".to_owned();
        }
        let all = count(it.credentials, "credential", "credentials");
        let mut parts = vec![format!("{} within policy", it.in_policy)];
        for (number, what) in [(it.due, "due"), (it.overdue, "overdue")] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        if it.age_unknown > 0 {
            parts.push(format!("{} of an age that is not recorded", it.age_unknown));
        }
        let people = match it.waiting {
            0 => "Nobody is waited for.".to_owned(),
            1 => "1 waits for a person.".to_owned(),
            waiting => format!("{waiting} wait for a person."),
        };
        let blocked = match it.blocked {
            0 => String::new(),
            1 => " 1 is blocked.".to_owned(),
            blocked => format!(" {blocked} are blocked."),
        };
        format!("{all}: {}. {people}{blocked}", parts.join(", "))
    }

    fn made_at(&self) -> String {
        format!("{} UTC", second(self.report.made_at))
    }

    fn period(&self) -> String {
        let until = second(self.report.period.until);
        match self.report.period.since {
            Some(since) => format!("{} to {until} UTC", second(since)),
            None => format!("from the beginning of the journal to {until} UTC"),
        }
    }

    fn listed_in(&self) -> Option<String> {
        self.report.population.listed_in.clone()
    }

    fn rotations(&self) -> usize {
        self.report
            .credentials
            .iter()
            .map(|credential| credential.rotations.len())
            .sum()
    }

    fn by(&self, at: &Timestamp) -> String {
        day(*at)
    }

    fn row(&self, credential: &CredentialView) -> Row {
        self.timeline.row(credential)
    }

    /// The number of the section that tells of this credential.
    fn section(&self, name: &str) -> usize {
        let at = self
            .report
            .credentials
            .binary_search_by(|it| it.name.as_str().cmp(name));
        at.map_or(0, |at| at + 1)
    }

    fn result(&self, control: &ControlView) -> String {
        match (control.credentials, control.beyond) {
            (0, _) => "no credential of this kind".to_owned(),
            (all, None) => format!(
                "{}; to be judged by the reader",
                count(all, "credential", "credentials")
            ),
            (all, Some(0)) => format!("all {all} within it"),
            (all, Some(beyond)) => format!("{beyond} of {all} not shown to be within it"),
        }
    }

    fn facts(&self, it: &CredentialView) -> Vec<Fact> {
        let age = it.age.as_ref();
        let at = |at| format!("{} UTC", second(at));
        let keys = it.other_active_keys.iter().map(|key| match key.created_at {
            Some(made) => format!("{} (made {})", key.id, day(made)),
            None => key.id.clone(),
        });
        let keys: Vec<String> = keys.collect();
        let others = match (keys.as_slice(), it.looked_at) {
            ([], _) if !it.others_are_known => None,
            ([], None) => None,
            ([], Some(looked)) => Some(format!("none, as of {}", at(looked))),
            (keys, _) => Some(keys.join(", ")),
        };
        let limit = it.limit_days.map(|days| match &it.limit_basis {
            Some(basis) => format!("{days:.0} days: {basis}"),
            None => format!("{days:.0} days; what it rests on is not recorded"),
        });
        let last_use = it.last_use.as_ref().map(|used| {
            format!(
                "{} ({}), as recorded on {}",
                at(used.at),
                used.where_used,
                day(used.recorded_at)
            )
        });
        let exception = match &it.exception {
            None => "none".to_owned(),
            Some(it) => {
                let ends = if it.expired { "expired on" } else { "until" };
                format!("{}; approved by {}, {ends} {}", it.reason, it.approved_by, it.until)
            }
        };
        vec![
            Fact::new("System", it.system.clone()),
            Fact::new("Rotated by", it.mode.map(|mode| who(mode).to_owned())),
            Fact::new("Owner", it.owner.clone()),
            Fact::new("Account", it.account.clone()),
            Fact::new("User", it.user.clone()),
            Fact::new("Immutable id", it.immutable_id.clone()),
            Fact::new("Key or fingerprint", it.key.clone()),
            Fact::new("Created (vendor's clock)", it.created_at.map(at)),
            Fact::new("Other active keys", others),
            Fact::new("Age", age.map(|age| told_age(age, it.mode))),
            Fact::new("Limit and its basis", limit),
            Fact::new("Next due", age.map(|age| day(age.begins_at))),
            Fact::new("Gone by", age.map(|age| day(age.gone_by))),
            Fact::new("Last use", last_use),
            Fact::new("Exception", Some(exception)),
            Fact::several("Destinations", &it.destinations),
            Fact::several("Configured as", &it.inputs),
            Fact::new("Vendor looked at", it.looked_at.map(at)),
        ]
    }

    fn rotation_facts(&self, it: &RotationView) -> Vec<Fact> {
        let time = |seconds: Option<i64>| seconds.map(|seconds| length(SignedDuration::from_secs(seconds)));
        let under_way = it.ended_at.is_none();
        let overlap = match it.overlap_seconds {
            _ if it.overlaps == Some(false) => Some("none: the new one takes the old one's place".to_owned()),
            other => time(other).or_else(|| under_way.then(|| "not over".to_owned())),
        };
        let revoked = time(it.revoked_after_seconds).map(|time| format!("{time} after the opening"));
        let revoked = revoked.or_else(|| under_way.then(|| "not yet".to_owned()));
        let stretch = |stretch: Option<super::rotation::Stretch>| {
            let it = stretch?;
            let first = format!("{} UTC", second(it.first));
            Some(match it.first == it.last {
                true => first,
                false => format!("{first}, last {} UTC", second(it.last)),
            })
        };
        let request = |it: &RequestView| format!("{} {}", it.event, it.id);
        let requests = it.request_ids.as_deref();
        let requests = requests.map(|all| all.iter().map(request).collect::<Vec<_>>());
        vec![
            Fact::new("Rotation", Some(it.id.clone())),
            Fact::new("Trigger", it.trigger.map(|trigger| trigger.name().to_owned())),
            Fact::new("Initiated by", it.initiated_by.clone()),
            Fact::several("Approved by", &it.approved_by),
            Fact::new("Old key", it.old_key.clone()),
            Fact::new("New key", it.new_key.clone()),
            Fact::several("Delivered to", &it.destinations),
            Fact::new("Both keys worked", overlap),
            Fact::new("Old key off", revoked),
            Fact::new("Proof of the new", stretch(it.proved)),
            Fact::new("Refusal of the old", stretch(it.refused)),
            Fact::new("Request ids", requests.map(|told| told.join(", "))),
        ]
    }

    fn title(&self, it: &RotationView) -> String {
        let what = match it.procedure.as_str() {
            "rotate" => "Rotation",
            "disconnect" => "Disconnection",
            _ => "Reconnection",
        };
        let end = match it.ended_at {
            Some(ended) => format!(" to {}", day(ended)),
            None => ", under way".to_owned(),
        };
        format!("{what} of {}{end}", day(it.opened_at))
    }
}

/// Who takes the steps.
fn who(mode: Mode) -> &'static str {
    match mode {
        Mode::Automated => "rotate, through the vendor's API",
        Mode::Guided => "a person, by the vendor's procedure",
    }
}

/// Nobody has asked the vendor about a key that a person rotates.
fn told_age(age: &AgeView, mode: Option<Mode>) -> String {
    let basis = match mode {
        Some(Mode::Guided) => ", as people said: by the last step of a rotation, or in the configuration",
        Some(Mode::Automated) | None => "",
    };
    format!("{}, since {}{basis}", count_days(age.days), day(age.born_at))
}

fn count_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_that_people_told_is_said_to_be_told_by_them() {
        let day = Timestamp::from_second(0).unwrap();
        let age = AgeView {
            basis: crate::engine::AgeBasis::Vendor,
            born_at: day,
            begins_at: day,
            gone_by: day,
            share: 0.0,
            days: 1,
        };
        let told = |mode| told_age(&age, Some(mode));
        assert_eq!(told(Mode::Automated), "1 day, since 1970-01-01");
        assert!(told(Mode::Guided).starts_with("1 day, since 1970-01-01, as people said: "));
    }
}
