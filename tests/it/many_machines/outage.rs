//! A database that is away: for one machine alone, in a network that drops every packet; and for all, for an hour.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use rotate_fixtures::Ran;
use rotate_fixtures::aws::Action;

use super::chaos::{LEASE, PAST_THE_LEASE, half_way, holds, takes_over, until};
use super::{DAY, Machines, user};

const HOUR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Nobody is told that the wire is dead: what was sent waits for an answer, and the lease ends by the clock of the database.
#[test]
fn a_machine_whose_packets_to_the_database_all_vanish_calls_nobody_once_its_lease_is_over_and_another_goes_on() {
    let (wire, mut machines, mut cut_off) = half_way();
    wire.swallow(true);
    sleep(PAST_THE_LEASE);
    holds(&machines, 3, "cut off");
    takes_over(&machines);
    machines.is_done(3);
    let calls = machines.place.cloud.call_count();
    assert!(
        cut_off.try_wait().unwrap().is_none(),
        "the other one has finished while this one still waits"
    );
    let output = cut_off.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(
        talk.contains("cannot be reached") || talk.contains("is not known"),
        "{talk}"
    );
    assert_eq!(machines.place.cloud.call_count(), calls, "{talk}");
    wire.swallow(false);
    machines.is_done(3);
    machines.place.pass(DAY);
}

#[test]
fn a_database_that_is_down_for_an_hour_costs_a_run_and_no_key() {
    const USERS: usize = 4;
    let mut machines = Machines::on_their_own();
    machines.add_users(USERS);
    machines.place.cloud.latency(Duration::from_millis(40));
    let run = |machines: &Machines| {
        let mut command = machines.command(0, ["run", "--wait-for-lease", "30s"]);
        command
            .env("ROTATE_TEST_LEASE", LEASE)
            .env("ROTATE_TEST_PATIENCE", "1500");
        command
    };
    let child = run(&machines)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("a key is made", || {
        machines.place.cloud.count_of(Action::CreateAccessKey) > 0
    });
    let mut server = machines.server.take().unwrap();
    server.stop();
    // What was on its way to the vendor arrives.
    sleep(Duration::from_millis(500));
    let calls = machines.place.cloud.call_count();
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("cannot be reached"), "{talk}");
    assert_eq!(machines.place.cloud.call_count(), calls, "{talk}");
    holds(&machines, USERS, "the database is down");
    // As cron does in the meantime.
    Ran::of(run(&machines)).expect(1).says(&["cannot be reached"]);
    assert_eq!(machines.place.cloud.call_count(), calls);
    server.start_again();
    machines.server = Some(server);
    machines.place.pass(HOUR);
    // A key that was made, and never written down, is taken back first.
    for _ in 0..3 {
        Ran::of(run(&machines)).expect(0);
    }
    machines.is_done(USERS);
}

/// The lease goes by the clock of the database: whoever's own is an hour ahead does not take it for ended, and whoever's is an hour
/// behind gets it once it is.
#[test]
fn a_machine_whose_clock_is_an_hour_off_takes_over_when_the_lease_is_over_and_no_sooner() {
    for (first, second) in [("0", "3600"), ("3600", "0"), ("0", "-3600")] {
        let mut machines = Machines::with_users(1);
        machines.share_identity(1..2);
        let with_clock = |machines: &Machines, machine: usize, ahead: &str, arguments: &[&str]| {
            let mut command = machines.command(machine, arguments.iter().copied());
            command
                .env("ROTATE_TEST_CLOCK_AHEAD", ahead)
                .env("ROTATE_TEST_LEASE", "12000");
            command
        };
        let mut dies = with_clock(&machines, 0, first, &["run"]);
        // Behind the delivery of the new key.
        dies.env("ROTATE_TEST_KILL_AT", "40");
        assert_eq!(Ran::of(dies).code, None, "{first}: it was killed");
        let delivered = machines.place.delivered_key(&user(0));
        Ran::of(with_clock(&machines, 1, second, &["run"]))
            .expect(4)
            .says(&["is at work on the journal"]);
        Ran::of(with_clock(&machines, 1, second, &["run", "--wait-for-lease", "1m"])).expect(0);
        assert!(delivered.is_some() && machines.place.delivered_key(&user(0)) == delivered);
        holds(&machines, 1, "taken over");
        // What has to wait for a time that one of the clocks has already seen goes on once all have.
        machines.place.pass(HOUR * 2);
        for _ in 0..2 {
            machines.run(0, ["run"]).expect(0);
        }
        machines.is_done(1);
    }
}
