//! Keys of others in the slots, and somebody who uses the new one.

use rotate_fixtures::snowflake::{Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use super::{assert_taken_back, delivered, holds, refused, soaking, theirs};

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
