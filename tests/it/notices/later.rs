//! What has not arrived waits, in its order and by its id, and holds nothing up.

use std::process::Stdio;

use rotate_fixtures::Ran;
use rotate_fixtures::receiver::{Call, Reply};
use serde_json::Value;

use super::{DAY, Desk, SECRET, WEBHOOK, kinds};

fn ids(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| call.head("webhook-id").to_owned()).collect()
}

#[test]
fn killed_between_commit_and_send_exactly_that_notice_goes_out_in_the_next_run() {
    let mut found = 0;
    for point in 1..400 {
        let desk = Desk::new();
        let trace = desk.place.path("trace");
        let mut command = desk.place.command(["run"]);
        command
            .env("HOOK_URL", desk.receiver.url())
            .env("HOOK_SECRET", SECRET)
            .env("ROTATE_TEST_TRACE", &trace)
            .env("ROTATE_TEST_KILL_AT", point.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if command.status().unwrap().success() {
            break;
        }
        let reached = std::fs::read_to_string(&trace).unwrap();
        if reached.lines().last() != Some("notices: before a send") {
            continue;
        }
        let before = desk.receiver.take();
        assert_eq!(before.len(), found, "those before it have arrived");
        desk.run(&["run"]).expect(0);
        let after = desk.receiver.take();
        let all: Vec<Value> = before.iter().chain(&after).map(Call::document).collect();
        assert_eq!(kinds(&all), ["rotation.begun", "rotation.waits"], "killed at {point}");
        found += 1;
    }
    assert_eq!(found, 2, "a run is killed before each of its two notices");
}

#[test]
fn what_has_arrived_and_was_not_written_down_comes_again_by_the_same_id() {
    let desk = Desk::new();
    // The answer is lost: nobody here knows that it has arrived.
    desk.receiver.answers_next([Reply::Closed]);
    let ran = desk.run(&["run"]).expect(0);
    assert!(
        ran.stderr.contains("warning: ops was not told: 2 notices wait; "),
        "{}",
        ran.stderr
    );
    let first = desk.receiver.take();
    assert_eq!(first.len(), 1, "nothing goes past one that has not arrived");
    // It is left alone for a while.
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.receiver.take().len(), 0);
    let ran = hour_later(&desk);
    assert!(!ran.stderr.contains("was not told"), "{}", ran.stderr);
    let then = desk.receiver.take();
    let documents: Vec<Value> = then.iter().map(Call::document).collect();
    assert_eq!(kinds(&documents), ["rotation.begun", "rotation.waits"]);
    assert_eq!(ids(&first)[0], ids(&then)[0]);
    assert_eq!(first[0].body, then[0].body);
    assert_ne!(first[0].head("webhook-timestamp"), "");
}

/// The next run, once whatever was put off may be tried.
fn hour_later(desk: &Desk) -> Ran {
    let ahead = desk.place.now().duration_since(jiff::Timestamp::now()).as_secs() + 3_700;
    desk.run_with(&["run"], &[("ROTATE_TEST_CLOCK_AHEAD", &ahead.to_string())])
}

#[test]
fn whoever_is_down_for_weeks_holds_nothing_up_and_doctor_shows_what_waits() {
    let mut desk = Desk::new();
    desk.receiver.answers(Reply::With(503, "CANARY of the receiver"));
    desk.run(&["run"]).expect(0);
    desk.run(&["confirm", "main"]).expect(0);
    for _ in 0..3 {
        desk.place.pass(DAY * 8);
        let ran = desk.run(&["run"]).expect(0);
        assert!(ran.stderr.contains("it answered with status 503"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("CANARY of"), "{}", ran.stderr);
    }
    let doctor = desk.run(&["doctor"]);
    assert!(
        doctor.stdout.contains("notices to ops\n  ?   what waits: 4 since "),
        "{}",
        doctor.stdout
    );
    assert!(
        doctor.stdout.contains("it answered with status 503"),
        "{}",
        doctor.stdout
    );
    assert_eq!(doctor.code, Some(0), "no rotation fails on it: {doctor:?}");
    let _ = desk.receiver.take();
    desk.receiver.answers(Reply::With(204, ""));
    desk.place.pass(DAY);
    desk.run(&["run"]).expect(0);
    // One digest alone: the oldest. It is of no target, and comes before what was refused more often.
    let told = desk.told();
    assert_eq!(
        kinds(&told),
        ["fleet.digest", "rotation.begun", "rotation.waits", "rotation.done"]
    );
    assert_eq!(told[0]["data"]["digest"]["targets"], 1);
}

#[test]
fn what_one_target_waits_for_does_not_hold_up_another_where_only_one_notice_is_refused() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("a", DAY * 170, "");
    desk.place.add_user("b", DAY * 170, "");
    desk.receiver.answers_next([Reply::With(422, "")]);
    desk.run(&["run", "--only", "a"]).expect(0);
    assert_eq!(desk.receiver.take().len(), 1);
    desk.run(&["run", "--only", "b"]).expect(0);
    let told = desk.told();
    assert_eq!(kinds(&told), ["rotation.begun", "rotation.waits"]);
    assert!(told.iter().all(|it| it["data"]["target"]["target"] == "b"));
    hour_later(&desk);
    let told = desk.told();
    assert_eq!(kinds(&told), ["rotation.begun", "rotation.waits"]);
    assert!(told.iter().all(|it| it["data"]["target"]["target"] == "a"));
}
