//! No secret in any output, at any level, nor in the state folder, nor in a core dump.
//!
//! Leans on the strict fake, whose every secret begins with the same canary text.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

use crate::scenarios::beside_each_other;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Runs a command as talkative as it gets, and looks for the canary wherever it could be.
fn loud(place: &Workplace, mut command: Command, format: &str) -> Option<i32> {
    command.env(
        "RUST_LOG",
        "trace,hyper=trace,aws_smithy_runtime=trace,sqlx=trace,h2=trace",
    );
    command.args(["--log-format", format, "--output", "json"]);
    let output = command.output().unwrap();
    let canary = place.cloud.canary();
    let has = |bytes: &[u8]| rotate_fixtures::has(bytes, canary.as_bytes());
    assert!(!has(&output.stdout), "a secret is on stdout");
    assert!(!has(&output.stderr), "a secret is on stderr");
    // The libraries below log requests and replies: not one of them is heard.
    let talk = String::from_utf8_lossy(&output.stderr);
    for library in ["aws_", "hyper", "h2", "sqlx", "rustls"] {
        assert!(!talk.contains(&format!("\"target\":\"{library}")), "{library} is heard");
    }
    for entry in std::fs::read_dir(place.state()).into_iter().flatten() {
        let path = entry.unwrap().path();
        assert!(
            !has(&std::fs::read(&path).unwrap()),
            "a secret is in {}",
            path.display()
        );
    }
    output.status.code()
}

#[test]
fn the_canary_is_real() {
    let place = Workplace::new(ROTATE);
    assert_eq!(loud(&place, place.rotate(["--soak", "7d"]), "text"), Some(0));
    let delivered = std::fs::read_to_string(place.delivered()).unwrap();
    assert!(
        delivered.contains(&place.cloud.canary()),
        "the test would never find anything"
    );
    assert!(place.cloud.admin().secret.contains(&place.cloud.canary()));
}

#[test]
fn replies_that_break_with_the_secret_in_them_show_no_secret() {
    for fault in [
        Fault::MalformedAfter,
        Fault::TruncatedAfter,
        Fault::SecretlessAfter,
        Fault::ServerErrorAfter,
    ] {
        let place = Workplace::new(ROTATE);
        for nth in 1..=3 {
            place.cloud.break_call(Action::CreateAccessKey, nth, fault);
        }
        assert_eq!(
            loud(&place, place.rotate(["--soak", "7d"]), "text"),
            Some(1),
            "{fault:?}"
        );
        assert_eq!(loud(&place, place.command(["status"]), "text"), Some(0));
    }
}

/// Every call that a rotation makes, broken in every way, on either side of its effect.
#[test]
fn whatever_call_breaks_and_however_no_secret_is_seen() {
    const FAULTS: [Fault; 8] = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::ServerErrorBefore,
        Fault::ServerErrorAfter,
        Fault::HangAfter(Duration::from_millis(300)),
        Fault::MalformedAfter,
        Fault::TruncatedAfter,
        Fault::SecretlessAfter,
    ];
    let calls: Vec<Action> = Action::ALL
        .into_iter()
        .filter(|action| *action != Action::AssumeRole)
        .collect();
    let scenarios: Vec<(Action, Fault)> = calls
        .iter()
        .flat_map(|action| FAULTS.map(|fault| (*action, fault)))
        .collect();
    assert_eq!(scenarios.len(), 80);
    beside_each_other(&scenarios, |&(action, fault)| broken(action, fault));
}

/// Breaks this call as often as it is repeated at once, and then lets the rotation go on to its end.
fn broken(action: Action, fault: Fault) {
    let place = Workplace::new(ROTATE);
    for nth in 1..=2 {
        place.cloud.break_call(action, nth, fault);
    }
    let observed = [
        "--soak",
        "0s",
        "--cutover",
        "observed",
        "--observe",
        "0s",
        "--verify-deadline",
        "1s",
    ];
    if action == Action::GetBucketPolicy {
        // Which stops no rotation, so only whoever wants to know beforehand reads it.
        let mut dry_run = place.rotate(observed);
        dry_run.arg("--dry-run");
        loud(&place, dry_run, "text");
    }
    loud(&place, place.rotate(observed), "json");
    loud(&place, place.rotate(observed), "text");
    let count = place.cloud.count_of(action);
    loud(&place, place.command(["confirm", TARGET]), "json");
    assert_eq!(loud(&place, place.command(["status"]), "text"), Some(0));
    let count = count + place.cloud.count_of(action);
    assert!(count > 0, "{action} was never called, so nothing broke");
}

#[test]
fn a_secret_that_was_pasted_in_the_wrong_place_is_not_repeated() {
    let place = Workplace::new(ROTATE);
    let secret = format!("{}+/x9Zk2QvT8rW4yB", place.cloud.canary());
    let file = format!("file:{secret}");
    let config = format!("--config={secret}");
    let url = format!("https://admin:{secret}@vault.example");
    let rotate = ["s3-customer-managed", "--user", USER, "--bucket", BUCKET, "--deliver"];
    for arguments in [
        [&rotate[..], &[&secret]].concat(),
        [&rotate[..], &[&file]].concat(),
        [&rotate[..], &[&url]].concat(),
        [&rotate[..], &["file:key.json", "--profile", &secret]].concat(),
        [&rotate[..], &["file:key.json", "--endpoint-url", &url]].concat(),
        vec!["status", &secret],
        vec!["confirm", &secret],
        vec!["abort", &secret],
        vec!["rollback", &secret],
        vec!["done", &secret, "1"],
        vec!["done", "freshdesk/acme", &secret],
        vec!["undo", &secret, "1"],
        vec!["walk", &secret],
        vec!["audit", &secret],
        vec!["plan", "--config", &secret],
        vec!["run", &config],
        vec!["run", "--only", &secret],
        vec!["doctor", "--only", &secret],
        vec!["connectors", &secret],
        vec!["freshdesk", "--domain", &secret],
        vec![&secret],
    ] {
        for format in ["text", "json"] {
            let code = loud(&place, place.command(&arguments), format);
            assert!(matches!(code, Some(0 | 1 | 3 | 64)), "{arguments:?}: {code:?}");
        }
    }
    for variable in [
        "ROTATE_CONFIG",
        "ROTATE_CREDENTIALS",
        "RUST_LOG",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
    ] {
        let mut plan = place.rotate(["--dry-run"]);
        plan.env(variable, &secret);
        plan.args(["--output", "json"]);
        let ran = rotate_fixtures::Ran::of(plan);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!shown.contains(&place.cloud.canary()), "{variable}: {shown}");
    }
    place.expect_untouched();
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_program_cannot_dump_core_and_has_no_secret_in_its_arguments() {
    let place = Workplace::new(ROTATE);
    place.cloud.latency(Duration::from_millis(500));
    let mut command = place.rotate(["--soak", "7d"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let read = |name: &str| std::fs::read_to_string(format!("{process}/{name}")).unwrap_or_default();
    // Until the program is there, the process is still this test.
    let arguments = wait_for(|| Some(read("cmdline")).filter(|text| text.contains("s3-customer-managed")));
    let arguments = arguments.unwrap();
    let limits = wait_for(|| {
        let limits = read("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size"))?;
        // The soft and the hard limit.
        let both = core.split_whitespace().filter(|word| *word == "0").count();
        (both == 2).then_some(())
    });
    assert!(limits.is_some(), "the core limit was never lowered");
    assert!(!arguments.contains(&place.cloud.canary()));
    assert!(child.wait().unwrap().success());
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let found = look();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
