//! The way to a folder, walked part by part: each folder is opened inside the one before it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::shell::quoted;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

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

/// The way from the root on, as it is walked.
struct Walk {
    /// The folders so far.
    way: Vec<Part>,
    fd: OwnedFd,
    /// What is still to come.
    parts: VecDeque<OsString>,
    links: usize,
}

/// Opens the folder that a path leads to; what is missing of it is made, where a mode for it is given.
pub(crate) fn walk(path: &Path, make: Option<Mode>) -> Result<(Vec<Part>, OwnedFd), Unfit> {
    let failed = |error: io::Error| Unfit {
        path: path.to_owned(),
        why: Why::Io(error),
    };
    let whole = std::path::absolute(path).map_err(failed)?;
    let mut walk = Walk {
        way: Vec::new(),
        fd: folder_in(CWD, OsStr::new("/")).map_err(|error| failed(error.into()))?,
        parts: VecDeque::new(),
        links: 0,
    };
    walk.arrive(PathBuf::from("/"))?;
    walk.ahead(&whole);
    while let Some(part) = walk.parts.pop_front() {
        walk.step(&part, path, make)?;
    }
    Ok((walk.way, walk.fd))
}

impl Walk {
    /// Puts the parts of a path before those that are still to come.
    fn ahead(&mut self, path: &Path) {
        for part in path.components().rev() {
            match part {
                Component::Normal(name) => self.parts.push_front(name.to_owned()),
                Component::ParentDir => self.parts.push_front("..".into()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
    }

    fn here(&self) -> &Path {
        self.way.last().map_or(Path::new("/"), |part| part.path.as_path())
    }

    fn step(&mut self, part: &OsStr, wanted: &Path, make: Option<Mode>) -> Result<(), Unfit> {
        let path = self.here().join(part);
        let unfit = |why| Unfit {
            path: path.clone(),
            why,
        };
        let failed = |error: Errno| unfit(Why::Io(error.into()));
        if part == ".." {
            // Where one comes out is known only there: the way is walked anew.
            let up = self.here().parent().unwrap_or(Path::new("/")).to_owned();
            return self.restart(&up).map_err(failed);
        }
        let found = match rustix::fs::statat(&self.fd, part, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => match make {
                Some(mode) => self.make(part, mode).map_err(failed)?,
                None => {
                    return Err(Unfit {
                        path: std::path::absolute(wanted).unwrap_or_else(|_| wanted.to_owned()),
                        why: Why::Missing,
                    });
                }
            },
            Err(Errno::NOTDIR) => return Err(unfit(Why::NotAFolder)),
            found => found.map_err(failed)?,
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Symlink => self.follow(part, &found, &path),
            FileType::Directory => {
                self.fd = folder_in(&self.fd, part).map_err(|error| match error {
                    // It was one a moment ago.
                    Errno::LOOP | Errno::NOTDIR => unfit(Why::NotAFolder),
                    error => failed(error),
                })?;
                self.arrive(path)
            }
            _ => Err(unfit(Why::NotAFolder)),
        }
    }

    fn follow(&mut self, part: &OsStr, link: &Stat, path: &Path) -> Result<(), Unfit> {
        let unfit = |why| Unfit {
            path: path.to_owned(),
            why,
        };
        let failed = |error: Errno| unfit(Why::Io(error.into()));
        let around = self.way.last().map_or(0, |part| part.found.st_uid);
        if let Some(other) = [link.st_uid, around].into_iter().find(|owner| !is_ours(*owner)) {
            return Err(unfit(Why::Link(other)));
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(unfit(Why::Loop));
        }
        let target = rustix::fs::readlinkat(&self.fd, part, Vec::new()).map_err(failed)?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        self.ahead(&target);
        if target.is_absolute() {
            self.restart(Path::new("/")).map_err(failed)?;
        }
        Ok(())
    }

    /// Goes back to a folder that was passed already, or to the root.
    fn restart(&mut self, path: &Path) -> Result<(), Errno> {
        while self.way.len() > 1 && self.here() != path {
            self.way.pop();
        }
        self.fd = folder_in(CWD, OsStr::new("/"))?;
        for part in self.way.iter().skip(1) {
            let name = part.path.file_name().unwrap_or_default();
            self.fd = folder_in(&self.fd, name)?;
            // Someone has moved it meanwhile.
            if Identity::of(&rustix::fs::fstat(&self.fd)?) != Identity::of(&part.found) {
                return Err(Errno::AGAIN);
            }
        }
        Ok(())
    }

    fn make(&self, part: &OsStr, mode: Mode) -> Result<Stat, Errno> {
        match rustix::fs::mkdirat(&self.fd, part, mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        // What is kept in a folder is lost with its name. Where a folder may not be read, nobody can do that.
        let readable = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if let Ok(opened) = rustix::fs::openat(&self.fd, ".", readable, Mode::empty())
            && let Err(error) = rustix::fs::fsync(opened)
        {
            tracing::warn!("{} could not be synced: {error}", self.here().display());
        }
        rustix::fs::statat(&self.fd, part, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn arrive(&mut self, path: PathBuf) -> Result<(), Unfit> {
        match rustix::fs::fstat(&self.fd) {
            Ok(found) => {
                self.way.push(Part { path, found });
                Ok(())
            }
            Err(error) => Err(Unfit {
                path,
                why: Why::Io(error.into()),
            }),
        }
    }
}

/// Opens a folder of this one, to go through it and no more: it need not be readable.
fn folder_in(folder: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether what belongs to this user only we can change, or who can do everything anyway.
fn is_ours(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw() || is_beyond_us(owner)
}

/// Whether this user is none of this user namespace. Root of one has no power over what belongs to those outside of it, and has
/// to take their folders as they are; `man 7 user_namespaces`.
pub(crate) fn is_beyond_us(owner: u32) -> bool {
    *UNMAPPED == Some(owner)
}

/// The number under which all users are seen that this user namespace does not know; `None` where it knows them all.
static UNMAPPED: LazyLock<Option<u32>> = LazyLock::new(|| {
    let read = |path| std::fs::read_to_string(path).ok();
    let shown = read("/proc/sys/kernel/overflowuid")?.trim().parse().ok()?;
    let map = read("/proc/self/uid_map")?;
    (!maps(&map, shown)).then_some(shown)
});

/// Whether a map has this user: lines of first, first outside, and how many.
fn maps(map: &str, user: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        let (first, count) = (numbers.next(), numbers.nth(1));
        matches!((first, count), (Some(first), Some(count)) if (first..first.saturating_add(count)).contains(&u64::from(user)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_a_user_namespace_tells_who_is_outside_of_it() {
        assert!(maps("         0          0 4294967295\n", 65534));
        assert!(!maps("         0       1000          1\n", 65534));
        assert!(!maps("0 1000 1\n1 100000 65533\n", 65534));
        assert!(maps("0 1000 1\n1 100000 65534\n", 65534));
        assert!(!maps("", 65534));
    }
}
