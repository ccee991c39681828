//! From its opening to its end, in as many processes as steps.

use serde_json::json;

use crate::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};

fn tick(step: &str) -> String {
    format!("step-done {step}")
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[test]
fn the_command_of_a_connector_prints_its_plan_and_opens_the_rotation() {
    let desk = Desk::new();
    let ran = desk.run(OPEN).expect(0);
    for word in [
        "Freshdesk API key · freshdesk/acme",
        "NO OVERLAP",
        " 1 ☐ Freshdesk admin · list-users-of-the-key",
        " 10 ☐ Gainsight admin · prove-with-a-job",
        "This cannot be undone.",
        "https://acme.freshdesk.com",
        "done freshdesk/acme list-users-of-the-key",
        "walk freshdesk/acme",
    ] {
        assert!(ran.stdout.contains(word), "no {word:?} in\n{}", ran.stdout);
    }
    assert!(ran.stderr.contains("keeping the journal"), "{}", ran.stderr);
    assert_eq!(desk.journal(), ["walk-opened"]);
    let target = desk.target();
    assert_eq!(target["state"], "guided");
    assert_eq!(target["connector"], "freshdesk");
    assert_eq!(target["next"]["who"], "person");
    assert!(target["next"]["at"].is_string(), "it becomes overdue: {target:#}");
    desk.verify();
}

#[test]
fn a_dry_run_writes_nothing_and_says_so() {
    let desk = Desk::new();
    let ran = desk.run(SHOW.into_iter().chain(["--dry-run"])).expect(0);
    assert!(ran.stdout.contains("prove-with-a-job"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Nothing was opened"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("rotate done"), "{}", ran.stdout);
    assert!(!desk.state().exists());
    for output in ["markdown", "json"] {
        desk.run(SHOW.into_iter().chain(["--dry-run", "--output", output]))
            .expect(0);
        assert!(!desk.state().exists());
    }
}

#[test]
fn a_dry_run_of_what_is_open_shows_what_is_done_and_changes_nothing() {
    let desk = Desk::opened();
    desk.done(STEPS[0]);
    let before = desk.run(["audit"]).stdout;
    let ran = desk.run(SHOW.into_iter().chain(["--dry-run"])).expect(0);
    assert!(ran.stdout.contains(" 1 ☑ "), "{}", ran.stdout);
    assert!(ran.stdout.contains(" 2 ☐ "), "{}", ran.stdout);
    assert_eq!(desk.run(["audit"]).stdout, before);
}

#[test]
fn every_step_is_ticked_in_a_process_of_its_own_to_the_end() {
    let desk = Desk::opened();
    for (position, step) in STEPS.iter().enumerate() {
        let target = desk.target();
        assert_eq!(
            target["next"]["what"],
            format!("step {} of {ALL}: {step}", position + 1)
        );
        // By its number, or by its name.
        let named = if position % 2 == 0 {
            (position + 1).to_string()
        } else {
            (*step).to_owned()
        };
        let ran = desk
            .run(["done", TARGET, &named, "--evidence", "ticket OPS-12"])
            .expect(0);
        match STEPS.get(position + 1) {
            Some(next) => assert!(ran.stdout.contains(next), "{}", ran.stdout),
            None => assert!(
                ran.stderr.contains(&format!("rotated on {}", today())),
                "{}",
                ran.stderr
            ),
        }
        assert_eq!(desk.ticked(), STEPS[..=position]);
    }
    let target = desk.target();
    assert_eq!(target["state"], "done");
    assert_eq!(
        target["next"],
        json!({"who": null, "what": null, "command": null, "at": null})
    );
    let ticks: Vec<String> = STEPS.iter().map(|step| tick(step)).collect();
    assert_eq!(desk.journal()[1..], ticks);
    desk.verify();
}

#[test]
fn the_journal_says_who_ticked_what_and_what_was_noted() {
    let desk = Desk::opened();
    desk.run(["done", TARGET, "1", "--evidence", "Gainsight only"])
        .expect(0);
    desk.run(["done", TARGET, "--skip", "2", "--why", "it was open already"])
        .expect(0);
    let audit = desk.run(["audit", TARGET]).expect(0).stdout;
    let by = "(uid ";
    for word in [
        "walk-opened  rotate",
        "step-done  list-users-of-the-key by ",
        "USER claims tester: Gainsight only",
        "step-skipped  look-for-an-overlap by ",
        "USER claims tester: it was open already",
        by,
    ] {
        assert!(audit.contains(word), "no {word:?} in\n{audit}");
    }
    let target = desk.target();
    assert_eq!(
        target["plan"][0]["tick"]["outcome"],
        json!({"done": {"evidence": "Gainsight only"}})
    );
    assert_eq!(
        target["plan"][1]["tick"]["outcome"],
        json!({"skipped": {"why": "it was open already"}})
    );
    let story = desk.run(["status", TARGET]).expect(0).stdout;
    assert!(story.contains(" 1 ☑ ") && story.contains("Gainsight only"), "{story}");
    assert!(
        story.contains(" 2 – ") && story.contains("it was open already"),
        "{story}"
    );
    desk.verify();
}

#[test]
fn what_was_noted_is_kept_without_the_blanks_around_it() {
    let desk = Desk::opened();
    desk.run(["done", TARGET, "1", "--evidence", "  Gainsight only "])
        .expect(0);
    assert_eq!(
        desk.target()["plan"][0]["tick"]["outcome"],
        json!({"done": {"evidence": "Gainsight only"}})
    );
}

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
        let at = target["plan"][position]["tick"]["at"]
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

#[test]
fn run_reminds_of_what_is_open_and_calls_a_person_once_it_is_overdue() {
    let desk = Desk::opened();
    let ran = desk.run(["run"]).expect(0);
    assert!(ran.stdout.contains(&format!("step 1 of {ALL}")), "{}", ran.stdout);
    desk.later(13 * 24, ["run"]).expect(0);
    let late = desk.later(15 * 24, ["run"]).expect(3);
    assert!(late.stdout.contains(TARGET), "{}", late.stdout);
    assert_eq!(desk.journal(), ["walk-opened"], "nothing can be done for a person");
    // Nothing is open: nothing is overdue.
    desk.finish(0);
    desk.later(15 * 24, ["run"]).expect(0).says(&["no rotation is open"]);
}

#[test]
fn what_is_overdue_says_so() {
    let desk = Desk::opened();
    for command in [&["run"][..], &["status", TARGET]] {
        let late = desk.later(15 * 24, command.iter().copied());
        assert!(late.stdout.contains("overdue"), "{command:?}: {}", late.stdout);
    }
}

#[test]
fn one_table_shows_every_target_that_is_guided() {
    let desk = Desk::opened();
    desk.run(["jira", "--site", "acme", "--begin"]).expect(0);
    desk.run(["productboard", "--workspace", "acme", "--begin"]).expect(0);
    let table = desk.run(["status"]).expect(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..2], ["TARGET", "STATE"]);
    let rows: Vec<&[&str]> = lines[1..].iter().map(|line| &line[..3]).collect();
    assert_eq!(
        rows,
        [
            ["freshdesk/acme", "guided", "person"],
            ["jira/acme", "guided", "person"],
            ["productboard/acme", "guided", "person"]
        ]
    );
    let markdown = desk.run(["status", "--output", "markdown"]).expect(0).stdout;
    assert_eq!(
        markdown.lines().filter(|line| line.starts_with("| ")).count(),
        4,
        "{markdown}"
    );
}

#[test]
fn a_target_is_named_by_its_connector_and_the_value_that_identifies_it() {
    let desk = Desk::new();
    for (arguments, target) in [
        (&["freshdesk"][..], "freshdesk"),
        (&["freshdesk", "--agent", "a@b"], "freshdesk"),
        (&["freshdesk", "--domain", "acme"], "freshdesk/acme"),
        (
            &["google-analytics", "--property", "1234567"],
            "google-analytics/1234567",
        ),
        (&["zuora", "--user", "a/b"], "zuora/a%2Fb"),
        (&["sap-datasphere", "--database-user", "S#G"], "sap-datasphere/S%23G"),
    ] {
        let planned = desk.json(arguments.iter().copied().chain(["--dry-run"]));
        assert_eq!(planned["targets"][0]["name"], target);
    }
}

#[test]
fn every_connector_is_walked_to_its_end_in_every_procedure() {
    use rotate_providers::guide::Procedure;
    for connector in rotate_providers::CONNECTORS {
        let guide = connector.guide().unwrap();
        for procedure in Procedure::ALL {
            let steps = guide.steps(procedure);
            if steps.is_empty() {
                continue;
            }
            let desk = Desk::new();
            let mut command = vec![
                connector.id.to_owned(),
                "--procedure".to_owned(),
                procedure.name().to_owned(),
            ];
            if connector.automation.is_some() {
                command.push("--manual".to_owned());
            }
            for (input, value) in crate::examples::examples(connector.id, &guide) {
                command.extend([format!("--{}", input.replace('_', "-")), value]);
            }
            command.extend(["--strict".to_owned(), "--begin".to_owned()]);
            desk.run(command.iter().map(String::as_str)).expect(0);
            let status = desk.json(["status"]);
            let target = status["targets"][0]["name"].as_str().unwrap().to_owned();
            for step in guide.steps_for(procedure, &crate::examples::examples(connector.id, &guide)) {
                desk.run(["done", &target, &step.id]).expect(0);
            }
            let status = desk.json(["status", &target]);
            assert_eq!(status["targets"][0]["state"], "done", "{target}");
            desk.verify();
        }
    }
}
