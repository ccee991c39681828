//! How every file is opened for reading: it is a regular one, or that is told at once; and no more of it is read than such a
//! file can have.
//!
//! A pipe that nobody writes to would be waited for without end, a device may do something when it is opened, and what grows
//! while it is read would fill the memory.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::folder::Place;
use crate::refused::Refused;

/// More than the 32 bytes with which `read_to_end` asks whether there is anything.
const SPARE: usize = 64;

/// A regular file that is open.
pub struct Regular {
    file: File,
    metadata: Metadata,
}

impl Regular {
    /// Opens what this path leads to, by whatever link; `None` where there is nothing.
    pub fn open(path: &Path) -> Result<Option<Self>, Refused> {
        open(CWD, path.as_os_str(), true)
    }

    /// Opens a file itself: a link is refused.
    pub fn open_itself(path: &Path) -> Result<Option<Self>, Refused> {
        open(CWD, path.as_os_str(), false)
    }

    /// Opens the file of this place itself.
    pub fn at(place: &Place) -> Result<Option<Self>, Refused> {
        open(place.folder(), place.name(), false)
    }

    /// What was found when it was opened.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The file, for what is no reading.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// All of it, unless it is larger than this.
    pub fn bytes(self, largest: u64) -> Result<Vec<u8>, Refused> {
        let size = self.metadata.len();
        if size > largest {
            return Err(Refused::TooLarge(size, largest));
        }
        // Room for everything at once: a buffer that grows leaves copies of secrets behind. With less room than this the library reads
        // into a place of its own first, and leaves it as it is.
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + SPARE);
        let mut limited = self.file.take(largest + 1);
        limited.read_to_end(&mut bytes).map_err(Refused::io("cannot be read"))?;
        match bytes.len() as u64 {
            read if read > largest => Err(Refused::TooLarge(read, largest)),
            _ => Ok(bytes),
        }
    }
}

/// Looks whether a file that a library will read can be read at all: it is a regular one, and not larger than this. One that is not
/// there is the library's to tell.
pub fn check(path: &Path, largest: u64) -> Result<(), Refused> {
    // Who wants no file names this one.
    if path == Path::new("/dev/null") {
        return Ok(());
    }
    let size = Regular::open(path)?.map_or(0, |found| found.metadata().len());
    if size > largest {
        Err(Refused::TooLarge(size, largest))
    } else {
        Ok(())
    }
}

/// The same, for a folder of which a library will read any file: which one cannot be read, and why.
pub fn check_folder(path: &Path, largest: u64) -> Result<(), (PathBuf, Refused)> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(_) => return Ok(()),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match check(&path, largest) {
            // A library goes into no folder, and passes over what it may not read.
            Ok(()) | Err(Refused::NotAFile("a folder") | Refused::Io { .. }) => {}
            Err(refused) => return Err((path, refused)),
        }
    }
    Ok(())
}

fn open(folder: impl AsFd, name: &OsStr, follow: bool) -> Result<Option<Regular>, Refused> {
    let flags = match follow {
        true => AtFlags::empty(),
        false => AtFlags::SYMLINK_NOFOLLOW,
    };
    // Even to open it may do something: a pipe's writer goes on, a device begins to work.
    match rustix::fs::statat(&folder, name, flags) {
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Refused::io("cannot be looked at")(error.into())),
        Ok(found) => is_regular(FileType::from_raw_mode(found.st_mode))?,
    }
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    let file = match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Ok(opened) => File::from(opened),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) if !follow => return Err(Refused::Symlink),
        Err(error) => return Err(Refused::io("cannot be read")(error.into())),
    };
    // It may have become another one in between.
    let metadata = file.metadata().map_err(Refused::io("cannot be looked at"))?;
    if metadata.is_file() {
        Ok(Some(Regular { file, metadata }))
    } else {
        Err(Refused::NotAFile("something else"))
    }
}

/// Refuses what is no regular file, by its name.
pub fn is_regular(sort: FileType) -> Result<(), Refused> {
    Err(match sort {
        FileType::RegularFile => return Ok(()),
        FileType::Symlink => Refused::Symlink,
        FileType::Directory => Refused::NotAFile("a folder"),
        FileType::Fifo => Refused::NotAFile("a pipe"),
        FileType::Socket => Refused::NotAFile("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Refused::NotAFile("a device"),
        FileType::Unknown => Refused::NotAFile("something else"),
    })
}
