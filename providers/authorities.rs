//! The system's certificates, which the HTTPS clients read by themselves: they would wait for a pipe without end.

use std::path::Path;

use crate::contract::Error;
use crate::fault::Fault;
use crate::regular;

/// All authorities of a system take a quarter of a megabyte.
pub(crate) const LARGEST: u64 = 16 << 20;

/// What names a file and folders of them in the system's place, for every client; folders are separated by colons.
const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// The same, for clients that are made elsewhere; else what is wrong.
pub fn check_authorities() -> Result<(), String> {
    check().map_err(|fault| Error::from(fault).detail.as_str().to_owned())
}

/// Looks whether they can be read, before a client is made.
pub(crate) fn check() -> Result<(), Fault> {
    let wrong = |named_by: &str, path: &Path, why: String| {
        Fault::new(
            "trust the authorities of the system",
            format!("{named_by} names {}: {why}", path.display()),
        )
    };
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(path) = named(FILE) {
        let path = Path::new(&path);
        regular::check(path, LARGEST).map_err(|refused| wrong(FILE, path, refused.to_string()))?;
    }
    for folder in named(FOLDERS).iter().flat_map(std::env::split_paths) {
        regular::check_folder(&folder, LARGEST)
            .map_err(|(path, refused)| wrong(FOLDERS, &path, refused.to_string()))?;
    }
    Ok(())
}
