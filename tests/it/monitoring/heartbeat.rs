//! Whoever waits for a run hears that it begins and how it ends; and whatever becomes of that, the run is the same.

use std::net::TcpListener;
use std::process::Command;

use rotate_fixtures::switch::{Behaviour, CHECK};
use rotate_fixtures::{DeadMansSwitch, FleetWorkplace, Ran};
use serde_json::Value;

use super::{DAY, ROTATE};

/// A fleet of one young key, whose runs are waited for.
fn place() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[heartbeat]\nurl_env = \"BEAT_URL\"\n[defaults]\naws_calls_per_second = 0\n");
    place.add_user("one", DAY * 2, "");
    place
}

fn command(place: &FleetWorkplace, url: &str, words: &[&str]) -> Command {
    let mut command = place.command(words.iter().copied());
    command.env("BEAT_URL", url);
    command
}

fn run(place: &FleetWorkplace, url: &str) -> Ran {
    Ran::of(command(place, url, &["run"]))
}

/// The ends and the beginnings that were told, without their ids.
fn told(switch: &DeadMansSwitch) -> Vec<String> {
    switch.beats().into_iter().map(|beat| beat.what).collect()
}

#[test]
fn a_run_tells_that_it_begins_and_how_it_ended_with_counts_and_the_head_of_the_journal() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    run(&place, &switch.url()).expect(0);
    let beats = switch.beats();
    assert_eq!(told(&switch), ["start", "0"]);
    assert_eq!(beats[0].run, beats[1].run);
    let body: Value = serde_json::from_str(&beats[1].body).unwrap();
    let verified = place.run(["audit", "verify", "--output", "json"]).expect(0).json();
    assert_eq!(body["targets"], "1 target: 1 not due");
    assert_eq!(
        (&body["head"], &body["events"]),
        (&verified["head"], &verified["events"])
    );
    run(&place, &format!("{}/", switch.url())).expect(0);
    let beats = switch.beats();
    assert_ne!(beats[2].run, beats[0].run, "each run has an id of its own");
}

#[test]
fn a_person_who_is_needed_is_told_apart_from_an_error() {
    let (mut place, switch) = (place(), DeadMansSwitch::start());
    run(&place, &switch.url()).expect(0);
    let _ = place.cloud.add_key("one");
    place.pass(DAY * 8);
    run(&place, &switch.url()).expect(3);
    place.add_user("gone", DAY * 2, "");
    place.cloud.delete_user("gone");
    run(&place, &switch.url()).expect(1);
    assert_eq!(told(&switch), ["start", "0", "start", "3", "start", "1"]);
    // Where no journal can be opened nothing was begun, and that is told.
    for file in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        if place.state().join(file).exists() {
            std::fs::write(place.state().join(file), "no database, and nothing beside it either").unwrap();
        }
    }
    run(&place, &switch.url()).expect(1);
    assert_eq!(told(&switch)[6..], ["1"]);
}

#[test]
fn one_that_finds_another_at_work_and_one_that_only_looks_tell_nothing() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    run(&place, &switch.url()).expect(0);
    let requests = switch.requests();
    let lock = std::fs::File::options()
        .write(true)
        .open(place.state().join("rotate.lock"))
        .unwrap();
    lock.lock().unwrap();
    run(&place, &switch.url()).expect(4);
    drop(lock);
    for look in [
        &["plan"] as &[&str],
        &["doctor"],
        &["status"],
        &["report", "--output", "json"],
        &["audit"],
    ] {
        Ran::of(command(&place, &switch.url(), look)).expect(0);
    }
    assert_eq!(switch.requests(), requests);
}

/// The run is as it would have been, and what was not told is, without the URL.
fn warned(ran: &Ran, words: &str) {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let warning = ran
        .stderr
        .lines()
        .find(|line| line.contains("warning:") && line.contains(words));
    assert!(
        warning.is_some_and(|warning| warning.contains("BEAT_URL")),
        "{words}\n{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(CHECK), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 target: 1 not due"), "{}", ran.stderr);
}

#[test]
fn whatever_the_other_side_does_the_run_is_the_same_and_the_url_is_not_said() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    switch.behaves(Behaviour::Redirects);
    warned(&run(&place, &switch.url()), "leads elsewhere (status 302)");
    assert_eq!(switch.requests(), 2, "neither followed nor repeated");
    switch.behaves(Behaviour::Fails);
    warned(&run(&place, &switch.url()), "answered with status 500");
    assert_eq!(switch.requests(), 2 + 4, "once more each");
    switch.behaves(Behaviour::FailsOnce);
    let ran = run(&place, &switch.url()).expect(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    assert_eq!(told(&switch), ["start", "0"]);
    switch.behaves(Behaviour::Hangs);
    warned(&run(&place, &switch.url()), "(time-out)");
    // A port on which nobody listens any more.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    warned(
        &run(&place, &format!("http://127.0.0.1:{free}/{CHECK}")),
        "(connection)",
    );
}

#[test]
fn a_url_that_is_none_or_leads_where_nothing_may_be_sent_is_a_warning_that_names_the_variable() {
    let place = place();
    warned(&Ran::of(place.command(["run"])), "is not set");
    warned(&run(&place, CHECK), "holds is no URL");
    warned(
        &run(&place, &format!("http://hc.example/{CHECK}")),
        "neither https nor this machine",
    );
    warned(
        &run(&place, &format!("https://10.255.255.1/{CHECK}")),
        "allow_private = true in [heartbeat]",
    );
    warned(
        &run(&place, &format!("https://169.254.169.254/{CHECK}")),
        "where nothing may be sent",
    );
}

#[test]
fn no_diagnostics_however_many_show_the_url() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    for format in ["text", "json"] {
        let mut loud = command(&place, &switch.url(), &["run", "-vv", "--log-format", format]);
        loud.env("RUST_LOG", "trace");
        let ran = Ran::of(loud).expect(0);
        assert!(
            !ran.stderr.contains(CHECK) && !ran.stdout.contains(CHECK),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(told(&switch).len(), 4);
}

#[test]
fn a_run_that_is_interrupted_says_so_at_its_end_and_one_that_is_killed_says_nothing_more() {
    let (mut place, switch) = (place(), DeadMansSwitch::start());
    place.add_user("old", DAY * 179, "cutover = \"immediate\"\nsoak = \"0s\"");
    let mut killed = command(&place, &switch.url(), &["run"]);
    killed.env("ROTATE_TEST_KILL_AT", "8");
    assert_eq!(Ran::of(killed).code, None);
    assert!(told(&switch).iter().all(|what| what == "start"), "{:?}", told(&switch));
    let before = told(&switch).len();
    let held = std::time::Duration::from_secs(3);
    let hang = rotate_fixtures::aws::Fault::HangAfter(held);
    place
        .cloud
        .break_call(rotate_fixtures::aws::Action::ListAccessKeys, 1, hang);
    let mut interrupted = command(&place, &switch.url(), &["run"]);
    interrupted
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut child = interrupted.spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while told(&switch).len() == before {
        assert!(std::time::Instant::now() < deadline, "no run began");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(told(&switch).last().map(String::as_str), Some("130"));
}

#[test]
fn a_mistyped_name_is_told_to_nobody_but_whoever_has_typed_it() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    run(&place, &switch.url()).expect(0);
    let requests = switch.requests();
    let lock = std::fs::File::options()
        .write(true)
        .open(place.state().join("rotate.lock"))
        .unwrap();
    // Not even the journal is waited for.
    lock.lock().unwrap();
    Ran::of(command(&place, &switch.url(), &["run", "--only", "oen"]))
        .expect(64)
        .says(&["did you mean one?"]);
    assert_eq!(switch.requests(), requests);
}

#[test]
fn a_host_that_hangs_keeps_no_other_command_from_the_journal() {
    let (place, switch) = (place(), DeadMansSwitch::start());
    switch.behaves(Behaviour::Hangs);
    let mut first = command(&place, &switch.url(), &["run"]);
    first
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut first = first.spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while switch.requests() == 0 {
        assert!(std::time::Instant::now() < deadline, "no run began");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Its work is done soon, and its two calls with two tries of four seconds each are not.
    while place.run(["run"]).code == Some(4) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(first.try_wait().unwrap(), None, "it tells of its end meanwhile");
    assert_eq!(first.wait().unwrap().code(), Some(0));
}
