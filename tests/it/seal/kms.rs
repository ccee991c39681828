//! Sealing with a key of AWS KMS.
//!
//! Leans on the strict fake: the emulator lets everybody decrypt, and never throttles. That the requests are what KMS understands is
//! proven against the emulator, in `localstack`.

use std::collections::BTreeMap;

use rotate_fixtures::aws::{Action, KmsCall, KmsKeyState};
use rotate_fixtures::{Fate, Ran, StoreDoor, has};

use super::{Desk, MAIN, line_of};

/// A desk whose secrets are sealed with this key.
pub(super) fn sealed_with_a_key() -> (Desk, String) {
    let desk = Desk::new();
    let key = desk.place.cloud.add_kms_key();
    desk.says(&format!("seal = \"aws-kms:{key}\""));
    (desk, key)
}

#[test]
fn what_waits_is_sealed_with_the_key_and_the_secret_itself_is_never_given_to_it() {
    let (desk, key) = sealed_with_a_key();
    desk.begin().expect(0);
    assert!(!desk.place.state().join("identity.age").exists());
    let all = desk.sealed();
    for sealed in &all {
        let (line, made) = line_of(&sealed.bytes);
        assert_eq!(line, format!("rotate-sealed/1 aws-kms:{key}"));
        let (_, inner) = line_of(&made);
        assert!(inner.starts_with(b"age-encryption.org/v1\n"));
        assert!(!has(&sealed.bytes, desk.place.cloud.canary().as_bytes()));
    }
    let context = BTreeMap::from([
        ("target".to_owned(), MAIN.to_owned()),
        ("rotation".to_owned(), all[0].rotation.clone()),
    ]);
    let calls = desk.place.cloud.kms_calls();
    assert!(
        calls.iter().all(|call| call.context == context && call.key == key),
        "{calls:?}"
    );
    let given = desk.place.cloud.given_to_kms();
    assert_eq!(given.len(), 1, "one key a rotation");
    assert!(
        given
            .iter()
            .all(|plain| plain.starts_with(b"AGE-SECRET-KEY-") && plain.len() == 74)
    );
    desk.run(&["audit", "verify"]).expect(0);
    desk.run(&["doctor"]).expect(0);
    desk.ends();
}

#[test]
fn between_the_vendor_and_the_store_nobody_is_asked_so_a_key_service_that_fails_then_loses_no_secret() {
    let (desk, key) = sealed_with_a_key();
    let cloud = desk.place.cloud.clone();
    let arn = key.clone();
    desk.place
        .cloud
        .on_effect(move |_| cloud.set_kms_key(&arn, KmsKeyState::Disabled));
    desk.begin()
        .expect(1)
        .says(&["the key is disabled", "aws kms enable-key", &key]);
    let names: Vec<String> = desk.place.cloud.kms_calls().into_iter().map(|call| call.name).collect();
    assert_eq!(
        names[..2],
        ["Encrypt", "Decrypt"],
        "asked and proven before the key was made"
    );
    assert_eq!(desk.sealed().len(), 1, "and the secret is sealed all the same");
    desk.place.cloud.on_effect(|_| {});
    desk.place.cloud.set_kms_key(&key, KmsKeyState::Enabled);
    desk.run(&["run"]).expect(0);
    assert_eq!(
        desk.place.cloud.count_of(Action::CreateAccessKey),
        1,
        "it goes on with the same key"
    );
    desk.ends();
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let (desk, _) = sealed_with_a_key();
    let door = StoreDoor::before(&desk.place.cloud.endpoint());
    door.plan(1, Fate::AnswerLost);
    door.plan(3, Fate::AnswerLost);
    let mut begin = desk.begin_command();
    begin.env("AWS_ENDPOINT_URL_KMS", door.endpoint());
    Ran::of(begin).expect(0);
    assert!(door.count() > 4, "{}", door.count());
    assert_eq!(desk.place.cloud.count_of(Action::CreateAccessKey), 1);
    desk.ends();
}

#[test]
fn throttling_is_waited_out_and_where_it_does_not_end_nothing_is_minted() {
    let (desk, _) = sealed_with_a_key();
    desk.place.cloud.refuse_kms_calls("ThrottlingException", 2);
    desk.begin().expect(0);
    desk.ends();
    let (desk, _) = sealed_with_a_key();
    desk.place.cloud.refuse_kms_calls("ThrottlingException", u32::MAX);
    desk.begin()
        .expect(1)
        .says(&["it is busy (ThrottlingException)", "run the same command again"]);
    desk.place.expect_untouched();
}

#[test]
fn it_goes_from_the_state_folder_to_a_key_and_from_a_key_to_recipients() {
    let desk = Desk::new();
    desk.begin().expect(0);
    let waits = desk.sealed().len();
    let key = desk.place.cloud.add_kms_key();
    desk.says(&format!("seal = \"aws-kms:{key}\""));
    desk.run(&["seal", "rekey"])
        .expect(0)
        .says(&[&format!("sealed {waits} anew")]);
    std::fs::remove_file(desk.place.state().join("identity.age")).unwrap();
    desk.run(&["audit", "verify"]).expect(0);
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    // It says by which key it was sealed, and that is still there.
    desk.run(&["audit", "verify"]).expect(0);
    desk.run(&["seal", "rekey"])
        .expect(0)
        .says(&[&format!("sealed {waits} anew")]);
    desk.place.cloud.remove_kms_key(&key);
    desk.ends();
}

#[test]
fn nothing_that_is_printed_or_kept_shows_a_secret() {
    let (desk, _) = sealed_with_a_key();
    let canary = desk.place.cloud.canary();
    for arguments in [
        &["run", "--due-within", "3650d"][..],
        &["doctor"],
        &["seal", "rekey"],
        &["confirm", MAIN],
    ] {
        let mut command = desk.place.command(arguments);
        command
            .env("RUST_LOG", "trace,hyper=trace,aws_smithy_runtime=trace")
            .args(["--log-format", "json"]);
        let ran = Ran::of(command).expect(0);
        for said in [&ran.stdout, &ran.stderr] {
            assert!(
                !said.contains(&canary) && !said.contains("AGE-SECRET-KEY-1"),
                "{arguments:?}"
            );
        }
    }
    for entry in std::fs::read_dir(desk.place.state()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!has(&bytes, canary.as_bytes()) && !has(&bytes, b"AGE-SECRET-KEY-1"));
    }
}

#[test]
fn who_logs_in_stands_behind_the_arn() {
    let desk = Desk::new();
    let key = desk.place.cloud.add_kms_key();
    desk.says(&format!("seal = \"aws-kms:{key}?profile=nobody\""));
    desk.begin().expect(1).says(&["nobody", "?profile=NAME"]);
    desk.place.expect_untouched();
    assert_eq!(desk.place.cloud.kms_calls(), Vec::<KmsCall>::new());
}
