//! Looking does not write; what begins a rotation is told; and one credential has one open rotation, whatever it is called.

use crate::guided::desk::{Desk, OPEN, SHOW, STEPS, TARGET};

/// A file that names the credential of these tests, in its own way.
const FILE: &str =
    "[[target]]\nname = \"helpdesk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nagent = \"gainsight@acme.com\"\n";

fn with_file(desk: &Desk, text: &str) {
    std::fs::write(desk.path("rotate.toml"), text).expect("the folder is there");
}

/// The names and states of all targets.
fn states(desk: &Desk) -> Vec<(String, String)> {
    let status = desk.json(["status"]);
    let targets = status["targets"].as_array().expect("it is about targets");
    let text = |value: &serde_json::Value| value.as_str().expect("it is text").to_owned();
    let one = |target: &serde_json::Value| (text(&target["name"]), text(&target["state"]));
    targets.iter().map(one).collect()
}

fn state(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[test]
fn a_bare_command_prints_the_plan_writes_nothing_and_says_the_line_that_begins_it() {
    let desk = Desk::new();
    for output in ["text", "markdown"] {
        let ran = desk.run(SHOW.into_iter().chain(["--output", output])).expect(0);
        let line = "freshdesk --domain acme --agent gainsight@acme.com --begin";
        let told = ran.stdout.lines().find(|found| found.ends_with(line));
        assert!(
            told.is_some_and(|told| told.contains("rotate ")),
            "{output}: {}",
            ran.stdout
        );
        assert!(!desk.state().exists(), "{output}");
        if output == "markdown" {
            // The very line that was told begins it.
            let words = told.unwrap_or_default().split(' ');
            desk.run(words.skip_while(|word| *word != "freshdesk")).expect(0);
        }
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
    assert_eq!(desk.target()["state"], "guided");
    // Looking goes on to show, and to write nothing.
    let before = desk.run(["audit"]).stdout;
    let ran = desk.run(SHOW).expect(0);
    assert!(!ran.stdout.contains("--begin"), "{}", ran.stdout);
    assert_eq!(desk.run(["audit"]).stdout, before);
}

#[test]
fn the_line_that_begins_it_can_be_pasted_into_a_shell_and_names_what_is_needed() {
    let desk = Desk::new();
    let named = [
        "custom-rest-api",
        "--system",
        "slack",
        "--custom-connector",
        "Slack; $(id)",
    ];
    let plan = desk.run(named).expect(0);
    let line = "custom-rest-api --system slack --custom-connector 'Slack; $(id)' --begin";
    assert!(plan.stdout.contains(line), "{}", plan.stdout);
    let plan = desk.run(["freshdesk"]).expect(0);
    assert!(
        plan.stdout.contains("freshdesk --domain DOMAIN --begin"),
        "{}",
        plan.stdout
    );
    let manual = ["snowflake-keypair", "--manual", "--user", "GS", "--account", "acme-x"];
    let plan = desk.run(manual).expect(0);
    let line = "snowflake-keypair --manual --user GS --account acme-x --begin";
    assert!(plan.stdout.contains(line), "{}", plan.stdout);
    let leave = ["snowflake-password", "--procedure", "disconnect", "--user", "GS"];
    let plan = desk.run(leave).expect(0);
    let line = "snowflake-password --procedure disconnect --user GS --begin";
    assert!(plan.stdout.contains(line), "{}", plan.stdout);
    let document = desk.json(["freshdesk", "--domain", "acme"]);
    let next = &document["targets"][0]["next"];
    let command = next["command"].as_str().unwrap_or_default();
    assert!(command.ends_with(" freshdesk --domain acme --begin"), "{next:#}");
    assert_eq!(next["who"], "person");
}

#[test]
fn nothing_begins_while_a_value_that_the_plan_needs_is_missing() {
    let desk = Desk::new();
    desk.run(["freshdesk", "--begin"]).expect(64).says(&["--domain"]);
    let ran = desk.run(["zuora", "--user", "a@acme.com", "--begin"]).expect(64);
    assert!(
        ran.stderr.contains("--host") && !ran.stderr.contains("--user"),
        "{}",
        ran.stderr
    );
    assert!(!desk.state().exists());
    // What is only of use may be left out, unless --strict asks for it as well.
    let partly = ["freshdesk", "--domain", "acme", "--begin"];
    desk.run(partly.into_iter().chain(["--strict"]))
        .expect(64)
        .says(&["--agent"]);
    assert!(!desk.state().exists());
    desk.run(partly).expect(0);
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn a_second_beginning_names_the_open_one_and_opens_nothing() {
    let desk = Desk::opened();
    let ran = desk.run(OPEN).expect(0);
    assert!(ran.stderr.contains("freshdesk/acme is open since"), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was begun"), "{}", ran.stderr);
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn what_is_not_begun_names_the_line_that_begins_it() {
    let desk = Desk::new();
    for command in [&["done", TARGET, "1"][..], &["undo", TARGET, "1"]] {
        desk.run(command.iter().copied()).expect(1).says(&[
            "no rotation of freshdesk/acme is on record",
            " freshdesk --domain acme --begin",
        ]);
    }
    desk.run(["done", "freshdesk", "1"])
        .expect(1)
        .says(&["freshdesk --domain DOMAIN --begin"]);
    assert!(!desk.state().exists());
    // With a journal of something else, and by the name that the file gives.
    desk.run(["jira", "--site", "acme", "--begin"]).expect(0);
    with_file(&desk, FILE);
    let line = " freshdesk --domain acme --agent gainsight@acme.com --begin";
    desk.run(["done", "helpdesk", "1"]).expect(1).says(&[line]);
    desk.run(["done", TARGET, "1"])
        .expect(1)
        .says(&["--domain acme --begin"]);
    // What nobody knows is told as before.
    desk.run(["done", "nobody", "1"])
        .expect(1)
        .says(&["no rotation of nobody"]);
}

#[test]
fn whatever_identifies_an_open_rotation_is_accepted() {
    let desk = Desk::opened();
    desk.run(["done", "freshdesk", "1"]).expect(0);
    with_file(&desk, FILE);
    desk.run(["done", "helpdesk", "2"]).expect(0);
    desk.run(["undo", "helpdesk", "2"]).expect(0);
    for name in ["helpdesk", "freshdesk", TARGET] {
        let status = desk.json(["status", name]);
        let target = &status["targets"][0];
        assert_eq!(target["state"], "guided", "{name}: {status:#}");
        assert_eq!(target["next"]["what"], format!("step 2 of 10: {}", STEPS[1]), "{name}");
    }
    // One credential, one line in the table and one turn in a run: under the name of the file.
    assert_eq!(states(&desk), [state("helpdesk", "guided")]);
    let ran = desk.json(["run"]);
    assert_eq!(ran["targets"].as_array().map(Vec::len), Some(1), "{ran:#}");
    assert_eq!(ran["targets"][0]["name"], "helpdesk");
    // Another one of the connector: its name alone is not enough any more.
    desk.run(["freshdesk", "--domain", "emca", "--begin"]).expect(0);
    desk.run(["done", "freshdesk", "2"])
        .expect(1)
        .says(&["several rotations", "freshdesk/acme", "freshdesk/emca"]);
    desk.run(["abort", "helpdesk"]).expect(0);
    desk.run(["done", "freshdesk", "1"]).expect(0);
    assert_eq!(
        desk.journal().last().map(String::as_str),
        Some("step-done list-users-of-the-key")
    );
    desk.verify();
}

#[test]
fn one_credential_has_one_open_rotation_however_it_is_begun() {
    // Begun by a run of the file: the command for the same credential is about that one.
    let desk = Desk::new();
    with_file(&desk, FILE);
    desk.run(["run"]).expect(0);
    for command in [
        &SHOW[..],
        &OPEN,
        &["freshdesk"],
        &["freshdesk", "--domain", "acme", "--begin"],
    ] {
        let ran = desk.run(command.iter().copied()).expect(0);
        assert!(ran.stdout.contains("· helpdesk"), "{command:?}: {}", ran.stdout);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
    // Begun by a command before the file named it: the file's target is about that one.
    let desk = Desk::opened();
    with_file(&desk, FILE);
    desk.run(["run"]).expect(0);
    assert_eq!(desk.journal(), ["walk-opened"]);
    let ran = desk.run(OPEN).expect(0);
    assert!(ran.stderr.contains("freshdesk/acme is open since"), "{}", ran.stderr);
    assert_eq!(desk.journal(), ["walk-opened"]);
    // And once it has ended it counts as the file's target's.
    desk.finish(0);
    desk.run(["run"]).expect(0).says(&["1 not due"]);
    assert_eq!(states(&desk), [state("helpdesk", "idle")]);
    let plan = desk.json(["plan"]);
    assert_eq!(plan["targets"][0]["action"], "not-due", "{plan:#}");
}

#[test]
fn a_command_begins_the_rotation_of_the_target_that_the_file_names() {
    let desk = Desk::new();
    with_file(&desk, FILE);
    // The values of the file need not be given again.
    let ran = desk.run(["freshdesk", "--domain", "acme", "--begin"]).expect(0);
    assert!(ran.stdout.contains("gainsight@acme.com"), "{}", ran.stdout);
    assert_eq!(states(&desk), [state("helpdesk", "guided")]);
    desk.run(["done", "helpdesk", "1"]).expect(0);
    desk.run(["done", TARGET, "2"]).expect(0);
    desk.verify();
}

#[test]
fn a_broken_file_keeps_nobody_from_ticking_a_step() {
    let desk = Desk::opened();
    with_file(&desk, &FILE.replace("freshdesk", "fresdesk"));
    desk.run(["done", TARGET, "1"]).expect(0);
    desk.run(["undo", TARGET, "1"]).expect(0);
}

#[test]
fn a_fleet_does_not_begin_what_its_plan_lacks_a_value_for_and_says_which() {
    let desk = Desk::new();
    let file = "[[target]]\nname = \"desk\"\nconnector = \"freshdesk\"\nlast_rotated = \"2020-01-10\"\n";
    with_file(&desk, file);
    for command in ["plan", "run"] {
        let ran = desk.run([command]);
        for word in ["its plan needs what the file does not say: domain", "domain = \u{2026}"] {
            assert!(ran.stdout.contains(word), "{command}: {ran:#?}");
        }
    }
    desk.run(["run"]).expect(3);
    desk.run(["done", "desk", "1"])
        .expect(1)
        .says(&["no rotation of desk is on record"]);
    with_file(&desk, &format!("{file}domain = \"acme\"\n"));
    desk.run(["run"]);
    desk.run(["done", "desk", "1"]).expect(0);
}
