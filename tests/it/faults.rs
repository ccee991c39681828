//! A call that breaks, before or after its effect, neither loses a secret nor leaves an orphan.
//!
//! Leans on the strict fake: only it can break a call on either side of its effect, and count what is left.

use std::time::Duration;

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

fn whole(place: &Workplace) -> Ran {
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "20s"]))
}

/// The new key works, it is the only one, and no secret was printed.
fn assert_rotated(place: &Workplace, ran: &Ran, context: &str) {
    let new = place.delivered_key();
    assert!(
        new.is_some_and(|new| place.cloud.works(&new.id, &new.secret)),
        "{context}: {ran:?}"
    );
    assert_eq!(place.cloud.keys_of(USER).len(), 1, "{context}: {ran:?}");
    assert!(!place.cloud.key_exists(&place.old.id), "{context}");
    let canary = place.cloud.canary();
    assert!(
        !ran.stdout.contains(&canary) && !ran.stderr.contains(&canary),
        "{context}: a secret was printed"
    );
}

#[test]
fn a_reply_that_cannot_be_read_loses_its_key_but_not_the_rotation() {
    for fault in [Fault::MalformedAfter, Fault::SecretlessAfter] {
        let place = Workplace::new(ROTATE);
        place.cloud.break_call(Action::CreateAccessKey, 1, fault);
        let ran = whole(&place).expect(0);
        assert_rotated(&place, &ran, &format!("{fault:?}"));
        assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 2);
    }
}

#[test]
fn a_creation_that_always_breaks_is_given_up_without_an_orphan() {
    let place = Workplace::new(ROTATE);
    for nth in 1..=3 {
        place
            .cloud
            .break_call(Action::CreateAccessKey, nth, Fault::MalformedAfter);
    }
    let ran = whole(&place).expect(1);
    assert!(ran.stderr.contains("create an access key"), "{}", ran.stderr);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.cloud.keys_of(USER).len(), 1, "an orphan is left");
    assert!(!place.delivered().exists());
    assert!(!ran.stderr.contains(&place.cloud.canary()));
    // The vendor has recovered.
    let ran = whole(&place).expect(0);
    assert_rotated(&place, &ran, "after the vendor recovered");
}

#[test]
fn a_creation_that_hangs_is_looked_for_and_discarded() {
    let place = Workplace::new(ROTATE);
    let longer_than_the_patience = Duration::from_secs(40);
    place
        .cloud
        .break_call(Action::CreateAccessKey, 1, Fault::HangAfter(longer_than_the_patience));
    let ran = whole(&place).expect(0);
    assert_rotated(&place, &ran, "HangAfter");
}

#[test]
fn a_key_that_logs_in_as_someone_else_is_never_delivered() {
    let place = Workplace::new(ROTATE);
    place
        .cloud
        // The first one asks for the administrator, before the key is made.
        .break_call(Action::GetCallerIdentity, 2, Fault::ForeignIdentity);
    let ran = whole(&place).expect(1);
    assert!(ran.stderr.contains("it logs in as"), "{}", ran.stderr);
    assert!(!place.delivered().exists());
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_new_key_that_fails_after_the_old_one_is_disabled_brings_the_old_one_back() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    // The proof before passes, the one after does not.
    let cloud = place.cloud.clone();
    place.cloud.on_effect(move |effect| {
        if effect.action == Action::UpdateAccessKey {
            cloud.forbid_bucket(BUCKET, USER);
        }
    });
    let mut confirm = place.command(["confirm", TARGET]);
    // The proof of the delivery is too old to act upon.
    confirm.env("ROTATE_TEST_CLOCK_AHEAD", "600");
    let ran = Ran::of(confirm).expect(3);
    assert!(ran.stdout.contains("switched on again"), "{}", ran.stdout);
    assert_eq!(place.state_name(), "blocked");
    assert!(
        place.cloud.works(&place.old.id, &place.old.secret),
        "the consumers are cut off"
    );
    // Blocked is blocked, for cron too.
    place.run(["run"]).expect(3);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    // A person has looked.
    place.cloud.on_effect(|_| {});
    place.cloud.add_bucket(BUCKET, "us-east-1", &["data/1.csv"]);
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
}

#[test]
fn a_verification_that_learns_nothing_moves_nothing() {
    let place = Workplace::new(ROTATE);
    for nth in 1..=60 {
        place
            .cloud
            .break_call(Action::GetCallerIdentity, nth, Fault::ServerErrorBefore);
    }
    let mut command = place.rotate(["--soak", "0s", "--cutover", "immediate", "--verify-deadline", "1s"]);
    let ran = Ran::of({
        command.arg("-v");
        command
    })
    .expect(1);
    assert!(ran.stderr.contains("could not be found out"), "{}", ran.stderr);
    assert_eq!(place.state_name(), "created");
    assert!(!place.delivered().exists());
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    let ran = whole(&place).expect(0);
    assert_rotated(&place, &ran, "the same key goes on");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}
