//! What it costs to keep a fleet.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Event, Inventory, InventoryReading, Record, SeenKey};
use rotate::store::{Append, SqliteStore, Store, watch_of};
use rotate_fixtures::FleetWorkplace;
use rotate_providers::contract::{KeyId, Principal};

use super::{CALL, ROTATE, Report};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const DUE: usize = 1_000;
const AT_ONCE: usize = 64;
const ALL: usize = 10_000;

/// A thousand whole rotations in one run, with the journal on the disk.
pub(super) fn whole_rotations(report: &mut Report) {
    let mut place = FleetWorkplace::on_disk(ROTATE);
    place.configure(&format!(
        "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\nconcurrency = {AT_ONCE}\n"
    ));
    let names: Vec<String> = (0..DUE).map(|number| format!("user-{number:04}")).collect();
    place.add_users(names.iter().map(String::as_str), DAY * 179);
    place.cloud.latency(CALL);
    let mut command = place.command(["run"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().expect("the program can be started");
    let wall = started.elapsed().as_secs_f64();
    assert!(status.success(), "the fleet was not rotated: {status}");
    let calls = place.cloud.call_count();
    let bound = CALL.as_secs_f64() * calls as f64 / AT_ONCE as f64;
    report.figure(
        &format!("{DUE} whole rotations, {AT_ONCE} at once: wall ÷ (calls × 20 ms ÷ {AT_ONCE})"),
        wall / bound,
        1.2,
        "×",
    );
    println!("  ({wall:.1} s, {calls} calls)");
}

/// Ten thousand targets of which none is due.
pub(super) fn nothing_due(report: &mut Report) {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(&ten_thousand(&place));
    see_all(&place);
    let (seconds, megabytes) = costs(place.command(["plan", "--offline"]));
    report.figure(&format!("plan --offline over {ALL} targets: time"), seconds, 0.12, "s");
    report.figure(
        &format!("plan --offline over {ALL} targets: memory"),
        megabytes,
        50.0,
        "MB",
    );
    let (seconds, _) = costs(place.command(["run"]));
    report.figure(&format!("run over {ALL} targets, none due: time"), seconds, 0.2, "s");
    report.figure(
        &format!("run over {ALL} targets, none due: vendor calls"),
        place.cloud.call_count() as f64,
        0.0,
        "",
    );
}

/// What it costs to tell an auditor of ten thousand targets, each with its last rotation.
pub(super) fn report(report: &mut Report) {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(&ten_thousand(&place));
    super::fill(&place.state(), ALL, |number| format!("user-{number:05}"));
    for form in ["html", "csv", "json"] {
        let (seconds, megabytes) = costs(place.command(["report", "--output", form]));
        report.figure(
            &format!("report --output {form} over {ALL} targets: time"),
            seconds,
            3.0,
            "s",
        );
        let what = format!("report --output {form} over {ALL} targets: memory");
        report.figure(&what, megabytes, 200.0, "MB");
    }
}

/// A fleet of that many.
fn ten_thousand(place: &FleetWorkplace) -> String {
    let mut text = String::from("[defaults]\naws_calls_per_second = 0\n");
    for number in 0..ALL {
        text.push_str(&format!(
            "\n[[target]]\nname = \"user-{number:05}\"\nconnector = \"s3-customer-managed\"\nuser = \"user-{number:05}\"\n\
             bucket = \"acme-data\"\ndeliver = [\"file:{}\"]\n",
            place.path(&format!("{number}.json")).display()
        ));
    }
    text
}

/// Wall seconds and peak megabytes of one process. The shell's `ulimit` is no measure: the peak is the kernel's.
pub(super) fn costs(mut command: Command) -> (f64, f64) {
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let started = Instant::now();
    let mut child = command.spawn().expect("the program can be started");
    let mut peak = 0.0_f64;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0.0) / 1024.0);
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            assert!(status.success(), "it failed: {status}");
            return (started.elapsed().as_secs_f64(), peak);
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// Every target was looked at yesterday: its key is a month old.
fn see_all(place: &FleetWorkplace) {
    use std::os::unix::fs::DirBuilderExt;
    let state = place.state();
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&state)
        .expect("the state folder can be made");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        rotate::seal::AgeSealer::create(&state.join("identity.age")).expect("an identity can be made");
        let store = SqliteStore::open(&state.join("rotate.db"))
            .await
            .expect("the store opens");
        let lease = store.lease().await.expect("nobody else writes");
        for number in 0..ALL {
            let record = sighted(number);
            let watch = Inventory::after(None, &record).expect("the event fits");
            let append = Append {
                id: &format!("watch-{number:05}"),
                target: &watch_of(&format!("user-{number:05}")),
                follows: 0,
                record: &record,
                state: &watch.into(),
                seal: None,
                telling: None,
            };
            store.append(&lease, append).await.expect("the event is written");
        }
    });
}

/// A target was looked at yesterday: its key is a month old.
pub(super) fn sighted(number: usize) -> Record {
    let at = Timestamp::now() - DAY;
    let event = Event::Sighted {
        sighting: sighting(number, at - DAY * 30),
    };
    Record { at, event }
}

fn sighting(number: usize, born_at: Timestamp) -> InventoryReading {
    let id = KeyId::parse(&format!("AKIA{number:016}")).expect("the name of a key");
    InventoryReading {
        owner: Principal {
            account: "123456789012".to_owned(),
            name: format!("user-{number:05}"),
            id: format!("AIDA{number:016}"),
        },
        keys: vec![SeenKey {
            id: id.clone(),
            active: true,
            created_at: Some(born_at),
        }],
        live: Some(id),
    }
}
