//! `rotate completions SHELL`.

use clap::Args;
use clap_complete::{Shell, generate};

use super::{Exit, rotate, terminal};

/// Print the completions of a shell.
#[derive(Args)]
pub(super) struct Command {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Command {
    pub(super) fn run(self) -> Exit {
        let mut command = rotate::whole_command();
        let mut script = Vec::new();
        generate(self.shell, &mut command, "rotate", &mut script);
        terminal::print(&String::from_utf8_lossy(&script));
        Exit::Ok
    }
}
