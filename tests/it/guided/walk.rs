//! `rotate walk`, with a person at a terminal: `script` of util-linux makes the terminal, and types what the person types.

use std::io::{Read, Write};

use rotate_fixtures::place::{self, Ran};
use serde_json::json;

use crate::guided::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};

/// Runs the program on a terminal this wide, at which somebody types this.
fn on_a_terminal(desk: &Desk, columns: u32, arguments: &[&str], typed: &str) -> Ran {
    place::on_a_terminal(&desk.command(arguments.iter().copied()), columns, typed)
}

fn walk(desk: &Desk, typed: &str) -> Ran {
    on_a_terminal(desk, 100, &["walk", TARGET], typed)
}

#[test]
fn a_person_is_led_through_every_step_to_the_end() {
    let desk = Desk::opened();
    let ran = walk(&desk, &"y\nticket OPS-12\n".repeat(ALL)).expect(0);
    for step in STEPS {
        assert!(ran.stdout.contains(step), "{step} was not shown\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains(&format!("{ALL} of {ALL} steps")), "{}", ran.stdout);
    assert_eq!(desk.target()["state"], "done");
    let outcome = &desk.target()["steps"][ALL - 1]["tick"]["outcome"];
    assert_eq!(*outcome, json!({"done": {"evidence": "ticket OPS-12"}}));
    desk.verify();
}

/// A question may be left open overnight.
#[test]
fn while_a_person_thinks_the_journal_is_free_and_they_can_leave() {
    let desk = Desk::opened();
    let mut child = place::terminal(&desk.command(["walk", TARGET]), 100).spawn().unwrap();
    let mut seen = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    let mut part = [0; 4096];
    while !rotate_fixtures::has(&seen, b"Done?") {
        let length = stdout.read(&mut part).unwrap();
        assert!(length > 0, "it ended: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&part[..length]);
    }
    desk.run(["run"]).expect(0);
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    stdout.read_to_end(&mut seen).unwrap();
    assert_eq!(
        child.wait().unwrap().code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&seen)
    );
    drop(keyboard);
    assert_eq!(desk.ticked(), [""; 0]);
}

#[test]
fn each_step_is_shown_once_its_turn_has_come() {
    let desk = Desk::opened();
    let ran = walk(&desk, "y\n\nq\n").expect(0);
    let at = |step: &str| ran.stdout.find(step);
    assert!(at(STEPS[0]).is_some() && at(STEPS[0]) < at(STEPS[1]), "{}", ran.stdout);
    assert_eq!(at(STEPS[3]), None, "{}", ran.stdout);
}

#[test]
fn a_person_may_stop_and_go_on_later_in_another_terminal() {
    let desk = Desk::opened();
    walk(&desk, "y\n\ny\nopen\nq\n").expect(0);
    assert_eq!(desk.ticked(), STEPS[..2]);
    // The end of the input is a stop too, also in the middle of a question.
    walk(&desk, "y\n\n").expect(0);
    assert_eq!(desk.ticked(), STEPS[..3]);
    walk(&desk, "y\n").expect(0);
    assert_eq!(
        desk.ticked(),
        STEPS[..3],
        "a step whose note was not given is not ticked"
    );
    walk(&desk, "quit\n").expect(0);
    walk(&desk, "").expect(0);
    assert_eq!(desk.ticked(), STEPS[..3]);
    walk(&desk, &"yes\n\n".repeat(ALL - 3)).expect(0);
    assert_eq!(desk.target()["state"], "done");
    desk.verify();
}

#[test]
fn a_step_is_left_out_with_a_reason_which_is_asked_for_until_it_is_given() {
    let desk = Desk::opened();
    let ran = walk(&desk, "s\n\n\nno other application\nskip\nopen already\nq\n").expect(0);
    assert_eq!(ran.stdout.matches("Why is it left out?").count(), 4, "{}", ran.stdout);
    let plan = desk.target()["steps"].clone();
    assert_eq!(
        plan[0]["tick"]["outcome"],
        json!({"skipped": {"why": "no other application"}})
    );
    assert_eq!(plan[1]["tick"]["outcome"], json!({"skipped": {"why": "open already"}}));
}

#[test]
fn an_answer_to_another_question_is_no_note() {
    let desk = Desk::opened();
    let answers = ["y", "Y", "yes", "n", "no", "s", "skip"];
    let typed = answers.map(|answer| format!("{answer}\n")).concat();
    let ran = walk(
        &desk,
        &format!("y\n{typed}Gainsight only\ns\n{typed}no overlap here\nq\n"),
    )
    .expect(0);
    let refused = answers.len() * 2;
    assert_eq!(
        ran.stdout.matches("is an answer and no note").count(),
        refused,
        "{}",
        ran.stdout
    );
    let plan = desk.target()["steps"].clone();
    assert_eq!(
        plan[0]["tick"]["outcome"],
        json!({"done": {"evidence": "Gainsight only"}})
    );
    assert_eq!(
        plan[1]["tick"]["outcome"],
        json!({"skipped": {"why": "no overlap here"}})
    );
    // Whoever stops at a note has not ticked its step.
    for stop in ["y\nq\n", "y\nQuit\n", "s\nq\n"] {
        walk(&desk, stop).expect(0);
        assert_eq!(desk.ticked(), STEPS[..2], "{stop:?}");
    }
}

#[test]
fn what_stops_on_the_way_and_what_has_to_be_ready_is_said_before_the_first_step() {
    let desk = Desk::opened();
    let ran = walk(&desk, "q\n").expect(0);
    let at = |word: &str| ran.stdout.find(word);
    assert!(
        at("NO OVERLAP.").is_some() && at("NO OVERLAP.") < at(STEPS[0]),
        "{}",
        ran.stdout
    );
    assert!(
        at("Have ready").is_some() && at("Have ready") < at(STEPS[0]),
        "{}",
        ran.stdout
    );
    // Off a terminal too, where a run announces it.
    let told = desk.run(["run"]).expect(0).stdout;
    let file = "[[target]]\nname = \"helpdesk\"\nconnector = \"freshdesk\"\ndomain = \"emca\"\n";
    std::fs::write(desk.path("rotate.toml"), file).unwrap();
    let announced = desk.run(["run"]).expect(0).stdout;
    assert!(!told.contains("NO OVERLAP"), "{told}");
    let announced = &announced[announced.find("helpdesk").unwrap()..];
    let at = |word: &str| announced.find(word);
    assert!(
        at("NO OVERLAP.").is_some() && at("NO OVERLAP.") < at(STEPS[0]),
        "{announced}"
    );
}

#[test]
fn a_tick_that_was_taken_back_is_the_next_one_that_is_asked_for() {
    let desk = Desk::opened();
    walk(&desk, "y\n\ny\n\ny\n\nq\n").expect(0);
    desk.run(["undo", TARGET, "2"]).expect(0);
    let ran = walk(&desk, "y\nopen\nq\n").expect(0);
    assert!(ran.stdout.contains(" 2 ☐ "), "{}", ran.stdout);
    assert!(ran.stdout.contains(" 4 ☐ "), "{}", ran.stdout);
    assert_eq!(desk.ticked(), STEPS[..3]);
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    let desk = Desk::opened();
    let ran = walk(&desk, "maybe\n\nY\nno\ny\n\nq\n").expect(0);
    assert!(ran.stdout.matches("Done? [y = yes").count() >= 5, "{}", ran.stdout);
    assert_eq!(desk.ticked(), STEPS[..1]);
}

#[test]
fn a_note_that_looks_like_a_secret_is_refused_not_kept_not_repeated_and_asked_for_again() {
    let desk = Desk::opened();
    let secret = "Zx8kQ2mV9tR4wY7zB1nP";
    let ran = walk(&desk, &format!("y\n{secret}\npassword={secret}\nGainsight only\nq\n")).expect(0);
    assert_eq!(ran.stdout.matches("it was not kept").count(), 2, "{}", ran.stdout);
    assert!(!ran.stdout.contains(secret), "{}", ran.stdout);
    for entry in std::fs::read_dir(desk.state()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!rotate_fixtures::has(&bytes, secret.as_bytes()));
    }
    let outcome = &desk.target()["steps"][0]["tick"]["outcome"];
    assert_eq!(*outcome, json!({"done": {"evidence": "Gainsight only"}}));
}

#[test]
fn off_a_terminal_nobody_is_led_and_the_other_way_is_told() {
    let desk = Desk::opened();
    desk.run(["walk", TARGET])
        .expect(64)
        .says(&["this is not a terminal", "done freshdesk/acme STEP"]);
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn a_walk_of_nothing_is_refused() {
    let desk = Desk::new();
    let ran = walk(&desk, "");
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("no rotation of freshdesk/acme is on record"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("freshdesk --domain acme --begin"), "{}", ran.stdout);
    assert!(!desk.state().exists());
}

#[test]
fn a_walk_of_what_has_ended_says_so_and_asks_nothing() {
    let desk = Desk::opened();
    desk.finish(0);
    let ran = walk(&desk, "").expect(0);
    assert!(ran.stdout.contains("This rotation is done."), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Done? ["), "{}", ran.stdout);
    desk.run(OPEN.into_iter().chain(["--again"])).expect(0);
    desk.run(["abort", TARGET]).expect(0);
    let ran = walk(&desk, "").expect(0);
    assert!(ran.stdout.contains("aborted"), "{}", ran.stdout);
}

#[test]
fn a_walk_tells_as_done_does_that_the_target_is_rotated_now() {
    let desk = Desk::opened();
    let ran = walk(&desk, &"y\n\n".repeat(ALL)).expect(0);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    assert!(ran.stdout.contains(&format!("rotated on {today}")), "{}", ran.stdout);
    // Whoever comes back days later is told of that day, and not of theirs.
    let later = desk.later(72, ["status", TARGET]).expect(0);
    assert!(later.stdout.contains(&today), "{}", later.stdout);
    let ran = walk(&desk, "").expect(0);
    assert!(ran.stdout.contains(&format!("rotated on {today}")), "{}", ran.stdout);
}

const SHELL: &str = "into a POSIX shell, such as bash or dash:";

/// The lines that are wrapped: an address is not broken, wherever it ends, and a command is pasted as it is.
fn wrapped(plan: &str) -> impl Iterator<Item = &str> {
    let mut is_command = false;
    plan.lines().filter(move |line| {
        is_command = line.ends_with(SHELL) || is_command && line.starts_with(&" ".repeat(16));
        let is_copied = line.starts_with("To begin it:") || line.contains("https://");
        !is_copied && (!is_command || line.ends_with(SHELL))
    })
}

#[test]
fn a_plan_is_wrapped_to_the_terminal() {
    let desk = Desk::new();
    for columns in [60, 80, 100] {
        let arguments = [&SHOW[..], &["--dry-run"]].concat();
        let ran = on_a_terminal(&desk, columns, &arguments, "").expect(0);
        let widest = wrapped(&ran.stdout).map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns as usize, "{widest} at {columns}\n{}", ran.stdout);
        assert!(
            widest > columns as usize * 4 / 5,
            "{widest} at {columns}\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_table_is_wrapped_to_the_terminal() {
    let desk = Desk::opened();
    for arguments in [&["status"][..], &["connectors"], &["connectors", "snowflake-password"]] {
        let ran = on_a_terminal(&desk, 80, arguments, "").expect(0);
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{arguments:?}: {widest}\n{}", ran.stdout);
    }
}

#[test]
fn what_is_refused_on_a_terminal_cannot_write_to_it() {
    let desk = Desk::opened();
    let mut wrote = Vec::new();
    for arguments in [
        &["freshdesk", "--domain", "a\u{1b}[2Jb"][..],
        &["freshdesk", "--agent", "\u{1b}]0;title\u{7}@acme.com"],
        &["freshdesk", "--procedure", "\u{1b}[2J"],
        &["connectors", "\u{1b}[2J"],
        &["\u{1b}[2J"],
        &["done", TARGET, "\u{1b}[2J"],
        &["done", "freshdesk/\u{1b}[2J", "1"],
        &["status", "freshdesk/\u{1b}[2J"],
        &["abort", "freshdesk/\u{1b}[2J"],
    ] {
        let ran = on_a_terminal(&desk, 100, arguments, "");
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        if ran.stdout.contains("\u{1b}[2J") || ran.stdout.contains("\u{1b}]0;") {
            wrote.push(arguments);
        }
    }
    assert!(wrote.is_empty(), "{wrote:#?}");
}
