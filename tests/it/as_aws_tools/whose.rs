//! Before anything is created it is said whose credentials they are and where they lead; and a rotation goes on nowhere else.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::{HttpsProxy, Ran};

use crate::as_aws_tools::desk::{Desk, section};

/// A desk from which any host leads through a proxy to the fake.
fn anywhere() -> (Desk, HttpsProxy) {
    let mut desk = Desk::new();
    let proxy = HttpsProxy::start(&desk.place.cloud.endpoint());
    desk.environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    let key = desk.key();
    desk.credentials(&section("admin", &key));
    desk.place.cloud.add_user("aged");
    let long_ago = Timestamp::now() - SignedDuration::from_hours(24 * 400);
    let _old = desk.place.cloud.add_key_created_at("aged", long_ago);
    fs::write(desk.place.path("ca.pem"), proxy.authority()).unwrap();
    let bundle = desk.place.path("ca.pem").display().to_string();
    let endpoint = desk.place.cloud.endpoint();
    let desk = desk
        .with("AWS_ENDPOINT_URL_S3", &endpoint)
        .with("HTTPS_PROXY", &proxy.url())
        .with("AWS_CA_BUNDLE", &bundle);
    (desk, proxy)
}

const FLEET: &str = "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"aged\"\nbucket = \"acme-data\"\n\
                     profile = \"admin\"\ndeliver = [\"file:HERE/key.json\"]\n";

#[test]
fn plan_doctor_and_the_one_shot_say_whose_account_it_is_and_where_the_credentials_were_found() {
    let (desk, _proxy) = anywhere();
    let here = desk.place.path("");
    let file = FLEET.replace("HERE/", &here.display().to_string());
    fs::write(desk.place.path("rotate.toml"), file).unwrap();
    let whose = format!(
        "account 123456789012 at iam.amazonaws.com, as arn:aws:iam::123456789012:user/rotator (profile admin of {}",
        "~/.aws/credentials"
    );
    for command in ["plan", "doctor"] {
        let ran = desk.run(&[command]).expect(0);
        assert!(ran.stdout.contains(&whose), "{ran:#?}");
    }
    let plan = desk.run(&["plan", "--output", "json"]).json();
    let identity = &plan["targets"][0]["identity"];
    assert_eq!(identity["account"], "123456789012");
    assert_eq!(identity["host"], "iam.amazonaws.com");
    assert_eq!(identity["login"], "arn:aws:iam::123456789012:user/rotator");
    desk.run(&["run"]).expect(0).says(&[&format!("main: {whose}")]);

    let (desk, _proxy) = anywhere();
    let dry = desk.rotate(&["--profile", "admin", "--dry-run"]).expect(0);
    assert!(dry.stdout.contains(&whose), "{dry:#?}");
    desk.rotate(&["--profile", "admin"]).expect(0).says(&[&whose]);
}

#[test]
fn the_environments_key_is_named_by_its_variable_and_a_role_by_itself() {
    let desk = Desk::new();
    let key = desk.key();
    let desk = desk.with_key(&key);
    desk.rotate(&[])
        .expect(0)
        .says(&["account 123456789012 at this machine, as ", "(AWS_ACCESS_KEY_ID)"]);
    let desk = Desk::new();
    let key = desk.key();
    let desk = desk.with_key(&key);
    desk.rotate(&["--assume-role", "arn:aws:iam::123456789012:role/rotator"])
        .expect(0)
        .says(&[
            "assumed-role/rotator",
            "(role arn:aws:iam::123456789012:role/rotator, assumed with AWS_ACCESS_KEY_ID)",
        ]);
}

#[test]
fn a_rotation_that_was_opened_at_one_host_sends_nothing_to_another() {
    let (desk, proxy) = anywhere();
    desk.rotate(&["--profile", "admin"]).expect(0);
    let opened = desk
        .run(&["audit", "s3-customer-managed/gainsight-s3", "--output", "json"])
        .json();
    assert_eq!(
        opened["events"][0]["what"]["charter"]["host"], "iam.amazonaws.com",
        "{opened:#}"
    );
    let file = FLEET
        .replace("HERE/", &desk.place.path("").display().to_string())
        .replace("\"main\"", "\"s3-customer-managed/gainsight-s3\"")
        .replace("\"aged\"", "\"gainsight-s3\"");
    let there = |desk: Desk| desk.with("AWS_ENDPOINT_URL_IAM", "https://iam.example.com");
    let refused = |desk: &Desk, command: &[&str]| {
        let ran = desk.run(command);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for word in [
            "was opened at iam.amazonaws.com",
            "iam.example.com",
            "no key was looked at there",
        ] {
            assert!(said.contains(word), "{command:?}: {ran:#?}");
        }
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(
            !proxy.hosts().contains(&"iam.example.com".to_owned()),
            "{command:?}: {:?}",
            proxy.hosts()
        );
    };
    let target = "s3-customer-managed/gainsight-s3";
    let events = |desk: &Desk| desk.run(&["audit", target]).expect(0).stdout.lines().count();
    let before = events(&desk);
    let mut desk = there(desk);
    for command in [
        ["confirm", target].as_slice(),
        &["abort", target],
        &["abort", "--force", target],
    ] {
        refused(&desk, command);
    }
    assert_eq!(events(&desk), before, "something was written down");
    desk.environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL_IAM");
    desk.run(&["confirm", target]).expect(0);
    let desk = there(desk);
    refused(&desk, &["rollback", target]);
    fs::write(desk.place.path("rotate.toml"), file).unwrap();
    refused(&desk, &["doctor"]);
    // Until its rest is over nobody has to be asked.
    for command in ["plan", "run"] {
        let mut later = desk.command(&[command]);
        later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86_400).to_string());
        let ran = Ran::of(later).expect(1);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("was opened at iam.amazonaws.com"), "{command}: {ran:#?}");
        assert!(
            !proxy.hosts().contains(&"iam.example.com".to_owned()),
            "{:?}",
            proxy.hosts()
        );
    }
}

#[test]
fn a_rotation_whose_host_is_not_on_record_takes_it_from_its_next_look() {
    let (desk, _proxy) = anywhere();
    // This machine's own endpoint is not pinned.
    let endpoint = desk.place.cloud.endpoint();
    let mut desk = desk.with("AWS_ENDPOINT_URL_IAM", &endpoint);
    desk.rotate(&["--profile", "admin"]).expect(0);
    desk.environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL_IAM");
    desk.run(&["confirm", "s3-customer-managed/gainsight-s3"]).expect(0);
    let events = desk
        .run(&["audit", "s3-customer-managed/gainsight-s3"])
        .expect(0)
        .stdout;
    assert!(
        events.contains("host-pinned") && events.contains("iam.amazonaws.com"),
        "{events}"
    );
    let desk = desk.with("AWS_ENDPOINT_URL_IAM", "https://iam.example.com");
    desk.run(&["rollback", "s3-customer-managed/gainsight-s3"])
        .expect(1)
        .says(&["was opened at iam.amazonaws.com"]);
}
