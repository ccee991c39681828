//! Durations as people write them: `7d`, `90m`, `2s`.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The longest time that makes sense for a key: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Days and more, in seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    wait(text).map(|duration| duration.as_secs())
}

/// Any duration that is not negative.
pub fn wait(text: &str) -> Result<Duration, String> {
    const FORM: &str = "write a number and a unit, such as 7d, 12h, 90m or 2s";
    if text.trim_start().starts_with('-') {
        return Err(format!("a duration cannot be negative; {FORM}"));
    }
    // A bare zero needs no unit.
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let span: Span = text.parse().map_err(|_| FORM.to_owned())?;
    let whole: SignedDuration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("months and years differ in length; {FORM}"))?;
    let duration = Duration::try_from(whole).map_err(|_| format!("a duration cannot be negative; {FORM}"))?;
    if duration > LONGEST {
        return Err("no key should wait for longer than ten years".to_owned());
    }
    Ok(duration)
}

/// A duration as people write it: in days where it is whole days.
pub fn written(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        _ if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("7d", 604_800),
            ("0s", 0),
            ("0", 0),
            ("90m", 5400),
            ("36h", 129_600),
            ("2 days", 172_800),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_people_read_them() {
        for text in ["0s", "7d", "36h", "90m", "61s", "180d"] {
            let seconds = i64::try_from(seconds(text).unwrap()).unwrap();
            assert_eq!(written(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["-3d", "banana", "", "7", "1y", "3650001d", "7d ago", "-PT1S", "P-1D"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
