//! No secret follows an answer elsewhere: a redirect to another host, to plain http or to what is no address at all is
//! refused, told as what it is, and not tried again.
//!
//! Leans on the strict fakes, which can answer any call with a redirect, on a proxy that ends TLS and stands for the vendor's
//! own host, and on a listener that answers nobody: whatever arrived there would be seen.

use std::fs;

use rotate_fixtures::snowflake::{Action as Sf, Fault as SfFault};
use rotate_fixtures::snowflake_workplace::TARGET;
use rotate_fixtures::{Hostile, HttpsProxy, Ran, SnowflakeWorkplace, Trap, Workplace, aws, has};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The fakes keep what they are told for as long as they live.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Where an answer may lead, and what is told of that place.
fn places(trap: &Trap) -> Vec<(&'static str, String)> {
    let address = trap.address();
    let port = address.port();
    vec![
        (
            kept(format!("http://{address}/session")),
            format!("redirect to http://{address};"),
        ),
        (
            kept(format!("https://{address}/session")),
            format!("redirect to https://{address};"),
        ),
        (
            kept(format!("http://localhost:{port}/")),
            format!("redirect to http://localhost:{port};"),
        ),
        (
            kept(format!("//{address}/session")),
            format!("redirect to http://{address};"),
        ),
        (
            "http://user:word@evil.example/a",
            "redirect to http://evil.example;".to_owned(),
        ),
        (
            "https://evil.example/a?b",
            "redirect to https://evil.example;".to_owned(),
        ),
        ("file:///etc/passwd", "redirect that leads nowhere".to_owned()),
        ("gopher://evil.example/", "redirect that leads nowhere".to_owned()),
    ]
}

/// Stops the test if anything that was sent or is known to the fake was printed.
fn hides_all(ran: &Ran, secrets: &[String]) {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for text in [&ran.stdout, &ran.stderr] {
            assert!(
                !has(text.as_bytes(), secret.as_bytes()),
                "a secret was printed: {ran:#?}"
            );
        }
    }
}

#[test]
fn a_login_that_is_answered_with_a_redirect_sends_nothing_there_and_is_not_tried_again() {
    for status in [307, 308] {
        let trap = Trap::set();
        for (place, told) in places(&trap) {
            let at = SnowflakeWorkplace::new(ROTATE);
            at.cloud
                .break_every(Sf::Login, SfFault::Hostile(Hostile::Redirect(status, place)));
            let mut command = at.rotate(["-vv"]);
            command.env("RUST_LOG", "trace");
            let ran = Ran::of(command).expect(1).says(&[&told, "it was refused"]);
            hides_all(&ran, &at.cloud.secrets());
            assert!(trap.is_untouched(), "{status} {place} was followed: {ran:#?}");
            assert_eq!(at.cloud.calls().len(), 1, "{status} {place}: {:#?}", at.cloud.calls());
            at.cloud.mend();
            at.expect_untouched();
        }
    }
}

/// The client turns these into a GET without a body, which is refused all the same.
#[test]
fn a_redirect_that_drops_the_body_is_refused_as_well() {
    for status in [301, 302, 303] {
        let trap = Trap::set();
        let place = kept(format!("http://{}/", trap.address()));
        let at = SnowflakeWorkplace::new(ROTATE);
        at.cloud
            .break_every(Sf::Login, SfFault::Hostile(Hostile::Redirect(status, place)));
        Ran::of(at.rotate::<&str>([]))
            .expect(1)
            .says(&["redirect to http://127.0.0.1"]);
        assert!(trap.is_untouched(), "{status} was followed");
    }
}

#[test]
fn no_statement_follows_a_redirect_and_the_rotation_goes_on_afterwards() {
    for action in [Sf::Describe, Sf::SetKey, Sf::UnsetKey] {
        let trap = Trap::set();
        let place = kept(format!("http://{}/", trap.address()));
        let at = SnowflakeWorkplace::new(ROTATE);
        let at_once = ["--cutover", "immediate", "--soak", "0s"];
        at.cloud
            .break_every(action, SfFault::Hostile(Hostile::Redirect(307, place)));
        let ran = Ran::of(at.rotate(at_once))
            .expect(1)
            .says(&["redirect to http://127.0.0.1"]);
        hides_all(&ran, &at.cloud.secrets());
        assert!(trap.is_untouched(), "{action:?} was followed: {ran:#?}");
        assert!(at.consumer().works(), "{action:?}");
        at.cloud.mend();
        Ran::of(at.rotate(at_once)).expect(0);
        assert_eq!(at.state_name(), "done", "{action:?}");
        at.run(["audit", "verify", TARGET]);
    }
}

/// The vendor's own host, over TLS: the tunnel is opened there, and nowhere else.
#[test]
fn through_tls_no_other_host_is_asked_for() {
    let at = SnowflakeWorkplace::new(ROTATE);
    let proxy = HttpsProxy::start(&at.cloud.endpoint());
    fs::write(at.path("ca.pem"), proxy.authority()).unwrap();
    let run = || {
        let mut command = at.rotate(["--dry-run"]);
        command
            .env_remove("SNOWFLAKE_HOST")
            .env_remove("SNOWFLAKE_PORT")
            .env_remove("SNOWFLAKE_PROTOCOL")
            .env("HTTPS_PROXY", proxy.url())
            .env("SSL_CERT_FILE", at.path("ca.pem"));
        Ran::of(command)
    };
    run().expect(0);
    let host = "testorg-testacct.snowflakecomputing.com";
    assert!(proxy.hosts().iter().all(|asked| asked == host), "{:?}", proxy.hosts());
    for place in [
        "https://evil.example/",
        "https://evil.example:8443/",
        "http://testorg-testacct.snowflakecomputing.com/",
        "https://testorg-testacct.snowflakecomputing.com:8443/",
    ] {
        at.cloud
            .break_every(Sf::Login, SfFault::Hostile(Hostile::Redirect(307, place)));
        let told = format!("redirect to {};", place.trim_end_matches('/'));
        let before = at.cloud.calls().len();
        let ran = run().expect(1).says(&[host, &told, "it was refused"]);
        hides_all(&ran, &at.cloud.secrets());
        assert_eq!(at.cloud.calls().len(), before + 1, "{place}: it was tried again");
        assert!(proxy.hosts().iter().all(|asked| asked == host), "{:?}", proxy.hosts());
    }
}

/// AWS's own client follows nothing; this holds it to that.
#[test]
fn aws_never_follows_redirects() {
    use aws::{Action, Fault};
    for status in [301, 302, 303, 307, 308] {
        for action in [
            Action::GetUser,
            Action::ListAccessKeys,
            Action::CreateAccessKey,
            Action::GetCallerIdentity,
            Action::ListObjectsV2,
        ] {
            let trap = Trap::set();
            let place = kept(format!("http://{}/?a", trap.address()));
            let at = Workplace::new(ROTATE);
            at.cloud
                .break_every(action, Fault::Hostile(Hostile::Redirect(status, place)));
            let told = format!("redirect to http://{}", trap.address());
            let options = ["--cutover", "immediate", "--verify-deadline", "1s"];
            let ran = Ran::of(at.rotate(options))
                .expect(1)
                .says(&[&told, "nothing was sent there"]);
            assert!(trap.is_untouched(), "{status} of {action} was followed: {ran:#?}");
            assert!(at.cloud.works(&at.old.id, &at.old.secret), "{action}");
        }
    }
}
