//! One rotation from its beginning to its end, by the compiled program.
//!
//! Leans on the strict fake: it alone knows whether a key still works, and counts the calls.

use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

#[test]
fn an_immediate_rotation_without_soak_ends_in_one_call() {
    let place = Workplace::new(ROTATE);
    let ran = Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--output", "json"])).expect(0);
    let report = &ran.json()["targets"][0];
    let new = place.delivered_key().expect("the new key was delivered");
    assert_eq!(report["state"], "done");
    assert_eq!(report["name"], TARGET);
    assert_eq!(report["old_key"], place.old.id.as_str());
    assert_eq!(report["new_key"], new.id.as_str());
    assert!(place.cloud.works(&new.id, &new.secret));
    assert!(!place.cloud.key_exists(&place.old.id));
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_rotation_waits_for_a_person_then_soaks_then_deletes() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    let new = place.delivered_key().expect("the new key was delivered");
    let calls = place.cloud.call_count();
    // Again, and for cron: nothing to do, and no call for it.
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.run(["run"]).expect(0);
    assert_eq!(place.cloud.call_count(), calls);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));

    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!place.cloud.works(&place.old.id, &place.old.secret));
    assert!(place.cloud.key_exists(&place.old.id));
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");

    let mut later = place.command(["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    Ran::of(later).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(!place.cloud.key_exists(&place.old.id));
    assert!(place.cloud.works(&new.id, &new.secret));
    place.run(["audit", "verify"]).expect(0);
}
