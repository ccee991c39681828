//! A person's word where it does not fit: it is refused, says what does fit, and changes nothing.

use super::ground::Ground;
use super::on_every_ground;

on_every_ground! {
    a_word_about_an_unknown_target_is_refused
    before_the_cutover_only_abort_takes_it_back
    after_the_cutover_only_rollback_takes_it_back
    after_the_end_no_word_fits
    other_options_than_the_open_rotation_has_are_refused_by_name
}

fn a_word_about_an_unknown_target_is_refused<G: Ground>() {
    let ground = G::delivered();
    let unknown = format!("{}/NOBODY", G::CONNECTOR);
    for word in ["confirm", "abort", "rollback", "status"] {
        ground.refuses(
            &[word, &unknown],
            &[&format!("no rotation of {unknown} is on record"), "status"],
        );
    }
    let fresh = G::new();
    fresh.run(&["confirm", G::TARGET]).expect(1).says(&["no rotation of"]);
    fresh.expect_untouched();
}

fn before_the_cutover_only_abort_takes_it_back<G: Ground>() {
    let ground = G::delivered();
    let words = [
        "cannot be rolled back",
        "before the cut-over",
        &format!("abort {}", G::TARGET),
    ];
    ground.refuses(&["rollback", G::TARGET], &words);
    ground.refuses(&["rollback", "--force", G::TARGET], &words);
}

fn after_the_cutover_only_rollback_takes_it_back<G: Ground>() {
    for ground in G::each_soaking() {
        let words = [
            "too late to abort",
            "after the cut-over",
            &format!("rollback {}", G::TARGET),
        ];
        ground.refuses(&["abort", G::TARGET], &words);
        ground.refuses(&["abort", "--force", G::TARGET], &words);
        ground.refuses(&["confirm", G::TARGET], &["nothing to confirm"]);
    }
}

fn after_the_end_no_word_fits<G: Ground>() {
    let ground = G::new();
    ground.begin(&["--cutover", "immediate", "--soak", "0s"]).expect(0);
    for word in ["confirm", "abort", "rollback"] {
        ground.refuses(&[word, G::TARGET], &["`done`", &format!("status {}", G::TARGET)]);
    }
    ground.expect_rotated("after the refusals");

    let ground = G::delivered();
    ground.run(&["abort", G::TARGET]).expect(0);
    for word in ["confirm", "abort", "rollback"] {
        ground.refuses(&[word, G::TARGET], &["`aborted`"]);
    }
    ground.expect_as_before();
}

fn other_options_than_the_open_rotation_has_are_refused_by_name<G: Ground>() {
    let ground = G::delivered();
    let new = ground.new_key().expect("it was delivered");
    for (options, named) in G::other_options() {
        let before = ground.picture();
        ground.begin(options).expect(1).says(&[
            &format!("{} has an open rotation", G::TARGET),
            "status",
            "values it was begun with",
            named,
        ]);
        assert_eq!(ground.picture(), before, "{options:?} changed something");
    }
    // Several are all named.
    ground
        .begin(&["--soak", "1d", "--cutover", "observed"])
        .expect(1)
        .says(&["--soak", "--cutover"]);
    assert!(!ground.path("other.json").exists() && !ground.path("other.p8").exists());
    assert!(ground.works(&ground.old()) && ground.works(&new));
    // The values that it was begun with are the default ones.
    ground.begin(&[]).expect(0);
}
