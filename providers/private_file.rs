//! Files that nobody else may read: how they are checked and read.

use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;

use crate::folder::{Place, Unfit};
use crate::regular::{Regular, is_regular};

/// No file of keys is larger. It is read whole, and what it held is kept until its rotation ends.
pub const LARGEST: u64 = 1 << 20;

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
    /// Its folder is not there, or not to be trusted.
    #[error(transparent)]
    Folder(#[from] Unfit),
    /// It is this, which is not read from.
    #[error("it is {0} and not a regular file")]
    NotAFile(&'static str),
    /// Somebody put something else in its place while it was written.
    #[error("somebody else put another file in its place while it was written; stop that first")]
    Swapped,
    /// Others may read or write it.
    #[error("other users may read or write it (mode {0:04o}); fix it with chmod o-rwx,g-w")]
    Open(u32),
    /// The same, in a volume that Kubernetes projects: nobody can change a mode there.
    #[error(
        "other users may read or write it (mode {0:04o}), as in every projected volume that says nothing else; fix it in the pod's \
         spec: defaultMode: 0440 in the volume, and fsGroup in the securityContext"
    )]
    OpenInVolume(u32),
    /// A file that only Kubernetes writes.
    #[error(
        "it is in a volume that Kubernetes projects (a Secret or a ConfigMap), where nobody else can write; deliver to a volume \
         that can be written, or to what the volume is projected from"
    )]
    InVolume,
    /// Its group may read it, and it is for its owner alone.
    #[error("it is for its owner alone, and others may open it (mode {0:04o}); fix it with chmod 600")]
    NotOwnersAlone(u32),
    /// Nothing that is read here is so large.
    #[error("it has {0} bytes, and no file of this kind has more than {1}")]
    TooLarge(u64, u64),
    /// Who may open it beyond its mode is not known, or cannot be kept.
    #[error(
        "its {name} cannot be {what} ({source}), and whoever replaces the file without it opens it to others or closes it; \
         take it off with setfacl -b or setfattr -x, or run rotate as a user who may"
    )]
    Attribute {
        /// What it is.
        name: String,
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Something is mounted in its place.
    #[error(
        "it is a mount point of its own (a bind mount, or a subPath of a volume), in whose place no other file can be put; \
         mount the folder that it is in"
    )]
    MountPoint,
    /// Its flags forbid a change.
    #[error("it may not be changed by anybody (chattr +i or +a); fix it with chattr -i -a")]
    Immutable,
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

/// Opens a file that exists: regular, ours, closed to others; `None` where there is none. Follows no link.
pub fn existing(place: &Place) -> Result<Option<Regular>, Refused> {
    let Some(found) = regular(place)? else {
        return Ok(None);
    };
    let (mode, owner) = (found.metadata().mode(), found.metadata().uid());
    closed(mode, &place.path())?;
    let us = rustix::process::geteuid();
    if us.is_root() || owner == us.as_raw() {
        Ok(Some(found))
    } else {
        Err(Refused::Owner(owner))
    }
}

/// Reads a file that passes [`existing`].
pub fn read(place: &Place) -> Result<Option<Vec<u8>>, Refused> {
    existing(place)?.map(|found| found.bytes(LARGEST)).transpose()
}

/// Looks at a file of the program's own, without opening it: nobody but us may even read it. Whether there is one.
pub fn is_own(place: &Place) -> Result<bool, Refused> {
    let Some(found) = place.look().map_err(Refused::io("cannot be looked at"))? else {
        return Ok(false);
    };
    is_regular(FileType::from_raw_mode(found.st_mode))?;
    own(found.st_mode, found.st_uid)?;
    Ok(true)
}

/// Opens a file of the program's own, which nobody but us may even read.
pub fn open_own(place: &Place) -> Result<Option<Regular>, Refused> {
    let Some(found) = Regular::at(place)? else {
        return Ok(None);
    };
    own(found.metadata().mode(), found.metadata().uid())?;
    Ok(Some(found))
}

/// Reads a file that was handed to us: ours, or the administrator's, as service managers hand over credentials.
pub fn read_handed(path: &Path) -> Result<Vec<u8>, Refused> {
    let Some(found) = Regular::open_itself(path)? else {
        return Err(Refused::io("cannot be looked at")(io::ErrorKind::NotFound.into()));
    };
    let (mode, owner) = (found.metadata().mode(), found.metadata().uid());
    closed(mode, path)?;
    let us = rustix::process::geteuid();
    if us.is_root() || [us.as_raw(), 0].contains(&owner) {
        found.bytes(LARGEST)
    } else {
        Err(Refused::Owner(owner))
    }
}

/// Reads a file that is only looked at, whoever else may read it, by whatever link; `None` where there is none.
pub fn read_any(path: &Path) -> Result<Option<Vec<u8>>, Refused> {
    Regular::open(path)?.map(|found| found.bytes(LARGEST)).transpose()
}

/// A link into a volume of Kubernetes is told as what it is.
fn regular(place: &Place) -> Result<Option<Regular>, Refused> {
    Regular::at(place).map_err(|refused| match refused {
        Refused::Symlink if leads_into_a_volume(place) => Refused::InVolume,
        refused => refused,
    })
}

fn leads_into_a_volume(place: &Place) -> bool {
    let target = rustix::fs::readlinkat(place.folder(), place.name(), Vec::new());
    target.is_ok_and(|target| is_in_volume(&PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes()))))
}

/// Others may not read it, nor may its group write it.
fn closed(mode: u32, path: &Path) -> Result<(), Refused> {
    let mode = mode & 0o7777;
    match mode & 0o027 {
        0 => Ok(()),
        _ if is_in_volume(path) => Err(Refused::OpenInVolume(mode)),
        _ => Err(Refused::Open(mode)),
    }
}

fn own(mode: u32, owner: u32) -> Result<(), Refused> {
    let mode = mode & 0o7777;
    if mode & 0o077 != 0 {
        Err(Refused::NotOwnersAlone(mode))
    } else if owner != rustix::process::geteuid().as_raw() {
        Err(Refused::Owner(owner))
    } else {
        Ok(())
    }
}

/// Whether it leads through a folder as Kubernetes makes them in its volumes: `..data`, which links to `..2026_11_27_…`.
fn is_in_volume(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => name.as_encoded_bytes().starts_with(b".."),
        _ => false,
    })
}
