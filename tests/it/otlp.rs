//! A trace of what a command did: what is in it, where it goes, and that whatever becomes of it nothing else changes.
//!
//! Leans on a collector that reads what it gets by OpenTelemetry's own definition, and on the strict fakes of the vendors.

#![expect(clippy::panic, reason = "a helper that cannot work must stop its test")]

mod bounds;
mod secrets;
mod shape;
mod unsent;

use std::process::Command;

use jiff::SignedDuration;
use rotate_fixtures::collector::SeenSpan;
use rotate_fixtures::{Collector, FleetWorkplace, Ran};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What makes a rotation go through in one run.
const AT_ONCE: &str = "cutover = \"immediate\"\nsoak = \"0s\"";

/// A fleet without targets.
fn place() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place
}

/// A command line whose trace goes to this collector.
fn command(place: &FleetWorkplace, collector: &Collector, words: &[&str]) -> Command {
    let mut command = place.command(words.iter().copied());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    command
}

fn run(place: &FleetWorkplace, collector: &Collector, words: &[&str]) -> Ran {
    Ran::of(command(place, collector, words))
}

/// The one span of this name.
#[track_caller]
fn one<'s>(spans: &'s [SeenSpan], name: &str) -> &'s SeenSpan {
    let found: Vec<&SeenSpan> = spans.iter().filter(|span| span.name == name).collect();
    match found[..] {
        [span] => span,
        _ => panic!("{} spans {name} in\n{}", found.len(), tree(spans)),
    }
}

/// The names of spans, each below the one that it is a part of, in the order in which they began; calls, which may be made side by
/// side, by their names.
fn tree(spans: &[SeenSpan]) -> String {
    let mut lines = String::new();
    let is_there = |id: &str| spans.iter().any(|span| span.id == id);
    for root in spans.iter().filter(|span| !is_there(&span.parent)) {
        add(spans, root, 0, &mut lines);
    }
    lines
}

fn add(spans: &[SeenSpan], span: &SeenSpan, depth: usize, lines: &mut String) {
    let failed = if span.is_failed { " FAILED" } else { "" };
    lines.push_str(&format!("{}{}{failed}\n", "  ".repeat(depth), span.name));
    assert!(depth < 20, "spans are parts of each other");
    let parts = spans.iter().filter(|part| part.parent == span.id);
    let (mut calls, others): (Vec<&SeenSpan>, Vec<&SeenSpan>) = parts.partition(|part| part.is_client);
    calls.sort_by(|a, b| a.name.cmp(&b.name));
    for part in calls.into_iter().chain(others) {
        add(spans, part, depth + 1, lines);
    }
}

/// The lines on stderr that warn.
fn warnings(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.contains("warning:")).collect()
}
