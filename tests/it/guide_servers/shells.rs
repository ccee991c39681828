//! Every command for a shell, in bash and in dash, at a terminal: the programs that it calls are stood in for by one that notes
//! what it was given. A secret that is asked for reaches the program as it was typed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rotate_providers::CONNECTORS;
use rotate_providers::guide::{Guide, Language, Procedure};

/// What only a secret can be so bad as to be: quotes, backslashes, blanks, signs of a URL and of a shell.
const SECRET: &str = "aB~1\"q\\b %24+&=\u{e9}'x$(id)`id`#";

/// What a guide calls.
const PROGRAMS: [&str; 7] = ["aws", "curl", "gcloud", "mysql", "openssl", "psql", "snow"];

/// What a shell's own neighbours do, which are not stood in for.
const OWN: [&str; 3] = ["grep ", "mv ", "rm "];

/// No question is waited for any longer.
const LONGEST: Duration = Duration::from_secs(30);

/// No command takes as long as this.
const HANGS: Duration = Duration::from_secs(180);

/// A terminal without a size makes a client show everything page by page.
const SIZE: &str = "stty rows 24 columns 100";

/// Notes its arguments and its standard input, and answers as if all were well.
const STAND_IN: &str = r#"#!/bin/sh
name=$(basename "$0") between=$(printf '\037')
line=$name
for argument do line=$line$between$argument; done
# In one piece: the programs of a pipeline write at the same time.
printf '%s\036' "$line" >>"$NOTES/arguments"
test -t 0 || cat >>"$NOTES/input.$name"
case $name in
  aws) printf '\037%s\037%s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >>"$NOTES/environment" ;;
  openssl) echo stand-in ;;
  gcloud) for argument do case $argument in --key-file=*) cat "${argument#--key-file=}" >/dev/null;; esac; done ;;
esac
exit 0
"#;

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
struct Did {
    /// Of each call; those of a pipeline come in any order.
    arguments: Vec<String>,
    input: BTreeMap<String, String>,
    environment: String,
    files: BTreeSet<String>,
    ok: bool,
}

/// Runs a command in this shell at a terminal, where a person types these lines.
fn run(shell: &str, text: &str, lines: &[&str]) -> (Did, String) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (bin, notes, work) = (
        place.path().join("bin"),
        place.path().join("notes"),
        place.path().join("work"),
    );
    for folder in [&bin, &notes, &work] {
        fs::create_dir(folder).expect("a folder can be made");
    }
    for name in PROGRAMS {
        program(&bin, name, STAND_IN);
    }
    // A folder that an earlier step has made.
    if text.starts_with("( cd ") {
        fs::create_dir(work.join(value_of("folder"))).expect("a folder can be made");
    }
    let (ok, shown) = at_a_terminal(shell, text, lines, &bin, &work, &[("NOTES", &notes)]);
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let input = fs::read_dir(&notes)
        .expect("it is there")
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name.strip_prefix("input.")?.to_owned(), read(&entry.path())))
        });
    let calls = stable(&read(&notes.join("arguments")));
    let mut calls: Vec<String> = calls.split_terminator('\u{1e}').map(str::to_owned).collect();
    calls.sort();
    let did = Did {
        arguments: calls,
        input: input.map(|(name, text)| (name, stable(&text))).collect(),
        environment: read(&notes.join("environment")),
        files: tree(&work, &work),
        ok,
    };
    (did, shown)
}

/// A program of this text in the folder.
pub(super) fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be changed");
}

/// Runs a command in this shell at a terminal of its own, with the programs of this folder before all others, where a person types
/// these lines: whether it went well, and what the terminal showed.
pub(super) fn at_a_terminal(
    shell: &str,
    text: &str,
    lines: &[&str],
    programs: &Path,
    work: &Path,
    environment: &[(&str, &Path)],
) -> (bool, String) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let script = place.path().join("command");
    fs::write(&script, text).expect("it can be written");
    // `script` gives it a terminal of its own, and types what it reads.
    let mut child = rotate_fixtures::tool("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{SIZE} && {shell} {}", script.display()))
        .arg("/dev/null")
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("HOME", place.path())
        .env("LC_ALL", "C.UTF-8")
        .envs(environment.iter().copied())
        .current_dir(work)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("`script` of util-linux runs");
    let mut keyboard = child.stdin.take().expect("it has an input");
    let mut screen = child.stdout.take().expect("it has an output");
    let (shown, has_ended) = (&Mutex::new(Vec::new()), &AtomicBool::new(false));
    let ok = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut part) {
                lock(shown).extend_from_slice(&part[..read]);
            }
        });
        scope.spawn(move || {
            let mut answered = 0;
            for line in lines {
                // A person waits for the question; what is typed before would be shown, or thrown away.
                wait(LONGEST, || {
                    let shown = lock(shown);
                    has_ended.load(Ordering::Relaxed) || shown.len() > answered && shown.ends_with(b": ")
                });
                std::thread::sleep(Duration::from_millis(200));
                answered = lock(shown).len();
                writeln!(keyboard, "{line}").ok();
            }
            wait(Duration::from_secs(5), || has_ended.load(Ordering::Relaxed));
        });
        let ended = end_of(&mut child);
        has_ended.store(true, Ordering::Relaxed);
        ended
    });
    let shown = String::from_utf8_lossy(&lock(shown)).into_owned();
    assert!(ok.is_some(), "{text}\nhas not ended after {HANGS:?}: {shown}");
    (ok == Some(true), shown)
}

/// Whether it ended well; `None`: it did not end, and was killed with its terminal.
fn end_of(child: &mut Child) -> Option<bool> {
    let begin = Instant::now();
    while begin.elapsed() < HANGS {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return Some(status.success());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().and_then(|()| child.wait()).expect("it can be killed");
    None
}

fn wait(most: Duration, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() && begin.elapsed() < most {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lock(shown: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    shown.lock().expect("nobody has panicked")
}

/// Without the time, which two runs do not share.
fn stable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect()
}

fn tree(root: &Path, folder: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("it can be read").flatten() {
        let path = entry.path();
        all.insert(path.strip_prefix(root).unwrap_or(&path).display().to_string());
        if path.is_dir() {
            all.extend(tree(root, &path));
        }
    }
    all
}

fn value_of(input: &str) -> String {
    format!("{input} it's \"$(id)`")
}

/// A value for every input that ends every quote there is, whatever its form would say.
fn hostile(guide: &Guide) -> BTreeMap<String, String> {
    guide
        .inputs
        .iter()
        .map(|input| (input.name.to_string(), value_of(&input.name)))
        .collect()
}

/// What a person is asked for, in order: whether it is hidden.
fn questions(text: &str) -> Vec<bool> {
    let lines = text.lines().filter(|line| line.contains("read -r"));
    lines.map(|line| line.contains("until test -n")).collect()
}

fn commands() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for connector in CONNECTORS {
        let guide = connector.guide().expect("the guide is sound");
        for procedure in Procedure::ALL {
            for step in guide.steps(procedure) {
                for command in step.commands().filter(|command| command.language == Language::Shell) {
                    let name = format!("{} {} {}", connector.id, procedure.name(), step.id);
                    all.push((name, command.text.fill(&hostile(&guide))));
                }
            }
        }
    }
    all
}

#[test]
fn every_command_does_the_same_in_bash_and_in_dash_and_no_value_becomes_more_than_one() {
    let all = commands();
    assert!(all.len() > 30, "{}", all.len());
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(8)) {
            scope.spawn(move || {
                for (name, text) in part {
                    let lines: Vec<&str> = questions(text)
                        .iter()
                        .map(|hidden| if *hidden { SECRET } else { "name-1" })
                        .collect();
                    let [(bash, shown), (dash, _)] = ["bash", "dash"].map(|shell| run(shell, text, &lines));
                    assert_eq!(bash, dash, "{name}");
                    assert!(
                        !bash.arguments.is_empty() || OWN.iter().any(|own| text.starts_with(own)),
                        "{name} calls nothing: {text}\n{shown}"
                    );
                    let ran = bash.arguments.iter().any(|call| call.contains("uid="));
                    assert!(!ran, "{name}: {:?}", bash.arguments);
                }
            });
        }
    });
}

#[test]
fn a_secret_that_is_asked_for_is_not_shown_and_arrives_as_it_was_typed() {
    let mut asked = 0;
    let all: Vec<(String, String)> = commands()
        .into_iter()
        .filter(|(_, text)| questions(text).contains(&true))
        .collect();
    for (name, text) in &all {
        for shell in ["bash", "dash"] {
            let lines: Vec<&str> = questions(text)
                .iter()
                .map(|hidden| if *hidden { SECRET } else { "name-1" })
                .collect();
            let (did, shown) = run(shell, text, &lines);
            asked += 1;
            assert!(!shown.contains(&SECRET[..6]), "{name} in {shell} shows it: {shown}");
            let named = did.arguments.iter().any(|call| call.contains(&SECRET[..3]));
            assert!(
                !named,
                "{name} in {shell} has it on a command line: {:?}",
                did.arguments
            );
            let received: Vec<String> = did.input.values().map(|input| unescaped(input)).collect();
            let secret = stable(SECRET);
            let arrived = received
                .iter()
                .chain([&stable(&did.environment)])
                .any(|text| text.contains(&secret));
            assert!(arrived, "{name} in {shell}: {received:?} {:?} {shown}", did.environment);
        }
    }
    assert!(asked >= 30, "{asked}");
}

/// As curl reads the value of an option in its configuration; what is no such file is left as it is.
fn unescaped(input: &str) -> String {
    let is_configuration = input.starts_with("header = \"") || input.starts_with("user = \"");
    if !is_configuration {
        return input.to_owned();
    }
    let mut text = String::new();
    let mut letters = input.chars();
    while let Some(letter) = letters.next() {
        text.extend(match letter {
            '\\' => letters.next(),
            letter => Some(letter),
        });
    }
    text
}
