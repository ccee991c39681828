//! What rotate.toml may say of a password, and when a window holds it back.

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::test_passwords::FIRST_PASSWORD;

use super::Desk;

#[test]
fn what_cannot_be_waited_for_is_refused_with_its_line_and_what_mends_it() {
    for (line, words) in [
        (
            "cutover = \"confirm\"",
            &["the delivery is the cut-over", "leave it out"][..],
        ),
        ("cutover = \"observed\"", &["the delivery is the cut-over"]),
        ("observe = \"1d\"", &["nothing can be waited for"]),
        ("soak = \"7d\"", &["no old one is left to rest"]),
        ("lost_key = \"ask\"", &["none can be lost"]),
        (
            "prove = \"consumer\"",
            &["logins from here alone tell which secret stands"],
        ),
        (
            "prove = \"identity\"",
            &["logins from here alone tell which secret stands"],
        ),
    ] {
        let desk = Desk::new();
        desk.configure(&format!("{line}\n"));
        let key = line.split(' ').next().unwrap();
        let ran = desk.run(&["--config", "rotate.toml", "plan", "--offline"]).expect(64);
        let ran = ran.says(words).says(&[key]);
        assert!(key == "prove" || ran.stderr.contains(":7"), "{}", ran.stderr);
    }
    let desk = Desk::new();
    desk.configure("cutover = \"immediate\"\n");
    desk.run(&["--config", "rotate.toml", "plan", "--offline"]).expect(0);
}

#[test]
fn what_holds_for_the_fleet_does_not_hold_for_a_password() {
    let desk = Desk::new();
    let path = desk.configure("");
    let text = std::fs::read_to_string(&path).unwrap();
    let defaults = "[defaults]\ncutover = \"observed\"\nsoak = \"30d\"\nmax_age = \"40d\"\n";
    std::fs::write(&path, format!("{defaults}{text}")).unwrap();
    desk.clock.set(desk.clock.now() + SignedDuration::from_hours(24 * 60));
    desk.run(&["--config", "rotate.toml", "run"]).expect(0);
    assert_eq!(desk.vendor.user().number, 2);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
}

#[test]
fn a_doctor_says_that_consumers_are_cut_off_meanwhile() {
    let desk = Desk::new();
    desk.configure("");
    let told = desk.run(&["--config", "rotate.toml", "doctor"]).expect(0).stdout;
    assert!(
        told.contains("replaced where it stands: its consumers are cut off from"),
        "{told}"
    );
    assert_eq!(desk.vendor.logins().all, 0);
}

/// A Sunday, on which the window is shut.
const SUNDAY: &str = "2026-09-27T12:00:00Z";

#[test]
fn a_window_holds_back_its_beginning_and_never_its_end() {
    let desk = Desk::new();
    desk.configure("max_age = \"10d\"\nwindow = { days = [\"wed\"] }\n");
    let (sunday, wednesday): (Timestamp, Timestamp) =
        (SUNDAY.parse().unwrap(), "2026-09-30T12:00:00Z".parse().unwrap());
    let run = ["--config", "rotate.toml", "run"];
    desk.clock.set(sunday);
    desk.run(&run);
    assert_eq!(desk.vendor.user().number, 1);
    desk.clock.set(wednesday);
    let mut in_gap = 0;
    for at in 1..100 {
        let desk = Desk::new();
        desk.configure("max_age = \"10d\"\nwindow = { days = [\"wed\"] }\n");
        desk.clock.set(wednesday);
        let mut command = desk.command(&run);
        command.env("ROTATE_TEST_KILL_AT", at.to_string());
        let ran = rotate_fixtures::Ran::of(command);
        if ran.code.is_some() {
            assert!(
                in_gap > 5,
                "{at} points, {in_gap} in the gap: {}{}",
                ran.stdout,
                ran.stderr
            );
            return;
        }
        let begun = desk.events().iter().any(|event| event == "replace-intended");
        desk.clock.set(sunday + SignedDuration::from_hours(24 * 7));
        desk.run(&run);
        let user = desk.vendor.user();
        if begun {
            in_gap += 1;
            assert_eq!(user.number, 2, "killed at {at}");
        } else {
            assert_eq!(user.password, FIRST_PASSWORD, "killed at {at}");
        }
        assert_eq!(desk.held(), Some(user.password), "killed at {at}");
    }
    panic!("it never ends");
}
