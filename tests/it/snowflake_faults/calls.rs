//! Calls that break, hang or are refused on the way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use rotate_fixtures::Ran;
use rotate_fixtures::snowflake::{Action, Fault};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use super::{
    Moment, NOT_MADE, Watch, asked_for_everything, assert_rotated, at_once, calls, delivered, holds, meanwhile, place,
};
use crate::scenarios::beside_each_other;

#[test]
fn a_call_that_a_proxy_refuses_stops_the_rotation_and_the_same_command_goes_on() {
    beside_each_other(&calls(), |&(action, nth)| {
        let context = format!("{action} {nth}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        place.cloud.break_call(action, nth, Fault::StatusBefore(403));
        let ran = at_once(&place);
        // A login of the new key is tried again by itself.
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            ran.says(&["HTTP status 403", "127.0.0.1"]);
            at_once(&place).expect(0);
        }
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

#[test]
fn a_session_may_expire_before_any_statement() {
    let calls = calls();
    let logins = calls.iter().filter(|(action, _)| *action == Action::Login).count();
    let scenarios: Vec<usize> = (2..=calls.len()).collect();
    beside_each_other(&scenarios, |&nth| {
        let context = format!("call {nth}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        let (handle, calls) = (place.cloud.clone(), AtomicUsize::new(0));
        place.cloud.before_call(move |_| {
            if calls.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                handle.expire_sessions();
            }
        });
        let ran = at_once(&place);
        assert_eq!(ran.code, Some(0), "{context}: {ran:#?}");
        // The opening reads are the second and the third call, and share a session.
        if nth <= 3 {
            assert_eq!(place.cloud.count_of(Action::Login), logins + 1, "{context}");
        }
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

#[test]
fn a_call_that_always_breaks_is_given_up_with_a_message_and_goes_on_once_it_is_mended() {
    let faults = [
        (Fault::DropBefore, "was not reached, or its answer was lost"),
        (Fault::DropAfter, "was not reached, or its answer was lost"),
        (Fault::StatusBefore(503), "answered with HTTP status 503"),
        (Fault::StatusAfter(503), "answered with HTTP status 503"),
        (Fault::MalformedAfter, "could not be understood"),
    ];
    let scenarios: Vec<(Action, Fault, &str)> = Action::ALL
        .into_iter()
        .filter(|action| !NOT_MADE.contains(action))
        .flat_map(|action| faults.map(|(fault, words)| (action, fault, words)))
        .collect();
    beside_each_other(&scenarios, |&(action, fault, words)| {
        let context = format!("{action} {fault:?}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        place.cloud.break_every(action, fault);
        let ran = at_once(&place);
        watch.expect_nothing_wrong(&context);
        // The effect of a change shows in the slots, whatever became of its answer.
        let shows = matches!(action, Action::SetKey | Action::UnsetKey) && !fault.is_before();
        if !shows {
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            ran.says(&[words, "rotate: error: failed to"]);
            // Somebody has a key that works: the old one, or the delivered one. A login would be a use.
            let new = place.delivered().exists().then(|| place.holder_of(&place.delivered()));
            let has_new = new.is_some_and(|new| holds(&place, new.fingerprint()));
            assert!(
                has_new || holds(&place, place.old.fingerprint()),
                "{context}: nobody has a key"
            );
        }
        place.cloud.mend();
        at_once(&place).expect(0);
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

/// The answers are lost, and so is the sight of what they were about.
#[test]
fn a_change_that_is_neither_answered_nor_seen_is_found_by_the_next_run() {
    for (action, phase) in [(Action::SetKey, "`opened`"), (Action::UnsetKey, "`cut-over`")] {
        let place = place();
        let watch = Watch::new(&place);
        meanwhile(&place.cloud, Moment::After, action, 1, |cloud| {
            cloud.break_every(Action::Describe, Fault::DropBefore);
        });
        place.cloud.break_every(action, Fault::DropAfter);
        at_once(&place).expect(1).says(&[phase, " run"]);
        watch.expect_nothing_wrong(phase);
        place.cloud.mend();
        place.run(["run"]).expect(0);
        watch.expect_nothing_wrong(phase);
        assert_rotated(&place, phase);
        assert!(place.cloud.count_of(Action::SetKey) == 1, "{phase}");
    }
}

#[test]
fn a_proof_that_learns_nothing_moves_nothing() {
    let place = place();
    // The administrator is in; the new key's logins are not answered.
    meanwhile(&place.cloud, Moment::After, Action::SetKey, 1, |cloud| {
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    let ran = Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "0s"]));
    ran.expect(1)
        .says(&["could not be found out", "HTTP status 503", "`created`"]);
    assert_eq!(place.state_name(), "created");
    assert!(!place.delivered().exists());
    place.cloud.mend();
    assert!(place.consumer().works());
    place.run(["run"]).expect(0);
    assert_rotated(&place, "run");
    assert_eq!(place.cloud.count_of(Action::SetKey), 1, "the same key goes on");
}

#[test]
fn a_throttled_registration_is_waited_out() {
    let place = place();
    let watch = Watch::new(&place);
    for nth in 1..=3 {
        place.cloud.break_call(Action::SetKey, nth, Fault::StatusBefore(429));
    }
    at_once(&place).expect(0).says(&["slow down; trying again"]);
    watch.expect_nothing_wrong("throttled");
    assert_rotated(&place, "throttled");
}

/// Half a minute of silence is as long as a login is waited for, and a minute as long as a statement is.
fn hangs_longer_than_the_patience(action: Action, length: Duration) {
    let place = asked_for_everything();
    let watch = Watch::new(&place);
    place.cloud.break_call(action, 1, Fault::HangAfter(length));
    let ran = at_once(&place);
    if ran.code != Some(0) {
        assert_eq!(ran.code, Some(1), "{action}: {ran:#?}");
        ran.says(&["no answer from 127.0.0.1"]);
        at_once(&place).expect(0);
    }
    watch.expect_nothing_wrong(action.as_str());
    assert_rotated(&place, action.as_str());
}

#[test]
fn a_call_that_hangs_longer_than_the_patience_is_like_one_whose_answer_is_lost() {
    let hangs = [
        (Action::Login, Duration::from_secs(30)),
        (Action::Identity, Duration::from_secs(70)),
        (Action::Describe, Duration::from_secs(70)),
        (Action::SetKey, Duration::from_secs(70)),
        (Action::UnsetKey, Duration::from_secs(70)),
        (Action::Show, Duration::from_secs(70)),
        (Action::Credentials, Duration::from_secs(70)),
    ];
    beside_each_other(&hangs, |&(action, length)| {
        hangs_longer_than_the_patience(action, length)
    });
}

/// "No record" is an answer of the account; a proxy's refusal is none, and the removal waits for one.
#[test]
fn a_record_of_use_that_could_not_be_read_is_not_taken_for_an_empty_one() {
    for fault in [
        Fault::StatusBefore(403),
        Fault::StatusBefore(503),
        Fault::DropBefore,
        Fault::MalformedAfter,
    ] {
        let place = delivered();
        let used = place.cloud.now() + SignedDuration::from_mins(60);
        place.cloud.set_last_used(USER, place.old.fingerprint(), used);
        place.cloud.break_every(Action::Show, fault);
        let ran = place.run(["confirm", TARGET]);
        // A login would be a use.
        assert!(
            holds(&place, place.old.fingerprint()),
            "{fault:?}: a key in use was removed unseen: {ran:#?}"
        );
        assert_ne!(ran.code, Some(0), "{fault:?}: {ran:#?}");
        place.cloud.mend();
        place.run(["run"]).expect(3);
        assert_eq!(place.state_name(), "blocked", "{fault:?}");
    }
}
