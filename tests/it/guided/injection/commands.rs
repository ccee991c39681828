//! In a command: a value is one word to a shell, one string or name in SQL, one part of an address.

use std::collections::BTreeMap;
use std::process::Command;

use rotate_providers::guide::{Language, Piece, Quoting, Template};

use super::{HARM, procedures, shaped};

/// What a shell makes of a word.
fn said_by_a_shell(words: &[String]) -> String {
    let mut shell = Command::new("sh");
    let folder = tempfile::tempdir().unwrap();
    shell
        .current_dir(folder.path())
        .arg("-c")
        .arg(format!("printf '%s\\n' {}", words.join(" ")));
    let output = shell.output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{words:?}: {output:?}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "{words:?} did something"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn filled(template: &str, value: &str) -> String {
    let values = BTreeMap::from([("x".to_owned(), value.to_owned())]);
    Template::parse(template).unwrap().fill(&values)
}

#[test]
fn a_value_is_one_word_to_a_shell_and_that_very_word() {
    let values: Vec<String> = HARM.iter().flat_map(|harm| shaped(harm)).collect();
    let words: Vec<String> = values.iter().map(|value| filled("{x|sh}", value)).collect();
    let expected: Vec<String> = values.iter().map(|value| filled("{x}", value)).collect();
    assert_eq!(said_by_a_shell(&words).lines().collect::<Vec<_>>(), expected);
}

/// Reads SQL as a console does that knows backslashes in strings, or one that does not: the words outside of quotes, and
/// what is in quotes.
fn sql_tokens(sql: &str, backslashes: bool) -> Vec<(char, String)> {
    let mut tokens = vec![(' ', String::new())];
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\'' && letter != '"' {
            if let Some((_, outside)) = tokens.last_mut() {
                outside.push(letter);
            }
            continue;
        }
        let mut inside = String::new();
        loop {
            match letters.next() {
                None => {
                    tokens.push(('!', inside.clone()));
                    break;
                }
                Some('\\') if backslashes && letter == '\'' => inside.extend(letters.next()),
                Some(next) if next == letter && letters.peek() == Some(&letter) => {
                    letters.next();
                    inside.push(letter);
                }
                Some(next) if next == letter => break,
                Some(next) => inside.push(next),
            }
        }
        tokens.push((letter, inside));
        tokens.push((' ', String::new()));
    }
    tokens
}

#[test]
fn a_value_is_one_string_and_one_name_in_sql() {
    for value in HARM.iter().flat_map(|harm| shaped(harm)) {
        let plain = filled("{x}", &value);
        // Where a backslash escapes, and where it is a letter; there a value with one says that it is to escape.
        let escaped = sql_tokens(&filled("SELECT {x|escaped};", &value), true);
        let literal = filled("SELECT {x|literal};", &value);
        let says_so = literal.starts_with("SELECT E'");
        assert_eq!(says_so, plain.contains('\\'), "{value:?}");
        let before = if says_so { "SELECT E" } else { "SELECT " };
        let literal = sql_tokens(&literal, says_so);
        for (tokens, before) in [(escaped, "SELECT "), (literal, before)] {
            assert_eq!(
                tokens,
                [(' ', before.to_owned()), ('\'', plain.clone()), (' ', ";".to_owned())],
                "{value:?}"
            );
        }
    }
}

#[test]
fn no_value_stands_inside_quotes_or_a_comment_of_its_command() {
    // There its own quotes would end them.
    for (connector, guide, procedure) in procedures() {
        for step in guide.steps(procedure) {
            let Some(command) = &step.command else { continue };
            let mut before = String::new();
            for piece in command.text.pieces() {
                match piece {
                    Piece::Text(text) => before.push_str(text),
                    Piece::Step(_) => before.push('x'),
                    Piece::Value { input, .. } => {
                        let line = before.rsplit('\n').next().unwrap_or_default();
                        let context = format!("{}: {}: {{{input}}} after {line}", connector.id, step.id);
                        assert!(!is_quoted(&before, command.language), "{context}");
                        assert!(!is_commented(line, command.language), "{context}");
                        before.push('x');
                    }
                }
            }
        }
    }
}

/// Whether a line ends within a comment. What stands in quotes begins none, and neither does the option of a command.
fn is_commented(line: &str, language: Language) -> bool {
    let comment = match language {
        Language::Sql => "--",
        Language::Shell => "#",
    };
    line.match_indices(comment).any(|(at, _)| {
        let before = &line[..at];
        let apart = language == Language::Sql || before.is_empty() || before.ends_with([' ', '\t', ';', '(']);
        apart && !is_quoted(before, language)
    })
}

#[test]
fn a_comment_is_seen_where_there_is_one_and_nowhere_else() {
    for (line, language) in [
        ("SELECT 1; -- {", Language::Sql),
        ("SELECT 1;--{", Language::Sql),
        ("SELECT '--'; --", Language::Sql),
        ("# ", Language::Shell),
        ("ls # ", Language::Shell),
        ("ls;# ", Language::Shell),
    ] {
        assert!(is_commented(line, language), "{line}");
    }
    for (line, language) in [
        ("SELECT '--', ", Language::Sql),
        ("SELECT 1 - -1, ", Language::Sql),
        ("gcloud iam --project=", Language::Shell),
        ("echo a#b ", Language::Shell),
        ("printf '# %s' ", Language::Shell),
    ] {
        assert!(!is_commented(line, language), "{line}");
    }
}

/// Whether a text ends within quotes.
fn is_quoted(text: &str, language: Language) -> bool {
    let mut within = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (within, letter) {
            (None | Some('"'), '\\') if language == Language::Shell => {
                letters.next();
            }
            (None, '\'' | '"') => within = Some(letter),
            (Some(open), letter) if open == letter => within = None,
            _ => {}
        }
    }
    within.is_some()
}

#[test]
fn mysql_is_given_strings_and_no_names_in_double_quotes() {
    // Double quotes hold a string there, unless the server is told otherwise.
    let guide = rotate_providers::connector("mysql").unwrap().guide().unwrap();
    for step in &guide.rotate {
        for piece in step.command.iter().flat_map(|command| command.text.pieces()) {
            if let Piece::Value { quoting, .. } = piece {
                assert_ne!(*quoting, Quoting::SqlIdentifier, "{}", step.id);
            }
        }
    }
}

#[test]
fn a_value_is_one_part_of_an_address() {
    for value in HARM.iter().flat_map(|harm| shaped(harm)) {
        let address = filled("https://h/{x|url}/end", &value);
        let inside = address
            .strip_prefix("https://h/")
            .and_then(|rest| rest.strip_suffix("/end"));
        let inside = inside.expect("the text around it is as it was");
        let harmless = |letter: char| letter.is_ascii_alphanumeric() || "%*-._".contains(letter);
        assert!(inside.chars().all(harmless), "{value:?}: {inside}");
    }
}
