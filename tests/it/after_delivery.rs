//! Programs that run after a delivery: each is run once, is on record, and none is ever repeated by itself. Real programs are
//! started; the keys are those of the strict fake of AWS. That a kill anywhere leaves it so is shown by the crash suite.

#![expect(clippy::panic, reason = "a helper that cannot work must stop its test")]

mod configured;
mod undone;

use std::path::PathBuf;
use std::process::Command;

use rotate::delivery::shows;
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};
use rotate_providers::secret::Secret;

use crate::destinations::exec::write_program;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Writes down that it ran, and what it was given.
const NOTES: &str =
    "echo \"$ROTATE_KEY_ID\" >>$1/ran; env >$1/environment; cat >$1/input; printf '%s\\n' \"$@\" >$1/arguments";

/// A place with a program in it.
struct Desk {
    place: Workplace,
}

impl Desk {
    fn with(program: &str) -> Self {
        let place = Workplace::new(ROTATE);
        let desk = Self { place };
        write_program(&desk.program(), program);
        desk
    }

    fn program(&self) -> PathBuf {
        self.place.path("restart")
    }

    /// The program's line, with options before it.
    fn hook(&self, options: &str) -> String {
        let folder = self.place.path("");
        format!("{options}{} {} gainsight", self.program().display(), folder.display())
    }

    fn rotation(&self, more: &[&str]) -> Command {
        let mut command = self.place.rotate(["--soak", "7d", "--after-delivery", &self.hook("")]);
        command.args(more);
        command
    }

    fn rotate(&self) -> Ran {
        Ran::of(self.rotation(&[]))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.place.path(name)).unwrap_or_default()
    }

    /// How often it ran.
    fn runs(&self) -> usize {
        self.read("ran").lines().count()
    }

    /// The names of the journal's events.
    fn events(&self) -> Vec<String> {
        let audit = self.place.run(["audit", "--output", "json"]).expect(0).json();
        let events = audit["events"].as_array().cloned().unwrap_or_default();
        let name = |event: &serde_json::Value| event["what"]["event"].as_str().unwrap_or_default().to_owned();
        events.iter().map(name).collect()
    }

    /// Dies at the crash point of this name.
    fn dies(&self, name: &str) {
        self.dies_before(name, 0);
    }

    /// Dies so many crash points before it.
    fn dies_before(&self, name: &str, points_before: usize) {
        let trace = self.place.path("trace");
        let twin = Self::with("true");
        let mut command = twin.rotation(&[]);
        command.env("ROTATE_TEST_TRACE", &trace);
        Ran::of(command).expect(0);
        let points = self.read("trace");
        let at = points.lines().position(|line| line == name);
        let at = at.unwrap_or_else(|| panic!("there is no point {name} among {points}"));
        let mut command = self.rotation(&[]);
        command.env("ROTATE_TEST_KILL_AT", (at + 1 - points_before).to_string());
        assert_eq!(Ran::of(command).code, None);
    }
}

#[test]
fn it_runs_once_when_every_destination_holds_the_new_key_and_before_anybody_is_asked() {
    let desk = Desk::with(NOTES);
    let ran = desk.rotate().expect(0);
    assert!(ran.stdout.contains("confirm"), "{}", ran.stdout);
    let new = desk.place.delivered_key().expect("it is delivered");
    assert_eq!(desk.read("ran").trim(), new.id);
    let events = desk.events();
    let at = |name: &str| events.iter().position(|event| event == name);
    assert!(
        at("delivered") < at("hook-intended") && at("hook-intended") < at("hook-ran"),
        "{events:?}"
    );
    desk.rotate().expect(0);
    desk.place.run(["run"]).expect(0);
    assert_eq!(desk.runs(), 1, "it was run again");
    desk.place.run(["confirm", TARGET]).expect(0);
    assert_eq!(desk.runs(), 1, "it was run again");
    assert!(desk.events().contains(&"cut-over".to_owned()));
}

#[test]
fn it_is_told_whose_key_it_is_and_never_the_secret() {
    let desk = Desk::with(NOTES);
    let mut command = desk.rotation(&[]);
    command.env("NOBODYS_BUSINESS", "1");
    Ran::of(command).expect(0);
    let new = desk.place.delivered_key().expect("it is delivered");
    assert_eq!(desk.read("input"), "", "its standard input is empty");
    assert!(
        desk.read("arguments").ends_with("gainsight\n"),
        "{}",
        desk.read("arguments")
    );
    for file in ["environment", "arguments"] {
        assert!(!desk.read(file).contains(&new.secret), "{file}");
    }
    let environment = desk.read("environment");
    for line in [
        format!("ROTATE_TARGET={TARGET}"),
        format!("ROTATE_KEY_ID={}", new.id),
        "ROTATE_ROTATION=".to_owned(),
    ] {
        assert!(
            environment.lines().any(|told| told.starts_with(&line)),
            "{line}: {environment}"
        );
    }
    assert!(
        !environment.contains("AWS_") && !environment.contains("NOBODYS"),
        "{environment}"
    );
}

#[test]
fn several_run_in_their_order_and_the_next_not_before_the_one_before_has_ended_well() {
    let desk = Desk::with("echo $2 >>$1/ran; [ $2 != second ] || [ -e $1/mended ]");
    let folder = desk.place.path("");
    let hook = |word: &str| format!("{} {} {word}", desk.program().display(), folder.display());
    let words = ["first", "second", "third"].map(hook);
    let mut command = desk.place.rotate(["--soak", "7d"]);
    for hook in &words {
        command.args(["--after-delivery", hook]);
    }
    Ran::of(command).expect(3);
    assert_eq!(desk.read("ran"), "first\nsecond\n");
    std::fs::write(desk.place.path("mended"), "").expect("it can be written");
    desk.place.run(["confirm", "--run-again", TARGET]).expect(0);
    assert_eq!(desk.read("ran"), "first\nsecond\nsecond\nthird\n");
    assert_eq!(desk.place.state_name(), "delivered");
}

#[test]
fn one_that_fails_blocks_the_cutover_says_its_last_lines_and_is_not_run_again_by_itself() {
    let desk = Desk::with(
        "echo x >>$1/ran; echo far above; for i in 1 2 3 4; do echo line $i; done; echo no such app >&2; exit 7",
    );
    let ran = desk.rotate().expect(3);
    for words in [
        "which runs after the delivery, failed: it ended with exit code 7",
        "line 1 | line 2 | line 3 | line 4 | no such app",
        "it is not run again by itself",
        &format!("confirm --run-again {TARGET}"),
        &format!("confirm {TARGET}"),
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("far above"), "{}", ran.stdout);
    desk.place.run(["run"]).expect(3);
    desk.rotate().expect(3);
    assert_eq!(desk.runs(), 1, "it was run again");
    assert_eq!(desk.place.state_name(), "blocked");
    assert!(!desk.events().contains(&"cut-over".to_owned()));
    // Once more it fails again; and then it was done by other means.
    desk.place.run(["confirm", "--run-again", TARGET]).expect(3);
    assert_eq!(desk.runs(), 2);
    desk.place.run(["confirm", TARGET]).expect(0);
    assert_eq!(desk.runs(), 2);
    assert_eq!(desk.place.state_name(), "delivered");
    desk.place.run(["confirm", TARGET]).expect(0);
    assert!(desk.events().contains(&"cut-over".to_owned()));
}

#[test]
fn an_immediate_cutover_waits_for_it() {
    let desk = Desk::with("echo x >>$1/ran; exit 1");
    let hook = desk.hook("");
    let immediate = ["--cutover", "immediate", "--soak", "0s", "--after-delivery", &hook];
    Ran::of(desk.place.rotate(immediate)).expect(3);
    assert!(!desk.events().contains(&"cut-over".to_owned()));
    assert!(desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret));
    desk.place.run(["confirm", TARGET]).expect(0);
    desk.place.expect_rotated();
    assert_eq!(desk.runs(), 1);
}

#[test]
fn a_kill_before_its_end_is_known_blocks_and_says_what_to_look_at() {
    for (point, runs) in [("hook: before it is started", 0), ("hook: after its end", 1)] {
        let desk = Desk::with("echo x >>$1/ran");
        desk.dies(point);
        assert_eq!(desk.runs(), runs);
        let ran = desk.place.run(["run"]).expect(3);
        for words in [
            "may have been started after the delivery",
            "it is not run again by itself",
            "look at the consumers",
            &format!("confirm --run-again {TARGET}"),
        ] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        assert_eq!(desk.runs(), runs, "it was run again");
        desk.place.run(["confirm", "--run-again", TARGET]).expect(0);
        assert_eq!(desk.runs(), runs + 1);
        assert_eq!(desk.place.state_name(), "delivered");
    }
}

/// They meant something else: nobody had told them of it.
#[test]
fn a_word_that_was_said_before_anybody_was_told_is_no_answer() {
    let desk = Desk::with("echo x >>$1/ran");
    desk.dies("hook: after its end");
    desk.place.run(["confirm", TARGET]).expect(3);
    assert!(!desk.events().contains(&"hook-answered".to_owned()));
    desk.place.run(["confirm", TARGET]).expect(0);
    assert_eq!(desk.place.state_name(), "delivered");
    // And there is nothing to run again any more.
    let ran = desk.place.run(["confirm", "--run-again", TARGET]).expect(1);
    assert!(
        ran.stderr.contains("no program that runs after a delivery"),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.runs(), 1);
}

#[test]
fn a_cutover_is_not_confirmed_before_it_has_run() {
    let desk = Desk::with("echo x >>$1/ran");
    // Before its intent is committed.
    desk.dies_before("hook: before it is started", 2);
    assert_eq!(desk.events().last().map(String::as_str), Some("delivered"));
    let ran = desk.place.run(["confirm", TARGET]).expect(1);
    assert!(ran.stderr.contains("have not all run"), "{}", ran.stderr);
    assert_eq!(desk.runs(), 0);
    desk.place.run(["run"]).expect(0);
    assert_eq!(desk.runs(), 1);
    desk.place.run(["confirm", TARGET]).expect(0);
    assert!(desk.events().contains(&"cut-over".to_owned()));
}

#[test]
fn one_that_prints_a_secret_is_not_repeated() {
    for program in [
        "cat $1/key.json; exit 1",
        "sed 's/.*SecretAccessKey\":\"\\([^\"]*\\).*/\\1/' $1/key.json >&2; exit 1",
        "echo ghp_16C7e42F292c6912E7710c838347Ae178B4a; exit 1",
    ] {
        let desk = Desk::with(program);
        let ran = desk.rotate().expect(3);
        assert!(ran.stdout.contains("what it printed is not shown"), "{}", ran.stdout);
        let secret = desk.place.delivered_key().expect("it is delivered").secret;
        let journal = desk.place.run(["audit", "--output", "json"]).expect(0).stdout;
        for text in [&ran.stdout, &ran.stderr, &journal] {
            assert!(!text.contains(&secret) && !text.contains("ghp_"), "{text}");
        }
    }
}

/// A letter right beside it hides nothing.
#[test]
fn what_a_destination_held_shows_in_the_middle_of_a_word_as_well() {
    for (text, said) in [
        ("CANARYold", "token=xCANARYoldx"),
        ("USER=a\nPASSWORD=CANARYold\n", "http://userCANARYold@host"),
        ("PASSWORD=\"CANARY(old)\"\n", "failed: xCANARY(old)x"),
        (
            "{\"AccessKeyId\":\"AKIAOLD\",\"SecretAccessKey\":\"CANARY/old+\"}",
            "-pCANARY/old+",
        ),
        ("short", "it is short."),
        // As a Secret of Kubernetes is kept, as a file has it, and as an address.
        (
            "{\"uid\":\"1\",\"data\":{\"password\":\"Q0FOQVJZL29sZCs=\"}}",
            "login failed: CANARY/old+",
        ),
        ("{\"SecretAccessKey\":\"CANARY\\/old+\"}", "CANARY/old+ is wrong"),
        ("DSN=mysql://app:CANARY%2Fold%2B@db/app", "password CANARY/old+"),
        // The other way round: a program prints it encoded.
        ("PASSWORD=CANARY/old+", "Authorization: Basic YXBwOkNBTkFSWS9vbGQr"),
        ("PASSWORD=CANARY/old+", "mysql://app:CANARY%2Fold%2B@db/app"),
    ] {
        assert!(shows(said, &Secret::new(text)), "{text}: {said}");
    }
    assert!(!shows("line 1 | no such app", &Secret::new("PASSWORD=CANARYold")));
    assert!(!shows("no such app", &Secret::new("")));
}

#[test]
fn one_that_never_ends_is_killed_and_blocks() {
    let desk = Desk::with("echo x >>$1/ran; sleep 60; touch $1/ended");
    let hook = desk.hook("?timeout=1s ");
    let ran = Ran::of(desk.place.rotate(["--after-delivery", &hook])).expect(3);
    assert!(!desk.place.path("ended").exists(), "it was waited for");
    assert!(ran.stdout.contains("it had not ended after 1 s"), "{}", ran.stdout);
}

#[test]
fn a_dry_run_shows_it_as_a_step_and_starts_nothing() {
    let desk = Desk::with(NOTES);
    let mut command = desk.rotation(&["--dry-run"]);
    command.env("ROTATE_ALLOW_EXEC", "1");
    let ran = Ran::of(command).expect(0);
    let step = format!("run {}, once", desk.hook(""));
    assert!(ran.stdout.contains(&step), "{}", ran.stdout);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let at = |words: &str| lines.iter().position(|line| line.contains(words));
    assert!(
        at("read it back and compare") < at(&step) && at(&step) < at("a person confirms it"),
        "{lines:?}"
    );
    assert_eq!(desk.runs(), 0);
}

#[test]
fn one_that_cannot_be_started_is_told_before_a_key_is_made() {
    let desk = Desk::with(NOTES);
    std::fs::remove_file(desk.program()).expect("it is there");
    let ran = desk.rotate().expect(1);
    assert!(
        ran.stderr.contains("is not there") && ran.stderr.contains("after the delivery"),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.place.cloud.count_of(Action::CreateAccessKey), 0);
}

#[test]
fn an_open_rotation_keeps_the_programs_that_it_was_begun_with() {
    let desk = Desk::with(NOTES);
    desk.rotate().expect(0);
    let ran = Ran::of(desk.place.rotate(["--soak", "7d"])).expect(1);
    assert!(
        ran.stderr.contains("other values for --after-delivery"),
        "{}",
        ran.stderr
    );
}
