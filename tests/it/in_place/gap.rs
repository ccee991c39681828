//! From the call that sets the new password to the last delivery: what may be lost there, and what ends it.

use rotate_fixtures::aws::KmsKeyState;
use rotate_fixtures::stopped::while_at;
use rotate_fixtures::test_passwords::{FIRST_PASSWORD, PasswordFault};
use rotate_fixtures::{FakeAws, Ran};

use super::{Desk, TARGET};
use crate::destinations::exec::write_program;

#[test]
fn after_a_kill_anywhere_one_run_heals_the_consumer_and_sets_no_second_password() {
    let mut in_gap = 0;
    for at in 1..100 {
        let desk = Desk::new();
        let mut command = desk.one_shot(&[]);
        command.env("ROTATE_TEST_KILL_AT", at.to_string());
        if Ran::of(command).code == Some(0) {
            assert!(at > 20 && in_gap > 5, "{at} points, {in_gap} of them in the gap");
            return;
        }
        in_gap += u32::from(desk.held() != Some(desk.vendor.user().password));
        if desk.place.state().join("rotate.db").exists() {
            desk.run(&["run"]).expect(0);
        }
        let user = desk.vendor.user();
        assert_eq!(desk.held(), Some(user.password), "killed at {at}");
        assert!(
            user.history.len() <= 2,
            "killed at {at}: {} passwords",
            user.history.len()
        );
    }
    panic!("it never ends");
}

#[test]
fn a_lost_answer_is_answered_by_a_login_and_the_same_password_is_set_again() {
    let desk = Desk::new();
    desk.vendor.suffers(Some(PasswordFault::LosesAfterSetting));
    desk.rotate(&[]).expect(0);
    assert_eq!(desk.vendor.user().number, 2);

    let desk = Desk::new();
    desk.vendor.suffers(Some(PasswordFault::LosesBeforeSetting));
    let ran = desk.rotate(&[]).expect(1);
    assert!(ran.stderr.contains("do not wait"), "{}", ran.stderr);
    assert_eq!(desk.vendor.user().number, 1);
    // The old one is tried first, and stands.
    assert_eq!(desk.vendor.logins().failed, 0);
    desk.vendor.suffers(None);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.vendor.user().number, 2);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
    assert_eq!(desk.events().iter().filter(|event| *event == "generated").count(), 1);
}

#[test]
fn a_vendor_that_refuses_to_set_it_has_changed_nothing_and_the_rotation_can_be_aborted() {
    let desk = Desk::new();
    desk.vendor.suffers(Some(PasswordFault::RefusesToSet));
    desk.rotate(&[])
        .expect(1)
        .says(&["does not let the administrator do that"]);
    assert_eq!(desk.events().last().map(String::as_str), Some("replace-failed"));
    desk.run(&["abort", TARGET]).expect(0);
    assert_eq!(desk.vendor.user().number, 1);
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
}

#[test]
fn what_cannot_be_told_moves_nothing_and_locks_nobody_out() {
    let desk = Desk::killed_at("replace-intended", 2);
    for fault in [PasswordFault::IsStarting, PasswordFault::BarsLogins] {
        desk.vendor.suffers(Some(fault));
        let ran = desk.run(&["run"]).expect(1);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            told.contains("could not be found out") && told.contains("do not wait"),
            "{told}"
        );
        assert_eq!(desk.events().last().map(String::as_str), Some("replace-intended"));
    }
    let status = desk.run(&["status", TARGET]).expect(0).stdout;
    assert!(
        status.contains("its consumers are cut off until this goes on"),
        "{status}"
    );
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    desk.vendor.suffers(None);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
}

#[test]
fn a_user_who_is_locked_is_not_logged_in_with_until_somebody_has_seen_to_it() {
    let desk = Desk::killed_at("replace-intended", 2);
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    desk.run(&["run"]).expect(3);
    assert_eq!(desk.vendor.logins().failed, 2);
    for _ in 0..5 {
        desk.run(&["run"]);
    }
    assert_eq!(desk.vendor.logins().failed, 2, "a blocked rotation logs in nowhere");
}

#[test]
fn a_third_password_blocks_and_is_never_replaced() {
    let desk = Desk::killed_at("replace-intended", 2);
    let third = "a-password-of-somebody-else";
    desk.vendor.set_by_hand(third);
    let blocked = desk.run(&["run"]).expect(3).stdout;
    assert!(blocked.contains("neither the new secret nor the old one"), "{blocked}");
    assert!(
        blocked.contains("erases the sealed secrets, one of which may be the only copy of what stands"),
        "{blocked}"
    );
    desk.run(&["abort", TARGET])
        .expect(1)
        .says(&["an abort sets nothing back"]);
    desk.run(&["rollback", TARGET]).expect(3);
    desk.run(&["abort", "--force", TARGET]).expect(0);
    assert_eq!(desk.vendor.user().password, third);
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    assert_eq!(desk.events().last().map(String::as_str), Some("aborted"));
}

#[test]
fn a_rotation_of_a_user_who_is_gone_can_be_ended_by_somebody_who_was_told() {
    let desk = Desk::killed_at("replace-intended", 2);
    desk.vendor.suffers(Some(PasswordFault::IsGone));
    let told = desk.run(&["run"]).expect(3).stdout;
    assert!(told.contains("make sure that it is gone"), "{told}");
    desk.run(&["abort", "--force", TARGET]).expect(0);
    assert_eq!(desk.events().last().map(String::as_str), Some("aborted"));
}

#[test]
fn the_next_rotation_after_one_that_was_given_up_does_not_replace_the_third_password_either() {
    let desk = Desk::killed_at("replace-intended", 2);
    desk.vendor.set_by_hand("a-password-of-somebody-else");
    desk.run(&["run"]).expect(3);
    desk.run(&["abort", "--force", TARGET]).expect(0);
    desk.configure("max_age = \"30d\"\n");
    desk.clock
        .set(desk.clock.now() + jiff::SignedDuration::from_hours(24 * 100));
    let ran = desk.run(&["--config", "rotate.toml", "run"]);
    assert_eq!(desk.vendor.user().number, 3, "{}", ran.stdout);
}

#[test]
fn no_secret_is_in_what_is_printed_or_written_down() {
    for at in 1..100 {
        let desk = Desk::new();
        let mut command = desk.one_shot(&["-vvv"]);
        command
            .env("ROTATE_TEST_KILL_AT", at.to_string())
            .env("RUST_LOG", "trace");
        let ran = Ran::of(command);
        let more = desk.run(&["-vvv", "rollback", TARGET]);
        for told in [&ran.stdout, &ran.stderr, &more.stdout, &more.stderr] {
            assert!(!told.contains("CANARY"), "{told}");
        }
        let database = std::fs::read(desk.place.state().join("rotate.db")).unwrap_or_default();
        assert!(!rotate_fixtures::has(&database, b"CANARY"));
        if ran.code == Some(0) {
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn a_rollback_sets_the_old_password_again_and_puts_the_files_back() {
    for (event, number) in [
        ("replace-intended", 1),
        ("replace-intended", 2),
        ("replaced", 2),
        ("deliver-intended", 2),
        ("delivered", 2),
    ] {
        let desk = Desk::killed_at(event, number);
        desk.run(&["rollback", TARGET]).expect(0);
        let user = desk.vendor.user();
        assert_eq!(user.password, FIRST_PASSWORD, "{event}");
        assert_eq!(user.history.len(), if number == 1 { 1 } else { 3 }, "{event}");
        assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD), "{event}");
        assert_eq!(desk.events().last().map(String::as_str), Some("rolled-back"));
    }
}

#[test]
fn where_nobody_knows_the_old_password_a_rollback_is_refused_and_says_why() {
    let desk = Desk::without_a_file();
    desk.vendor.suffers(Some(PasswordFault::LosesBeforeSetting));
    desk.rotate(&[]).expect(1);
    desk.run(&["rollback", TARGET])
        .expect(1)
        .says(&["no destination held the old secret when it began"]);
    desk.run(&["abort", TARGET])
        .expect(1)
        .says(&["an abort sets nothing back"]);
    desk.vendor.suffers(None);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
}

#[test]
fn a_dry_run_in_the_gap_says_how_it_ends_and_does_nothing() {
    let desk = Desk::killed_at("replace-intended", 2);
    let told = desk.rotate(&["--dry-run"]).expect(0).stdout;
    assert!(
        told.contains("log in with the new secret") && told.contains("write of-rotation-"),
        "{told}"
    );
    assert!(
        !told.contains("make a new secret") && !told.contains("password-1 to"),
        "{told}"
    );
    assert_eq!(desk.last_event(), "replace-intended");
    assert_eq!(
        (desk.vendor.logins().all, desk.held().as_deref()),
        (1, Some(FIRST_PASSWORD))
    );
}

#[test]
fn before_it_is_set_an_abort_touches_nothing() {
    for event in ["opened", "old-sealed", "generated"] {
        let desk = Desk::killed_at(event, 1);
        desk.run(&["audit", "verify"]).expect(0);
        desk.run(&["abort", TARGET]).expect(0);
        assert_eq!(desk.vendor.user().number, 1, "{event}");
        assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD), "{event}");
    }
}

#[test]
fn a_delivery_that_fails_is_tried_once_more_in_the_same_run() {
    let desk = Desk::new();
    let program = desk.place.path("program");
    write_program(
        &program,
        "cat >$1/got; case $2 in deliver) echo x >>$1/tries; [ $(wc -l <$1/tries) -ge 2 ] && mv $1/got $1/held;; \
         verify) [ -e $1/held ] || exit 10;; esac",
    );
    let folder = desk.place.path("");
    let to = format!("exec:?can=verify {} {}", program.display(), folder.display());
    desk.rotate(&["--deliver", &to]).expect(0);
    let tries = std::fs::read_to_string(desk.place.path("tries")).unwrap();
    assert_eq!(tries.lines().count(), 2);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
    assert_eq!(desk.last_event(), "done");
}

/// Whoever says that they have looked has looked at what they were told.
#[test]
fn a_word_that_answers_another_block_is_no_answer_for_a_program() {
    let desk = (1..100)
        .find_map(|at: u32| {
            let desk = Desk::new();
            let program = desk.place.path("program");
            write_program(&program, "exit 0");
            let mut command = desk.one_shot(&["--after-delivery", &program.display().to_string()]);
            command.env("ROTATE_TEST_KILL_AT", at.to_string());
            Ran::of(command);
            (desk.last_event() == "hook-intended").then_some(desk)
        })
        .unwrap();
    desk.run(&["abort", "--force", TARGET]).expect(3);
    assert_eq!(desk.last_event(), "blocked");
    desk.run(&["confirm", "--run-again", TARGET]).expect(1);
    let told = desk.run(&["confirm", TARGET]).expect(3).stdout;
    assert!(told.contains("may have been started after the delivery"), "{told}");
    assert!(!desk.events().contains(&"hook-answered".to_owned()));
    desk.run(&["confirm", TARGET]).expect(0);
    assert!(desk.events().contains(&"hook-answered".to_owned()));
    assert_eq!(desk.last_event(), "done");
}

/// A desk whose secrets are sealed with a key of this cloud, and the command that rotates its password.
fn sealing_by(cloud: &FakeAws, key: &str) -> Desk {
    let desk = Desk::new();
    let text = format!("[store]\nseal = \"aws-kms:{key}\"\n");
    std::fs::write(desk.place.path("rotate.toml"), text).unwrap();
    let mut begins = desk.one_shot(&["--dry-run"]);
    begins.envs(cloud.env());
    Ran::of(begins).expect(0);
    desk
}

/// What seals is a key that somebody else keeps: it is asked before the password is set, and not again until its consumer has it.
#[test]
fn a_key_service_that_fails_in_the_gap_keeps_no_consumer_waiting() {
    let cloud = FakeAws::start();
    let key = cloud.add_kms_key();
    let begun = |at: u32| {
        let desk = sealing_by(&cloud, &key);
        let mut command = desk.one_shot(&[]);
        command.envs(cloud.env()).env("ROTATE_TEST_KILL_AT", at.to_string());
        Ran::of(command);
        desk
    };
    let half_way = (1..100)
        .map(begun)
        .find(|desk| desk.last_event() == "generated")
        .unwrap();
    for desk in [sealing_by(&cloud, &key), half_way] {
        assert_eq!(desk.vendor.user().number, 1);
        let (before, mut in_the_gap) = (cloud.kms_calls().len(), 0);
        let mut command = desk.one_shot(&[]);
        command.envs(cloud.env());
        let ran = while_at(command, "replace: before the call", || {
            in_the_gap = cloud.kms_calls().len();
            cloud.set_kms_key(&key, KmsKeyState::Disabled);
        });
        ran.expect(0);
        assert!(before < in_the_gap);
        assert_eq!(cloud.kms_calls().len(), in_the_gap, "nobody is asked in the gap");
        assert_eq!(desk.held(), Some(desk.vendor.user().password));
        assert_eq!(desk.vendor.user().number, 2);
        cloud.set_kms_key(&key, KmsKeyState::Enabled);
    }
}
