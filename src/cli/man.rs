//! `rotate man FOLDER`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, guided, terminal};

/// Write the manual pages.
#[derive(Args)]
pub(super) struct Command {
    /// The folder that gets them: rotate.1, rotate-run.1, …
    folder: PathBuf,
}

impl Command {
    pub(super) fn run(self) -> Exit {
        match write(&self.folder) {
            Ok(()) => {
                let shown = self.folder.display();
                terminal::note(&format!(
                    "wrote the pages to {shown}; read one: man -l {shown}/rotate.1"
                ));
                Exit::Ok
            }
            Err(error) => {
                terminal::error(&format!("{}: {error}", self.folder.display()), &[]);
                Exit::Error
            }
        }
    }
}

fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(guided::whole_command(), folder)
}
