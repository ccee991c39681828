//! The recording in docs: a session that was recorded, of the demo as it is today.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::RAN;

/// How it is made anew.
const REMEDY: &str = "record it anew, as docs/demo.md says";

fn recording() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/demo.cast");
    fs::read_to_string(path).unwrap()
}

/// What was seen: the times, and the text.
fn seen(recording: &str) -> (Vec<f64>, String) {
    let events = recording.lines().skip(1).map(|line| {
        let event: (f64, String, String) = serde_json::from_str(line).unwrap();
        assert_eq!(event.1, "o", "somebody typed: {line}");
        (event.0, event.2)
    });
    events.unzip()
}

#[test]
fn it_is_an_asciicast_of_a_terminal_of_80_columns_that_plays_for_less_than_a_minute() {
    let recording = recording();
    let head: Value = serde_json::from_str(recording.lines().next().unwrap()).unwrap();
    assert_eq!((&head["version"], &head["width"]), (&2.into(), &80.into()), "{head}");
    assert!(head["height"].as_u64().is_some_and(|rows| rows >= 24), "{head}");
    let (times, text) = seen(&recording);
    assert!(times.is_sorted(), "time runs backwards");
    assert!(times.last().is_some_and(|end| *end < 60.0), "it takes too long");
    assert!(text.contains("\u{1b}["), "it has no colour: it was no terminal");
    let long = plain(&text).lines().map(|line| line.chars().count()).max();
    assert!(long <= Some(80), "a line of {long:?} columns; {REMEDY}");
}

#[test]
fn it_shows_what_the_demo_does_today() {
    let (_, text) = seen(&recording());
    let (recorded, today) = (outline(&plain(&text)), outline(&RAN.stdout));
    assert!(today.len() > 20, "{today:#?}");
    assert_eq!(recorded, today, "{REMEDY}");
}

/// What somebody says or types in it, without the numbers that differ from run to run.
fn outline(text: &str) -> Vec<String> {
    let beginnings = ["════ ", "── ", "$ rotate"];
    let lines = text
        .lines()
        .filter(|line| beginnings.iter().any(|beginning| line.starts_with(beginning)));
    let without = |line: &str| {
        let masked: String = line
            .chars()
            .map(|letter| if letter.is_ascii_digit() { '#' } else { letter })
            .collect();
        // A number has as many digits as it has.
        masked
            .split('#')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("#")
    };
    lines.map(without).collect()
}

/// The text without its colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once(char::is_alphabetic).map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain.replace('\r', "")
}

#[test]
fn what_is_held_against_it_would_show_a_difference() {
    let one = outline("════ A ══\n── 12 requests worked, 0 failed.\n$ rotate run\n  12\n");
    assert_eq!(one, ["════ A ══", "── # requests worked, # failed.", "$ rotate run"]);
    assert_eq!(
        one,
        outline("════ A ══\n── 7 requests worked, 0 failed.\n$ rotate run\n")
    );
    assert_ne!(
        one,
        outline("════ A ══\n── 7 requests worked, 0 failed.\n$ rotate plan\n")
    );
    assert_eq!(plain("\u{1b}[1;36ma\u{1b}[0m\r\n"), "a\n");
}
