//! Files that nobody else may read: how they are checked, created and replaced.
//!
//! A replacement is written beside its target under a fixed name, so that what a crash leaves behind is found and
//! removed by the next attempt; it is fsynced, renamed over the target, and the folder is fsynced too.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::hooks::crash_point;

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The system's own error.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// It is a symbolic link.
    #[error("it is a symbolic link; name the file itself")]
    Symlink,
    /// It is a folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// Others may read or write it.
    #[error("other users may read or write it (mode {0:04o}); mend it with chmod o-rwx,g-w")]
    Open(u32),
    /// Its group may read it, and it is for its owner alone.
    #[error("it is for its owner alone, and others may open it (mode {0:04o}); mend it with chmod 600")]
    NotOwnersAlone(u32),
    /// It belongs to someone else.
    #[error("it belongs to user {0} and not to the user that rotate runs as")]
    Owner(u32),
}

impl Refused {
    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Looks at a file that exists: regular, ours, closed to others. Follows no link.
pub fn check(path: &Path) -> Result<Metadata, Refused> {
    let metadata = path.symlink_metadata().map_err(Refused::io("cannot be looked at"))?;
    if metadata.file_type().is_symlink() {
        return Err(Refused::Symlink);
    }
    if !metadata.is_file() {
        return Err(Refused::NotAFile);
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o027 != 0 {
        return Err(Refused::Open(mode));
    }
    let us = rustix::process::geteuid();
    if !us.is_root() && metadata.uid() != us.as_raw() {
        return Err(Refused::Owner(metadata.uid()));
    }
    Ok(metadata)
}

/// Looks at a file like [`check`]; `None` where there is none.
fn existing(path: &Path) -> Result<Option<Metadata>, Refused> {
    match check(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(Refused::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Looks at a file that nobody but its owner may even read.
pub fn check_own(path: &Path) -> Result<(), Refused> {
    let mode = match check(path) {
        Err(Refused::Open(mode)) => mode,
        checked => checked?.mode() & 0o7777,
    };
    if mode & 0o077 != 0 {
        Err(Refused::NotOwnersAlone(mode))
    } else {
        Ok(())
    }
}

/// Reads a file that passes [`check`]; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Refused> {
    if existing(path)?.is_none() {
        return Ok(None);
    }
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
        .map_err(Refused::io("cannot be read"))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(Refused::io("cannot be read"))?;
    Ok(Some(bytes))
}

/// Creates a file of mode 0600, whole and durably; fails where something is there already.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let (beside, mut file) = open_beside(path)?;
    let placed = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        // Unlike a rename, a link never replaces.
        .and_then(|()| std::fs::hard_link(&beside, path));
    let removed = std::fs::remove_file(&beside);
    placed.and(removed).map_err(Refused::io("cannot be created"))?;
    sync_folder(path)
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
    std::fs::rename(&beside, path).map_err(Refused::io("cannot be put in place"))?;
    crash_point("file: in place");
    sync_folder(path)
}

/// Removes a file, durably. A file that is gone is removed.
pub fn remove(path: &Path) -> Result<(), Refused> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Refused::io("cannot be removed")(error)),
        _ => sync_folder(path),
    }
}

/// Removes what a killed [`replace`] or [`create`] may have left beside a file: it may hold a secret.
pub fn sweep(path: &Path) -> Result<(), Refused> {
    match std::fs::remove_file(beside(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Refused::io(
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
    written.and(removed).map_err(Refused::io("cannot be written"))
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
        .map_err(Refused::io("cannot be created"))
}

fn keep_owner(file: &File, before: Option<&Metadata>) -> io::Result<()> {
    let Some(before) = before else { return Ok(()) };
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(before.mode() & 0o777))
}

/// A rename is durable only once its folder is.
fn sync_folder(path: &Path) -> Result<(), Refused> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(Refused::io("its folder cannot be synced"))
}

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}
