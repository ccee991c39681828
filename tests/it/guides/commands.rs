//! Commands that a person copies into a shell.

use std::collections::BTreeMap;

use rotate_providers::guide::{Language, Piece, Quoting};

use super::{examples, guides, steps, written};

#[test]
fn no_secret_is_typed_into_a_shell_where_its_history_would_keep_it() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = written(&command.text).to_uppercase();
            for secret in [
                "PASSWORD>",
                "SECRET>",
                "TOKEN>",
                "SECRET KEY>",
                "PRIVATE KEY>",
                "API KEY>",
            ] {
                assert!(!text.contains(secret), "{id}: {} types a secret: {text}", step.id);
            }
        }
    }
}

#[test]
fn a_terminal_that_was_silenced_is_heard_again_whatever_happens() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = &step.command else { continue };
            let text = written(&command.text);
            if let Some((before, _)) = text.split_once("stty -echo") {
                assert!(before.contains("trap 'stty echo' EXIT"), "{id}: {}", step.id);
            }
        }
    }
}

#[test]
fn every_command_is_one_that_a_shell_can_read() {
    let mut wrong = Vec::new();
    for (id, guide) in guides() {
        let values = examples::examples(id, &guide);
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = command.text.fill(&values);
            let read = std::process::Command::new("sh").args(["-n", "-c", &text]).output();
            let read = read.expect("there is a shell");
            if !read.status.success() {
                wrong.push(format!("{id}: {}: {}", step.id, String::from_utf8_lossy(&read.stderr)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_command_in_which_a_value_is_missing_does_nothing_if_it_is_run_all_the_same() {
    // `<KEY ID>` is two redirections to a shell: it has to stop at them, and before anything else.
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = command.text.fill(&BTreeMap::new());
            let missing = text != command.text.fill(&examples::examples(id, &guide));
            if !missing {
                continue;
            }
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let ran = std::process::Command::new("/bin/sh")
                .args(["-c", &text])
                // Without a path, no program of this machine is found; what a shell does by itself is seen.
                .env_clear()
                .env("PATH", folder.path().join("nowhere"))
                .current_dir(folder.path())
                .stdin(std::process::Stdio::null())
                .output()
                .expect("there is a shell");
            let left: Vec<_> = std::fs::read_dir(folder.path()).expect("it can be read").collect();
            assert!(left.is_empty(), "{id}: {} made {left:?}: {ran:?}", step.id);
        }
    }
}

#[test]
fn what_a_person_fills_in_by_hand_is_written_like_it() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = &step.command else { continue };
            let text = written(&command.text);
            for (at, _) in text.match_indices('<') {
                let rest = &text[at + 1..];
                // `<<`, `<=`, `<>` and a redirection are no places.
                let Some(inner) = rest.split('>').next().filter(|_| rest.contains('>')) else {
                    continue;
                };
                if inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    let fits = inner
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || " -_".contains(c));
                    assert!(fits, "{id}: {}: <{inner}>", step.id);
                }
            }
        }
    }
}

#[test]
fn a_value_in_a_statement_is_quoted_as_the_database_that_reads_it_quotes() {
    // MySQL takes double quotes for a text, and a backslash for the beginning of a letter; PostgreSQL and Redshift do neither, and
    // Snowflake reads names as they do and texts as MySQL does.
    let mut seen = BTreeMap::new();
    for (id, guide) in guides() {
        let of_ends = guide.negative.ways().flat_map(|way| &way.command);
        let typed: Vec<_> = steps(&guide)
            .flat_map(|(_, step)| step.commands())
            .chain(of_ends)
            .collect();
        for command in typed.into_iter().filter(|command| command.language == Language::Sql) {
            for piece in command.text.pieces() {
                if let Piece::Value { input, quoting } = piece {
                    let welcome: &[Quoting] = match id {
                        "mysql" => &[Quoting::SqlEscaped],
                        "postgres" | "redshift" => &[Quoting::SqlIdentifier, Quoting::SqlLiteral],
                        "sap-datasphere" => &[Quoting::SqlIdentifier],
                        _ => &[Quoting::SqlIdentifier, Quoting::SqlEscaped],
                    };
                    assert!(
                        welcome.contains(quoting),
                        "{id}: {{{input}}} as {quoting:?}: {}",
                        written(&command.text)
                    );
                    *seen.entry(id).or_insert(0) += 1;
                }
            }
        }
    }
    let databases: Vec<&str> = seen.keys().copied().collect();
    let expected = [
        "mysql",
        "postgres",
        "redshift",
        "sap-datasphere",
        "snowflake-keypair",
        "snowflake-oauth",
        "snowflake-password",
    ];
    assert_eq!(databases, expected, "{seen:?}");
}
