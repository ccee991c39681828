//! Points in time as vendors tell them. One that cannot be is none: whatever is computed with it would be wrong, or too large
//! to be told.

use jiff::Timestamp;

/// 2000-01-01: no vendor of ours is older.
const EARLIEST: i64 = 946_684_800;

/// 9000-01-01, in seconds since 1970: room for every length of time that may be added.
pub const LATEST: i64 = 221_845_392_000;

/// The point in time, where it can be one.
pub(crate) fn plausible(at: Timestamp) -> Option<Timestamp> {
    (EARLIEST..LATEST).contains(&at.as_second()).then_some(at)
}

/// The same, of seconds since 1970.
pub(crate) fn from_seconds(seconds: i64) -> Option<Timestamp> {
    plausible(Timestamp::from_second(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_is_none() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(at("2000-01-01T00:00:00Z").as_second(), EARLIEST);
        assert_eq!(at("9000-01-01T00:00:00Z").as_second(), LATEST);
        assert_eq!(from_seconds(LATEST - 1).map(Timestamp::as_second), Some(LATEST - 1));
        for seconds in [i64::MIN, -1, 0, EARLIEST - 1, LATEST, 253_402_207_200, i64::MAX] {
            assert_eq!(from_seconds(seconds), None, "{seconds}");
        }
    }
}
