//! Paths as people write them, and the folders that they lead to.

use std::path::{Path, PathBuf};

use super::Fault;

/// Whether the file's folder is there.
pub(super) fn check_folder(path: &Path) -> Result<(), Fault> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let refused = |why| Err(Fault::Folder(folder.display().to_string(), why));
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => refused("is not a folder"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => refused("does not exist"),
        Err(_) => refused("cannot be looked at"),
    }
}

/// A path that means the same wherever the program runs next time.
pub(super) fn absolute(path: &str) -> Result<PathBuf, Fault> {
    let path = match path.strip_prefix("~/") {
        Some(rest) => home()?.join(rest),
        None => PathBuf::from(path),
    };
    let path = std::path::absolute(&path).map_err(|_| Fault::Name("the path names no file"))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Fault::Name("the path names no file"));
    };
    // One file has one name, whatever way leads to its folder.
    Ok(match folder.canonicalize() {
        Ok(folder) => folder.join(name),
        Err(_) => path,
    })
}

pub(super) fn home() -> Result<PathBuf, Fault> {
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .ok_or(Fault::Name("the home folder is not known; write the whole path"))
}

pub(super) fn text(path: &Path) -> Result<&str, Fault> {
    path.to_str()
        .filter(|path| !path.chars().any(char::is_control))
        .ok_or(Fault::Name("the path has characters that cannot be written down"))
}
