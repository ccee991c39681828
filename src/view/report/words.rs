//! Text and times as the report shows them.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::untrusted::sanitized;

/// What is shown where the journal has nothing to say. Nothing is guessed.
pub(super) const NOT_RECORDED: &str = "not recorded";

/// Text from outside as one visible line; what we have written on several is one as well.
pub(super) fn said(text: &str) -> String {
    sanitized(&text.replace('\n', " "))
}

/// The same of several; what is empty says nothing.
pub(super) fn said_all<T: AsRef<str>>(texts: &[T]) -> Vec<String> {
    let texts = texts.iter().map(|text| said(text.as_ref()));
    texts.filter(|text| !text.is_empty()).collect()
}

/// The same of one that may be missing, or empty.
pub(super) fn told_if(text: Option<&str>) -> Option<String> {
    text.map(said).filter(|text| !text.trim().is_empty())
}

/// `2026-11-27`.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `2026-11-27 09:30:00`, in UTC.
pub(super) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A length of time in the largest unit that tells it well: `12 days`, `5 h`, `40 min`, `12 s`.
pub(super) fn length(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    if days >= 2 {
        format!("{days} days")
    } else if hours >= 2 {
        format!("{hours} h")
    } else if minutes >= 2 {
        format!("{minutes} min")
    } else {
        format!("{seconds} s")
    }
}

/// `1 credential`, `2 credentials`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
