//! The program is killed at every crash point of an opening, of every kind of tick and of a giving up, and once more in the
//! run that follows. The person simply types the same command again; no tick is lost, and none counts twice.

use std::os::unix::process::ExitStatusExt;

use crate::desk::{Desk, OPEN, STEPS, TARGET};

/// The commands of one rotation, each with what the journal holds after it.
fn script() -> Vec<(Vec<&'static str>, String)> {
    let mut script = vec![(OPEN.to_vec(), "walk-opened".to_owned())];
    for step in &STEPS[..2] {
        let command = vec!["done", TARGET, step, "--evidence", "ticket OPS-12"];
        script.push((command, format!("step-done {step}")));
    }
    script.push((
        vec!["done", TARGET, "--skip", STEPS[2], "--why", "done by the vendor"],
        format!("step-skipped {}", STEPS[2]),
    ));
    for step in &STEPS[3..] {
        script.push((vec!["done", TARGET, step], format!("step-done {step}")));
    }
    script
}

/// Runs a command that is to be killed at its n-th crash point; whether it was, and else its exit code.
fn killed(desk: &Desk, command: &[&str], at: usize) -> Result<(), i32> {
    let mut command = desk.command(command.iter().copied());
    command.env("ROTATE_TEST_KILL_AT", at.to_string());
    let output = command.output().unwrap();
    match output.status.signal() {
        Some(9) => Ok(()),
        _ => Err(output.status.code().unwrap()),
    }
}

/// Runs the script, with these kills of the command at this position; whether all of them happened.
fn run(script: &[(Vec<&str>, String)], position: usize, kills: &[usize]) -> bool {
    let desk = Desk::new();
    let mut expected = Vec::new();
    let mut all = true;
    for (at, (command, event)) in script.iter().enumerate() {
        let context = format!("{command:?}, killed at {kills:?}");
        let before = expected.clone();
        expected.push(event.clone());
        if at == position {
            for kill in kills {
                all &= killed(&desk, command, *kill).is_ok();
                let journal = desk.journal();
                assert!(journal == before || journal == expected, "{context}: {journal:?}");
                desk.verify();
            }
        }
        let is_there = desk.journal() == expected;
        let ran = desk.run(command.iter().copied());
        // The person finds out that it was ticked before the kill, by its being refused; or by nothing at all.
        if is_there && command[0] != "freshdesk" {
            ran.expect(1);
        } else {
            ran.expect(0);
        }
        assert_eq!(desk.journal(), expected, "{context}");
    }
    desk.verify();
    all
}

fn survive(script: &[(Vec<&str>, String)]) {
    let last = script.len() - 1;
    // The ticks in the middle, without a note, are all alike: one of them is enough.
    for position in (0..last.min(5)).chain([last]) {
        let mut points = 0;
        while run(script, position, &[points + 1]) {
            points += 1;
            let mut second = 1;
            while run(script, position, &[points, second]) {
                second += 1;
            }
        }
        assert!(points >= 2, "{:?} has {points} crash points", script[position].0);
    }
}

#[test]
fn a_rotation_to_its_end_survives_every_kill_and_every_pair() {
    survive(&script());
}

#[test]
fn a_rotation_that_is_given_up_survives_every_kill_and_every_pair() {
    let mut script = script();
    script.truncate(3);
    script.push((vec!["abort", TARGET], "walk-aborted".to_owned()));
    survive(&script);
}

#[test]
fn a_kill_leaves_the_next_one_free_to_write() {
    // The right to write ends with its process.
    let desk = Desk::opened();
    assert_eq!(killed(&desk, &["done", TARGET, "1"], 1), Ok(()));
    desk.done("1");
    assert_eq!(killed(&desk, &["done", TARGET, "2"], 2), Ok(()));
    desk.done("3");
    desk.verify();
}
