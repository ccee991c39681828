//! What stands in the middle of sentences: commands and options that are there.

use std::collections::BTreeSet;

use crate::docs::commands::{to_rotate, understand};
use crate::docs::page::all;

/// Options of other programs that pages name.
const OF_OTHERS: [&str; 4] = ["--check", "--locked", "--report", "--sabotage"];

/// What stands for something else in a command of a sentence, and what is parsed in its place.
const STAND_INS: [(&str, &str); 9] = [
    ("COMMAND", "run"),
    ("CONNECTOR", "freshdesk"),
    ("ID", "freshdesk"),
    ("SHELL", "bash"),
    ("DATE", "2027-03-01"),
    ("STEP", "1"),
    ("REVISION", "1"),
    ("KEY", "aws-kms:arn:aws:kms:eu-central-1:123456789012:key/1234"),
    (
        "HEAD",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ),
];

#[test]
fn a_command_in_a_sentence_is_one_that_rotate_understands() {
    let mut wrong = Vec::new();
    let mut parsed = 0;
    for page in all().iter().filter(|page| page.is_kept_true()) {
        for span in page.spans.iter().filter(|span| span.text.starts_with("rotate ")) {
            let Some(words) = to_rotate(&span.text.replace(['[', ']'], "")) else {
                wrong.push(format!("{}: {} is no command line", page.at(span.line), span.text));
                continue;
            };
            let known = |word: String| {
                let stand_in = STAND_INS.iter().find(|(name, _)| *name == word);
                stand_in.map_or(word, |(_, meant)| (*meant).to_owned())
            };
            let mut words: Vec<String> = words.into_iter().map(known).collect();
            // What is left out may be required, and a command that is only named has all of it left out.
            if words.len() == 2 || words.iter().any(|word| word == "…") {
                words.retain(|word| word != "…");
                words.push("--help".to_owned());
            }
            parsed += 1;
            let understood = understand(words);
            wrong.extend(understood.err().map(|why| format!("{}: {why}", page.at(span.line))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(parsed > 40, "only {parsed} commands were parsed");
}

#[test]
fn an_option_in_a_sentence_is_one_that_some_command_has() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = std::process::Command::new(crate::docs::ROTATE)
        .arg("man")
        .arg(folder.path())
        .output();
    assert!(made.expect("the program can be started").status.success());
    let mut manual = String::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder can be read") {
        let page = std::fs::read_to_string(entry.expect("an entry").path()).expect("a page can be read");
        manual.push_str(&page.replace("\\-", "-"));
    }
    let guided = std::process::Command::new(crate::docs::ROTATE)
        .args(["freshdesk", "--help"])
        .output();
    manual.push_str(&String::from_utf8_lossy(
        &guided.expect("the program can be started").stdout,
    ));
    let mut unknown = Vec::new();
    let mut looked_up = 0;
    for page in all().iter().filter(|page| page.is_kept_true()) {
        for span in &page.spans {
            let option = span.text.split([' ', '=']).next().unwrap_or_default();
            if option.starts_with("--") && !OF_OTHERS.contains(&option) {
                looked_up += 1;
                let there = manual.match_indices(option).any(|(at, _)| {
                    let behind = manual[at + option.len()..].chars().next();
                    !behind.is_some_and(|letter| letter.is_alphanumeric() || letter == '-')
                });
                if !there {
                    unknown.push(format!("{}: {option}", page.at(span.line)));
                }
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "no command has these options:\n{}",
        unknown.join("\n")
    );
    assert!(looked_up > 40, "only {looked_up} options were looked up");
}

#[test]
fn every_key_that_the_configuration_takes_is_documented() {
    let schema = std::process::Command::new(crate::docs::ROTATE)
        .args(["init", "--schema"])
        .output();
    let schema = schema.expect("the program can be started").stdout;
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("it is JSON");
    let mut keys = BTreeSet::new();
    keys_in(&schema, &mut keys);
    let pages = all();
    let documented: BTreeSet<&str> = pages
        .iter()
        .filter(|page| page.path.ends_with("configuration.md") || page.path.starts_with("docs/connectors"))
        .flat_map(|page| &page.spans)
        .map(|span| span.text.trim_start_matches("--").trim_matches(['[', ']']))
        .collect();
    let is_known =
        |key: &&String| documented.contains(key.as_str()) || documented.contains(key.replace('_', "-").as_str());
    let missing: Vec<&String> = keys.iter().filter(|key| !is_known(key)).collect();
    assert!(
        missing.is_empty(),
        "docs/configuration.md does not tell of: {missing:?}"
    );
    assert!(keys.len() > 30, "only {} keys were found: {keys:?}", keys.len());
}

/// The names of all properties in a schema.
fn keys_in(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            let properties = object.get("properties").and_then(serde_json::Value::as_object);
            found.extend(properties.into_iter().flat_map(|all| all.keys().cloned()));
            object.values().for_each(|value| keys_in(value, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| keys_in(value, found)),
        _ => {}
    }
}

#[test]
fn every_command_and_every_option_of_a_one_shot_is_documented() {
    let mut pages = all();
    pages.retain(|page| page.path.starts_with("docs") && page.is_kept_true());
    let said: Vec<&str> = pages
        .iter()
        .flat_map(|page| &page.spans)
        .map(|span| span.text.as_str())
        .collect();
    let is_said = |word: &str| {
        said.iter()
            .any(|span| span.split([' ', '=', '[', ']', ',']).any(|part| part == word))
    };
    let long = regex::Regex::new(r"(?m)^ +(?:-\w, )?(--[a-z-]+)").expect("a pattern");
    let command = regex::Regex::new(r"(?m)^  ([a-z][a-z0-9-]+)  ").expect("a pattern");
    let help = |words: &[&str]| {
        let shown = std::process::Command::new(crate::docs::ROTATE)
            .args(words)
            .arg("--help")
            .output();
        String::from_utf8(shown.expect("the program can be started").stdout).expect("it is text")
    };
    let mut missing = BTreeSet::new();
    let mut looked_up = 0;
    for words in [
        &["s3-customer-managed"] as &[&str],
        &["snowflake-keypair"],
        &["plan"],
        &["run"],
        &["confirm"],
        &["abort"],
        &["init"],
    ] {
        for found in long.captures_iter(&help(words)) {
            looked_up += 1;
            if !is_said(&found[1]) {
                missing.insert(format!("{} {}", words[0], &found[1]));
            }
        }
    }
    let connectors: BTreeSet<&str> = rotate_providers::CONNECTORS
        .iter()
        .map(|connector| connector.id)
        .collect();
    for found in command.captures_iter(&help(&[])) {
        looked_up += 1;
        if !connectors.contains(&found[1]) && &found[1] != "help" && !is_said(&found[1]) {
            missing.insert(found[1].to_owned());
        }
    }
    assert!(missing.is_empty(), "docs do not tell of: {missing:#?}");
    assert!(looked_up > 60, "only {looked_up} were looked up");
}
