//! A Snowflake key pair, rotated from beginning to end by the real program.
//!
//! Leans on the strict fake: it verifies every token against the two slots, and there is no emulator that does.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rotate_fixtures::snowflake::Slot;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rotate");

fn later(mut command: Command, days: i64) -> Command {
    command.env("ROTATE_TEST_CLOCK_AHEAD", (days * 86400).to_string());
    command
}

#[test]
fn a_confirmed_rotation_goes_through_every_phase() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    Ran::of(place.rotate::<&str>([])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    let [first, second] = place.fingerprints();
    assert_eq!(first.as_deref(), Some(place.old.fingerprint()));
    assert!(place.consumer().works(), "the consumer was cut off before its cut-over");
    let new = place.holder_of(&place.delivered());
    assert_eq!(second, Some(new.fingerprint().to_owned()));
    assert_eq!(new.current_user().as_deref(), Ok(USER));

    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert_eq!(place.fingerprints(), [None, Some(new.fingerprint().to_owned())]);
    assert!(!place.consumer().works());

    Ran::of(later(place.command(["run"]), 8)).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(new.works());
    place.cloud.expect_all_understood();
}

/// Accounts of several groups of regions are told apart by the group as well.
#[test]
fn a_region_with_its_group_is_a_part_of_the_account() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    place.cloud.region_has_group(true);
    Ran::of(place.rotate::<&str>([])).expect(0);
    let journal = place.run(["audit", TARGET, "--output", "json"]).expect(0).json();
    let account = &journal["events"][0]["what"]["charter"]["owner"]["account"];
    let expected = format!("{} in PUBLIC.{}", place.cloud.locator(), place.cloud.region());
    assert_eq!(account.as_str(), Some(expected.as_str()), "{journal:#}");
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    // The same name in another region is someone else's.
    place.cloud.region_has_group(false);
    place
        .run(["rollback", TARGET])
        .expect(1)
        .says(&["was opened in account", &expected]);
}

#[test]
fn the_key_file_is_its_owners_alone_and_has_its_public_half_beside_it() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let mode = |name: &str| place.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("rsa_key_new.p8"), 0o600);
    let public = std::fs::read_to_string(place.path("rsa_key_new.pub")).unwrap();
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{public}");
    let [_, second] = place.cloud.slots(USER);
    let base64: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(base64, second.unwrap().public);
}

#[test]
fn rotations_in_a_row_alternate_the_slots() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    let at_once = ["--cutover", "immediate", "--soak", "0s", "--again"];
    let mut full = Vec::new();
    for number in 1..=3 {
        let mut command = place.rotate(at_once);
        command.args(["--deliver", &format!("file:key{number}.p8")]);
        Ran::of(command).expect(0);
        let key = place.holder_of(&place.path(&format!("key{number}.p8")));
        assert!(key.works());
        full.push(place.fingerprints().map(|held| held.is_some()));
    }
    assert_eq!(full, [[false, true], [true, false], [false, true]]);
}

#[test]
fn the_same_command_again_does_nothing() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    let at_once = ["--cutover", "immediate", "--soak", "0s"];
    Ran::of(place.rotate(at_once)).expect(0);
    let calls = place.cloud.calls().len();
    Ran::of(place.rotate(at_once)).expect(0).says(&["nothing was done"]);
    assert_eq!(place.cloud.calls().len(), calls);
}

#[test]
fn a_rollback_sets_the_unset_slot_again() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    Ran::of(place.rotate::<&str>([])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert!(!place.consumer().works());
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    place.expect_as_before();
    assert!(!place.path("rsa_key_new.pub").exists());
}

#[test]
fn a_new_key_whose_use_is_not_reported_is_taken_back_on_a_persons_word_only() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    place.cloud.slot_keys_in_show(false);
    Ran::of(place.rotate::<&str>([])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert!(!place.consumer().works());
    // Nobody can tell whether the new key is in use: its end needs a word more, the old key's return does not.
    place.run(["rollback", TARGET]).expect(3);
    assert!(place.consumer().works());
    place.run(["rollback", "--force", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    place.expect_as_before();
}

#[test]
fn an_old_key_that_could_not_be_brought_back_rests_before_it_goes() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    place.cloud.hide_public_keys(USER, true);
    let plan = Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert!(plan.stdout.contains("[cannot be undone]"), "{}", plan.stdout);
    assert!(plan.stdout.contains("its public half is not known"), "{}", plan.stdout);
    Ran::of(place.rotate::<&str>([])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "cut-over");
    assert!(place.consumer().works(), "the old key was removed before its rest");
    Ran::of(later(place.command(["run"]), 8)).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(!place.consumer().works());
}

#[test]
fn the_consumers_own_key_file_makes_the_removal_reversible() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    place.cloud.hide_public_keys(USER, true);
    let held = place.path("current.p8");
    std::fs::write(&held, place.old.private_pem()).unwrap();
    std::fs::set_permissions(&held, std::fs::Permissions::from_mode(0o600)).unwrap();
    Ran::of(place.rotate(["--current-key", "current.p8"])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert!(!place.consumer().works());
    place.run(["rollback", "--force", TARGET]).expect(0);
    assert!(place.consumer().works());
}

#[test]
fn a_user_whose_slots_are_turned_around_is_rotated_the_other_way() {
    let place = SnowflakeWorkplace::new(PROGRAM);
    place.cloud.unset_key(USER, Slot::One);
    place.cloud.set_key(USER, Slot::Two, place.old.public_base64());
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let [first, second] = place.fingerprints();
    assert_eq!(
        first,
        Some(place.holder_of(&place.delivered()).fingerprint().to_owned())
    );
    assert_eq!(second, None);
}
