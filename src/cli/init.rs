//! `rotate init`: a configuration to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;

use super::{Exit, terminal};
use crate::config;

/// The example, which the tests hold to the parser.
const STARTER: &str = include_str!("../config/starter.toml");

/// Write a configuration to begin with, or print its schema.
#[derive(Args)]
pub(super) struct Command {
    /// Where it is written; a file that exists is never overwritten
    #[arg(default_value = "rotate.toml")]
    file: PathBuf,
    /// Print the JSON Schema of the configuration, for editors, and write nothing
    #[arg(long)]
    schema: bool,
}

impl Command {
    pub(super) fn run(self) -> Exit {
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
        let written = opened.and_then(|mut file| file.write_all(STARTER.as_bytes()).and_then(|()| file.sync_all()));
        match written {
            Ok(()) => {
                terminal::note(&format!("wrote {shown}; edit it, then look: rotate plan"));
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
