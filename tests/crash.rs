//! No crash at any instruction loses a secret, leaves an orphan key or locks a consumer out.
//!
//! The real program is killed with SIGKILL at every crash point of every command, in every world that such kills lead to, and
//! simply run again, as cron or a person would: any number of kills, in any order. Leans on the strict fakes, because only
//! they know at every moment which keys work, and because all that they know can be copied and put back.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

#[path = "crash/aws.rs"]
mod aws;
#[path = "crash/files.rs"]
mod files;
#[path = "crash/flow.rs"]
mod flow;
#[path = "crash/ground.rs"]
mod ground;
#[path = "crash/journal.rs"]
mod journal;
#[path = "crash/pairs.rs"]
mod pairs;
#[path = "crash/print.rs"]
mod print;
#[path = "crash/snowflake.rs"]
mod snowflake;
#[path = "crash/stage.rs"]
mod stage;
#[path = "crash/system.rs"]
mod system;
#[path = "crash/walk.rs"]
mod walk;

use std::io::Write;

use aws::Aws;
use flow::Flow;
use ground::Ground;
use snowflake::Snowflake;
use stage::Stage;
use walk::{Bounds, walk};

fn survive<G: Ground>(vendor: &str, flow: Flow, others: usize) {
    let mut stage = Stage::<G>::new(flow, others == 0);
    let bounds = Bounds {
        others,
        worlds: 1500,
        samples: 12,
        seed: 1,
    };
    let figures = walk(&mut stage, bounds);
    // Past the test runner, which keeps what a passing test prints to itself.
    writeln!(std::io::stderr(), "{vendor}, {flow}, others {others}: {figures}").unwrap();
}

#[test]
fn an_immediate_rotation_survives_kills_in_any_order() {
    survive::<Aws>("AWS", Flow::Immediate, 0);
}

#[test]
fn a_confirmed_rotation_survives_kills_in_any_order() {
    survive::<Aws>("AWS", Flow::Confirmed, 0);
}

#[test]
fn an_abort_survives_kills_in_any_order() {
    survive::<Aws>("AWS", Flow::Aborted, 0);
}

#[test]
fn a_rollback_survives_kills_in_any_order() {
    survive::<Aws>("AWS", Flow::RolledBack, 0);
}

#[test]
fn a_useless_new_key_is_withdrawn_through_kills_in_any_order() {
    survive::<Aws>("AWS", Flow::Useless, 0);
}

#[test]
fn snow_immediate() {
    survive::<Snowflake<false>>("Snowflake", Flow::Immediate, 0);
}
#[test]
fn snow_confirmed() {
    survive::<Snowflake<false>>("Snowflake", Flow::Confirmed, 0);
}
#[test]
fn snow_forgood() {
    survive::<Snowflake<false>>("Snowflake", Flow::ForGood, 0);
}
#[test]
fn snow_aborted() {
    survive::<Snowflake<false>>("Snowflake", Flow::Aborted, 0);
}
#[test]
fn snow_rolledback() {
    survive::<Snowflake<false>>("Snowflake", Flow::RolledBack, 0);
}

#[test]
fn own_immediate() {
    survive::<Snowflake<true>>("own", Flow::Immediate, 0);
}
#[test]
fn own_confirmed() {
    survive::<Snowflake<true>>("own", Flow::Confirmed, 0);
}
#[test]
fn own_aborted() {
    survive::<Snowflake<true>>("own", Flow::Aborted, 0);
}
#[test]
fn own_rolledback() {
    survive::<Snowflake<true>>("own", Flow::RolledBack, 0);
}
#[test]
fn aws_others() {
    survive::<Aws>("AWS", Flow::Confirmed, 1);
}
