//! How others see whether the program does its work: metrics that Prometheus reads, an anchor that shows a journal that was put
//! back, a journal that is followed.
//!
//! The real program against the strict fake, with a clock that can be moved; metrics, rules and the dashboard are checked by
//! Prometheus' own promtool.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test, what cannot be is the failure itself"
)]

mod anchor;
mod configured;
mod follow;
mod heartbeat;
mod metrics;
mod rules;
mod textfile;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rotate_fixtures::FleetWorkplace;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The file of metrics of a place.
fn textfile(place: &FleetWorkplace) -> PathBuf {
    place.path("textfile/rotate.prom")
}

/// A fleet of these tables, which leaves its metrics.
fn watched(tables: &str) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    std::fs::create_dir(place.path("textfile")).unwrap();
    let path = textfile(&place);
    place.configure(&format!(
        "[metrics]\ntextfile = \"{}\"\n[defaults]\naws_calls_per_second = 0\n{tables}",
        path.display()
    ));
    place
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The value of a metric with these labels among others.
#[track_caller]
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    find(text, name, labels).unwrap_or_else(|| panic!("there is no {name} with {labels:?}\n{text}"))
}

fn find(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut of_name = text.lines().filter_map(|line| line.strip_prefix(name));
    let line = of_name.find(|rest| rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label)))?;
    line.rsplit(' ').next()?.parse().ok()
}
