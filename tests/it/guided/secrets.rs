//! What looks like a secret is not taken as a note: it is not stored, and not echoed.

use std::path::Path;

use crate::guided::desk::{Desk, TARGET};

/// Secrets as the vendors of the guides make them, and as people paste them. All of them are made up.
const SECRETS: &[&str] = &[
    // AWS.
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    // One in forty has three strokes or more.
    "wJa/rXUtnFEMI/K7MDE/G+bPxRfiCYEXAMPLEKEY",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG",
    // Google.
    "GOCSPX-1234567890abcdefghijklmnopq",
    "ya29.a0AfH6SMBxxxxxxxxxxxxxxxxxxxxxxx",
    "\"private_key\": \"-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0\"",
    // Microsoft.
    "abc8Q~1dE2fG3hI4jK5lM6nO7pQ8rS9tU0vW1xY2",
    // Databricks, Snowflake, Atlassian, GitHub, Slack.
    "dapi0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJnYWluc2lnaHQifQ.c2lnbmF0dXJl",
    "ATATT3xFfGF0T4JVj1kRVaB1C2d3E4f5G6h7I8j9K0",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "xoxb-123456789012-abcdefghijkl",
    // Freshdesk, Aha!, Mixpanel.
    "Zx8kQ2mV9tR4wY7zB1nP",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "9aF3kLm2Qx7Zt5Rb8Vw1Yc4Hd6Jg0Ns2",
    // With its name.
    "password: hunter2hunter",
    "new password=Correct-Horse-9",
    "client_secret=s3cr3tvalue",
    "client secret: s3cr3tvalue",
    "api key: 12345678",
    "access key = 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11",
    "token:abcdef123456",
    "passphrase = opensesame now",
    // In a sentence; a public id elsewhere in it does not help.
    "the password is hunter2hunter",
    "new pw: geheim1234",
    "the new access key is 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11 and its id is noted",
    "new client ID noted, secret 0123456789abcdef0123456789abcdef0123456789abcdef",
    "the old key is idle 0123456789abcdef0123456789abcdef",
    // Inside something else.
    "postgres://gainsight:geheim@db.acme.com/analytics",
    "curl -H 'Authorization: Bearer abcdefghijkl' https://api.acme.com",
    "Authorization: Basic Z2FpbnNpZ2h0OmdlaGVpbTEyMw==",
    "new key is Zx8kQ2mV9tR4wY7zB1nP, saved in the vault",
    "(Zx8kQ2mV9tR4wY7zB1nP)",
    "the key: 'Zx8kQ2mV9tR4wY7zB1nP'",
    // A sign among the letters makes no address of it.
    "xK9mP2vL5@nQ8wR3zT6yB1c",
    "https://hooks.acme.com/services/T00000000/B00000000/Zx8kQ2mV9tR4wY7zB1nP4hD6",
    "https://api.acme.com/v1/me?api_key=Zx8kQ2mV9tR4wY7zB1nP",
    "-----BEGIN RSA PRIVATE KEY-----",
];

/// Notes that people need to be able to take.
const NOTES: &[&str] = &[
    "Gainsight only",
    "none",
    "job 'Nightly sync' ended 2026-11-21 10:02 UTC, no errors",
    "ticket OPS-12345, changed by Maria and Wei",
    "AKIAIOSFODNN7EXAMPLE",
    "SHA256:rVDgH3opUTBXg/5mC2Wglqpz5sbgNrYLHbbxJASpGQ4=",
    "client id 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, expires 2028-11-21",
    "https://acme.atlassian.net/browse/OPS-12?focusedId=123456",
    "password was changed by the DBA",
    "maria.garcia-lopez@subsidiary.example.com",
    // What the guides themselves ask to note: BigQuery's key IDs and client IDs, thumbprints of certificates, client IDs of
    // ServiceNow and Snowflake, and a public key.
    "key ID 0123456789abcdef0123456789abcdef01234567",
    "deleted key 0123456789abcdef0123456789abcdef01234567 at 10:02",
    "123456789012-abc123.apps.googleusercontent.com",
    "thumbprint 5D1CBA0987654321F0E1D2C3B4A5968778695A4B, until 2028-11-21",
    "client ID 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "request ID 7f3a9c1e-55d2-4c1b-9a0e-2b6d8f4c1e77",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuKZ2xB5vY0x1N8rWJtQm3oZyHc7sPpDkE4vFbLqUeXaT9gMwRiSd6jOhVfKnY1C",
    "gainsight@acme-data.iam.gserviceaccount.com",
    "thumbprint A1:B2:C3:D4:E5:F6:07:18",
    "Secret ID 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, until 2028-11-21",
    "the client ID is 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11",
    "key IDs 0123456789abcdef0123456789abcdef01234567 and 89abcdef0123456789abcdef0123456701234567",
    "the token was revoked, the password is still the one in the vault",
    "role GAINSIGHT_READ, warehouse GAINSIGHT_WH, database ANALYTICS",
    "2026-11-21T10:02:03.123456Z",
    "die Prüfung durch José, 成功",
];

/// Everything below a folder, in one.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    rotate_fixtures::has(bytes, text.as_bytes())
}

/// The longest word, which is the secret itself where there are words around it.
fn core(secret: &str) -> &str {
    secret.split([' ', '\'', '"']).max_by_key(|word| word.len()).unwrap()
}

#[test]
fn evidence_that_looks_like_a_secret_is_refused_not_stored_and_not_echoed() {
    let (mut taken, mut told) = (Vec::new(), Vec::new());
    for secret in SECRETS {
        let desk = Desk::opened();
        for arguments in [
            vec!["done", TARGET, "1", "--evidence", secret],
            vec!["-vvv", "done", TARGET, "1", "--evidence", secret],
            vec!["done", TARGET, "--skip", "1", "--why", secret],
            vec!["--output", "json", "done", TARGET, "1", "--evidence", secret],
        ] {
            let mut command = desk.command(arguments.iter().copied());
            command.env("RUST_LOG", "trace");
            let output = command.output().unwrap();
            if output.status.code() != Some(64) {
                taken.push(*secret);
                break;
            }
            let said = [output.stdout, output.stderr, bytes_below(&desk.path(""))].concat();
            if holds(&said, secret) || holds(&said, core(secret)) {
                told.push(*secret);
                break;
            }
            assert_eq!(desk.journal(), ["walk-opened"]);
        }
    }
    assert!(
        taken.is_empty() && told.is_empty(),
        "taken as notes: {taken:#?}\nechoed or kept: {told:#?}"
    );
}

#[test]
fn notes_that_are_no_secrets_are_taken_and_kept_as_they_are() {
    let mut refused = Vec::new();
    for note in NOTES {
        let desk = Desk::opened();
        if desk.run(["done", TARGET, "1", "--evidence", note]).code != Some(0) {
            refused.push(note);
            continue;
        }
        let kept = desk.target()["steps"][0]["tick"]["outcome"]["done"]["evidence"].clone();
        assert_eq!(kept, *note);
    }
    assert!(
        refused.is_empty(),
        "refused, although they are no secrets: {refused:#?}"
    );
}

#[test]
fn what_was_refused_may_be_said_in_other_words() {
    let desk = Desk::opened();
    desk.run(["done", TARGET, "1", "--evidence", "password=hunter2hunter"])
        .expect(64)
        .says(&["--evidence", "it was not kept", "nothing was ticked"]);
    desk.run(["done", TARGET, "1", "--evidence", "the password is in the vault"])
        .expect(0);
    desk.verify();
}

#[test]
fn a_command_line_that_is_wrong_does_not_echo_the_evidence() {
    let desk = Desk::opened();
    let secret = "Zx8kQ2mV9tR4wY7zB1nP";
    for arguments in [
        vec!["done", TARGET, "--evidence", secret],
        vec!["done", TARGET, "1", "--skip", "1", "--evidence", secret],
        vec!["done", TARGET, "1", "--evidence", secret, "--evidence", secret],
        vec!["done", TARGET, "1", "--why", secret],
        vec!["done", TARGET, "1", secret],
        vec!["done", TARGET, "1", "--evidense", secret],
        vec!["done", TARGET, secret],
    ] {
        let ran = desk.run(arguments.iter().copied());
        assert!(matches!(ran.code, Some(64 | 1)), "{arguments:?}: {:?}", ran.code);
        assert!(
            !ran.stderr.contains(secret) && !ran.stdout.contains(secret),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn the_identity_and_the_journal_of_a_guided_rotation_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::opened();
    desk.done("1");
    for entry in std::fs::read_dir(desk.state()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}
