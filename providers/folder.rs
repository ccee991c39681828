//! Folders that hold what must stay where it is put: opened part by part, and worked in through what was opened.
//!
//! A path is only a way, and whoever owns a folder on it can make it lead elsewhere at any moment. So a folder is opened once,
//! from the root on, each part inside the one before it; all that is done to a file is then done inside the opened folder
//! ([`Place`]). A symbolic link on the way is followed only where it belongs to root or to us and stands in a folder that does:
//! anybody else's could be another one by the next call.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::shell::quoted;
use crate::way::{is_beyond_us, is_root, walk};

/// Who may not write a folder that keeps a secret, and who may not on the way there.
const EVERYBODY_WRITES: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// A file or a folder, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of what was looked at.
    pub fn of(found: &Stat) -> Self {
        Self {
            device: found.st_dev,
            inode: found.st_ino,
        }
    }
}

/// A folder that is open.
pub struct Folder {
    /// The folders from the root on; the last one is this one.
    pub(crate) way: Vec<Part>,
    pub(crate) fd: OwnedFd,
}

/// One folder of a way.
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) found: Stat,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
#[error("its folder {} {why}", path.display())]
pub struct Unfit {
    pub(crate) path: PathBuf,
    pub(crate) why: Why,
}

#[derive(Debug)]
pub(crate) enum Why {
    Missing,
    NotAFolder,
    Link(u32),
    Loop,
    Owner(u32),
    Everybody(u32),
    EverybodyOnTheWay(u32),
    Io(io::Error),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist"),
            Self::NotAFolder => f.write_str("is not a folder"),
            Self::Link(owner) => write!(
                f,
                "is a symbolic link that user {owner} can make lead elsewhere at any time; name the folder itself"
            ),
            Self::Loop => f.write_str("is a symbolic link that leads in circles"),
            Self::Owner(owner) => write!(
                f,
                "belongs to user {owner}, who can put another in its place while root works there"
            ),
            Self::Everybody(mode) => write!(f, "may be written by everybody (mode {mode:04o})"),
            Self::EverybodyOnTheWay(mode) => write!(
                f,
                "may be written by everybody (mode {mode:04o}), who can put another one in the place of what is in it"
            ),
            Self::Io(error) => write!(f, "cannot be looked at: {error}"),
        }
    }
}

impl Unfit {
    /// Whether there is no such folder.
    pub fn is_missing(&self) -> bool {
        matches!(self.why, Why::Missing)
    }

    /// The same, for whoever speaks of the folder of this path already.
    pub fn said_of(&self, path: &Path) -> String {
        if self.path == path {
            format!("it {}", self.why)
        } else {
            self.to_string()
        }
    }

    /// What fixes it.
    pub fn remedy(&self) -> String {
        let path = quoted(&self.path.to_string_lossy());
        match self.why {
            Why::Missing => format!("mkdir -p {path}"),
            Why::Owner(owner) => format!(
                "run rotate as user {owner}, or make the folder root's own: chown root {path}; where the file is to be user \
                 {owner}'s, make it first: install -m 600 -o {owner} /dev/null FILE"
            ),
            Why::Everybody(_) => format!("use a folder of your own, or: chmod o-w {path}"),
            Why::EverybodyOnTheWay(_) => format!("chmod o-w {path}"),
            Why::NotAFolder | Why::Link(_) | Why::Loop | Why::Io(_) => {
                "name a folder that the user who runs rotate, or root, has made".to_owned()
            }
        }
    }
}

impl Folder {
    /// Opens a folder that is there.
    pub fn open(path: &Path) -> Result<Self, Unfit> {
        walk(path, None)
    }

    /// The same; makes what is missing of it, durably and with this mode.
    pub fn make(path: &Path, mode: u32) -> Result<Self, Unfit> {
        walk(path, Some(Mode::from_raw_mode(mode)))
    }

    /// Its path, without a link on it.
    pub fn path(&self) -> &Path {
        self.way.last().map_or(Path::new("/"), |part| part.path.as_path())
    }

    /// Who it is, whatever its path leads to by now.
    pub fn identity(&self) -> Option<Identity> {
        self.way.last().map(|part| Identity::of(&part.found))
    }

    /// Whether this folder is on its way, or is it.
    pub fn is_within(&self, other: Identity) -> bool {
        self.way.iter().any(|part| Identity::of(&part.found) == other)
    }

    /// Its mode and its owner, as it was opened.
    pub fn mode_and_owner(&self) -> (u32, u32) {
        self.way
            .last()
            .map_or((0, 0), |part| (part.found.st_mode & 0o7777, part.found.st_uid))
    }

    /// Whether a secret may be kept in it, in a file of this owner: nobody else may put another one in its place. What root
    /// does in somebody's folder, that user could turn against others.
    pub fn keeps_for(&self, owner: Option<u32>) -> Result<(), Unfit> {
        let root = is_root();
        for (at, part) in self.way.iter().rev().enumerate() {
            let (mode, its) = (part.found.st_mode & 0o7777, part.found.st_uid);
            let refused = |why| {
                Err(Unfit {
                    path: part.path.clone(),
                    why,
                })
            };
            match mode & (EVERYBODY_WRITES | STICKY) {
                EVERYBODY_WRITES | 0o1002 if at == 0 => return refused(Why::Everybody(mode)),
                EVERYBODY_WRITES if root => return refused(Why::EverybodyOnTheWay(mode)),
                _ => {}
            }
            if root && its != 0 && Some(its) != owner && !is_beyond_us(its) {
                return refused(Why::Owner(its));
            }
        }
        Ok(())
    }

    /// What it holds is durable only once it is, too.
    pub fn sync(&self) -> io::Result<()> {
        let readable = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.fd, ".", readable, Mode::empty())?;
        Ok(rustix::fs::fsync(opened)?)
    }

    /// The names of what is in it.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let readable = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.fd, ".", readable, Mode::empty())?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(opened)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// A file of this name in it, whether it is there or not.
    pub fn place(self: &Arc<Self>, name: impl Into<OsString>) -> Place {
        Place {
            folder: Arc::clone(self),
            name: name.into(),
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Where a file is, or will be: in a folder that is open.
#[derive(Clone)]
pub struct Place {
    folder: Arc<Folder>,
    name: OsString,
}

impl Place {
    /// The place that this path names, in the folder that it leads to now.
    pub fn of(path: &Path) -> Result<Self, Unfit> {
        let Some(name) = path.file_name() else {
            return Err(Unfit {
                path: path.to_owned(),
                why: Why::NotAFolder,
            });
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = Arc::new(Folder::open(folder.unwrap_or(Path::new(".")))?);
        Ok(folder.place(name))
    }

    /// Its folder.
    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Its name there.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its path, for people.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// What is there, itself and not what a link leads to; `None` where there is nothing.
    pub fn look(&self) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            found => Ok(Some(found?)),
        }
    }
}
