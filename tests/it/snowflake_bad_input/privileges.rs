//! A privilege that is missing is named with its grant, for the role that lacks it.

use std::sync::atomic::{AtomicBool, Ordering};

use rotate_fixtures::snowflake::Action;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{ROTATE, refused, refused_again};

/// A role that may change the user's keys, and that the administrator has.
fn add_rotator(place: &SnowflakeWorkplace, role: &str) {
    place.cloud.add_role(role);
    place.cloud.grant_role(role, place.cloud.admin_user());
    place.cloud.grant_key_changes(USER, role);
}

/// Without the privilege the grant is named, word for word, and nothing changes; once it is given, the same command goes on
/// with the key that it has made.
fn goes_on_after_the_grant(role: &str, option: &[&str], granted_to: &str) {
    let place = SnowflakeWorkplace::new(ROTATE);
    add_rotator(&place, role);
    place.cloud.set_default_role(place.cloud.admin_user(), role);
    // It may look, and no longer change: taken away in between, because the fake's privilege is for both.
    let (cloud, once, taken_from) = (place.cloud.clone(), AtomicBool::new(true), role.to_owned());
    place.cloud.before_call(move |action| {
        if action == Action::SetKey && once.swap(false, Ordering::SeqCst) {
            cloud.revoke_key_changes(USER, &taken_from);
        }
    });
    let grant = format!("GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"{USER}\" TO ROLE {granted_to};");
    Ran::of(place.rotate(option))
        .expect(1)
        .says(&["lacks the privilege", &grant, "to go on:"]);
    place.expect_untouched();
    assert_eq!(place.state_name(), "opened");
    let status = place.run(["status", TARGET, "--output", "json"]).json();
    let minted = status["targets"][0]["new_key"].as_str().unwrap().to_owned();

    place.cloud.grant_key_changes(USER, role);
    Ran::of(place.rotate(option)).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert_eq!(place.fingerprints()[1].as_deref(), Some(minted.as_str()));
    assert_eq!(place.holder_of(&place.delivered()).fingerprint(), minted);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn a_missing_privilege_is_named_with_its_grant_and_the_same_command_goes_on_with_the_same_key() {
    goes_on_after_the_grant("ROTATOR", &["--role", "ROTATOR"], "\"ROTATOR\"");
    goes_on_after_the_grant("ROTATOR", &["--role", "rotator"], "\"ROTATOR\"");
}

#[test]
fn a_missing_privilege_is_named_for_the_role_that_the_administrator_has_by_default() {
    goes_on_after_the_grant("ROTATOR", &[], "\"ROTATOR\"");
}

#[test]
fn a_missing_privilege_is_named_for_a_role_in_quotes() {
    goes_on_after_the_grant("key keeper", &["--role", "\"key keeper\""], "\"key keeper\"");
}

#[test]
fn a_privilege_that_is_taken_away_before_the_old_key_goes_leaves_both_keys_working() {
    let place = SnowflakeWorkplace::new(ROTATE);
    add_rotator(&place, "ROTATOR");
    Ran::of(place.rotate(["--role", "ROTATOR"])).expect(0);
    let (cloud, once) = (place.cloud.clone(), AtomicBool::new(true));
    place.cloud.before_call(move |action| {
        if action == Action::UnsetKey && once.swap(false, Ordering::SeqCst) {
            cloud.revoke_key_changes(USER, "ROTATOR");
        }
    });
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "\"ROTATOR\""]);
    assert!(place.consumer().works());
    assert!(place.holder_of(&place.delivered()).works());
    place.cloud.grant_key_changes(USER, "ROTATOR");
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!place.consumer().works());
}

#[test]
fn a_role_that_may_not_even_look_is_named_with_a_grant_that_exists() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.add_role("READER");
    place.cloud.grant_role("READER", place.cloud.admin_user());
    let words = [
        "read user GS_GAINSIGHT_USER",
        "role READER lacks the privilege",
        // There is no privilege of the name DESC USER that anyone could grant.
        "GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"GS_GAINSIGHT_USER\" TO ROLE \"READER\";",
    ];
    refused(&place, 1, &words, || place.rotate(["--role", "READER"]));
    place.expect_untouched();
    place.cloud.grant_key_changes(USER, "READER");
    Ran::of(place.rotate(["--role", "READER"])).expect(0);
}

#[test]
fn a_role_that_is_not_granted_is_named_with_a_way_out() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.add_role("LOADER");
    let words = [
        "role LOADER",
        "not granted to ROTATE_ADMIN",
        "--role",
        "nothing was changed",
    ];
    refused(&place, 1, &words, || place.rotate(["--role", "LOADER"]));
    refused_again(&place, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_ROLE", "LOADER");
        command
    });
    place.expect_untouched();
}
