//! A person's word at the wrong time: confirm, abort and rollback where they do not fit, where someone else uses the new
//! key, where a destination was changed meanwhile; and a repeated command with other options, or after the end.
//!
//! Leans on the strict fake: only there can a test say when and by whom a key was last used, and see that a refused
//! command changed no key.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::aws::{Action, Credentials};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];
/// Made ready for a key, and holding none yet.
const DOCUMENT: &str = r#"{"Version": 1, "AccessKeyId": "", "SecretAccessKey": "before"}"#;

/// A rotation that waits for a person; its destination held something before.
fn delivered() -> (Workplace, Credentials) {
    let place = Workplace::new(ROTATE);
    fs::write(place.delivered(), DOCUMENT).unwrap();
    fs::set_permissions(place.delivered(), fs::Permissions::from_mode(0o600)).unwrap();
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    let new = place.delivered_key().unwrap();
    (place, new)
}

/// A rotation whose old key rests, disabled.
fn soaking() -> (Workplace, Credentials) {
    let (place, new) = delivered();
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    (place, new)
}

/// Someone has used the new key since our own last proof.
fn used_by_a_job(place: &Workplace, new: &Credentials) {
    let later = Timestamp::now() + SignedDuration::from_mins(10);
    place.cloud.set_last_used(&new.id, later, "s3", "eu-central-1");
}

/// The old key alone is left and works, and the destination holds what it held before.
fn taken_back(place: &Workplace, new: &Credentials) {
    assert!(
        place.cloud.works(&place.old.id, &place.old.secret),
        "the old key does not work"
    );
    assert!(!place.cloud.key_exists(&new.id), "the new key is still there");
    assert_eq!(fs::read_to_string(place.delivered()).unwrap(), DOCUMENT);
}

/// A command that does not fit is refused with these words, and changes nothing.
fn refused(place: &Workplace, arguments: &[&str], words: &[&str]) {
    let before = place.picture();
    place.run(arguments).expect(1).says(words);
    assert_eq!(place.picture(), before, "{arguments:?} changed something");
}

#[test]
fn a_rotation_that_could_not_begin_cannot_be_confirmed() {
    let place = Workplace::new(ROTATE);
    // The simulator would tell before anything is opened.
    place.cloud.deny(Action::SimulatePrincipalPolicy);
    place.cloud.deny(Action::CreateAccessKey);
    Ran::of(place.rotate([""; 0])).expect(1);
    refused(
        &place,
        &["confirm", TARGET],
        &["`opened`", "nothing to confirm", "abort"],
    );
    refused(
        &place,
        &["rollback", TARGET],
        &["`opened`", "cannot be rolled back", "abort"],
    );
    place.expect_untouched();
}

#[test]
fn abort_takes_back_what_nobody_uses() {
    let (place, new) = delivered();
    place.run(["abort", TARGET]).expect(0);
    assert_eq!(place.state_name(), "aborted");
    taken_back(&place, &new);
}

#[test]
fn rollback_takes_back_what_nobody_uses() {
    let (place, new) = soaking();
    assert!(!place.cloud.works(&place.old.id, &place.old.secret));
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    taken_back(&place, &new);
}

#[test]
fn rollback_after_the_users_have_left_needs_no_force() {
    let (place, new) = soaking();
    used_by_a_job(&place, &new);
    place.run(["rollback", TARGET]).expect(3);
    place.cloud.clear_last_used(&new.id);
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    taken_back(&place, &new);
}

#[test]
fn a_destination_changed_since_the_delivery_is_left_alone_and_said_so() {
    for (word, (place, new)) in [("abort", delivered()), ("rollback", soaking())] {
        let theirs = DOCUMENT.replace("\"\"", "\"AKIATHEIRS\"");
        fs::write(place.delivered(), &theirs).unwrap();
        place.run([word, TARGET]).expect(0).says(&[
            "key.json",
            "changed by someone since the delivery",
            "left as it is",
        ]);
        assert_eq!(fs::read_to_string(place.delivered()).unwrap(), theirs, "{word}");
        assert!(place.cloud.works(&place.old.id, &place.old.secret));
        assert!(!place.cloud.key_exists(&new.id));
    }
}

#[test]
fn other_options_of_the_connector_are_refused_by_name_too() {
    let (place, _) = delivered();
    let destination = format!("file:{}", place.delivered().display());
    let base = ["s3-customer-managed", "--user", USER, "--deliver", &destination];
    let with = |more: &[&str], named: &str| refused(&place, &[&base, more].concat(), &["open rotation", named]);
    with(&["--bucket", "another-bucket"], "--bucket");
    with(&["--bucket", BUCKET, "--prefix", "data/"], "--prefix");
    with(&["--bucket", BUCKET, "--region", "eu-central-1"], "--region");
}

#[test]
fn a_repeat_after_the_end_does_nothing_and_again_rotates_once_more() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    let (first, calls) = (place.delivered_key().unwrap(), place.cloud.call_count());
    let before = place.picture();
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    assert_eq!((place.picture(), place.cloud.call_count()), (before, calls));

    Ran::of(place.rotate(AT_ONCE)).expect(0);
    Ran::of(place.rotate(["--again", "--cutover", "immediate", "--soak", "0s"])).expect(0);
    place.expect_rotated();
    assert_ne!(place.delivered_key().unwrap().id, first.id);
    assert!(!place.cloud.key_exists(&first.id));
}

#[test]
fn a_day_after_the_end_the_same_command_rotates_once_more() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    let first = place.delivered_key().unwrap();
    let ahead = |hours: u32| {
        let mut command = place.rotate(AT_ONCE);
        command.env("ROTATE_TEST_CLOCK_AHEAD", (hours * 3600).to_string());
        Ran::of(command).expect(0)
    };
    ahead(23);
    assert_eq!(place.delivered_key().unwrap(), first);
    ahead(25);
    assert_ne!(place.delivered_key().unwrap(), first);
    place.expect_rotated();
}

#[test]
fn after_an_abort_the_same_command_begins_anew() {
    let (place, new) = delivered();
    place.run(["abort", TARGET]).expect(0);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
    assert_ne!(place.delivered_key().unwrap().id, new.id);
}
