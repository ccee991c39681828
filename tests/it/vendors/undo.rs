//! Taking a rotation back never leaves the consumers without a key that works, and always has an end.

use super::ground::Ground;
use super::on_every_ground;

on_every_ground! {
    an_abort_is_refused_while_the_old_key_does_not_work
    a_rotation_whose_user_is_gone_can_be_ended_by_a_person_who_insists
    an_abort_is_refused_while_someone_uses_the_new_key_and_force_does_it
    a_rollback_with_users_of_the_new_key_brings_the_old_one_back_and_waits_for_force
    a_rollback_brings_back_an_old_key_that_someone_else_has_taken_away
}

/// The rotation has ended like this; the old key alone is there and works, and no file of ours is left, nor half of one.
#[track_caller]
fn expect_taken_back<G: Ground>(ground: &G, state: &str) {
    assert_eq!(ground.state_name(), state);
    ground.expect_as_before();
    let entries = std::fs::read_dir(ground.path("")).unwrap();
    let left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["state"]);
    ground.run(&["audit", "verify"]).expect(0);
}

fn an_abort_is_refused_while_the_old_key_does_not_work<G: Ground>() {
    for (name, end) in G::ends_of_the_old_key() {
        let ground = G::delivered();
        let new = ground.new_key().expect("it was delivered");
        end(&ground);
        let live = ground.live();
        ground.refuses(&["abort", G::TARGET], &[&ground.old().id, "nobody would have a key"]);
        assert_eq!(ground.state_name(), "delivered", "{name}");
        assert!(ground.works(&new), "{name}");
        // A person who insists learns the same, and nothing is put back.
        let ran = ground.run(&["abort", "--force", G::TARGET]).expect(3);
        assert!(ran.stdout.contains("nobody would have a key"), "{}", ran.stdout);
        assert_eq!(ground.state_name(), "blocked", "{name}");
        assert!(ground.works(&new), "{name}");
        assert_eq!(ground.new_key().as_ref(), Some(&new), "{name}");
        assert_eq!(ground.live(), live, "{name}");
        // The person goes on with the new key: first the block, then the cut-over.
        ground.run(&["confirm", G::TARGET]).expect(0);
        assert_eq!(ground.state_name(), "delivered", "{name}");
        // Where somebody else's key has come, a person has to look once more.
        let is_alone = live.len() == 1;
        ground.run(&["confirm", G::TARGET]).expect(if is_alone { 0 } else { 3 });
        assert_eq!(
            ground.state_name(),
            if is_alone { "deactivated" } else { "blocked" },
            "{name}"
        );
        assert_eq!(ground.live(), live, "{name}");
        assert!(ground.works(&new), "{name}");
    }
}

fn a_rotation_whose_user_is_gone_can_be_ended_by_a_person_who_insists<G: Ground>() {
    let ground = G::delivered();
    ground.drop_owner();
    ground.run(&["abort", G::TARGET]).expect(1).says(&["does not exist"]);
    ground.run(&["abort", "--force", G::TARGET]).expect(3);
    assert_eq!(ground.state_name(), "blocked");
    ground.run(&["abort", "--force", G::TARGET]).expect(0);
    assert_eq!(ground.state_name(), "aborted");
    for file in ground.delivery() {
        assert!(!file.exists(), "{} was not put back", file.display());
    }
    // The name is free for a new life.
    let theirs = ground.owner_returns();
    ground.begin(&["--soak", "7d"]).expect(0);
    assert!(ground.works(&theirs));
}

fn an_abort_is_refused_while_someone_uses_the_new_key_and_force_does_it<G: Ground>() {
    let ground = G::delivered();
    let new = ground.new_key().expect("it was delivered").id;
    let used = ground.in_minutes(10);
    ground.use_key(&new, used);
    ground.refuses(
        &["abort", G::TARGET],
        &[
            &format!("new key {new} is used by others"),
            &G::told_use(used),
            &format!("confirm {}", G::TARGET),
            &format!("abort --force {}", G::TARGET),
        ],
    );
    ground.run(&["abort", "--force", G::TARGET]).expect(0);
    expect_taken_back(&ground, "aborted");
}

fn a_rollback_with_users_of_the_new_key_brings_the_old_one_back_and_waits_for_force<G: Ground>() {
    let ground = G::soaking();
    let new = ground.new_key().expect("it was delivered");
    let used = ground.in_minutes(10);
    ground.use_key(&new.id, used);
    let ran = ground.run(&["rollback", G::TARGET]).expect(3);
    for words in [
        &format!("new key {} is used by others", new.id),
        &G::told_use(used),
        "rollback --force",
    ] {
        assert!(ran.stdout.contains(words), "{ran:#?}");
    }
    assert_eq!(ground.state_name(), "blocked");
    assert_eq!(ground.new_key(), None, "what was there before was not put back");
    assert!(ground.works(&ground.old()) && ground.works(&new));
    // Cron changes nothing, and goes on saying that a person is needed.
    ground.run(&["run"]).expect(3);
    assert!(ground.works(&new));

    ground.run(&["rollback", "--force", G::TARGET]).expect(0);
    expect_taken_back(&ground, "rolled-back");
}

/// Someone takes the old key away by hand after the cut-over, consumers fail, and the person on call rolls back.
fn a_rollback_brings_back_an_old_key_that_someone_else_has_taken_away<G: Ground>() {
    let ground = G::delivered();
    let old = ground.old();
    // A consumer was forgotten, so that the removal is blocked.
    ground.use_key(&old.id, ground.in_minutes(60));
    ground.run(&["confirm", G::TARGET]).expect(3);
    ground.take_old_away();
    ground.run(&["rollback", G::TARGET]).expect(0);
    expect_taken_back(&ground, "rolled-back");
}
