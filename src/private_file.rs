//! Files that nobody else may read: how they are created and replaced. How they are checked and read, connectors know too.
//!
//! A replacement is written beside its target under a fixed name, so that what a crash leaves behind is found and
//! removed by the next attempt; it is fsynced, renamed over the target, and the folder is fsynced too.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub use rotate_providers::private_file::{Refused, check, check_own, existing, no_follow, read, read_any};

use crate::hooks::crash_point;

/// Creates a file of mode 0600, whole and durably; fails where something is there already.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let (beside, mut file) = open_beside(path)?;
    let placed = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| place_new(&beside, path));
    if let Err(source) = placed {
        let _ = std::fs::remove_file(&beside);
        return Err(failed("cannot be created")(source));
    }
    crash_point("file: created");
    sync_folder(path)
}

/// A rename that never replaces. Where the file system does not know it, a link does not replace either.
fn place_new(beside: &Path, path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, beside, CWD, path, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::hard_link(beside, path).and_then(|()| std::fs::remove_file(beside))
        }
        result => Ok(result?),
    }
}

/// Puts these bytes in a file's place, whole or not at all. An existing file keeps its mode and owner.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let before = existing(path)?;
    let (beside, mut file) = open_beside(path)?;
    let written = keep_owner(&file, before.as_ref())
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all());
    if let Err(source) = written {
        let _ = std::fs::remove_file(&beside);
        return Err(Refused::Io {
            what: "cannot be written",
            source,
        });
    }
    crash_point("file: written beside");
    std::fs::rename(&beside, path).map_err(failed("cannot be put in place"))?;
    crash_point("file: in place");
    sync_folder(path)
}

/// Removes a file, durably. A file that is gone is removed.
pub fn remove(path: &Path) -> Result<(), Refused> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("cannot be removed")(error)),
        _ => sync_folder(path),
    }
}

/// Removes what a killed [`replace`] or [`create`] may have left beside a file: it may hold a secret.
pub fn sweep(path: &Path) -> Result<(), Refused> {
    match std::fs::remove_file(beside(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(
            "what an earlier attempt left beside it cannot be removed",
        )(error)),
        _ => Ok(()),
    }
}

/// Proves that [`replace`] would work for about this many bytes, and leaves no trace.
pub fn rehearse(path: &Path, bytes: usize) -> Result<(), Refused> {
    let before = existing(path)?;
    let (beside, mut file) = open_beside(path)?;
    let written = keep_owner(&file, before.as_ref())
        .and_then(|()| file.write_all(&vec![b' '; bytes]))
        .and_then(|()| file.sync_all());
    let removed = std::fs::remove_file(&beside);
    written.and(removed).map_err(failed("cannot be written"))
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> Refused {
    move |source| Refused::Io { what, source }
}

/// The replacement's own name: fixed, so that a leftover is found again.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.rotate-new"))
}

fn open_beside(path: &Path) -> Result<(PathBuf, File), Refused> {
    sweep(path)?;
    let beside = beside(path);
    let file = open_new(&beside)?;
    Ok((beside, file))
}

fn open_new(path: &Path) -> Result<File, Refused> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(path)
        .map_err(failed("cannot be created"))
}

fn keep_owner(file: &File, before: Option<&Metadata>) -> io::Result<()> {
    let Some(before) = before else { return Ok(()) };
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(before.mode() & 0o777))
}

/// Makes durable what is in this place: whoever put it there may have died before it was.
pub fn settle(path: &Path) -> Result<(), Refused> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(failed("cannot be synced"))?;
    sync_folder(path)
}

/// A rename is durable only once its folder is.
pub fn sync_folder(path: &Path) -> Result<(), Refused> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(failed("its folder cannot be synced"))
}
