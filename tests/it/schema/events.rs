//! Each kind of event in the journal, whole and with a piece missing.

use jiff::Timestamp;
use rotate::machine::{Event, Span};
use rotate_providers::contract::KeyId;
use serde_json::{Value, json};

use super::{events, faults, journal, schema, sightings, valid, with};

#[test]
fn every_kind_of_event_fits() {
    for event in events() {
        valid(&journal(event));
    }
    let described = schema()["$defs"]["Event"]["oneOf"].as_array().map(Vec::len);
    let mut kinds: Vec<&str> = events().iter().map(Event::name).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        described,
        Some(kinds.len()),
        "the schema describes events that do not exist"
    );
}

#[test]
fn a_note_of_a_step_fits_and_may_be_left_out() {
    let noted = |evidence: Option<&str>| {
        journal(Event::StepDone {
            step: "look".to_owned(),
            by: "by".to_owned(),
            evidence: evidence.map(str::to_owned),
        })
    };
    valid(&noted(None));
    valid(&noted(Some("Gainsight only")));
    assert!(!faults(&with(&noted(None), "/events/0/what/evidence", json!(null))).is_empty());
    assert!(!faults(&with(&noted(None), "/events/0/what/step", json!("Look!"))).is_empty());
}

#[test]
fn what_is_seen_fits_and_nothing_else_does() {
    let [whole, bare] = sightings().map(|sighting| journal(Event::Sighted { sighting }));
    valid(&whole);
    valid(&bare);
    for (place, value) in [
        ("live", json!(null)),
        ("live", json!("")),
        ("keys", json!(null)),
        ("keys", json!([{ "id": "AKIAX" }])),
        ("keys", json!([{ "id": "AKIAX", "active": true, "created_at": null }])),
        ("keys", json!([{ "id": "AKIAX", "active": true, "secret": "x" }])),
        ("owner/id", json!(7)),
        ("owner/surprise", json!(1)),
        ("surprise", json!(1)),
    ] {
        let place = format!("/events/0/what/sighting/{place}");
        assert!(
            !faults(&with(&whole, &place, value.clone())).is_empty(),
            "{place}: {value}"
        );
    }
}

#[test]
fn an_event_without_one_of_its_fields_or_with_one_more_does_not_fit() {
    for event in events() {
        let document = journal(event);
        let what = document["events"][0]["what"].as_object().expect("it has fields");
        for field in what.keys() {
            let mut without = document.clone();
            let what = without.pointer_mut("/events/0/what").and_then(Value::as_object_mut);
            what.expect("it is there").remove(field);
            assert!(!faults(&without).is_empty(), "without {field}: {document:#}");
        }
        let more = with(&document, "/events/0/what/surprise", json!(1));
        assert!(!faults(&more).is_empty(), "{more:#}");
    }
}

#[test]
fn the_stretch_of_time_in_which_a_key_can_be_made_fits_and_half_of_one_does_not() {
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    let document = journal(Event::CreateIntended {
        ids_before: [KeyId::parse("AKIAX").expect("the name of a key")].into(),
        made_within: Some(Span { from, to }),
    });
    assert_eq!(faults(&document), [""; 0]);
    for (place, value) in [("from", json!(null)), ("to", json!("soon")), ("surprise", json!(1))] {
        let place = format!("/events/0/what/made_within/{place}");
        assert!(!faults(&with(&document, &place, value)).is_empty(), "{place}");
    }
}
