//! Many targets at once, and none at another's cost.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Action;

use super::{AT_ONCE, DAY, ROTATE};

fn many(count: usize) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    for number in 0..count {
        place.add_user(&format!("user-{number:02}"), DAY * 179, "");
    }
    place
}

#[test]
fn one_targets_failure_stops_no_other() {
    let mut place = many(3);
    place.add_user("broken", DAY * 179, "");
    place.cloud.delete_user("broken");
    let ran = place.run(["run"]).expect(1);
    assert!(
        ran.stderr.contains("error: broken: failed to read user broken"),
        "{}",
        ran.stderr
    );
    let summary = "4 targets: 3 ended, 1 failed";
    assert!(ran.stderr.contains(summary), "{}", ran.stderr);
    for number in 0..3 {
        let user = format!("user-{number:02}");
        let new = place.delivered_key(&user).unwrap();
        assert_eq!(place.keys(&user), [new.id]);
    }
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn two_names_for_one_user_are_not_rotated_twice() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    // Another region is another connection to the same user: the file cannot tell.
    let other = place.path("other.json");
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    let twice = format!(
        "{text}\n[[target]]\nname = \"again\"\nconnector = \"s3-customer-managed\"\nuser = \"main\"\nbucket = \"acme-data\"\n\
         profile = \"other\"\ndeliver = [\"file:{}\"]\n",
        other.display()
    );
    place.configure(&twice);
    std::fs::write(
        place.path("profiles"),
        format!(
            "[other]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            place.cloud.admin().id,
            place.cloud.admin().secret
        ),
    )
    .unwrap();
    let mut run = place.command(["run"]);
    run.env("AWS_SHARED_CREDENTIALS_FILE", place.path("profiles"));
    let ran = rotate_fixtures::Ran::of(run).expect(1);
    assert!(
        ran.stderr.contains("rotates the keys of the same user"),
        "{}",
        ran.stderr
    );
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
    assert_eq!(place.keys("main").len(), 1);
}

/// Begins a run in the background, and returns once it has called the cloud.
fn begin(place: &FleetWorkplace) -> Child {
    let mut command = place.command(["run"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while place.cloud.call_count() == 0 {
        assert!(Instant::now() < deadline, "the run calls nobody");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn of_two_runs_at_once_one_works() {
    let place = many(8);
    place.cloud.latency(Duration::from_millis(300));
    let mut first = begin(&place);
    place
        .run(["run"])
        .expect(4)
        .says(&["another run of rotate", "is at work"]);
    assert!(first.wait().unwrap().success());
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 8);
    for number in 0..8 {
        assert_eq!(place.keys(&format!("user-{number:02}")).len(), 1);
    }
}

/// Whatever is under way is finished, nothing more is begun, and the next run goes on.
#[test]
fn a_wish_to_stop_is_granted_after_the_current_effects() {
    let place = many(20);
    place.cloud.latency(Duration::from_millis(60));
    let child = begin(&place);
    while place.cloud.count_of(Action::CreateAccessKey) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{talk}");
    assert!(talk.contains("stopping after the current step"), "{talk}");
    let stopped_at = place.cloud.count_of(Action::CreateAccessKey);
    assert!(stopped_at < 20, "everything was begun all the same");
    // Each key that was made is on record with its secret.
    place.cloud.latency(Duration::ZERO);
    place.run(["run"]).expect(0).says(&["20 targets: 20 ended"]);
    assert_eq!(
        place.cloud.count_of(Action::CreateAccessKey),
        20,
        "no key was lost, and none was made twice"
    );
    place.run(["audit", "verify"]).expect(0);
}

/// The rate is that of the account, however many targets are worked on.
#[test]
fn an_accounts_rate_is_shared_by_its_targets() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 10\nconcurrency = 16\n");
    for number in 0..16 {
        place.add_user(&format!("user-{number:02}"), DAY, "");
    }
    let begun = Instant::now();
    place.run(["run"]).expect(0).says(&["16 targets: 16 not due"]);
    // Thirty-two calls to IAM, of which ten may come at once: a wait is no speed, so this holds on any machine.
    let calls = place.cloud.count_of(Action::GetUser) + place.cloud.count_of(Action::ListAccessKeys);
    assert_eq!(calls, 32);
    assert!(begun.elapsed() >= Duration::from_millis(2100), "{:?}", begun.elapsed());
    assert_eq!(
        place.cloud.count_of(Action::GetCallerIdentity),
        1,
        "one login serves all"
    );
}

/// What a person may want to know beforehand.
#[test]
fn a_plan_and_a_check_up_tell_what_would_fail() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 179, "");
    place.run(["doctor"]).expect(0);
    let checkups = place.run(["doctor", "--output", "json"]).expect(0).json();
    let of_target = &checkups["checkups"][2];
    assert_eq!(of_target["name"], "main");
    let looked: Vec<&str> = of_target["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    for what in [
        "credentials",
        "permission iam:CreateAccessKey",
        "bucket acme-data",
        "clock",
    ] {
        assert!(looked.contains(&what), "{what}: {looked:?}");
    }
    place.cloud.deny(Action::DeleteAccessKey);
    let ran = place.run(["doctor"]).expect(1);
    assert!(
        ran.stdout
            .contains("BAD permission iam:DeleteAccessKey: a policy denies it"),
        "{}",
        ran.stdout
    );
    let ran = place.run(["plan"]).expect(1);
    assert!(
        ran.stdout.contains("! permission iam:DeleteAccessKey"),
        "{}",
        ran.stdout
    );
    place.cloud.allow(Action::DeleteAccessKey);
    std::fs::create_dir(place.delivered("main")).unwrap();
    let ran = place.run(["plan"]).expect(1);
    assert!(ran.stdout.contains("! destination file:"), "{}", ran.stdout);
    std::fs::remove_dir(place.delivered("main")).unwrap();
    // Without the simulator's own permission nothing is known, and nothing is said to be wrong.
    place.cloud.deny(Action::SimulatePrincipalPolicy);
    let ran = place.run(["plan"]).expect(0);
    assert!(
        ran.stdout.contains("? permissions: failed to ask IAM"),
        "{}",
        ran.stdout
    );
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
}

/// Profiles share a file: none may be lost by two deliveries at once.
#[test]
fn targets_that_deliver_into_one_file_all_arrive() {
    const TARGETS: usize = 24;
    for _ in 0..3 {
        let mut place = FleetWorkplace::new(ROTATE);
        let shared = place.path("credentials");
        let mut text = format!("{AT_ONCE}concurrency = {TARGETS}\n");
        for number in 0..TARGETS {
            let user = format!("user-{number:02}");
            place.cloud.add_user(&user);
            let _ = place.cloud.add_key_created_at(&user, place.now() - DAY * 179);
            text.push_str(&format!(
                "\n[[target]]\nname = \"{user}\"\nconnector = \"s3-customer-managed\"\nuser = \"{user}\"\nbucket = \"acme-data\"\n\
                 deliver = [\"aws-profile:{user}@{}\"]\n",
                shared.display()
            ));
        }
        place.configure(&text);
        place.run(["run"]).expect(0).says(&["24 ended"]);
        let delivered = std::fs::read_to_string(&shared).unwrap();
        for number in 0..TARGETS {
            let keys = place.keys(&format!("user-{number:02}"));
            assert_eq!(keys.len(), 1);
            assert!(
                delivered.contains(&keys[0]),
                "{} is not delivered:\n{delivered}",
                keys[0]
            );
        }
    }
}

/// A login that does not work is not tried for each target that shares it.
#[test]
fn a_login_that_fails_is_shared_like_one_that_works() {
    let mut place = many(0);
    let role = "assume_role = \"arn:aws:iam::123456789012:role/nobody\"\n";
    for number in 0..12 {
        place.add_user(&format!("user-{number:02}"), DAY * 179, role);
    }
    place.cloud.deny(Action::AssumeRole);
    place.run(["run"]).expect(1).says(&["12 targets: 12 failed"]);
    assert_eq!(place.cloud.count_of(Action::AssumeRole), 1);
}

#[test]
fn a_check_up_tells_what_a_run_would_refuse() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("main", DAY * 10, "");
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    // A new key would replace the only copy of the one that the program itself runs on.
    let admin = place.cloud.admin();
    let held = format!(
        "{{\"Version\": 1, \"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\"}}",
        admin.id, admin.secret
    );
    std::fs::write(place.delivered("main"), held).unwrap();
    std::fs::set_permissions(place.delivered("main"), PermissionsExt::from_mode(0o600)).unwrap();
    let ran = place.run(["doctor"]).expect(1);
    assert!(ran.stdout.contains("which rotate itself runs on"), "{ran:#?}");
    std::fs::remove_file(place.delivered("main")).unwrap();
    place.run(["doctor"]).expect(0);
    // A state folder that nobody could use.
    place.configure(&format!(
        "[store]\nstate_dir = \"{}\"\n{text}",
        place.path("other").display()
    ));
    std::fs::create_dir(place.path("other")).unwrap();
    std::fs::set_permissions(place.path("other"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut doctor = std::process::Command::new(ROTATE);
    doctor
        .env_clear()
        .envs(place.cloud.env())
        .env("HOME", place.path(""))
        .current_dir(place.path(""))
        .arg("doctor");
    let ran = rotate_fixtures::Ran::of(doctor).expect(1);
    assert!(ran.stdout.contains("other users may open it"), "{ran:#?}");
}
