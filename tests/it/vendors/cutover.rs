//! When the old key may go: the record of use, the allowance, and what stops the removal.

use super::ground::Ground;
use super::{DAY, HOUR, on_every_ground};

on_every_ground! {
    an_observed_cutover_needs_use_by_someone_else_and_an_idle_old_key
    a_wait_for_evidence_never_uses_the_new_key_itself
    evidence_that_never_comes_calls_a_person_and_forces_nothing
    a_cutover_beyond_its_allowance_calls_a_person_and_forces_nothing
    how_long_the_record_is_watched_can_be_set
    an_old_key_that_was_used_after_the_word_is_not_taken_away_and_its_use_is_named
}

#[track_caller]
fn expect_waiting<G: Ground>(ground: &G, context: &str) {
    assert_eq!(ground.state_name(), "delivered", "{context}");
    assert!(
        ground.is_live(&ground.old().id),
        "{context}: the old key was taken away"
    );
}

/// The id of the key that was delivered.
#[track_caller]
fn new_key<G: Ground>(ground: &G) -> String {
    ground.new_key().expect("the new key was delivered").id
}

fn an_observed_cutover_needs_use_by_someone_else_and_an_idle_old_key<G: Ground>() {
    for ground in G::with_each_record() {
        let old = ground.old().id;
        ground.begin(&["--cutover", "observed", "--soak", "7d"]).expect(0);
        let new = new_key(&ground);
        expect_waiting(&ground, "begun");
        // Our own proof has marked the new key as used, and does not count.
        ground.later(HOUR, &["run"]).expect(0);
        expect_waiting(&ground, "after our own use");
        // Someone uses the new key; that the old one is idle cannot be seen at once.
        ground.use_key(&new, ground.in_minutes(30));
        let ran = ground.later(23 * HOUR, &["run"]).expect(0);
        assert!(ran.stdout.contains("is watched until"), "{}", ran.stdout);
        expect_waiting(&ground, "after a use of the new key");
        // Someone still uses the old one.
        let used = ground.in_minutes(31);
        ground.use_key(&old, used);
        let ran = ground.later(2 * DAY, &["run"]).expect(0);
        for words in [&old, "was used after the delivery", &G::told_use(used)] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        expect_waiting(&ground, "after a use of the old key");
        // Only the new one is in use.
        ground.forget_use(&old);
        ground.later(2 * DAY, &["run"]).expect(0);
        assert_eq!(ground.state_name(), "deactivated");
        let audit = ground.run(&["audit", G::TARGET, "--output", "json"]).expect(0);
        assert!(audit.stdout.contains("observed"), "{}", audit.stdout);
        assert!(!ground.is_live(&old));
    }
}

fn a_wait_for_evidence_never_uses_the_new_key_itself<G: Ground>() {
    let ground = G::new();
    ground.begin(&["--cutover", "observed"]).expect(0);
    let new = new_key(&ground);
    assert!(ground.callers().contains(&new), "its proof would have been seen");
    ground.forget_calls();
    ground.later(HOUR, &["run"]).expect(0);
    let callers = ground.callers();
    assert!(!callers.is_empty());
    assert!(!callers.contains(&new), "{callers:?}");
}

fn evidence_that_never_comes_calls_a_person_and_forces_nothing<G: Ground>() {
    for ground in G::with_each_record() {
        ground.begin(&["--cutover", "observed", "--observe", "0s"]).expect(0);
        let ran = ground.later(13 * DAY, &["run"]).expect(0);
        assert!(ran.stdout.contains("nobody but rotate"), "{}", ran.stdout);
        let ran = ground.later(15 * DAY, &["run"]).expect(3);
        for words in ["overdue", &format!("confirm {}", G::TARGET)] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        expect_waiting(&ground, "overdue");
    }
}

fn a_cutover_beyond_its_allowance_calls_a_person_and_forces_nothing<G: Ground>() {
    let ground = G::delivered();
    ground.later(13 * DAY, &["run"]).expect(0);
    let ran = ground.later(15 * DAY, &["run"]).expect(3);
    assert!(ran.stdout.contains("overdue"), "{}", ran.stdout);
    expect_waiting(&ground, "overdue");
}

fn how_long_the_record_is_watched_can_be_set<G: Ground>() {
    let ground = G::new();
    ground.begin(&["--cutover", "observed", "--observe", "0s"]).expect(0);
    ground.use_key(&new_key(&ground), ground.in_minutes(20));
    ground.run(&["run"]).expect(0);
    assert_eq!(ground.state_name(), "deactivated");

    let ground = G::new();
    ground.begin(&["--cutover", "observed", "--observe", "72h"]).expect(0);
    ground.use_key(&new_key(&ground), ground.in_minutes(20));
    ground.later(71 * HOUR, &["run"]).expect(0);
    expect_waiting(&ground, "71 hours");
    ground.later(73 * HOUR, &["run"]).expect(0);
    assert_eq!(ground.state_name(), "deactivated");
}

fn an_old_key_that_was_used_after_the_word_is_not_taken_away_and_its_use_is_named<G: Ground>() {
    for ground in G::with_each_record() {
        let old = ground.old();
        ground.begin(&["--soak", "7d"]).expect(0);
        let used = ground.in_minutes(60);
        ground.use_key(&old.id, used);
        let ran = ground.run(&["confirm", G::TARGET]).expect(3);
        for words in [
            &old.id,
            "was used after the cut-over",
            &G::told_use(used),
            "confirm",
            "rollback",
        ] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        assert_eq!(ground.state_name(), "blocked");
        assert!(ground.is_live(&old.id));
        // Cron changes nothing, and goes on saying that a person is needed.
        ground.run(&["run"]).expect(3);
        assert!(ground.is_live(&old.id));
        // The person finds the forgotten consumer, moves it, and says so.
        ground.later(2 * HOUR, &["confirm", G::TARGET]).expect(0);
        assert_eq!(ground.state_name(), "deactivated");
        assert!(!ground.is_live(&old.id));
    }
}
