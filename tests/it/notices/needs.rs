//! What a person has to look at is told, whoever found it: a failure of each run, a window that is missed, a key that is of no use.

use rotate_fixtures::workplace::BUCKET;
use serde_json::Value;

use super::{DAY, Desk, WEBHOOK, kinds};

/// The types of what was told, but for the digest; and the first need that a digest tells of.
fn told(desk: &Desk) -> (Vec<String>, Option<String>) {
    let told = desk.told();
    let (digests, others): (Vec<Value>, Vec<Value>) = told.into_iter().partition(|it| it["type"] == "fleet.digest");
    let need = digests
        .first()
        .and_then(|it| it["data"]["digest"]["needs"][0]["what"].as_str().map(str::to_owned));
    (kinds(&others), need)
}

#[test]
fn a_key_at_which_every_run_fails_is_told_as_overdue_and_needs_somebody_in_the_digest() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 100, "");
    // Its age is known from this look.
    desk.run(&["run"]).expect(0);
    assert_eq!(told(&desk), (Vec::new(), None));
    desk.place.cloud.delete_user("main");
    desk.place.pass(DAY * 85);
    desk.run(&["run"]);
    let (kinds, need) = told(&desk);
    assert_eq!(kinds, ["rotation.failed", "rotation.overdue"]);
    assert_eq!(
        need.as_deref(),
        Some("overdue, and the last run could not go on with it")
    );
}

#[test]
fn an_open_rotation_whose_window_no_run_meets_is_told_once() {
    let mut desk = Desk::with(WEBHOOK);
    let open = (desk.place.now() + DAY * 2).strftime("%a").to_string().to_lowercase();
    desk.place
        .add_user("main", DAY * 160, &format!("window = {{ days = [\"{open}\"] }}"));
    desk.place.pass(DAY * 2);
    desk.run(&["run"]).expect(0);
    desk.place.pass(DAY * 5);
    desk.run(&["confirm", "main"]).expect(0);
    desk.run(&["run"]).expect(0);
    let _ = desk.told();
    // The old key could be disabled for a week, and nobody came by while it might.
    desk.place.pass(DAY * 8);
    desk.run(&["run"]).expect(3);
    assert_eq!(told(&desk).0, ["rotation.blocked"]);
    desk.run(&["run"]).expect(3);
    assert_eq!(told(&desk).0, [""; 0]);
}

#[test]
fn a_new_key_that_is_of_no_use_ends_its_rotation_and_waits_for_a_person() {
    let desk = Desk::new();
    desk.place.cloud.bar_bucket(BUCKET);
    desk.run(&["run"]).expect(1);
    let all = desk.told();
    assert_eq!(kinds(&all), ["rotation.begun", "rotation.undone", "rotation.blocked"]);
    let text = all[2]["text"].as_str().unwrap();
    assert!(text.contains("The new key does not work, and was withdrawn"), "{text}");
    assert!(!text.contains("goes on from there"), "no run does: {text}");
    desk.run(&["run"]).expect(3);
    assert_eq!(desk.kinds(), [""; 0]);
}

#[test]
fn what_is_found_between_rotations_is_told_with_its_connector_as_blocked() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 10, "owner = \"data@example.com\"");
    desk.run(&["run"]).expect(0);
    let _ = desk.place.cloud.add_key("main");
    desk.place.pass(DAY * 8);
    desk.run(&["run"]).expect(3);
    let told = desk.told();
    let blocked = told.iter().find(|it| it["type"] == "rotation.blocked").unwrap();
    let data = &blocked["data"]["target"];
    assert_eq!(
        (&data["target"], &data["connector"], &data["state"], &data["owner"]),
        (
            &"main".into(),
            &"s3-customer-managed".into(),
            &"blocked".into(),
            &"data@example.com".into()
        )
    );
    let text = blocked["text"].as_str().unwrap();
    assert!(
        text.contains("main (s3-customer-managed)\nState:     blocked\n"),
        "{text}"
    );
}

#[test]
fn an_outbox_that_cannot_be_read_is_told_by_doctor_and_is_not_taken_for_an_empty_one() {
    let desk = Desk::new();
    desk.receiver.answers(rotate_fixtures::receiver::Reply::With(503, ""));
    desk.run(&["run"]).expect(0);
    desk.change("UPDATE outbox SET at = 'tomorrow'");
    let ran = desk.run(&["doctor"]).expect(1);
    assert!(ran.stdout.contains("what waits: "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("nothing waits"), "{}", ran.stdout);
}

#[test]
fn whom_a_selector_or_an_owner_that_is_no_address_leaves_out_doctor_says() {
    let email = "server = \"127.0.0.1\", tls = \"none\", from = \"rotate@example.com\"";
    let notify = format!(
        "{WEBHOOK}targets = [\"mian\"]\n[[notify]]\nname = \"owners\"\nemail = {{ {email}, to_owner = true }}\n\
         [[notify]]\nname = \"both\"\nemail = {{ {email}, to = [\"a@example.com\"], to_owner = true }}\n\
         [[notify]]\nname = \"all\"\nemail = {{ {email}, to = [\"a@example.com\"] }}\n"
    );
    let mut desk = Desk::with(&notify);
    desk.place.add_user("main", DAY * 10, "owner = \"Team Data\"");
    let ran = desk.run(&["doctor"]);
    for said in [
        "notices to ops\n  ?   who is told: no target has such a name or owner, so nobody is told",
        "notices to owners\n  ?   who is told: to_owner: no owner of its targets is an address, so nobody is told",
        "notices to both\n  ?   who is told: to_owner: no owner of its targets is an address, so no owner is told",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("notices to all\n  ?"), "{}", ran.stdout);
}
