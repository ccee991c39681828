//! Every command that a page shows is run, in the order of the page, at one desk; what cannot be run is in a list with its
//! reason, and what it says to `rotate` is parsed.

use std::ffi::OsString;

use crate::docs::desk::Desk;
use crate::docs::page::{Block, Page, all};

/// What is not run, by the beginning of its line, and why.
const NOT_RUN: [(&str, &str); 12] = [
    (
        "asciinema ",
        "records a terminal; examples/demo/tests holds the recording",
    ),
    ("cargo ", "builds for minutes, and other tests and the gate do it"),
    ("INSTA_UPDATE=", "builds, and it writes into the repository"),
    ("TRYCMD=", "builds, and it writes into the repository"),
    ("ROTATE_BLESS=", "builds, and it writes into the repository"),
    (".ci/run", "is what runs this test"),
    ("sudo ", "needs root and a service manager"),
    ("kubectl ", "needs a cluster"),
    (
        "rotate store ",
        "needs a PostgreSQL server; tests/it/many_machines does that",
    ),
    (
        "rotate verify ",
        "sends a credential to a vendor; tests/it/verify does that",
    ),
    ("rotate notify ", "tells people of it; tests/it/notices does that"),
    ("rotate walk ", "asks at a terminal; tests/guided does that"),
];

/// A fleet of one.
const ONE_TARGET: &str = r#"[[target]]
name = "s3-main"
connector = "s3-customer-managed"
user = "gainsight-s3"
bucket = "acme-data"
deliver = ["aws-profile:gainsight@/etc/gainsight/credentials"]
"#;

/// A command as it stands on a page, with the lines that belong to it.
struct Line {
    number: usize,
    text: String,
    /// What it is shown to print, where that is shown.
    shown: Option<String>,
}

#[test]
fn every_command_of_every_page_works_when_the_page_is_followed() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for page in all() {
        let mut desk = Desk::new();
        for block in page.blocks.iter().filter(|block| is_commands(block)) {
            if let Err(note) = prepare(&mut desk, &page, block) {
                wrong.push(format!("{}: nobody knows what {note:?} means", page.at(block.line)));
            }
            for line in lines(block).iter().filter(|line| reason(&line.text).is_none()) {
                ran += 1;
                wrong.extend(follow(&desk, &page, line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(ran > 40, "only {ran} commands were run");
}

#[test]
fn what_a_page_says_to_rotate_through_another_program_is_understood() {
    let mut wrong = Vec::new();
    let mut parsed = 0;
    for page in all() {
        for block in page.blocks.iter().filter(|block| is_commands(block)) {
            for line in lines(block).iter().filter(|line| reason(&line.text).is_some()) {
                if let Some(words) = to_rotate(&line.text) {
                    parsed += 1;
                    let understood = understand(words);
                    wrong.extend(understood.err().map(|why| format!("{}: {why}", page.at(line.number))));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(parsed > 1, "only {parsed} commands were parsed");
}

#[test]
fn a_block_of_commands_is_marked_as_one_that_is_run() {
    for page in all() {
        for block in &page.blocks {
            let runs = block
                .text
                .lines()
                .any(|line| line.starts_with("rotate ") || line.starts_with("$ rotate "));
            let place = page.at(block.line);
            assert!(
                !runs || is_commands(block),
                "{place}: mark this block as `sh` or `console`, or it is not run"
            );
            assert!(
                !block.language.is_empty(),
                "{place}: say what this block is, `text` if it is nothing else"
            );
        }
    }
}

#[test]
fn every_reason_for_not_running_a_command_is_needed() {
    let pages = all();
    for (beginning, why) in NOT_RUN {
        let mut blocks = pages
            .iter()
            .flat_map(|page| &page.blocks)
            .filter(|block| is_commands(block));
        let needed = blocks.any(|block| lines(block).iter().any(|line| line.text.starts_with(beginning)));
        assert!(needed, "no page has a command that begins with {beginning:?} ({why})");
    }
}

/// Whether the program understands these words, the first of which is its name.
pub(crate) fn understand(words: Vec<String>) -> Result<(), String> {
    let shown = words.join(" ");
    let words = words.into_iter().map(OsString::from);
    rotate::cli::understand(words).map_err(|why| format!("{shown}: {why}"))
}

/// What a command line says to `rotate`, wherever the program is.
pub(crate) fn to_rotate(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line)?;
    let is_rotate = |word: &String| word == "rotate" || (word.ends_with("/rotate") && !word.contains('='));
    let from = words.iter().position(is_rotate)?;
    let ends = |word: &String| matches!(word.as_str(), "|" | "||" | "&&" | ";" | ">" | ">>");
    let said = words[from..].iter().take_while(|word| !ends(word));
    Some(said.cloned().collect())
}

fn is_commands(block: &Block) -> bool {
    matches!(block.language.as_str(), "sh" | "console")
}

fn reason(line: &str) -> Option<&'static str> {
    NOT_RUN
        .iter()
        .find(|(beginning, _)| line.starts_with(beginning))
        .map(|(_, why)| *why)
}

/// Brings the desk to where the block expects it.
fn prepare(desk: &mut Desk, page: &Page, block: &Block) -> Result<(), String> {
    match block.note.as_str() {
        "" => Ok(()),
        "at a new desk" => {
            *desk = Desk::new();
            Ok(())
        }
        "with a journal" => {
            let made = desk.run("rotate init --state");
            (made.code == Some(0)).then_some(()).ok_or(made.stderr)
        }
        "after a key was made by hand" => {
            *desk = Desk::new();
            desk.configure(ONE_TARGET);
            let looked = desk.run("rotate run");
            desk.make_a_key_by_hand();
            desk.pass(8);
            (looked.code == Some(0)).then_some(()).ok_or(looked.stderr)
        }
        "after that key was deleted" => {
            desk.delete_the_key_made_by_hand();
            Ok(())
        }
        "with the file above" => {
            let mut above = page.blocks.iter().filter(|other| other.line < block.line);
            let file = above.rfind(|other| other.language == "toml");
            let file = file.ok_or_else(|| block.note.clone())?;
            desk.configure(&file.text);
            Ok(())
        }
        note => {
            let days = note.strip_suffix(" days later").and_then(|days| days.parse().ok());
            desk.pass(days.ok_or_else(|| note.to_owned())?);
            Ok(())
        }
    }
}

/// Runs a command as the page shows it; says what is wrong with it.
fn follow(desk: &Desk, page: &Page, line: &Line) -> Option<String> {
    let wanted = exit_code(&line.text);
    let ran = desk.run(&line.text);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let place = page.at(line.number);
    if ran.code != Some(wanted) {
        return Some(format!(
            "{place}: {}\nexit code {:?} instead of {wanted}\n{said}",
            line.text, ran.code
        ));
    }
    let shown = line.shown.as_deref()?;
    (!is_like(&said, shown)).then(|| format!("{place}: {}\nprints:\n{said}\nand the page shows:\n{shown}", line.text))
}

/// The exit code that the comment behind a command announces: `# exits with 3`.
fn exit_code(line: &str) -> i32 {
    let told = line.split_once("# exits with ").map(|(_, rest)| rest);
    let told = told.and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    told.and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Whether a text is what a page shows of it: `…` stands for anything on a line, and alone on a line for any lines.
fn is_like(text: &str, shown: &str) -> bool {
    let mut pattern = String::from("(?s)^");
    for line in shown.trim_end().lines() {
        if line.trim() == "…" {
            pattern.push_str("(?:[^\n]*\n)*?");
            continue;
        }
        let parts: Vec<String> = line.trim_end().split('…').map(regex::escape).collect();
        pattern.push_str(&parts.join("[^\n]*"));
        pattern.push_str("[ ]*\n");
    }
    pattern.push('$');
    let text = format!("{}\n", text.trim_end());
    regex::Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(&text))
}

/// The commands of a block. In `console`, what follows a command up to the next `$` is what it prints.
fn lines(block: &Block) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut continues = false;
    for (number, text) in (block.line + 1..).zip(block.text.lines()) {
        let command = match block.language.as_str() {
            "console" => text.strip_prefix("$ "),
            _ => Some(text),
        };
        let last = found.last_mut();
        match (command, last) {
            (_, Some(last)) if continues => {
                last.text.push('\n');
                last.text.push_str(text);
            }
            (None, Some(last)) => {
                let shown = last.shown.get_or_insert_default();
                shown.push_str(text);
                shown.push('\n');
                continue;
            }
            (Some(command), _) if !command.trim().is_empty() && !command.starts_with('#') => found.push(Line {
                number,
                text: command.to_owned(),
                shown: None,
            }),
            _ => continue,
        }
        continues = text.ends_with('\\');
    }
    found
}

#[test]
fn what_is_shown_is_held_against_what_is_printed() {
    assert!(is_like("a 1\nb\nc\n", "a …\n…\nc"));
    assert!(is_like("a\n", "a"));
    assert!(!is_like("a\nb\n", "a"));
    assert!(!is_like("a 1\n", "b …"));
    assert_eq!(exit_code("rotate plan # exits with 2: there is something to do"), 2);
    assert_eq!(exit_code("rotate plan"), 0);
}
