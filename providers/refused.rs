//! Why a file is not used, and what its owner can do about it.

use std::io;

use crate::folder::Unfit;

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

    /// The system's own error, where this was tried.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
