//! Sealing with a key of AWS KMS.
//!
//! Leans on the strict fake: the emulator lets everybody decrypt, and never throttles. That the requests are what KMS understands is
//! proven against the emulator, in `localstack`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use rotate_fixtures::aws::{Action, KmsCall, KmsKeyState};
use rotate_fixtures::stopped::while_at;
use rotate_fixtures::{Fate, FleetWorkplace, Ran, StoreDoor, has};

use super::{Desk, MAIN, WEEK, line_of};

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
    desk.begin().expect(0);
    let names: Vec<String> = desk.place.cloud.kms_calls().into_iter().map(|call| call.name).collect();
    assert_eq!(
        names,
        ["Encrypt", "Decrypt"],
        "asked and proven before the key was made, and never again in that run"
    );
    assert_eq!(
        desk.sealed().len(),
        2,
        "and all of it is sealed and delivered all the same"
    );
    // Another process has to ask.
    desk.run(&["confirm", MAIN])
        .expect(1)
        .says(&["the key is disabled", "aws kms enable-key", &key]);
    desk.place.cloud.on_effect(|_| {});
    desk.place.cloud.set_kms_key(&key, KmsKeyState::Enabled);
    assert_eq!(
        desk.place.cloud.count_of(Action::CreateAccessKey),
        1,
        "it goes on with the same key"
    );
    desk.run(&["run"]).expect(0);
    desk.place.later(WEEK, ["run"]).expect(0);
    desk.place.expect_rotated();
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
    assert_eq!(door.count(), 4, "each of the two was asked for again");
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
    // It says by which key it was sealed, and that alone is no reason to ask that key.
    desk.run(&["audit", "verify"])
        .expect(1)
        .says(&["is not asked", &format!("seal rekey --from aws-kms:{key}")]);
    desk.run(&["seal", "rekey"]).expect(1).says(&["nothing was changed"]);
    desk.run(&["seal", "rekey", "--from", &format!("aws-kms:{key}")])
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

/// Two targets, one after the other, whose secrets are sealed with a key that a role may use; its credentials last for two seconds.
fn sealed_by_a_role() -> (FleetWorkplace, String, String) {
    let mut place = FleetWorkplace::new(env!("CARGO_BIN_EXE_rotate"));
    let key = place.cloud.add_kms_key();
    let role = format!("arn:aws:iam::{}:role/sealer", place.cloud.account());
    place.configure(&format!(
        "[defaults]\nconcurrency = 1\n\n[store]\nseal = \"aws-kms:{key}?role={role}\"\n"
    ));
    for user in ["one", "two"] {
        place.add_user(user, SignedDuration::from_hours(179 * 24), "");
    }
    place.cloud.end_sessions_after(2);
    (place, key, role)
}

/// For hours there is work for a fleet, and a role's credentials last for one.
#[test]
fn the_credentials_of_a_role_are_renewed_before_they_end() {
    let (place, _, _) = sealed_by_a_role();
    let ran = while_at(place.command(["run"]), "create: before the call", || {
        std::thread::sleep(Duration::from_secs(3));
    });
    ran.expect(0);
    assert!(place.delivered_key("one").is_some() && place.delivered_key("two").is_some());
    let refused: Vec<KmsCall> = place
        .cloud
        .kms_calls()
        .into_iter()
        .filter(|call| call.refused.is_some())
        .collect();
    assert_eq!(refused, []);
}

#[test]
fn a_role_that_can_be_assumed_no_more_is_told_as_that() {
    let (place, key, role) = sealed_by_a_role();
    let ran = while_at(place.command(["run"]), "create: before the call", || {
        place.cloud.deny(Action::AssumeRole);
        std::thread::sleep(Duration::from_secs(3));
    });
    ran.expect(1).says(&["assume role", &role, &key]);
    assert!(place.delivered_key("one").is_some() && place.delivered_key("two").is_none());
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
