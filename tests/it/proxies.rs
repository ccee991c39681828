//! Proxies: they are used as the vendors' own clients would use them, never for this machine, and their passwords are not
//! seen.
//!
//! Leans on the strict fakes behind a proxy that ends TLS and asks for a login, and on listeners that answer nobody.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rotate_fixtures::{HttpsProxy, Ran, SnowflakeWorkplace, Trap, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const PASSWORD: &str = "canary:c0ffee@word";

fn everything_through(command: &mut Command, proxy: &str) {
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env(name, proxy);
    }
}

#[test]
fn this_machine_is_reached_without_a_proxy() {
    let trap = Trap::set();
    let proxy = format!("http://{}", trap.address());
    let at = SnowflakeWorkplace::new(ROTATE);
    let mut command = at.rotate::<&str>([]);
    everything_through(&mut command, &proxy);
    Ran::of(command).expect(0);
    let at = Workplace::new(ROTATE);
    let mut command = at.rotate::<&str>([]);
    everything_through(&mut command, &proxy);
    Ran::of(command).expect(0);
    assert!(trap.is_untouched(), "the proxy was asked");
}

/// A command that logs in at the account's own host, through this proxy.
fn through(at: &SnowflakeWorkplace, proxy: &HttpsProxy, address: &str) -> Command {
    fs::write(at.path("ca.pem"), proxy.authority()).unwrap();
    let mut command = at.rotate(["--dry-run", "-vv"]);
    command
        .env_remove("SNOWFLAKE_HOST")
        .env_remove("SNOWFLAKE_PORT")
        .env_remove("SNOWFLAKE_PROTOCOL")
        .env("RUST_LOG", "trace")
        .env("HTTPS_PROXY", address)
        .env("SSL_CERT_FILE", at.path("ca.pem"));
    command
}

#[test]
fn a_proxy_gets_its_password_and_nobody_else_sees_it() {
    let at = SnowflakeWorkplace::new(ROTATE);
    let proxy = HttpsProxy::asking(&at.cloud.endpoint(), &format!("us er:{PASSWORD}"));
    let bare = proxy.url().replace("http://", "");
    let right = format!("http://us%20er:canary%3Ac0ffee%40word@{bare}");
    let ran = Ran::of(through(&at, &proxy, &right)).expect(0);
    assert!(
        !ran.stderr.contains("c0ffee") && !ran.stdout.contains("c0ffee"),
        "{ran:#?}"
    );
    assert_eq!(proxy.hosts()[0], "testorg-testacct.snowflakecomputing.com");

    for wrong in [proxy.url(), format!("http://us%20er:c0ffee@{bare}")] {
        let told = format!("the proxy {bare} asks for a user and a password");
        let ran = Ran::of(through(&at, &proxy, &wrong))
            .expect(1)
            .says(&[&told, "HTTPS_PROXY="]);
        assert!(
            !ran.stderr.contains("c0ffee") && !ran.stdout.contains("c0ffee"),
            "{ran:#?}"
        );
    }
    at.expect_untouched();
}

#[test]
fn a_proxy_of_another_kind_is_named_without_its_password() {
    let trap = Trap::set();
    let at = SnowflakeWorkplace::new(ROTATE);
    let proxy = HttpsProxy::start(&at.cloud.endpoint());
    let address = format!("socks5://user:c0ffee@{}", trap.address());
    let told = format!("the proxy {} is not one that rotate can use", trap.address());
    let ran = Ran::of(through(&at, &proxy, &address)).expect(1).says(&[&told]);
    assert!(!ran.stderr.contains("c0ffee"), "{ran:#?}");
    assert!(trap.is_untouched());
}

/// 0.0.0.0 is not the loopback interface, and on Linux leads to this machine all the same.
#[test]
fn what_needs_no_proxy_is_reached_without_one() {
    let (trap, proxy) = (Trap::set(), Trap::set());
    let address = format!("http://{}", proxy.address());
    let port = trap.address().port().to_string();
    let at = SnowflakeWorkplace::new(ROTATE);
    let reach = |no_proxy: &str| {
        let mut command = at.rotate(["--dry-run"]);
        command
            .env("SNOWFLAKE_HOST", "0.0.0.0")
            .env("SNOWFLAKE_PORT", &port)
            .env("SNOWFLAKE_PROTOCOL", "https")
            .env("HTTPS_PROXY", &address)
            .env("NO_PROXY", no_proxy);
        let mut child = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let reached = loop {
            match (!trap.is_untouched(), !proxy.is_untouched()) {
                (false, false) if child.try_wait().unwrap().is_none() => thread::sleep(Duration::from_millis(5)),
                reached => break reached,
            }
        };
        child.kill().unwrap();
        child.wait().unwrap();
        reached
    };
    assert_eq!(reach("0.0.0.0"), (true, false), "NO_PROXY is not obeyed");
    assert_eq!(reach("elsewhere.example"), (false, true), "the proxy is not asked");
}
