//! The command line of `rotate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rotate::cli::main(std::env::args_os())
}
