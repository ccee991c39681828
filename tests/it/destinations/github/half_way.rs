//! Kills, lost answers, limits, and what a person does then.

use rotate_fixtures::github::Trouble;

use super::*;

/// The crash points that the command passes, in their order.
fn points() -> Vec<String> {
    let twin = Desk::new();
    let trace = twin.place.path("trace");
    let mut command = twin.rotate_to("github:acme/app", &[]);
    command.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(command).expect(0);
    let points = std::fs::read_to_string(&trace).unwrap_or_default();
    points.lines().map(str::to_owned).collect()
}

/// A desk where that command was killed at this point, counted from one.
pub(super) fn killed_at(point: usize) -> Desk {
    let desk = Desk::new();
    let mut dying = desk.rotate_to("github:acme/app", &[]);
    dying.env("ROTATE_TEST_KILL_AT", point.to_string());
    let died = Ran::of(dying);
    assert_eq!(died.code, None, "{}", died.stderr);
    desk
}

/// Where a run dies between the two secrets.
pub(super) fn between() -> usize {
    let at = points().iter().position(|point| point == "github: a secret sent");
    at.unwrap_or_default() + 1
}

#[test]
fn a_run_that_is_killed_at_any_point_goes_on_and_sends_the_whole_key() {
    let points = points();
    let ours = points.iter().filter(|point| point.starts_with("github: "));
    assert_eq!(ours.count(), 2, "{points:?}");
    for (at, point) in points.iter().enumerate() {
        let desk = killed_at(at + 1);
        assert!(
            desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret),
            "{point}"
        );
        desk.rotate(&[]).expect(0);
        desk.expect_new_key(REPOSITORY);
    }
}

#[test]
fn a_call_whose_answer_is_lost_or_that_breaks_is_repeated() {
    for (method, part) in [
        ("GET", "/repos/acme/app"),
        ("GET", "/public-key"),
        ("GET", ID),
        ("PUT", ID),
        ("PUT", SECRET),
    ] {
        let desk = Desk::new();
        desk.github.plan(method, part, Trouble::AnswerLost);
        desk.github.plan(method, part, Trouble::Fault);
        desk.rotate(&[]).expect(0);
        desk.expect_new_key(REPOSITORY);
    }
}

#[test]
fn a_limit_that_ends_soon_is_waited_out() {
    for (method, part) in [("GET", "/public-key"), ("PUT", ID), ("PUT", SECRET)] {
        let desk = Desk::new();
        desk.github.plan(method, part, Trouble::Limited(1));
        desk.github.plan(method, part, Trouble::UsedUp(1));
        desk.rotate(&[]).expect(0).says(&["GitHub asks to wait 1 s"]);
        desk.expect_new_key(REPOSITORY);
    }
}

#[test]
fn a_limit_that_lasts_is_told_with_its_end_and_with_what_is_there_meanwhile() {
    let desk = Desk::new();
    desk.github.plan("PUT", SECRET, Trouble::Limited(3600));
    let ran = desk.rotate(&[]).expect(1).says(&[
        "asks to wait 3600 s",
        "AWS_ACCESS_KEY_ID there is of the new key, and AWS_SECRET_ACCESS_KEY is not, so workflows that start now fail",
        "run the same command again in 3600 s",
    ]);
    assert!(!ran.stderr.contains("CANARY"));
    desk.rotate(&[]).expect(0);
    desk.expect_new_key(REPOSITORY);
}

#[test]
fn a_key_of_githubs_that_changes_meanwhile_is_fetched_again() {
    for name in [ID, SECRET] {
        let desk = Desk::new();
        desk.github.meanwhile("PUT", name, |world| world.rotate_keys());
        desk.rotate(&[]).expect(0);
        desk.expect_new_key(REPOSITORY);
    }
}

#[test]
fn a_receipt_is_no_proof_where_the_secrets_time_stands_still() {
    let desk = Desk::new();
    desk.github.plan("PUT", SECRET, Trouble::Unmoved);
    desk.rotate(&[])
        .expect(1)
        .says(&["shows no newer time for it than before", SECRET]);
    desk.rotate(&[]).expect(0);
    desk.expect_new_key(REPOSITORY);
}

#[test]
fn whoever_makes_or_deletes_one_of_the_secrets_meanwhile_is_told_of() {
    let desk = Desk::new();
    desk.github.world().remove(REPOSITORY, ID);
    desk.github
        .meanwhile("PUT", ID, |world| world.write(REPOSITORY, ID, "theirs"));
    desk.github
        .meanwhile("PUT", SECRET, |world| world.remove(REPOSITORY, SECRET));
    desk.rotate(&[]).expect(0).says(&[
        "somebody has made AWS_ACCESS_KEY_ID of github:acme/app a moment ago; its value was replaced",
        "somebody has deleted AWS_SECRET_ACCESS_KEY of github:acme/app meanwhile",
    ]);
    desk.expect_new_key(REPOSITORY);
}

#[test]
fn an_answer_without_end_or_sense_is_not_read() {
    for (trouble, words) in [
        (Trouble::Endless, "cannot be understood"),
        (Trouble::Status(200), "cannot be understood"),
        (Trouble::Status(302), "nothing was sent there"),
    ] {
        let desk = Desk::new();
        desk.github.plan("GET", "/public-key", trouble);
        desk.rotate(&[]).expect(1).says(&[words, "nothing was changed"]);
        desk.expect_untouched(REPOSITORY);
        desk.place.expect_as_before();
    }
}

#[test]
fn an_abort_asks_whoever_has_the_old_secret_and_deletes_nothing() {
    let desk = Desk::new();
    desk.github.world().remove(REPOSITORY, SECRET);
    desk.rotate(&[]).expect(0);
    let ran = desk.run(&["abort", TARGET]).expect(3);
    assert!(
        ran.stdout.contains("whoever has the old secret sends it there again"),
        "{}",
        ran.stdout
    );
    desk.expect_new_key(REPOSITORY);
    desk.run(&["abort", "--force", TARGET]).expect(0);
    // Also of what was not there before.
    assert_eq!(desk.github.world().all(REPOSITORY).len(), 3);
    desk.expect_nothing_deleted();
    assert!(desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret));
}

#[test]
fn an_abort_asks_nobody_where_nothing_was_written() {
    let desk = Desk::new();
    desk.github.meanwhile("PUT", ID, |world| world.expired = true);
    desk.rotate(&[])
        .expect(1)
        .says(&["does not accept the token", "$GH_ENTERPRISE_TOKEN"]);
    desk.github.world().expired = false;
    desk.run(&["abort", TARGET]).expect(0);
    desk.expect_untouched(REPOSITORY);
    desk.place.expect_as_before();
}

#[test]
fn half_a_key_is_not_taken_for_nothing() {
    let desk = killed_at(between());
    let all = desk.github.world().all(REPOSITORY);
    assert!(all[ID] != "AKIAOLD" && all[SECRET] == "old", "it died elsewhere");
    let ran = desk.run(&["abort", TARGET]).expect(3);
    assert!(ran.stdout.contains("sends it there again"), "{}", ran.stdout);
}

#[test]
fn a_secret_that_is_gone_is_not_taken_for_one_that_holds_what_it_held() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    for name in [ID, SECRET] {
        desk.github.world().remove(REPOSITORY, name);
    }
    let ran = desk.run(&["abort", TARGET]).expect(3);
    assert!(ran.stdout.contains("sends it there again"), "{}", ran.stdout);
    desk.run(&["abort", "--force", TARGET]).expect(0);
    assert!(desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret));
}

#[test]
fn an_abort_asks_nobody_where_there_never_was_a_secret_and_none_was_written() {
    let desk = Desk::new();
    desk.github.world().add_repository("acme/empty");
    desk.github.meanwhile("PUT", ID, |world| world.expired = true);
    Ran::of(desk.rotate_to("github:acme/empty", &[])).expect(1);
    desk.github.world().expired = false;
    desk.run(&["abort", TARGET]).expect(0);
    assert!(desk.github.world().all("acme/empty").is_empty());
    desk.place.expect_as_before();
}
