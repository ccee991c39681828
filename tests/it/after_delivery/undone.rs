//! A rotation that is undone after its delivery: the old secret is back, and whoever has read the new one is told.

use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::TARGET;

use super::Desk;

#[test]
fn an_abort_runs_it_again_with_the_old_key_once_the_old_secret_is_back_and_before_the_new_one_goes() {
    let desk = Desk::with("ls $1/key.json >>$1/seen 2>/dev/null || echo none >>$1/seen; echo $ROTATE_KEY_ID >>$1/ran");
    desk.rotate().expect(0);
    let new = desk.place.delivered_key().expect("it is delivered");
    desk.place.run(["abort", TARGET]).expect(0);
    desk.place.expect_as_before();
    assert_eq!(desk.read("ran"), format!("{}\n{}\n", new.id, desk.place.old.id));
    assert!(
        desk.read("seen").ends_with("none\n"),
        "it was told too early: {}",
        desk.read("seen")
    );
    let events = desk.events();
    let last = |name: &str| events.iter().rposition(|event| event == name);
    assert!(
        last("restored") < last("hook-intended") && last("hook-ran") < last("withdraw-intended"),
        "{events:?}"
    );
}

#[test]
fn a_rollback_runs_it_again_as_well() {
    let desk = Desk::with("echo $ROTATE_KEY_ID >>$1/ran");
    desk.rotate().expect(0);
    desk.place.run(["confirm", TARGET]).expect(0);
    desk.place.run(["rollback", TARGET]).expect(0);
    desk.place.expect_as_before();
    assert_eq!(desk.read("ran").lines().nth(1), Some(desk.place.old.id.as_str()));
    assert_eq!(desk.runs(), 2);
}

#[test]
fn one_that_fails_on_the_way_back_keeps_the_new_key_until_a_person_has_seen_to_it() {
    let desk = Desk::with("echo x >>$1/ran; [ $(wc -l <$1/ran) -lt 2 ]");
    desk.rotate().expect(0);
    let ran = desk.place.run(["abort", TARGET]).expect(3);
    assert!(
        ran.stdout
            .contains("which runs after the old secret was put back, failed"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        desk.place.cloud.count_of(Action::DeleteAccessKey),
        0,
        "the new key went"
    );
    desk.place.run(["run"]).expect(3);
    assert_eq!(desk.runs(), 2, "it was run again");
    desk.place.run(["confirm", TARGET]).expect(0);
    desk.place.expect_as_before();
    assert_eq!(desk.runs(), 2);
}

#[test]
fn whoever_was_told_of_one_that_failed_may_have_the_undo_go_on_by_force() {
    let desk = Desk::with("echo x >>$1/ran; exit 1");
    desk.rotate().expect(3);
    desk.place.run(["abort", TARGET]).expect(3);
    assert_eq!(desk.runs(), 2, "once for each way");
    desk.place.run(["abort", "--force", TARGET]).expect(0);
    desk.place.expect_as_before();
    assert_eq!(desk.runs(), 2, "it was run again");
}

#[test]
fn nobody_is_told_of_a_key_that_reached_no_destination() {
    let desk = Desk::with("echo x >>$1/ran");
    desk.dies("create: sealed");
    desk.place.run(["abort", TARGET]).expect(0);
    assert_eq!(desk.runs(), 0);
}

#[test]
fn one_that_is_gone_is_told_and_keeps_nobody_from_going_back() {
    let desk = Desk::with("echo x >>$1/ran");
    desk.rotate().expect(0);
    std::fs::remove_file(desk.program()).expect("it is there");
    let ran = desk.place.run(["abort", TARGET]).expect(3);
    assert!(
        ran.stdout
            .contains("which runs after the old secret was put back, failed")
            && ran.stdout.contains("is not there"),
        "{}",
        ran.stdout
    );
    desk.place.run(["abort", "--force", TARGET]).expect(0);
    desk.place.expect_as_before();

    let desk = Desk::with("echo x >>$1/ran");
    desk.rotate().expect(0);
    std::fs::remove_file(desk.program()).expect("it is there");
    desk.place.run(["abort", "--force", TARGET]).expect(0);
    desk.place.expect_as_before();
}

#[test]
fn one_that_is_gone_cannot_be_run_again_and_still_failed() {
    let desk = Desk::with("echo x >>$1/ran; exit 1");
    desk.rotate().expect(3);
    std::fs::remove_file(desk.program()).expect("it is there");
    let ran = desk.place.run(["confirm", "--run-again", TARGET]).expect(1);
    assert!(ran.stderr.contains("is not there"), "{}", ran.stderr);
    assert!(!desk.events().contains(&"hook-answered".to_owned()));
    desk.place.run(["confirm", TARGET]).expect(0);
    assert_eq!(desk.place.state_name(), "delivered");
}
