//! How often and how long: what a person may want to set, and tests and benches do.

use std::time::Duration;

/// Counts, spacings and deadlines of waits that are seconds long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many probes in a row have to succeed before a fresh key is believed.
    pub verify_successes: u32,
    /// The time between two probes.
    pub verify_spacing: Duration,
    /// How long a key may be refused before that is believed.
    pub verify_deadline: Duration,
    /// The time between two readings of a list that lags.
    pub list_spacing: Duration,
}
