//! What stands in the middle of sentences: commands and options that are there.

use crate::commands::{to_rotate, understand};
use crate::page::all;

/// Options of other programs that pages name.
const OF_OTHERS: [&str; 1] = ["--locked"];

/// What stands for something else in a command of a sentence, and what is parsed in its place.
const STAND_INS: [(&str, &str); 6] = [
    ("COMMAND", "run"),
    ("CONNECTOR", "freshdesk"),
    ("ID", "freshdesk"),
    ("SHELL", "bash"),
    ("DATE", "2027-03-01"),
    ("STEP", "1"),
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
    let made = std::process::Command::new(crate::ROTATE)
        .arg("man")
        .arg(folder.path())
        .status();
    assert!(made.expect("the program can be started").success());
    let mut manual = String::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder can be read") {
        let page = std::fs::read_to_string(entry.expect("an entry").path()).expect("a page can be read");
        manual.push_str(&page.replace("\\-", "-"));
    }
    let guided = std::process::Command::new(crate::ROTATE)
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
