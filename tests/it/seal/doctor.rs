//! What `rotate doctor` says of sealing.

use std::fs;

use super::Desk;

#[test]
fn it_seals_a_value_and_opens_it_and_says_for_whom() {
    let desk = Desk::new();
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    let doctor = desk.run(&["doctor"]).expect(0);
    let told = format!("age, to 2 recipients, of which this machine is {to_machine}");
    assert!(doctor.stdout.contains(&told), "{}", doctor.stdout);
    assert!(!desk.place.state().exists(), "who only looks makes nothing");
}

#[test]
fn it_says_what_waits_that_cannot_be_opened_here_and_who_opens_it() {
    let desk = Desk::new();
    let ((machine, to_machine), (new, to_new)) = (desk.identity("machine.txt"), desk.identity("new.txt"));
    desk.seals_to(&[&to_machine], &machine);
    desk.begin().expect(0);
    desk.run(&["doctor"]).expect(0);
    fs::remove_file(&machine).unwrap();
    desk.seals_to(&[&to_new], &new);
    let doctor = desk.run(&["doctor"]).expect(1);
    for told in [
        "what waits for main",
        "new-key: the sealed secret cannot be opened with this identity: it is sealed with age:",
        &to_machine,
        "seal rekey",
    ] {
        assert!(doctor.stdout.contains(told), "{told}: {}", doctor.stdout);
    }
}
