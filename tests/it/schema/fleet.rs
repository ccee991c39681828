//! What the commands of a fleet print: its plan, its runs, its status, its check-up, and what the journal keeps of it.
//!
//! The real program against the strict fake, with a clock that can be moved.

use jiff::SignedDuration;
use rotate_fixtures::FleetWorkplace;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

const GENERAL: &str = r#"[defaults]
aws_calls_per_second = 0

[[target]]
name = "Help.Desk"
connector = "freshdesk"
owner = "support-ops@example.com"
domain = "acme"
"#;

/// A young key, an old one, an old one whose window is shut, and one that a person rotates.
fn fleet() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(GENERAL);
    place.add_user("young", DAY, "owner = \"data-platform@example.com\"");
    place.add_user("old", DAY * 170, "");
    let opens = (place.now() + DAY * 3).strftime("%a").to_string().to_lowercase();
    place.add_user("shut", DAY * 170, &format!("window = {{ days = [\"{opens}\"] }}"));
    place
}

fn document(place: &FleetWorkplace, command: &[&str]) -> Value {
    let document = place.run([&JSON[..], command].concat()).json();
    valid(&document);
    document
}

/// What is said of one target.
#[track_caller]
fn of(document: &Value, list: &str, name: &str) -> Value {
    let all = document[list].as_array().expect("it is a list");
    let found = all.iter().find(|one| one["name"] == name);
    found
        .unwrap_or_else(|| panic!("nothing is said of {name}: {document:#}"))
        .clone()
}

fn verdict(place: &FleetWorkplace, name: &str) -> Value {
    of(&document(place, &["plan"]), "targets", name)["action"].clone()
}

#[test]
fn every_verdict_fits() {
    let mut place = fleet();
    let plan = document(&place, &["plan"]);
    let said = |name: &str| of(&plan, "targets", name);
    assert_eq!(said("Help.Desk")["action"], "guided");
    assert_eq!(said("young")["action"], "not-due");
    assert_eq!(said("shut")["action"], "wait");
    let old = said("old");
    assert_eq!((&old["action"], &old["mode"]), (&json!("start"), &json!("automated")));
    assert!(
        old["age"]["begins_at"].is_string() && old["age"]["gone_by"].is_string(),
        "{old:#}"
    );
    assert!(old["steps"].as_array().is_some_and(|steps| steps.len() > 5), "{old:#}");
    document(&place, &["plan", "--offline"]);
    document(&place, &["plan", "--at", "2099-01-01"]);

    document(&place, &["run"]);
    assert_eq!(verdict(&place, "old"), "wait");
    let changed = place.cloud.add_key("young");
    place.pass(DAY * 8);
    document(&place, &["run"]);
    let drifted = of(&document(&place, &["plan"]), "targets", "young");
    assert_eq!(drifted["action"], "blocked");
    assert!(
        drifted["reason"].as_str().is_some_and(|why| why.contains(&changed.id)),
        "{drifted:#}"
    );
    assert!(
        drifted["remedy"].as_array().is_some_and(|remedy| !remedy.is_empty()),
        "{drifted:#}"
    );
}

#[test]
fn what_would_stand_in_the_way_fits() {
    let place = fleet();
    std::fs::write(place.delivered("old"), "not JSON").expect("the file can be written");
    place.cloud.deny(rotate_fixtures::aws::Action::SimulatePrincipalPolicy);
    let old = of(&document(&place, &["plan"]), "targets", "old");
    assert!(
        old["problems"].as_array().is_some_and(|problems| !problems.is_empty()),
        "{old:#}"
    );
    assert!(
        old["unknown"].as_array().is_some_and(|unknown| !unknown.is_empty()),
        "{old:#}"
    );
    place.cloud.deny(rotate_fixtures::aws::Action::GetUser);
    let old = of(&document(&place, &["plan"]), "targets", "old");
    assert_eq!(old["action"], "blocked", "it could not be looked at");
}

#[test]
fn runs_and_status_fit_with_the_ages_of_keys() {
    let mut place = fleet();
    let targets = document(&place, &["run"]);
    assert_eq!(of(&targets, "targets", "young")["age"]["days"], 1);
    assert_eq!(of(&targets, "targets", "old")["state"], "delivered");
    assert_eq!(of(&targets, "targets", "Help.Desk")["state"], "guided");
    let targets = document(&place, &["status"]);
    assert_eq!(of(&targets, "targets", "shut")["age"]["days"], 170);
    for name in ["young", "old", "shut", "Help.Desk"] {
        document(&place, &["status", name]);
    }
    place.run(["confirm", "old"]).expect(0);
    place.pass(DAY * 8);
    document(&place, &["run"]);
    document(&place, &["status"]);
}

#[test]
fn what_is_seen_and_what_is_said_of_it_fits_in_the_journal() {
    let mut place = fleet();
    place.run(["run"]).expect(0);
    let _ = place.cloud.add_key("young");
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    place.run(["confirm", "young"]).expect(0);
    let journal = document(&place, &["audit"]);
    let events = journal["events"].as_array().expect("it is the journal");
    for kind in ["sighted", "drifted", "released", "walk-opened", "opened"] {
        assert!(events.iter().any(|line| line["what"]["event"] == kind), "{kind}");
    }
    let released = events.iter().find(|line| line["what"]["event"] == "released");
    assert_eq!(released.expect("it is there")["target"], "young");
    document(&place, &["audit", "verify"]);
}

#[test]
fn every_checkup_fits() {
    let place = fleet();
    let checkups = document(&place, &["doctor"]);
    for name in ["configuration", "state folder", "young", "Help.Desk"] {
        of(&checkups, "checkups", name);
    }
    place.run(["run"]).expect(0);
    document(&place, &["doctor"]);
    place.cloud.deny(rotate_fixtures::aws::Action::CreateAccessKey);
    let young = of(&document(&place, &["doctor"]), "checkups", "young");
    let findings = young["findings"].as_array().expect("there are some");
    assert!(findings.iter().any(|found| found["verdict"] == "wrong"), "{young:#}");
    place.cloud.deny(rotate_fixtures::aws::Action::GetUser);
    document(&place, &["doctor"]);
    // Without a fleet there is the state folder.
    let alone = run(&Workplace::new(ROTATE), &["doctor"]).json();
    valid(&alone);
    of(&alone, "checkups", "state folder");
}

#[test]
fn a_broken_document_of_a_fleet_does_not_fit() {
    let place = fleet();
    let plan = document(&place, &["plan"]);
    let checkups = document(&place, &["doctor"]);
    let targets = document(&place, &["run", "--only", "young"]);
    for document in [&plan, &checkups] {
        assert!(!faults(&with(document, "/schema_version", json!(1))).is_empty());
        assert!(!faults(&with(document, "/surprise", json!(true))).is_empty());
        for field in document.as_object().expect("it is a document").keys() {
            let mut without = document.clone();
            without.as_object_mut().expect("it is a document").remove(field);
            assert!(!faults(&without).is_empty(), "without {field}");
        }
    }
    for (document, list) in [(&plan, "targets"), (&checkups, "checkups")] {
        let fields = document[list][0].as_object().expect("it has fields");
        for field in fields.keys() {
            let mut without = document.clone();
            let one = without[list][0].as_object_mut();
            one.expect("it has fields").remove(field);
            assert!(!faults(&without).is_empty(), "without {field}");
        }
    }
    for (document, place, value) in [
        (&plan, "/targets/0/name", json!("two words")),
        (&plan, "/targets/0/name", json!("")),
        (&plan, "/targets/0/connector", json!("Freshdesk")),
        (&plan, "/targets/0/mode", json!("by magic")),
        (&plan, "/targets/0/owner", json!(7)),
        (&plan, "/targets/0/action", json!("later")),
        (&plan, "/targets/0/reason", json!("")),
        (&plan, "/targets/1/age/begins_at", json!("2027-03-01")),
        (&plan, "/targets/1/age/gone_by", json!("soon")),
        (&plan, "/targets/0/steps", json!([{ "phase": "opened" }])),
        (
            &plan,
            "/targets/0/problems",
            json!([{ "what": "bucket", "why": "gone" }]),
        ),
        (&plan, "/targets/0/unknown", json!(["bucket"])),
        (&plan, "/targets/0/remedy", json!([""])),
        (&plan, "/targets/0/surprise", json!(1)),
        (&checkups, "/checkups/0/name", json!("")),
        (&checkups, "/checkups/0/surprise", json!(1)),
        (&checkups, "/checkups/0/findings/0/verdict", json!("odd")),
        (&checkups, "/checkups/0/findings/0/remedy", json!("run it again")),
        (&checkups, "/checkups/0/findings/0/why", json!(7)),
        (&checkups, "/checkups/0/findings/0/surprise", json!(1)),
        (&targets, "/targets/0/age", json!("old")),
        (&targets, "/targets/0/age/days", json!(1.5)),
        (&targets, "/targets/0/age/born_at", json!("2026-01-01")),
        (&targets, "/targets/0/age/share", json!(0.5)),
    ] {
        assert!(!faults(&with(document, place, value)).is_empty(), "{place}");
    }
    assert!(!faults(&with(&checkups, "/checkups", json!([]))).is_empty());
}
