//! When the old key may go: the evidence, the allowance, and what stops it.
//!
//! Leans on the strict fake, which keeps a record of each key's use; the clock is moved by the test.

use jiff::SignedDuration;
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: i64 = 86400;

fn minutes_from_now(place: &Workplace, minutes: i64) -> jiff::Timestamp {
    place.cloud.now() + SignedDuration::from_mins(minutes)
}

#[test]
fn an_old_key_that_is_used_after_the_cutover_is_not_deleted() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    place
        .cloud
        .set_last_used(&place.old.id, minutes_from_now(&place, 60), "s3", "eu-west-1");
    let ran = place.later(8 * DAY, ["run"]).expect(3);
    assert!(ran.stdout.contains("was used after the cut-over"), "{}", ran.stdout);
    assert!(ran.stdout.contains("s3 in eu-west-1"), "{}", ran.stdout);
    assert!(place.cloud.key_exists(&place.old.id));
    assert_eq!(place.state_name(), "blocked");
    // The person finds the forgotten consumer, moves it, and says so.
    place.later(8 * DAY, ["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(!place.cloud.key_exists(&place.old.id));
}

#[test]
fn an_inactive_key_that_this_journal_did_not_retire_is_left_alone() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let live = place.delivered_key().expect("the new key was delivered");
    let foreign = place.cloud.add_key(USER);
    place.cloud.set_key_status(&foreign.id, false);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--again"])).expect(3);
    assert!(place.cloud.key_exists(&foreign.id));
    assert!(place.cloud.works(&live.id, &live.secret));
}

#[test]
fn an_old_key_that_someone_switched_on_again_is_not_deleted() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    place.cloud.set_key_status(&place.old.id, true);
    let ran = place.later(8 * DAY, ["run"]).expect(3);
    assert!(ran.stdout.contains("switched it on again"), "{}", ran.stdout);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
}

#[test]
fn a_deletion_that_is_refused_can_still_be_rolled_back() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    place.cloud.deny(Action::DeleteAccessKey);
    place.later(8 * DAY, ["run"]).expect(1);
    place.cloud.allow(Action::DeleteAccessKey);
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}
