//! What is noted down in a form of its own, plans by an answer, checklists, and guides that nobody has looked at for long.

use std::collections::{BTreeMap, BTreeSet};

use rotate::secret_scan::{refused, words_of};
use rotate_fixtures::place::Ran;
use rotate_providers::guide::Step;

use crate::guided::desk::{Desk, SHOW};

const OAUTH: [&str; 8] = [
    "snowflake-oauth",
    "--integration",
    "GS",
    "--provider",
    "snowflake",
    "--held",
    "yes",
    "--begin",
];

/// One on which the plan for an integration stands at the step that tells the live secret.
fn at_the_live_secret() -> Desk {
    let desk = Desk::new();
    desk.run(OAUTH).expect(0);
    for _ in 0..30 {
        let target = desk.json(["status", "snowflake-oauth/GS"])["targets"][0].clone();
        let plan = target["steps"].as_array().unwrap().clone();
        let next = plan.iter().find(|step| step["state"] == "open").unwrap();
        let step = next["step"].as_str().unwrap().to_owned();
        if step == "find-the-live-secret" {
            return desk;
        }
        desk.run(["done", "snowflake-oauth/GS", &step]).expect(0);
    }
    desk
}

fn note(desk: &Desk, text: &str) -> Ran {
    desk.run(["done", "snowflake-oauth/GS", "find-the-live-secret", "--evidence", text])
}

#[test]
fn a_choice_is_noted_in_the_guides_own_words_and_in_no_others() {
    let desk = at_the_live_secret();
    let refused = note(&desk, "slot 2").expect(64);
    refused.says(&[
        "this step asks for one of these",
        "OAUTH_CLIENT_SECRET_2 is live",
        "nothing was ticked",
    ]);
    // Behind the semicolon is a text, and is searched.
    let refused = note(
        &desk,
        "OAUTH_CLIENT_SECRET_2 is live, OAUTH_CLIENT_SECRET is free; the password is hunter2hunter",
    )
    .expect(64);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    let kept = "OAUTH_CLIENT_SECRET is live, OAUTH_CLIENT_SECRET_2 is free; ticket OPS-1";
    note(&desk, kept).expect(0);
    let told = desk.json(["status", "snowflake-oauth/GS"]).to_string();
    assert!(told.contains(kept), "{told}");
    desk.verify();
}

#[test]
fn a_long_public_key_is_noted_and_a_private_one_is_not() {
    let desk = Desk::new();
    let target = "snowflake-keypair/GS";
    desk.run([
        "snowflake-keypair",
        "--manual",
        "--user",
        "GS",
        "--account",
        "acme-main",
        "--begin",
    ])
    .expect(0);
    let plan = desk.json(["status", target])["targets"][0]["steps"].clone();
    for step in plan
        .as_array()
        .unwrap()
        .iter()
        .take_while(|step| step["step"] != "read-the-slots")
    {
        desk.run(["done", target, step["step"].as_str().unwrap()]).expect(0);
    }
    // Of 4096 bits, as `openssl` writes it in one line.
    let head = "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA";
    let key = format!("{head}{}", "uKZ2xB5vY0x1".repeat(57));
    let both = format!("RSA_PUBLIC_KEY={key}, RSA_PUBLIC_KEY_2={key}");
    assert!(both.len() > 1_400);
    let private = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let refused = desk
        .run(["done", target, "read-the-slots", "--evidence", private])
        .expect(64);
    assert!(!refused.stderr.contains(private), "{}", refused.stderr);
    desk.run(["done", target, "read-the-slots", "--evidence", &both])
        .expect(0);
    desk.verify();
}

#[test]
fn a_plan_begins_only_with_the_answer_that_chooses_its_steps_and_has_no_others() {
    let desk = Desk::new();
    let asked = desk
        .run(["snowflake-oauth", "--integration", "GS", "--begin"])
        .expect(64);
    asked.says(&["--provider", "--held"]);
    let wrong = desk
        .run(["snowflake-oauth", "--integration", "GS", "--provider", "azure"])
        .expect(64);
    wrong.says(&["snowflake|external"]);
    let all = desk.run(["snowflake-oauth", "--integration", "GS"]).expect(0);
    assert!(all.stdout.contains("with --provider external"), "{}", all.stdout);
    desk.run([
        "snowflake-oauth",
        "--integration",
        "GS",
        "--provider",
        "external",
        "--held",
        "no",
        "--begin",
    ])
    .expect(0);
    let plan = desk.json(["status", "snowflake-oauth/GS"])["targets"][0]["steps"].clone();
    let steps: Vec<&str> = plan
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert!(steps.contains(&"add-a-secret-at-the-identity-provider"), "{steps:?}");
    assert!(!steps.contains(&"refresh-the-free-secret"), "{steps:?}");
    // Numbers are those of this plan.
    let number = steps.iter().position(|step| *step == "find-the-objects").unwrap() + 1;
    desk.run(["done", "snowflake-oauth/GS", "1"]).expect(0);
    assert_eq!(number, 2);
    desk.run(["done", "snowflake-oauth/GS", "2"]).expect(0);
}

#[test]
fn brief_is_a_checklist_of_one_line_a_step() {
    let desk = Desk::new();
    let ran = desk.run(SHOW.into_iter().chain(["--brief"])).expect(0);
    let boxes = ran.stdout.lines().filter(|line| line.contains(" ☐")).count();
    assert_eq!(boxes, crate::guided::desk::ALL, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("during the gap (on the call: Freshdesk user, "),
        "{}",
        ran.stdout
    );
    assert!(
        !ran.stdout.contains("curl") && ran.stdout.lines().count() < 25,
        "{}",
        ran.stdout
    );
    let ran = desk
        .run(["--output", "markdown"].into_iter().chain(SHOW).chain(["--brief"]))
        .expect(0);
    assert_eq!(
        ran.stdout.matches("- [ ] ").count(),
        crate::guided::desk::ALL,
        "{}",
        ran.stdout
    );
}

#[test]
fn guides_that_nobody_has_looked_at_for_a_year_are_named() {
    let desk = Desk::new();
    let ran = desk.later(24 * 400, ["connectors"]).expect(0);
    ran.says(&["nobody has looked at these guides for a year", "aha", "zuora"]);
    let ran = desk.run(["connectors", "aha"]).expect(0);
    assert!(ran.stdout.contains("Looked at       20"), "{}", ran.stdout);
}

fn step(connector: &str, id: &str) -> (Step, BTreeSet<String>) {
    let guide = rotate_providers::connector(connector).unwrap().guide().unwrap();
    let says = words_of(&guide, &BTreeMap::new());
    let step = guide.rotate.iter().find(|step| step.id == id).unwrap();
    (step.clone(), says)
}

#[test]
fn what_decides_between_an_outage_and_none_can_be_noted_in_the_guides_own_words() {
    let (live, says) = step("snowflake-oauth", "find-the-live-secret");
    assert_eq!(
        refused(
            "OAUTH_CLIENT_SECRET is live, OAUTH_CLIENT_SECRET_2 is free",
            &live,
            &says
        ),
        None
    );
    assert_eq!(
        refused(
            "oauth_client_secret_2 is live, oauth_client_secret is free; ticket OPS-1",
            &live,
            &says
        ),
        None
    );
    assert!(
        refused("slot 2", &live, &says)
            .unwrap()
            .contains("OAUTH_CLIENT_SECRET_2 is live")
    );
    assert!(
        refused(
            "OAUTH_CLIENT_SECRET is live, OAUTH_CLIENT_SECRET_2 is free; password=hunter2hunter",
            &live,
            &says
        )
        .is_some()
    );
    let (user, says) = step("mixpanel", "create-account");
    assert_eq!(
        refused("x.7c1d9e.mp-service-account; until 2027-11-01", &user, &says),
        None
    );
    assert!(refused("Zx8kQ2mV9tR4wY7zB1nP", &user, &says).is_some());
    let (keys, says) = step("bigquery-service-account", "list-keys");
    let ids = "0123456789abcdef0123456789abcdef01234567, 89abcdef0123456789abcdef0123456701234567";
    assert_eq!(refused(ids, &keys, &says), None);
    let (slots, says) = step("snowflake-keypair", "read-the-slots");
    let long =
        "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAuKZ2xB5vY0x1N8rWJtQm3oZyHc7sPpDkE4vFbLqUeXaT9gMwRiSd6jOhVfKnY1C5";
    assert_eq!(
        refused(&format!("RSA_PUBLIC_KEY={long}, RSA_PUBLIC_KEY_2=none"), &slots, &says),
        None
    );
    let private = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    assert!(refused(private, &slots, &says).is_some());
}
