//! Files that nobody else may read: how they are created and replaced. How they are checked and read, connectors know too.
//!
//! A replacement is written beside its target under a fixed name, so that what a crash leaves behind is found and
//! removed by the next attempt; it is fsynced, renamed over the target, and the folder is fsynced too. Before a secret is
//! written into it, it is open to those alone to whom the target is: owner, mode, access list and labels are the same.

mod attributes;
mod replaceable;

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub use rotate_providers::private_file::{Refused, check, check_own, existing, no_follow, read, read_any};

use crate::hooks::crash_point;
use attributes::Attributes;

/// Creates a file of mode 0600, whole and durably; fails where something is there already.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let (beside, mut file) = open_beside(path)?;
    let placed = like(&file, None).and_then(|()| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let placed = written.and_then(|()| place_new(&beside, path));
        placed.map_err(failed("cannot be created"))
    });
    if placed.is_err() {
        let _ = std::fs::remove_file(&beside);
        return placed;
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

/// Puts these bytes in a file's place, whole or not at all. An existing file keeps its owner, mode, access list and labels.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let before = replaced(path)?;
    let (beside, mut file) = open_beside(path)?;
    let written = like(&file, before.as_ref()).and_then(|()| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(failed("cannot be written"))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
        return written;
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

/// Looks whether [`replace`] could work. Changes nothing.
pub fn is_replaceable(path: &Path) -> Result<(), Refused> {
    replaced(path).map(|_| ())
}

/// Proves that [`replace`] would work for about this many bytes, and leaves no trace.
pub fn rehearse(path: &Path, bytes: usize) -> Result<(), Refused> {
    let before = replaced(path)?;
    let (beside, mut file) = open_beside(path)?;
    let written = like(&file, before.as_ref()).and_then(|()| {
        let written = file.write_all(&vec![b' '; bytes]).and_then(|()| file.sync_all());
        written.map_err(failed("cannot be written"))
    });
    let removed = std::fs::remove_file(&beside).map_err(failed("cannot be written"));
    written.and(removed)
}

/// What a replacement takes over from the file that it replaces.
struct Replaced {
    metadata: Metadata,
    attributes: Attributes,
}

/// Looks at the file that is to be replaced; `None` where there is none.
fn replaced(path: &Path) -> Result<Option<Replaced>, Refused> {
    let Some(metadata) = existing(path)? else {
        return Ok(None);
    };
    replaceable::check(path)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
        .map_err(failed("cannot be read"))?;
    let attributes = Attributes::of(&file)?;
    Ok(Some(Replaced { metadata, attributes }))
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

/// Opens an empty file to those to whom that one was open, and to nobody on the way there: who opens it while it is empty reads
/// the secret later. A file that replaces none is its owner's alone, whatever list its folder gives to new files.
fn like(file: &File, before: Option<&Replaced>) -> Result<(), Refused> {
    attributes::without_access_list(file)?;
    let permit = |mode| {
        let permitted = file.set_permissions(Permissions::from_mode(mode));
        permitted.map_err(failed("its mode cannot be set"))
    };
    permit(0o600)?;
    let Some(Replaced { metadata, attributes }) = before else {
        return Ok(());
    };
    let now = file.metadata().map_err(failed("cannot be looked at"))?;
    if (now.uid(), now.gid()) != (metadata.uid(), metadata.gid()) {
        std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()))
            .map_err(failed("its owner cannot be kept"))?;
    }
    attributes.put_on(file)?;
    let mode = metadata.mode() & 0o777;
    // An access list brings its mode along; with the mode first, the group would have what the list keeps from it.
    if !attributes.has_access_list() {
        permit(mode)?;
    }
    let now = file.metadata().map_err(failed("cannot be looked at"))?;
    if (now.uid(), now.gid(), now.mode() & 0o777) == (metadata.uid(), metadata.gid(), mode) {
        Ok(())
    } else {
        Err(failed("its owner and mode cannot be kept")(
            io::ErrorKind::Unsupported.into(),
        ))
    }
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
