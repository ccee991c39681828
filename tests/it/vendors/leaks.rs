//! No secret is seen in what the program prints, at any level, nor in what it keeps.
//!
//! Leans on the fakes' canaries: every secret that they make begins with one text.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rotate_fixtures::has;

use super::ground::Ground;
use super::on_every_ground;

on_every_ground! {
    a_whole_life_at_the_highest_level_shows_no_secret
    refusals_show_no_secret
    a_complaint_about_a_file_does_not_quote_it
}

const FORMATS: [&str; 2] = ["text", "json"];

/// Libraries that log requests and replies: not one of them may be heard.
const LIBRARIES: [&str; 8] = [
    "aws_",
    "snowflake_connector",
    "reqwest",
    "hyper",
    "h2",
    "sqlx",
    "rustls",
    "rsa",
];

/// A ground, and everything that was to be seen of the program so far.
struct Stage<G: Ground> {
    ground: G,
    heard: Vec<(String, Vec<u8>)>,
    /// What was in the folder before a command, and what a command delivers: secrets are meant to be there.
    meant: HashSet<PathBuf>,
}

impl<G: Ground> Stage<G> {
    fn new() -> Self {
        let ground = G::new();
        Self {
            meant: ground.delivery().into_iter().collect(),
            heard: Vec::new(),
            ground,
        }
    }

    /// Runs a command as talkative as it gets, and keeps what is to be seen afterwards.
    fn run(&mut self, mut command: Command, format: &str) -> Option<i32> {
        let state = self.ground.state();
        let others = files(&self.ground.path(""));
        self.meant
            .extend(others.into_iter().filter(|path| !path.starts_with(&state)));
        // Two ways to ask for everything; either one alone.
        if format == "json" {
            let loud = LIBRARIES.map(|library| format!("{library}=trace")).join(",");
            command.env(
                "RUST_LOG",
                format!("trace,{loud},aws_smithy_runtime=trace,snowflake_connector_rs=trace"),
            );
        } else {
            command.arg("-vvv");
        }
        command.args(["--log-format", format, "--output", "json"]);
        let context = format!("{:?}", command.get_args().collect::<Vec<_>>());
        let output = command.output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        for library in LIBRARIES {
            assert!(!talk.contains(&format!("\"target\":\"{library}")), "{library} is heard");
        }
        self.hear(format!("stdout of {context}"), output.stdout);
        self.hear(format!("stderr of {context}"), output.stderr);
        for path in files(&self.ground.path("")) {
            if !self.meant.contains(&path)
                && let Ok(bytes) = fs::read(&path)
            {
                self.hear(format!("{} after {context}", path.display()), bytes);
            }
        }
        output.status.code()
    }

    fn hear(&mut self, what: String, bytes: Vec<u8>) {
        self.heard.push((what, bytes));
    }

    /// Looks for every secret in all that was seen, and for those of the keys in these files.
    #[track_caller]
    fn expect_no_secret(&self, key_files: &[PathBuf]) {
        let texts = self.ground.secrets();
        let finders: Vec<_> = key_files.iter().map(|path| G::finder(path)).collect();
        let mut known = HashSet::new();
        // Many a file is the same after the next command.
        for (what, bytes) in self.heard.iter().filter(|(_, bytes)| known.insert(bytes)) {
            for text in &texts {
                assert!(!has(bytes, text.as_bytes()), "{text:?} is in {what}");
            }
            for finds in &finders {
                assert!(!finds(bytes), "a secret of a key is in {what}");
            }
        }
        assert!(
            self.heard.iter().any(|(_, bytes)| !bytes.is_empty()),
            "nothing was seen"
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let deeper = entries.map(|entry| entry.path());
    deeper
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

fn a_whole_life_at_the_highest_level_shows_no_secret<G: Ground>() {
    for (format, more) in FORMATS.iter().flat_map(|format| {
        let more = G::new().more_secrets();
        more.into_iter().map(move |more| (*format, more))
    }) {
        let mut stage = Stage::<G>::new();
        let _ready = stage.ground.more_secrets();
        let with = |options: &[&'static str]| -> Vec<String> {
            let options = options.iter().map(|option| (*option).to_owned());
            options.chain(more.clone()).collect()
        };
        let run = |stage: &mut Stage<G>, arguments: &[String], is_one_shot: bool| {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let command = if is_one_shot {
                stage.ground.rotate(&words)
            } else {
                stage.ground.command(&words)
            };
            assert_eq!(stage.run(command, format), Some(0), "{words:?}");
        };
        run(&mut stage, &with(&["--dry-run"]), true);
        run(&mut stage, &with(&["--soak", "7d"]), true);
        let delivery = stage.ground.delivery();
        let kept = |path: &PathBuf| stage.ground.path("").join("kept").with_extension(ending(path));
        let kept: Vec<PathBuf> = delivery.iter().map(kept).collect();
        for (path, kept) in delivery.iter().zip(&kept) {
            fs::copy(path, kept).unwrap();
        }
        for words in [
            &["status"][..],
            &["run"],
            &["confirm", G::TARGET],
            &["rollback", G::TARGET],
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            run(&mut stage, &words, false);
        }
        run(&mut stage, &with(&["--cutover", "immediate", "--soak", "0s"]), true);
        run(&mut stage, &["audit".to_owned()], false);
        run(&mut stage, &["audit", "verify"].map(str::to_owned), false);
        stage.expect_no_secret(&[kept[0].clone(), delivery[0].clone()]);
    }
}

fn ending(path: &Path) -> String {
    path.extension()
        .expect("it has an ending")
        .to_string_lossy()
        .into_owned()
}

fn refusals_show_no_secret<G: Ground>() {
    for format in FORMATS {
        for (refused, code) in G::refusals() {
            let mut stage = Stage::<G>::new();
            let command = refused(&stage.ground);
            assert_eq!(stage.run(command, format), Some(code));
            stage.expect_no_secret(&[]);
        }
    }
}

fn a_complaint_about_a_file_does_not_quote_it<G: Ground>() {
    for format in FORMATS {
        for (met, code) in G::complaints() {
            let mut stage = Stage::<G>::new();
            let command = met(&stage.ground);
            assert_eq!(stage.run(command, format), Some(code));
            stage.expect_no_secret(&[]);
        }
    }
}
