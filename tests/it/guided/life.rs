//! From its opening to its end, in as many processes as steps.

mod again;
mod ending;

use serde_json::json;

use crate::guided::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};

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
        target["steps"][0]["tick"]["outcome"],
        json!({"done": {"evidence": "Gainsight only"}})
    );
    assert_eq!(
        target["steps"][1]["tick"]["outcome"],
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
        desk.target()["steps"][0]["tick"]["outcome"],
        json!({"done": {"evidence": "Gainsight only"}})
    );
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
            for (input, value) in crate::guides::examples::examples(connector.id, &guide) {
                command.extend([format!("--{}", input.replace('_', "-")), value]);
            }
            command.extend(["--strict".to_owned(), "--begin".to_owned()]);
            desk.run(command.iter().map(String::as_str)).expect(0);
            let status = desk.json(["status"]);
            let target = status["targets"][0]["name"].as_str().unwrap().to_owned();
            let values = crate::guides::examples::examples(connector.id, &guide);
            let proof = rotate::machine::GuidedSpec::of(connector.id, &guide, procedure, &values, 0).proof;
            for step in guide.steps_for(procedure, &values) {
                // No vendor is there to accept the new credential, and without that the old one stays.
                let is_proof = proof.as_ref().is_some_and(|proof| proof.step == step.id);
                let line: &[&str] = match is_proof {
                    true => &["done", &target, "--skip", &step.id, "--why", "no vendor is there"],
                    false => &["done", &target, &step.id],
                };
                desk.run(line.iter().copied()).expect(0);
            }
            let status = desk.json(["status", &target]);
            assert_eq!(status["targets"][0]["state"], "done", "{target}");
            desk.verify();
        }
    }
}
