//! Bad input for a Snowflake key pair: wrong command lines, key files that are none, users that cannot be rotated, and
//! administrators that are not let in. Each is refused in plain words with a way out, and leaves the slots, the files and
//! the journal as they were.
//!
//! Leans on the strict fake, which knows roles, grants, locks and network policies, and refuses every statement that it
//! does not know; on a bare listener for the one refusal that the fake does not know, a second factor; and on the real
//! file system for files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

mod administrator;
mod command_line;
mod current_key;
mod destination;
mod endpoint;
mod privileges;
mod slots;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rotate_fixtures::{Ran, SnowflakeWorkplace};
use serde_json::json;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// Writes a file that nobody else may read.
fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// What lies in the place, beside the state folder.
fn files(place: &SnowflakeWorkplace) -> Vec<String> {
    let entries = fs::read_dir(place.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "state").collect();
    names.sort();
    names
}

/// Stops the test unless no rotation is on record, in a journal that is whole.
fn expect_no_rotation(place: &SnowflakeWorkplace) {
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"], json!([]), "a rotation was opened");
    place.run(["audit", "verify"]).expect(0);
}

/// The command is refused with this code and these words, foretold and for real, and leaves everything as it was.
fn refused(place: &SnowflakeWorkplace, code: i32, words: &[&str], command: impl Fn() -> Command) -> Ran {
    let before = files(place);
    let mut foretold = command();
    foretold.arg("--dry-run");
    Ran::of(foretold).expect(code).says(words);
    assert!(!place.state().exists(), "a dry run made a state folder");
    let ran = Ran::of(command()).expect(code).says(words);
    assert_eq!(ran.stdout, "");
    assert_eq!(files(place), before, "files were left behind");
    assert!(place.cloud.effects().is_empty(), "{:#?}", place.cloud.effects());
    expect_no_rotation(place);
    place.cloud.expect_all_understood();
    ran
}

/// The same as [`refused`] with 1, where the state folder is there already.
fn refused_again(place: &SnowflakeWorkplace, words: &[&str], command: impl Fn() -> Command) {
    for more in [&[][..], &["--dry-run"]] {
        let mut command = command();
        command.args(more);
        Ran::of(command).expect(1).says(words);
    }
    assert!(place.cloud.effects().is_empty(), "{:#?}", place.cloud.effects());
    expect_no_rotation(place);
    place.cloud.expect_all_understood();
}

/// A wrong command line: refused with 64 and these words, without a call and without a state folder.
fn refused_at_once(place: &SnowflakeWorkplace, command: Command, words: &[&str]) {
    let (before, calls) = (files(place), place.cloud.calls().len());
    let ran = Ran::of(command).expect(64).says(words);
    assert_eq!(ran.stdout, "");
    assert_eq!(place.cloud.calls().len(), calls, "a call was made; {ran:#?}");
    assert!(!place.state().exists(), "a state folder was made; {ran:#?}");
    assert_eq!(files(place), before, "files were left behind");
    place.expect_untouched();
}

/// The same for options of the one-shot command.
fn options_refused(options: &[&str], words: &[&str]) {
    let place = SnowflakeWorkplace::new(ROTATE);
    refused_at_once(&place, place.rotate(options), words);
}

fn for_user(place: &SnowflakeWorkplace, user: &str) -> Command {
    place.command(["snowflake-keypair", "--user", user])
}
