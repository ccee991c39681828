//! Several targets of one account: what is tried once, what is tried for each, and what is told where their secrets differ.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::place::Ran;
use rotate_fixtures::probed_vendor::Said;

use super::desk::{AGENT, CANARY, Desk};

/// Holds another secret in another file.
fn hold(desk: &Desk, name: &str, secret: &str) {
    let path = desk.place.path(name);
    fs::write(&path, secret).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Targets of these names, whose secrets are in files of the same names.
fn fleet(desk: &Desk, names: &[&str], keys: &str) {
    let mut text = "[defaults]\nconcurrency = 1\n".to_owned();
    for name in names {
        let file = desk.place.path(name);
        writeln!(
            text,
            "[[target]]\nname = \"{name}\"\nlast_rotated = \"2026-11-01\"\nverify_every = \"7d\"\nsecret_file = \"{}\"\n{keys}",
            file.display()
        )
        .unwrap();
    }
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
}

#[track_caller]
fn run(desk: &Desk, exit: i32) -> Ran {
    let ran = Ran::of(desk.command(["run", "--allow-endpoint", "api.acme.example"])).expect(exit);
    desk.expect_no_canary(&ran);
    ran
}

const KEY: &str = "connector = \"freshdesk\"\ndomain = \"acme\"\n";
/// Of the same account at the same host, whatever is read there.
const PASSWORD: &str = "connector = \"custom-rest-api\"\nkind = \"password\"\nprobe_user = \"gainsight\"\nrisk_lockout = true\n\
    probe_marker = \"email\"\n";

fn password(path: &str) -> String {
    format!("{PASSWORD}probe_url = \"https://api.acme.example/{path}\"\n")
}

#[test]
fn one_secret_in_two_files_is_tried_once() {
    let desk = Desk::new();
    for keys in [KEY.to_owned(), password("me")] {
        hold(&desk, "one", CANARY);
        hold(&desk, "two", CANARY);
        fleet(&desk, &["one", "two"], &keys);
        desk.vendor.says(Said::json(401, "{}"));
        let ran = run(&desk, 3);
        assert_eq!(
            ran.stdout.matches("has refused its credential").count(),
            2,
            "{}",
            ran.stdout
        );
        assert_eq!(desk.vendor.asked().len(), 1, "{keys}");
        fs::remove_dir_all(desk.place.state()).unwrap();
    }
}

#[test]
fn an_account_that_wrong_tries_lock_is_tried_with_one_secret_and_it_is_told_with_which() {
    let desk = Desk::new();
    hold(&desk, "one", CANARY);
    hold(&desk, "two", &format!("{CANARY}-other"));
    fleet(&desk, &["one", "two"], &password("me"));
    // Another thing that is read there is no other account.
    let path = desk.place.path("rotate.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (first, second) = text.rsplit_once("example/me").unwrap();
    fs::write(&path, format!("{first}example/you{second}")).unwrap();
    desk.vendor.says(Said::json(200, r#"{"email":"a@b.example"}"#));
    let ran = run(&desk, 0);
    assert_eq!(desk.vendor.asked().len(), 1, "{ran:#?}");
    let told = format!("{} holds another secret than ", desk.place.path("two").display());
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    let told = format!(
        "{}, with which one was tried just now (accepted)",
        desk.place.path("one").display()
    );
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    let journal = desk.run(["audit"]).expect(0).stdout;
    assert!(journal.contains("inconclusive (another-secret)"), "{journal}");
    // It is on record, and not tried in the next minute either.
    desk.vendor.says(Said::json(401, "{}"));
    run(&desk, 0);
    assert!(desk.vendor.asked().is_empty());
}

#[test]
fn where_nothing_was_sent_for_one_target_another_of_its_account_is_tried_itself() {
    let desk = Desk::new();
    for name in ["one", "two"] {
        hold(&desk, name, CANARY);
    }
    hold(&desk, "authorities", "no certificate");
    fleet(&desk, &["one", "two"], &password("me"));
    let path = desk.place.path("rotate.toml");
    let text = fs::read_to_string(&path).unwrap();
    let authorities = desk.place.path("authorities").display().to_string();
    let own = format!("ca_file = \"{authorities}\"\nverify_every");
    fs::write(&path, text.replacen("verify_every", &own, 1)).unwrap();
    desk.vendor.says(Said::json(200, r#"{"email":"a@b.example"}"#));
    run(&desk, 0);
    assert_eq!(desk.vendor.asked().len(), 1);
    let journal = desk.run(["audit"]).expect(0).stdout;
    for said in ["inconclusive (authorities)", "accepted (http-200)"] {
        assert!(journal.contains(said), "{journal}");
    }
}

#[test]
fn two_keys_that_lock_nobody_are_each_tried() {
    let desk = Desk::new();
    hold(&desk, "one", CANARY);
    hold(&desk, "two", &format!("{CANARY}-other"));
    fleet(&desk, &["one", "two"], KEY);
    desk.vendor
        .says_in_turn([Said::json(200, AGENT), Said::json(401, "{}")]);
    let ran = run(&desk, 3);
    assert_eq!(desk.vendor.asked().len(), 2);
    assert_eq!(
        ran.stdout.matches("has refused its credential").count(),
        1,
        "{}",
        ran.stdout
    );
}
