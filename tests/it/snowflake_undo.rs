//! Taking a key pair's rotation back: from every phase, with every kind of neighbour in the slots, and with files that
//! people have touched; and a person's word where it does not fit.
//!
//! Leans on the strict fake: only there can a colleague change a slot or a key be used behind the program's back, and
//! each slot be looked at as it really is.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;
use rotate_fixtures::snowflake::{Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Nothing is opened yet.
fn fresh() -> SnowflakeWorkplace {
    SnowflakeWorkplace::in_memory(ROTATE)
}

/// A rotation that waits for a person.
fn delivered() -> SnowflakeWorkplace {
    let place = fresh();
    Ran::of(begin(&place)).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
    place
}

/// A rotation whose old key is removed, and can be registered again.
fn soaking() -> SnowflakeWorkplace {
    let place = delivered();
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "soaking");
    assert!(!holds(&place, place.old.fingerprint()));
    place
}

/// A rotation whose old key rests: nobody would know how to register it again.
fn resting() -> SnowflakeWorkplace {
    let place = fresh();
    place.cloud.hide_public_keys(USER, true);
    Ran::of(begin(&place)).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "soaking");
    assert!(holds(&place, place.old.fingerprint()));
    place
}

fn begin(place: &SnowflakeWorkplace) -> Command {
    place.rotate([""; 0])
}

fn confirm(place: &SnowflakeWorkplace) -> Command {
    place.command(["confirm", TARGET])
}

/// The first run after the rest.
fn run_after_the_rest(place: &SnowflakeWorkplace) -> Command {
    let mut command = place.command(["run"]);
    command.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    command
}

/// A command is killed at the `nth` crash point of this name. A twin tells how manieth of all points that is.
fn killed(
    prepare: fn() -> SnowflakeWorkplace,
    command: fn(&SnowflakeWorkplace) -> Command,
    point: &str,
    nth: usize,
) -> SnowflakeWorkplace {
    let twin = prepare();
    let trace = twin.path("trace");
    let mut whole = command(&twin);
    whole.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(whole).expect(0);
    let trace = fs::read_to_string(trace).unwrap();
    let mut named = trace.lines().enumerate().filter(|(_, name)| *name == point);
    let (index, _) = named.nth(nth - 1).unwrap();

    let place = prepare();
    let mut cut_short = command(&place);
    cut_short.env("ROTATE_TEST_KILL_AT", (index + 1).to_string());
    assert_eq!(Ran::of(cut_short).code, None, "it was not killed at {point} {nth}");
    place
}

fn holds(place: &SnowflakeWorkplace, fingerprint: &str) -> bool {
    place
        .fingerprints()
        .into_iter()
        .flatten()
        .any(|held| held == fingerprint)
}

/// A key that a colleague sets by hand.
fn theirs() -> TestKey {
    TestKey::numbered(6)
}

fn public_file(place: &SnowflakeWorkplace) -> std::path::PathBuf {
    place.path("rsa_key_new.pub")
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Someone has logged in with the new key since our own last proof.
fn used_by_a_job(place: &SnowflakeWorkplace) {
    let new = place.holder_of(&place.delivered());
    let later = place.cloud.now() + SignedDuration::from_mins(10);
    place.cloud.set_last_used(USER, new.fingerprint(), later);
}

/// The old key alone is registered and works; no file of ours is left, nor half of one.
#[track_caller]
fn assert_taken_back(place: &SnowflakeWorkplace, state: &str, context: &str) {
    assert_eq!(place.state_name(), state, "{context}");
    place.expect_as_before();
    let entries = fs::read_dir(place.path("")).unwrap();
    let mut left: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["state"], "{context}");
    place.run(["audit", "verify"]).expect(0);
    place.cloud.expect_all_understood();
}

/// All that a refused command must not change.
fn picture(place: &SnowflakeWorkplace) -> String {
    let delivered = [place.delivered(), public_file(place)].map(|file| fs::read_to_string(file).unwrap_or_default());
    let journal = place.run(["audit"]).stdout;
    format!("{:?}\n{delivered:?}\n{journal}", place.fingerprints())
}

/// A command that does not fit is refused with these words, and changes nothing.
#[track_caller]
fn refused(place: &SnowflakeWorkplace, arguments: &[&str], words: &[&str]) {
    let before = picture(place);
    place.run(arguments).expect(1).says(words);
    assert_eq!(picture(place), before, "{arguments:?} changed something");
}

// From every phase.

#[test]
fn before_the_delivery_an_abort_takes_everything_back_wherever_the_program_died() {
    for (point, nth, state) in [
        ("store: after commit", 1, "opened"),
        ("mint: sealed", 1, "opened"),
        ("register: before the call", 1, "opened"),
        ("register: after the call", 1, "opened"),
        ("prove: before", 1, "created"),
        ("key file: public half written", 1, "verified"),
        ("key file: written", 1, "verified"),
    ] {
        for force in [false, true] {
            let place = killed(fresh, begin, point, nth);
            assert_eq!(place.state_name(), state, "{point}");
            assert!(place.consumer().works(), "{point}");
            let words: &[&str] = if force {
                &["abort", "--force", TARGET]
            } else {
                &["abort", TARGET]
            };
            place.run(words).expect(0);
            assert_taken_back(&place, "aborted", point);
        }
    }
}

/// A file is written beside its place first; whoever is killed there leaves the secret in it.
#[test]
fn half_a_delivery_is_swept_up() {
    let place = killed(fresh, begin, "key file: public half written", 1);
    let half = place.path(".rsa_key_new.p8.rotate-new");
    fs::write(&half, "-----BEGIN PRIVATE KEY-----\n").unwrap();
    chmod(&half, 0o600);
    place.run(["abort", TARGET]).expect(0);
    assert_taken_back(&place, "aborted", "half a delivery");
}

#[test]
fn a_delivered_key_is_aborted_and_the_same_command_begins_anew() {
    let place = delivered();
    let first = place.holder_of(&place.delivered()).fingerprint().to_owned();
    place.run(["abort", TARGET]).expect(0);
    assert_taken_back(&place, "aborted", "delivered");
    Ran::of(begin(&place)).expect(0);
    let second = place.holder_of(&place.delivered()).fingerprint().to_owned();
    assert!(first != second && holds(&place, &second) && !holds(&place, &first));
}

#[test]
fn after_the_cutover_a_rollback_takes_everything_back_wherever_the_program_died() {
    for (prepare, command, point, nth) in [
        (delivered as fn() -> _, confirm as fn(&_) -> _, "store: after commit", 1),
        (delivered, confirm, "deactivate: before the call", 1),
        (delivered, confirm, "deactivate: after the call", 1),
        (delivered, confirm, "prove: before", 1),
        (soaking, run_after_the_rest, "delete: before the call", 1),
        (soaking, run_after_the_rest, "delete: after the call", 1),
        (resting, run_after_the_rest, "delete: before the call", 1),
    ] {
        let place = killed(prepare, command, point, nth);
        place.run(["rollback", TARGET]).expect(0);
        assert_taken_back(&place, "rolled-back", point);
    }
}

#[test]
fn a_rollback_that_dies_half_way_is_gone_on_with_by_cron() {
    let roll_back: fn(&SnowflakeWorkplace) -> Command = |place| place.command(["rollback", TARGET]);
    for point in [
        "reactivate: before the call",
        "reactivate: after the call",
        "key file: put back",
        "withdraw: before the call",
        "withdraw: after the call",
    ] {
        let place = killed(soaking, roll_back, point, 1);
        place.run(["run"]).expect(0);
        assert_taken_back(&place, "rolled-back", point);
    }
}

#[test]
fn during_the_rest_a_rollback_brings_the_old_key_back() {
    for words in [&["rollback", TARGET][..], &["rollback", "--force", TARGET]] {
        for prepare in [soaking, resting] {
            let place = prepare();
            place.run(words).expect(0);
            assert_taken_back(&place, "rolled-back", "soaking");
        }
    }
}

#[test]
fn a_rollback_says_nothing_wrong_of_either_key() {
    for prepare in [soaking, resting] {
        let place = prepare();
        let new = place.holder_of(&place.delivered()).fingerprint().to_owned();
        let ran = place.run(["rollback", TARGET]).expect(0);
        assert!(
            !ran.stderr.contains(&format!("old key {new}")),
            "the new key is called the old one: {}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("rotate rollback"),
            "a rollback advises a rollback: {}",
            ran.stderr
        );
    }
}

// A key that nobody could register again.

#[test]
fn after_its_removal_for_good_a_key_cannot_be_brought_back_and_that_is_said() {
    let place = resting();
    let plan = place.run(["status", TARGET]).expect(0);
    assert!(plan.stdout.contains("removed for good"), "{}", plan.stdout);
    Ran::of(run_after_the_rest(&place)).expect(0);
    assert_eq!(place.state_name(), "done");
    refused(&place, &["rollback", TARGET], &["`done`", "cannot be rolled back"]);
    refused(
        &place,
        &["rollback", "--force", TARGET],
        &["`done`", "cannot be rolled back"],
    );
    assert!(place.holder_of(&place.delivered()).works());
}

/// The removal took place and the program died over it: the new key is all that there is, and it stays.
fn removed_unrecorded() -> SnowflakeWorkplace {
    let place = killed(resting, run_after_the_rest, "delete: after the call", 1);
    assert!(!holds(&place, place.old.fingerprint()));
    place
}

#[test]
fn an_unrecorded_removal_for_good_is_not_rolled_back_and_what_is_advised_instead_works() {
    let place = removed_unrecorded();
    let new = place.holder_of(&place.delivered());
    let old = place.old.fingerprint();
    refused(
        &place,
        &["rollback", TARGET],
        &[old, "does not work any more", "nobody would have a key"],
    );
    assert!(new.works() && place.delivered().exists());
    // The command that the refusal names, with whatever stands before it.
    let said = place.run(["rollback", TARGET]).stderr;
    let advised = said.lines().rfind(|line| line.contains("rotate --state-dir")).unwrap();
    let words: Vec<&str> = advised.split_whitespace().skip(3).collect();
    let mut command = place.command(&words);
    command.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    let ran = Ran::of(command);
    assert_eq!(ran.code, Some(0), "{words:?} was advised: {ran:#?}");
    assert_eq!(place.state_name(), "done");
    assert!(new.works());
}

#[test]
fn a_forced_rollback_of_a_key_that_is_gone_stops_and_confirm_goes_on_instead() {
    let place = removed_unrecorded();
    let new = place.holder_of(&place.delivered());
    let ran = place.run(["rollback", "--force", TARGET]).expect(3);
    assert!(ran.stdout.contains(place.old.fingerprint()), "{}", ran.stdout);
    assert!(ran.stdout.contains("it is gone"), "{}", ran.stdout);
    assert!(new.works() && place.delivered().exists(), "nobody has a key");
    place.run(["confirm", TARGET]).expect(0);
    let mut much_later = place.command(["run"]);
    much_later.env("ROTATE_TEST_CLOCK_AHEAD", (20 * 86400).to_string());
    Ran::of(much_later).expect(0);
    assert_eq!(place.state_name(), "done");
    assert!(new.works());
}

// Keys of others in the slots.

#[test]
fn a_rollback_whose_slot_was_taken_calls_a_person_and_names_the_key_in_it() {
    for words in [&["rollback", TARGET][..], &["rollback", "--force", TARGET]] {
        let place = soaking();
        let new = place.holder_of(&place.delivered());
        place.cloud.set_key(USER, Slot::One, theirs().public_base64());
        let ran = place.run(words);
        // Whatever it says: both keys that are in use somewhere stay.
        assert!(holds(&place, theirs().fingerprint()) && holds(&place, new.fingerprint()));
        assert!(new.works() && place.delivered().exists());
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(theirs().fingerprint()), "{said}");
        // It cannot go on by itself: cron says so, too.
        let again = place.run(["run"]);
        assert_eq!(
            (ran.code, again.code),
            (Some(3), Some(3)),
            "a person has to make room: {said}"
        );
        assert!(holds(&place, theirs().fingerprint()));
        // Its owner has made room.
        place.cloud.unset_key(USER, Slot::One);
        place.run(words).expect(0);
        assert_taken_back(&place, "rolled-back", "room");
    }
}

#[test]
fn a_key_that_someone_put_in_the_new_ones_place_survives_the_undo() {
    for (prepare, word, state) in [
        (delivered as fn() -> _, "abort", "aborted"),
        (soaking, "rollback", "rolled-back"),
    ] {
        let place = prepare();
        place.cloud.unset_key(USER, Slot::Two);
        place.cloud.set_key(USER, Slot::Two, theirs().public_base64());
        // Nobody can say whether the new key, which is gone, was used.
        let ran = place.run([word, "--force", TARGET]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        assert_eq!(place.state_name(), state);
        assert!(holds(&place, theirs().fingerprint()), "their key is gone");
        assert!(place.consumer().works());
        assert!(!place.delivered().exists());
    }
}

#[test]
fn an_abort_is_refused_while_the_old_key_does_not_work() {
    for is_replaced in [false, true] {
        let place = delivered();
        let new = place.holder_of(&place.delivered());
        place.cloud.unset_key(USER, Slot::One);
        if is_replaced {
            place.cloud.set_key(USER, Slot::One, theirs().public_base64());
        }
        let old = place.old.fingerprint();
        refused(&place, &["abort", TARGET], &[old, "nobody would have a key"]);
        let ran = place.run(["abort", "--force", TARGET]).expect(3);
        assert!(ran.stdout.contains("nobody would have a key"), "{}", ran.stdout);
        assert!(new.works() && place.delivered().exists());
        assert_eq!(holds(&place, theirs().fingerprint()), is_replaced);
        // The person goes on with the new key: first the block, then the cut-over.
        place.run(["confirm", TARGET]).expect(0);
        assert_eq!(place.state_name(), "awaiting-cutover");
        assert!(new.works());
    }
}

#[test]
fn a_rollback_registers_an_old_key_that_someone_else_removed() {
    let place = delivered();
    // A consumer was forgotten, so the removal is blocked; then someone removes the key by hand.
    let used = place.cloud.now() + SignedDuration::from_mins(60);
    place.cloud.set_last_used(USER, place.old.fingerprint(), used);
    place.run(["confirm", TARGET]).expect(3);
    place.cloud.unset_key(USER, Slot::One);
    place.run(["rollback", TARGET]).expect(0);
    assert_taken_back(&place, "rolled-back", "removed by hand");
}

#[test]
fn a_rotation_whose_user_is_gone_can_be_ended_by_a_person_who_insists() {
    let place = delivered();
    place.cloud.drop_user(USER);
    place.run(["abort", TARGET]).expect(1).says(&["does not exist"]);
    place.run(["abort", "--force", TARGET]).expect(3);
    assert_eq!(place.state_name(), "blocked");
    place.run(["abort", "--force", TARGET]).expect(0);
    assert_eq!(place.state_name(), "aborted");
    assert!(!place.delivered().exists() && !public_file(&place).exists());
}

/// A user has no id at Snowflake but its name; its keys tell it from the one before it.
#[test]
fn a_user_of_the_same_name_keeps_its_keys() {
    for (prepare, word) in [(delivered as fn() -> _, "abort"), (soaking, "rollback")] {
        let place = prepare();
        place.cloud.recreate_user(USER);
        place.cloud.set_key(USER, Slot::One, theirs().public_base64());
        place
            .cloud
            .set_key(USER, Slot::Two, TestKey::numbered(5).public_base64());
        for words in [&[word, TARGET][..], &[word, "--force", TARGET], &["run"]] {
            place.run(words);
            assert!(holds(&place, theirs().fingerprint()), "{words:?}");
            assert!(holds(&place, TestKey::numbered(5).fingerprint()), "{words:?}");
        }
    }
}

// Someone uses the new key.

#[test]
fn an_abort_is_refused_while_someone_uses_the_new_key_and_force_does_it() {
    let place = delivered();
    used_by_a_job(&place);
    let new = place.holder_of(&place.delivered()).fingerprint().to_owned();
    refused(
        &place,
        &["abort", TARGET],
        &[
            &format!("new key {new} is used by others"),
            &format!("confirm {TARGET}"),
            &format!("abort --force {TARGET}"),
        ],
    );
    place.run(["abort", "--force", TARGET]).expect(0);
    assert_taken_back(&place, "aborted", "forced");
}

#[test]
fn an_abort_is_refused_while_nobody_knows_whether_the_new_key_is_used() {
    let place = delivered();
    place.cloud.named_key_pairs(false);
    refused(
        &place,
        &["abort", TARGET],
        &["perhaps used by others", "does not report its use", "abort --force"],
    );
    place.run(["abort", "--force", TARGET]).expect(0);
    place.expect_as_before();
}

#[test]
fn a_rollback_with_users_of_the_new_key_brings_the_old_one_back_and_waits_for_force() {
    let place = soaking();
    used_by_a_job(&place);
    let new = place.holder_of(&place.delivered());
    let ran = place.run(["rollback", TARGET]).expect(3);
    for words in [
        format!("new key {} is used by others", new.fingerprint()),
        "rollback --force".to_owned(),
    ] {
        assert!(ran.stdout.contains(&words), "{ran:#?}");
    }
    assert!(place.consumer().works() && new.works());
    place.run(["run"]).expect(3);
    assert!(new.works());
    place.run(["rollback", "--force", TARGET]).expect(0);
    assert_taken_back(&place, "rolled-back", "forced");
}

// Files that people have touched.

#[test]
fn a_key_file_of_someone_else_is_left_alone_and_said_so() {
    for (prepare, word) in [(delivered as fn() -> _, "abort"), (soaking, "rollback")] {
        let place = prepare();
        fs::write(place.delivered(), theirs().private_pem()).unwrap();
        let ran = place.run([word, TARGET]).expect(0);
        assert!(ran.stdout.contains("left as it is"), "{}", ran.stdout);
        ran.says(&[
            "rsa_key_new.p8",
            "changed by someone since the delivery",
            "left as it is",
        ]);
        let held = fs::read_to_string(place.delivered()).unwrap();
        assert_eq!(held, theirs().private_pem(), "{word}");
        assert!(place.consumer().works());
        assert_eq!(place.fingerprints()[1], None);
    }
}

/// Someone has the new private key in another place: whoever asked for the undo is told.
#[test]
fn a_key_file_that_was_moved_away_is_left_alone_and_said_so() {
    for (prepare, word) in [(delivered as fn() -> _, "abort"), (soaking, "rollback")] {
        let place = prepare();
        let moved = place.path("moved.p8");
        fs::rename(place.delivered(), &moved).unwrap();
        let held = fs::read(&moved).unwrap();
        let ran = place.run([word, TARGET]).expect(0);
        assert_eq!(fs::read(&moved).unwrap(), held);
        assert!(place.consumer().works());
        assert_eq!(place.fingerprints()[1], None);
        ran.says(&["rsa_key_new.p8", "is not there"]);
    }
}

#[test]
fn a_public_key_file_of_someone_else_is_left_alone_and_said_so() {
    let place = delivered();
    let pem = theirs().public_pem();
    fs::write(public_file(&place), &pem).unwrap();
    let ran = place.run(["abort", TARGET]).expect(0);
    assert_eq!(fs::read_to_string(public_file(&place)).unwrap(), pem);
    assert!(!place.delivered().exists(), "our own private key is left");
    assert!(place.consumer().works());
    ran.says(&["rsa_key_new", "changed by someone since the delivery"]);
}

/// A public key is no secret: its mode stops nothing.
#[test]
fn a_public_key_file_that_everyone_may_read_is_taken_back_like_any_other() {
    for (prepare, word, state) in [
        (delivered as fn() -> _, "abort", "aborted"),
        (soaking, "rollback", "rolled-back"),
    ] {
        let place = prepare();
        chmod(&public_file(&place), 0o644);
        place.run([word, TARGET]).expect(0);
        assert_taken_back(&place, state, "mode 644");
    }
}

#[test]
fn a_private_key_file_that_others_may_read_stops_the_undo_until_it_is_mended() {
    let place = delivered();
    chmod(&place.delivered(), 0o644);
    place
        .run(["abort", TARGET])
        .expect(1)
        .says(&["rsa_key_new.p8", "mode 0644", "chmod", "`delivered`"]);
    assert!(place.delivered().exists() && place.consumer().works());
    chmod(&place.delivered(), 0o600);
    place.run(["run"]).expect(0);
    assert_taken_back(&place, "aborted", "mended");
}

#[test]
fn several_destinations_are_all_taken_back() {
    let place = fresh();
    Ran::of(place.rotate(["--deliver", "file:a.p8", "--deliver", "file:b.p8"])).expect(0);
    for name in ["a.p8", "a.pub", "b.p8", "b.pub"] {
        assert!(place.path(name).exists(), "{name}");
    }
    // One of them has a new owner.
    fs::write(place.path("b.p8"), theirs().private_pem()).unwrap();
    place.run(["abort", TARGET]).expect(0).says(&["b.p8", "left as it is"]);
    for name in ["a.p8", "a.pub"] {
        assert!(!place.path(name).exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(place.path("b.p8")).unwrap(), theirs().private_pem());
    place.expect_as_before();
}

// A person's word where it does not fit.

#[test]
fn before_the_cutover_only_abort_takes_it_back() {
    let place = delivered();
    let words = [
        "cannot be rolled back",
        "before the cut-over",
        &format!("abort {TARGET}"),
    ];
    refused(&place, &["rollback", TARGET], &words);
    refused(&place, &["rollback", "--force", TARGET], &words);
}

#[test]
fn a_key_that_is_not_delivered_cannot_be_confirmed() {
    for (point, phase) in [
        ("store: after commit", "`opened`"),
        ("register: before the call", "`minted`"),
        ("prove: before", "`created`"),
        ("key file: public half written", "`verified`"),
    ] {
        let place = killed(fresh, begin, point, 1);
        refused(
            &place,
            &["confirm", TARGET],
            &[phase, "nothing to confirm", &format!("abort {TARGET}")],
        );
        refused(&place, &["rollback", TARGET], &[phase, "cannot be rolled back"]);
        assert!(place.consumer().works());
    }
}

#[test]
fn after_the_cutover_only_rollback_takes_it_back() {
    for prepare in [soaking, resting] {
        let place = prepare();
        let words = ["too late to abort", "after the cut-over", &format!("rollback {TARGET}")];
        refused(&place, &["abort", TARGET], &words);
        refused(&place, &["abort", "--force", TARGET], &words);
        refused(&place, &["confirm", TARGET], &["nothing to confirm"]);
    }
}

#[test]
fn after_the_end_no_word_fits() {
    let place = fresh();
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    for word in ["confirm", "abort", "rollback"] {
        refused(&place, &[word, TARGET], &["`done`", &format!("status {TARGET}")]);
    }
    let place = delivered();
    place.run(["abort", TARGET]).expect(0);
    for word in ["confirm", "abort", "rollback"] {
        refused(&place, &[word, TARGET], &["`aborted`"]);
    }
    place.expect_as_before();
}

#[test]
fn a_word_about_an_unknown_target_is_refused() {
    let place = delivered();
    let unknown = "snowflake-keypair/NOBODY";
    for word in ["confirm", "abort", "rollback"] {
        refused(
            &place,
            &[word, unknown],
            &[&format!("no rotation of {unknown} is on record"), "status"],
        );
    }
}

#[test]
fn other_options_than_the_open_rotation_has_are_refused_by_name() {
    let place = delivered();
    for (options, named) in [
        (&["--key-bits", "3072"][..], "--key-bits"),
        (&["--deliver", "file:other.p8"], "--deliver"),
        (&["--soak", "3d"], "--soak"),
        (&["--cutover", "immediate"], "--cutover"),
        (&["--role", "SECURITYADMIN"], "--role"),
    ] {
        let arguments = [&["snowflake-keypair", "--user", USER][..], options].concat();
        refused(&place, &arguments, &["open rotation", named]);
    }
    assert!(!place.path("other.p8").exists());
    Ran::of(begin(&place)).expect(0);
}
