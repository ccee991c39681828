//! Where a credential is sent, and where never.

use std::process::Command;

use rotate_fixtures::place::Ran;
use rotate_fixtures::{HttpsProxy, Trap};

use super::desk::{Desk, verdict};

fn class(ran: &Ran) -> String {
    let (verdict, class) = verdict(ran);
    assert_eq!(verdict, "inconclusive");
    class
}

/// Without a proxy: names and addresses are looked at here.
fn directly(desk: &Desk, arguments: &[&str]) -> Ran {
    let fixed = [
        "--output",
        "json",
        "verify",
        "--secret-file",
        "secret",
        "--time-out",
        "2s",
    ];
    let mut command: Command = desk.command(fixed.iter().chain(arguments).copied());
    command.env_remove("HTTPS_PROXY");
    let ran = Ran::of(command);
    desk.expect_no_canary(&ran);
    ran
}

#[test]
fn a_host_that_is_not_the_vendors_gets_nothing_unless_a_person_names_it() {
    let desk = Desk::new();
    for tenant in [
        "evil.example",
        "gainsightcloud.com.evil.example",
        "evilgainsightcloud.com",
        "gainsightcloud.com",
        "10.0.0.1",
    ] {
        let ran = desk.verify(["bulk-api", "--tenant", tenant]).expect(1);
        assert_eq!(class(&ran), "host", "{tenant}");
        let reason = ran.json()["verification"]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(&format!("--allow-host {tenant}")), "{reason}");
    }
    assert!(desk.vendor.hosts().is_empty());
    desk.vendor
        .says(rotate_fixtures::probed_vendor::Said::json(200, r#"{"result":true}"#));
    let ran = desk
        .verify([
            "bulk-api",
            "--tenant",
            "cs.acme.example",
            "--allow-host",
            "cs.acme.example",
        ])
        .expect(0);
    assert_eq!(desk.vendor.hosts(), ["cs.acme.example"]);
    assert_eq!(ran.json()["verification"]["through_proxy"], true);
}

#[test]
fn a_private_address_gets_nothing_and_one_of_this_machine_or_link_alone_never() {
    let desk = Desk::new();
    let to = |address: &str, more: &[&str]| {
        let fixed = ["bulk-api", "--tenant", address, "--allow-host", address];
        let arguments: Vec<&str> = fixed.iter().chain(more).copied().collect();
        class(&directly(&desk, &arguments).expect(1))
    };
    for private in ["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"] {
        assert_eq!(to(private, &[]), "private-address", "{private}");
    }
    for never in ["169.254.169.254", "100.100.100.200", "0.0.0.0"] {
        assert_eq!(to(never, &["--allow-private"]), "address", "{never}");
    }
}

#[test]
fn an_address_is_looked_at_here_also_where_a_proxy_would_call_it() {
    let desk = Desk::new();
    for (address, more, expected) in [
        ("10.0.0.1", &[][..], "private-address"),
        ("169.254.169.254", &["--allow-private"], "address"),
    ] {
        let tried = ["bulk-api", "--tenant", address, "--allow-host", address];
        let ran = desk.verify(tried.iter().chain(more).copied()).expect(1);
        assert_eq!(class(&ran), expected);
    }
    assert!(desk.vendor.hosts().is_empty(), "the proxy was asked");
}

/// The same in a mount namespace of its own, in which the vendor's name leads there.
fn with_the_vendor_at(address: &str, desk: &Desk, arguments: &[&str]) -> Ran {
    const MOUNT: &str = "mount --bind \"$0\" /etc/hosts || { echo 'mount: not permitted' >&2; exit 99; }; exec \"$@\"";
    let hosts = desk.place.path("hosts");
    std::fs::write(&hosts, format!("{address} acme.freshdesk.com\n")).unwrap();
    let fixed = [
        "--output",
        "json",
        "verify",
        "--secret-file",
        "secret",
        "--time-out",
        "2s",
    ];
    let tried = ["freshdesk", "--domain", "acme"];
    let command = desk.command(fixed.iter().chain(&tried).chain(arguments).copied());
    let mut mounted = rotate_fixtures::tool("unshare");
    if !rustix::process::geteuid().is_root() {
        mounted.arg("--map-root-user");
    }
    mounted.args(["--mount", "sh", "-c", MOUNT]).arg(&hosts);
    mounted.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mounted.env(name, value),
            None => mounted.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        mounted.current_dir(folder);
    }
    mounted.env_remove("HTTPS_PROXY");
    let ran = Ran::of(mounted);
    assert!(
        ran.code != Some(99) && !ran.stderr.starts_with("unshare:"),
        "this test needs `unshare` and a kernel that lets this user mount in a namespace of their own: {}",
        ran.stderr
    );
    desk.expect_no_canary(&ran);
    ran
}

#[test]
fn a_vendors_name_that_leads_to_a_private_address_gets_nothing() {
    let desk = Desk::new();
    for private in ["10.0.0.1", "127.0.0.1", "fd00::1"] {
        let ran = with_the_vendor_at(private, &desk, &[]).expect(1);
        assert_eq!(class(&ran), "private-address", "{private}");
        assert!(ran.stdout.contains("acme.freshdesk.com leads to"), "{}", ran.stdout);
    }
    for never in ["169.254.169.254", "fe80::1"] {
        let ran = with_the_vendor_at(never, &desk, &["--allow-private"]).expect(1);
        assert_eq!(class(&ran), "address", "{never}");
    }
    // Where a person says that it is right, it is called, and nobody is there.
    let ran = with_the_vendor_at("127.0.0.1", &desk, &["--allow-private"]).expect(1);
    assert!(
        ["connection", "tls", "time-out"].contains(&class(&ran).as_str()),
        "{}",
        ran.stdout
    );
}

#[test]
fn who_writes_this_machines_address_means_it_and_is_answered_by_whoever_listens() {
    let desk = Desk::new();
    let trap = Trap::set();
    let port = trap.address().to_string();
    assert!(port.starts_with("127.0.0.1"), "{port}");
    // Nobody listens at the port of https, or it is no TLS: in either case nothing is known of the credential.
    let ran = directly(
        &desk,
        &["bulk-api", "--tenant", "127.0.0.1", "--allow-host", "127.0.0.1"],
    )
    .expect(1);
    assert!(
        ["connection", "tls", "time-out"].contains(&class(&ran).as_str()),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_name_that_nobody_knows_is_no_verdict() {
    let desk = Desk::new();
    let ran = directly(&desk, &["freshdesk", "--domain", "no-such-name.invalid-test"]);
    assert_eq!(ran.code, Some(64), "a dot is no part of it");
    let tenant = "no-such-host.invalid";
    let ran = directly(&desk, &["bulk-api", "--tenant", tenant, "--allow-host", tenant]).expect(1);
    assert_eq!(class(&ran), "dns");
}

/// The command that tries a credential of one tenant, for a test to change what is around it.
fn trying_freshdesk(desk: &Desk) -> Command {
    desk.command([
        "--output",
        "json",
        "verify",
        "--secret-file",
        "secret",
        "freshdesk",
        "--domain",
        "acme",
    ])
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_and_the_credential_stays_here() {
    let desk = Desk::new();
    let mut command = trying_freshdesk(&desk);
    command.env("SSL_CERT_FILE", desk.place.path("other.pem"));
    let other = HttpsProxy::start("http://127.0.0.1:9");
    std::fs::write(desk.place.path("other.pem"), other.authority()).unwrap();
    let ran = Ran::of(command).expect(1);
    assert_eq!(class(&ran), "tls");
    assert!(ran.stdout.contains("something on the way opens TLS"), "{}", ran.stdout);
    assert!(desk.vendor.asked().is_empty());
}

#[test]
fn a_proxy_that_is_not_there_is_no_verdict() {
    let desk = Desk::new();
    let mut command = trying_freshdesk(&desk);
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    let ran = Ran::of(command).expect(1);
    assert_eq!(class(&ran), "connection");
}

#[test]
fn where_there_is_no_probe_nobody_is_asked_for_a_secret_and_the_reason_is_told() {
    let desk = Desk::new();
    let ran = Ran::of(desk.command(["verify", "jira"])).expect(1);
    assert!(
        ran.stdout.contains("there is no probe: the tokens live in Gainsight"),
        "{}",
        ran.stdout
    );
    let ran = Ran::of(desk.command(["verify", "mixpanel", "--kind", "project-secret"])).expect(1);
    assert!(ran.stdout.contains("--kind service-account alone"), "{}", ran.stdout);
    assert!(desk.vendor.hosts().is_empty());
}

#[test]
fn what_is_missing_or_not_known_is_told_before_anybody_is_asked_for_a_secret() {
    let desk = Desk::new();
    for (arguments, why) in [
        (
            &["verify", "zuora", "--host", "rest.zuora.com"][..],
            "it cannot be tried without: --client-id",
        ),
        (
            &["verify", "freshdesk", "--tenant", "acme.gainsightcloud.com"],
            "freshdesk is not told --tenant",
        ),
        (&["verify", "freshdesk", "--domain", "ACME!"], "--domain should be"),
        (&["verify", "no-such-thing"], "neither a target nor a connector"),
        (&["verify", "freshdesc"], "did you mean freshdesk?"),
    ] {
        Ran::of(desk.command(arguments.iter().copied())).expect(64).says(&[why]);
    }
    assert!(desk.vendor.hosts().is_empty());
}
