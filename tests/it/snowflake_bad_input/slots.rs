//! What is in the two slots: nobody's key is offered for removal that might be the live one.

use jiff::SignedDuration;
use rotate_fixtures::snowflake::{Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{AT_ONCE, ROTATE, for_user, put, refused, refused_again};

/// The vendor's commands that empty each slot.
const UNSET: [&str; 2] = [
    r#"ALTER USER "GS_GAINSIGHT_USER" UNSET RSA_PUBLIC_KEY;"#,
    r#"ALTER USER "GS_GAINSIGHT_USER" UNSET RSA_PUBLIC_KEY_2;"#,
];

#[test]
fn a_user_that_does_not_exist_is_named() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let words = [
        "failed to read user NOBODY",
        "does not exist",
        // Of what a role may not see, Snowflake says the same.
        "GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"NOBODY\" TO ROLE \"SECURITYADMIN\";",
        "check the name given with --user",
        "nothing was changed",
    ];
    refused(&place, 1, &words, || for_user(&place, "nobody"));
    // What was meant may be written with small letters.
    refused_again(&place, &["read user gs_gainsight_user"], || {
        for_user(&place, "\"gs_gainsight_user\"")
    });
    place.expect_untouched();
}

#[test]
fn a_user_without_a_key_has_nothing_to_rotate() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.unset_key(USER, Slot::One);
    let words = ["GS_GAINSIGHT_USER has no active key", "nothing to rotate", "--user"];
    refused(&place, 1, &words, || place.rotate(AT_ONCE));
    assert_eq!(place.fingerprints(), [None, None]);
    assert!(!place.delivered().exists());
}

#[test]
fn two_unknown_keys_are_shown_with_the_commands_that_resolve_it() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let now = place.cloud.now();
    let second = TestKey::numbered(2);
    let long_ago = now - SignedDuration::from_hours(24 * 400);
    place
        .cloud
        .set_key_at(USER, Slot::Two, second.public_base64(), long_ago);
    let used = now - SignedDuration::from_hours(2);
    place.cloud.set_last_used(USER, second.fingerprint(), used);
    let [set_first, set_second] = place
        .cloud
        .slots(USER)
        .map(|key| key.unwrap().set_at.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    let words = [
        "both slots of GS_GAINSIGHT_USER are full",
        "which one is live cannot be known",
        &format!("{}: active, created {set_first}", place.old.fingerprint()),
        "(0 days old)",
        "no use on record",
        &format!("{}: active, created {set_second}", second.fingerprint()),
        "(400 days old)",
        &used.strftime("last used %Y-%m-%dT%H:%M:%S").to_string(),
        UNSET[0],
        UNSET[1],
        "--current-key",
    ];
    refused(&place, 3, &words, || place.rotate(AT_ONCE));
    let report = Ran::of(place.rotate(["--output", "json"])).expect(3).json();
    assert_eq!(report["targets"][0]["state"], "blocked");
    assert_eq!(report["targets"][0]["next"]["who"], "person");
    // Once one is gone, the same command works.
    place.cloud.unset_key(USER, Slot::Two);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    assert!(place.holder_of(&place.delivered()).works());
}

#[test]
fn of_two_keys_the_one_that_the_person_shows_is_never_offered_for_removal() {
    for (slot, other) in [(0, 1), (1, 0)] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let stranger = TestKey::numbered(2);
        place.cloud.set_key(USER, Slot::ALL[other], stranger.public_base64());
        place.cloud.set_key(USER, Slot::ALL[slot], place.old.public_base64());
        put(&place.path("current.p8"), place.old.private_pem());
        let words = [
            "both slots are full",
            &format!("{}: live", place.old.fingerprint()),
            &format!("{}: active", stranger.fingerprint()),
            UNSET[other],
        ];
        let ran = refused(&place, 3, &words, || place.rotate(["--current-key", "current.p8"]));
        assert!(!ran.stderr.contains(UNSET[slot]), "{}", ran.stderr);
        assert!(place.consumer().works());
        place.cloud.unset_key(USER, Slot::ALL[other]);
        Ran::of(place.rotate(["--current-key", "current.p8"])).expect(0);
    }
}

#[test]
fn of_two_keys_the_one_that_the_journal_left_alive_is_never_offered_for_removal() {
    // After a rotation the new key is the live one; after an abort the old one is.
    for (is_aborted, live, other) in [(false, 1, 0), (true, 0, 1)] {
        let place = SnowflakeWorkplace::new(ROTATE);
        if is_aborted {
            Ran::of(place.rotate([""; 0])).expect(0);
            place.run(["abort", TARGET]).expect(0);
        } else {
            Ran::of(place.rotate(AT_ONCE)).expect(0);
        }
        let stranger = TestKey::numbered(3);
        place.cloud.set_key(USER, Slot::ALL[other], stranger.public_base64());
        let (slots, effects) = (place.fingerprints(), place.cloud.effects().len());
        for more in [&[][..], &["--dry-run"]] {
            let mut command = place.rotate(["--again", "--deliver", "file:next.p8"]);
            command.args(more);
            let left = slots[live].as_deref().unwrap();
            let ran = Ran::of(command).expect(3).says(&[
                "both slots are full",
                &format!("{left}: active, left in use by the last rotation on record"),
                &format!("{}: active, created", stranger.fingerprint()),
                // The journal does not see what is done by hand: only the person knows.
                "someone may have changed keys since",
                UNSET[other],
                "--current-key",
            ]);
            assert!(!ran.stderr.contains(": live"), "{}", ran.stderr);
            assert!(!ran.stderr.contains(UNSET[live]), "{}", ran.stderr);
        }
        assert_eq!(place.fingerprints(), slots);
        assert_eq!(place.cloud.effects().len(), effects);
        assert!(!place.path("next.p8").exists());
        let state = if is_aborted { "aborted" } else { "done" };
        assert_eq!(place.state_name(), state);
        place.run(["audit", "verify"]).expect(0);
    }
}

/// A colleague has moved the consumer to a key of theirs since: what the person shows counts for more than the journal.
#[test]
fn of_two_keys_the_one_that_the_person_shows_is_live_whatever_the_journal_left_alive() {
    let place = SnowflakeWorkplace::new(ROTATE);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    let [_, left] = place.fingerprints();
    let theirs = TestKey::numbered(3);
    place.cloud.set_key(USER, Slot::One, theirs.public_base64());
    put(&place.path("current.p8"), theirs.private_pem());
    let ran = Ran::of(place.rotate(["--again", "--deliver", "file:next.p8", "--current-key", "current.p8"]));
    let ran = ran.expect(3).says(&[
        &format!("{}: live", theirs.fingerprint()),
        &format!("{}: active, left in use by the last rotation on record", left.unwrap()),
        UNSET[1],
    ]);
    assert!(!ran.stderr.contains(UNSET[0]), "{}", ran.stderr);
    assert!(!ran.stderr.contains("someone may have changed"), "{}", ran.stderr);
}

#[test]
fn the_administrators_own_user_is_refused_unless_that_is_wanted() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let admin = place.cloud.admin_user().to_owned();
    let own = TestKey::numbered(2);
    place.cloud.set_key(&admin, Slot::One, own.public_base64());
    put(&place.path("admin.p8"), own.private_pem());
    let words = [
        "rotate itself runs as ROTATE_ADMIN",
        "another user or role",
        "--allow-self",
    ];
    refused(&place, 1, &words, || for_user(&place, &admin));
    refused_again(&place, &words, || {
        let mut command = for_user(&place, &admin);
        command
            .env_remove("SNOWFLAKE_PASSWORD")
            .env("SNOWFLAKE_PRIVATE_KEY_FILE", place.path("admin.p8"));
        command
    });
    let [first, second] = place.cloud.slots(&admin);
    assert_eq!(first.unwrap().fingerprint, own.fingerprint());
    assert!(second.is_none());
    place.expect_untouched();
}
