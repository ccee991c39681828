//! The main job, on a fresh machine, with nothing to set up: `cargo run --release --example demo`.
//!
//! Two fake vendors as strict as the real ones, the real command line of `rotate`, and for each a consumer that keeps
//! using its key throughout. Not one of their requests may fail.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a demonstration that cannot go on stops, and it is there to be read"
)]

mod aws;
mod consumer;
mod snowflake;
mod stage;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::var_os(stage::AS_ROTATE).is_some() {
        return rotate::cli::main(std::env::args_os());
    }
    println!("\n════ An AWS access key");
    let aws = aws::demonstrate();
    println!("\n════ A Snowflake key pair");
    let snowflake = snowflake::demonstrate();
    if aws && snowflake {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
