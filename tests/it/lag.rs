//! The vendor's own parts do not agree at once, and nothing is believed too early.
//!
//! Leans on the strict fake, whose lists and logins lag by counts and not by time.

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

fn whole(place: &Workplace) -> Ran {
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"]))
}

fn assert_rotated(place: &Workplace) {
    let new = place.delivered_key();
    assert!(new.is_some_and(|new| place.cloud.works(&new.id, &new.secret)));
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_list_that_lags_delays_and_does_not_mislead() {
    for listings in [1, 2, 4] {
        let place = Workplace::new(ROTATE);
        place.cloud.lag_list(listings);
        whole(&place).expect(0);
        assert_rotated(&place);
    }
}

#[test]
fn an_orphan_that_the_list_shows_late_is_found_and_discarded() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_list(1);
    place.cloud.break_call(Action::CreateAccessKey, 1, Fault::DropAfter);
    whole(&place).expect(0);
    assert_rotated(&place);
}

/// Two agreeing readings missed the orphan, so the next creation meets a full quota: the orphan is what fills it.
#[test]
fn an_orphan_that_the_list_shows_very_late_is_found_through_the_full_quota() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_list(4);
    place.cloud.break_call(Action::CreateAccessKey, 1, Fault::DropAfter);
    whole(&place).expect(0);
    assert_rotated(&place);
}

#[test]
fn a_revocation_that_lags_is_no_failure() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_revoke(3);
    whole(&place).expect(0);
    assert_rotated(&place);
}

#[test]
fn pages_of_one_key_each_are_read_to_the_end() {
    let place = Workplace::new(ROTATE);
    place.cloud.page_size(1);
    let foreign = place.cloud.add_key(USER);
    place.cloud.set_key_status(&foreign.id, false);
    let ran = whole(&place).expect(3);
    assert!(ran.stderr.contains(&foreign.id), "{}", ran.stderr);
    place.cloud.delete_key(&foreign.id);
    whole(&place).expect(0);
    assert_rotated(&place);
}

#[test]
fn a_name_that_was_given_away_is_not_touched() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.cloud.delete_user(USER);
    place.cloud.add_user(USER);
    let theirs = place.cloud.add_key(USER);
    let ran = place.run(["confirm", TARGET]).expect(3);
    assert!(ran.stdout.contains("deleted and created again"), "{}", ran.stdout);
    assert!(place.cloud.works(&theirs.id, &theirs.secret));
    assert_eq!(place.state_name(), "blocked");
}

#[test]
fn a_list_that_was_read_beside_a_proof_counts_only_if_the_proof_held_at_once() {
    // The new key is used three times before the old one is disabled, and once after that.
    for (refused_then, listings) in [(false, 4), (true, 6)] {
        let place = Workplace::new(ROTATE);
        place.cloud.flap_auth(vec![true, true, true, !refused_then]);
        whole(&place).expect(0);
        assert_rotated(&place);
        // Once to look whether the key is gone that was refused, and once more right before the old one is deleted.
        assert_eq!(
            place.cloud.count_of(Action::ListAccessKeys),
            listings,
            "refused: {refused_then}"
        );
    }
}
