//! A tick is taken back, and evidence is added later: both are in the journal, which forgets nothing.

use serde_json::json;

use crate::guided::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};

#[test]
fn a_tick_that_is_taken_back_opens_its_step_and_stays_in_the_journal() {
    let desk = Desk::opened();
    for step in &STEPS[..4] {
        desk.done(step);
    }
    let ran = desk.run(["undo", TARGET, "2", "--why", "the wrong line"]).expect(0);
    assert!(ran.stdout.contains(STEPS[1]), "{}", ran.stdout);
    let target = desk.target();
    assert_eq!(target["next"]["what"], format!("step 2 of {ALL}: {}", STEPS[1]));
    assert_eq!(target["steps"][1]["state"], "open");
    assert_eq!(target["steps"][1].get("tick"), None);
    assert_eq!(desk.ticked(), [STEPS[0], STEPS[2], STEPS[3]]);
    assert!(
        target["reason"]
            .as_str()
            .is_some_and(|why| why.contains("3 of 10 steps are done"))
    );
    let audit = desk.run(["audit", TARGET]).expect(0).stdout;
    for word in [
        "step-done  look-for-an-overlap by ",
        "step-undone  look-for-an-overlap by ",
        "USER claims tester: the wrong line",
    ] {
        assert!(audit.contains(word), "no {word:?} in\n{audit}");
    }
    // It is next again, before those that stay ticked.
    desk.run(["done", TARGET, STEPS[4]])
        .expect(1)
        .says(&["is not next: look-for-an-overlap (step 2 of 10)"]);
    desk.run(["done", TARGET, "--skip", "2", "--why", "no overlap"])
        .expect(0);
    assert_eq!(
        desk.target()["next"]["what"],
        format!("step 5 of {ALL}: {}", STEPS[4]),
        "it goes on where it was"
    );
    desk.finish(4);
    assert_eq!(desk.target()["state"], "done");
    desk.verify();
}

#[test]
fn a_tick_of_a_step_that_was_skipped_is_taken_back_as_well() {
    let desk = Desk::opened();
    desk.run(["done", TARGET, "--skip", "1", "--why", "no time"]).expect(0);
    desk.run(["done", TARGET, "1", "--evidence", "Gainsight only"])
        .expect(1)
        .says(&["was skipped", "undo freshdesk/acme list-users-of-the-key"]);
    desk.run(["done", TARGET, "1"])
        .expect(1)
        .says(&["ticked already, as skipped", "undo freshdesk/acme"]);
    desk.run(["undo", TARGET, STEPS[0]]).expect(0);
    desk.run(["done", TARGET, "1", "--evidence", "Gainsight only"])
        .expect(0);
    assert_eq!(desk.target()["steps"][0]["state"], "done");
    desk.verify();
}

#[test]
fn what_has_no_tick_has_none_to_take_back() {
    let desk = Desk::opened();
    desk.run(["undo", TARGET, "1"])
        .expect(1)
        .says(&["is open", "no tick to take back"]);
    desk.run(["undo", TARGET, "11"])
        .expect(1)
        .says(&["there is no step 11"]);
    desk.run(["undo", TARGET, "no-such-step"])
        .expect(1)
        .says(&["there is no step"]);
    desk.run(["undo", TARGET]).expect(64);
    desk.done("1");
    desk.run(["undo", TARGET, "1", "--why", "password=hunter2hunter"])
        .expect(64)
        .says(&["--why", "nothing was taken back"]);
    desk.run(["undo", TARGET, "1"]).expect(0);
    desk.run(["undo", TARGET, "1"])
        .expect(1)
        .says(&["no tick to take back"]);
    assert_eq!(desk.journal().len(), 3);
}

#[test]
fn a_rotation_that_had_ended_is_open_again_once_a_tick_is_taken_back() {
    let desk = Desk::opened();
    desk.finish(0);
    let ran = desk.run(["undo", TARGET, STEPS[ALL - 1]]).expect(0);
    assert!(ran.stderr.contains("had ended, and is open again"), "{}", ran.stderr);
    let target = desk.target();
    assert_eq!(target["state"], "guided");
    assert!(!target["reason"].to_string().contains("rotated"), "{target:#}");
    // It is the one that is open, and no other begins beside it.
    desk.run(OPEN.into_iter().chain(["--again"])).expect(0);
    assert_eq!(desk.journal().len(), ALL + 2);
    desk.verify();
    let told = desk.later(24, ["done", TARGET, STEPS[ALL - 1]]).expect(0).stderr;
    assert!(told.contains("10 of 10 steps are done: rotated on"), "{told}");
    desk.verify();
}

#[test]
fn what_was_given_up_stays_as_it_was_left() {
    let desk = Desk::opened();
    desk.done("1");
    desk.run(["abort", TARGET]).expect(0);
    desk.run(["undo", TARGET, "1"]).expect(1).says(&["given up"]);
    desk.run(["done", TARGET, "1", "--evidence", "Gainsight only"])
        .expect(1)
        .says(&["given up"]);
    assert_eq!(desk.ticked(), STEPS[..1]);
    assert_eq!(desk.journal().len(), 3);
}

#[test]
fn evidence_is_added_to_a_step_that_is_done_beside_what_was_noted_before() {
    let desk = Desk::opened();
    desk.run(["done", TARGET, "1", "--evidence", "Gainsight only"])
        .expect(0);
    desk.run(["done", TARGET, "1", "--evidence", "ticket OPS-12"]).expect(0);
    // A repeat adds nothing.
    for again in ["ticket OPS-12", "Gainsight only"] {
        desk.run(["done", TARGET, STEPS[0], "--evidence", again]).expect(0);
    }
    let tick = desk.target()["steps"][0]["tick"].clone();
    assert_eq!(tick["outcome"], json!({"done": {"evidence": "Gainsight only"}}));
    assert_eq!(tick["added"].as_array().map(Vec::len), Some(1), "{tick:#}");
    assert_eq!(tick["added"][0]["evidence"], "ticket OPS-12");
    assert!(
        tick["added"][0]["by"]
            .as_str()
            .is_some_and(|by| by.ends_with(", USER claims tester"))
    );
    let events = [
        "walk-opened",
        "step-done list-users-of-the-key",
        "evidence-added list-users-of-the-key",
    ];
    assert_eq!(desk.journal(), events);
    for command in [
        &["status", TARGET][..],
        &["status", TARGET, "--output", "markdown"],
        &["audit"],
    ] {
        let told = desk.run(command.iter().copied()).expect(0).stdout;
        assert!(
            told.contains("Gainsight only") && told.contains("ticket OPS"),
            "{command:?}: {told}"
        );
    }
    // Also once it has ended, which changes neither the day nor what a repeat is.
    desk.finish(1);
    let reason = desk.target()["reason"].clone();
    desk.later(48, ["done", TARGET, "10", "--evidence", "job 'Nightly sync' ended"])
        .expect(0);
    let target = desk.target();
    assert_eq!((&target["state"], &target["reason"]), (&json!("done"), &reason));
    let journal = desk.journal().len();
    desk.later(49, OPEN).expect(0);
    assert_eq!(
        desk.journal().len(),
        journal + 1,
        "a day has passed since the last tick"
    );
    desk.verify();
}

#[test]
fn a_step_that_was_skipped_is_never_shown_as_done() {
    let desk = Desk::opened();
    desk.done("1");
    desk.run(["done", TARGET, "--skip", "2", "--why", "no overlap"])
        .expect(0);
    let target = desk.target();
    let states: Vec<&str> = (0..3).filter_map(|at| target["steps"][at]["state"].as_str()).collect();
    assert_eq!(states, ["done", "skipped", "open"]);
    let progress = "1 of 10 steps are done, 1 skipped";
    assert_eq!(target["reason"], progress);
    for command in [&["status", TARGET][..], &["status"], &SHOW, &["run"]] {
        let told = desk.run(command.iter().copied()).expect(0).stdout;
        let done = told.contains("2 ☑") || told.contains("2 of 10 steps are done");
        assert!(!done, "{command:?}: {told}");
    }
    let file = "[[target]]\nname = \"helpdesk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\n";
    std::fs::write(desk.path("rotate.toml"), file).expect("the folder is there");
    for command in [&["plan"][..], &["status"]] {
        let told = desk.run(command.iter().copied()).expect(0).stdout;
        assert!(told.contains(progress), "{command:?}: {told}");
    }
    let plan = desk.run(["plan"]).expect(0).stdout;
    let line = |number: &str| plan.lines().find(|line| line.contains(number)).unwrap_or_default();
    assert!(line(" 1. ").contains('✓'), "{plan}");
    assert!(
        line(" 2. ").contains("skipped") && !line(" 2. ").contains('✓'),
        "{plan}"
    );
    let plan = desk.run(["plan", "--output", "markdown"]).expect(0).stdout;
    assert_eq!(plan.matches("- [x] ").count(), 1, "{plan}");
    assert_eq!(plan.matches("- *Skipped:* ").count(), 1, "{plan}");
    // At the end as well.
    for step in &STEPS[2..] {
        desk.done(step);
    }
    let told = desk.run(["done", TARGET, "1", "--evidence", "noted"]).expect(0).stderr;
    assert!(told.contains("9 of 10 steps are done, 1 skipped: rotated on"), "{told}");
}
