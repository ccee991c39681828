//! Ctrl-C at bad moments, and two runs at once: the first stops between two effects and the same command goes on; of
//! two runs one works and the other leaves with 4.
//!
//! Leans on the strict fake: it holds a call back for a while, or keeps a new key unknown, so that the moment of the
//! signal is chosen and not met by luck.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

use std::process::{Child, Command, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};
use rustix::process::{Pid, Signal, kill_process};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// How long a held call is held: long enough for a signal, even on a busy machine.
const HELD: Duration = Duration::from_secs(3);

/// A command line that is running. It is ended with the test.
struct Running(Option<Child>);

impl Running {
    fn new(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self(Some(child.unwrap()))
    }

    fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Sends a signal to this one process.
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.0.as_ref().unwrap()), signal).unwrap();
    }

    fn end(mut self) -> Ran {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !reached() {
        if Instant::now() > deadline {
            panic!("waited in vain: {what}");
        }
        sleep(Duration::from_millis(10));
    }
}

/// A rotation that is interrupted while this call is under way.
fn interrupted_during(place: &Workplace, action: Action) -> Ran {
    place.cloud.break_call(action, 1, Fault::HangAfter(HELD));
    let running = Running::new(place.rotate(AT_ONCE));
    until(action.as_str(), || place.cloud.count_of(action) > 0);
    running.signal(Signal::INT);
    running.end()
}

/// The same command completes the rotation with the key that it has made.
fn completes(place: &Workplace) {
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
    assert_eq!(place.state_name(), "done");
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn an_interrupt_while_the_keys_are_looked_at_begins_nothing() {
    let place = Workplace::new(ROTATE);
    interrupted_during(&place, Action::GetUser)
        .expect(130)
        .says(&["interrupted"]);
    place.expect_untouched();
    completes(&place);
}

#[test]
fn an_interrupt_during_the_creation_keeps_the_key() {
    let place = Workplace::new(ROTATE);
    interrupted_during(&place, Action::CreateAccessKey)
        .expect(130)
        .says(&["stopping after the current step", "interrupted"]);
    assert_eq!(place.state_name(), "created");
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert!(!place.delivered().exists());
    completes(&place);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn an_interrupt_during_each_later_call_is_resumed() {
    let resumed = |action| {
        let place = Workplace::new(ROTATE);
        interrupted_during(&place, action).expect(130).says(&["interrupted"]);
        completes(&place);
        assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1, "{action}");
    };
    scope(|scope| {
        for action in [
            Action::GetCallerIdentity,
            Action::ListObjectsV2,
            Action::GetAccessKeyLastUsed,
            Action::UpdateAccessKey,
            Action::DeleteAccessKey,
        ] {
            scope.spawn(move || resumed(action));
        }
    });
}

#[test]
fn an_interrupt_while_the_new_key_is_not_known_yet_stops_the_wait() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_auth(1000);
    let running = Running::new(place.rotate(AT_ONCE));
    until("a probe", || place.cloud.count_of(Action::GetCallerIdentity) > 1);
    let began = Instant::now();
    running.signal(Signal::INT);
    let ran = running.end().expect(130).says(&["interrupted", "run"]);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "it went on waiting: {ran:#?}"
    );
    assert_eq!(place.state_name(), "created");
    // Someone looks, and takes it back.
    place.run(["abort", TARGET]).expect(0);
    place.expect_as_before();
}

#[test]
fn a_termination_is_an_interrupt_too() {
    let place = Workplace::new(ROTATE);
    place
        .cloud
        .break_call(Action::CreateAccessKey, 1, Fault::HangAfter(HELD));
    let running = Running::new(place.rotate(AT_ONCE));
    until("the creation", || place.cloud.count_of(Action::CreateAccessKey) > 0);
    running.signal(Signal::TERM);
    running.end().expect(130);
    completes(&place);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn a_second_interrupt_ends_at_once_and_the_lost_key_is_replaced() {
    let place = Workplace::new(ROTATE);
    let long = Duration::from_secs(20);
    place
        .cloud
        .break_call(Action::CreateAccessKey, 1, Fault::HangAfter(long));
    let running = Running::new(place.rotate(AT_ONCE));
    until("the creation", || place.cloud.count_of(Action::CreateAccessKey) > 0);
    let began = Instant::now();
    running.signal(Signal::INT);
    sleep(Duration::from_millis(500));
    running.signal(Signal::INT);
    running.end().expect(130).says(&["once more to stop at once"]);
    assert!(began.elapsed() < long, "it waited for the reply");
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    completes(&place);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 2);
}

#[test]
fn an_interrupt_while_aws_throttles_does_not_wait_for_the_throttling_to_end() {
    let place = Workplace::new(ROTATE);
    place.cloud.throttle_for(Duration::from_secs(45));
    let running = Running::new(place.rotate(AT_ONCE));
    until("a throttled call", || place.cloud.call_count() > 2);
    let began = Instant::now();
    running.signal(Signal::INT);
    running.end().expect(130);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        began.elapsed()
    );
    place.expect_untouched();
}

#[test]
fn of_two_runs_one_works_and_the_other_leaves_with_4() {
    let place = Workplace::new(ROTATE);
    place
        .cloud
        .break_call(Action::GetUser, 1, Fault::HangAfter(Duration::from_secs(6)));
    let first = Running::new(place.rotate(AT_ONCE));
    // The user and its keys are asked for at the same time.
    until("the first two calls", || place.cloud.call_count() == 2);
    let holder = format!("process {}", first.id());
    let words = ["another run of rotate", &holder, "wait until it has ended"];
    Ran::of(place.rotate(AT_ONCE)).expect(4).says(&words);
    for arguments in [
        &["run"][..],
        &["confirm", TARGET],
        &["abort", TARGET],
        &["rollback", TARGET],
    ] {
        place.run(arguments).expect(4).says(&words);
    }
    // Looking is free.
    place.run(["status"]).expect(0);
    place.run(["audit", "verify"]).expect(0);
    assert_eq!(place.cloud.call_count(), 2, "the second run made calls");
    first.end().expect(0);
    place.expect_rotated();
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn a_run_that_was_killed_holds_nobody_up() {
    let place = Workplace::new(ROTATE);
    place.cloud.break_call(Action::GetUser, 1, Fault::HangAfter(HELD));
    let first = Running::new(place.rotate(AT_ONCE));
    until("the first call", || place.cloud.call_count() > 0);
    first.signal(Signal::KILL);
    assert_eq!(first.end().code, None);
    completes(&place);
}
