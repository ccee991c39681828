//! One writer at a time.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::private_file::{self, Place, Refused};
use crate::store::StoreError;

/// A process's number is no longer.
const LONGEST: u64 = 20;

/// What one writer holds: given back by the system when its holder dies, however it dies.
pub(in crate::store) struct Lock {
    _file: File,
    /// Whoever removes the file, taking it for a leftover, has not given the state to another.
    _folder: File,
}

/// The embedded lease: locks on the state folder itself, and on a file in it that says who has them.
pub(super) fn take(place: &Place) -> Result<Lock, StoreError> {
    let folder = opened(place, ".", OFlags::RDONLY | OFlags::DIRECTORY)?;
    if !locked(place, &folder)? {
        return Err(StoreError::Held(holder(place)));
    }
    private_file::is_own(place).map_err(|refused| not_safe(place, &refused))?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = opened(place, place.name(), flags)?;
    // It may have become another one in between.
    private_file::is_own(place).map_err(|refused| not_safe(place, &refused))?;
    // A version that locked the file alone may be at work.
    if !locked(place, &file)? {
        return Err(StoreError::Held(holder(place)));
    }
    // For the message above only.
    let _ = file.set_len(0).and_then(|()| file.rewind());
    let _ = writeln!(file, "{}", std::process::id());
    Ok(Lock {
        _file: file,
        _folder: folder,
    })
}

fn opened(place: &Place, name: impl rustix::path::Arg, flags: OFlags) -> Result<File, StoreError> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(place.folder().as_fd(), name, flags, Mode::from_raw_mode(0o600)) {
        Ok(opened) => Ok(File::from(opened)),
        Err(Errno::LOOP) => Err(not_safe(place, &Refused::Symlink)),
        Err(error) => Err(fault(place, &error.into())),
    }
}

/// Whether it is ours now.
fn locked(place: &Place, file: &File) -> Result<bool, StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(fault(place, &error)),
    }
}

/// ` (process 4711)`, where the file says so.
fn holder(place: &Place) -> String {
    let mut text = String::new();
    if let Ok(Some(found)) = private_file::open_own(place) {
        let _ = found.file().take(LONGEST).read_to_string(&mut text);
    }
    let number = text.trim();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        String::new()
    } else {
        format!(" (process {number})")
    }
}

fn not_safe(place: &Place, refused: &Refused) -> StoreError {
    StoreError::Unsafe {
        path: place.path(),
        why: refused.to_string(),
    }
}

fn fault(place: &Place, error: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", place.path().display()))
}
