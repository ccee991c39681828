//! Which file it is, and whether it may be trusted.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rotate_providers::private_file::Refused;
use rotate_providers::regular::Regular;
use rotate_providers::shell::quoted;

use super::Mistakes;

/// The file in the current folder.
const HERE: &str = "rotate.toml";

/// No fleet's file is larger: fifty thousand targets take some fifteen megabytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read, or must not be.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
        /// What fixes it.
        remedy: String,
    },
    /// It says what cannot be.
    #[error("{0}")]
    Mistaken(Mistakes),
}

/// The file that the command line names, else `$ROTATE_CONFIG`, else `./rotate.toml` if it is there.
pub fn locate(explicit: Option<&Path>) -> Option<PathBuf> {
    let variable = || {
        std::env::var_os("ROTATE_CONFIG")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let here = || Path::new(HERE).symlink_metadata().is_ok().then(|| HERE.into());
    explicit.map(Path::to_owned).or_else(variable).or_else(here)
}

/// Reads it, unless others can write it: whoever writes it decides where keys are delivered.
pub(super) fn read(path: &Path) -> Result<String, Unusable> {
    let refused = |why: &str, remedy: String| Unusable::File {
        path: path.to_owned(),
        why: why.to_owned(),
        remedy,
    };
    let opened = Regular::open(path).map_err(|error| match error {
        Refused::NotAFile(what) => refused(
            &format!("it is {what} and not a file"),
            "name a file with --config".to_owned(),
        ),
        error => refused(
            &format!("it cannot be opened: {error}"),
            "make it readable for this user".to_owned(),
        ),
    })?;
    let Some(file) = opened else {
        return Err(refused("there is no such file", "write one: rotate init".to_owned()));
    };
    let (found, shown) = (file.metadata().clone(), path.display());
    if found.mode() & 0o022 != 0 {
        let why = format!("other users may write it (mode {:04o})", found.mode() & 0o7777);
        return Err(refused(&why, format!("run: chmod go-w {}", quoted(&shown.to_string()))));
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us && found.uid() != 0 {
        let why = format!(
            "it belongs to user {}, who may write it, and not to user {us}",
            found.uid()
        );
        return Err(refused(&why, format!("run: chown {us} {}", quoted(&shown.to_string()))));
    }
    let bytes = file.bytes(LARGEST).map_err(|error| match error {
        Refused::TooLarge(size, _) => refused(
            &format!("it has {size} bytes, and no fleet needs more than {LARGEST}"),
            "name the right file with --config".to_owned(),
        ),
        error => refused(&error.to_string(), String::new()),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to())
            .filter(|b| **b == b'\n')
            .count();
        refused(&format!("line {line} is not UTF-8"), "save it as UTF-8".to_owned())
    })?;
    // Some editors put a byte order mark before the first letter.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
