//! Nothing that comes from outside ends the program by a mistake of its own: no exit by a panic, none by a signal.
//!
//! Leans on the strict fakes: what is well enough formed to be sent is answered at once.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

mod mounted;
mod whatever;

use std::process::Command;

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace, has};

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
