//! When the old key pair may go: what Snowflake's records of use prove, where it keeps them, and what stops the removal.
//!
//! Leans on the strict fake, which records each login with a key and shows the record in either of two places, or in
//! none; the clock is moved by the test.

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::snowflake::{Action, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Where an account shows when a key was last used.
#[derive(Clone, Copy, Debug)]
enum Record {
    /// `SHOW USER KEY PAIRS` lists the keys of the slots.
    Shown,
    /// The statement lists other keys only, and `ACCOUNT_USAGE.CREDENTIALS` is readable.
    View,
    /// The statement is not known, and the view is readable.
    ViewAlone,
}

const RECORDS: [Record; 3] = [Record::Shown, Record::View, Record::ViewAlone];

/// What an account without any record lacks.
#[derive(Clone, Copy, Debug)]
enum Lack {
    /// The statement lists other keys only; the view may not be read.
    Rows,
    /// The statement is not known; the view may not be read.
    Statement,
}

const LACKS: [Lack; 2] = [Lack::Rows, Lack::Statement];

fn keeping(record: Record) -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::in_memory(ROTATE);
    match record {
        Record::Shown => {}
        Record::View => place.cloud.slot_keys_in_show(false),
        Record::ViewAlone => place.cloud.named_key_pairs(false),
    }
    place.cloud.account_usage(!matches!(record, Record::Shown));
    place
}

fn lacking(lack: Lack) -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::in_memory(ROTATE);
    match lack {
        Lack::Rows => place.cloud.slot_keys_in_show(false),
        Lack::Statement => place.cloud.named_key_pairs(false),
    }
    place
}

/// Begins a rotation that watches the records of use.
fn observe(place: &SnowflakeWorkplace, more: &[&str]) -> Ran {
    Ran::of(place.rotate([&["--cutover", "observed"], more].concat()))
}

/// Runs a command as if this many seconds had passed.
fn later(place: &SnowflakeWorkplace, seconds: i64, arguments: &[&str]) -> Ran {
    let mut command = place.command(arguments);
    command.env("ROTATE_TEST_CLOCK_AHEAD", seconds.to_string());
    Ran::of(command)
}

fn minutes_from_now(place: &SnowflakeWorkplace, minutes: i64) -> Timestamp {
    place.cloud.now() + SignedDuration::from_mins(minutes)
}

fn new_key(place: &SnowflakeWorkplace) -> String {
    place.holder_of(&place.delivered()).fingerprint().to_owned()
}

/// Someone logs in with the new key.
fn new_key_is_used(place: &SnowflakeWorkplace, at: Timestamp) {
    place.cloud.set_last_used(USER, &new_key(place), at);
}

fn old_key_is_used(place: &SnowflakeWorkplace, at: Timestamp) {
    place.cloud.set_last_used(USER, place.old.fingerprint(), at);
}

/// The slots, and not a login: that would be a use.
fn holds_old_key(place: &SnowflakeWorkplace) -> bool {
    let held = place.fingerprints();
    held.iter().flatten().any(|held| held == place.old.fingerprint())
}

#[track_caller]
fn assert_waits(place: &SnowflakeWorkplace, context: &str) {
    assert_eq!(place.state_name(), "delivered", "{context}");
    assert!(holds_old_key(place), "{context}: the old key was removed");
}

/// Gainsight has no interface for it, so these words are all that leads the person through.
#[test]
fn at_the_cutover_a_person_is_told_what_to_do_in_gainsight_and_what_to_run_next() {
    let place = keeping(Record::Shown);
    let begun = Ran::of(place.rotate([""; 0])).expect(0);
    let fingerprint = new_key(&place);
    let asked_later = place.run(["status", TARGET]).expect(0);
    for told in [&begun.stdout, &asked_later.stdout] {
        for words in [
            "Administration \u{203a} Connectors 2.0",
            "Edit connection",
            "upload the private key from file:",
            "rsa_key_new.p8",
            &format!("its fingerprint is {fingerprint}"),
            "if the key is encrypted, give its passphrase there too",
            "save, then choose Test connection",
            "move every other consumer",
            &format!("confirm {TARGET}"),
            &format!("abort {TARGET}"),
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

/// The view is asked only where the statement shows nothing: it is hours late.
#[test]
fn the_view_is_asked_only_where_the_statement_shows_nothing() {
    let place = keeping(Record::Shown);
    place.cloud.account_usage(true);
    observe(&place, &[]).expect(0);
    assert!(place.cloud.count_of(Action::Show) > 0);
    assert_eq!(place.cloud.count_of(Action::Credentials), 0);
    let place = keeping(Record::View);
    observe(&place, &[]).expect(0);
    assert!(place.cloud.count_of(Action::Credentials) > 0);
}

#[test]
fn an_old_key_that_goes_on_being_used_keeps_the_rotation_waiting() {
    let place = keeping(Record::Shown);
    observe(&place, &["--observe", "0s"]).expect(0);
    for day in 1..=3 {
        // Both keys are in use: some consumers have moved, and some have not.
        new_key_is_used(&place, minutes_from_now(&place, day * 24 * 60 - 20));
        old_key_is_used(&place, minutes_from_now(&place, day * 24 * 60 - 10));
        later(&place, day * DAY, &["run"]).expect(0);
        assert_waits(&place, &format!("day {day}"));
    }
    // Overdue, a person is called, and nothing is forced.
    let ran = later(&place, 15 * DAY, &["run"]).expect(3);
    for words in [
        "overdue",
        "was used after the delivery",
        place.old.fingerprint(),
        &format!("confirm {TARGET}"),
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert_waits(&place, "overdue");
}

/// Nothing would ever come of the wait: whoever looks has to learn why, and not that "nobody" uses the key.
#[test]
fn without_any_record_the_rotation_waits_says_why_and_asks_a_person_in_the_end() {
    for lack in LACKS {
        let context = format!("{lack:?}");
        let place = lacking(lack);
        observe(&place, &["--observe", "0s"]).expect(0);
        assert_waits(&place, &context);
        let ran = later(&place, 13 * DAY, &["run"]).expect(0);
        assert_waits(&place, &context);
        let overdue = later(&place, 15 * DAY, &["run"]).expect(3);
        assert!(overdue.stdout.contains("overdue"), "{context}: {}", overdue.stdout);
        assert!(
            overdue.stdout.contains(&format!("confirm {TARGET}")),
            "{context}: {}",
            overdue.stdout
        );
        assert_waits(&place, &context);
        for told in [&ran, &overdue] {
            assert!(
                told.stdout.contains("not report"),
                "{context}: it is not said that no use is reported: {}",
                told.stdout
            );
        }
        // The person knows.
        later(&place, 15 * DAY, &["confirm", TARGET]).expect(0);
        assert_eq!(place.state_name(), "deactivated", "{context}");
    }
}

#[test]
fn an_observed_rotation_can_be_confirmed_by_a_person_at_any_time() {
    let place = keeping(Record::Shown);
    observe(&place, &[]).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!holds_old_key(&place));
}

#[test]
fn a_new_key_that_is_gone_before_the_cutover_blocks() {
    let place = keeping(Record::Shown);
    observe(&place, &[]).expect(0);
    let new = new_key(&place);
    place.cloud.unset_key(USER, Slot::Two);
    let ran = later(&place, HOUR, &["run"]).expect(3);
    assert!(ran.stdout.contains(&format!("new key {new} is gone")), "{}", ran.stdout);
    assert!(holds_old_key(&place));
}

// What stops a removal that a person has confirmed.

/// A key that nobody could register again rests before it goes, and its use in that time counts.
#[test]
fn an_old_key_that_is_used_during_its_rest_is_not_removed_for_good() {
    for record in RECORDS {
        let place = keeping(record);
        place.cloud.hide_public_keys(USER, true);
        Ran::of(place.rotate([""; 0])).expect(0);
        place.run(["confirm", TARGET]).expect(0);
        let used = minutes_from_now(&place, 3 * 24 * 60);
        old_key_is_used(&place, used);
        let ran = later(&place, 8 * DAY, &["run"]).expect(3);
        let minute = used.strftime("%Y-%m-%dT%H:%M").to_string();
        for words in ["was used after the cut-over", &minute] {
            assert!(ran.stdout.contains(words), "{record:?}: {words}: {}", ran.stdout);
        }
        assert!(holds_old_key(&place), "{record:?}");
    }
}

#[test]
fn recent_use_of_the_old_key_is_worth_a_word_where_a_person_confirms() {
    let place = keeping(Record::Shown);
    Ran::of(place.rotate([""; 0])).expect(0);
    old_key_is_used(&place, minutes_from_now(&place, -5));
    let old = place.old.fingerprint();
    place
        .run(["confirm", TARGET])
        .expect(0)
        .says(&[&format!("old key {old} was used at"), &format!("rollback {TARGET}")]);
    assert_eq!(place.state_name(), "deactivated");
}

#[test]
fn without_any_record_a_persons_word_is_enough() {
    for lack in LACKS {
        let place = lacking(lack);
        Ran::of(place.rotate([""; 0])).expect(0);
        place.run(["confirm", TARGET]).expect(0);
        assert_eq!(place.state_name(), "deactivated", "{lack:?}");
        later(&place, 8 * DAY, &["run"]).expect(0);
        assert_eq!(place.state_name(), "done", "{lack:?}");
    }
}

#[test]
fn an_old_key_that_someone_registered_again_is_not_removed_a_second_time() {
    let place = keeping(Record::Shown);
    Ran::of(place.rotate([""; 0])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    place.cloud.set_key(USER, Slot::One, place.old.public_base64());
    let ran = later(&place, 8 * DAY, &["run"]).expect(3);
    assert!(ran.stdout.contains(place.old.fingerprint()), "{}", ran.stdout);
    assert!(holds_old_key(&place));
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(holds_old_key(&place));
}

#[test]
fn a_key_that_takes_the_old_ones_slot_during_the_rest_is_left_alone() {
    let place = keeping(Record::Shown);
    Ran::of(place.rotate([""; 0])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    let theirs = TestKey::numbered(6);
    place.cloud.set_key(USER, Slot::One, theirs.public_base64());
    later(&place, 8 * DAY, &["run"]).expect(0);
    assert_eq!(place.state_name(), "done");
    let [one, two] = place.fingerprints();
    assert_eq!(one.as_deref(), Some(theirs.fingerprint()));
    assert_eq!(two, Some(new_key(&place)));
}

#[test]
fn a_new_key_that_is_gone_at_the_end_of_the_rest_blocks_while_the_old_one_can_still_come_back() {
    let place = keeping(Record::Shown);
    Ran::of(place.rotate([""; 0])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    place.cloud.unset_key(USER, Slot::Two);
    let ran = later(&place, 8 * DAY, &["--verify-deadline", "0s", "run"]).expect(3);
    for words in ["the new key was refused", &format!("rollback {TARGET}")] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    later(&place, 8 * DAY, &["rollback", "--force", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(place.consumer().works());
}

// The delivery as the cut-over.

#[test]
fn an_immediate_cutover_removes_the_old_key_once_the_new_one_is_delivered_and_proven() {
    let place = keeping(Record::Shown);
    Ran::of(place.rotate(["--cutover", "immediate"])).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(!holds_old_key(&place));
    assert!(place.holder_of(&place.delivered()).works());
    later(&place, 8 * DAY, &["run"]).expect(0);
    assert_eq!(place.state_name(), "done");
}

#[test]
fn an_immediate_cutover_looks_at_the_use_of_the_old_key_all_the_same() {
    let place = keeping(Record::Shown);
    old_key_is_used(&place, minutes_from_now(&place, 60));
    let ran = Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(3);
    assert!(ran.stdout.contains("was used after the cut-over"), "{}", ran.stdout);
    assert!(holds_old_key(&place));
    assert!(place.holder_of(&place.delivered()).works());
    place.run(["rollback", TARGET]).expect(0);
    place.expect_as_before();
}
