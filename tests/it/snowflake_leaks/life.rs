//! A whole life, phase by phase, and answers that break.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rotate_fixtures::has;
use rotate_fixtures::snowflake::{Action, Fault, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use super::{AT_ONCE, Stage, pairs};
use crate::scenarios::beside_each_other;

#[test]
fn no_phase_leaves_a_secret_in_the_state_folder() {
    for (point, nth) in [
        ("mint: sealed", 1),
        ("register: before the call", 1),
        ("register: after the call", 1),
        ("prove: before", 1),
        ("prove: after", 1),
        ("key file: public half written", 1),
        ("key file: written", 1),
        ("deactivate: before the call", 1),
        ("deactivate: after the call", 1),
        ("delete: after the call", 1),
    ] {
        let twin = Stage::new();
        let trace = twin.place.path("trace");
        let mut whole = twin.rotate(&AT_ONCE);
        whole.env("ROTATE_TEST_TRACE", &trace);
        assert_eq!(twin.run(whole, "text"), Some(0));
        let points = fs::read_to_string(trace).unwrap();
        let mut named = points.lines().enumerate().filter(|(_, name)| *name == point);
        let (index, _) = named.nth(nth - 1).unwrap();

        let stage = Stage::new();
        let mut cut_short = stage.rotate(&AT_ONCE);
        cut_short.env("ROTATE_TEST_KILL_AT", (index + 1).to_string());
        assert_eq!(stage.run(cut_short, "json"), None, "it was not killed at {point}");
        // The key is known once it is delivered.
        assert_eq!(stage.run(stage.rotate(&AT_ONCE), "json"), Some(0));
        stage.expect_no_secret_of_the_delivered_key();
    }
}

#[test]
fn an_administrator_who_logs_in_with_a_key_or_a_token_shows_neither() {
    let stage = Stage::new().with_secret("CANARY of the bearer");
    let admin = stage.place.cloud.admin_user().to_owned();
    let key = TestKey::numbered(3);
    stage.place.cloud.set_key(&admin, Slot::One, key.public_base64());
    stage.place.cloud.set_oauth_token(&admin, "CANARY of the bearer");
    let file = stage.place.path("admin.p8");
    fs::write(&file, key.private_pem()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(file.with_extension("pub"), key.public_pem()).unwrap();
    let file_name = file.display().to_string();
    let with_key = [("SNOWFLAKE_PRIVATE_KEY_FILE", file_name.as_str())];
    let raw = [("SNOWFLAKE_PRIVATE_KEY_RAW", key.private_pem())];
    let with_token = [
        ("SNOWFLAKE_AUTHENTICATOR", "oauth"),
        ("SNOWFLAKE_TOKEN", "CANARY of the bearer"),
    ];
    for environment in [&with_key[..], &raw, &with_token] {
        let begin = |wrong: bool| {
            let environment = stage.place.cloud.env(&admin, environment);
            let mut command = stage
                .place
                .command_with(environment, ["snowflake-keypair", "--user", USER]);
            if wrong {
                command.env("SNOWFLAKE_ACCOUNT", "ANOTHER-ACCOUNT");
            }
            command
        };
        assert_eq!(stage.run(begin(true), "json"), Some(1));
        assert_eq!(stage.run(begin(false), "json"), Some(0));
        let abort = stage
            .place
            .command_with(stage.place.cloud.env(&admin, environment), ["abort", TARGET]);
        assert_eq!(stage.run(abort, "text"), Some(0));
    }
    stage.expect_no_secret(&[file]);
}

#[test]
fn answers_that_break_show_no_secret() {
    let faults = [
        Fault::MalformedAfter,
        Fault::TruncatedAfter,
        Fault::StatusAfter(500),
        Fault::StatusAfter(403),
        Fault::DropAfter,
    ];
    let actions = [Action::Login, Action::Identity, Action::SetKey];
    beside_each_other(&pairs(&actions, &faults), |&(action, fault)| {
        let stage = Stage::new();
        stage.place.cloud.break_call(action, 1, fault);
        stage.place.cloud.break_call(action, 2, fault);
        stage.run(stage.rotate(&AT_ONCE), "json");
        stage.run(stage.rotate(&AT_ONCE), "text");
        assert_eq!(stage.run(stage.rotate(&AT_ONCE), "text"), Some(0), "{action} {fault:?}");
        stage.expect_no_secret_of_the_delivered_key();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_program_shows_no_secret_to_other_processes() {
    let stage = Stage::new();
    stage.place.cloud.set_latency(Duration::from_millis(150));
    let mut command = stage.rotate(&[&AT_ONCE[..], &["--passphrase-file", "passphrase"]].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut looks, mut is_limited) = (0, false);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        let arguments = fs::read(format!("{process}/cmdline")).unwrap_or_default();
        // Until the program is there, the process is still this test.
        if has(&arguments, b"snowflake-keypair") {
            looks += 1;
            stage.hear("the arguments", arguments);
            is_limited |= has_no_core(&process);
            for child in children(&process) {
                for name in ["cmdline", "environ"] {
                    let bytes = fs::read(format!("/proc/{child}/{name}")).unwrap_or_default();
                    stage.hear(&format!("{name} of child {child}"), bytes);
                }
            }
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    assert!(looks > 20, "it was hardly looked at: {looks}");
    assert!(is_limited, "the core limit was never lowered");
    stage.expect_no_secret_of_the_delivered_key();
}

fn has_no_core(process: &str) -> bool {
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap_or_default();
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    // The soft and the hard limit.
    core.is_some_and(|core| core.split_whitespace().filter(|word| *word == "0").count() == 2)
}

fn children(process: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("{process}/task")).into_iter().flatten().flatten();
    let lists = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}
