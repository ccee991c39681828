//! The chores of whoever changes `rotate`: `cargo xtask`.

#![expect(clippy::print_stderr, reason = "it is there to be read")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match xtask::understand(&asked) {
        Some(asked) => match xtask::run(&asked) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("cargo xtask {why}");
                ExitCode::FAILURE
            }
        },
        None => {
            eprintln!("cargo xtask CHORE, which is one of:");
            for (name, what) in xtask::chores() {
                eprintln!("  {name:<10} {what}");
            }
            ExitCode::from(64)
        }
    }
}
