//! Files that nobody else may read: how they are checked and read.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use rustix::fs::OFlags;

/// No file of keys is larger. It is read whole, and what it held is kept until its rotation ends.
const LARGEST: u64 = 1 << 20;

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
    /// The same, in a volume that Kubernetes projects: nobody can change a mode there.
    #[error(
        "other users may read or write it (mode {0:04o}), as in every projected volume that says nothing else; mend it in the pod's \
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
    #[error("it is for its owner alone, and others may open it (mode {0:04o}); mend it with chmod 600")]
    NotOwnersAlone(u32),
    /// Nothing that holds keys is so large.
    #[error("it has {0} bytes, and no file of keys has more than {LARGEST}")]
    TooLarge(u64),
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
    #[error("it may not be changed by anybody (chattr +i or +a); mend it with chattr -i -a")]
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

/// Looks at a file that exists: regular, ours, closed to others. Follows no link.
pub fn check(path: &Path) -> Result<Metadata, Refused> {
    let metadata = closed(path)?;
    let us = rustix::process::geteuid();
    if !us.is_root() && metadata.uid() != us.as_raw() {
        return Err(Refused::Owner(metadata.uid()));
    }
    Ok(metadata)
}

/// Looks at a file that was handed to us: ours, or the administrator's, as service managers hand over credentials.
fn handed(path: &Path) -> Result<(), Refused> {
    let metadata = closed(path)?;
    let us = rustix::process::geteuid();
    if us.is_root() || [us.as_raw(), 0].contains(&metadata.uid()) {
        Ok(())
    } else {
        Err(Refused::Owner(metadata.uid()))
    }
}

/// Looks at a file that exists: regular, and closed to others.
fn closed(path: &Path) -> Result<Metadata, Refused> {
    let metadata = path.symlink_metadata().map_err(Refused::io("cannot be looked at"))?;
    if metadata.file_type().is_symlink() {
        let is_projected = path.read_link().is_ok_and(|target| is_in_volume(&target));
        return Err(if is_projected {
            Refused::InVolume
        } else {
            Refused::Symlink
        });
    }
    if !metadata.is_file() {
        return Err(Refused::NotAFile);
    }
    let mode = metadata.mode() & 0o7777;
    match mode & 0o027 {
        0 => Ok(metadata),
        _ if is_in_volume(path) => Err(Refused::OpenInVolume(mode)),
        _ => Err(Refused::Open(mode)),
    }
}

/// Whether it leads through a folder as Kubernetes makes them in its volumes: `..data`, which links to `..2026_11_27_…`.
fn is_in_volume(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => name.as_encoded_bytes().starts_with(b".."),
        _ => false,
    })
}

/// Looks at a file like [`check`]; `None` where there is none.
pub fn existing(path: &Path) -> Result<Option<Metadata>, Refused> {
    match check(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(Refused::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Looks at a file that nobody but its owner may even read.
pub fn check_own(path: &Path) -> Result<(), Refused> {
    let mode = match check(path) {
        Err(Refused::Open(mode) | Refused::OpenInVolume(mode)) => mode,
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
    bytes(path).map(Some)
}

/// Reads a file that was handed to us.
pub fn read_handed(path: &Path) -> Result<Vec<u8>, Refused> {
    handed(path)?;
    bytes(path)
}

/// Reads a file that is only looked at, whoever else may read it, by whatever link; `None` where there is none.
pub fn read_any(path: &Path) -> Result<Option<Vec<u8>>, Refused> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refused::io("cannot be looked at")(error)),
        Ok(found) if !found.is_file() => return Err(Refused::NotAFile),
        Ok(_) => {}
    }
    let file = std::fs::File::open(path).map_err(Refused::io("cannot be read"))?;
    whole(file).map(Some)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Refused> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
        .map_err(Refused::io("cannot be read"))?;
    whole(file)
}

/// All of a file, unless it is larger than any that holds keys.
fn whole(file: std::fs::File) -> Result<Vec<u8>, Refused> {
    let size = file.metadata().map_err(Refused::io("cannot be looked at"))?.len();
    // Room for everything at once: a buffer that grows leaves copies of secrets behind.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(LARGEST)).unwrap_or_default() + 1);
    let mut limited = io::Read::take(file, LARGEST + 1);
    io::Read::read_to_end(&mut limited, &mut bytes).map_err(Refused::io("cannot be read"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Refused::TooLarge(size));
    }
    Ok(bytes)
}

/// The flag that follows no link.
pub fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}
