//! The command line, and names of users as they are written in SQL.

use std::fs;

use rotate_fixtures::snowflake::{Consumer, Slot, TestKey};
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace};

use super::{ROTATE, for_user, options_refused, refused_at_once};

#[test]
fn a_missing_user_is_asked_for() {
    let place = SnowflakeWorkplace::new(ROTATE);
    refused_at_once(&place, place.command(["snowflake-keypair"]), &["--user"]);
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
