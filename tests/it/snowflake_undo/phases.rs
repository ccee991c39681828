//! From every phase, wherever the program died.

use std::fs;
use std::process::Command;

use rotate_fixtures::snowflake_workplace::TARGET;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{assert_taken_back, begin, chmod, confirm, delivered, fresh, holds, refused, resting, soaking};

/// The first run after the rest.
fn run_after_the_rest(place: &SnowflakeWorkplace) -> Command {
    let mut command = place.command(["run"]);
    command.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    command
}

/// A command is killed at the `nth` crash point of this name. A twin tells how manieth of all points that is.
fn killed(
    prepare: fn() -> SnowflakeWorkplace,
    command: fn(&SnowflakeWorkplace) -> Command,
    point: &str,
    nth: usize,
) -> SnowflakeWorkplace {
    let twin = prepare();
    let trace = twin.path("trace");
    let mut whole = command(&twin);
    whole.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(whole).expect(0);
    let trace = fs::read_to_string(trace).unwrap();
    let mut named = trace.lines().enumerate().filter(|(_, name)| *name == point);
    let (index, _) = named.nth(nth - 1).unwrap();

    let place = prepare();
    let mut cut_short = command(&place);
    cut_short.env("ROTATE_TEST_KILL_AT", (index + 1).to_string());
    assert_eq!(Ran::of(cut_short).code, None, "it was not killed at {point} {nth}");
    place
}

#[test]
fn before_the_delivery_an_abort_takes_everything_back_wherever_the_program_died() {
    for (point, nth, state) in [
        ("store: after commit", 1, "opened"),
        ("mint: sealed", 1, "opened"),
        ("register: before the call", 1, "opened"),
        ("register: after the call", 1, "opened"),
        ("prove: before", 1, "created"),
        ("key file: public half written", 1, "verified"),
        ("key file: written", 1, "verified"),
    ] {
        for force in [false, true] {
            let place = killed(fresh, begin, point, nth);
            assert_eq!(place.state_name(), state, "{point}");
            assert!(place.consumer().works(), "{point}");
            let words: &[&str] = if force {
                &["abort", "--force", TARGET]
            } else {
                &["abort", TARGET]
            };
            place.run(words).expect(0);
            assert_taken_back(&place, "aborted", point);
        }
    }
}

/// A file is written beside its place first; whoever is killed there leaves the secret in it.
#[test]
fn half_a_delivery_is_swept_up() {
    let place = killed(fresh, begin, "key file: public half written", 1);
    let half = place.path(".rsa_key_new.p8.rotate-new");
    fs::write(&half, "-----BEGIN PRIVATE KEY-----\n").unwrap();
    chmod(&half, 0o600);
    place.run(["abort", TARGET]).expect(0);
    assert_taken_back(&place, "aborted", "half a delivery");
}

#[test]
fn a_delivered_key_is_aborted_and_the_same_command_begins_anew() {
    let place = delivered();
    let first = place.holder_of(&place.delivered()).fingerprint().to_owned();
    place.run(["abort", TARGET]).expect(0);
    assert_taken_back(&place, "aborted", "delivered");
    Ran::of(begin(&place)).expect(0);
    let second = place.holder_of(&place.delivered()).fingerprint().to_owned();
    assert!(first != second && holds(&place, &second) && !holds(&place, &first));
}

#[test]
fn after_the_cutover_a_rollback_takes_everything_back_wherever_the_program_died() {
    for (prepare, command, point, nth) in [
        (delivered as fn() -> _, confirm as fn(&_) -> _, "store: after commit", 1),
        (delivered, confirm, "deactivate: before the call", 1),
        (delivered, confirm, "deactivate: after the call", 1),
        (delivered, confirm, "prove: before", 1),
        (soaking, run_after_the_rest, "delete: before the call", 1),
        (soaking, run_after_the_rest, "delete: after the call", 1),
        (resting, run_after_the_rest, "delete: before the call", 1),
    ] {
        let place = killed(prepare, command, point, nth);
        place.run(["rollback", TARGET]).expect(0);
        assert_taken_back(&place, "rolled-back", point);
    }
}

#[test]
fn a_rollback_that_dies_half_way_is_gone_on_with_by_cron() {
    let roll_back: fn(&SnowflakeWorkplace) -> Command = |place| place.command(["rollback", TARGET]);
    for point in [
        "reactivate: before the call",
        "reactivate: after the call",
        "key file: put back",
        "withdraw: before the call",
        "withdraw: after the call",
    ] {
        let place = killed(soaking, roll_back, point, 1);
        place.run(["run"]).expect(0);
        assert_taken_back(&place, "rolled-back", point);
    }
}

#[test]
fn during_the_rest_a_rollback_brings_the_old_key_back() {
    for words in [&["rollback", TARGET][..], &["rollback", "--force", TARGET]] {
        for prepare in [soaking, resting] {
            let place = prepare();
            place.run(words).expect(0);
            assert_taken_back(&place, "rolled-back", "soaking");
        }
    }
}

#[test]
fn a_rollback_says_nothing_wrong_of_either_key() {
    for prepare in [soaking, resting] {
        let place = prepare();
        let new = place.holder_of(&place.delivered()).fingerprint().to_owned();
        let ran = place.run(["rollback", TARGET]).expect(0);
        assert!(
            !ran.stderr.contains(&format!("old key {new}")),
            "the new key is called the old one: {}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("rotate rollback"),
            "a rollback advises a rollback: {}",
            ran.stderr
        );
    }
}

#[test]
fn after_its_removal_for_good_a_key_cannot_be_brought_back_and_that_is_said() {
    let place = resting();
    let plan = place.run(["status", TARGET]).expect(0);
    assert!(plan.stdout.contains("removed for good"), "{}", plan.stdout);
    Ran::of(run_after_the_rest(&place)).expect(0);
    assert_eq!(place.state_name(), "done");
    refused(&place, &["rollback", TARGET], &["`done`", "cannot be rolled back"]);
    refused(
        &place,
        &["rollback", "--force", TARGET],
        &["`done`", "cannot be rolled back"],
    );
    assert!(place.holder_of(&place.delivered()).works());
}

/// The removal took place and the program died over it: the new key is all that there is, and it stays.
fn removed_unrecorded() -> SnowflakeWorkplace {
    let place = killed(resting, run_after_the_rest, "delete: after the call", 1);
    assert!(!holds(&place, place.old.fingerprint()));
    place
}

#[test]
fn an_unrecorded_removal_for_good_is_not_rolled_back_and_what_is_advised_instead_works() {
    let place = removed_unrecorded();
    let new = place.holder_of(&place.delivered());
    let old = place.old.fingerprint();
    refused(
        &place,
        &["rollback", TARGET],
        &[old, "does not work any more", "nobody would have a key"],
    );
    assert!(new.works() && place.delivered().exists());
    // The command that the refusal names, with whatever stands before it.
    let said = place.run(["rollback", TARGET]).stderr;
    let advised = said.lines().rfind(|line| line.contains("rotate --state-dir")).unwrap();
    let words: Vec<&str> = advised.split_whitespace().skip(3).collect();
    let mut command = place.command(&words);
    command.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    let ran = Ran::of(command);
    assert_eq!(ran.code, Some(0), "{words:?} was advised: {ran:#?}");
    assert_eq!(place.state_name(), "done");
    assert!(new.works());
}

#[test]
fn a_forced_rollback_of_a_key_that_is_gone_stops_and_confirm_goes_on_instead() {
    let place = removed_unrecorded();
    let new = place.holder_of(&place.delivered());
    let ran = place.run(["rollback", "--force", TARGET]).expect(3);
    assert!(ran.stdout.contains(place.old.fingerprint()), "{}", ran.stdout);
    assert!(ran.stdout.contains("it is gone"), "{}", ran.stdout);
    assert!(new.works() && place.delivered().exists(), "nobody has a key");
    place.run(["confirm", TARGET]).expect(0);
    let mut much_later = place.command(["run"]);
    much_later.env("ROTATE_TEST_CLOCK_AHEAD", (20 * 86400).to_string());
    Ran::of(much_later).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(new.works());
}

#[test]
fn a_key_that_is_not_delivered_cannot_be_confirmed() {
    for (point, phase) in [
        ("store: after commit", "`opened`"),
        ("register: before the call", "`opened`"),
        ("prove: before", "`created`"),
        ("key file: public half written", "`verified`"),
    ] {
        let place = killed(fresh, begin, point, 1);
        refused(
            &place,
            &["confirm", TARGET],
            &[phase, "nothing to confirm", &format!("abort {TARGET}")],
        );
        refused(&place, &["rollback", TARGET], &[phase, "cannot be rolled back"]);
        assert!(place.consumer().works());
    }
}
