//! What others do to the password between two rotations, and before one goes on.

use rotate_fixtures::test_passwords::FIRST_PASSWORD;

use super::{Desk, TARGET};

#[test]
fn a_password_that_somebody_else_has_set_before_it_goes_on_is_not_replaced() {
    let desk = Desk::killed_at("generated", 1);
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    desk.run(&["run"]).expect(3);
    assert_eq!(desk.vendor.user().number, 2);
    desk.run(&["abort", TARGET]).expect(0);
    assert_eq!(desk.vendor.user().password, "a-password-of-somebody-else");
}

#[test]
fn one_whose_old_secret_nobody_knows_is_not_replaced_after_somebody_else_has_set_it() {
    for at in 1..40 {
        let desk = Desk::without_a_file();
        let mut command = desk.one_shot(&[]);
        command.env("ROTATE_TEST_KILL_AT", at.to_string());
        rotate_fixtures::Ran::of(command);
        if desk.events().last().map(String::as_str) != Some("generated") {
            continue;
        }
        desk.vendor.set_by_hand("a-password-of-somebody-else");
        let ran = desk.run(&["run"]).expect(3).stdout;
        assert!(ran.contains("someone has changed the secret"), "{ran}");
        assert_eq!(desk.vendor.user().number, 2);
        return;
    }
    panic!("no kill leaves a secret that is not set");
}

#[test]
fn a_password_that_somebody_else_sets_between_two_rotations_is_told() {
    let desk = Desk::new();
    desk.configure("max_age = \"30d\"\n");
    let config = ["--config", "rotate.toml", "run"];
    desk.run(&[&config[..], &["--only", "loader"]].concat());
    desk.clock.set(desk.clock.now() + jiff::SignedDuration::from_hours(40 * 24));
    desk.run(&config).expect(0);
    assert_eq!(desk.vendor.user().number, 2);
    assert_ne!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    desk.clock.set(desk.clock.now() + jiff::SignedDuration::from_hours(8 * 24));
    desk.run(&config).expect(0);
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    desk.clock.set(desk.clock.now() + jiff::SignedDuration::from_hours(40 * 24));
    let ran = desk.run(&config).expect(3);
    assert!(ran.stdout.contains("was in use, and is gone"), "{}", ran.stdout);
    assert_eq!(desk.vendor.user().number, 3);
}
