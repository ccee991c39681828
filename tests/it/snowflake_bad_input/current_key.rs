//! The key that the consumer holds now, as the person shows it: files that are none, and passphrases that do not open them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::snowflake::{EC_P8, ENCRYPTED_P8, GARBAGE_P8, PASSPHRASE, PKCS1_PEM, RSA_1024_P8, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{ROTATE, put, refused, refused_again, refused_at_once};

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
    assert_eq!(place.state_name(), "delivered");
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
    assert_eq!(place.state_name(), "delivered");
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
