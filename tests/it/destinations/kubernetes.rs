//! A Secret of Kubernetes, with the real program: the promises of the conformance suite, and what is the cluster's own.
//!
//! Leans on the strict fake, which holds writes to versions, owners and validation as the API server does. There is no emulator
//! that does: those that there are store whatever they are sent.

mod login;
mod python_server;
mod refused;

use std::process::Command;

use rotate_fixtures::kubernetes::TOKEN;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{FakeKubernetes, Ran, Workplace};

/// The Secret, and how it is called as a destination.
const PLACE: &str = "apps/gainsight";
const NAME: &str = "kubernetes:apps/gainsight";

const FOUND: [(&str, &str); 3] = [
    ("theirs", "kept"),
    ("access_key_id", "AKIAOLD"),
    ("secret_access_key", "CANARYold"),
];

/// A cluster with a Secret in it, beside a cloud with a key to rotate.
struct Desk {
    place: Workplace,
    cluster: FakeKubernetes,
}

impl Desk {
    fn new() -> Self {
        let desk = Self::without_secret();
        desk.cluster.add_secret(PLACE, &FOUND);
        desk
    }

    fn without_secret() -> Self {
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        let cluster = FakeKubernetes::start();
        let _ = cluster.kubeconfig(&place.path(""));
        Self { place, cluster }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.known(self.place.command(arguments))
    }

    fn known(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", self.place.path("kubeconfig"));
        command
    }

    fn rotate_to(&self, to: &str, more: &[&str]) -> Command {
        self.known(self.place.rotate_to(&[to], more))
    }

    /// Runs the rotation, whose output has to be free of secrets whatever happens.
    fn rotate(&self, more: &[&str]) -> Ran {
        self.run(self.rotate_to(NAME, more))
    }

    fn run(&self, command: Command) -> Ran {
        let ran = Ran::of(command);
        let held = self.cluster.value(PLACE, "secret_access_key").unwrap_or_default();
        for secret in [TOKEN, "CANARYold", held.as_str()]
            .into_iter()
            .filter(|secret| secret.len() > 8)
        {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:#?}");
        }
        ran
    }

    fn value(&self, key: &str) -> String {
        self.cluster.value(PLACE, key).unwrap_or_default()
    }

    /// Whether the key that is held there works.
    fn works(&self) -> bool {
        self.place
            .cloud
            .works(&self.value("access_key_id"), &self.value("secret_access_key"))
    }

    /// How many writes there were of it.
    fn writes(&self, command: Command, code: i32) -> u64 {
        let before = self.cluster.version(PLACE);
        self.run(command).expect(code);
        self.cluster.version(PLACE) - before
    }
}

#[test]
fn the_new_key_is_delivered_beside_everything_that_others_keep_there() {
    let desk = Desk::new();
    let before = desk.cluster.shown(PLACE);
    assert_eq!(desk.writes(desk.rotate_to(NAME, &[]), 0), 1);
    assert!(desk.works());
    let after = desk.cluster.shown(PLACE);
    assert_eq!(after["data"]["theirs"], before["data"]["theirs"]);
    for kept in ["labels", "annotations", "uid"] {
        assert_eq!(after["metadata"][kept], before["metadata"][kept]);
    }
    let managed = after["metadata"]["managedFields"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ours = managed
        .iter()
        .find(|entry| entry["manager"] == "rotate")
        .expect("the writer is noted");
    let keys: Vec<&String> = ours["fieldsV1"]["f:data"]
        .as_object()
        .into_iter()
        .flat_map(|keys| keys.keys())
        .collect();
    assert_eq!(keys, [".", "f:access_key_id", "f:secret_access_key"]);
    // The same command again finds it there.
    assert_eq!(desk.writes(desk.rotate_to(NAME, &[]), 0), 0);
    desk.run(desk.command(&["confirm", TARGET])).expect(0);
    let mut later = desk.command(&["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86_400).to_string());
    desk.run(later).expect(0);
    assert!(desk.works());
}

#[test]
fn what_kubectl_prints_of_it_is_the_key_in_base64() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    let printed = desk.cluster.jsonpath(PLACE, "secret_access_key");
    let mut decode = rotate_fixtures::tool("base64");
    decode
        .arg("-d")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = decode.spawn().expect("base64 of coreutils is there");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), printed.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), desk.value("secret_access_key"));
    assert!(desk.works());
}

#[test]
fn an_abort_puts_back_our_keys_alone() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    desk.cluster.write_secret(
        PLACE,
        "somebody",
        &[("theirs", Some("changed")), ("added", Some("yes"))],
    );
    let trace = desk.place.path("trace");
    let mut abort = desk.command(&["abort", TARGET]);
    abort.env("ROTATE_TEST_TRACE", &trace);
    desk.run(abort).expect(0);
    let points = std::fs::read_to_string(trace).unwrap_or_default();
    assert!(points.contains("kubernetes: put back"), "{points}");
    let held = ["theirs", "added", "access_key_id", "secret_access_key"].map(|key| desk.value(key));
    assert_eq!(held, ["changed", "yes", "AKIAOLD", "CANARYold"]);
}

#[test]
fn keys_that_were_not_there_are_taken_out_again() {
    let desk = Desk::without_secret();
    desk.cluster.add_secret(PLACE, &[]);
    let before = desk.cluster.state_of_secret(PLACE);
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
    desk.run(desk.command(&["abort", TARGET])).expect(0);
    assert_eq!(desk.cluster.state_of_secret(PLACE), before);
}

#[test]
fn what_somebody_has_replaced_since_is_left_to_them() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    desk.cluster
        .write_secret(PLACE, "somebody", &[("secret_access_key", Some("theirs"))]);
    let theirs = desk.cluster.state_of_secret(PLACE);
    assert_eq!(desk.writes(desk.command(&["abort", TARGET]), 0), 0);
    assert_eq!(desk.cluster.state_of_secret(PLACE), theirs);
}

/// How often each call of the fake is made by the rotation, up to the delivery's end.
fn calls() -> Vec<String> {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    desk.cluster.calls()
}

#[test]
fn whoever_writes_between_any_two_calls_loses_nothing() {
    let calls = calls();
    for (at, call) in calls.iter().enumerate() {
        let desk = Desk::new();
        // Before this very call, and no other of its name.
        let earlier = calls[..at].iter().filter(|earlier| *earlier == call).count();
        desk.cluster
            .interfere_after(call, earlier, PLACE, &[("theirs", Some("written-meanwhile"))]);
        desk.rotate(&[]).expect(0);
        assert_eq!(desk.value("theirs"), "written-meanwhile", "{at}: {call}");
        assert!(desk.works(), "{at}: {call}");
    }
}

#[test]
fn whoever_writes_the_very_keys_meanwhile_is_left_alone_until_a_person_says_otherwise() {
    let theirs = [("secret_access_key", Some("theirs"))];
    let desk = Desk::new();
    desk.cluster.interfere("patch", PLACE, &theirs);
    let ran = desk.rotate(&[]).expect(1);
    assert!(ran.stderr.contains("to the very keys meanwhile"), "{}", ran.stderr);
    assert_eq!(desk.value("secret_access_key"), "theirs");
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
    // And where the key is taken back.
    desk.cluster.interfere("patch", PLACE, &theirs);
    desk.run(desk.command(&["abort", TARGET])).expect(0);
    assert_eq!(desk.value("secret_access_key"), "theirs");
}

#[test]
fn two_rotations_deliver_into_one_secret_and_neither_takes_a_key_of_the_other() {
    let desk = Desk::new();
    let other = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
    let to = format!("{NAME}?access_key_id=other.id&secret_access_key=other.secret");
    let both = || {
        desk.rotate(&["--again"]).expect(0);
        desk.run(desk.command(&["confirm", TARGET])).expect(0);
        desk.run(desk.known(other.rotate_to(&[&to], ["--again"]))).expect(0);
        desk.run(desk.known(other.command(["confirm", TARGET]))).expect(0);
    };
    both();
    let other_works = || other.cloud.works(&desk.value("other.id"), &desk.value("other.secret"));
    assert!(desk.works() && other_works());
    assert_eq!(desk.value("theirs"), "kept");
}

#[test]
fn a_lost_answer_is_no_second_write() {
    let desk = Desk::new();
    desk.cluster.lose_answer("patch");
    assert_eq!(desk.writes(desk.rotate_to(NAME, &[]), 0), 1);
    assert!(desk.works());
    desk.cluster.lose_answer("patch");
    assert_eq!(desk.writes(desk.command(&["abort", TARGET]), 0), 1);
    assert_eq!(desk.value("access_key_id"), "AKIAOLD");
}

#[test]
fn a_write_that_the_server_takes_and_does_not_keep_is_seen() {
    let desk = Desk::new();
    desk.cluster.answer_with("patch", 200, "{}");
    let ran = desk.rotate(&[]).expect(1);
    assert!(
        ran.stderr.contains("it does not hold the new key after it was written"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("--show-managed-fields"), "{}", ran.stderr);
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
}

#[test]
fn a_server_that_is_busy_or_fails_for_a_moment_is_asked_again() {
    for call in ["get", "can-i", "dry-run", "patch"] {
        for (status, wait) in [(429, Some(1)), (429, None), (503, None), (500, None)] {
            let desk = Desk::new();
            desk.cluster.fail(call, status, wait);
            assert_eq!(desk.writes(desk.rotate_to(NAME, &[]), 0), 1, "{call} {status}");
            assert!(desk.works(), "{call} {status}");
        }
    }
}

#[test]
fn a_server_that_stays_busy_is_waited_for_in_the_next_run() {
    let desk = Desk::new();
    for _ in 0..12 {
        desk.cluster.fail("patch", 429, None);
    }
    let ran = desk.rotate(&[]).expect(1);
    assert!(ran.stderr.contains("did not say that it has written"), "{}", ran.stderr);
    // And one that asks for more time than a run has is not asked again in it.
    (0..12).for_each(|_| desk.cluster.fail("get", 429, Some(3600)));
    let before = desk.cluster.calls().len();
    let ran = desk.rotate(&[]).expect(1);
    assert!(ran.stderr.contains("too much to do"), "{}", ran.stderr);
    assert_eq!(desk.cluster.calls()[before..], ["get"]);
    desk.cluster.forget_plans();
    assert_eq!(desk.value("access_key_id"), "AKIAOLD");
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
}

/// The crash points that the rotation passes, in their order.
fn points() -> Vec<String> {
    let twin = Desk::new();
    let trace = twin.place.path("trace");
    let mut command = twin.rotate_to(NAME, &[]);
    command.env("ROTATE_TEST_TRACE", &trace);
    twin.run(command).expect(0);
    let points = std::fs::read_to_string(&trace).unwrap_or_default();
    points.lines().map(str::to_owned).collect()
}

/// A desk where that command was killed at this point, counted from one.
fn killed_at(point: usize) -> Desk {
    let desk = Desk::new();
    let mut dying = desk.rotate_to(NAME, &[]);
    dying.env("ROTATE_TEST_KILL_AT", point.to_string());
    let died = desk.run(dying);
    assert_eq!(died.code, None, "{}", died.stderr);
    desk
}

#[test]
fn a_run_that_is_killed_at_any_point_goes_on_and_writes_once() {
    let points = points();
    assert!(points.iter().any(|point| point == "kubernetes: written"), "{points:?}");
    for (at, point) in points.iter().enumerate() {
        let desk = killed_at(at + 1);
        let before = desk.cluster.state_of_secret(PLACE).contains("AKIAOLD");
        assert!(
            desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret),
            "{point}"
        );
        assert_eq!(desk.writes(desk.rotate_to(NAME, &[]), 0), u64::from(before), "{point}");
        assert!(desk.works(), "{point}");
        desk.run(desk.command(&["abort", TARGET])).expect(0);
        let held = ["theirs", "access_key_id", "secret_access_key"].map(|key| desk.value(key));
        assert_eq!(held, ["kept", "AKIAOLD", "CANARYold"], "{point}");
    }
}

#[test]
fn a_secret_of_the_same_name_that_was_made_anew_is_not_written_to() {
    let written = points().iter().position(|point| point == "kubernetes: written");
    let desk = killed_at(written.unwrap_or_default() + 1);
    desk.cluster.add_secret(PLACE, &[("theirs", "another")]);
    let ran = desk.rotate(&[]).expect(1);
    for word in [
        "was deleted and made anew, or this is another cluster",
        "when the rotation was opened",
    ] {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
    assert_eq!(desk.value("access_key_id"), "");
    assert_eq!(desk.writes(desk.command(&["abort", TARGET]), 1), 0);
    desk.run(desk.command(&["abort", TARGET, "--force"])).expect(0);
}

#[test]
fn a_dry_run_only_looks_and_says_what_the_place_can_do() {
    let desk = Desk::new();
    let ran = desk.rotate(&["--dry-run"]).expect(0);
    assert!(ran.stdout.contains("readable, conditional"), "{}", ran.stdout);
    let calls = desk.cluster.calls();
    let looks = ["get", "get-namespace", "can-i"];
    assert!(
        !calls.is_empty() && calls.iter().all(|call| looks.contains(&call.as_str())),
        "{calls:?}"
    );
}

#[test]
fn before_a_key_is_made_the_server_checks_a_write_that_has_no_secret_in_it() {
    let desk = Desk::new();
    let trace = desk.place.path("trace");
    let mut command = desk.rotate_to(NAME, &[]);
    command.env("ROTATE_TEST_TRACE", &trace);
    desk.run(command).expect(0);
    assert_eq!(calls().iter().filter(|call| *call == "dry-run").count(), 1);
    let sent = desk.cluster.sent("dry-run");
    assert!(sent[0].contains(r#""access_key_id":"cm90YXRl"#), "{sent:?}");
    let secret = desk.cluster.jsonpath(PLACE, "secret_access_key");
    assert!(sent.iter().all(|body| !body.contains(&secret)), "{sent:?}");
    // Whoever has a say in each write may take no rehearsals.
    let desk = Desk::new();
    desk.cluster.take_no_dry_run();
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
}
