//! Sealing to several recipients, held against age itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rotate::seal::Sealer;
use rotate_fixtures::aws::Action;
use rotate_fixtures::{Age, Ran};

use super::{Desk, MAIN, WEEK, blocking, keyring, label_and_secret, line_of};

#[test]
fn the_machine_and_the_offline_identity_open_what_waits_with_age_itself_and_nobody_else_does() {
    let (desk, age) = (Desk::new(), Age::find());
    let ((machine, to_machine), (offline, to_offline), (other, _)) = (
        desk.identity("machine.txt"),
        desk.identity("offline.txt"),
        desk.identity("other.txt"),
    );
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    desk.begin().expect(0);
    assert!(
        !desk.place.state().join("identity.age").exists(),
        "no identity is made that nobody asked for"
    );
    let delivered = desk.place.delivered_key().unwrap();
    let all = desk.sealed();
    assert!(!all.is_empty());
    for sealed in &all {
        let (line, inner) = line_of(&sealed.bytes);
        for part in ["rotate-sealed/1 age:", &to_machine, &to_offline] {
            assert!(line.contains(part), "{line}");
        }
        assert!(inner.starts_with(b"age-encryption.org/v1\n"));
        let opened = [&machine, &offline].map(|identity| age.decrypted(identity, &inner).unwrap());
        assert_eq!(opened[0], opened[1]);
        let (label, secret) = label_and_secret(&opened[0]);
        assert_eq!(label, format!("{}/{}", sealed.rotation, sealed.name));
        assert!(sealed.name != "new-key" || secret == delivered.secret);
        assert_eq!(age.decrypted(&other, &inner), None);
    }
    desk.ends();
}

#[test]
fn what_age_itself_has_encrypted_is_opened() {
    let (desk, age) = (Desk::new(), Age::find());
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    desk.begin().expect(0);
    for sealed in desk.sealed() {
        let (line, inner) = line_of(&sealed.bytes);
        let plain = age.decrypted(&machine, &inner).unwrap();
        let again = age.encrypted(&[&to_offline, &to_machine], &plain);
        desk.put(&sealed, &[line.as_bytes(), b"\n", &again].concat());
    }
    desk.run(&["audit", "verify"]).expect(0);
    desk.ends();
}

#[test]
fn a_machine_that_is_no_recipient_is_told_before_anything_is_minted() {
    let desk = Desk::new();
    let ((machine, to_machine), (_, to_offline), (_, to_other)) = (
        desk.identity("machine.txt"),
        desk.identity("offline.txt"),
        desk.identity("other.txt"),
    );
    desk.seals_to(&[&to_offline, &to_other], &machine);
    let told = [
        "this machine is no recipient",
        to_machine.as_str(),
        "nothing was touched",
        "seal rekey",
    ];
    desk.begin().expect(1).says(&told);
    desk.place.expect_untouched();
    assert_eq!(desk.place.cloud.count_of(Action::CreateAccessKey), 0);
    let doctor = desk.run(&["doctor"]).expect(1);
    assert!(
        doctor.stdout.contains("this machine is no recipient"),
        "{}",
        doctor.stdout
    );
    desk.seals_to(&[&to_offline, &to_machine], &machine);
    desk.begin().expect(0);
}

#[test]
fn the_identity_comes_from_a_file_a_credential_or_a_variable_and_recipients_from_a_file() {
    let desk = Desk::new();
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    let recipients = desk.place.path("recipients.txt");
    fs::write(
        &recipients,
        format!("# the machine\n{to_machine}\n# the safe\n{to_offline}\n"),
    )
    .unwrap();
    let seal = format!("seal = \"age:file={}\"", recipients.display());
    let credentials = machine.parent().unwrap();
    for (place, variable) in [
        (
            "seal_identity_credential = \"machine.txt\"",
            ("CREDENTIALS_DIRECTORY", credentials.display().to_string()),
        ),
        (
            "seal_identity_env = \"MACHINE\"",
            ("MACHINE", fs::read_to_string(&machine).unwrap()),
        ),
    ] {
        desk.says(&format!("{seal}\n{place}"));
        let mut doctor = desk.place.command(["doctor"]);
        doctor.env(variable.0, &variable.1);
        let doctor = Ran::of(doctor).expect(0);
        assert!(!doctor.stderr.contains("AGE-SECRET-KEY") && !doctor.stdout.contains("AGE-SECRET-KEY"));
        let without = desk.begin().expect(1);
        assert!(without.stderr.contains("the identity in "), "{}", without.stderr);
        let mut begin = desk.begin_command();
        begin.env(variable.0, &variable.1);
        Ran::of(begin).expect(0);
        assert!(desk.lines().iter().all(|line| line.contains(&to_offline)));
    }
    assert!(desk.place.delivered_key().is_some());
}

#[test]
fn an_identity_or_a_list_of_recipients_that_others_have_a_hand_in_is_refused() {
    let desk = Desk::new();
    let (machine, to_machine) = desk.identity("machine.txt");
    let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    desk.seals_to(&[&to_machine], &machine);
    set(&machine, 0o644);
    desk.begin().expect(1).says(&["machine.txt", "nothing was touched"]);
    set(&machine, 0o600);
    let recipients = desk.place.path("recipients.txt");
    fs::write(&recipients, &to_machine).unwrap();
    set(&recipients, 0o666);
    desk.says(&format!(
        "seal = \"age:file={}\"\nseal_identity_file = \"{}\"",
        recipients.display(),
        machine.display()
    ));
    desk.begin()
        .expect(1)
        .says(&["recipients.txt", "other users may write it"]);
    fs::write(&machine, "AGE-SECRET-KEY-1BANANA\n").unwrap();
    set(&recipients, 0o644);
    let refused = desk.begin().expect(1).says(&["machine.txt", "line 1"]);
    assert!(!refused.stderr.contains("BANANA"), "{}", refused.stderr);
    desk.place.expect_untouched();
}

#[test]
fn what_was_sealed_before_anything_said_by_what_is_read_and_so_is_what_was_sealed_before_seal_was_changed() {
    let desk = Desk::new();
    desk.begin().expect(0);
    for sealed in desk.sealed() {
        // As earlier versions kept it.
        let (line, inner) = line_of(&sealed.bytes);
        assert!(line.starts_with("rotate-sealed/1 age:age1"), "{line}");
        desk.put(&sealed, &inner);
    }
    desk.run(&["audit", "verify"]).expect(0);
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    desk.run(&["audit", "verify"]).expect(0);
    desk.ends();
}

#[test]
fn where_the_old_identity_is_gone_it_is_said_who_opens_what_waits_and_the_offline_one_does() {
    let desk = Desk::new();
    let ((machine, to_machine), (offline, to_offline), (new, to_new)) = (
        desk.identity("machine.txt"),
        desk.identity("offline.txt"),
        desk.identity("new.txt"),
    );
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    desk.begin().expect(0);
    // The machine is lost, and another takes its place.
    fs::remove_file(&machine).unwrap();
    desk.seals_to(&[&to_new, &to_offline], &new);
    let told = [to_machine.as_str(), to_offline.as_str(), to_new.as_str(), "seal rekey"];
    desk.run(&["confirm", MAIN]).says(&told);
    desk.place.run(["audit", "verify"]).expect(1);
    desk.seals_to(&[&to_new, &to_offline], &offline);
    desk.run(&["seal", "rekey"]).expect(0);
    fs::remove_file(&offline).unwrap();
    desk.seals_to(&[&to_new, &to_offline], &new);
    desk.run(&["run"]).expect(0);
    desk.place.later(WEEK, ["run"]).expect(0);
    desk.place.expect_rotated();
}

#[test]
fn a_sealed_secret_cannot_be_put_in_the_place_of_another() {
    let desk = Desk::new();
    let (machine, to_machine) = desk.identity("machine.txt");
    desk.seals_to(&[&to_machine], &machine);
    desk.begin().expect(0);
    let all = desk.sealed();
    let sealer = keyring(&format!("age:{to_machine}"), &machine);
    let elsewhere = rotate::seal::Purpose {
        target: MAIN,
        rotation: "another",
        name: "new-key",
    };
    assert!(blocking(sealer.open(&elsewhere, &all[0].bytes)).is_err());
    assert!(blocking(sealer.open(&all[0].purpose(), &all[0].bytes)).is_ok());
}
