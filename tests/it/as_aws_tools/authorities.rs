//! Private authorities and proxies, as botocore obeys them. A proxy that ends TLS stands for the vendor's own hosts.

use std::fs;

use rotate_fixtures::aws::Boto3;
use rotate_fixtures::{AUTHORITY, HttpsProxy};
use serde_json::{Value, json};

use crate::as_aws_tools::desk::{Desk, section};

/// A desk from which the vendor's own hosts lead through a proxy to the fake.
fn behind_a_proxy() -> (Desk, HttpsProxy) {
    let mut desk = Desk::new();
    let proxy = HttpsProxy::start(&desk.place.cloud.endpoint());
    desk.environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    let key = desk.key();
    desk.credentials(&section("default", &key));
    fs::write(desk.place.path("ca.pem"), proxy.authority()).unwrap();
    // Buckets are served by host name there, and by path here.
    let endpoint = desk.place.cloud.endpoint();
    let desk = desk
        .with("AWS_ENDPOINT_URL_S3", &endpoint)
        .with("HTTPS_PROXY", &proxy.url());
    (desk, proxy)
}

const ASK: &str = r#"
import json, sys, boto3, botocore.exceptions
try:
    boto3.client("sts", region_name="us-east-1").get_caller_identity()
    print(json.dumps("reached"))
except botocore.exceptions.BotoCoreError:
    print(json.dumps("not reached"))
"#;

#[test]
fn private_authorities_are_trusted_as_botocore_trusts_them() {
    let boto3 = Boto3::install();
    for (name, variables, config, reached) in [
        ("nothing is said", vec![], "", false),
        ("the variable", vec![("AWS_CA_BUNDLE", "ca.pem")], "", true),
        ("the profile", vec![], "[default]\nca_bundle = HERE/ca.pem\n", true),
        (
            "what Python's libraries share",
            vec![("REQUESTS_CA_BUNDLE", "ca.pem")],
            "",
            true,
        ),
        (
            "two that disagree",
            vec![("AWS_CA_BUNDLE", "ca.pem")],
            "[default]\nca_bundle = HERE/other.pem\n",
            true,
        ),
        (
            "two that disagree the other way",
            vec![("AWS_CA_BUNDLE", "other.pem")],
            "[default]\nca_bundle = HERE/ca.pem\n",
            false,
        ),
        (
            "three that disagree",
            vec![("REQUESTS_CA_BUNDLE", "other.pem")],
            "[default]\nca_bundle = HERE/ca.pem\n",
            true,
        ),
    ] {
        let (mut desk, _proxy) = behind_a_proxy();
        fs::copy(AUTHORITY, desk.place.path("other.pem")).unwrap();
        for (variable, file) in variables {
            let path = desk.place.path(file).display().to_string();
            desk = desk.with(variable, &path);
        }
        desk.config(&config.replace("HERE", &desk.place.path("").display().to_string()));
        let answer = boto3.run(ASK, &desk.place.path(""), &desk.environment, &Value::Null);
        assert_eq!(
            answer,
            json!(if reached { "reached" } else { "not reached" }),
            "boto3: {name}"
        );
        let ran = desk.rotate(&["--dry-run"]);
        assert_eq!(ran.code, Some(if reached { 0 } else { 1 }), "{name}: {ran:#?}");
    }
}

#[test]
fn a_bundle_that_cannot_be_used_is_told_with_what_names_it() {
    for (file, text, says) in [
        ("missing.pem", None, "not found"),
        ("pipe", None, "it is no file of certificates"),
        ("empty.pem", Some(""), "there is no certificate in it"),
        ("text.pem", Some("no certificate\n"), "there is no certificate in it"),
        ("torn.pem", Some("-----BEGIN CERTIFICATE-----\nAAAA\n"), "it is not PEM"),
        (
            "rubbish.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "a certificate in it cannot be used",
        ),
    ] {
        let (desk, proxy) = behind_a_proxy();
        let path = desk.place.path(file);
        if file == "pipe" {
            let made = rotate_fixtures::tool("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
        }
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        let desk = desk.with("AWS_CA_BUNDLE", &path.display().to_string());
        desk.rotate(&["--dry-run"])
            .expect(1)
            .says(&["AWS_CA_BUNDLE names", file, says]);
        assert!(proxy.hosts().is_empty());
    }
}

#[test]
fn the_vendors_own_hosts_are_called_through_the_proxy_and_those_that_need_none_are_not() {
    let (desk, proxy) = behind_a_proxy();
    let bundle = desk.place.path("ca.pem").display().to_string();
    let desk = desk.with("AWS_CA_BUNDLE", &bundle);
    desk.rotate(&["--dry-run"]).expect(0);
    let mut hosts = proxy.hosts();
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts, ["iam.amazonaws.com", "sts.us-east-1.amazonaws.com"]);
}

#[test]
fn a_role_of_another_partition_is_looked_for_there_and_never_in_us_east_1() {
    for (role, hosts) in [
        (
            "arn:aws-cn:iam::123456789012:role/rotator",
            ["sts.cn-northwest-1.amazonaws.com.cn"].as_slice(),
        ),
        (
            "arn:aws-us-gov:iam::123456789012:role/rotator",
            ["sts.us-gov-west-1.amazonaws.com"].as_slice(),
        ),
        ("arn:aws-new:iam::123456789012:role/rotator", [].as_slice()),
    ] {
        let (desk, proxy) = behind_a_proxy();
        let bundle = desk.place.path("ca.pem").display().to_string();
        let desk = desk.with("AWS_CA_BUNDLE", &bundle);
        // The fake knows no other partition, and refuses the role.
        let ran = desk.rotate(&["--dry-run", "--assume-role", role]).expect(1);
        assert_eq!(proxy.hosts(), hosts, "{role}: {ran:#?}");
        if hosts.is_empty() {
            ran.says(&[role, "--region"]);
        }
    }
}
