//! What is found out of a Snowflake user before its key is rotated: the clock, the privilege and the passphrase of the new
//! key. Nothing is changed for it, and what cannot be seen is not called wrong.
//!
//! Leans on the strict fake, which knows what is granted to whom, and has a clock of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rotate_fixtures::snowflake::{Action, Fault};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const PRIVILEGE: &str = "privilege to change the keys of user GS_GAINSIGHT_USER";

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A fleet of this one user, with these lines more.
fn fleet(more: &str) -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::in_memory(ROTATE);
    let target = format!(
        "[[target]]\nname = \"warehouse\"\nconnector = \"snowflake-keypair\"\nuser = \"{USER}\"\ndeliver = [\"file:{}\"]\n\
         {more}\n",
        place.path("new.p8").display()
    );
    put(&place.path("rotate.toml"), &target);
    place
}

/// A role that the administrator has, and that may do nothing yet.
fn add_role(place: &SnowflakeWorkplace, role: &str) {
    place.cloud.add_role(role);
    place.cloud.grant_role(role, place.cloud.admin_user());
}

/// What is said of one thing: the verdict, and all that is said with it.
fn examined(place: &SnowflakeWorkplace, what: &str, variables: &[(&str, &str)]) -> (String, String) {
    let mut command = place.command(["doctor", "--output", "json"]);
    command.envs(variables.iter().copied());
    let ran = Ran::of(command);
    let told = ran.json();
    let checkups = told["checkups"].as_array().unwrap();
    let target = checkups.iter().find(|checkup| checkup["name"] == "warehouse");
    let findings = target.unwrap()["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing is said of {what}: {ran:#?}"));
    assert!(place.cloud.effects().is_empty(), "{:#?}", place.cloud.effects());
    place.cloud.expect_all_understood();
    let verdict = finding["verdict"].as_str().unwrap().to_owned();
    (verdict, format!("{} {}", finding["why"], finding["remedy"]))
}

#[test]
fn a_privilege_that_is_granted_to_the_role_itself_is_found() {
    let as_rotator = "role = \"ROTATOR\"";
    let place = fleet(as_rotator);
    add_role(&place, "ROTATOR");
    place.cloud.grant_key_changes(USER, "ROTATOR");
    assert_eq!(examined(&place, PRIVILEGE, &[]).0, "fine");

    let place = fleet(as_rotator);
    add_role(&place, "ROTATOR");
    place.cloud.grant_ownership(USER, "ROTATOR");
    assert_eq!(examined(&place, PRIVILEGE, &[]).0, "fine");

    let place = fleet("role = '\"key keeper\"'");
    add_role(&place, "key keeper");
    place.cloud.grant_key_changes(USER, "key keeper");
    assert_eq!(examined(&place, PRIVILEGE, &[]).0, "fine");
}

/// A role also has what the roles below it have, and an administrator's role everything: that is shown nowhere.
#[test]
fn a_privilege_that_is_not_shown_is_not_called_missing() {
    let place = fleet("");
    let (verdict, why) = examined(&place, PRIVILEGE, &[]);
    assert_eq!(verdict, "unknown");
    for words in [
        "not granted to role SECURITYADMIN itself",
        "through another role",
        "only when it is used",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[test]
fn a_question_about_privileges_that_is_refused_is_left_open() {
    let place = fleet("");
    place.cloud.break_every(Action::Grants, Fault::StatusBefore(403));
    let (verdict, why) = examined(&place, PRIVILEGE, &[]);
    assert_eq!(verdict, "unknown");
    assert!(why.contains("HTTP status 403"), "{why}");
}

#[test]
fn a_clock_that_is_off_is_found_by_snowflakes_own() {
    let place = fleet("");
    assert_eq!(examined(&place, "clock", &[]).0, "fine");
    for seconds in [600, -600] {
        place.cloud.clock_offset(seconds);
        assert_eq!(examined(&place, "clock", &[]).0, "wrong", "{seconds}");
    }
}

#[test]
fn a_passphrase_that_cannot_be_read_is_found_before_a_key_is_made_for_it() {
    let place = fleet("passphrase_env = \"GS_PASSPHRASE\"");
    let what = "passphrase in $GS_PASSPHRASE";
    let (verdict, told) = examined(&place, what, &[]);
    assert_eq!(verdict, "wrong");
    for words in ["it is not set", "set $GS_PASSPHRASE"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let (verdict, told) = examined(&place, what, &[("GS_PASSPHRASE", "CANARY of the passphrase")]);
    assert_eq!(verdict, "fine");
    assert!(!told.contains("CANARY"));
}
