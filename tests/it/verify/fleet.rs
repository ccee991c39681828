//! A fleet tries the credentials of its guided targets: a dead one is found before its consumer's first failed job.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use rotate_fixtures::place::Ran;
use rotate_fixtures::probed_vendor::Said;

use super::desk::{AGENT, CANARY, Desk};

/// A fleet of these, whose secret is the file of the desk.
fn fleet(desk: &Desk, names: &[&str], more: &str) {
    let secret = desk.place.path("secret");
    let mut text = String::new();
    for name in names {
        let domain = name.split('-').next().unwrap();
        writeln!(
            text,
            "[[target]]\nname = \"{name}\"\nconnector = \"freshdesk\"\ndomain = \"{domain}\"\nlast_rotated = \"2026-11-01\"\n\
             secret_file = \"{}\"\n{more}",
            secret.display()
        )
        .unwrap();
    }
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
}

/// The same so many days later.
#[track_caller]
fn later(desk: &Desk, days: u32, arguments: &[&str]) -> Ran {
    let mut command: Command = desk.command(arguments.iter().copied());
    command.env("ROTATE_TEST_CLOCK_AHEAD", (days * 86_400).to_string());
    let ran = Ran::of(command);
    desk.expect_no_canary(&ran);
    ran
}

#[test]
fn run_tries_a_credential_as_often_as_the_file_says_and_a_dead_one_once() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "verify_every = \"7d\"\n");
    desk.vendor.says(Said::json(200, AGENT));
    later(&desk, 0, &["run"]).expect(0);
    assert_eq!(desk.vendor.asked().len(), 1);
    later(&desk, 6, &["run"]).expect(0);
    assert_eq!(desk.vendor.asked().len(), 1, "it was tried before its time");
    later(&desk, 8, &["run"]).expect(0);
    assert_eq!(desk.vendor.asked().len(), 2);

    desk.vendor.says(Said::json(401, "{}"));
    let ran = later(&desk, 16, &["run"]).expect(3);
    assert!(
        ran.stdout.contains("the vendor has refused its credential (http-401)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(" verify acme"), "{}", ran.stdout);
    later(&desk, 30, &["run"]).expect(3);
    later(&desk, 30, &["doctor"]).expect(1);
    assert_eq!(desk.vendor.asked().len(), 1, "what was refused was tried again");

    // A person looks, and puts the right one in its place.
    later(&desk, 30, &["verify", "acme"]).expect(3);
    desk.vendor.says(Said::json(200, AGENT));
    later(&desk, 30, &["verify", "acme"]).expect(0);
    later(&desk, 30, &["run"]).expect(0);
    let journal = desk.run(["audit"]).expect(0).stdout;
    assert!(
        journal.contains("tried  the present credential by rotate: rejected (http-401)"),
        "{journal}"
    );
    desk.run(["audit", "verify"]).expect(0);
}

#[test]
fn what_is_inconclusive_is_no_alarm_and_is_tried_at_the_next_run() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "verify_every = \"7d\"\n");
    desk.vendor.says(Said::json(403, "{}"));
    later(&desk, 0, &["run"])
        .expect(0)
        .says(&["refused without a word about the credential"]);
    desk.vendor.says(Said::json(200, AGENT));
    later(&desk, 1, &["run"]).expect(0);
    assert_eq!(desk.vendor.asked().len(), 1);
}

#[test]
fn several_targets_of_one_account_share_one_try() {
    let desk = Desk::new();
    fleet(&desk, &["acme-one", "acme-two", "other-one"], "verify_every = \"7d\"\n");
    desk.vendor.says(Said::json(401, "{}"));
    let ran = later(&desk, 0, &["run"]).expect(3).says(&["3 refused"]);
    assert_eq!(
        ran.stdout.matches("the vendor has refused").count(),
        3,
        "{}",
        ran.stdout
    );
    assert_eq!(desk.vendor.asked().len(), 2);
}

#[test]
fn doctor_tries_and_writes_nothing_and_plan_sends_nothing() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "");
    desk.vendor.says(Said::json(200, AGENT));
    for silent in [
        &["plan"][..],
        &["status"],
        &["freshdesk", "--domain", "acme", "--dry-run"],
        &["run"],
    ] {
        later(&desk, 0, silent).expect(0);
    }
    assert!(desk.vendor.hosts().is_empty(), "a credential was sent");
    let before = desk.run(["audit"]).stdout;
    let ran = later(&desk, 0, &["doctor"]).expect(0);
    assert!(
        ran.stdout.contains("ok  its credential, tried at the vendor"),
        "{}",
        ran.stdout
    );
    desk.vendor.says(Said::json(401, "{}"));
    let ran = later(&desk, 0, &["doctor"]).expect(1);
    assert!(
        ran.stdout.contains("Freshdesk does not take this key (http-401)"),
        "{}",
        ran.stdout
    );
    desk.vendor.says(Said::json(500, "{}"));
    let ran = later(&desk, 0, &["doctor"]).expect(0);
    assert!(
        ran.stdout.contains("the vendor has a fault of its own"),
        "{}",
        ran.stdout
    );
    assert_eq!(desk.run(["audit"]).stdout, before);
}

#[test]
fn while_its_rotation_is_open_it_is_not_tried() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "verify_every = \"7d\"\n");
    desk.run(["freshdesk", "--domain", "acme", "--begin"]).expect(0);
    later(&desk, 0, &["run"]).expect(0);
    let ran = later(&desk, 0, &["doctor"]).expect(0);
    assert!(ran.stdout.contains("its rotation is open"), "{}", ran.stdout);
    assert!(desk.vendor.hosts().is_empty());
}

#[test]
fn a_secret_that_cannot_be_read_or_cannot_be_it_is_told_by_its_place_and_not_sent() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "");
    desk.hold(&format!("{CANARY}\nand more"));
    let ran = later(&desk, 0, &["doctor"]).expect(0);
    assert!(ran.stdout.contains("it has several lines"), "{}", ran.stdout);
    fs::remove_file(desk.place.path("secret")).unwrap();
    let ran = later(&desk, 0, &["doctor"]).expect(0);
    assert!(ran.stdout.contains("it cannot be found"), "{}", ran.stdout);
    assert!(desk.vendor.hosts().is_empty());
}

#[test]
fn mistakes_of_the_file_are_told() {
    let desk = Desk::new();
    for (more, why) in [
        ("secret_env = \"THE_KEY\"\n", "its secret has several places"),
        ("verify_every = \"often\"\n", "verify_every"),
        (
            "secret_credential = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY\"\n",
            "never the secret",
        ),
    ] {
        fleet(&desk, &["acme"], more);
        let ran = later(&desk, 0, &["plan"]).expect(64).says(&[why]);
        assert!(!ran.stderr.contains("wJalrXUtn"), "{}", ran.stderr);
    }
    let file = "[[target]]\nname = \"j\"\nconnector = \"jira\"\nsite = \"acme\"\nsecret_env = \"X\"\n";
    fs::write(desk.place.path("rotate.toml"), file).unwrap();
    later(&desk, 0, &["plan"])
        .expect(64)
        .says(&["secret_env", "this key is not known"]);
    let file = "[[target]]\nname = \"f\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nverify_every = \"1d\"\n";
    fs::write(desk.place.path("rotate.toml"), file).unwrap();
    later(&desk, 0, &["plan"])
        .expect(64)
        .says(&["nothing says where the secret is"]);
}

#[test]
fn the_place_of_the_file_holds_no_old_secret() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "");
    desk.vendor.says(Said::json(200, AGENT));
    // Off a terminal it is read from standard input, which is empty here.
    let ran = later(&desk, 0, &["verify", "acme", "--old"]).expect(1);
    assert!(
        desk.vendor.asked().is_empty(),
        "the present secret was tried as the old one: {ran:#?}"
    );
}

#[test]
fn whoever_writes_the_file_does_not_choose_who_gets_a_secret_in_a_check_up() {
    let desk = Desk::new();
    let secret = desk.place.path("secret");
    let text = format!(
        "[[target]]\nname = \"api\"\nconnector = \"custom-rest-api\"\nkind = \"header\"\nprobe_header = \"X-Key\"\n\
         probe_url = \"https://evil.example/me\"\nlast_rotated = \"2026-11-01\"\nsecret_file = \"{}\"\n",
        secret.display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
    desk.vendor.says(Said::json(200, AGENT));
    let ran = later(&desk, 0, &["doctor"]);
    assert!(ran.stdout.contains("--allow-endpoint evil.example"), "{ran:#?}");
    assert!(desk.vendor.asked().is_empty());
}

#[test]
fn an_inconclusive_try_after_a_rotation_is_not_the_refusal_of_before() {
    let desk = Desk::new();
    fleet(&desk, &["acme"], "verify_every = \"1d\"\n");
    desk.vendor.says(Said::json(401, "{}"));
    later(&desk, 0, &["run"]).expect(3);
    let open = [
        "freshdesk",
        "--domain",
        "acme",
        "--agent",
        "gainsight@acme.com",
        "--begin",
    ];
    later(&desk, 1, &open).expect(0);
    for step in 1..=11 {
        let name = step.to_string();
        let skipped = later(&desk, 1, &["done", "acme", "--skip", &name, "--why", "not here"]);
        if step <= 10 {
            skipped.expect(0);
        }
    }
    desk.vendor.says(Said::json(500, "{}"));
    for days in [3, 5] {
        let ran = later(&desk, days, &["run"]);
        assert!(!ran.stdout.contains("has refused"), "{ran:#?}");
    }
}

#[test]
fn a_host_that_the_command_may_call_is_tried_there_for_a_target_too() {
    let desk = Desk::new();
    let text = format!(
        "[[target]]\nname = \"bulk\"\nconnector = \"bulk-api\"\ntenant = \"cs.acme.example\"\nlast_rotated = \"2026-11-01\"\n\
         secret_file = \"{}\"\n",
        desk.place.path("secret").display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
    desk.vendor.says(Said::json(200, r#"{"result":true}"#));
    later(&desk, 0, &["verify", "bulk"]).expect(1);
    assert!(desk.vendor.hosts().is_empty(), "nobody has allowed it");
    later(&desk, 0, &["--allow-endpoint", "cs.acme.example", "verify", "bulk"]).expect(0);
    assert_eq!(desk.vendor.hosts(), ["cs.acme.example"]);
}
