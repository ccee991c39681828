//! Destinations that somebody has changed after a rotation: told apart from what has changed at the vendor.

use jiff::Timestamp;
use rotate::machine::{Event, HeldCopy, Inventory, Record};
use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Action;
use rotate_providers::contract::KeyId;
use serde_json::Value;

use super::{AT_ONCE, DAY, ROTATE};

/// A target that was rotated a moment ago.
fn rotated(more: &str) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, more);
    place.run(["run"]).expect(0).says(&["1 ended"]);
    place
}

/// Somebody puts another key into the destination.
fn put(place: &FleetWorkplace, id: &str, secret: &str) {
    let document = serde_json::json!({ "Version": 1, "AccessKeyId": id, "SecretAccessKey": secret });
    std::fs::write(place.delivered("main"), document.to_string()).unwrap();
}

fn target(place: &FleetWorkplace, arguments: &[&str], code: i32) -> Value {
    let ran = place.run(arguments.iter().chain(&["--output", "json"])).expect(code);
    ran.json()["targets"][0].clone()
}

fn events(place: &FleetWorkplace) -> Vec<String> {
    let audit = place.run(["audit", "--output", "json"]).json();
    let events = audit["events"].as_array().unwrap().iter();
    events
        .map(|event| event["what"]["event"].as_str().unwrap().to_owned())
        .collect()
}

const OTHER: &str = "AKIAOTHEROTHEROTHERO";

#[test]
fn a_destination_that_holds_another_key_is_drift_of_the_destination() {
    let mut place = rotated("");
    let left = place.delivered_key("main").unwrap();
    put(&place, OTHER, "s");
    // Within a week nobody is asked.
    assert_eq!(target(&place, &["run"], 0)["drift"], Value::Null);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    let why = format!("holds key {OTHER}, and not {}; rotate delivered", left.id);
    assert!(
        ran.stdout.contains(&why) && ran.stdout.contains("confirm main"),
        "{}",
        ran.stdout
    );
    let told = target(&place, &["run"], 3);
    assert_eq!(
        (&told["drift"], &told["action"]),
        (&"destination".into(), &"blocked".into())
    );
    assert_eq!(target(&place, &["plan"], 0)["drift"], "destination");
    let examined = place.run(["doctor"]).expect(1).stdout;
    assert!(
        examined.contains("copy at file:") && examined.contains(&why),
        "{examined}"
    );
    // What is known is written down once.
    let told = events(&place).iter().filter(|name| *name == "copies-drifted").count();
    assert_eq!(told, 1, "{:?}", events(&place));
    // It stays so, even when the target is due.
    place.pass(DAY * 200);
    place.run(["run"]).expect(3);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
    put(&place, &left.id, &left.secret);
    place.run(["run"]).expect(0).says(&["1 target: 1 ended"]);
    assert!(events(&place).contains(&"copies-as-left".to_owned()));
}

#[test]
fn what_changes_at_the_vendor_is_told_apart_from_it() {
    let mut place = rotated("");
    let strange = place.cloud.add_key("main");
    place.pass(DAY * 8);
    assert_eq!(target(&place, &["run"], 3)["drift"], "vendor");
    place.cloud.delete_key(&strange.id);
    assert_eq!(target(&place, &["run"], 0)["drift"], Value::Null);
}

#[test]
fn whoever_accepts_what_is_at_the_vendor_has_not_accepted_what_a_destination_holds() {
    let mut place = rotated("");
    let _ = place.cloud.add_key("main");
    put(&place, OTHER, "s");
    place.pass(DAY * 8);
    assert_eq!(target(&place, &["run"], 3)["drift"], "vendor");
    place.run(["confirm", "main"]).expect(0);
    assert_eq!(target(&place, &["run"], 3)["drift"], "destination");
    place.run(["confirm", "main"]).expect(0);
    // What is left is no drift: there is no room for a new key beside two.
    assert_eq!(target(&place, &["run"], 3)["drift"], Value::Null);
}

#[test]
fn a_destination_that_is_gone_holds_no_key() {
    let mut place = rotated("");
    std::fs::remove_file(place.delivered("main")).unwrap();
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("holds no key, and not"), "{}", ran.stdout);
}

#[test]
fn a_destination_that_cannot_be_read_is_told_as_that_and_as_no_drift() {
    use std::os::unix::fs::PermissionsExt;

    let mut place = rotated("");
    let path = place.delivered("main");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(0);
    assert!(
        ran.stderr.contains("could not look what destination file:"),
        "{}",
        ran.stderr
    );
    let examined = place.run(["doctor"]);
    assert!(examined.stdout.contains("could not look"), "{}", examined.stdout);
    assert!(!events(&place).contains(&"copies-drifted".to_owned()));
    // What was known of it before stays known.
    put(&place, OTHER, "s");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    place.run(["run"]).expect(3);
}

#[test]
fn what_a_person_accepts_is_not_told_again_until_it_is_something_else() {
    let mut place = rotated("");
    put(&place, OTHER, "s");
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    place.run(["confirm", "main"]).expect(0).says(&["main: accepted"]);
    place.run(["run"]).expect(0);
    place.pass(DAY * 8);
    place.run(["run"]).expect(0);
    put(&place, "AKIAAGAINAGAINAGAINA", "s");
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains("AKIAAGAIN"), "{}", ran.stdout);
    // A rotation delivers to it again, and then the new key is what it should hold.
    place.run(["confirm", "main"]).expect(0);
    place.pass(DAY * 200);
    place.run(["run"]).expect(0).says(&["1 ended"]);
    put(&place, OTHER, "s");
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
}

#[test]
fn of_two_destinations_what_was_accepted_of_one_stays_so_when_the_other_one_is() {
    let mut place = rotated("");
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    let second = place.path("second.json");
    let both = text.replace("main.json\"]", &format!("main.json\", \"file:{}\"]", second.display()));
    assert_ne!(both, text);
    place.configure(&both);
    place.pass(DAY * 200);
    place.run(["run"]).expect(0).says(&["1 ended"]);
    put(&place, OTHER, "s");
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    place.run(["confirm", "main"]).expect(0);
    std::fs::copy(place.delivered("main"), &second).unwrap();
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains("second.json holds key") && !ran.stdout.contains("main.json holds key"),
        "{}",
        ran.stdout
    );
    place.run(["confirm", "main"]).expect(0);
    for _ in 0..2 {
        place.pass(DAY * 8);
        place.run(["run"]).expect(0);
    }
}

#[test]
fn a_destination_that_is_not_asked_for_any_more_is_not_looked_at() {
    let mut place = rotated("");
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&text.replace("main.json", "other.json"));
    std::fs::remove_file(place.delivered("main")).unwrap();
    place.pass(DAY * 8);
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
}

/// A person who asks for a rotation now gets it, and is told what it replaces.
#[test]
fn an_order_goes_on_all_the_same_and_says_so() {
    let place = rotate_fixtures::Workplace::new(ROTATE);
    let at_once = ["--cutover", "immediate", "--soak", "0s"];
    rotate_fixtures::Ran::of(place.rotate(at_once)).expect(0);
    let document = serde_json::json!({ "Version": 1, "AccessKeyId": OTHER, "SecretAccessKey": "s" });
    std::fs::write(place.delivered(), document.to_string()).unwrap();
    let mut again = place.rotate(at_once);
    again.arg("--again");
    let ran = rotate_fixtures::Ran::of(again).expect(0);
    assert!(
        ran.stderr.contains(&format!("holds key {OTHER}")) && ran.stderr.contains("this order goes on all the same"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_was_known_of_a_destination_ends_with_the_rotation_that_delivers_there_again() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    let named = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&named.replace("name = \"main\"", "name = \"s3-customer-managed/main\""));
    place.run(["run"]).expect(0).says(&["1 ended"]);
    put(&place, OTHER, "s");
    place.pass(DAY * 8);
    assert_eq!(target(&place, &["run"], 3)["drift"], "destination");
    let destination = format!("file:{}", place.delivered("main").display());
    let command = [
        "s3-customer-managed",
        "--user",
        "main",
        "--bucket",
        "acme-data",
        "--deliver",
        &destination,
        "--cutover",
        "immediate",
        "--soak",
        "0s",
        "--again",
    ];
    place.run(command).expect(0);
    assert_eq!(target(&place, &["plan", "--offline"], 0)["drift"], Value::Null);
}

#[test]
fn whoever_accepts_what_a_destination_holds_has_seen_nothing_of_the_vendor() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let after = |watch: Inventory, second, event| {
        let record = Record { at: at(second), event };
        Inventory::after(Some(watch), &record).unwrap()
    };
    let copy = HeldCopy {
        destination: "file:/a".to_owned(),
        held: None,
        gone: false,
    };
    let drifted = Event::CopiesDrifted {
        expected: KeyId::parse(OTHER).unwrap(),
        copies: vec![copy],
    };
    let watch = after(Inventory::unseen(at(1)), 2, drifted);
    let by = "a person".to_owned();
    let watch = after(watch, 3, Event::Released { by });
    assert_eq!((watch.seen_at, watch.released_at), (None, Some(at(3))));
}
