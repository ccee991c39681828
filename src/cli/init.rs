//! `rotate init`: a configuration to begin with, and the journal.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;

use super::session::{locate, tell_folder};
use super::{Exit, Global, terminal};
use crate::config;
use crate::state_folder::FolderError;

/// Write a configuration to begin with, or print its schema, or make the journal.
#[derive(Args)]
pub(super) struct Command {
    /// Where it is written; a file that exists is never overwritten
    #[arg(default_value = "rotate.toml")]
    file: PathBuf,
    /// Print the JSON Schema of the configuration, for editors, and write nothing
    #[arg(long, conflicts_with = "file")]
    schema: bool,
    /// Make the state folder with an empty journal and the identity that seals, where it is looked for: with require_state = true
    /// in the configuration, `rotate run` does not begin one by itself
    #[arg(long, conflicts_with_all = ["file", "schema"])]
    state: bool,
}

impl Command {
    /// Whether it has to know where the journal is kept.
    pub(super) fn needs_the_journal(&self) -> bool {
        self.state
    }

    pub(super) async fn run(self, global: &Global) -> Exit {
        if self.state {
            return match make_state(global).await {
                Ok(()) => Exit::Ok,
                Err(error) => tell_folder(global, &error),
            };
        }
        if self.schema {
            terminal::print(&config::schema());
            return Exit::Ok;
        }
        let shown = self.file.display();
        // Whoever can write it decides where keys go, so nobody else can.
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&self.file);
        let written = opened.and_then(|mut file| {
            file.write_all(config::starter().as_bytes())
                .and_then(|()| file.sync_all())
        });
        match written {
            Ok(()) => {
                terminal::note(&format!(
                    "wrote {shown}; edit it, then look: rotate plan. Where it is to run, once: rotate init --state"
                ));
                Exit::Ok
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let remedy = "name another file: rotate init FILE".to_owned();
                terminal::error(&format!("{shown} exists, and is not overwritten"), &[remedy]);
                Exit::Error
            }
            Err(error) => {
                terminal::error(&format!("{shown} cannot be written: {error}"), &[]);
                Exit::Error
            }
        }
    }
}

/// Makes what is missing of the state folder. A repeat does nothing.
async fn make_state(global: &Global) -> Result<(), FolderError> {
    let folder = locate(global)?;
    let shown = folder.path().display();
    let (store, _, made) = folder.open().await?;
    terminal::note(&match (store.elsewhere(), made) {
        (None, true) => {
            format!("made {shown} with an empty journal and a new age identity; include it in your backups")
        }
        (None, false) => format!("the journal in {shown} is there already; nothing was done"),
        (Some(place), true) => format!(
            "made {shown} with a new age identity, for the journal in {}; include both in your backups, and bring identity.age to \
             every other machine that writes there",
            place.display()
        ),
        (Some(place), false) => {
            let place = place.display();
            format!("the journal in {place} and the identity in {shown} are there already; nothing was done")
        }
    });
    Ok(())
}
