//! Bad input for a Snowflake key pair: wrong command lines, key files that are none, users that cannot be rotated, and
//! administrators that are not let in. Each is refused in plain words with a way out, and leaves the slots, the files and
//! the journal as they were.
//!
//! Leans on the strict fake, which knows roles, grants, locks and network policies, and refuses every statement that it
//! does not know; on a bare listener for the one refusal that the fake does not know, a second factor; and on the real
//! file system for files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rotate_fixtures::snowflake::{
    Action, Consumer, EC_P8, ENCRYPTED_P8, Fault, GARBAGE_P8, PASSPHRASE, PKCS1_PEM, RSA_1024_P8, Slot, TestKey,
};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace};
use serde_json::json;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// The vendor's commands that empty each slot.
const UNSET: [&str; 2] = [
    r#"ALTER USER "GS_GAINSIGHT_USER" UNSET RSA_PUBLIC_KEY;"#,
    r#"ALTER USER "GS_GAINSIGHT_USER" UNSET RSA_PUBLIC_KEY_2;"#,
];

/// Writes a file that nobody else may read.
fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// What lies in the place, beside the state folder.
fn files(place: &SnowflakeWorkplace) -> Vec<String> {
    let entries = fs::read_dir(place.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "state").collect();
    names.sort();
    names
}

/// Stops the test unless no rotation is on record, in a journal that is whole.
fn expect_no_rotation(place: &SnowflakeWorkplace) {
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"], json!([]), "a rotation was opened");
    place.run(["audit", "verify"]).expect(0);
}

/// The command is refused with this code and these words, foretold and for real, and leaves everything as it was.
fn refused(place: &SnowflakeWorkplace, code: i32, words: &[&str], command: impl Fn() -> Command) -> Ran {
    let before = files(place);
    let mut foretold = command();
    foretold.arg("--dry-run");
    Ran::of(foretold).expect(code).says(words);
    assert!(!place.state().exists(), "a dry run made a state folder");
    let ran = Ran::of(command()).expect(code).says(words);
    assert_eq!(ran.stdout, "");
    assert_eq!(files(place), before, "files were left behind");
    assert!(place.cloud.effects().is_empty(), "{:#?}", place.cloud.effects());
    expect_no_rotation(place);
    place.cloud.expect_all_understood();
    ran
}

/// The same as [`refused`] with 1, where the state folder is there already.
fn refused_again(place: &SnowflakeWorkplace, words: &[&str], command: impl Fn() -> Command) {
    for more in [&[][..], &["--dry-run"]] {
        let mut command = command();
        command.args(more);
        Ran::of(command).expect(1).says(words);
    }
    assert!(place.cloud.effects().is_empty(), "{:#?}", place.cloud.effects());
    expect_no_rotation(place);
    place.cloud.expect_all_understood();
}

/// A wrong command line: refused with 64 and these words, without a call and without a state folder.
fn refused_at_once(place: &SnowflakeWorkplace, command: Command, words: &[&str]) {
    let (before, calls) = (files(place), place.cloud.calls().len());
    let ran = Ran::of(command).expect(64).says(words);
    assert_eq!(ran.stdout, "");
    assert_eq!(place.cloud.calls().len(), calls, "a call was made; {ran:#?}");
    assert!(!place.state().exists(), "a state folder was made; {ran:#?}");
    assert_eq!(files(place), before, "files were left behind");
    place.expect_untouched();
}

/// The same for options of the one-shot command.
fn options_refused(options: &[&str], words: &[&str]) {
    let place = SnowflakeWorkplace::new(ROTATE);
    refused_at_once(&place, place.rotate(options), words);
}

fn for_user(place: &SnowflakeWorkplace, user: &str) -> Command {
    place.command(["snowflake-keypair", "--user", user])
}

/// A role that may change the user's keys, and that the administrator has.
fn add_rotator(place: &SnowflakeWorkplace, role: &str) {
    place.cloud.add_role(role);
    place.cloud.grant_role(role, place.cloud.admin_user());
    place.cloud.grant_key_changes(USER, role);
}

// The command line.

#[test]
fn a_missing_user_is_asked_for() {
    let place = SnowflakeWorkplace::new(ROTATE);
    refused_at_once(&place, place.command(["snowflake-keypair"]), &["--user"]);
}

#[test]
fn a_soak_that_is_no_time_is_refused() {
    options_refused(&["--soak", "-3d"], &["--soak", "-3d", "cannot be negative"]);
    options_refused(&["--soak", "banana"], &["--soak", "banana", "such as 7d"]);
    options_refused(&["--soak", "7"], &["--soak", "such as 7d"]);
    options_refused(&["--soak", "99999d"], &["--soak", "ten years"]);
    options_refused(&["--observe", "soon"], &["--observe", "soon"]);
}

#[test]
fn a_key_of_another_length_than_the_three_is_refused() {
    for bits in ["1024", "512", "0", "2049", "8192", "long", ""] {
        options_refused(&["--key-bits", bits], &["--key-bits", bits, "2048", "3072", "4096"]);
    }
}

#[test]
fn an_account_that_is_an_address_is_refused() {
    for account in ["https://myorg-acct.snowflakecomputing.com", "my org", "a/b", ""] {
        options_refused(&["--account", account], &["--account"]);
    }
    options_refused(
        &["--account", "https://myorg-acct.snowflakecomputing.com"],
        &["MYORG-MYACCOUNT", "without https://"],
    );
}

#[test]
fn a_destination_that_holds_no_private_key_is_refused() {
    for destination in ["file:key.json", "file:key.env", "file:.env", "aws-profile:gainsight"] {
        let words = [destination, "a private key does not go there", "file:PATH.p8"];
        options_refused(&["--deliver", destination], &words);
    }
    for destination in ["file:key.pem", "file:key", "file:.p8", "vault:secret/key", "key.p8", ""] {
        options_refused(&["--deliver", destination], &["--deliver", ".p8"]);
    }
    options_refused(&["--deliver", "file:"], &["--deliver", "names no file"]);
    options_refused(
        &["--deliver", "file:key.p8", "--deliver", "file:./key.p8"],
        &["--deliver", "key.p8", "twice"],
    );
}

#[test]
fn an_access_key_is_not_delivered_to_a_private_keys_file() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate_to(&["file:key.p8"], [""; 0])).expect(64).says(&[
        "file:key.p8",
        "an access key does not go there",
        "file:PATH.json",
        "nothing was touched",
    ]);
    assert_eq!(place.cloud.call_count(), 0);
    assert!(!place.state().exists() && !place.path("key.p8").exists());
    place.expect_untouched();
}

// Names of users.

#[test]
fn a_name_that_no_user_can_have_is_refused() {
    let (long, long_in_quotes) = ("x".repeat(300), format!("\"{}\"", "x".repeat(300)));
    let how_to_quote = "double quotes of its own";
    for (name, why) in [
        ("x\" SET PASSWORD='p", how_to_quote),
        ("na\u{ef}ve \"user\"", how_to_quote),
        ("gs user", how_to_quote),
        ("x; DROP USER y", how_to_quote),
        ("1st", how_to_quote),
        (&long, "255 characters"),
        (&long_in_quotes, "255 characters"),
        ("", "--user"),
        ("\"\"", "empty"),
        ("x\ny", "--user"),
        ("\"x\ny\"", "line breaks"),
        ("\"half", "does not end with one"),
        ("\"a\"b\"", "written twice"),
        ("\"x\" SET PASSWORD='p\"", "written twice"),
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        refused_at_once(&place, for_user(&place, name), &["--user", why]);
        assert_eq!(place.cloud.refused_statements(), [""; 0]);
    }
}

#[test]
fn a_name_with_nul_cannot_even_be_passed() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let error = for_user(&place, "\"a\0b\"").output().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn any_name_works_that_is_quoted_as_in_sql() {
    let (longest, longest_in_quotes) = ("\u{fc}".repeat(255), format!("\"{}\"", "\u{fc}".repeat(255)));
    for (name, written, login_name) in [
        ("na\u{ef}ve \"user\"", "\"na\u{ef}ve \"\"user\"\"\"", None),
        ("gs user", "\"gs user\"", None),
        ("x\" SET PASSWORD='p", "\"x\"\" SET PASSWORD='p\"", None),
        ("back\\slash 'quote'", "\"back\\slash 'quote'\"", None),
        ("EXPORTER", "exporter", Some("exporter@example.com")),
        // In small letters it is someone else than the user in capitals.
        ("gs_gainsight_user", "\"gs_gainsight_user\"", Some("LOWER")),
        (&longest, &longest_in_quotes, Some("LONGEST")),
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        place.cloud.add_user(name);
        if let Some(login_name) = login_name {
            place.cloud.set_login_name(name, login_name);
        }
        let key = TestKey::numbered(2);
        place.cloud.set_key(name, Slot::One, key.public_base64());
        Ran::of(for_user(&place, written)).expect(0);
        let pem = fs::read_to_string(place.delivered()).unwrap();
        let new = Consumer::new(&place.cloud, login_name.unwrap_or(name), &pem).unwrap();
        assert_eq!(new.current_user().as_deref(), Ok(name));
        // The target's name has to be good for every other command.
        let status = place.run(["status", "--output", "json"]).json();
        let target = status["targets"][0]["name"].as_str().unwrap().to_owned();
        place.run(["confirm", &target]).expect(0);
        assert!(new.works(), "{name}");
        let [first, second] = place.cloud.slots(name);
        assert!(first.is_none() && second.is_some(), "{name}");
        assert_eq!(place.cloud.refused_statements(), [""; 0]);
        place.cloud.expect_all_understood();
        assert!(place.cloud.effects().iter().all(|effect| effect.user == name));
        assert_eq!(place.fingerprints(), [Some(place.old.fingerprint().to_owned()), None]);
    }
}

// What is in the slots.

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

// The key that the consumer holds now.

#[test]
fn a_current_key_that_is_no_usable_private_key_is_refused() {
    let public = TestKey::numbered(1).public_pem();
    let garbage = [0xff; 64];
    for (bytes, words) in [
        (PKCS1_PEM.as_bytes(), &["PKCS#1", "openssl pkcs8 -topk8"][..]),
        (EC_P8.as_bytes(), &["not an RSA key"]),
        (RSA_1024_P8.as_bytes(), &["1024 bits", "2048"]),
        (public.as_bytes(), &["is a public key", "the private one"]),
        (GARBAGE_P8.as_bytes(), &["damaged"]),
        (b"hello", &["not a private key"]),
        (&garbage, &["not a private key"]),
        (b"", &["is empty"]),
        (b"\n", &["is empty"]),
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        put(&place.path("current.p8"), bytes);
        let command = place.rotate(["--current-key", "current.p8"]);
        refused_at_once(&place, command, &["--current-key", "current.p8", "nothing was touched"]);
        refused_at_once(&place, place.rotate(["--current-key", "current.p8"]), words);
        assert_eq!(fs::read(place.path("current.p8")).unwrap(), bytes);
    }
}

#[test]
fn a_current_key_that_cannot_be_read_safely_is_refused() {
    let place = SnowflakeWorkplace::new(ROTATE);
    fs::create_dir(place.path("folder.p8")).unwrap();
    put(&place.path("open.p8"), place.old.private_pem());
    fs::set_permissions(place.path("open.p8"), fs::Permissions::from_mode(0o644)).unwrap();
    for (name, words) in [
        ("missing.p8", &["cannot be found"][..]),
        ("folder.p8", &["not a regular file"]),
        ("open.p8", &["mode 0644", "chmod"]),
    ] {
        refused_at_once(&place, place.rotate(["--current-key", name]), &["--current-key", name]);
        refused_at_once(&place, place.rotate(["--current-key", name]), words);
    }
}

#[test]
fn an_encrypted_current_key_asks_for_its_passphrase() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("current.p8"), ENCRYPTED_P8);
    let words = ["--current-key", "current.p8", "is encrypted", "--passphrase-file"];
    refused_at_once(&place, place.rotate(["--current-key", "current.p8"]), &words);
}

#[test]
fn an_encrypted_current_key_is_opened_by_its_passphrase_alone() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("current.p8"), ENCRYPTED_P8);
    put(&place.path("wrong"), "battery staple\n");
    put(&place.path("right"), format!("{PASSPHRASE}\n"));
    let with = |file| place.rotate(["--current-key", "current.p8", "--passphrase-file", file]);
    let words = ["--current-key", "current.p8", "the passphrase does not open it"];
    refused_at_once(&place, with("wrong"), &words);
    let mut right = with("right");
    right.arg("--dry-run");
    Ran::of(right).expect(0);
}

#[test]
fn a_passphrase_file_that_is_none_is_refused() {
    let place = SnowflakeWorkplace::new(ROTATE);
    fs::create_dir(place.path("folder")).unwrap();
    put(&place.path("empty"), "\n");
    put(&place.path("open"), PASSPHRASE);
    put(&place.path("lines"), format!("{PASSPHRASE}\nand more\n"));
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o604)).unwrap();
    for (name, why) in [
        ("missing", "cannot be found"),
        ("lines", "several lines"),
        ("folder", "not a regular file"),
        ("empty", "is empty"),
        ("open", "chmod"),
    ] {
        let command = place.rotate(["--passphrase-file", name]);
        refused_at_once(&place, command, &["--passphrase-file", name, why]);
    }
}

#[test]
fn a_passphrase_file_that_was_mounted_with_line_breaks_is_read_without_them() {
    for end in ["", "\n", "\r\n", "\n\n", "\r\n\r\n"] {
        let place = SnowflakeWorkplace::new(ROTATE);
        put(&place.path("pass"), format!("{PASSPHRASE}{end}"));
        let ran = Ran::of(place.rotate(["--passphrase-file", "pass"])).expect(0);
        let told = ran.stderr.matches("ends with several line breaks").count();
        assert_eq!(
            told,
            usize::from(end.len() > 2 || end == "\n\n"),
            "{end:?}: {}",
            ran.stderr
        );
    }
}

/// No shell touches the `~` behind an equals sign.
#[test]
fn a_passphrase_file_may_be_named_from_the_home_folder() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("pass"), PASSPHRASE);
    Ran::of(place.rotate(["--passphrase-file=~/pass"])).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
}

#[test]
fn a_current_key_that_an_open_rotation_was_not_begun_with_is_refused() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("current.p8"), place.old.private_pem());
    put(&place.path("other.p8"), TestKey::numbered(3).private_pem());
    Ran::of(place.rotate(["--current-key", "current.p8"])).expect(0);
    Ran::of(place.rotate(["--current-key", "current.p8"])).expect(0);
    let ran = Ran::of(place.rotate(["--current-key", "other.p8"])).expect(1);
    ran.says(&["begun with other values for --current-key", "rotate"]);
    assert_eq!(place.state_name(), "awaiting-cutover");
}

#[test]
fn a_current_key_that_is_in_neither_slot_is_refused() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let (second, other) = (TestKey::numbered(2), TestKey::numbered(3));
    put(&place.path("current.p8"), other.private_pem());
    let words = [
        "--current-key",
        other.fingerprint(),
        place.old.fingerprint(),
        "the consumer really uses",
    ];
    refused(&place, 1, &words, || place.rotate(["--current-key", "current.p8"]));
    place.expect_untouched();
    place.cloud.set_key(USER, Slot::Two, second.public_base64());
    refused_again(&place, &words, || place.rotate(["--current-key", "current.p8"]));
    refused_again(&place, &[second.fingerprint()], || {
        place.rotate(["--current-key", "current.p8"])
    });
}

// Privileges.

/// Without the privilege the grant is named, word for word, and nothing changes; once it is given, the same command goes on
/// with the key that it has made.
fn goes_on_after_the_grant(role: &str, option: &[&str], granted_to: &str) {
    let place = SnowflakeWorkplace::new(ROTATE);
    add_rotator(&place, role);
    place.cloud.set_default_role(place.cloud.admin_user(), role);
    // It may look, and no longer change: taken away in between, because the fake's privilege is for both.
    let (cloud, once, taken_from) = (place.cloud.clone(), AtomicBool::new(true), role.to_owned());
    place.cloud.before_call(move |action| {
        if action == Action::SetKey && once.swap(false, Ordering::SeqCst) {
            cloud.revoke_key_changes(USER, &taken_from);
        }
    });
    let grant = format!("GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"{USER}\" TO ROLE {granted_to};");
    Ran::of(place.rotate(option))
        .expect(1)
        .says(&["lacks the privilege", &grant, "to go on:"]);
    place.expect_untouched();
    assert_eq!(place.state_name(), "opened");
    let status = place.run(["status", TARGET, "--output", "json"]).json();
    let minted = status["targets"][0]["new_key"].as_str().unwrap().to_owned();

    place.cloud.grant_key_changes(USER, role);
    Ran::of(place.rotate(option)).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
    assert_eq!(place.fingerprints()[1].as_deref(), Some(minted.as_str()));
    assert_eq!(place.holder_of(&place.delivered()).fingerprint(), minted);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn a_missing_privilege_is_named_with_its_grant_and_the_same_command_goes_on_with_the_same_key() {
    goes_on_after_the_grant("ROTATOR", &["--role", "ROTATOR"], "\"ROTATOR\"");
    goes_on_after_the_grant("ROTATOR", &["--role", "rotator"], "\"ROTATOR\"");
}

#[test]
fn a_missing_privilege_is_named_for_the_role_that_the_administrator_has_by_default() {
    goes_on_after_the_grant("ROTATOR", &[], "\"ROTATOR\"");
}

#[test]
fn a_missing_privilege_is_named_for_a_role_in_quotes() {
    goes_on_after_the_grant("key keeper", &["--role", "\"key keeper\""], "\"key keeper\"");
}

#[test]
fn a_privilege_that_is_taken_away_before_the_old_key_goes_leaves_both_keys_working() {
    let place = SnowflakeWorkplace::new(ROTATE);
    add_rotator(&place, "ROTATOR");
    Ran::of(place.rotate(["--role", "ROTATOR"])).expect(0);
    let (cloud, once) = (place.cloud.clone(), AtomicBool::new(true));
    place.cloud.before_call(move |action| {
        if action == Action::UnsetKey && once.swap(false, Ordering::SeqCst) {
            cloud.revoke_key_changes(USER, "ROTATOR");
        }
    });
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "\"ROTATOR\""]);
    assert!(place.consumer().works());
    assert!(place.holder_of(&place.delivered()).works());
    place.cloud.grant_key_changes(USER, "ROTATOR");
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "soaking");
    assert!(!place.consumer().works());
}

#[test]
fn a_role_that_may_not_even_look_is_named_with_a_grant_that_exists() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.add_role("READER");
    place.cloud.grant_role("READER", place.cloud.admin_user());
    let words = [
        "read user GS_GAINSIGHT_USER",
        "role READER lacks the privilege",
        // There is no privilege of the name DESC USER that anyone could grant.
        "GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"GS_GAINSIGHT_USER\" TO ROLE \"READER\";",
    ];
    refused(&place, 1, &words, || place.rotate(["--role", "READER"]));
    place.expect_untouched();
    place.cloud.grant_key_changes(USER, "READER");
    Ran::of(place.rotate(["--role", "READER"])).expect(0);
}

// The administrator is not let in.

#[test]
fn a_wrong_account_is_named() {
    for (status, way_out) in [(404, "--account"), (403, "there may be no account")] {
        let place = SnowflakeWorkplace::new(ROTATE);
        place.cloud.unknown_account_status(status);
        let status = status.to_string();
        let words = ["OTHERORG-OTHERACCT", &status, way_out, "nothing was changed"];
        refused(&place, 1, &words, || {
            let mut command = place.rotate([""; 0]);
            command.env("SNOWFLAKE_ACCOUNT", "OTHERORG-OTHERACCT");
            command
        });
        let endpoint = place.cloud.endpoint();
        refused_again(&place, &words, || {
            place.rotate(["--account", "OTHERORG-OTHERACCT", "--endpoint-url", &endpoint])
        });
        place.expect_untouched();
    }
}

#[test]
fn a_wrong_password_is_told_with_the_command_that_tries_it() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let words = [
        "the password of ROTATE_ADMIN in account TESTORG-TESTACCT is wrong",
        "snow connection test",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_PASSWORD", "hunter2-canary");
        command
    });
    assert!(!ran.stderr.contains("hunter2-canary"));
    place.expect_untouched();
    // One attempt: a few in a row lock the user.
    let before = place.cloud.count_of(Action::Login);
    let mut command = place.rotate([""; 0]);
    command.env("SNOWFLAKE_PASSWORD", "hunter2-canary");
    Ran::of(command).expect(1);
    assert_eq!(place.cloud.count_of(Action::Login), before + 1);
}

#[test]
fn an_administrators_key_that_snowflake_refuses_is_told_with_the_incident() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("admin.p8"), TestKey::numbered(4).private_pem());
    let words = [
        "does not accept the key of ROTATE_ADMIN in account TESTORG-TESTACCT",
        "390144",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || with_key_file(&place, "admin.p8"));
    // With its number an administrator of the account finds the reason.
    let incident = ran.stderr.split("request ").nth(1).and_then(|rest| rest.get(..36));
    assert!(
        place.cloud.failure_reason(incident.unwrap()).is_some(),
        "{}",
        ran.stderr
    );
    place.expect_untouched();
}

/// The one-shot command, with the administrator logging in with this private key.
fn with_key_file(place: &SnowflakeWorkplace, name: &str) -> Command {
    let mut command = place.rotate([""; 0]);
    command
        .env_remove("SNOWFLAKE_PASSWORD")
        .env("SNOWFLAKE_PRIVATE_KEY_FILE", place.path(name));
    command
}

#[test]
fn an_administrators_key_file_that_cannot_be_used_is_told_before_any_call() {
    let place = SnowflakeWorkplace::new(ROTATE);
    for (name, bytes, words) in [
        ("pkcs1.pem", PKCS1_PEM, &["PKCS#1", "openssl pkcs8"][..]),
        ("ec.p8", EC_P8, &["not an RSA key"]),
        ("empty.p8", "", &["is empty"]),
        ("garbage.p8", GARBAGE_P8, &["damaged"]),
        ("text.p8", "hello", &["not a private key"]),
    ] {
        put(&place.path(name), bytes);
        refused_again(&place, &[name, "private key"], || with_key_file(&place, name));
        refused_again(&place, words, || with_key_file(&place, name));
    }
    put(&place.path("open.p8"), TestKey::numbered(4).private_pem());
    fs::set_permissions(place.path("open.p8"), fs::Permissions::from_mode(0o644)).unwrap();
    refused_again(&place, &["open.p8", "chmod"], || with_key_file(&place, "open.p8"));
    refused_again(&place, &["missing.p8", "cannot be found"], || {
        with_key_file(&place, "missing.p8")
    });
    assert!(place.cloud.calls().is_empty());
    place.expect_untouched();
}

#[test]
fn an_administrators_encrypted_key_asks_for_its_passphrase() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("admin.p8"), ENCRYPTED_P8);
    let words = ["admin.p8", "the passphrase does not open it", "nothing was changed"];
    refused(&place, 1, &words, || {
        let mut command = with_key_file(&place, "admin.p8");
        command.env("PRIVATE_KEY_PASSPHRASE", "battery staple");
        command
    });
    let words = [
        "admin.p8",
        "is encrypted",
        "PRIVATE_KEY_PASSPHRASE",
        "nothing was changed",
    ];
    refused_again(&place, &words, || with_key_file(&place, "admin.p8"));
    assert!(place.cloud.calls().is_empty());
    place.expect_untouched();
}

#[test]
fn a_role_that_is_not_granted_is_named_with_a_way_out() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.add_role("LOADER");
    let words = [
        "role LOADER",
        "not granted to ROTATE_ADMIN",
        "--role",
        "nothing was changed",
    ];
    refused(&place, 1, &words, || place.rotate(["--role", "LOADER"]));
    refused_again(&place, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_ROLE", "LOADER");
        command
    });
    place.expect_untouched();
}

/// A server that answers every request in the same way.
struct Answering {
    port: u16,
}

impl Answering {
    fn with(status: &str, header: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let length = body.len();
        let reply =
            format!("HTTP/1.1 {status}\r\n{header}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                stream.read_exact(&mut vec![0; length]).unwrap();
                stream.get_mut().write_all(reply.as_bytes()).unwrap();
            }
        });
        Self { port }
    }

    /// Refuses every login with this message, as Snowflake does.
    fn refusing_logins(message: &str) -> Self {
        let body = json!({ "data": null, "code": "394507", "message": message, "success": false, "headers": null });
        Self::with("200 OK", "content-type: application/json", &body.to_string())
    }
}

#[test]
fn a_second_factor_that_is_asked_for_is_told_with_ways_to_log_in_without_one() {
    for message in [
        "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.",
        "Failed to authenticate: MFA authentication is required, but none of your current MFA methods are supported for \
         programmatic authentication. Speak to your Snowflake account administrator to get programmatic access to \
         Snowflake using alternative methods.",
        "MFA with TOTP is required. To authenticate, provide both your password and a current TOTP passcode.",
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let snowflake = Answering::refusing_logins(message);
        let words = [
            "second factor",
            "ROTATE_ADMIN",
            "SNOWFLAKE_PRIVATE_KEY_FILE",
            "nothing was changed",
        ];
        let ran = refused(&place, 1, &words, || {
            let mut command = place.rotate([""; 0]);
            command.env("SNOWFLAKE_PORT", snowflake.port.to_string());
            command
        });
        // Neither the password nor this machine's address is what stands in the way.
        assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("this machine's address"), "{}", ran.stderr);
        place.expect_untouched();
    }
}

#[test]
fn an_administrator_that_is_locked_or_disabled_is_told_apart_from_a_wrong_password() {
    for word in ["locked", "disabled"] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let admin = place.cloud.admin_user().to_owned();
        match word {
            "locked" => place.cloud.set_locked(&admin, true),
            _ => place.cloud.set_disabled(&admin, true),
        }
        let words = ["ROTATE_ADMIN", word, "ALTER USER", "nothing was changed"];
        let ran = refused(&place, 1, &words, || place.rotate([""; 0]));
        assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
        // To run it elsewhere would not help.
        assert!(!ran.stderr.contains("this machine's address"), "{}", ran.stderr);
        place.expect_untouched();
    }
}

#[test]
fn a_network_policy_against_the_administrator_is_told_apart_from_a_wrong_password() {
    let place = SnowflakeWorkplace::new(ROTATE);
    place.cloud.network_policy(place.cloud.admin_user(), true);
    let words = [
        "network policy",
        "390422",
        "this machine's address",
        "nothing was changed",
    ];
    let ran = refused(&place, 1, &words, || place.rotate([""; 0]));
    assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
    place.expect_untouched();
}

#[test]
fn a_network_policy_against_the_user_ends_the_tries_at_once_and_the_consumer_can_prove_the_key_instead() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let beforehand = "? network policy CONSUMERS_ONLY: it says from where GS_GAINSIGHT_USER may log in";
    let dry = || Ran::of(place.rotate(["--dry-run"])).expect(0).stdout;
    assert!(!dry().contains("network policy"), "{}", dry());
    place.cloud.network_policy(USER, true);
    assert!(dry().contains(beforehand), "{}", dry());
    let ran = Ran::of(place.rotate([""; 0])).expect(1).says(&[
        "cannot be proven from here",
        "GS_GAINSIGHT_USER",
        "network policy",
        "with --prove consumer",
    ]);
    assert!(!ran.stderr.contains("does not accept the key"), "{}", ran.stderr);
    assert_eq!(place.state_name(), "aborted");
    let [first, second] = place.fingerprints();
    assert_eq!((first.as_deref(), second), (Some(place.old.fingerprint()), None));
    assert!(!place.delivered().exists());

    Ran::of(place.rotate(["--prove", "consumer"])).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
    assert!(place.delivered().exists());
    place.cloud.network_policy(USER, false);
    assert!(place.holder_of(&place.delivered()).works() && place.consumer().works());
}

#[test]
fn a_host_that_is_not_reached_is_named() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words = [
        "127.0.0.1",
        "TESTORG-TESTACCT",
        "was not reached",
        "check the network",
        "nothing was changed",
    ];
    refused(&place, 1, &words, || {
        let mut command = place.rotate([""; 0]);
        command.env("SNOWFLAKE_PORT", closed.to_string());
        command
    });
    place.expect_untouched();
}

/// Runs a command that must end by itself, long before this.
fn within(limit: Duration, mut command: Command) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + limit;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within {limit:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Slow: the program waits for some 25 seconds, and once; 30 are the most that it may take. The vendor's client alone would
/// wait for two minutes.
#[test]
fn a_login_that_hangs_is_given_up() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let hang = Duration::from_secs(150);
    place.cloud.break_every(Action::Login, Fault::HangBefore(hang));
    within(Duration::from_secs(30), place.rotate([""; 0])).expect(1).says(&[
        "no answer from 127.0.0.1",
        "TESTORG-TESTACCT",
        "in time",
        "check the network",
        "nothing was changed",
    ]);
    place.cloud.mend();
    expect_no_rotation(&place);
    place.expect_untouched();
}

// Where a login must not be sent.

/// A forbidden endpoint at which someone listens: on Linux a connection to 0.0.0.0, which is not a loopback address,
/// arrives there.
struct Trap(TcpListener);

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn is_untouched(&self) -> bool {
        self.0.accept().is_err()
    }
}

const FORBIDDEN: [&str; 4] = [
    "neither https nor http on the loopback",
    "--endpoint-url",
    "http://0.0.0.0",
    "nothing was changed",
];

#[test]
fn a_forbidden_endpoint_on_the_command_line_is_a_wrong_command_line() {
    let trap = Trap::new();
    let trapped = format!("http://0.0.0.0:{}", trap.port());
    for endpoint in [
        "http://10.0.0.1",
        "http://acct.snowflakecomputing.com",
        "http://localhost.evil.example",
        "ftp://127.0.0.1",
        "https://user:password@acct.snowflakecomputing.com",
        "127.0.0.1",
        "",
        &trapped,
    ] {
        options_refused(&["--endpoint-url", endpoint], &["--endpoint-url"]);
    }
    assert!(trap.is_untouched());
}

#[test]
fn a_forbidden_endpoint_in_the_environment_is_refused_without_a_connection() {
    let trap = Trap::new();
    for names in [
        ["SNOWFLAKE_HOST", "SNOWFLAKE_PORT"],
        [
            "SNOWFLAKE_CONNECTIONS_DEFAULT_HOST",
            "SNOWFLAKE_CONNECTIONS_DEFAULT_PORT",
        ],
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        refused(&place, 1, &FORBIDDEN, || {
            let mut command = place.rotate([""; 0]);
            command.env(names[0], "0.0.0.0").env(names[1], trap.port().to_string());
            command
        });
        assert!(trap.is_untouched() && place.cloud.calls().is_empty());
        place.expect_untouched();
    }
}

#[test]
fn a_forbidden_endpoint_in_a_connection_is_refused_without_a_connection() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let trap = Trap::new();
    fs::create_dir(place.path(".snowflake")).unwrap();
    let connection = format!(
        "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"ROTATE_ADMIN\"\npassword = \"canary\"\nhost = \"0.0.0.0\"\n\
         port = {}\nprotocol = \"http\"\n",
        trap.port()
    );
    put(&place.path(".snowflake/connections.toml"), connection);
    let ran = refused(&place, 1, &FORBIDDEN, || {
        place.command_with(
            [("LANG", "C")],
            ["snowflake-keypair", "--user", USER, "--connection", "ops"],
        )
    });
    assert!(!ran.stderr.contains("canary"));
    assert!(trap.is_untouched() && place.cloud.calls().is_empty());
    place.expect_untouched();
}

// Where the key would go.

/// What is there already may be someone's only key: it keeps its bytes, and nothing is made for it.
#[test]
fn a_key_file_that_exists_is_never_overwritten() {
    for name in ["rsa_key_new.p8", "rsa_key_new.pub"] {
        let place = SnowflakeWorkplace::new(ROTATE);
        put(&place.path(name), "someone's only key");
        let named = place.path(name).display().to_string();
        let words = [
            &named,
            "exists",
            "never overwritten",
            "--deliver file:PATH.p8",
            "nothing was changed",
        ];
        refused(&place, 1, &words, || place.rotate(AT_ONCE));
        assert_eq!(fs::read_to_string(place.path(name)).unwrap(), "someone's only key");
        fs::remove_file(place.path(name)).unwrap();
        place.expect_untouched();
        Ran::of(place.rotate(AT_ONCE)).expect(0);
    }
}

#[test]
fn a_symbolic_link_or_a_folder_in_the_key_files_place_is_refused() {
    for name in ["key.p8", "key.pub"] {
        for kind in ["link", "dangling link", "folder"] {
            let place = SnowflakeWorkplace::new(ROTATE);
            put(&place.path("real"), "someone's only key");
            match kind {
                "link" => symlink(place.path("real"), place.path(name)).unwrap(),
                "dangling link" => symlink(place.path("nowhere"), place.path(name)).unwrap(),
                _ => fs::create_dir(place.path(name)).unwrap(),
            }
            let named = place.path(name).display().to_string();
            refused(
                &place,
                1,
                &["destination file:", &named, "exists", "nothing was changed"],
                || place.rotate(["--deliver", "file:key.p8"]),
            );
            assert_eq!(fs::read_to_string(place.path("real")).unwrap(), "someone's only key");
            place.expect_untouched();
        }
    }
}

#[test]
fn a_missing_folder_is_named_with_the_command_that_makes_it() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let make = format!("mkdir -p {}", place.path("missing").display());
    refused(&place, 1, &["does not exist", &make, "nothing was changed"], || {
        place.rotate(["--deliver", "file:missing/key.p8"])
    });
    put(&place.path("plain"), "");
    refused_again(&place, &["plain", "is not a folder"], || {
        place.rotate(["--deliver", "file:plain/key.p8"])
    });
    place.expect_untouched();
}

/// In a mount namespace of its own: root may write to every folder but one on a read-only disk.
#[test]
fn a_read_only_folder_is_refused() {
    let place = SnowflakeWorkplace::new(ROTATE);
    fs::create_dir(place.path("disk")).unwrap();
    let rotate = place.rotate(["--deliver", "file:disk/key.p8"]);
    let mut wrapped = Command::new("unshare");
    wrapped
        .env_clear()
        .envs(rotate.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(place.path("."))
        .args([
            "-rm",
            "sh",
            "-c",
            r#"mount -t tmpfs -o ro,mode=0700 tmpfs disk && exec "$@""#,
            "sh",
        ])
        .arg(rotate.get_program())
        .args(rotate.get_args());
    Ran::of(wrapped).expect(1).says(&[
        "destination file:",
        "disk/key.p8",
        "Read-only file system",
        "deliver elsewhere",
        "nothing was changed",
    ]);
    expect_no_rotation(&place);
    place.expect_untouched();
}

// The key that the program itself runs on.

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
