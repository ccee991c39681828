//! The chores that are lists of command lines.

use crate::line::{Said, is_there};

/// One chore.
pub(crate) struct Chore {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) lines: &'static [Line],
}

/// One command line.
pub(crate) struct Line {
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

pub(crate) const CHORES: &[Chore] = &[
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
        name: "all-pairs",
        what: "every kill and every pair of kills from the beginning, with nothing merged: some twenty minutes",
        lines: &[run(&[
            "cargo",
            "test",
            "--test",
            "it",
            "--",
            "--ignored",
            "all_pairs_with_nothing_skipped",
        ])],
    },
    Chore {
        name: "shipped",
        what: "what is shipped is built, installed, and built again elsewhere: the same bytes. Needs root, and an hour",
        lines: &[run(&[
            "cargo",
            "test",
            "--test",
            "it",
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
            "shipped::",
        ])],
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

/// Runs one command line, which is printed first.
pub(crate) fn follow(line: &Line) -> Result<(), String> {
    let Some((program, arguments)) = line.words.split_first() else {
        return Ok(());
    };
    let mut said = Said::new(program).words(arguments);
    for (name, value) in line.variables {
        said = said.with(name, value);
    }
    if let Some(program) = line.if_there
        && !is_there(program)
    {
        said.leave_out(&format!("{program} is not installed"));
        return Ok(());
    }
    said.run()
}
