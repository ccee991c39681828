//! The same command again, other values, another procedure, and a new beginning.

use crate::guided::desk::{ALL, Desk, OPEN, STEPS, TARGET};

#[test]
fn the_same_command_again_opens_nothing_and_shows_where_it_stands() {
    let desk = Desk::opened();
    desk.done(STEPS[0]);
    let ran = desk.run(OPEN).expect(0);
    assert!(ran.stdout.contains(" 1 ☑ "), "{}", ran.stdout);
    assert_eq!(desk.journal().len(), 2);
    desk.finish(1);
    let ran = desk.run(OPEN).expect(0);
    assert!(ran.stdout.contains("This rotation is done."), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("--again") || ran.stderr.contains("--again"),
        "the way to another one is not told:\n{}",
        ran.stderr
    );
    assert_eq!(desk.journal().len(), ALL + 1);
}

#[test]
fn again_opens_another_one_and_only_once_the_first_has_ended() {
    let desk = Desk::opened();
    desk.run(OPEN.into_iter().chain(["--again"])).expect(0);
    assert_eq!(desk.journal(), ["walk-opened"], "one at a time");
    desk.finish(0);
    let first = desk.target()["rotation"].clone();
    desk.run(OPEN.into_iter().chain(["--again"])).expect(0);
    let second = desk.target();
    assert_eq!(second["state"], "guided");
    assert_ne!(second["rotation"], first);
    assert_eq!(desk.ticked(), [""; 0]);
    desk.verify();
}

#[test]
fn other_values_are_refused_while_it_is_open() {
    let desk = Desk::opened();
    let other = ["freshdesk", "--domain", "acme", "--agent", "other@acme.com"];
    for more in [&[][..], &["--dry-run"], &["--again"]] {
        let ran = desk.run(other.into_iter().chain(more.iter().copied())).expect(1);
        assert!(
            ran.stderr.contains("begun with other values (--agent)"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("status freshdesk/acme"), "{}", ran.stderr);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
    // Another target is another matter.
    desk.run(["freshdesk", "--domain", "emca", "--begin"]).expect(0);
    assert_eq!(desk.journal().len(), 2);
}

#[test]
fn values_that_were_given_at_the_opening_need_not_be_given_again() {
    let desk = Desk::opened();
    let ran = desk.run(["freshdesk", "--domain", "acme"]).expect(0);
    assert!(ran.stdout.contains("gainsight@acme.com"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("--agent"), "{}", ran.stderr);
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn values_that_are_learned_later_are_shown_and_said_not_to_be_kept() {
    let desk = Desk::new();
    let open = ["databricks-password", "--workspace", "dbc-1.cloud.databricks.com"];
    let client = "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11";
    desk.run(open.into_iter().chain(["--begin"])).expect(0);
    for more in [&[][..], &["--dry-run"], &["--begin"]] {
        let learned = ["--client-id", client].into_iter().chain(more.iter().copied());
        let ran = desk.run(open.into_iter().chain(learned)).expect(0);
        assert!(ran.stdout.contains(&format!("'{client}'")), "{}", ran.stdout);
        assert!(!ran.stdout.contains("--client-id (later)"), "{}", ran.stdout);
        ran.says(&["in this plan only", "--client-id"]);
    }
    let kept = desk
        .run(["status", "databricks-password/dbc-1.cloud.databricks.com"])
        .expect(0);
    assert!(kept.stdout.contains("--client-id (later)"), "{}", kept.stdout);
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn another_procedure_is_refused_while_one_is_open() {
    let desk = Desk::new();
    let rotate = ["snowflake-password", "--user", "GS", "--begin"];
    let disconnect = [
        "snowflake-password",
        "--user",
        "GS",
        "--procedure",
        "disconnect",
        "--begin",
    ];
    desk.run(rotate).expect(0);
    desk.run(disconnect).expect(1).says(&["its `rotate` is open"]);
    desk.run(["abort", "snowflake-password/GS"]).expect(0);
    let ran = desk.run(disconnect).expect(0);
    assert!(ran.stdout.contains("· disconnect"), "{}", ran.stdout);
    assert!(ran.stdout.contains("drop-the-user"), "{}", ran.stdout);
    // What is told of a rotation is not told of its end.
    assert!(
        ran.stdout.contains("This cuts Gainsight off from Snowflake"),
        "{}",
        ran.stdout
    );
    for word in ["OVERLAP", "Have ready", "Old one dead?"] {
        assert!(!ran.stdout.contains(word), "{word} in\n{}", ran.stdout);
    }
    assert_eq!(
        desk.json(["status", "snowflake-password/GS"])["targets"][0]["guide"]["procedure"],
        "disconnect"
    );
    desk.verify();
}

#[test]
fn a_rotation_that_was_given_up_is_begun_again_from_the_first_step() {
    let desk = Desk::opened();
    desk.done(STEPS[0]);
    let ran = desk.run(["abort", TARGET]).expect(0);
    assert!(ran.stderr.contains("stays done"), "{}", ran.stderr);
    assert_eq!(desk.target()["state"], "aborted");
    assert_eq!(desk.ticked(), STEPS[..1], "what was done stays done");
    desk.run(["done", TARGET, STEPS[1]])
        .expect(1)
        .says(&["it has ended already"]);
    // No --again is needed: it was not rotated.
    desk.run(OPEN).expect(0);
    assert_eq!(desk.target()["state"], "guided");
    assert_eq!(desk.ticked(), [""; 0]);
    desk.finish(0);
    assert_eq!(desk.target()["state"], "done");
    let told = desk.run(["audit", "verify"]).expect(0).stdout;
    // Opened, ticked and given up; and opened and ticked to the end.
    let events = format!("{} events of 2 rotations", 3 + 1 + ALL);
    assert!(told.contains(&events), "{told}");
}

#[test]
fn what_has_ended_cannot_be_given_up_and_is_said_to_have_ended() {
    let desk = Desk::opened();
    desk.finish(0);
    for word in ["abort", "rollback", "confirm"] {
        let ran = desk.run([word, TARGET]).expect(1);
        assert!(
            !ran.stderr.contains("no rotation of"),
            "`{word}` says that it is not on record: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains("ended"), "`{word}`: {}", ran.stderr);
    }
    assert_eq!(desk.journal().len(), ALL + 1);
}

#[test]
fn a_word_for_automated_rotations_is_refused_with_the_way_on() {
    let desk = Desk::opened();
    for word in [
        &["confirm", TARGET][..],
        &["rollback", TARGET],
        &["rollback", "--force", TARGET],
    ] {
        desk.run(word.iter().copied()).expect(1).says(&[
            "by hand, step by step",
            "status freshdesk/acme",
            "abort freshdesk/acme",
        ]);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
}
