//! No crash at any instruction loses a secret, leaves an orphan key or locks a consumer out.
//!
//! The real program is killed with SIGKILL at every crash point of every command, in every world that such kills lead to, and
//! simply run again, as cron or a person would: any number of kills, in any order. Leans on the strict fakes, because only
//! they know at every moment which keys work, and because all that they know can be copied and put back.
//!
//! `ROTATE_TEST_SEED` repeats a choice of samples; each walk prints its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

mod aws;
mod book;
mod files;
mod fleet;
mod flow;
mod ground;
mod guided;
mod journal;
mod notices;
mod pairs;
pub(crate) mod points;
mod print;
mod programs;
mod server;
mod snowflake;
mod stage;
mod system;
mod test_connector;
mod test_password;
mod toy;
mod walk;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::OnceLock;

use crate::many_machines::killed::OF_SEALING;
use aws::Aws;
use book::Book;
use fleet::Fleet;
use flow::Flow;
use ground::Ground;
use guided::Guided;
use journal::Reader;
use notices::Notices;
use pairs::all_pairs;
use server::OnServer;
use snowflake::Snowflake;
use stage::Stage;
use test_connector::TestConnector;
use test_password::TestPassword;
use walk::{Bounds, Figures, meddle, walk, wander};

type Consumer = Snowflake<false>;
type Own = Snowflake<true>;

/// More worlds than any of these walks has.
const MOST_WORLDS: usize = 3000;
/// How many merged pairs of each walk are run to their end.
const SAMPLES: usize = 40;

/// Every walk, with a test of its name. The longest come first: whoever has nothing to do takes the next.
macro_rules! walks {
    ($($name:ident => $walk:expr;)*) => {
        const WALKS: &[(&str, GuidedJournal)] = &[$((stringify!($name), || $walk)),*];
        $(#[test] fn $name() { walked(stringify!($name)); })*
    };
}

walks! {
    any_word_at_any_time_to_aws => explore::<Aws>(Flow::Confirmed, 1);
    any_word_at_any_time_about_its_own_key => explore::<Own>(Flow::Confirmed, 1);
    any_word_at_any_time_to_snowflake => explore::<Consumer>(Flow::Confirmed, 1);
    any_word_at_any_time_where_a_removal_is_for_good => explore::<Consumer>(Flow::ForGood, 1);
    any_word_at_any_time_about_a_useless_key => explore::<Aws>(Flow::Useless, 1);
    any_word_at_any_time_to_a_guided_rotation => explore::<Guided>(Flow::Guided, 1);
    any_word_at_any_time_to_a_configured_target => explore::<Fleet<1, 1>>(Flow::Fleet, 1);
    whatever_somebody_does_at_aws_meanwhile => disturb::<Aws>(Flow::Meddled);
    whatever_somebody_does_at_snowflake_meanwhile => disturb::<Consumer>(Flow::Meddled);
    guided => explore::<Guided>(Flow::Guided, 0);
    guided_and_given_up => explore::<Guided>(Flow::GivenUp, 0);
    a_fleet_of_twenty_at_once => roam::<Fleet<20, 8>>(Flow::Fleet);
    a_fleet => explore::<Fleet<2, 1>>(Flow::Fleet, 0);
    somebody_is_told => explore::<Notices>(Flow::Fleet, 0);
    its_own_key_rolled_back => explore::<Own>(Flow::RolledBack, 0);
    its_own_key_aborted => explore::<Own>(Flow::Aborted, 0);
    its_own_key_confirmed => explore::<Own>(Flow::Confirmed, 0);
    its_own_key_at_once => explore::<Own>(Flow::Immediate, 0);
    aws_rolled_back => explore::<Aws>(Flow::RolledBack, 0);
    aws_aborted => explore::<Aws>(Flow::Aborted, 0);
    aws_confirmed => explore::<Aws>(Flow::Confirmed, 0);
    aws_proven_by_its_consumer => explore::<Aws>(Flow::ByConsumer, 0);
    aws_proven_by_its_use => explore::<Aws>(Flow::ByUse, 0);
    aws_at_once => explore::<Aws>(Flow::Immediate, 0);
    aws_with_a_program_after_the_delivery => explore::<Aws>(Flow::Told, 0);
    aws_with_a_program_that_fails => explore::<Aws>(Flow::ToldInVain, 0);
    aws_with_three_destinations_of_which_one_fails => explore::<Aws>(Flow::OneFails, 0);
    aws_useless_new_key => explore::<Aws>(Flow::Useless, 0);
    snowflake_rolled_back => explore::<Consumer>(Flow::RolledBack, 0);
    snowflake_aborted => explore::<Consumer>(Flow::Aborted, 0);
    snowflake_confirmed => explore::<Consumer>(Flow::Confirmed, 0);
    snowflake_proven_by_its_consumer => explore::<Consumer>(Flow::ByConsumer, 0);
    snowflake_proven_by_its_use => explore::<Consumer>(Flow::ByUse, 0);
    snowflake_at_once => explore::<Consumer>(Flow::Immediate, 0);
    a_third_connector_at_once => explore::<TestConnector>(Flow::Immediate, 0);
    a_third_connector_sealed_anew => explore::<TestConnector>(Flow::Resealed, 0);
    a_third_connector_removed_for_good => explore::<TestConnector>(Flow::ForGood, 0);
    a_third_connector_aborted => explore::<TestConnector>(Flow::Aborted, 0);
    a_third_connector_rolled_back => explore::<TestConnector>(Flow::RolledBack, 0);
    any_word_at_any_time_to_a_third_connector => explore::<TestConnector>(Flow::ForGood, 1);
    a_password_replaced_where_it_stands => explore::<TestPassword>(Flow::Immediate, 0);
    a_password_without_a_way_back => explore::<TestPassword>(Flow::ForGood, 0);
    a_password_aborted => explore::<TestPassword>(Flow::Aborted, 0);
    a_password_rolled_back => explore::<TestPassword>(Flow::RolledBack, 0);
    any_word_at_any_time_about_a_password => explore::<TestPassword>(Flow::Immediate, 1);
    snowflake_removed_for_good => explore::<Consumer>(Flow::ForGood, 0);
    aws_at_once_with_the_journal_on_a_server => explore_in::<Aws, OnServer>(Flow::Immediate, 0);
    aws_aborted_with_the_journal_on_a_server => explore_in::<Aws, OnServer>(Flow::Aborted, 0);
    snowflake_at_once_with_the_journal_on_a_server => explore_in::<Consumer, OnServer>(Flow::Immediate, 0);
    a_third_connector_at_once_with_the_journal_on_a_server => explore_in::<TestConnector, OnServer>(Flow::Immediate, 0);
    a_password_with_the_journal_on_a_server => explore_in::<TestPassword, OnServer>(Flow::Immediate, 0);
}

type GuidedJournal = fn() -> Walked;

struct Walked {
    figures: Figures,
    passed: BTreeSet<String>,
}

/// Walks a flow whole; with so many commands in a row that do not belong to it.
fn explore<G: Ground>(flow: Flow, others: usize) -> Walked {
    explore_in::<G, Reader>(flow, others)
}

/// The same, with the journal in this place.
fn explore_in<G: Ground, B: Book>(flow: Flow, others: usize) -> Walked {
    let mut stage = Stage::<G, B>::new(flow, others == 0);
    let bounds = Bounds {
        others,
        worlds: MOST_WORLDS,
        samples: SAMPLES,
        seed: seed(),
    };
    let figures = walk(&mut stage, bounds);
    Walked {
        figures,
        passed: stage.passed,
    }
}

/// Goes through a flow by chance: its targets take turns as they like, so it has more worlds than can be walked.
fn roam<G: Ground>(flow: Flow) -> Walked {
    let mut stage = Stage::<G>::new(flow, true);
    Walked {
        figures: wander(&mut stage, 60, 600, seed()),
        passed: stage.passed,
    }
}

/// Goes through a flow by chance, while somebody else has a hand in it: what they may do and when, and what a person says then,
/// leads to more worlds than can be walked.
fn disturb<G: Ground>(flow: Flow) -> Walked {
    let mut stage = Stage::<G>::new(flow, false);
    Walked {
        figures: meddle(&mut stage, 300, 30, seed()),
        passed: stage.passed,
    }
}

fn seed() -> u64 {
    let given = std::env::var("ROTATE_TEST_SEED").ok();
    given.map_or_else(
        || fastrand::u64(0..1_000_000),
        |seed| seed.parse().expect("a seed is a number"),
    )
}

/// What became of a walk. Each is walked once, for its own test or for the one that counts them all.
fn walked(name: &str) -> &'static Walked {
    static DONE: [OnceLock<Walked>; WALKS.len()] = [const { OnceLock::new() }; WALKS.len()];
    let at = WALKS
        .iter()
        .position(|(known, _)| *known == name)
        .expect("it has a test of its name");
    DONE[at].get_or_init(|| {
        let walked = WALKS[at].1();
        tell(&format!("{name}: {}", walked.figures));
        walked
    })
}

/// Past the test runner, which keeps what a passing test prints to itself.
fn tell(line: &str) {
    let told = writeln!(std::io::stderr(), "{line}");
    told.unwrap();
}

#[test]
fn every_crash_point_has_one_name_and_is_passed() {
    let known = points::in_the_source();
    let mut passed = BTreeSet::new();
    let mut all = Figures::default();
    for (name, _) in WALKS {
        let walked = walked(name);
        passed.extend(walked.passed.iter().cloned());
        all += walked.figures;
    }
    tell(&format!(
        "in all: {} worlds, {} of them blocked, {} edges, {} merged, {} killed for real, {} sampled, {:.0} s of walking",
        all.worlds,
        all.blocked,
        all.edges,
        all.merged,
        all.kills,
        all.sampled,
        all.time.as_secs_f64()
    ));
    // No walk over a server seals anew: `many_machines::sealed` kills that at each of its points.
    let walked: BTreeSet<String> = known
        .into_iter()
        .filter(|name| !OF_SEALING.contains(&name.as_str()))
        .collect();
    assert_eq!(passed, walked);
}

/// What the walks' shortcuts are held against.
#[test]
#[ignore = "every pair of kills from the beginning, with nothing skipped: takes many minutes"]
fn all_pairs_with_nothing_skipped() {
    fn pairs<G: Ground>(name: &str, flow: Flow) {
        let ran = all_pairs(&mut Stage::<G>::new(flow, true));
        tell(&format!("{name}, {flow}: {ran} scenarios"));
    }
    for flow in [
        Flow::Useless,
        Flow::Immediate,
        Flow::Confirmed,
        Flow::Aborted,
        Flow::RolledBack,
    ] {
        pairs::<Aws>("AWS", flow);
    }
    for flow in [
        Flow::Immediate,
        Flow::Confirmed,
        Flow::ForGood,
        Flow::Aborted,
        Flow::RolledBack,
    ] {
        pairs::<Consumer>("Snowflake", flow);
    }
}
