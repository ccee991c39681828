//! Somebody with the same rights at the vendor does not ask the program: no key of theirs is touched, and no last key that works
//! is taken away.
//!
//! Leans on the strict fake, whose keys the test changes behind the program's back, and on its clock.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::stopped::while_at;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, TestClock, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A rotation that was killed right before the call that creates a key: it never left.
fn killed_before_the_call() -> Workplace {
    let place = Workplace::new(ROTATE);
    let mut dying = place.rotate(["--soak", "7d"]);
    dying.env("ROTATE_TEST_KILL_AT", point(&place, "create: before the call"));
    let died = Ran::of(dying);
    assert_eq!(died.code, None, "{died:#?}");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    place
}

/// Which of the crash points of the same command has this name, counted from one.
fn point(like: &Workplace, name: &str) -> String {
    let twin = Workplace::new(ROTATE);
    let trace = like.path("trace");
    let mut command = twin.rotate(["--soak", "7d"]);
    command.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(command).expect(0);
    let points = std::fs::read_to_string(&trace).expect("the crash points were written down");
    std::fs::remove_file(&trace).expect("it is there");
    let at = points
        .lines()
        .position(|line| line == name)
        .expect("there is such a point");
    (at + 1).to_string()
}

/// A person rotates by hand: their key, which their consumers use from now on, and the old one goes. The record of use is late.
fn rotated_by_hand(place: &Workplace, deletes: bool) -> (String, String) {
    if deletes {
        place.cloud.delete_key(&place.old.id);
    } else {
        place.cloud.set_key_status(&place.old.id, false);
    }
    let theirs = place.cloud.add_key(USER);
    (theirs.id, theirs.secret)
}

#[test]
fn a_key_that_a_person_made_in_the_same_seconds_is_not_taken_for_a_lost_one() {
    for deletes in [true, false] {
        let place = killed_before_the_call();
        let (id, secret) = rotated_by_hand(&place, deletes);
        let ran = place.run(["run"]).expect(3);
        assert!(
            place.cloud.works(&id, &secret),
            "the only key that works was taken away: {ran:#?}"
        );
        for words in [
            id.as_str(),
            "rotated by hand",
            "abort --force ends the rotation and touches no key",
        ] {
            assert!(ran.stdout.contains(words), "{words}: {ran:#?}");
        }
        // However often it is asked, and whatever a person says but the one thing.
        place.run(["confirm", TARGET]).expect(3);
        place.run(["abort", TARGET]).expect(3);
        let ended = place.run(["abort", "--force", TARGET]).expect(0);
        assert!(
            ended.stderr.contains(&format!("key {id} is not this rotation's")),
            "{ended:#?}"
        );
        assert_eq!(place.state_name(), "aborted");
        assert!(place.cloud.works(&id, &secret));
        let audit = place.run(["audit", TARGET]).expect(0);
        assert!(
            audit.stdout.contains("disowned") && audit.stdout.contains(&id),
            "{audit:#?}"
        );
        // The next rotation begins with what the vendor lists.
        if deletes {
            let next = Ran::of(place.rotate(["--soak", "7d"])).expect(0);
            let told = format!("the only active key is {id}, and that one is rotated");
            assert!(next.stderr.contains(&told), "{next:#?}");
            place.run(["confirm", TARGET]).expect(0);
            assert!(!place.cloud.works(&id, &secret));
        }
    }
}

#[test]
fn a_key_that_a_destination_holds_is_no_lost_one() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let new = place.delivered_key().expect("the new key was delivered");
    let delivered = place.delivered();
    let held = std::fs::read(&delivered).expect("it can be read");
    // The same destination, and a journal that knows of no such key: its last line is the intent.
    let place = killed_before_the_call();
    let theirs = place.cloud.add_key(USER);
    let held = String::from_utf8(held).expect("it is text");
    let held = held.replace(&new.id, &theirs.id).replace(&new.secret, &theirs.secret);
    std::fs::copy(&delivered, place.delivered()).expect("it can be copied with its mode");
    std::fs::write(place.delivered(), held).expect("it can be written");
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains("a destination of this rotation holds it"),
        "{ran:#?}"
    );
    assert!(place.cloud.works(&theirs.id, &theirs.secret));
}

#[test]
fn with_lost_key_ask_a_person_always_decides() {
    let place = Workplace::new(ROTATE);
    place.cloud.break_call(Action::CreateAccessKey, 1, Fault::DropAfter);
    let ran = Ran::of(place.rotate(["--soak", "7d", "--lost-key", "ask"])).expect(3);
    assert!(ran.stdout.contains("a person is to decide about it"), "{ran:#?}");
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    place.run(["abort", "--force", TARGET]).expect(0);
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
}

#[test]
fn a_throttled_creation_is_an_intent_of_its_own_each_time() {
    let place = Workplace::new(ROTATE);
    place.cloud.throttle(Action::CreateAccessKey, 3);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let audit = place.run(["audit", TARGET, "--output", "json"]).expect(0);
    let audit = audit.json().to_string();
    assert_eq!(audit.matches("create-intended").count(), 4, "{audit}");
    assert_eq!(audit.matches("create-failed").count(), 3, "{audit}");
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
}

/// The disk, or this machine, is busy: what the intent says of time does not hold any more.
#[test]
fn an_intent_that_has_grown_old_before_its_call_leaves_is_written_anew() {
    let place = Workplace::new(ROTATE);
    let folder = tempfile::tempdir().expect("a folder");
    let clock = TestClock::new(folder.path().join("clock"), place.cloud.now());
    place.cloud.keep_books_by(&clock);
    let mut command = place.rotate(["--soak", "7d"]);
    command.env("ROTATE_TEST_CLOCK", clock.path());
    let slow = || clock.set(clock.now() + SignedDuration::from_secs(3));
    while_at(command, "create: before the call", slow).expect(0);
    let audit = place.run(["audit", TARGET, "--output", "json"]).expect(0);
    let audit = audit.json().to_string();
    assert_eq!(audit.matches("create-intended").count(), 2, "{audit}");
    assert!(audit.contains("it took too long to write the intent down"), "{audit}");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn nobody_is_cut_off_where_the_new_key_is_taken_away_within_minutes_of_its_proof() {
    for deletes in [true, false] {
        let place = Workplace::new(ROTATE);
        Ran::of(place.rotate(["--soak", "7d"])).expect(0);
        let new = place.delivered_key().expect("the new key was delivered");
        if deletes {
            place.cloud.delete_key(&new.id);
        } else {
            place.cloud.set_key_status(&new.id, false);
        }
        place.cloud.reset_calls();
        let ran = place.run(["confirm", TARGET]).expect(3);
        assert!(ran.stdout.contains("is not listed as active"), "{ran:#?}");
        assert_eq!(
            place.cloud.count_of(Action::UpdateAccessKey),
            0,
            "the old key was disabled"
        );
        assert!(place.cloud.works(&place.old.id, &place.old.secret));
    }
}

#[test]
fn a_new_key_that_is_taken_away_right_after_the_disabling_brings_the_old_one_back_at_once() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let new = place.delivered_key().expect("the new key was delivered").id;
    let cloud = place.cloud.clone();
    let old = place.old.id.clone();
    place.cloud.on_effect(move |effect| {
        if effect.key_id == old && cloud.key_exists(&new) {
            cloud.delete_key(&new);
        }
    });
    place.cloud.reset_calls();
    let ran = place.run(["confirm", TARGET]).expect(3);
    assert!(ran.stdout.contains("was switched on again"), "{ran:#?}");
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    // One refusal, one look at the list, and no more.
    let refused = place.cloud.calls();
    let refused = refused
        .iter()
        .filter(|call| call.code.as_deref() == Some("InvalidClientTokenId"));
    assert_eq!(refused.count(), 1);
}

/// The database and what lies beside it.
fn journal_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_journal = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("rotate.db"))
    };
    paths.filter(is_journal).collect()
}

fn copy_journal(from: &Path, to: &Path) {
    for path in journal_in(from) {
        let name = path.file_name().expect("a file has a name");
        std::fs::copy(&path, to.join(name)).expect("it can be copied");
    }
}

#[test]
fn a_journal_that_was_put_back_from_a_copy_takes_nothing_away() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let new = place.delivered_key().expect("the new key was delivered");
    let copy = tempfile::tempdir().expect("a folder");
    let state = place.state();
    copy_journal(&state, copy.path());
    place.run(["confirm", TARGET]).expect(0);
    place.later(8 * 86_400, ["run"]).expect(0);
    place.expect_rotated();
    // Another rotation since, which the copy knows nothing of either.
    place.cloud.books_ahead(SignedDuration::from_hours(9 * 24));
    let mut again = place.rotate(["--soak", "7d", "--again"]);
    again.env("ROTATE_TEST_CLOCK_AHEAD", (9 * 86_400).to_string());
    Ran::of(again).expect(0);
    let newest = place.delivered_key().expect("the newest key was delivered");
    for path in journal_in(&state) {
        std::fs::remove_file(path).expect("it can be removed");
    }
    copy_journal(copy.path(), &state);
    let before = place.cloud.keys_of(USER);
    // The person's word is newer than everything, and changes nothing of that.
    let ran = place.later(10 * 86_400, ["confirm", TARGET]).expect(3);
    assert!(
        ran.stdout.contains(&newest.id) && ran.stdout.contains("an older copy"),
        "{ran:#?}"
    );
    assert_eq!(place.cloud.keys_of(USER), before);
    assert!(place.cloud.works(&newest.id, &newest.secret));
    // Without any journal a plan is made of what the vendor lists.
    std::fs::remove_dir_all(&state).expect("it can be removed");
    place.cloud.delete_key(&new.id);
    let dry = Ran::of(place.rotate(["--soak", "7d", "--dry-run"])).expect(0);
    assert!(dry.stdout.contains(&newest.id), "{dry:#?}");
}
