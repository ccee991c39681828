//! The administrator is not let in: each reason is told from the others, with what fixes it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rotate_fixtures::snowflake::{Action, EC_P8, ENCRYPTED_P8, Fault, GARBAGE_P8, PKCS1_PEM, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};
use serde_json::json;

use super::{ROTATE, expect_no_rotation, put, refused, refused_again};

#[test]
fn a_wrong_account_is_named() {
    for (status, way_out) in [(404, "--account"), (403, "there may be no account")] {
        let place = SnowflakeWorkplace::new(ROTATE);
        place.cloud.unknown_account_status(status);
        let status = status.to_string();
        let words = ["OTHERORG-OTHERACCT", &status, way_out, "nothing was changed"];
        refused(&place, 1, &words, || {
            let mut command = place.rotate([""; 0]);
            command.env("SNOWFLAKE_ACCOUNT", "OTHERORG-OTHERACCT");
            command
        });
        let endpoint = place.cloud.endpoint();
        refused_again(&place, &words, || {
            place.rotate(["--account", "OTHERORG-OTHERACCT", "--endpoint-url", &endpoint])
        });
        place.expect_untouched();
    }
}

#[test]
fn a_wrong_password_is_told_with_the_command_that_tries_it() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let words = [
        "the password of ROTATE_ADMIN in account TESTORG-TESTACCT is wrong",
        "snow connection test",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_PASSWORD", "hunter2-canary");
        command
    });
    assert!(!ran.stderr.contains("hunter2-canary"));
    place.expect_untouched();
    // One attempt: a few in a row lock the user.
    let before = place.cloud.count_of(Action::Login);
    let mut command = place.rotate([""; 0]);
    command.env("SNOWFLAKE_PASSWORD", "hunter2-canary");
    Ran::of(command).expect(1);
    assert_eq!(place.cloud.count_of(Action::Login), before + 1);
}

#[test]
fn an_administrators_key_that_snowflake_refuses_is_told_with_the_incident() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("admin.p8"), TestKey::numbered(4).private_pem());
    let words = [
        "does not accept the key of ROTATE_ADMIN in account TESTORG-TESTACCT",
        "390144",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || with_key_file(&place, "admin.p8"));
    // With its number an administrator of the account finds the reason.
    let incident = ran.stderr.split("request ").nth(1).and_then(|rest| rest.get(..36));
    assert!(
        place.cloud.failure_reason(incident.unwrap()).is_some(),
        "{}",
        ran.stderr
    );
    place.expect_untouched();
}

/// The one-shot command, with the administrator logging in with this private key.
fn with_key_file(place: &SnowflakeWorkplace, name: &str) -> Command {
    let mut command = place.rotate([""; 0]);
    command
        .env_remove("SNOWFLAKE_PASSWORD")
        .env("SNOWFLAKE_PRIVATE_KEY_FILE", place.path(name));
    command
}

#[test]
fn an_administrators_key_file_that_cannot_be_used_is_told_before_any_call() {
    let place = SnowflakeWorkplace::new(ROTATE);
    for (name, bytes, words) in [
        ("pkcs1.pem", PKCS1_PEM, &["PKCS#1", "openssl pkcs8"][..]),
        ("ec.p8", EC_P8, &["not an RSA key"]),
        ("empty.p8", "", &["is empty"]),
        ("garbage.p8", GARBAGE_P8, &["damaged"]),
        ("text.p8", "hello", &["not a private key"]),
    ] {
        put(&place.path(name), bytes);
        refused_again(&place, &[name, "private key"], || with_key_file(&place, name));
        refused_again(&place, words, || with_key_file(&place, name));
    }
    put(&place.path("open.p8"), TestKey::numbered(4).private_pem());
    fs::set_permissions(place.path("open.p8"), fs::Permissions::from_mode(0o644)).unwrap();
    refused_again(&place, &["open.p8", "chmod"], || with_key_file(&place, "open.p8"));
    refused_again(&place, &["missing.p8", "cannot be found"], || {
        with_key_file(&place, "missing.p8")
    });
    assert!(place.cloud.calls().is_empty());
    place.expect_untouched();
}

#[test]
fn an_administrators_encrypted_key_asks_for_its_passphrase() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("admin.p8"), ENCRYPTED_P8);
    let words = ["admin.p8", "the passphrase does not open it", "nothing was changed"];
    refused(&place, 1, &words, || {
        let mut command = with_key_file(&place, "admin.p8");
        command.env("PRIVATE_KEY_PASSPHRASE", "battery staple");
        command
    });
    let words = [
        "admin.p8",
        "is encrypted",
        "PRIVATE_KEY_PASSPHRASE",
        "nothing was changed",
    ];
    refused_again(&place, &words, || with_key_file(&place, "admin.p8"));
    assert!(place.cloud.calls().is_empty());
    place.expect_untouched();
}

/// A server that answers every request in the same way.
struct Answering {
    port: u16,
}

impl Answering {
    fn with(status: &str, header: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let length = body.len();
        let reply =
            format!("HTTP/1.1 {status}\r\n{header}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                stream.read_exact(&mut vec![0; length]).unwrap();
                stream.get_mut().write_all(reply.as_bytes()).unwrap();
            }
        });
        Self { port }
    }

    /// Refuses every login with this message, as Snowflake does.
    fn refusing_logins(message: &str) -> Self {
        let body = json!({ "data": null, "code": "394507", "message": message, "success": false, "headers": null });
        Self::with("200 OK", "content-type: application/json", &body.to_string())
    }
}

#[test]
fn a_second_factor_that_is_asked_for_is_told_with_ways_to_log_in_without_one() {
    for message in [
        "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.",
        "Failed to authenticate: MFA authentication is required, but none of your current MFA methods are supported for \
         programmatic authentication. Speak to your Snowflake account administrator to get programmatic access to \
         Snowflake using alternative methods.",
        "MFA with TOTP is required. To authenticate, provide both your password and a current TOTP passcode.",
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let snowflake = Answering::refusing_logins(message);
        let words = [
            "second factor",
            "ROTATE_ADMIN",
            "SNOWFLAKE_PRIVATE_KEY_FILE",
            "nothing was changed",
        ];
        let ran = refused(&place, 1, &words, || {
            let mut command = place.rotate([""; 0]);
            command.env("SNOWFLAKE_PORT", snowflake.port.to_string());
            command
        });
        // Neither the password nor this machine's address is what stands in the way.
        assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("this machine's address"), "{}", ran.stderr);
        place.expect_untouched();
    }
}

#[test]
fn an_administrator_that_is_locked_or_disabled_is_told_apart_from_a_wrong_password() {
    for word in ["locked", "disabled"] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let admin = place.cloud.admin_user().to_owned();
        match word {
            "locked" => place.cloud.set_locked(&admin, true),
            _ => place.cloud.set_disabled(&admin, true),
        }
        let words = ["ROTATE_ADMIN", word, "ALTER USER", "nothing was changed"];
        let ran = refused(&place, 1, &words, || place.rotate([""; 0]));
        assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
        // To run it elsewhere would not help.
        assert!(!ran.stderr.contains("this machine's address"), "{}", ran.stderr);
        place.expect_untouched();
    }
}

#[test]
fn a_network_policy_against_the_administrator_is_told_apart_from_a_wrong_password() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.network_policy(place.cloud.admin_user(), true);
    let words = [
        "network policy",
        "390422",
        "this machine's address",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || place.rotate([""; 0]));
    assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
    place.expect_untouched();
}

#[test]
fn a_network_policy_against_the_user_ends_the_tries_at_once_and_the_consumer_can_prove_the_key_instead() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let beforehand = "? network policy CONSUMERS_ONLY: it says from where GS_GAINSIGHT_USER may log in";
    let dry = || Ran::of(place.rotate(["--dry-run"])).expect(0).stdout;
    assert!(!dry().contains("network policy"), "{}", dry());
    place.cloud.network_policy(USER, true);
    assert!(dry().contains(beforehand), "{}", dry());
    let ran = Ran::of(place.rotate([""; 0])).expect(1).says(&[
        "cannot be proven from here",
        "GS_GAINSIGHT_USER",
        "network policy",
        "with --prove consumer",
    ]);
    assert!(!ran.stderr.contains("does not accept the key"), "{}", ran.stderr);
    assert_eq!(place.state_name(), "aborted");
    let [first, second] = place.fingerprints();
    assert_eq!((first.as_deref(), second), (Some(place.old.fingerprint()), None));
    assert!(!place.delivered().exists());

    Ran::of(place.rotate(["--prove", "consumer"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert!(place.delivered().exists());
    place.cloud.network_policy(USER, false);
    assert!(place.holder_of(&place.delivered()).works() && place.consumer().works());
}

#[test]
fn a_host_that_is_not_reached_is_named() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words = [
        "127.0.0.1",
        "TESTORG-TESTACCT",
        "was not reached",
        "check the network",
        "nothing was changed",
    ];
    refused(&place, 1, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_PORT", closed.to_string());
        command
    });
    place.expect_untouched();
}

/// Runs a command that must end by itself, long before this.
fn within(limit: Duration, mut command: Command) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + limit;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within {limit:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Slow: the program waits for some 25 seconds, and once; 30 are the most that it may take. The vendor's client alone would
/// wait for two minutes.
#[test]
fn a_login_that_hangs_is_given_up() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let hang = Duration::from_secs(150);
    place.cloud.break_every(Action::Login, Fault::HangBefore(hang));
    within(Duration::from_secs(30), place.rotate([""; 0])).expect(1).says(&[
        "no answer from 127.0.0.1",
        "TESTORG-TESTACCT",
        "in time",
        "check the network",
        "nothing was changed",
    ]);
    place.cloud.mend();
    expect_no_rotation(&place);
    place.expect_untouched();
}
