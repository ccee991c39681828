//! Files that nobody else may read: how they are checked and read.

use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;

use crate::folder::Place;
pub use crate::refused::Refused;
use crate::regular::{Regular, is_regular};

/// No file of keys is larger. It is read whole, and what it held is kept until its rotation ends.
pub const LARGEST: u64 = 1 << 20;

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
