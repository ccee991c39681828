//! What is no secret of the kind that is meant goes nowhere, and nothing of it is told.

use rotate_fixtures::place::Ran;

use super::answers::told;
use super::desk::{AGENT, CANARY, Desk};

const GUID: &str = "99999999-8888-7777-6666-555555555555";

#[test]
fn what_cannot_be_the_secret_is_not_sent() {
    let desk = Desk::new();
    for (connector, secret, why) in [
        ("freshdesk", "", "it is empty"),
        ("freshdesk", "\n\n", "it is empty"),
        ("freshdesk", "one\ntwo", "it has several lines"),
        ("freshdesk", "one\ttwo", "control characters"),
        ("freshdesk", " blank", "begins or ends with a blank"),
        ("freshdesk", "acme", "it is what was given as --domain"),
        ("freshdesk", "https://acme.freshdesk.com/x", "it is an address"),
        (
            "freshdesk",
            "-----BEGIN PRIVATE KEY-----",
            "it is a key or a certificate",
        ),
        ("zuora", "client-1", "it is what was given as --client-id"),
        ("dynamics-client-secret", GUID, "the secret's ID"),
        ("databricks-oauth", GUID, "the form of an ID"),
        (
            "databricks-oauth",
            "dapi0123456789abcdef0123456789abcdef",
            "personal access token",
        ),
    ] {
        desk.hold(secret);
        let ran = desk
            .verify([connector].iter().chain(told(connector)).copied())
            .expect(1)
            .says(&[why, "nothing was sent"]);
        let distinct = secret.len() > 8 && !secret.starts_with("client");
        assert!(!distinct || !ran.stderr.contains(secret), "{}", ran.stderr);
    }
    assert!(desk.vendor.hosts().is_empty(), "something was sent");
}

#[test]
fn a_secret_is_no_argument_and_is_not_repeated_where_somebody_makes_it_one() {
    let desk = Desk::new();
    for arguments in [
        &[
            "verify",
            "freshdesk",
            "--domain",
            "acme",
            "--secret",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY",
        ][..],
        &[
            "verify",
            "freshdesk",
            "--domain",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY",
        ][..],
        &[
            "verify",
            "zuora",
            "--host",
            "rest.zuora.com",
            "--client-id",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY",
        ][..],
    ] {
        let ran = Ran::of(desk.command(arguments.iter().copied())).expect(64);
        assert!(
            !ran.stderr.contains("wJalrXUtn") && !ran.stdout.contains("wJalrXUtn"),
            "{}",
            ran.stderr
        );
    }
    assert!(desk.vendor.hosts().is_empty());
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    std::fs::set_permissions(desk.place.path("secret"), std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.verify(["freshdesk", "--domain", "acme"])
        .expect(1)
        .says(&["the secret: the file secret", "nothing was sent"]);
    assert!(desk.vendor.hosts().is_empty());
}

#[test]
fn it_comes_from_a_file_a_variable_a_credential_or_standard_input_and_from_one_place_alone() {
    let desk = Desk::new();
    let credentials = desk.place.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::rename(desk.place.path("secret"), credentials.join("freshdesk-key")).unwrap();
    desk.hold(&format!("{CANARY}\n"));
    for place in [
        &["--secret-file", "secret"][..],
        &["--secret-env", "THE_KEY"],
        &["--secret-credential", "freshdesk-key"],
        &[],
    ] {
        desk.vendor.says(rotate_fixtures::probed_vendor::Said::json(200, AGENT));
        let line = ["verify", "freshdesk", "--domain", "acme"];
        let mut command = desk.command(line.iter().chain(place).copied());
        command
            .env("THE_KEY", CANARY)
            .env("CREDENTIALS_DIRECTORY", &credentials);
        if place.is_empty() {
            command.stdin(std::fs::File::open(desk.place.path("secret")).unwrap());
        }
        let ran = Ran::of(command).expect(0);
        desk.expect_no_canary(&ran);
        assert_eq!(desk.vendor.asked().len(), 1);
        assert!(ran.stdout.contains("ACCEPTED (http-200)"), "{}", ran.stdout);
    }
    let both = [
        "verify",
        "freshdesk",
        "--domain",
        "acme",
        "--secret-file",
        "secret",
        "--secret-env",
        "THE_KEY",
    ];
    Ran::of(desk.command(both)).expect(64);
}
