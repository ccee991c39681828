//! No crash at any instruction loses a secret, leaves an orphan key or locks a consumer out.
//!
//! The real program is killed with SIGKILL at every crash point of a flow, and at every pair of crash points; each time
//! it is simply run again, as cron or a person would. Leans on the strict fake, because only it knows at every moment
//! which keys work, and calls back before the answer to an effect leaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

#[path = "crash/aws.rs"]
mod aws;
#[path = "crash/flow.rs"]
mod flow;
#[path = "crash/ground.rs"]
mod ground;
#[path = "crash/journal.rs"]
mod journal;
#[path = "crash/scenario.rs"]
mod scenario;
#[path = "crash/snowflake.rs"]
mod snowflake;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aws::Aws;
use flow::Flow;
use ground::Ground;
use scenario::Scenario;
use snowflake::Snowflake;

/// Runs every scenario of a flow: undisturbed, killed at each point, killed at each pair of points.
fn survive<G: Ground>(vendor: &str, flow: Flow) {
    let started = Instant::now();
    let points = Scenario::<G>::new(flow).run(&[]).points;
    assert!(points.len() > 10, "{flow} has too few crash points");
    let first = AtomicUsize::new(1);
    let ran = AtomicUsize::new(1);
    // The scenarios wait for the disk more than they compute.
    let workers = std::thread::available_parallelism().map_or(2, usize::from) * 4;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let kill = first.fetch_add(1, Ordering::SeqCst);
                    if kill > points.len() {
                        break;
                    }
                    ran.fetch_add(after_first_kill::<G>(flow, kill), Ordering::SeqCst);
                }
            });
        }
    });
    // Past the test runner, which keeps what a passing test prints to itself.
    let told = writeln!(
        std::io::stderr(),
        "{vendor}, {flow}: {} crash points, {} scenarios, all invariants held, {:.0} s",
        points.len(),
        ran.load(Ordering::SeqCst),
        started.elapsed().as_secs_f64(),
    );
    told.unwrap();
}

/// All scenarios that begin with a kill at this point: alone, and followed by one at each later point.
fn after_first_kill<G: Ground>(flow: Flow, kill: usize) -> usize {
    let alone = Scenario::<G>::new(flow).run(&[kill]);
    assert_eq!(alone.kills, 1, "{flow}: nothing was killed at point {kill}");
    let mut ran = 1;
    for second in 1.. {
        let pair = Scenario::<G>::new(flow).run(&[kill, second]);
        ran += 1;
        if pair.kills < 2 {
            break;
        }
        assert!(second < 500, "{flow} never ends after a kill at {kill}");
    }
    ran
}

#[test]
fn an_immediate_rotation_survives_every_kill_and_every_pair() {
    survive::<Aws>("AWS", Flow::Immediate);
}

#[test]
fn a_confirmed_rotation_survives_every_kill_and_every_pair() {
    survive::<Aws>("AWS", Flow::Confirmed);
}

#[test]
fn an_abort_survives_every_kill_and_every_pair() {
    survive::<Aws>("AWS", Flow::Aborted);
}

#[test]
fn a_rollback_survives_every_kill_and_every_pair() {
    survive::<Aws>("AWS", Flow::RolledBack);
}

#[test]
fn a_useless_new_key_is_withdrawn_through_every_kill_and_every_pair() {
    survive::<Aws>("AWS", Flow::Useless);
}

#[test]
fn an_immediate_rotation_of_a_key_pair_survives_every_kill_and_every_pair() {
    survive::<Snowflake>("Snowflake", Flow::Immediate);
}

#[test]
fn a_confirmed_rotation_of_a_key_pair_survives_every_kill_and_every_pair() {
    survive::<Snowflake>("Snowflake", Flow::Confirmed);
}

#[test]
fn a_removal_for_good_survives_every_kill_and_every_pair() {
    survive::<Snowflake>("Snowflake", Flow::ForGood);
}

#[test]
fn an_abort_of_a_key_pair_survives_every_kill_and_every_pair() {
    survive::<Snowflake>("Snowflake", Flow::Aborted);
}

#[test]
fn a_rollback_of_a_key_pair_survives_every_kill_and_every_pair() {
    survive::<Snowflake>("Snowflake", Flow::RolledBack);
}
