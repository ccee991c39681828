//! The file with the passphrase: what is in it, who may read it, and what goes on without it.

use std::fs;

use rotate_fixtures::snowflake::{Action, Consumer};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{AT_ONCE, PASSPHRASE, delivered_encrypted, fresh, openssl, rotate_encrypted, text, write};

/// Whoever holds the encrypted key and this passphrase.
fn holder_with(place: &SnowflakeWorkplace, passphrase: &str) -> Result<Consumer, String> {
    let pem = fs::read_to_string(place.delivered()).unwrap();
    Consumer::with_passphrase(&place.cloud, USER, &pem, passphrase)
}

#[test]
fn the_line_break_at_the_end_of_the_passphrase_is_not_part_of_it() {
    for content in ["open sesame", "open sesame\n", "open sesame\r\n"] {
        let place = fresh();
        write(&place, "passphrase", content, 0o600);
        Ran::of(rotate_encrypted(&place, &AT_ONCE)).expect(0);
        assert!(holder_with(&place, "open sesame").unwrap().works(), "{content:?}");
    }
    // Everything else is.
    for passphrase in [" open sesame ", "\topen\tsesame"] {
        let place = fresh();
        write(&place, "passphrase", format!("{passphrase}\n"), 0o600);
        Ran::of(rotate_encrypted(&place, &AT_ONCE)).expect(0);
        assert!(holder_with(&place, passphrase).unwrap().works(), "{passphrase:?}");
        assert!(holder_with(&place, passphrase.trim()).is_err(), "{passphrase:?}");
    }
}

#[test]
fn a_passphrase_may_have_any_letters() {
    let passphrase = "Grüße, пароль 秘密 \u{1F511} '\"$`\\";
    let place = fresh();
    let file = write(&place, "passphrase", format!("{passphrase}\n"), 0o600);
    Ran::of(rotate_encrypted(&place, &AT_ONCE)).expect(0);
    assert!(holder_with(&place, passphrase).unwrap().works());
    let source = format!("file:{}", text(&file));
    openssl(
        &["pkey", "-in", text(&place.delivered()), "-passin", &source, "-noout"],
        &[],
    );
}

#[test]
fn a_passphrase_file_that_others_may_read_is_refused_before_anything_is_done() {
    for mode in [0o644, 0o604, 0o666, 0o620] {
        let place = fresh();
        write(&place, "passphrase", PASSPHRASE, mode);
        Ran::of(rotate_encrypted(&place, &AT_ONCE)).expect(64).says(&[
            "--passphrase-file",
            &format!("mode {mode:04o}"),
            "chmod",
            "nothing was touched",
        ]);
        assert!(place.cloud.calls().is_empty() && !place.state().exists());
    }
}

#[test]
fn a_passphrase_file_without_a_passphrase_is_refused_before_anything_is_done() {
    for (content, words) in [
        (Some(""), "it is empty"),
        (Some("\n"), "it is empty"),
        (Some("\r\n"), "it is empty"),
        (None, "cannot be found"),
    ] {
        let place = fresh();
        if let Some(content) = content {
            write(&place, "passphrase", content, 0o600);
        }
        Ran::of(rotate_encrypted(&place, &AT_ONCE))
            .expect(64)
            .says(&["passphrase file", words, "nothing was touched"]);
        assert!(place.cloud.calls().is_empty() && !place.state().exists());
    }
}

#[test]
fn a_later_run_from_another_folder_finds_the_passphrase() {
    let place = delivered_encrypted();
    let elsewhere = place.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut confirm = place.command(["confirm", TARGET]);
    Ran::of({
        confirm.current_dir(&elsewhere);
        confirm
    })
    .expect(0);
    assert_eq!(place.state_name(), "deactivated");
    assert!(holder_with(&place, PASSPHRASE).unwrap().works());
}

/// What happens to a passphrase between two runs, and how it is done.
type Spoiling = (&'static str, fn(&SnowflakeWorkplace));

const SPOILED: [Spoiling; 3] = [
    ("gone", |place| fs::remove_file(place.path("passphrase")).unwrap()),
    ("open to others", |place| {
        write(place, "passphrase", format!("{PASSPHRASE}\n"), 0o644);
    }),
    ("another one", |place| {
        write(place, "passphrase", "another one\n", 0o600);
    }),
];

/// A person confirms so long after the delivery, and the passphrase cannot be used.
fn assert_nothing_is_removed(seconds_later: &str) {
    for (context, spoil) in SPOILED {
        let place = delivered_encrypted();
        spoil(&place);
        let mut confirm = place.command(["--verify-deadline", "1s", "confirm", TARGET]);
        confirm.env("ROTATE_TEST_CLOCK_AHEAD", seconds_later);
        let ran = Ran::of(confirm);
        let removals = place.cloud.count_of(Action::UnsetKey);
        assert_eq!(removals, 0, "{context}: the old key was removed: {ran:#?}");
        assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
        // The passphrase is back.
        write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
        place.run(["--verify-deadline", "5s", "run"]).expect(0);
        assert_eq!(place.state_name(), "deactivated", "{context}");
        assert!(holder_with(&place, PASSPHRASE).unwrap().works());
    }
}

#[test]
fn without_the_passphrase_no_old_key_is_removed_and_with_it_the_rotation_goes_on() {
    assert_nothing_is_removed("600");
}

/// The delivery's own proof is still good, and the one after the removal would fail: minutes without any key, for nothing.
#[test]
fn without_the_passphrase_no_old_key_is_removed_right_after_the_delivery_either() {
    assert_nothing_is_removed("0");
}

/// Whoever is on call has to look at a file of their own, and not at the network.
#[test]
fn a_passphrase_that_cannot_be_used_is_said_to_be_the_reason() {
    for (context, spoil) in SPOILED {
        let place = delivered_encrypted();
        spoil(&place);
        let mut confirm = place.command(["--verify-deadline", "0s", "confirm", TARGET]);
        confirm.env("ROTATE_TEST_CLOCK_AHEAD", "600");
        let ran = Ran::of(confirm).expect(1);
        let file = place.path("passphrase");
        assert!(ran.stderr.contains(text(&file)), "{context}: {}", ran.stderr);
        let advice = "when the vendor can be reached";
        assert!(
            !ran.stderr.contains(advice),
            "{context}: it was reached: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_passphrase_that_goes_while_the_new_key_is_being_proven_stops_the_rotation_until_it_is_back() {
    let place = fresh();
    let file = write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
    // It was needed to make the key, and goes before its first login.
    place.cloud.after_call(move |call| {
        if call.action == Some(Action::SetKey) {
            let _ = fs::remove_file(&file);
        }
    });
    Ran::of(rotate_encrypted(&place, &[])).expect(1).says(&[
        "could not be found out",
        "passphrase file",
        "cannot be found",
        "`created`",
    ]);
    assert!(place.consumer().works() && !place.delivered().exists());
    write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert_eq!(place.cloud.count_of(Action::SetKey), 1, "the same key goes on");
    assert!(holder_with(&place, PASSPHRASE).unwrap().works());
}

#[test]
fn an_undo_does_not_need_the_passphrase() {
    let place = delivered_encrypted();
    fs::remove_file(place.path("passphrase")).unwrap();
    place.run(["abort", TARGET]).expect(0);
    place.expect_as_before();

    let place = delivered_encrypted();
    place.run(["confirm", TARGET]).expect(0);
    fs::remove_file(place.path("passphrase")).unwrap();
    assert_eq!(place.fingerprints()[0], None);
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    place.expect_as_before();
}
