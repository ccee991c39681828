//! Whatever becomes of the trace, the command is the same: its exit code, what it did, and, but for seconds, when it ends.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::collector::Collects;
use rotate_fixtures::{Collector, Ran};
use rustix::process::{Pid, Signal, kill_process};

use super::{AT_ONCE, DAY, command, one, place, run, tree, warnings};

#[test]
fn a_collector_that_hangs_keeps_the_end_waiting_for_seconds_and_is_one_warning() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    collector.collects(Collects::Never);
    let began = Instant::now();
    let mut running = command(&place, &collector, &["run"]);
    // Longer than anybody waits.
    running.env("OTEL_EXPORTER_OTLP_TIMEOUT", "110000");
    let ran = Ran::of(running).expect(0);
    // It hangs for two minutes.
    assert!(began.elapsed() < Duration::from_secs(100), "{:?}", began.elapsed());
    let said = warnings(&ran);
    assert!(said.len() == 1 && said[0].contains("too slow"), "{}", ran.stderr);
    assert!(place.delivered_key("old").is_some());
}

#[test]
fn a_collector_that_is_not_there_is_one_warning_however_much_there_was_to_tell() {
    let mut place = place();
    for user in ["one", "two", "three"] {
        place.add_user(user, DAY * 179, AT_ONCE);
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut running = place.command(["run"]);
    running.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{free}"));
    running.env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5");
    let ran = Ran::of(running).expect(0);
    let said = warnings(&ran);
    assert!(said.len() == 1 && said[0].contains("(connection)"), "{}", ran.stderr);
    assert!(place.delivered_key("three").is_some());
}

#[test]
fn spans_that_come_faster_than_they_can_wait_are_left_out_and_counted() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    let mut running = command(&place, &collector, &["run"]);
    running.env("OTEL_BSP_MAX_QUEUE_SIZE", "3");
    let ran = Ran::of(running).expect(0);
    let said = warnings(&ran);
    let sent = collector.spans().len();
    assert!(
        said.len() == 1 && said[0].contains("OTEL_BSP_MAX_QUEUE_SIZE"),
        "{}",
        ran.stderr
    );
    let words: Vec<&str> = said[0].split_whitespace().collect();
    let at = words.iter().position(|word| *word == "of").unwrap();
    let number = |word: &str| word.parse::<usize>().unwrap();
    assert_eq!(number(words[at + 1]) - number(words[at - 1]), sent, "{}", said[0]);
}

#[test]
fn a_run_that_is_killed_loses_its_trace_and_the_next_one_goes_on() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    let mut killed = command(&place, &collector, &["run"]);
    killed.env("ROTATE_TEST_KILL_AT", "8");
    assert_eq!(Ran::of(killed).code, None);
    assert!(collector.spans().iter().all(|span| span.name != "rotate run"));
    run(&place, &collector, &["run"]).expect(0);
    let spans = collector.spans();
    assert_eq!(one(&spans, "rotate run").attributes["process.exit.code"], "0");
    assert!(place.delivered_key("old").is_some());
}

#[test]
fn a_run_that_is_interrupted_sends_its_trace_before_it_ends() {
    for second in [false, true] {
        let (mut place, collector) = (place(), Collector::start());
        place.add_user("old", DAY * 179, AT_ONCE);
        let hang = Fault::HangAfter(Duration::from_secs(4));
        place.cloud.break_call(Action::CreateAccessKey, 1, hang);
        let mut interrupted = command(&place, &collector, &["run"]);
        interrupted.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = interrupted.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while place.cloud.count_of(Action::CreateAccessKey) == 0 {
            assert!(Instant::now() < deadline, "no key was asked for");
            std::thread::sleep(Duration::from_millis(10));
        }
        let signals = if second {
            [Signal::INT, Signal::TERM].as_slice()
        } else {
            &[Signal::TERM]
        };
        for signal in signals {
            kill_process(Pid::from_child(&child), *signal).unwrap();
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let spans = collector.spans();
        assert!(
            spans.iter().any(|span| span.name == "iam:ListAccessKeys"),
            "{}",
            tree(&spans)
        );
        if !second {
            let root = one(&spans, "rotate run");
            assert_eq!(root.attributes["process.exit.code"], "130", "{}", tree(&spans));
        }
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_collector_that_hangs() {
    for signal in [Signal::INT, Signal::TERM] {
        let (mut place, collector) = (place(), Collector::start());
        place.add_user("old", DAY * 179, AT_ONCE);
        collector.collects(Collects::Never);
        let mut running = command(&place, &collector, &["run"]);
        running.env("OTEL_EXPORTER_OTLP_TIMEOUT", "110000");
        running.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = running.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let deadline = Instant::now() + Duration::from_secs(60);
        // What a batch is sent for before the end is not waited for: the command has to be over.
        while place.delivered_key("old").is_none() || collector.requests().is_empty() {
            assert!(Instant::now() < deadline, "nothing was sent");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        kill_process(pid, signal).unwrap();
        let ended = child.wait_with_output().unwrap();
        let took = began.elapsed();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(130), "{stderr}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert!(stderr.contains("stopped before all of the trace was sent"), "{stderr}");
        assert!(
            !stderr.contains("after the current step"),
            "the command was over: {stderr}"
        );
        assert!(
            String::from_utf8(ended.stdout).unwrap().contains("old"),
            "what it did is told"
        );
    }
}
