//! What the digest of the week says, and that none is sent where nobody knows what it would have to say.

use rotate_fixtures::stopped::while_at;
use serde_json::Value;

use super::{DAY, Desk, SECRET, WEBHOOK, kinds};

/// The one digest of what was told.
#[track_caller]
fn digest(told: &[Value]) -> Value {
    let mut digests = told.iter().filter(|it| it["type"] == "fleet.digest");
    let one = digests.next().unwrap().clone();
    assert!(digests.next().is_none(), "there is one alone");
    one
}

#[test]
fn a_target_that_was_blocked_weeks_ago_is_blocked_in_the_digest() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 10, "owner = \"data@example.com\"");
    desk.place.add_user("other", DAY * 10, "");
    desk.run(&["run"]).expect(0);
    let _ = desk.place.cloud.add_key("main");
    desk.place.pass(DAY * 8);
    desk.run(&["run"]).expect(3);
    let told = desk.told();
    assert_eq!(kinds(&told), ["rotation.blocked", "fleet.digest"]);
    let said = digest(&told)["data"]["digest"].clone();
    desk.place.pass(DAY * 8);
    desk.run(&["run"]).expect(3);
    let told = desk.told();
    assert_eq!(kinds(&told), ["fleet.digest"], "the block itself is told once");
    assert_eq!(digest(&told)["data"]["digest"], said);
    assert_eq!((&said["targets"], &said["quiet"]), (&2.into(), &1.into()));
    let needs = said["needs"].as_array().unwrap();
    assert_eq!(needs.len(), 1, "{said}");
    assert_eq!(
        (&needs[0]["target"], &needs[0]["what"], &needs[0]["owner"]),
        (&"main".into(), &"blocked".into(), &"data@example.com".into())
    );
    let text = digest(&told)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("- main: blocked (data@example.com)"), "{text}");
}

#[test]
fn no_digest_tells_of_a_journal_that_cannot_be_read_and_the_next_run_tells_it() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 165, "");
    desk.place.add_user("other", DAY * 170, "");
    desk.run(&["run", "--only", "other"]).expect(0);
    desk.place.pass(DAY * 8);
    let _ = desk.told();
    let mut command = desk.place.command(["run", "--only", "main"]);
    command.env("HOOK_URL", desk.receiver.url()).env("HOOK_SECRET", SECRET);
    // The journal was read before, and once more for the digest.
    let ran = while_at(command, "store: before commit", || {
        desk.change("UPDATE rotations SET snapshot = 'x' || snapshot WHERE target = 'other'");
    });
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(desk.kinds(), ["rotation.begun", "rotation.waits"]);
    desk.change("UPDATE rotations SET snapshot = substr(snapshot, 2) WHERE target = 'other'");
    desk.run(&["run"]).expect(0);
    let told = desk.told();
    assert_eq!(digest(&told)["data"]["digest"]["targets"], 2);
}
