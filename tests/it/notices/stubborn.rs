//! What is never taken, and whoever hangs, holds up nothing else; and a clock that was wrong silences nobody.

use jiff::SignedDuration;
use rotate_fixtures::receiver::{Call, Reply};
use serde_json::Value;

use super::{DAY, Desk, WEBHOOK, kinds};
use crate::destinations::exec::write_program;

/// The next run, once whatever was put off may be tried.
fn two_hours_later(desk: &mut Desk) {
    desk.place.pass(SignedDuration::from_hours(2));
    desk.run(&["run"]).expect(0);
}

/// Those of which something was told since the last time.
fn targets(desk: &Desk) -> Vec<String> {
    let calls = desk.receiver.take();
    let documents: Vec<Value> = calls.iter().map(Call::document).collect();
    let name = |it: &Value| it["data"]["target"]["target"].as_str().map(str::to_owned);
    documents.iter().filter_map(name).collect()
}

#[test]
fn one_notice_that_is_refused_for_good_holds_up_the_others_for_a_while_and_not_for_ever() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("a-bad", DAY * 170, "");
    desk.place.add_user("b-good", DAY * 170, "");
    desk.receiver.refuses("a-bad", 403);
    desk.run(&["run", "--only", "a-bad"]).expect(0);
    assert_eq!(targets(&desk), ["a-bad"], "whoever refuses one may well refuse all");
    // Each time all that waits waits with it.
    two_hours_later(&mut desk);
    two_hours_later(&mut desk);
    assert_eq!(targets(&desk), ["a-bad", "a-bad"]);
    two_hours_later(&mut desk);
    assert_eq!(targets(&desk), ["b-good", "b-good", "a-bad"]);
    // It is still tried, and behind whatever is new.
    two_hours_later(&mut desk);
    assert_eq!(targets(&desk), ["a-bad"]);
}

#[test]
fn a_program_that_hangs_is_waited_for_once_and_after_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (program, got) = (folder.path().join("tell"), folder.path().join("got"));
    write_program(&program, &format!("echo called >>{}; sleep 60", got.display()));
    let mut desk = Desk::with(&format!("[[notify]]\nexec = [\"{}\"]\n{WEBHOOK}", program.display()));
    for user in ["a", "b", "c"] {
        desk.place.add_user(user, DAY * 170, "");
    }
    let ran = desk.run(&["run"]).expect(0);
    assert!(ran.stderr.contains("it had not ended after 10 s"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&got).unwrap().lines().count(), 1);
    assert_eq!(desk.told().len(), 6, "the other notifier has had its time");
}

#[test]
fn a_program_has_the_time_of_any_notice_after_a_run_and_half_of_it_after_a_persons_command() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tell");
    write_program(&program, "[ $ROTATE_NOTICE = rotation.undone ] && sleep 60; exit 0");
    let mut desk = Desk::with(&format!("[[notify]]\nexec = [\"{}\"]\n", program.display()));
    desk.place.add_user("main", DAY * 170, "");
    desk.run(&["run"]).expect(0);
    let ran = desk.run(&["abort", "main"]).expect(0);
    assert!(ran.stderr.contains("it had not ended after 5 s"), "{}", ran.stderr);
}

#[test]
fn what_a_clock_that_was_ahead_has_put_off_is_sent_once_it_is_right_again() {
    let desk = Desk::new();
    // Something is put off until after then, and the digest is of then.
    desk.receiver.answers(Reply::With(503, ""));
    let ahead = (DAY * 8).as_secs().to_string();
    desk.run_with(&["run"], &[("ROTATE_TEST_CLOCK_AHEAD", &ahead)]);
    assert!(!desk.told().is_empty(), "it was tried");
    desk.receiver.answers(Reply::With(204, ""));
    desk.run(&["run"]);
    let told = kinds(&desk.told());
    assert!(told.contains(&"rotation.begun".to_owned()), "{told:?}");
    assert!(told.contains(&"fleet.digest".to_owned()), "{told:?}");
    desk.run(&["run"]);
    assert_eq!(desk.kinds(), [""; 0], "and no digest follows another");
}
