//! What AWS may refuse: each single call in turn, the administrator's credentials, the clock, the pace. The missing
//! permission is named; what was done is undone or goes on with the same command.
//!
//! Leans on the strict fake: it checks permissions, signatures and times, and throttles; the emulators do none of it.

use std::process::Command;
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use rotate_fixtures::aws::{Action, SessionCredentials};
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const ROLE: &str = "arn:aws:iam::123456789012:role/rotator";

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// A rotation without a pause that was refused one call: the permission is named, and the way on. The simulator may not be
/// asked, so it shows when the call is made.
fn denied(action: Action) -> Workplace {
    let place = Workplace::new(ROTATE);
    place.cloud.deny(Action::SimulatePrincipalPolicy);
    place.cloud.deny(action);
    let permission = format!("iam:{action}");
    Ran::of(place.rotate(AT_ONCE)).expect(1).says(&[
        &format!("the permission {permission} is missing"),
        &format!("allow {permission} for the administrator"),
    ]);
    place
}

/// The same command completes the rotation once the call is allowed, with the one key that it has made.
fn completes(place: &Workplace, action: Action) {
    place.cloud.allow(action);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
    assert_eq!(place.state_name(), "done");
    let calls = place.cloud.calls();
    let created = calls
        .iter()
        .filter(|call| call.action == Action::CreateAccessKey.as_str() && call.is_carried_out())
        .count();
    assert_eq!(created, 1, "keys created");
    place.run(["audit", "verify"]).expect(0);
}

/// Runs a command as the holder of a temporary key.
fn as_session(mut command: Command, session: &SessionCredentials) -> Command {
    command
        .env("AWS_ACCESS_KEY_ID", &session.id)
        .env("AWS_SECRET_ACCESS_KEY", &session.secret)
        .env("AWS_SESSION_TOKEN", &session.token);
    command
}

#[test]
fn a_denial_is_told_as_that_of_the_policy_that_denies() {
    for (policy, told, remedy) in [
        (
            "with an explicit deny in an identity-based policy",
            "a policy of the caller denies it",
            "run as someone else",
        ),
        (
            "with an explicit deny in a service control policy",
            "a service control policy of the organisation denies it",
            "whoever manages the organisation's policies",
        ),
        (
            "because no session policy allows the iam:GetUser action",
            "the policy of the caller's session does not allow it",
            "assume the role",
        ),
        (
            "because no VPC endpoint policy allows the iam:GetUser action",
            "the policy of the VPC endpoint does not allow it",
            "or call from elsewhere",
        ),
        (
            "because no identity-based policy allows the iam:GetUser action",
            "the permission iam:GetUser is missing",
            "allow iam:GetUser for the administrator",
        ),
        (
            "for a reason of its own",
            "the permission iam:GetUser is missing",
            "allow iam:GetUser",
        ),
    ] {
        let place = Workplace::new(ROTATE);
        place.cloud.deny(Action::GetUser);
        place.cloud.deny_by(policy);
        Ran::of(place.rotate([""; 0])).expect(1).says(&[told, remedy]);
        place.expect_untouched();
    }
}

#[test]
fn without_a_reading_permission_nothing_is_begun() {
    for action in [Action::GetUser, Action::ListAccessKeys] {
        let place = denied(action);
        place.expect_untouched();
        let status = place.run(["status", "--output", "json"]).expect(0).json();
        assert_eq!(status["targets"], serde_json::json!([]), "{action}");
        completes(&place, action);
    }
}

#[test]
fn what_the_simulator_knows_to_be_denied_stops_a_rotation_before_a_key_is_made() {
    for action in [
        Action::CreateAccessKey,
        Action::GetAccessKeyLastUsed,
        Action::UpdateAccessKey,
        Action::DeleteAccessKey,
    ] {
        let place = Workplace::new(ROTATE);
        place.cloud.deny(action);
        let words = [format!("permission iam:{action}"), "a policy denies it".to_owned()];
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .chain(["nothing was changed"])
            .collect();
        for more in [&["--dry-run"][..], &[]] {
            Ran::of(place.rotate(AT_ONCE.iter().chain(more))).expect(1).says(&words);
        }
        place.expect_untouched();
        assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0, "{action}");
        let status = place.run(["status", "--output", "json"]).expect(0).json();
        assert_eq!(status["targets"], serde_json::json!([]), "{action}");
        completes(&place, action);
    }
}

#[test]
fn without_permission_to_create_nothing_is_changed_and_the_same_command_goes_on() {
    let place = denied(Action::CreateAccessKey);
    place.expect_untouched();
    assert_eq!(place.state_name(), "opened");
    completes(&place, Action::CreateAccessKey);
}

#[test]
fn without_permission_to_create_the_rotation_can_be_aborted() {
    let place = denied(Action::CreateAccessKey);
    place.run(["abort", TARGET]).expect(0);
    assert_eq!(place.state_name(), "aborted");
    place.expect_untouched();
}

#[test]
fn without_permission_to_read_the_last_use_the_old_key_is_not_disabled() {
    let place = denied(Action::GetAccessKeyLastUsed);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    let new = place.delivered_key().expect("the new key was delivered");
    assert!(place.cloud.works(&new.id, &new.secret));
    completes(&place, Action::GetAccessKeyLastUsed);
}

#[test]
fn without_permission_to_update_the_old_key_goes_on_working() {
    let place = denied(Action::UpdateAccessKey);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    let new = place.delivered_key().expect("the new key was delivered");
    assert!(place.cloud.works(&new.id, &new.secret));
    completes(&place, Action::UpdateAccessKey);
}

#[test]
fn without_permission_to_delete_the_old_key_stays_disabled() {
    let place = denied(Action::DeleteAccessKey);
    let keys = place.cloud.keys_of(USER);
    let old = keys
        .iter()
        .find(|key| key.id == place.old.id)
        .expect("the old key exists");
    assert!(!old.active);
    let new = place.delivered_key().expect("the new key was delivered");
    assert!(place.cloud.works(&new.id, &new.secret));
    completes(&place, Action::DeleteAccessKey);
}

#[test]
fn a_useless_key_that_may_not_be_deleted_is_withdrawn_later_and_both_reasons_are_told() {
    let place = Workplace::new(ROTATE);
    place.cloud.forbid_bucket("acme-data", USER);
    place.cloud.deny(Action::SimulatePrincipalPolicy);
    place.cloud.deny(Action::DeleteAccessKey);
    Ran::of(place.rotate(AT_ONCE)).expect(1).says(&[
        "the permission iam:DeleteAccessKey is missing",
        "allow iam:DeleteAccessKey",
        "s3:ListBucket",
        "run",
    ]);
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    assert!(!place.delivered().exists());
    place.cloud.allow(Action::DeleteAccessKey);
    place.run(["run"]);
    place.expect_as_before();
    assert_eq!(place.state_name(), "aborted");
}

#[test]
fn a_rollback_without_permission_to_update_goes_on_once_it_is_there() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "7d"])).expect(0);
    place.cloud.deny(Action::UpdateAccessKey);
    place
        .run(["rollback", TARGET])
        .expect(1)
        .says(&["iam:UpdateAccessKey", "to go on"]);
    assert!(place.cloud.key_exists(&place.old.id));
    place.cloud.allow(Action::UpdateAccessKey);
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    place.expect_as_before();
}

#[test]
fn full_slots_are_told_even_if_the_last_use_may_not_be_read() {
    let place = Workplace::new(ROTATE);
    let second = place.cloud.add_key(USER);
    place.cloud.deny(Action::GetAccessKeyLastUsed);
    Ran::of(place.rotate(AT_ONCE)).expect(3).says(&[
        "both slots",
        &place.old.id,
        &second.id,
        "aws iam delete-access-key",
        "iam:GetAccessKeyLastUsed",
    ]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
}

#[test]
fn a_session_that_may_not_ask_who_it_is_is_told_the_permission() {
    let place = Workplace::new(ROTATE);
    let session = place.cloud.add_session("ops", SignedDuration::from_hours(1));
    place.cloud.deny(Action::GetCallerIdentity);
    Ran::of(as_session(place.rotate(AT_ONCE), &session))
        .expect(1)
        .says(&["sts:GetCallerIdentity"]);
    place.expect_untouched();
    place.cloud.allow(Action::GetCallerIdentity);
    Ran::of(as_session(place.rotate(AT_ONCE), &session)).expect(0);
    place.expect_rotated();
}

#[test]
fn a_role_that_may_not_be_assumed_is_named_with_the_permission() {
    let place = Workplace::new(ROTATE);
    place.cloud.deny(Action::AssumeRole);
    let with_role = || Ran::of(place.rotate(["--assume-role", ROLE, "--cutover", "immediate", "--soak", "0s"]));
    with_role()
        .expect(1)
        .says(&["sts:AssumeRole", ROLE, "nothing was changed"]);
    place.expect_untouched();
    place.cloud.allow(Action::AssumeRole);
    with_role().expect(0);
    place.expect_rotated();
}

#[test]
fn missing_credentials_are_told_before_any_call() {
    let place = Workplace::new(ROTATE);
    let mut command = place.rotate(AT_ONCE);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    Ran::of(command)
        .expect(1)
        .says(&["AWS credentials", "AWS_PROFILE", "--profile", "nothing was changed"]);
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let place = Workplace::new(ROTATE);
    let mut command = place.rotate(["--profile", "nobody"]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    Ran::of(command)
        .expect(1)
        .says(&["AWS credentials", "profile", "nobody", "nothing was changed"]);
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn wrong_credentials_are_told() {
    let place = Workplace::new(ROTATE);
    let check = [
        "check the administrator's credentials",
        "aws sts get-caller-identity",
        "nothing was changed",
    ];
    let mut command = place.rotate(AT_ONCE);
    command.env("AWS_SECRET_ACCESS_KEY", "wrong");
    Ran::of(command)
        .expect(1)
        .says(&check)
        .says(&["the secret does not belong to the access key"]);
    let mut command = place.rotate(AT_ONCE);
    command.env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00");
    Ran::of(command)
        .expect(1)
        .says(&check)
        .says(&["AWS does not know the access key"]);
    place.expect_untouched();
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
}

#[test]
fn an_expired_session_is_told() {
    let place = Workplace::new(ROTATE);
    let expired = place.cloud.add_session("ops", SignedDuration::from_hours(-1));
    Ran::of(as_session(place.rotate(AT_ONCE), &expired)).expect(1).says(&[
        "the session token has expired",
        "sign in again",
        "nothing was changed",
    ]);
    place.expect_untouched();
    let fresh = place.cloud.add_session("ops", SignedDuration::from_hours(1));
    Ran::of(as_session(place.rotate(AT_ONCE), &fresh)).expect(0);
    place.expect_rotated();
}

#[test]
fn credentials_that_die_in_the_middle_leave_a_rotation_that_others_complete() {
    let place = Workplace::new(ROTATE);
    let (cloud, admin) = (place.cloud.clone(), place.cloud.admin().id);
    place.cloud.on_effect(move |effect| {
        if effect.action == Action::CreateAccessKey {
            cloud.delete_key(&admin);
        }
    });
    Ran::of(place.rotate(AT_ONCE))
        .expect(1)
        .says(&["check the administrator's credentials", "to go on:"]);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    let session = place.cloud.add_session("ops", SignedDuration::from_hours(1));
    Ran::of(as_session(place.rotate(AT_ONCE), &session)).expect(0);
    place.expect_rotated();
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn an_administrator_whose_key_expires_is_told() {
    let place = Workplace::new(ROTATE);
    place.cloud.expire_admin();
    Ran::of(place.rotate(AT_ONCE))
        .expect(1)
        .says(&["has expired", "sign in again", "nothing was changed"]);
    place.expect_untouched();
}

#[test]
fn a_clock_that_is_off_by_twenty_minutes_is_told() {
    for minutes in [20, -20] {
        let place = Workplace::new(ROTATE);
        place.cloud.clock_offset(minutes * 60);
        Ran::of(place.rotate(AT_ONCE)).expect(1).says(&[
            "clock",
            "differ by more than AWS allows",
            "timedatectl",
            "nothing was changed",
        ]);
        place.expect_untouched();
        place.cloud.clock_offset(0);
        Ran::of(place.rotate(AT_ONCE)).expect(0);
        place.expect_rotated();
    }
}

/// A rotation in which some calls of one kind are throttled: it completes, with one key.
fn throttled(action: Action, session: bool, more: &[&str]) {
    let place = Workplace::new(ROTATE);
    place.cloud.throttle(action, 3);
    let mut command = place.rotate(AT_ONCE);
    command.args(more);
    if session {
        command = as_session(command, &place.cloud.add_session("ops", SignedDuration::from_hours(1)));
    }
    Ran::of(command).expect(0);
    place.expect_rotated();
    let created = if action == Action::CreateAccessKey { 4 } else { 1 };
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), created);
}

#[test]
fn a_throttled_call_of_any_kind_is_repeated() {
    thread::scope(|scope| {
        for action in Action::ALL.into_iter().filter(|action| *action != Action::AssumeRole) {
            scope.spawn(move || throttled(action, false, &[]));
        }
    });
}

#[test]
fn a_throttled_session_is_waited_for() {
    throttled(Action::GetCallerIdentity, true, &[]);
}

#[test]
fn a_throttled_role_is_waited_for() {
    throttled(Action::AssumeRole, false, &["--assume-role", ROLE]);
}

#[test]
fn a_minute_of_throttling_is_sat_out_and_makes_one_key() {
    let place = Workplace::new(ROTATE);
    place.cloud.throttle_for(Duration::from_secs(60));
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}
