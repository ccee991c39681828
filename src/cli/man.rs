//! `rotate man FOLDER`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap_mangen::Man;

use super::{Exit, rotate, terminal};
use crate::private_file::{self, Folder, Refused};

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

fn write(folder: &Path) -> Result<(), Refused> {
    let folder = Arc::new(Folder::make(folder, 0o755)?);
    let mut command = rotate::whole_command().disable_help_subcommand(true);
    command.build();
    pages(&folder, &command)
}

/// The page of this command and those of its own commands, as `clap_mangen::generate_to` has them; that would write through links.
fn pages(folder: &Arc<Folder>, command: &clap::Command) -> Result<(), Refused> {
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages(folder, command)?;
    }
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text).map_err(|source| Refused::Io {
        what: "a page cannot be made",
        source,
    })?;
    private_file::publish(&folder.place(page.get_filename()), &text)
}
