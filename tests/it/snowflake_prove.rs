//! A Snowflake user that only its consumer may log in as: what Snowflake has on record of its logins stands for our own proof.
//!
//! Leans on the strict fake, which writes down each login with the credential it was made with.

use jiff::SignedDuration;
use rotate_fixtures::snowflake::Consumer;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: i64 = 86400;

/// A rotation that leaves the proof to the consumer, in an account that shows no use but in its history of logins.
fn delivered() -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::in_memory(ROTATE);
    place.cloud.slot_keys_in_show(false);
    place.cloud.account_usage(true);
    place.cloud.late_account_usage(true);
    place.cloud.login_history(true);
    Ran::of(place.rotate(["--prove", "consumer"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

fn consumer(place: &SnowflakeWorkplace) -> Consumer {
    place.holder_of(&place.delivered())
}

/// The consumer logs in with the new key, this much later.
fn consumer_uses(place: &SnowflakeWorkplace, minutes: i64) {
    let at = place.cloud.now() + SignedDuration::from_mins(minutes);
    place.cloud.set_last_used(USER, consumer(place).fingerprint(), at);
}

fn later(place: &SnowflakeWorkplace, seconds: i64, arguments: &[&str]) -> Ran {
    let mut command = place.command(arguments);
    command.env("ROTATE_TEST_CLOCK_AHEAD", seconds.to_string());
    Ran::of(command)
}

/// This consumer is refused, this many seconds from now.
fn refused(place: &SnowflakeWorkplace, consumer: Consumer, seconds: i64) {
    place.cloud.clock_offset(seconds);
    let refusal = consumer.with_clock_offset(seconds).login();
    place.cloud.clock_offset(0);
    assert!(refusal.is_err(), "{refusal:?}");
}

fn holds_old_key(place: &SnowflakeWorkplace) -> bool {
    let held = place.fingerprints();
    held.iter().flatten().any(|held| held == place.old.fingerprint())
}

#[test]
fn the_history_of_logins_proves_a_key_hours_before_the_views_do() {
    let place = delivered();
    place.run(["confirm", TARGET]).expect(1).says(&["--evidence"]);
    consumer_uses(&place, 1);
    later(&place, 120, &["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!holds_old_key(&place));
    later(&place, 3600, &["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    consumer_uses(&place, 90);
    later(&place, 2 * 3600, &["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    later(&place, 8 * DAY, &["run"]).expect(0);
    assert_eq!(place.state_name(), "done");
}

#[test]
fn a_login_with_the_new_key_that_was_refused_since_brings_the_old_key_back() {
    let place = delivered();
    consumer_uses(&place, 1);
    later(&place, 120, &["confirm", TARGET]).expect(0);
    assert!(!holds_old_key(&place));
    // The record says which key it was, and when.
    place.cloud.network_policy(USER, true);
    refused(&place, consumer(&place), 180);
    place.cloud.network_policy(USER, false);
    let ran = later(&place, 240, &["run"]).expect(3);
    assert!(
        ran.stdout.contains("Snowflake's login history gives error code 390422"),
        "{ran:#?}"
    );
    assert_eq!(place.state_name(), "blocked");
    assert!(holds_old_key(&place));
    assert!(place.consumer().works());
}

#[test]
fn logins_that_a_stranger_fails_at_undo_nothing() {
    let place = delivered();
    consumer_uses(&place, 1);
    later(&place, 120, &["confirm", TARGET]).expect(0);
    for _ in 0..3 {
        refused(&place, place.consumer(), 180);
    }
    later(&place, 240, &["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!holds_old_key(&place));
}

#[test]
fn a_refused_login_is_forgotten_once_a_later_one_worked() {
    let place = delivered();
    consumer_uses(&place, 1);
    later(&place, 120, &["confirm", TARGET]).expect(0);
    place.cloud.network_policy(USER, true);
    refused(&place, consumer(&place), 180);
    place.cloud.network_policy(USER, false);
    consumer_uses(&place, 5);
    later(&place, 600, &["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
}
