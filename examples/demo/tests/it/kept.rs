//! An ordinary run, and one in which a promise is broken.

use crate::desk::{Desk, RAN};

/// What stands behind this word in the verdict.
fn told(stdout: &str, word: &str) -> String {
    let (_, verdict) = stdout.split_once("════ Verdict").unwrap();
    let line = verdict.lines().find(|line| line.trim_start().starts_with(word));
    let line = line.unwrap_or_else(|| panic!("the verdict says nothing of {word}:\n{verdict}"));
    line.trim_start()[word.len()..].trim().to_owned()
}

fn number(text: &str) -> usize {
    text.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn every_promise_is_kept_and_the_verdict_has_the_numbers() {
    let ran = &*RAN;
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("Every promise was kept"), "{}", ran.stdout);
    assert!(number(&told(&ran.stdout, "requests")) > 30);
    assert!(told(&ran.stdout, "requests").contains("by 3 consumers"));
    assert_eq!(told(&ran.stdout, "failures"), "0");
    assert_eq!(number(&told(&ran.stdout, "kills")), 2);
    assert_eq!(ran.stdout.matches("[killed by SIGKILL]").count(), 2);
    let commands = ran.stdout.lines().filter(|line| line.starts_with("$ rotate")).count();
    assert_eq!(number(&told(&ran.stdout, "commands")), commands);
}

#[test]
fn a_broken_promise_is_told_and_ends_it_with_exit_code_1() {
    let ran = Desk::new().run(&["--sabotage"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("A promise was broken"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Every promise was kept"), "{}", ran.stdout);
    assert!(number(&told(&ran.stdout, "failures")) > 0);
    assert!(ran.left.is_empty(), "{:?}", ran.left);
}

#[test]
fn nothing_is_left_but_the_report_which_is_a_page() {
    let ran = &*RAN;
    assert!(ran.left.is_empty(), "{:?}", ran.left);
    assert!(ran.report.starts_with("<!doctype html>") || ran.report.starts_with("<!DOCTYPE html>"));
    for name in ["billing-export", "gainsight-s3", "legacy-sync", "helpdesk"] {
        assert!(ran.report.contains(name), "the report says nothing of {name}");
    }
}

#[test]
fn no_line_is_longer_than_80_columns_and_off_a_terminal_it_is_plain() {
    let stdout = &RAN.stdout;
    let long: Vec<&str> = stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let strange = stdout.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(strange, None);
}

#[test]
fn each_warning_is_explained_and_each_wait_announced_before_it() {
    let stdout = &RAN.stdout;
    let (before, _) = stdout.split_once("WARN").unwrap();
    let (_, said) = before.rsplit_once("── ").unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("It warns that AWS has seen the old key"), "{said}");
    assert_eq!(stdout.matches("WARN").count(), 1, "{stdout}");
    let announced = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(announced.matches("That takes 2 seconds: waiting …").count(), 2);
}

#[test]
fn each_kind_of_credential_is_shown_with_what_makes_it_safe() {
    let said = RAN.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "An AWS access key",
        "A Snowflake key pair",
        // The step that takes the old key away is not the first; the new one is accepted at the second try, the old one at none.
        "step revoke-the-old-key is not next",
        "rejected (http-401)",
        "accepted (http-200)",
        "the old credential: REJECTED",
        "A fleet, from one file",
        "$ rotate plan",
        "the journal is intact",
    ] {
        assert!(said.contains(words), "{words} is not shown:\n{said}");
    }
}

#[test]
fn what_it_does_not_understand_is_refused_before_anything_is_begun() {
    for (arguments, code) in [
        (&["--sabotages"][..], 64),
        (&["--report"][..], 64),
        (&["--help"][..], 0),
    ] {
        let desk = Desk::new();
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}", ran.stderr);
        let said = if code == 0 { &ran.stdout } else { &ran.stderr };
        assert!(said.contains("Usage: cargo demo"), "{said}");
        assert!(ran.left.is_empty() && ran.report.is_empty());
    }
}
