//! New keys that are seen late, that never work, or that work no more once the old one is removed.

use rotate_fixtures::snowflake::{Action, Fault, Slot};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{FakeSnowflake, Ran, SnowflakeWorkplace};

use super::{Moment, Watch, assert_rotated, at_once, delivered, holds, meanwhile, place, theirs};
use crate::scenarios::beside_each_other;

#[test]
fn a_description_that_lags_delays_and_does_not_mislead() {
    beside_each_other(&[1, 2, 4, 8], |&reads| {
        let place = place();
        let watch = Watch::new(&place);
        place.cloud.lag_describe(reads);
        at_once(&place).expect(0);
        watch.expect_nothing_wrong("lag");
        assert_rotated(&place, &format!("{reads} readings late"));
    });
}

#[test]
fn a_description_that_never_catches_up_is_said_to_lag_and_the_next_run_goes_on() {
    let place = place();
    let watch = Watch::new(&place);
    place.cloud.lag_describe(60);
    at_once(&place)
        .expect(1)
        .says(&["does not show the change yet", "`opened`", " run"]);
    assert!(place.consumer().works());
    // No second key while the first one does not show.
    for _ in 0..3 {
        let _ = place.run(["run"]);
        watch.expect_nothing_wrong("run");
    }
    place.cloud.lag_describe(0);
    for _ in 0..3 {
        let _ = place.run(["run"]);
    }
    at_once(&place).expect(0);
    watch.expect_nothing_wrong("run");
    assert_rotated(&place, "run");
}

#[test]
fn a_fresh_key_that_is_refused_for_a_while_is_waited_for() {
    let place = place();
    let watch = Watch::new(&place);
    place.cloud.lag_login(3);
    let ran = at_once(&place).expect(0);
    watch.expect_nothing_wrong("lag");
    assert_rotated(&place, "lag");
    assert_eq!(ran.stderr.matches("error").count(), 0, "{}", ran.stderr);
}

#[test]
fn an_undo_that_does_not_see_the_new_key_yet_leaves_no_orphan() {
    let place = place();
    // The registration worked, and neither its answers nor its effect are seen.
    place.cloud.lag_describe(4);
    place.cloud.break_every(Action::SetKey, Fault::DropAfter);
    at_once(&place).expect(1);
    place.cloud.mend();
    place.run(["abort", TARGET]);
    for _ in 0..5 {
        place.run(["run"]);
    }
    assert_eq!(place.state_name(), "aborted");
    assert_eq!(
        place.fingerprints(),
        [Some(place.old.fingerprint().to_owned()), None],
        "an orphan is left"
    );
}

#[test]
fn a_new_key_that_someone_drops_is_withdrawn_and_a_key_in_its_place_is_left_alone() {
    for is_taken in [false, true] {
        let place = place();
        meanwhile(&place.cloud, Moment::Before, Action::Login, 2, move |cloud| {
            cloud.unset_key(USER, Slot::Two);
            if is_taken {
                cloud.set_key(USER, Slot::Two, theirs().public_base64());
            }
        });
        let ran = Ran::of(place.rotate(["--verify-deadline", "1s"]));
        ran.expect(1)
            .says(&["it was withdrawn, and the old key was not touched"]);
        assert_eq!(place.state_name(), "aborted");
        assert!(place.consumer().works() && !place.delivered().exists());
        assert_eq!(holds(&place, theirs().fingerprint()), is_taken);
    }
}

#[test]
fn a_disabled_user_stops_the_rotation_until_it_is_enabled() {
    let place = place();
    place.cloud.set_disabled(USER, true);
    let ran = Ran::of(place.rotate(["--verify-deadline", "0s"]));
    ran.expect(1)
        .says(&[&format!("{USER} is locked or disabled"), "`created`"]);
    // A disabled user says nothing about the key: it is neither withdrawn nor delivered.
    assert_eq!(place.state_name(), "created");
    assert!(!place.delivered().exists());
    place.cloud.set_disabled(USER, false);
    assert!(place.consumer().works());
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert_eq!(place.cloud.count_of(Action::SetKey), 1);
}

/// Snowflake takes no login token that is more than a minute old or early, and says nothing of clocks.
#[test]
fn a_clock_that_is_off_is_thought_of_where_a_fresh_key_is_refused() {
    for seconds in [300, -300] {
        let place = place();
        place.cloud.clock_offset(seconds);
        let ran = Ran::of(place.rotate(["--verify-deadline", "0s"]));
        let ran = ran.expect(1);
        assert!(!place.delivered().exists());
        place.cloud.clock_offset(0);
        assert!(place.consumer().works());
        ran.says(&["clock"]);
    }
}

#[test]
fn a_network_policy_of_the_user_says_nothing_of_its_key_and_costs_nothing_but_one_login() {
    let place = place();
    place.cloud.network_policy(USER, true);
    let ran = Ran::of(place.rotate([""; 0]));
    ran.expect(1).says(&["network policy", "with --prove consumer"]);
    assert_eq!(place.state_name(), "aborted");
    assert!(!place.delivered().exists());
    place.cloud.network_policy(USER, false);
    assert!(place.consumer().works());
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert_eq!(place.cloud.count_of(Action::SetKey), 2);
}

/// Confirms a cut-over; from the removal of the old key on, this is so.
fn confirm_while(place: &SnowflakeWorkplace, from_then_on: impl Fn(&FakeSnowflake) + Send + Sync + 'static) -> Ran {
    meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, from_then_on);
    place.run(["--verify-deadline", "1s", "confirm", TARGET])
}

#[track_caller]
fn assert_brought_back(place: &SnowflakeWorkplace, ran: Ran) {
    let ran = ran.expect(3);
    assert!(ran.stdout.contains("switched on again"), "{}", ran.stdout);
    assert_eq!(place.state_name(), "blocked");
    assert!(place.consumer().works(), "the consumers are cut off: {ran:#?}");
    // Blocked is blocked, for cron too.
    place.run(["run"]).expect(3);
    assert!(place.consumer().works());
}

#[test]
fn a_new_key_that_is_dropped_with_the_old_one_brings_the_old_one_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| cloud.unset_key(USER, Slot::Two));
    assert_brought_back(&place, ran);
}

#[test]
fn a_new_key_whose_logins_are_not_answered_any_more_brings_the_old_one_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| {
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    place.cloud.mend();
    assert_brought_back(&place, ran);
    // A person has looked.
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(place.holder_of(&place.delivered()).works() && !place.consumer().works());
}

#[test]
fn a_user_that_is_disabled_with_the_removal_brings_the_old_key_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| cloud.set_disabled(USER, true)).expect(3);
    assert!(ran.stdout.contains("is locked or disabled"), "{}", ran.stdout);
    place.cloud.set_disabled(USER, false);
    assert_brought_back(&place, ran);
}

/// Right after the removal the slots may still be shown as they were: that is no reason to leave the key out.
#[test]
fn an_old_key_is_really_set_again_although_the_description_lags() {
    for reads in [1, 3, 10] {
        let place = delivered();
        place.cloud.lag_describe(reads);
        let ran = confirm_while(&place, |cloud| {
            cloud.lag_describe(0);
            cloud.break_every(Action::Login, Fault::StatusBefore(503));
        });
        place.cloud.mend();
        assert_brought_back(&place, ran);
    }
}

#[test]
fn a_vendor_that_is_gone_right_after_the_removal_brings_the_old_key_back_with_the_next_run() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| {
        for action in Action::ALL {
            cloud.break_every(action, Fault::DropBefore);
        }
    });
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    // Whoever reads this at night learns which key is off, and that it comes back by the next run.
    ran.says(&[place.old.fingerprint(), "`deactivated`", " run"]);
    place.cloud.mend();
    let ran = place.run(["run"]);
    assert_brought_back(&place, ran);
}

#[test]
fn an_old_key_whose_slot_was_taken_meanwhile_calls_a_person_and_names_the_key_in_it() {
    let place = delivered();
    // A colleague fills the free slot at once, and the new key is not answered for.
    let ran = confirm_while(&place, |cloud| {
        cloud.set_key(USER, Slot::One, theirs().public_base64());
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(ran.code, Some(3), "the consumers may be cut off: {ran:#?}");
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains(theirs().fingerprint()), "{said}");
    // The colleague makes room; the person says so, or cron finds it.
    place.cloud.mend();
    place.cloud.unset_key(USER, Slot::One);
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(place.consumer().works());
}
