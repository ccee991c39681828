//! Which profile is used, and what is said of one that lacks something: nothing was called, and nothing was touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::Ran;
use rotate_fixtures::place::on_a_terminal;

use crate::as_aws_tools::desk::{Desk, section};

const ROLE: &str = "arn:aws:iam::123456789012:role/rotator";

#[test]
fn two_targets_with_two_profiles_are_each_worked_with_their_own_key_whatever_the_environment_holds() {
    let desk = Desk::new();
    let (environment, one, other) = (desk.key(), desk.key(), desk.key());
    let desk = desk.with_key(&environment);
    desk.credentials(&(section("one", &one) + &section("other", &other)));
    for user in ["first", "second"] {
        desk.place.cloud.add_user(user);
        let _old = desk
            .place
            .cloud
            .add_key_created_at(user, Timestamp::now() - SignedDuration::from_hours(24 * 400));
    }
    let folder = desk.place.path("");
    let target = |user: &str, profile: &str| {
        format!(
            "[[target]]\nname = \"{user}\"\nconnector = \"s3-customer-managed\"\nuser = \"{user}\"\nbucket = \"acme-data\"\n\
             profile = \"{profile}\"\ndeliver = [\"file:{}/{user}.json\"]\n",
            folder.display()
        )
    };
    let file = target("first", "one") + &target("second", "other");
    fs::write(desk.place.path("rotate.toml"), file).unwrap();
    desk.run(&["run"]).expect(0);
    let calls = desk.place.cloud.calls();
    let made = calls.iter().filter(|call| call.action == "CreateAccessKey");
    let mut made: Vec<_> = made
        .map(|call| (call.user.clone().unwrap(), call.access_key_id.clone().unwrap()))
        .collect();
    made.sort();
    assert_eq!(made, [("first".to_owned(), one.id), ("second".to_owned(), other.id)]);
    assert!(
        calls
            .iter()
            .all(|call| call.access_key_id.as_ref() != Some(&environment.id))
    );
}

#[test]
fn in_ci_the_environment_is_taken_and_the_files_profile_is_not_looked_for() {
    let desk = Desk::new();
    let environment = desk.key();
    let desk = desk.with_key(&environment);
    desk.rotate(&["--dry-run", "--profile", "admin"]).expect(1).says(&[
        "there is no profile admin",
        "there are no profiles at all",
        "--credentials environment",
    ]);
    assert_eq!(desk.place.cloud.call_count(), 0);
    desk.rotate(&["--dry-run", "--profile", "admin", "--credentials", "environment"])
        .expect(0);
    assert_eq!(desk.signer("GetUser"), Some(environment.id.clone()));
    let desk = desk.with("ROTATE_CREDENTIALS", "environment");
    desk.rotate(&["--dry-run", "--profile", "admin"]).expect(0);
    let desk = desk.with("ROTATE_CREDENTIALS", "enviroment");
    desk.rotate(&["--dry-run", "--profile", "admin"])
        .expect(64)
        .says(&["ROTATE_CREDENTIALS", "configured or environment"]);
    let desk = desk.with("ROTATE_CREDENTIALS", "");
    desk.rotate(&["--dry-run", "--profile", "admin"]).expect(1);
}

#[test]
fn a_profile_with_a_mistyped_name_is_told_the_right_one() {
    let desk = Desk::new();
    let key = desk.key();
    desk.credentials(&section("production", &key));
    let said = desk.rotate(&["--profile", "prodcution"]).expect(1);
    said.says(&[
        "there is no profile prodcution",
        ".aws/credentials",
        ".aws/config",
        "did you mean production?",
    ]);
    let role = format!("[profile r]\nrole_arn = {ROLE}\nsource_profile = prodcution\n");
    desk.config(&role);
    desk.rotate(&["--profile", "r"]).expect(1).says(&[
        "profile r",
        "source_profile prodcution does not exist",
        "did you mean production?",
    ]);
    assert_eq!(desk.place.cloud.call_count(), 0);
    desk.place.expect_untouched();
}

#[test]
fn a_profile_that_needs_something_is_told_what() {
    let role = format!("role_arn = {ROLE}\n");
    for (config, says) in [
        (format!("[profile p]\n{role}"), "neither source_profile nor credential_source"),
        (format!("[profile p]\n{role}source_profile = p\n"), "it names itself as its source and holds no keys"),
        (
            format!("[profile p]\n{role}source_profile = q\n[profile q]\n{role}source_profile = p\n"),
            "its profiles name each other as their source: p \u{2192} q \u{2192} p",
        ),
        (
            format!("[profile p]\n{role}source_profile = q\ncredential_source = Environment\n[profile q]\n"),
            "both source_profile and credential_source",
        ),
        (
            format!("[profile p]\n{role}mfa_serial = arn:aws:iam::123456789012:mfa/me\nsource_profile = default\n"),
            "asks for a one-time code of arn:aws:iam::123456789012:mfa/me (mfa_serial), and there is no terminal",
        ),
        (
            "[profile p]\nsso_session = mian\nsso_account_id = 1\nsso_role_name = r\n[sso-session main]\nsso_region = us-east-1\n"
                .to_owned(),
            "there is no [sso-session mian]; did you mean main?",
        ),
        (
            "[profile p]\nsso_session = main\nsso_account_id = 1\nsso_role_name = r\n[sso-session main]\nsso_region = us-east-1\n\
             sso_start_url = http://127.0.0.1:9/start\n"
                .to_owned(),
            "run: aws sso login --profile p",
        ),
        ("[profile p]\ncredential_process = /nowhere/helper --flag\n".to_owned(), "cannot be found (exit code 127)"),
        ("[profile p]\ncredential_process = sh -c 'echo s3cret >&2; exit 3'\n".to_owned(), "failed with exit code 3"),
        ("[profile p]\ncredential_process = echo s3cret\n".to_owned(), "a JSON document of Version 1"),
        (
            "[profile p]\ncredential_process = true\naws_access_key_id = AKIAX\naws_secret_access_key = s3cret\n".to_owned(),
            "both keys and a credential_process",
        ),
        ("[profile p]\nregion = eu-west-1\n".to_owned(), "profile p holds no credentials"),
    ] {
        let desk = Desk::new();
        let key = desk.key();
        desk.credentials(&section("default", &key)).config(&config);
        let ran = desk.rotate(&["--profile", "p", "-vv"]).expect(1).says(&[says, "nothing was changed"]);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
        assert_eq!(desk.place.cloud.call_count(), 0, "{config}");
    }
}

#[test]
fn a_role_with_a_second_factor_is_assumed_with_the_code_that_a_person_types() {
    let desk = Desk::new();
    let key = desk.key();
    let serial = "arn:aws:iam::123456789012:mfa/me";
    desk.place.cloud.require_second_factor(serial, "123456");
    desk.credentials(&section("base", &key));
    desk.config(&format!(
        "[profile p]\nrole_arn = {ROLE}\nmfa_serial = {serial}\nsource_profile = base\n"
    ));
    let deliver = format!("file:{}", desk.place.delivered().display());
    let arguments = [
        "s3-customer-managed",
        "--user",
        "gainsight-s3",
        "--bucket",
        "acme-data",
        "--deliver",
        &deliver,
        "--profile",
        "p",
        "--dry-run",
    ];
    let wrong = on_a_terminal(&desk.command(&arguments), 100, "abc\n");
    assert!(wrong.stdout.contains("a one-time code has six digits"), "{wrong:#?}");
    assert_eq!(desk.place.cloud.call_count(), 0);
    let refused = on_a_terminal(&desk.command(&arguments), 100, "654321\n");
    assert!(
        refused.stdout.contains("the one-time code was wrong or used before"),
        "{refused:#?}"
    );
    assert_eq!(
        desk.place
            .cloud
            .calls()
            .iter()
            .filter(|call| call.action == "AssumeRole")
            .count(),
        1
    );
    let right = on_a_terminal(&desk.command(&arguments), 100, "123456\n").expect(0);
    assert!(
        right
            .stdout
            .contains(&format!("One-time code of {serial}, to assume {ROLE}: ")),
        "{right:#?}"
    );
    assert!(!right.stdout.contains("123456\n"), "the code is shown: {right:#?}");
    assert_eq!(desk.signer("AssumeRole"), Some(key.id));
    assert!(desk.signer("GetUser").unwrap().starts_with("ASIA"));
}

#[test]
fn a_token_under_its_old_name_goes_with_its_keys() {
    use rotate_fixtures::aws::Boto3;
    let desk = Desk::new();
    let session = desk.place.cloud.add_session("rotator", SignedDuration::from_hours(1));
    desk.credentials(&format!(
        "[p]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_security_token = {}\n",
        session.id, session.secret, session.token
    ));
    let script = "import json, sys, boto3\nboto3.Session(profile_name='p').client('sts', region_name='us-east-1')\
                  .get_caller_identity()\nprint('true')";
    let answer = Boto3::install().run(
        script,
        &desk.place.path(""),
        &desk.environment,
        &serde_json::Value::Null,
    );
    assert_eq!(answer, serde_json::Value::Bool(true));
    desk.rotate(&["--dry-run", "--profile", "p"]).expect(0);
    assert_eq!(desk.signer("GetUser"), Some(session.id));
}

#[test]
fn two_variables_that_name_two_profiles_are_not_chosen_between() {
    let desk = Desk::new()
        .with("AWS_PROFILE", "one")
        .with("AWS_DEFAULT_PROFILE", "other");
    let key = desk.key();
    desk.credentials(&(section("one", &key) + &section("other", &key)));
    desk.rotate(&["--dry-run"])
        .expect(1)
        .says(&["AWS_PROFILE is one and AWS_DEFAULT_PROFILE is other", "--profile"]);
    assert_eq!(desk.place.cloud.call_count(), 0);
    desk.rotate(&["--dry-run", "--profile", "one"]).expect(0);
}

#[test]
fn a_credentials_file_of_five_megabytes_is_read_and_a_broken_one_is_told_with_its_line() {
    let desk = Desk::new();
    let key = desk.key();
    let filler: String = (0..60_000)
        .map(|at| format!("[other-{at}]\nregion = eu-west-1\n# a remark that is long enough\n"))
        .collect();
    desk.credentials(&(filler + &section("p", &key)));
    assert!(fs::metadata(desk.place.path(".aws/credentials")).unwrap().len() > 3_000_000);
    desk.rotate(&["--dry-run", "--profile", "p"]).expect(0);
    desk.credentials("[p]\naws_access_key_id = AKIAX\naws_secret_access_key s3cret\n");
    let ran: Ran = desk
        .rotate(&["--dry-run", "--profile", "p"])
        .expect(1)
        .says(&[".aws/credentials", "line 3"]);
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
}

#[test]
fn a_process_that_answers_gives_the_key() {
    let desk = Desk::new();
    let key = desk.key();
    let helper = desk.place.path("helper");
    let document = format!(
        r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}"}}"#,
        key.id, key.secret
    );
    fs::write(&helper, format!("#!/bin/sh\necho '{document}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    desk.config(&format!("[profile p]\ncredential_process = {}\n", helper.display()));
    desk.rotate(&["--dry-run", "--profile", "p"]).expect(0);
    assert_eq!(desk.signer("GetUser"), Some(key.id));
}
