//! Accounts that wrong tries may lock: nobody risks that who was not told to.

use std::fs;

use rotate_fixtures::place::Ran;
use rotate_fixtures::probed_vendor::Said;

use super::desk::{AGENT, Desk, verdict};

#[test]
fn an_old_password_is_tried_only_where_somebody_takes_the_risk_and_once() {
    let desk = Desk::new();
    let old = [
        "custom-rest-api",
        "--probe-url",
        "https://api.acme.example/v1/me",
        "--probe-marker",
        "email",
        "--kind",
        "password",
        "--probe-user",
        "gainsight",
        "--old",
    ];
    desk.vendor.says(Said::json(401, "{}"));
    desk.verify(old)
        .expect(64)
        .says(&["an old password was not tried", "--old --risk-lockout"]);
    assert!(desk.vendor.asked().is_empty() && desk.vendor.hosts().is_empty());
    let ran = desk.verify(old.into_iter().chain(["--risk-lockout"])).expect(0);
    assert_eq!(verdict(&ran).0, "rejected");
    assert_eq!(desk.vendor.asked().len(), 1);
}

#[test]
fn doctor_tries_no_password_although_run_may() {
    let desk = Desk::new();
    let text = format!(
        "[[target]]\nname = \"api\"\nconnector = \"custom-rest-api\"\nkind = \"password\"\nprobe_user = \"gainsight\"\n\
         probe_marker = \"id\"\nprobe_url = \"https://api.acme.example/me\"\nlast_rotated = \"2026-11-01\"\n\
         secret_file = \"{}\"\nverify_every = \"7d\"\nrisk_lockout = true\n",
        desk.place.path("secret").display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
    desk.vendor.says(Said::json(200, AGENT));
    let allowed = |command: &'static str| Ran::of(desk.command([command, "--allow-endpoint", "api.acme.example"]));
    let ran = allowed("doctor").expect(0);
    assert!(ran.stdout.contains("doctor keeps no record"), "{ran:#?}");
    assert!(desk.vendor.asked().is_empty(), "it was tried");
    allowed("run").expect(0);
    assert_eq!(desk.vendor.asked().len(), 1);
}

#[test]
fn a_refusal_stays_known_where_a_later_try_says_nothing() {
    let desk = Desk::new();
    let text = format!(
        "[[target]]\nname = \"acme\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nlast_rotated = \"2026-11-01\"\n\
         secret_file = \"{}\"\nverify_every = \"7d\"\n",
        desk.place.path("secret").display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
    desk.vendor.says(Said::json(401, "{}"));
    Ran::of(desk.command(["run"])).expect(3);
    desk.vendor.says(Said::json(403, "{}"));
    Ran::of(desk.command(["verify", "acme"])).expect(1);
    assert_eq!(desk.vendor.asked().len(), 1);
    let ran = Ran::of(desk.command(["run"])).expect(3);
    assert!(ran.stdout.contains("has refused its credential (http-401)"), "{ran:#?}");
    assert_eq!(desk.vendor.asked().len(), 1, "it was tried again");
}
