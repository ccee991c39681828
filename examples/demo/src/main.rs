//! What `rotate` does, on a fresh machine, with nothing to set up: `cargo demo`.
//!
//! Stand-ins for the vendors that are as strict as the real ones, the real command line of `rotate`, and for each vendor a
//! consumer that keeps using its key throughout. Not one of their requests may fail; if one does, or anything else is not as
//! it was promised, the demo says so and ends with exit code 1.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a demonstration that cannot go on stops, and it is there to be read"
)]

mod asked;
mod consumer;
mod page;
mod person;
mod running;
mod scenes;
mod stage;
mod stopped;
mod verdict;

use std::path::Path;
use std::process::ExitCode;

use asked::Asked;
use running::Running;
use stage::Stage;

/// Set for the process that plays the installed program: this one holds both.
pub(crate) const AS_ROTATE: &str = "ROTATE_DEMO_IS_ROTATE";

fn main() -> ExitCode {
    if std::env::var_os(AS_ROTATE).is_some() {
        return rotate::cli::main(std::env::args_os());
    }
    let asked = match Asked::from(std::env::args_os().skip(1)) {
        Ok(asked) => asked,
        Err(told) => return told.tell(),
    };
    let folder = tempfile::Builder::new()
        .prefix("rotate-demo-")
        .tempdir()
        .expect("a temporary folder can be made");
    let running = Running::default();
    stopped::listen(folder.path().to_owned(), running.clone());
    let stage = Stage::new(running);
    play(&stage, folder.path(), &asked);
    let path = folder.path().to_owned();
    // What cannot be removed is seen by the verdict.
    let _ = folder.close();
    stage.verdict(&path, &asked.report)
}

fn play(stage: &Stage, folder: &Path, asked: &Asked) {
    let program = std::env::current_exe().expect("the running program has a path");
    stage.open();
    scenes::aws(stage, &program, folder, asked.sabotage);
    scenes::snowflake(stage, &program, folder);
    scenes::guided(stage, &program, folder);
    scenes::fleet(stage, &program, folder, &asked.report);
}
