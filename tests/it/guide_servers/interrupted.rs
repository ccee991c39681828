//! A person who breaks off a command that handles a key leaves none behind: with ^C, at a terminal, in bash and in dash.

use std::fs;
use std::path::Path;

use rotate_providers::connector;
use rotate_providers::guide::{Language, Procedure};

use super::shells::{at_a_terminal, program};
use super::{Values, values};

/// Writes what the real one writes before it is done, and takes long from there on.
const SLOW: &str = r#"#!/bin/sh
case "$*" in
  *'keys create'*) printf 'half a key' >"$5" ;;
  *activate-service-account*) printf 'a key' >"$CLOUDSDK_CONFIG/credentials.db" ;;
esac
printf 'at work: '
sleep "$PATIENCE"
"#;

const INTERRUPT: &str = "\u{3}";
const KEY: &str = "new key's.json";

/// Every command that is given a key, or makes one.
fn commands() -> Vec<(String, String)> {
    let guide = connector("bigquery-service-account").and_then(|connector| connector.guide().ok());
    let guide = guide.expect("it is sound");
    let values: Values = values(&[
        ("service_account", "a@p.iam.gserviceaccount.com"),
        ("project", "p"),
        ("key_file", KEY),
    ]);
    let mut all = Vec::new();
    for procedure in Procedure::ALL {
        for step in guide.steps(procedure) {
            let shell = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell);
            let text = shell.map(|command| command.text.fill(&values)).unwrap_or_default();
            if text.contains("keys create") || text.contains("--key-file") {
                all.push((format!("{} {}", procedure.name(), step.id), text));
            }
        }
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["rotate create-key", "rotate fetch-token", "reconnect create-key"]
    );
    all
}

/// What lies in the folder, and in that for temporary files.
fn run(shell: &str, text: &str, lines: &[&str], patience: &str) -> (bool, Vec<String>, Vec<String>) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let [bin, work, temporary] = ["bin", "work", "temporary"].map(|name| place.path().join(name));
    for folder in [&bin, &work, &temporary] {
        fs::create_dir(folder).expect("a folder can be made");
    }
    program(&bin, "gcloud", SLOW);
    let environment = [("PATIENCE", Path::new(patience)), ("TMPDIR", &temporary)];
    let (ok, _) = at_a_terminal(shell, text, lines, &bin, &work, &environment);
    (ok, left_in(&work), left_in(&temporary))
}

fn left_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it can be read").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_command_that_is_broken_off_leaves_no_key_behind() {
    for (name, text) in commands() {
        for shell in ["bash", "dash"] {
            let (ok, work, temporary) = run(shell, &text, &[INTERRUPT], "60");
            assert!(!ok, "{name} in {shell} was not broken off");
            assert_eq!(work, Vec::<String>::new(), "{name} in {shell}");
            assert_eq!(temporary, Vec::<String>::new(), "{name} in {shell}");
        }
    }
}

#[test]
fn a_command_that_comes_to_its_end_leaves_the_key_that_it_made_and_nothing_else() {
    for (name, text) in commands() {
        for shell in ["bash", "dash"] {
            let (ok, work, temporary) = run(shell, &text, &[], "0");
            assert!(ok, "{name} in {shell}");
            let makes = name.ends_with("create-key");
            assert_eq!(
                work,
                if makes { vec![KEY.to_owned()] } else { Vec::new() },
                "{name} in {shell}"
            );
            assert_eq!(temporary, Vec::<String>::new(), "{name} in {shell}");
        }
    }
}

#[test]
fn a_key_that_was_there_before_is_not_taken_for_one_that_was_broken_off() {
    for (name, text) in commands().into_iter().filter(|(name, _)| name.ends_with("create-key")) {
        for shell in ["bash", "dash"] {
            let there = format!("printf old > 'new key'\\''s.json'\n{text}");
            let (ok, work, _) = run(shell, &there, &[], "0");
            assert!(!ok, "{name} in {shell} has written over it");
            assert_eq!(work, [KEY], "{name} in {shell}");
        }
    }
}
