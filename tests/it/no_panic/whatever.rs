//! Whatever the flags, the environment and the clock may be: by chance, and the same each time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{SnowflakeWorkplace, Workplace};

use crate::no_panic::{ROTATE, YEAR, copied};

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
    // Half of them are whole commands in an odd environment, so that what is odd gets as far as it may.
    let is_whole = random.bool();
    let base = match name {
        _ if is_whole && random.bool() => aws.rotate(["--dry-run"]),
        _ if is_whole => snowflake.rotate(["--dry-run"]),
        "s3-customer-managed" => aws.rotate(["--yes"]),
        "snowflake-keypair" => snowflake.rotate(["--yes"]),
        _ if random.bool() => aws.command([name]),
        _ => snowflake.command([name]),
    };
    let mut command = rotate_fixtures::tool("timeout");
    command
        .args(["--signal", "KILL", "120"])
        .arg(base.get_program())
        .args(base.get_args());
    copied(&base, &mut command);
    // Where else credentials might be looked for is another machine.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    for _ in 0..if is_whole { 0 } else { random.usize(0..5) } {
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
    for _ in 0..if is_whole { 1 } else { random.usize(0..4) } {
        let variable = VARIABLES[random.usize(0..VARIABLES.len())];
        let value = odd(&mut random, &good);
        // No variable can hold one.
        let bytes: Vec<u8> = value.into_vec().into_iter().filter(|byte| *byte != 0).collect();
        command.env(variable, OsString::from_vec(bytes));
    }
    if !is_whole && random.u8(0..4) == 0 {
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
