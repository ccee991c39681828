//! Folders that hold what must stay where it is put: opened part by part, and worked in through what was opened.
//!
//! A path is only a way, and whoever owns a folder on it can make it lead elsewhere at any moment. So a folder is opened once,
//! from the root on, each part inside the one before it; all that is done to a file is then done inside the opened folder
//! ([`Place`]). A symbolic link on the way is followed only where it belongs to root or to us and stands in a folder that does:
//! anybody else's could be another one by the next call.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

pub use crate::way::{Identity, Unfit};
use crate::way::{Part, Why, is_beyond_us, is_root, walk};

/// Who may not write a folder that keeps a secret, and who may not on the way there.
const EVERYBODY_WRITES: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// A folder that is open.
pub struct Folder {
    /// The folders from the root on; the last one is this one.
    way: Vec<Part>,
    fd: OwnedFd,
}

impl Folder {
    /// Opens a folder that is there.
    pub fn open(path: &Path) -> Result<Self, Unfit> {
        let (way, fd) = walk(path, None)?;
        Ok(Self { way, fd })
    }

    /// The same; makes what is missing of it, durably and with this mode.
    pub fn make(path: &Path, mode: u32) -> Result<Self, Unfit> {
        let (way, fd) = walk(path, Some(Mode::from_raw_mode(mode)))?;
        Ok(Self { way, fd })
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
