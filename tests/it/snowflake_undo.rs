//! Taking a key pair's rotation back: from every phase, with every kind of neighbour in the slots, and with files that
//! people have touched; and a person's word where it does not fit.
//!
//! Leans on the strict fake: only there can a colleague change a slot or a key be used behind the program's back, and
//! each slot be looked at as it really is.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod files;
mod others;
mod phases;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rotate_fixtures::snowflake::TestKey;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Nothing is opened yet.
fn fresh() -> SnowflakeWorkplace {
    SnowflakeWorkplace::in_memory(ROTATE)
}

/// A rotation that waits for a person.
fn delivered() -> SnowflakeWorkplace {
    let place = fresh();
    Ran::of(begin(&place)).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

/// A rotation whose old key is removed, and can be registered again.
fn soaking() -> SnowflakeWorkplace {
    let place = delivered();
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!holds(&place, place.old.fingerprint()));
    place
}

/// A rotation whose old key rests: nobody would know how to register it again.
fn resting() -> SnowflakeWorkplace {
    let place = fresh();
    place.cloud.hide_public_keys(USER, true);
    Ran::of(begin(&place)).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "cut-over");
    assert!(holds(&place, place.old.fingerprint()));
    place
}

fn begin(place: &SnowflakeWorkplace) -> Command {
    place.rotate([""; 0])
}

fn confirm(place: &SnowflakeWorkplace) -> Command {
    place.command(["confirm", TARGET])
}

fn holds(place: &SnowflakeWorkplace, fingerprint: &str) -> bool {
    place
        .fingerprints()
        .into_iter()
        .flatten()
        .any(|held| held == fingerprint)
}

/// A key that a colleague sets by hand.
fn theirs() -> TestKey {
    TestKey::numbered(6)
}

fn public_file(place: &SnowflakeWorkplace) -> std::path::PathBuf {
    place.path("rsa_key_new.pub")
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The old key alone is registered and works; no file of ours is left, nor half of one.
#[track_caller]
fn assert_taken_back(place: &SnowflakeWorkplace, state: &str, context: &str) {
    assert_eq!(place.state_name(), state, "{context}");
    place.expect_as_before();
    let entries = fs::read_dir(place.path("")).unwrap();
    let mut left: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["state"], "{context}");
    place.run(["audit", "verify"]).expect(0);
    place.cloud.expect_all_understood();
}

/// All that a refused command must not change.
fn picture(place: &SnowflakeWorkplace) -> String {
    let delivered = [place.delivered(), public_file(place)].map(|file| fs::read_to_string(file).unwrap_or_default());
    let journal = place.run(["audit"]).stdout;
    format!("{:?}\n{delivered:?}\n{journal}", place.fingerprints())
}

/// A command that does not fit is refused with these words, and changes nothing.
#[track_caller]
fn refused(place: &SnowflakeWorkplace, arguments: &[&str], words: &[&str]) {
    let before = picture(place);
    place.run(arguments).expect(1).says(words);
    assert_eq!(picture(place), before, "{arguments:?} changed something");
}

// A person's word where it does not fit.
