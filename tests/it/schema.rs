//! Every document that `--output json` prints is one that the published schema describes.
//!
//! The real program against the strict fake; the fake only has to bring a target into each state.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod events;
mod fleet;
mod samples;
mod vendors;

use samples::{ROTATION, events, sightings};

use std::sync::LazyLock;

use jiff::Timestamp;
use jsonschema::Validator;
use rotate::machine::{
    Event, GuidedSpec, HeldCopy, HookAnswer, InventoryReading, Proof, Record, SeenKey, SwitchedBy, Tried, UndoKind,
};
use rotate::store::{Line, Verified};
use rotate::view::json;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};
use rotate_providers::contract::{KeyId, LastUse, Principal, PublicHalf};
use rotate_providers::guide::probe::Verdict;
use serde_json::{Value, json};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = schema();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("the schema is one")
});

fn schema() -> Value {
    serde_json::from_str(&rotate::view::schema()).expect("the schema is JSON")
}

/// What is wrong with a document.
fn faults(document: &Value) -> Vec<String> {
    VALIDATOR
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[track_caller]
fn valid(document: &Value) {
    let faults = faults(document);
    assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
}

/// The one target of a document that fits the schema.
#[track_caller]
fn target(ran: &Ran) -> Value {
    let document = ran.json();
    valid(&document);
    let targets = document["targets"].as_array().expect("it is about targets");
    assert_eq!(targets.len(), 1, "{document:#}");
    targets[0].clone()
}

fn at(target: &Value, state: &str) {
    assert_eq!(target["state"], state, "{target:#}");
}

const JSON: [&str; 2] = ["--output", "json"];

fn rotate(place: &Workplace, more: &[&str]) -> Ran {
    Ran::of(place.rotate([&JSON, more].concat()))
}

fn run(place: &Workplace, command: &[&str]) -> Ran {
    place.run([&JSON, command].concat())
}

fn later(place: &Workplace, days: u32, command: &[&str]) -> Ran {
    let mut later = place.command([&JSON, command].concat());
    later.env("ROTATE_TEST_CLOCK_AHEAD", (days * 86_400).to_string());
    Ran::of(later)
}

#[test]
fn the_published_schema_is_that_of_the_types_that_are_printed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/view/rotate.schema.json");
    let made = rotate::view::schema();
    if std::env::var_os("ROTATE_BLESS").is_some() {
        std::fs::write(path, &made).expect("it can be written");
    }
    let published = std::fs::read_to_string(path).expect("it is there");
    assert!(
        published == made,
        "{path} is not what the types say: `cargo xtask bless` writes it anew"
    );
}

#[test]
fn the_schema_is_one_itself_and_closed_everywhere() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
    let mut open = Vec::new();
    closed("", &schema(), &mut open);
    // The connector's own inputs, and those of its guide: each connector has others.
    assert_eq!(
        open,
        [
            "/$defs/GuidedSpec/properties/values",
            "/$defs/RotationSpec/properties/inputs"
        ]
    );
}

/// Objects that would let unknown fields pass.
fn closed(path: &str, value: &Value, open: &mut Vec<String>) {
    if value["type"] == "object" && value["additionalProperties"] != false {
        open.push(path.to_owned());
    }
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| closed(&format!("{path}/{name}"), value, open)),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(i, item): (u32, _)| closed(&format!("{path}/{i}"), item, open)),
        _ => {}
    }
}

#[test]
fn a_dry_run_prints_a_plan_that_fits() {
    let place = Workplace::new(ROTATE);
    let planned = target(&rotate(&place, &["--dry-run"]).expect(0));
    at(&planned, "idle");
    let plan = planned["steps"].as_array().expect("it is a dry run");
    assert!(
        plan.iter().any(|step| step["at"].is_string()),
        "the soak has an end: {planned:#}"
    );
    // A dry run of what has begun has a plan too.
    rotate(&place, &[]).expect(0);
    let planned = target(&rotate(&place, &["--dry-run"]).expect(0));
    at(&planned, "delivered");
    assert!(planned["steps"].is_array());
}

#[test]
fn every_state_of_a_rotation_fits_from_the_wait_to_its_end() {
    let place = Workplace::new(ROTATE);
    at(&target(&rotate(&place, &[]).expect(0)), "delivered");
    at(&target(&run(&place, &["run"]).expect(0)), "delivered");
    at(&target(&later(&place, 15, &["run"]).expect(3)), "delivered");
    at(&target(&run(&place, &["confirm", TARGET]).expect(0)), "deactivated");
    at(&target(&run(&place, &["status"]).expect(0)), "deactivated");
    at(&target(&run(&place, &["status", TARGET]).expect(0)), "deactivated");
    at(&target(&later(&place, 8, &["run"]).expect(0)), "done");
    at(&target(&run(&place, &["status"]).expect(0)), "done");
    let nothing_open = run(&place, &["run"]).expect(0).json();
    valid(&nothing_open);
    assert_eq!(nothing_open["targets"], json!([]));

    let journal = run(&place, &["audit"]).expect(0).json();
    valid(&journal);
    assert!(journal["events"].as_array().expect("it is the journal").len() > 10);
    valid(&run(&place, &["audit", TARGET]).expect(0).json());
    let verified = run(&place, &["audit", "verify"]).expect(0).json();
    valid(&verified);
    assert_eq!(
        verified["events"],
        journal["events"].as_array().map(Vec::len).expect("it is the journal")
    );
}

#[test]
fn what_was_undone_fits() {
    let place = Workplace::new(ROTATE);
    rotate(&place, &[]).expect(0);
    at(&target(&run(&place, &["abort", TARGET]).expect(0)), "aborted");
    rotate(&place, &[]).expect(0);
    run(&place, &["confirm", TARGET]).expect(0);
    at(&target(&run(&place, &["rollback", TARGET]).expect(0)), "rolled-back");
    valid(&run(&place, &["audit"]).expect(0).json());
}

#[test]
fn what_is_blocked_fits_before_and_after_the_opening() {
    let place = Workplace::new(ROTATE);
    let second = place.cloud.add_key(USER);
    for more in [&[][..], &["--dry-run"]] {
        let blocked = target(&rotate(&place, more).expect(3));
        at(&blocked, "blocked");
        assert_eq!(blocked["next"]["who"], "person");
    }
    place.cloud.delete_key(&second.id);
    rotate(&place, &[]).expect(0);
    // Someone goes on using the old key after the cut-over.
    let used = place.cloud.now() + jiff::SignedDuration::from_hours(1);
    place.cloud.set_last_used(&place.old.id, used, "s3", "us-east-1");
    at(&target(&run(&place, &["confirm", TARGET]).expect(3)), "blocked");
    at(&target(&run(&place, &["status"]).expect(0)), "blocked");
    valid(&run(&place, &["audit"]).expect(0).json());
}

#[test]
fn what_failed_fits_and_says_why() {
    let place = Workplace::new(ROTATE);
    place.cloud.delete_user(USER);
    for more in [&[][..], &["--dry-run"]] {
        let failed = target(&rotate(&place, more).expect(1));
        at(&failed, "idle");
        assert!(
            failed["reason"].as_str().is_some_and(|why| why.contains(USER)),
            "{failed:#}"
        );
    }
    at(
        &target(&run(&place, &["confirm", "s3-customer-managed/nobody"]).expect(1)),
        "idle",
    );
}

#[test]
fn where_nothing_is_on_record_every_document_fits() {
    let place = Workplace::new(ROTATE);
    for command in [
        &["status"][..],
        &["audit"],
        &["audit", "verify"],
        &["run"],
        &["audit", "verify"],
    ] {
        valid(&run(&place, command).expect(0).json());
    }
}

/// A journal of this one event, as `audit` prints it.
fn journal(event: Event) -> Value {
    let line = Line {
        seq: 1,
        rotation: ROTATION.to_owned(),
        target: TARGET.to_owned(),
        record: Record {
            at: Timestamp::UNIX_EPOCH,
            event,
        },
        hash: Vec::new(),
    };
    serde_json::from_str(&json::journal(&[line])).expect("it is JSON")
}

/// A document with one thing changed in it.
fn with(document: &Value, place: &str, value: Value) -> Value {
    let mut changed = document.clone();
    let (parent, name) = place.rsplit_once('/').expect("a place has a parent");
    let parent = changed
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{place} is not there"));
    parent
        .as_object_mut()
        .expect("fields are changed")
        .insert(name.to_owned(), value);
    changed
}

#[test]
fn a_broken_document_does_not_fit() {
    let place = Workplace::new(ROTATE);
    let planned = rotate(&place, &["--dry-run"]).expect(0).json();
    let targets = rotate(&place, &[]).expect(0).json();
    let journal = run(&place, &["audit"]).expect(0).json();
    let verified = run(&place, &["audit", "verify"]).expect(0).json();
    let connectors = run(&place, &["connectors"]).expect(0).json();
    let guided = run(&place, &["freshdesk", "--dry-run"]).expect(0).json();
    run(&place, &["freshdesk", "--domain", "acme", "--begin"]).expect(0);
    run(&place, &["done", "freshdesk", "1"]).expect(0);
    let ticked = run(&place, &["status", "freshdesk"]).expect(0).json();
    for document in [&planned, &targets, &journal, &verified, &connectors, &guided, &ticked] {
        valid(document);
        assert!(!faults(&with(document, "/schema_version", json!(1))).is_empty());
        assert!(!faults(&with(document, "/surprise", json!(true))).is_empty());
        for field in document.as_object().expect("it is a document").keys() {
            let mut without = document.clone();
            without.as_object_mut().expect("it is a document").remove(field);
            assert!(!faults(&without).is_empty(), "without {field}");
        }
    }
    for (document, place, value) in [
        (&targets, "/targets/0/state", json!("finished")),
        (&targets, "/targets/0/surprise", json!(1)),
        (&targets, "/targets/0/rotation", json!("x")),
        (&targets, "/targets/0/destinations", json!(["key.json"])),
        (&targets, "/targets/0/next/at", json!("tomorrow")),
        (&targets, "/targets/0/next/at", json!("2026-01-01T00:00:00+02:00")),
        (&targets, "/targets/0/next/who", json!("nobody")),
        (&planned, "/targets/0/steps/0/effect", json!("yes")),
        (&planned, "/targets/0/steps/0/phase", json!("later")),
        (&planned, "/targets/0/steps/0/who", json!("")),
        (&guided, "/targets/0/steps/0/tick", json!(null)),
        (&guided, "/targets/0/steps/0/state", json!("behind")),
        (&guided, "/targets/0/steps/0/phase", json!("cut over")),
        (&guided, "/targets/0/steps/0/surprise", json!(1)),
        (&guided, "/targets/0/steps/0/language", json!("python")),
        (&guided, "/targets/0/steps/0/link", json!("http://example.com")),
        (&guided, "/targets/0/guide/surprise", json!(1)),
        (&guided, "/targets/0/guide/procedure", json!("explode")),
        (&guided, "/targets/0/guide/missing/0/option", json!("domain")),
        (&ticked, "/targets/0/steps/0/tick/outcome", json!("done")),
        (&ticked, "/targets/0/steps/0/tick/surprise", json!(1)),
        (&ticked, "/targets/0/name", json!("fresh desk")),
        (&connectors, "/connectors/0/mode", json!("by magic")),
        (&connectors, "/connectors/0/surprise", json!(1)),
        (&connectors, "/connectors/0/procedures", json!([])),
        (&journal, "/events/0/what/event", json!("closed")),
        (&journal, "/events/0/what/charter/owner/surprise", json!(1)),
        (&journal, "/events/0/what/charter/soak_seconds", json!(-1)),
        (&journal, "/events/0/seq", json!(0)),
        (&verified, "/intact", json!(false)),
        (&verified, "/head", json!("abc")),
    ] {
        assert!(!faults(&with(document, place, value)).is_empty(), "{place}");
    }
    let nothing = Verified {
        events: 0,
        rotations: 0,
        head: "0".repeat(64),
    };
    valid(&serde_json::from_str(&json::verified(&nothing, Some(0), None)).expect("it is JSON"));
}
