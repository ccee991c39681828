//! The figures that the README quotes, each with the bound that it is held to, computed in the same run.
//!
//! `cargo bench` builds the program as it is released and runs it against the fake cloud. A figure beyond its bound
//! ends the run with exit code 1; the test suite itself never looks at a clock. `cargo bench -- fleet` measures one part.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot work must stop, and its output is its result"
)]

#[path = "figures/call.rs"]
mod call;
#[path = "figures/fleet.rs"]
mod fleet;
#[path = "figures/reasons.rs"]
mod reasons;
#[path = "figures/server.rs"]
mod server;
#[path = "figures/stores.rs"]
mod stores;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use rotate::machine::{AnyRotation, Cutover, Event, LostKey, Prove, Record, RotationSpec, SwitchedBy};
use rotate::store::{Append, SqliteStore, Store};
use rotate_fixtures::memory_folder;
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace};
use rotate_providers::contract::{KeyId, Principal};
use rotate_providers::snowflake_keypair::KeyPair;

use reasons::{AWS, Reason, SNOWFLAKE, steps};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
/// How long the fake waits before it replies.
const CALL: Duration = Duration::from_millis(20);
/// What the program may need beside the calls that wait for one another: to start, to seal, and to write its journal down.
const MOST_BESIDE_CALLS: f64 = 1.25;
const FINISHED_ROTATIONS: usize = 10_000;
const TARGETS: usize = 100;

/// One part of what is measured.
type Measure = fn(&mut Report);

fn main() -> ExitCode {
    let mut report = Report { held: true };
    let parts: [(&str, Measure); 11] = [
        ("access-key", whole_rotation),
        ("key-pair", whole_rotation_of_a_key_pair),
        ("destinations", stores::three_destinations),
        ("generation", key_generation),
        ("start", start_up),
        ("fleet", fleet::whole_rotations),
        ("nothing-due", fleet::nothing_due),
        ("report", fleet::report),
        ("server-nothing-due", server::nothing_due),
        ("server-writing", server::writing),
        ("runners", server::runners),
    ];
    // What cargo itself passes on begins with a dash.
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, measure) in parts {
        if named.is_empty() || named.iter().any(|named| named == name) {
            measure(&mut report);
        }
    }
    if report.held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Report {
    held: bool,
}

impl Report {
    fn figure(&mut self, what: &str, value: f64, bound: f64, unit: &str) {
        self.told(what, value, bound, unit, value <= bound);
    }

    /// One that has to be as large as its bound.
    fn at_least(&mut self, what: &str, value: f64, bound: f64, unit: &str) {
        self.told(what, value, bound, unit, value >= bound);
    }

    fn told(&mut self, what: &str, value: f64, bound: f64, unit: &str, holds: bool) {
        self.held &= holds;
        let verdict = if holds { "holds" } else { "BROKEN" };
        println!("{what:<66} {value:>8.2} {unit:<3} bound {bound:>8.2} {unit:<3} {verdict}");
    }

    /// A rotation's seconds, against its calls one after the other, and against those of them that have to wait for another.
    fn rotation(&mut self, what: &str, wall: f64, call: f64, reasons: &[Reason]) {
        let calls = call * reasons.len() as f64;
        self.figure(
            &format!("{what}: wall ÷ (calls × a bare call)"),
            wall / calls,
            1.05,
            "×",
        );
        let path = call * f64::from(steps(reasons));
        let what = format!("{what}: wall ÷ (steps × a bare call), median of 9");
        self.figure(&what, wall / path, MOST_BESIDE_CALLS, "×");
        for Reason { step, call, with, why } in reasons {
            println!("  {step:>2} {call} ({}): {why}", with.name());
        }
    }
}

/// One rotation in one call, from nothing to the end.
fn whole_rotation(report: &mut Report) {
    let call = call::bare(CALL);
    let mut walls = Vec::new();
    let mut most_calls = 0;
    for _ in 0..9 {
        let place = Workplace::new(ROTATE);
        place.cloud.latency(CALL);
        let command = place.rotate(["--cutover", "immediate", "--soak", "0s"]);
        let started = Instant::now();
        Ran::of(command).expect(0);
        let wall = started.elapsed();
        let calls = place.cloud.call_count();
        most_calls = most_calls.max(calls);
        walls.push(wall.as_secs_f64());
    }
    let peak_kilobytes = children().max_rss();
    report.rotation("whole rotation", median(&mut walls), call, AWS);
    report.figure(
        "whole rotation: vendor calls when nothing lags",
        most_calls as f64,
        AWS.len() as f64,
        "",
    );
    report.figure(
        "whole rotation: peak resident memory",
        peak_kilobytes as f64 / 1024.0,
        40.0,
        "MB",
    );
}

/// The same at Snowflake, without the time that it takes to make the key.
fn whole_rotation_of_a_key_pair(report: &mut Report) {
    let call = call::bare(CALL);
    let mut walls = Vec::new();
    let mut most_calls = 0;
    for _ in 0..9 {
        let place = SnowflakeWorkplace::new(ROTATE);
        place.cloud.set_latency(CALL);
        let mut command = place.rotate(["--cutover", "immediate", "--soak", "0s"]);
        command.args(["-v", "--log-format", "json"]);
        let started = Instant::now();
        let ran = Ran::of(command).expect(0);
        let wall = started.elapsed() - generation_told(&ran.stderr);
        let calls = place.cloud.calls().len();
        most_calls = most_calls.max(calls);
        walls.push(wall.as_secs_f64());
    }
    report.rotation("whole key pair rotation", median(&mut walls), call, SNOWFLAKE);
    report.figure(
        "whole key pair rotation: requests, logins included",
        most_calls as f64,
        SNOWFLAKE.len() as f64,
        "",
    );
}

/// What the program itself says of how long the key took.
fn generation_told(talk: &str) -> Duration {
    let lines = talk
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let told: Vec<u64> = lines.filter_map(|line| line["fields"]["took_ms"].as_u64()).collect();
    assert_eq!(told.len(), 1, "one key is made: {talk}");
    Duration::from_millis(told[0])
}

/// Making a key, against OpenSSL in turns: luck is a large part of both.
fn key_generation(report: &mut Report) {
    const KEYS: usize = 41;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..KEYS {
        let started = Instant::now();
        KeyPair::make(2048, None).expect("a key can be made");
        ours.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let output = Command::new("openssl").args(["genrsa", "2048"]).output();
        assert!(output.expect("openssl is on the PATH").status.success());
        theirs.push(started.elapsed().as_secs_f64());
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let what = format!(
        "a key of 2048 bits: ÷ openssl genrsa ({:.0} ms), medians of {KEYS}",
        theirs * 1e3
    );
    report.figure(&what, ours / theirs, 1.0, "×");
}

/// What it costs to ask.
fn start_up(report: &mut Report) {
    // Filling the store takes 140,000 transactions: in memory they need no disk.
    let folder = tempfile::tempdir_in(memory_folder()).expect("a temporary folder can be made");
    let state = folder.path().join("state");
    fill(&state, FINISHED_ROTATIONS, |number| {
        format!("s3-customer-managed/user-{}", number % TARGETS)
    });
    let version = processor_time(|| Command::new(ROTATE).arg("--version").output());
    let status = processor_time(|| {
        Command::new(ROTATE)
            .arg("--state-dir")
            .arg(&state)
            .arg("status")
            .output()
    });
    report.figure("rotate --version: processor time", version * 1e3, 10.0, "ms");
    let what = format!("rotate status, {FINISHED_ROTATIONS} finished rotations: ÷ --version");
    report.figure(&what, status / version, 10.0, "×");
}

/// Seconds of processor time of one run, the mean of many.
fn processor_time(run: impl Fn() -> std::io::Result<std::process::Output>) -> f64 {
    const RUNS: u32 = 200;
    let before = used(&children());
    for _ in 0..RUNS {
        let output = run().expect("the program can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    (used(&children()) - before) / f64::from(RUNS)
}

fn children() -> Usage {
    getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts resources")
}

fn used(usage: &Usage) -> f64 {
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Finished rotations, written by the store itself.
fn fill(state: &Path, rotations: usize, target: impl Fn(usize) -> String) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(state)
        .expect("the state folder can be made");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let store = SqliteStore::open(&state.join("rotate.db"))
            .await
            .expect("the store opens");
        let lease = store.lease().await.expect("nobody else writes");
        for number in 0..rotations {
            let (id, target) = (format!("rotation-{number:06}"), target(number));
            let mut rotation = None;
            for (event, follows) in life(number).into_iter().zip(0..) {
                let record = Record {
                    at: jiff::Timestamp::now(),
                    event,
                };
                let after = AnyRotation::after(rotation.take(), &record).expect("the events fit");
                let append = Append {
                    id: &id,
                    target: &target,
                    follows,
                    record: &record,
                    state: &after.clone().into(),
                    seal: None,
                    telling: None,
                };
                store.append(&lease, append).await.expect("the event is written");
                rotation = Some(after);
            }
        }
    });
}

fn life(number: usize) -> Vec<Event> {
    let destination = "file:/etc/consumer/key.json".to_owned();
    let spec = RotationSpec {
        connector: "s3-customer-managed".to_owned(),
        inputs: serde_json::json!({ "user": "user", "bucket": "bucket" }),
        after_delivery: Vec::new(),
        destinations: vec![destination.clone()],
        cutover: Cutover::Immediate,
        soak_seconds: 0,
        observe_seconds: 86_400,
        allowance_seconds: 0,
        owner: Principal {
            account: "123456789012".to_owned(),
            name: "user".to_owned(),
            id: "AIDAEXAMPLE".to_owned(),
        },
        old_key: KeyId::parse(&format!("AKIAOLD{number:013}")).expect("the name of a key"),
        retirement: Default::default(),
        mints_locally: false,
        own_identity: false,
        host: None,
        prove: Prove::Login,
        window: None,
        lost_key: LostKey::Delete,
    };
    vec![
        Event::Opened {
            spec: spec.into(),
            begun: None,
        },
        Event::CreateIntended {
            made_within: None,
            ids_before: [KeyId::parse("AKIAOLD").expect("the name of a key")].into(),
        },
        Event::Created {
            key: KeyId::parse(&format!("AKIANEW{number:013}")).expect("the name of a key"),
            request: None,
        },
        Event::Proved,
        Event::DeliverIntended {
            destination: destination.clone(),
        },
        Event::Delivered { destination },
        Event::CutOver {
            by: SwitchedBy::Delivery,
        },
        Event::DeactivateIntended,
        Event::Deactivated { request: None },
        Event::Proved,
        Event::Soaking,
        Event::DeleteIntended,
        Event::Deleted { request: None },
        Event::Done,
    ]
}
