//! What is left of a secret once it has been tried: the program is stopped right before it writes the verdict down, and its memory is
//! looked through.

use std::fs;
use std::process::{Command, Stdio};

use rotate_fixtures::memory_holds;
use rotate_fixtures::probed_vendor::Said;
use rotate_fixtures::stopped::while_process_is_at;

use super::desk::{CANARY, Desk};

/// The secret as it is, and as base64 has it, whose letters stand at one of three places.
const FORMS: [&str; 4] = [
    CANARY,
    "Y2FuYXJ5QzBGRkVFYzBmZmVlNWVjcmV0",
    "NhbmFyeUMwRkZFRWMwZmZlZTVlY3Jld",
    "jYW5hcnlDMEZGRUVjMGZmZWU1ZWNyZX",
];

/// Which of these the program still has in its memory.
fn left_of(target: &str, accepted: &str) -> Vec<&'static str> {
    let desk = Desk::new();
    let secret = desk.place.path("secret");
    let text = format!(
        "[[target]]\nname = \"it\"\n{target}last_rotated = \"2026-11-01\"\nsecret_file = \"{}\"\n",
        secret.display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
    desk.vendor.says(Said::json(200, accepted));
    let mut left = Vec::new();
    let mut command: Command = desk.command(["verify", "it"]);
    command.env_remove("RUST_LOG");
    let ran = while_process_is_at(command, "store: before commit", |process| {
        assert_eq!(desk.vendor.asked().len(), 1, "it was not tried yet");
        left = FORMS
            .into_iter()
            .filter(|form| memory_holds(process, form.as_bytes()))
            .collect();
    });
    ran.expect(0);
    left
}

#[test]
fn a_secret_that_a_process_has_is_found_in_its_memory() {
    let mut child = Command::new("sleep")
        .arg("60")
        .env("SECRET", CANARY)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let is_found = memory_holds(child.id(), CANARY.as_bytes());
    child.kill().and_then(|()| child.wait()).unwrap();
    assert!(is_found);
}

#[test]
fn nothing_is_left_of_a_secret_that_was_sent_in_a_form() {
    let left = left_of(
        "connector = \"zuora\"\nhost = \"rest.na.zuora.com\"\nclient_id = \"client-1\"\n",
        r#"{"access_token":"t"}"#,
    );
    assert!(left.is_empty(), "{left:?}");
}

/// In a head it goes as base64, which the library that speaks HTTP has written into a buffer of its own.
#[test]
fn of_a_secret_that_was_sent_in_a_head_no_copy_of_ours_is_left() {
    let left = left_of("connector = \"freshdesk\"\ndomain = \"acme\"\n", super::desk::AGENT);
    assert!(!left.contains(&CANARY), "{left:?}");
}
