//! Machines die, sleep and lose the server at any time. Whatever they do, no key is lost and none is left over.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rotate_fixtures::aws::Action;
use rotate_fixtures::{LossyWire, Postgres, Ran};

use super::{DATABASE, DAY, Machines, tell, user};

/// How long a lease lasts here, in milliseconds.
pub(super) const LEASE: &str = "1500";
/// What is longer than that and what is waited for after it.
pub(super) const PAST_THE_LEASE: Duration = Duration::from_millis(2_600);

const MACHINES: usize = 8;
const USERS: usize = 6;
const ROUNDS: usize = 36;

/// Waits for what has to come.
pub(super) fn until(what: &str, comes: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !comes() {
        assert!(Instant::now() < deadline, "it never comes: {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Two machines of which the first, whose way to the server this wire is, is in the middle of three rotations.
pub(super) fn half_way() -> (LossyWire, Machines, Child) {
    let wire = LossyWire::before(Postgres::shared().address());
    let address = wire.address();
    let url = Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE);
    let machines = Machines::with_users(3);
    machines.share_identity(1..2);
    machines.place.cloud.latency(Duration::from_millis(60));
    let mut run = machines.command(0, ["run"]);
    run.env("JOURNAL", &url)
        .env("ROTATE_TEST_LEASE", LEASE)
        .env("ROTATE_TEST_PATIENCE", "500");
    let child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("a key is made", || {
        machines.place.cloud.count_of(Action::CreateAccessKey) > 0
    });
    (wire, machines, child)
}

/// The second machine waits for the lease and brings everything to its end. Its own lasts longer: it has nothing to lose it to but a
/// machine that is slow.
pub(super) fn takes_over(machines: &Machines) {
    let mut other = machines.command(1, ["run", "--wait-for-lease", "30s"]);
    other.env("ROTATE_TEST_LEASE", "6000");
    Ran::of(other).expect(0);
}

fn begin(machines: &Machines, machine: usize) -> Child {
    let mut command = machines.command(machine, ["run", "--wait-for-lease", "5s"]);
    command.env("ROTATE_TEST_LEASE", LEASE);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    // It may have ended by itself.
    let _ = kill(id, signal);
}

/// The consumer's key works at every moment, and nobody has more keys than two.
pub(super) fn holds(machines: &Machines, users: usize, when: &str) {
    for number in 0..users {
        let user = user(number);
        let keys = machines.place.cloud.keys_of(&user);
        assert!(
            !keys.is_empty() && keys.len() <= 2,
            "{when}: {user} has {} keys",
            keys.len()
        );
        assert!(keys.iter().any(|key| key.active), "{when}: {user} is locked out");
        if let Some(delivered) = machines.place.delivered_key(&user) {
            let works = machines.place.cloud.works(&delivered.id, &delivered.secret);
            assert!(works, "{when}: what was delivered to {user} does not work");
        }
    }
}

#[derive(Default)]
struct Told {
    killed: usize,
    stopped: usize,
    ended_sessions: usize,
    untouched: usize,
    exits: std::collections::BTreeMap<String, usize>,
    seasons: usize,
}

#[test]
fn whoever_is_killed_stopped_past_its_lease_or_cut_off_no_key_is_lost_and_none_is_left_over() {
    let seed = std::env::var("ROTATE_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    tell(&format!("ROTATE_TEST_SEED={seed}"));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut machines = Machines::on_their_own();
    machines.add_users(USERS);
    machines.share_identity(1..MACHINES);
    machines.place.cloud.latency(Duration::from_millis(10));
    let mut told = Told::default();
    for round in 0..ROUNDS {
        let at_once = random.usize(2..=MACHINES);
        let mut running: Vec<Child> = (0..at_once).map(|machine| begin(&machines, machine)).collect();
        sleep(Duration::from_millis(random.u64(60..700)));
        let mut stopped = Vec::new();
        for child in &running {
            match random.u8(0..8) {
                0..=2 => {
                    signal(child, Signal::SIGKILL);
                    told.killed += 1;
                }
                3..=4 => {
                    signal(child, Signal::SIGSTOP);
                    stopped.push(child);
                    told.stopped += 1;
                }
                5 => {
                    machines.on_the_server(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                         WHERE application_name = 'rotate' AND pid <> pg_backend_pid()",
                    );
                    told.ended_sessions += 1;
                }
                _ => told.untouched += 1,
            }
        }
        if !stopped.is_empty() {
            sleep(PAST_THE_LEASE);
            for child in stopped {
                signal(child, Signal::SIGCONT);
            }
        }
        for child in running.drain(..) {
            let output = child.wait_with_output().unwrap();
            let exit = output
                .status
                .code()
                .map_or("killed".to_owned(), |code| code.to_string());
            let talk = String::from_utf8_lossy(&output.stderr);
            assert!(
                matches!(exit.as_str(), "0" | "1" | "4" | "killed"),
                "round {round}, exit {exit}: {talk}"
            );
            assert!(!talk.contains("panicked"), "{talk}");
            *told.exits.entry(exit).or_default() += 1;
        }
        holds(&machines, USERS, &format!("seed {seed}, round {round}"));
        let all_done = (0..USERS).all(|number| {
            let delivered = machines.place.delivered_key(&user(number));
            delivered.is_some_and(|key| machines.place.keys(&user(number)) == [key.id])
        });
        if all_done {
            // Everything is due once more.
            machines.place.pass(DAY * 179);
            told.seasons += 1;
        }
    }
    let mut last = machines.command(0, ["run", "--wait-for-lease", "30s"]);
    last.env("ROTATE_TEST_LEASE", LEASE);
    for _ in 0..5 {
        let mut again = machines.command(0, ["run", "--wait-for-lease", "30s"]);
        again.env("ROTATE_TEST_LEASE", LEASE);
        if rotate_fixtures::Ran::of(again).code == Some(0) {
            break;
        }
    }
    rotate_fixtures::Ran::of(last).expect(0);
    machines.is_done(USERS);
    let exits: Vec<String> = told
        .exits
        .iter()
        .map(|(exit, count)| format!("{exit}: {count}"))
        .collect();
    tell(&format!(
        "{ROUNDS} rounds: {} killed, {} stopped past their lease, {} times all sessions ended, {} left alone; exits {}; {} keys made, {} events",
        told.killed,
        told.stopped,
        told.ended_sessions,
        told.untouched,
        exits.join(", "),
        machines.place.cloud.count_of(Action::CreateAccessKey),
        machines.on_the_server("SELECT count(*) FROM events").trim()
    ));
    assert!(told.seasons > 0, "nothing was ever done");
}

#[test]
fn a_server_that_falls_over_in_the_middle_is_waited_for_and_the_same_run_goes_on() {
    let mut machines = Machines::on_their_own();
    machines.add_users(4);
    machines.place.cloud.latency(Duration::from_millis(40));
    let mut run = machines.command(0, ["run"]);
    let child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("a key is made", || {
        machines.place.cloud.count_of(Action::CreateAccessKey) > 0
    });
    // The death of one of its processes makes the server end all sessions, and recover what was committed from its log.
    let mut falls = 0;
    for _ in 0..3 {
        let found = machines.server().run(
            DATABASE,
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'rotate' ORDER BY pid LIMIT 1",
        );
        if let Ok(pid) = found.rows.trim().parse::<i32>() {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
            falls += 1;
        }
        sleep(Duration::from_millis(400));
    }
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    tell(&format!("the server fell over {falls} times"));
    assert!(falls > 0);
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 4);
    machines.is_done(4);
}

#[test]
fn a_machine_that_is_cut_off_from_the_server_stops_and_another_goes_on_in_its_place() {
    let (wire, mut machines, child) = half_way();
    wire.cut(true);
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(
        talk.contains("cannot be reached") || talk.contains("is not known"),
        "{talk}"
    );
    holds(&machines, 3, "cut off");
    takes_over(&machines);
    machines.is_done(3);
    machines.place.pass(DAY);
}
