//! What others do to the password between two rotations, and before one goes on.

use rotate_fixtures::test_passwords::{FIRST_PASSWORD, PasswordFault};
use rotate_fixtures::test_vendor::HOLDER;
use rotate_fixtures::{FakeKubernetes, Ran, kubernetes};

use super::{Desk, TARGET};
use crate::destinations::exec::write_program;

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
    for (event, number, words) in [
        ("generated", 1, "someone has changed the secret"),
        ("replace-intended", 1, "neither the new secret nor the old one"),
        ("replace-intended", 2, "neither the new secret nor the old one"),
    ] {
        let desk = Desk::killed_where(Desk::without_a_file, |desk| {
            desk.vendor.user().number == number && desk.last_event() == event
        });
        desk.vendor.set_by_hand("a-password-of-somebody-else");
        let told = desk.run(&["run"]).expect(3).stdout;
        assert!(told.contains(words), "{told}");
        assert_eq!(desk.vendor.user().number, number + 1);
    }
}

#[test]
fn what_was_proven_long_ago_is_proven_once_more_before_anybody_gets_it() {
    let desk = Desk::killed_at("replaced", 2);
    desk.clock.set(desk.clock.now() + jiff::SignedDuration::from_mins(10));
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    let told = desk.run(&["run"]).expect(3).stdout;
    assert!(told.contains("someone has replaced it since"), "{told}");
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
}

#[test]
fn a_call_that_arrives_late_does_not_undo_a_rollback() {
    let late = || {
        let desk = Desk::new();
        desk.vendor.suffers(Some(PasswordFault::SetsLate));
        desk
    };
    let desk = Desk::killed_where(late, |desk| desk.vendor.is_late());
    desk.vendor.suffers(None);
    desk.run(&["rollback", TARGET]).expect(0);
    let user = desk.vendor.user();
    assert_eq!((user.password.as_str(), user.number), (FIRST_PASSWORD, 3));
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
}

#[test]
fn a_password_that_somebody_else_sets_between_two_rotations_is_told() {
    let desk = Desk::new();
    desk.configure("max_age = \"30d\"\n");
    let config = ["--config", "rotate.toml", "run"];
    desk.run(&[&config[..], &["--only", "loader"]].concat());
    desk.clock
        .set(desk.clock.now() + jiff::SignedDuration::from_hours(40 * 24));
    desk.run(&config).expect(0);
    assert_eq!(desk.vendor.user().number, 2);
    assert_ne!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    desk.clock
        .set(desk.clock.now() + jiff::SignedDuration::from_hours(8 * 24));
    desk.run(&config).expect(0);
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    desk.clock
        .set(desk.clock.now() + jiff::SignedDuration::from_hours(40 * 24));
    let ran = desk.run(&config).expect(3);
    assert!(ran.stdout.contains("was in use, and is gone"), "{}", ran.stdout);
    assert_eq!(desk.vendor.user().number, 3);
}

#[test]
fn an_old_password_that_only_a_login_by_a_program_shows_is_kept_for_the_way_back() {
    let desk = Desk::without_a_file();
    let cluster = FakeKubernetes::start();
    let _ = cluster.add_secret("apps/loader", &[("password", FIRST_PASSWORD)]);
    let program = desk.place.path("plugin");
    let token = kubernetes::TOKEN;
    write_program(
        &program,
        &format!(
            "echo '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
             \"status\":{{\"token\":\"{token}\"}}}}'"
        ),
    );
    let _ = cluster.kubeconfig_with_program(&desk.place.path(""), &program);
    let address = desk.vendor.address();
    let mut command = desk.command(&[
        "test-password",
        "--holder",
        HOLDER,
        "--address",
        &address,
        "--deliver",
        "kubernetes:apps/loader",
    ]);
    command.env("KUBECONFIG", desk.place.path("kubeconfig"));
    Ran::of(command).expect(0);
    assert!(desk.events().contains(&"old-sealed".to_owned()), "{:?}", desk.events());
    assert_eq!(
        cluster.value("apps/loader", "password"),
        Some(desk.vendor.user().password)
    );
}
