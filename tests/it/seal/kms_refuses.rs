//! What AWS KMS refuses: told before anything is minted, with whose account it is and what to do.

use rotate_fixtures::aws::KmsKeyState;

use super::kms::sealed_with_a_key;
use super::{Desk, MAIN, line_of};

/// Begins, and is refused with these words; nothing was touched at the vendor, and `doctor` says the same.
fn refused(desk: &Desk, told: &[&str]) {
    desk.begin().expect(1).says(told);
    desk.place.expect_untouched();
    let doctor = desk.run(&["doctor"]).expect(1).stdout;
    for word in told {
        assert!(doctor.contains(word), "{word}: {doctor}");
    }
}

#[test]
fn who_may_not_encrypt_or_may_only_encrypt_is_told_what_allows_it() {
    for call in ["Encrypt", "Decrypt"] {
        let (desk, key) = sealed_with_a_key();
        desk.place.cloud.deny_kms_call(call);
        let denied = format!("{call} with key {key}: it is not allowed to these credentials");
        let policy = format!(r#""Action":["kms:Encrypt","kms:Decrypt"],"Effect":"Allow","Resource":"{key}""#);
        refused(&desk, &[&denied, &policy]);
        desk.place.cloud.allow_kms_calls();
        desk.begin().expect(0);
    }
}

#[test]
fn a_key_that_is_disabled_or_pending_deletion_or_gone_is_told_with_the_command_that_brings_it_back() {
    for (state, told) in [
        (
            Some(KmsKeyState::Disabled),
            &["the key is disabled", "aws kms enable-key --region us-east-1"][..],
        ),
        (
            Some(KmsKeyState::PendingDeletion),
            &[
                "scheduled for deletion",
                "aws kms cancel-key-deletion --region us-east-1",
            ],
        ),
        (None, &["there is no such key"]),
    ] {
        let (desk, key) = sealed_with_a_key();
        match state {
            Some(state) => desk.place.cloud.set_kms_key(&key, state),
            None => desk.place.cloud.remove_kms_key(&key),
        }
        refused(&desk, told);
    }
}

#[test]
fn a_key_of_another_account_is_refused_with_its_account() {
    let desk = Desk::new();
    let key = desk.place.cloud.add_kms_key_of("999999999999");
    desk.says(&format!("seal = \"aws-kms:{key}\""));
    refused(
        &desk,
        &[
            "999999999999",
            "it is not allowed to these credentials",
            "in the key's own",
        ],
    );
}

#[test]
fn an_answer_of_another_key_is_not_believed() {
    let (desk, key) = sealed_with_a_key();
    let other = desk.place.cloud.add_kms_key();
    desk.place.cloud.answer_as_kms_key(&other);
    refused(&desk, &[&key, "another key has answered"]);
}

#[test]
fn what_was_sealed_for_another_rotation_is_not_opened() {
    let (desk, _) = sealed_with_a_key();
    desk.begin().expect(0);
    let first = desk.sealed();
    desk.run(&["abort", MAIN]).expect(0);
    desk.run(&["confirm", MAIN]).expect(0);
    desk.begin().expect(0);
    let second = desk.sealed();
    let of = |all: &[rotate::store::Sealed]| all.iter().position(|sealed| sealed.name == "new-key").unwrap();
    let (old, new) = (&first[of(&first)], &second[of(&second)]);
    assert_ne!(old.rotation, new.rotation);
    desk.put(new, &old.bytes);
    let told = ["was sealed for another target or rotation", "audit verify"];
    desk.run(&["audit", "verify"]).expect(1).says(&told);
    let confirmed = desk.run(&["confirm", MAIN]);
    assert_ne!(confirmed.code, Some(0), "{}", confirmed.stderr);
    assert!(
        desk.place.cloud.works(&desk.place.old.id, &desk.place.old.secret),
        "the old key was not touched"
    );
}

/// Whoever may write what waits may not say whom this machine asks, or as whom.
#[test]
fn a_key_or_a_login_that_only_what_is_sealed_names_is_not_asked() {
    let (desk, key) = sealed_with_a_key();
    let theirs = desk.place.cloud.add_kms_key();
    desk.begin().expect(0);
    for (by, code) in [
        (format!("aws-kms:{key}?profile=nobody&role=theirs"), 0),
        (format!("aws-kms:{theirs}"), 1),
        (format!("aws-kms:{theirs}?profile=nobody"), 1),
    ] {
        for sealed in desk.sealed() {
            let (_, made) = line_of(&sealed.bytes);
            let bytes = [format!("rotate-sealed/1 {by}\n").as_bytes(), &made].concat();
            desk.put(&sealed, &bytes);
        }
        let verified = desk.run(&["audit", "verify"]).expect(code);
        if code == 1 {
            verified.says(&[&theirs, "is not asked", "somebody has changed the store"]);
            assert_ne!(desk.run(&["confirm", MAIN]).code, Some(0));
        }
    }
    let calls = desk.place.cloud.kms_calls();
    assert!(calls.iter().all(|call| call.key == key), "{calls:?}");
    // Whoever knows that it is theirs says so.
    desk.run(&["seal", "rekey", "--from", "age:file=/x"]).expect(64);
    desk.run(&["seal", "rekey", "--from", &format!("aws-kms:{theirs}")])
        .expect(1)
        .says(&["was sealed for another target or rotation, or with another key"]);
}
