//! The chores of whoever changes `rotate`: `cargo xtask`.
//!
//! Nothing here does anything by itself: each chore is a list of command lines, which are printed before they run, so that they can
//! be run by hand as well.

#![expect(clippy::print_stderr, reason = "it is there to be read")]

use std::process::{Command, ExitCode};
use std::time::Instant;

/// One chore.
struct Chore {
    name: &'static str,
    what: &'static str,
    lines: &'static [Line],
}

/// One command line.
struct Line {
    variables: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
    /// Where this program is not installed, the line is left out, which is said.
    if_there: Option<&'static str>,
}

/// One that always runs.
const fn run(words: &'static [&'static str]) -> Line {
    Line {
        variables: &[],
        words,
        if_there: None,
    }
}

/// The same, with this variable.
const fn with(variable: &'static [(&'static str, &'static str)], words: &'static [&'static str]) -> Line {
    Line {
        variables: variable,
        words,
        if_there: None,
    }
}

/// The style, and what is generated: all of the gate but its tests.
const STYLE: &[Line] = &[
    run(&["cargo", "fmt", "--all", "--check"]),
    run(&[
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]),
    // Remote destinations are features, and the program is whole without them.
    run(&["cargo", "clippy", "--no-default-features", "--", "-D", "warnings"]),
    with(
        &[("RUSTDOCFLAGS", "-D warnings")],
        &["cargo", "doc", "--workspace", "--no-deps"],
    ),
    Line {
        variables: &[],
        words: &["cargo", "deny", "check", "licenses", "bans", "sources"],
        if_there: Some("cargo-deny"),
    },
];

const CHORES: &[Chore] = &[
    Chore {
        name: "check",
        what: "the style, the documentation of the code, licences; everything of the gate but its tests",
        lines: STYLE,
    },
    Chore {
        name: "test-fast",
        what: "every test but the crash suite, and those against real servers and other people's tools",
        lines: &[run(FAST)],
    },
    Chore {
        name: "crash",
        what: "the crash suite",
        lines: &[run(&["cargo", "test", "--test", "it", "crash::"])],
    },
    Chore {
        name: "bless",
        what: "writes everything anew that is generated or held as a file: look at `git diff` afterwards",
        lines: &[
            with(&[("TRYCMD", "overwrite")], &["cargo", "test", "--test", "it", "cli::"]),
            with(
                &[("INSTA_UPDATE", "always")],
                &["cargo", "test", "--test", "it", "guide_plans::"],
            ),
            with(
                &[("ROTATE_BLESS", "1")],
                &["cargo", "test", "--test", "it", "docs::connectors"],
            ),
            with(
                &[("ROTATE_BLESS", "1")],
                &["cargo", "test", "--test", "it", "the_published_schema"],
            ),
        ],
    },
    Chore {
        name: "figures",
        what: "the figures of docs/figures.md, each against its bound",
        lines: &[run(&["cargo", "bench"])],
    },
];

/// All but what walks worlds or lives years, or needs real servers or other people's tools.
const FAST: &[&str] = &[
    "cargo",
    "test",
    "--lib",
    "--test",
    "it",
    // As `cargo it` does: building takes longer than running them.
    "--config",
    "profile.dev.package.rotate.opt-level=0",
    "--config",
    "profile.dev.package.rotate-providers.opt-level=0",
    "--config",
    "profile.dev.package.rotate-fixtures.opt-level=0",
    "--",
    "--skip",
    "as_aws_tools",
    "--skip",
    "as_snow",
    "--skip",
    "crash::",
    "--skip",
    "endless::",
    "--skip",
    "localstack::",
    "--skip",
    "many_machines::",
    "--skip",
    "monitoring::metrics",
    "--skip",
    "monitoring::rules",
    "--skip",
    "proxies::",
    "--skip",
    "redirects::",
    "--skip",
    "replaced_files::",
    "--skip",
    "served::",
    "--skip",
    "snowflake_interop::",
    "--skip",
    "year::",
];

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let chore = match asked.as_slice() {
        [name] => CHORES.iter().find(|chore| chore.name == name),
        _ => None,
    };
    let Some(chore) = chore else {
        eprintln!("cargo xtask CHORE, which is one of:");
        for chore in CHORES {
            eprintln!("  {:<10} {}", chore.name, chore.what);
        }
        return ExitCode::from(64);
    };
    for line in chore.lines {
        if let Err(why) = follow(line) {
            eprintln!("cargo xtask {}: {why}", chore.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Runs one command line, which is printed first.
fn follow(line: &Line) -> Result<(), String> {
    let variables = line.variables.iter().map(|(name, value)| format!("{name}='{value}' "));
    let shown = variables.collect::<String>() + &line.words.join(" ");
    if let Some(program) = line.if_there
        && !is_there(program)
    {
        eprintln!("== NOT RUN, because {program} is not installed: {shown}");
        return Ok(());
    }
    eprintln!("== {shown}");
    let Some((program, arguments)) = line.words.split_first() else {
        return Ok(());
    };
    let started = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(line.variables.iter().copied())
        .status()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    eprintln!("== took {} s", started.elapsed().as_secs());
    if status.success() {
        Ok(())
    } else {
        Err(format!("{shown}: {status}"))
    }
}

/// Whether a program of this name is on the path.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
