//! How it ends: what may be left out, and from which day it counts.

use super::today;
use crate::guided::desk::{ALL, Desk, OPEN, STEPS, TARGET};

/// Ticks every step; those of these names are left out.
fn finish_without(desk: &Desk, left_out: &[&str]) -> String {
    let mut told = String::new();
    for step in STEPS {
        let ran = if left_out.contains(&step) {
            desk.run(["done", TARGET, "--skip", step, "--why", "no need"]).expect(0)
        } else {
            desk.done(step)
        };
        told = ran.stderr;
    }
    told
}

#[test]
fn a_step_that_matters_little_may_be_left_out() {
    let desk = Desk::opened();
    let told = finish_without(
        &desk,
        &[
            "list-users-of-the-key",
            "keep-the-key",
            "try-the-new-key",
            "save-elsewhere",
        ],
    );
    assert!(told.contains(&format!("rotated on {}", today())), "{told}");
    assert_eq!(desk.target()["state"], "done");
    // It counts: the same command is a repeat.
    desk.run(OPEN).expect(0);
    assert_eq!(desk.journal().len(), ALL + 1);
    desk.verify();
}

#[test]
fn what_was_not_made_delivered_and_proven_was_not_rotated() {
    for left_out in [
        &STEPS[..],
        &["reset"],
        // To put the key into a vault is not to make one.
        &["save-in-gainsight", "save-elsewhere"],
        &["prove-with-a-job"],
    ] {
        let desk = Desk::opened();
        let told = finish_without(&desk, left_out);
        assert!(told.contains("closed, not rotated"), "{left_out:?}: {told}");
        assert!(!told.contains("rotated on"), "{left_out:?}: {told}");
        let target = desk.target();
        assert_eq!(target["state"], "done");
        let reason = target["reason"].as_str().expect("it has one");
        assert!(reason.contains("closed, not rotated"), "{left_out:?}: {reason}");
        // So the same command begins anew.
        desk.run(OPEN).expect(0);
        assert_eq!(desk.target()["state"], "guided", "{left_out:?}");
        assert_eq!(desk.ticked(), [""; 0], "{left_out:?}");
        desk.verify();
    }
}

#[test]
fn the_end_of_another_procedure_rotates_nothing() {
    let desk = Desk::new();
    let open = [
        "snowflake-password",
        "--user",
        "GS",
        "--procedure",
        "disconnect",
        "--begin",
    ];
    desk.run(open).expect(0);
    let mut told = String::new();
    for number in 1..=6 {
        told = desk
            .run(["done", "snowflake-password/GS", &number.to_string()])
            .expect(0)
            .stderr;
    }
    assert!(told.contains("`disconnect` has ended: 6 of 6 steps are done"), "{told}");
    assert!(!told.contains("rotated"), "{told}");
    // It is a repeat all the same.
    let journal = desk.journal().len();
    desk.run(open).expect(0);
    assert_eq!(desk.journal().len(), journal);
}

#[test]
fn a_rotation_counts_from_the_day_of_its_last_tick() {
    let desk = Desk::opened();
    for step in &STEPS[..ALL - 1] {
        desk.done(step);
    }
    // Three days later it is finished, and that is the day; also for whoever asks still later.
    let told = desk.later(72, ["done", TARGET, STEPS[ALL - 1]]).expect(0).stderr;
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let at = |position: usize| -> jiff::Timestamp {
        let target = desk.target();
        let at = target["steps"][position]["tick"]["at"]
            .as_str()
            .expect("it was ticked")
            .to_owned();
        at.parse().expect("it is a time")
    };
    let (first, last) = (at(ALL - 2), at(ALL - 1));
    assert_eq!(last.duration_since(first).as_hours(), 72);
    assert_ne!(day(first), day(last));
    assert!(told.contains(&format!("rotated on {}", day(last))), "{told}");
    let reason = desk.target()["reason"].as_str().expect("it has one").to_owned();
    assert!(reason.contains(&day(last)) && !reason.contains(&day(first)), "{reason}");
    // A day has not passed since: the same command is a repeat.
    desk.later(95, OPEN).expect(0);
    assert_eq!(desk.journal().len(), ALL + 1);
    // A day has passed: it is a wish for another one.
    desk.later(97, OPEN).expect(0);
    assert_eq!(desk.journal().len(), ALL + 2);
    assert_eq!(desk.target()["state"], "guided");
    assert_eq!(desk.ticked(), [""; 0]);
}

#[test]
fn the_status_of_a_finished_rotation_names_the_day() {
    let desk = Desk::opened();
    desk.finish(0);
    let today = today();
    let table = desk.run(["status"]).expect(0).stdout;
    let line = table
        .lines()
        .find(|line| line.contains(TARGET))
        .expect("it is in the table");
    let reason = desk.target()["reason"].as_str().expect("it has one").to_owned();
    assert!(line.contains("done"), "{line}");
    assert!(
        line.contains(&today) || reason.contains(&today),
        "the day is not told: {line}; {reason}"
    );
}
