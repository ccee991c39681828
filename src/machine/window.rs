//! When effects are allowed: on some days, between two times of day, in one time zone.
//!
//! A window holds back what *begins* something: creating a key, the first delivery, disabling the old key, deleting it.
//! What is under way is finished, and an undo is never held back: consumers come first.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Days and hours in a time zone.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it opens.
    #[schemars(length(min = 1))]
    pub days: BTreeSet<Day>,
    /// When it opens.
    #[schemars(with = "String", regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"))]
    pub from: Time,
    /// When it closes: on the same day, or on the next one where that is not later than `from`.
    #[schemars(with = "String", regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"))]
    pub to: Time,
    /// The time zone's name in the IANA database.
    pub zone: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are what they say")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A day's length, as a window sees it.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// By how much clocks are put forward or back twice a year.
const SUMMER_TIME: SignedDuration = SignedDuration::from_hours(1);

impl Day {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// Its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Window {
    /// When it opens next; `None` while it is open.
    pub fn opens_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = self.time_zone();
        let today = now.to_zoned(zone.clone()).date();
        // An opening of yesterday may last until now, and in a week every day comes round.
        let mut next = None;
        for offset in -1..=8 {
            let Some((opens, closes)) = today
                .checked_add(offset.days())
                .ok()
                .and_then(|date| self.on(date, &zone))
            else {
                continue;
            };
            if opens <= now && now < closes {
                return None;
            }
            if opens > now && next.is_none() {
                next = Some(opens);
            }
        }
        // A window without days is refused by the configuration; here it would stay shut for ever.
        Some(next.unwrap_or(Timestamp::MAX))
    }

    /// The longest time for which it can be shut.
    pub fn longest_shut(&self) -> SignedDuration {
        let length = self.length();
        let days: Vec<i64> = (0..)
            .zip(Day::ALL)
            .filter(|(_, day)| self.days.contains(day))
            .map(|(at, _)| at)
            .collect();
        let Some(first) = days.first() else {
            return SignedDuration::MAX;
        };
        let next = days.iter().skip(1).copied().chain([first + 7]);
        let apart = days.iter().zip(next).map(|(day, next)| next - day).max().unwrap_or(7);
        let shut = SignedDuration::from_hours(24 * apart) - length;
        if shut <= SignedDuration::ZERO {
            SignedDuration::ZERO
        } else {
            shut + SUMMER_TIME
        }
    }

    fn length(&self) -> SignedDuration {
        let length = self.from.duration_until(self.to);
        if length <= SignedDuration::ZERO {
            length + DAY
        } else {
            length
        }
    }

    /// When it opens and closes on this day, if it does.
    fn on(&self, date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&Day::of(date.weekday())) {
            return None;
        }
        let closing = if self.to <= self.from {
            date.checked_add(1.day()).ok()?
        } else {
            date
        };
        // A time that clocks skip counts as the one after it.
        let at = |date: Date, time: Time| {
            Some(
                zone.to_ambiguous_zoned(date.to_datetime(time))
                    .compatible()
                    .ok()?
                    .timestamp(),
            )
        };
        Some((at(date, self.from)?, at(closing, self.to)?))
    }

    /// A zone that this program does not know any more is one that nobody can be asked for.
    fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = self.days.iter().map(|day| day.name()).collect();
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        write!(
            f,
            "{} {}\u{2013}{} {}",
            days.join(", "),
            clock(self.from),
            clock(self.to),
            self.zone
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Day], from: &str, to: &str) -> Window {
        Window {
            days: days.iter().copied().collect(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
        }
    }

    fn opens_after(window: &Window, now: &str) -> Option<String> {
        window.opens_after(now.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn an_office_window_is_open_in_office_hours() {
        let office = window(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri], "09:00", "17:00");
        // A Wednesday in winter: Berlin is an hour ahead.
        assert_eq!(opens_after(&office, "2026-11-25T08:00:00Z"), None);
        assert_eq!(opens_after(&office, "2026-11-25T15:59:59Z"), None);
        assert_eq!(
            opens_after(&office, "2026-11-25T16:00:00Z").as_deref(),
            Some("2026-11-26T08:00:00Z")
        );
        assert_eq!(
            opens_after(&office, "2026-11-25T07:59:59Z").as_deref(),
            Some("2026-11-25T08:00:00Z")
        );
        // From Friday evening to Monday morning; and in summer an hour earlier.
        assert_eq!(
            opens_after(&office, "2026-11-27T20:00:00Z").as_deref(),
            Some("2026-11-30T08:00:00Z")
        );
        assert_eq!(
            opens_after(&office, "2026-07-03T20:00:00Z").as_deref(),
            Some("2026-07-06T07:00:00Z")
        );
        assert_eq!(office.longest_shut(), SignedDuration::from_hours(3 * 24 - 8 + 1));
    }

    #[test]
    fn a_window_may_last_past_midnight() {
        let night = window(&[Day::Sat], "22:00", "04:00");
        assert_eq!(opens_after(&night, "2026-11-28T21:00:00Z"), None);
        assert_eq!(opens_after(&night, "2026-11-29T02:59:00Z"), None);
        assert_eq!(
            opens_after(&night, "2026-11-29T03:00:00Z").as_deref(),
            Some("2026-12-05T21:00:00Z")
        );
        assert_eq!(night.longest_shut(), SignedDuration::from_hours(7 * 24 - 6 + 1));
    }

    #[test]
    fn a_window_of_every_whole_day_is_never_shut() {
        let always = window(&Day::ALL, "00:00", "00:00");
        for hour in 0..48 {
            let now = "2026-03-28T12:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour);
            assert_eq!(always.opens_after(now), None, "{now}");
        }
        assert_eq!(always.longest_shut(), SignedDuration::ZERO);
    }

    /// On 2026-03-29 Berlin's clocks go from 2:00 to 3:00.
    #[test]
    fn a_time_that_clocks_skip_counts_as_the_one_after_it() {
        let skipped = window(&[Day::Sun], "02:30", "05:00");
        assert_eq!(
            opens_after(&skipped, "2026-03-29T00:59:00Z").as_deref(),
            Some("2026-03-29T01:30:00Z")
        );
        assert_eq!(opens_after(&skipped, "2026-03-29T01:30:00Z"), None);
    }
}
