//! A journal that is followed: every event once, in its order, whoever appends it, until nobody wants more.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rotate_fixtures::FleetWorkplace;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{DAY, ROTATE};

const PATIENCE: Duration = Duration::from_secs(60);

fn place() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("one", DAY * 2, "");
    place
}

/// One that follows, and the lines that it prints.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, lines) = channel();
        let out: ChildStdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = told.send(line);
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line comes");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ends(mut self) -> (Option<i32>, String) {
        let status = ended(&mut self.child);
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

/// One that does not end is no end that a test waits for.
fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(place: &FleetWorkplace, more: &[&str]) -> Follower {
    Follower::start(place.command([&["audit", "--follow", "json"], more].concat()))
}

fn seq(line: &Value) -> i64 {
    line["event"]["seq"].as_i64().unwrap()
}

fn events(place: &FleetWorkplace) -> Value {
    place.run(["audit", "--output", "json"]).expect(0).json()["events"].clone()
}

#[test]
fn what_is_there_and_what_other_processes_append_is_printed_once_and_in_order_as_the_schema_says() {
    let mut place = place();
    // It waits for a journal that is not there yet.
    let follower = follow(&place, &[]);
    place.run(["run"]).expect(0);
    place.add_user("two", DAY * 170, "");
    place.run(["run"]).expect(0);
    let expected = events(&place);
    let schema: Value = serde_json::from_str(&rotate::view::schema()).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let mut last = Value::Null;
    for event in expected.as_array().unwrap() {
        last = follower.next();
        assert_eq!(last["event"], *event);
        let faults: Vec<String> = validator.iter_errors(&last).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{last:#}");
    }
    let head = place.run(["audit", "verify", "--output", "json"]).json()["head"].clone();
    assert_eq!(last["head"], head);
    kill_process(Pid::from_child(&follower.child), Signal::INT).unwrap();
    assert!(
        follower.lines.recv_timeout(PATIENCE).is_err(),
        "nothing more was printed"
    );
    assert_eq!(follower.ends(), (Some(0), String::new()));
}

#[test]
fn it_goes_on_behind_the_number_that_was_seen_last() {
    let mut place = place();
    place.add_user("two", DAY * 170, "");
    place.run(["run"]).expect(0);
    let all = events(&place).as_array().unwrap().len();
    let from = (all - 2).to_string();
    let follower = follow(&place, &["--after", &from]);
    assert_eq!(
        [follower.next(), follower.next()].map(|line| seq(&line)),
        [all as i64 - 1, all as i64]
    );
    kill_process(Pid::from_child(&follower.child), Signal::TERM).unwrap();
    assert_eq!(follower.ends().0, Some(0));
    // A journal that is not that long is not waited for: it was put back.
    let (code, said) = follow(&place, &["--after", "9999"]).ends();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the journal has no event 9999"), "{said}");
    place.run(["audit", "--after", "1"]).expect(64);
    place.run(["audit", "--follow", "json", "--after", "-1"]).expect(64);
    place.run(["audit", "--follow", "text"]).expect(64);
}

#[test]
fn a_journal_that_is_put_back_while_it_is_followed_ends_it_with_an_error() {
    let mut place = place();
    place.run(["run"]).expect(0);
    let older = place.path("older");
    std::fs::create_dir(&older).unwrap();
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    };
    copied(&place.state(), &older);
    place.add_user("two", DAY * 2, "");
    place.run(["run"]).expect(0);
    let follower = follow(&place, &["--after", "1"]);
    follower.next();
    for file in std::fs::read_dir(place.state()).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().starts_with("rotate.db") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    copied(&older, &place.state());
    let (code, said) = follower.ends();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("put back to an older copy") || said.contains("is missing"),
        "{said}"
    );
}

#[test]
fn a_line_that_somebody_changed_is_not_printed() {
    let mut place = place();
    place.add_user("two", DAY * 170, "");
    place.run(["run"]).expect(0);
    let changed = rotate_fixtures::tool("python3")
        .args(["-c", "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE events SET at='2020-01-01T00:00:00Z' WHERE seq=3\"); d.commit()"])
        .arg(place.state().join("rotate.db"))
        .status();
    assert!(changed.unwrap().success());
    let (code, said) = follow(&place, &[]).ends();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("event 3") && said.contains("does not fit its hash"),
        "{said}"
    );
}

#[test]
fn where_nobody_reads_any_more_it_ends_by_itself_although_nothing_is_added() {
    let place = place();
    place.run(["run"]).expect(0);
    let mut command = place.command(["audit", "--follow", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    drop(out);
    assert_eq!(ended(&mut child).code(), Some(0));
}

#[test]
fn a_reader_that_has_stopped_does_not_keep_it_from_ending() {
    let mut place = place();
    // Names as long as they may be: more than a pipe holds.
    let names: Vec<String> = (0..400)
        .map(|number| format!("user-{number}-{}", "x".repeat(50)))
        .collect();
    place.add_users(names.iter().map(String::as_str), DAY * 2);
    place.run(["run"]).expect(0);
    let mut child = place
        .command(["audit", "--follow", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    // It is in the middle of a write now, for as long as this end is open.
    std::thread::sleep(Duration::from_millis(500));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(ended(&mut child).code(), Some(0));
    drop(out);
}
