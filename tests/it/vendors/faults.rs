//! Calls that break, and new keys that are not accepted at once: no secret is lost, no orphan is left, nobody is cut off.

use super::ground::Ground;
use super::on_every_ground;
use crate::scenarios::beside_each_other;

on_every_ground! {
    each_call_may_break_once_on_either_side_of_its_effect
    a_new_key_is_believed_only_after_several_successes_in_a_row
    a_new_key_that_is_never_accepted_is_withdrawn
}

fn each_call_may_break_once_on_either_side_of_its_effect<G: Ground>() {
    beside_each_other(&G::breaks(), |broken| {
        let context = &broken.name;
        let ground = G::asked_for_everything();
        let complaints = ground.watch();
        (broken.plant)(&ground);
        let ran = ground.begin(&["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "20s"]);
        assert_eq!(ran.code, Some(0), "{context}: {ran:#?}");
        assert_eq!(complaints(), [""; 0], "{context}");
        ground.expect_rotated(context);
        let canary = ground.canary();
        assert!(
            !ran.stdout.contains(&canary) && !ran.stderr.contains(&canary),
            "{context}: a secret was printed"
        );
    });
}

fn a_new_key_is_believed_only_after_several_successes_in_a_row<G: Ground>() {
    let ground = G::new();
    ground.flap_logins(&[false, true, true, false, true, false]);
    ground.begin(&["--verify-successes", "3", "--soak", "7d"]).expect(0);
    assert_eq!(ground.refused_logins(), 3, "each refusal starts the count again");
    let new = ground.new_key().expect("it was delivered");
    assert!(ground.works(&new) && ground.works(&ground.old()));
}

fn a_new_key_that_is_never_accepted_is_withdrawn<G: Ground>() {
    let ground = G::new();
    let complaints = ground.watch();
    ground.refuse_new_keys();
    ground
        .begin(&["--verify-deadline", "1s"])
        .expect(1)
        .says(&["it was withdrawn, and the old key was not touched"])
        .says(G::told_of_refused_keys());
    assert_eq!(complaints(), [""; 0]);
    assert_eq!(ground.state_name(), "aborted");
    ground.expect_as_before();
}
