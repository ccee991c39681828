//! Files that nobody else may read: how they are created and replaced. How they are checked and read, connectors know too.
//!
//! A replacement is written beside its target under a fixed name, so that what a crash leaves behind is found and
//! removed by the next attempt; it is fsynced, renamed over the target, and the folder is fsynced too. Before a secret is
//! written into it, it is open to those alone to whom the target is: owner, mode, access list and labels are the same.

mod attributes;
mod replaceable;

use std::ffi::OsString;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

pub use rotate_providers::folder::{Folder, Place, Unfit};
pub use rotate_providers::private_file::{Refused, existing, is_own, open_own, read, read_any};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::hooks::crash_point;
use attributes::Attributes;

/// Creates a file of mode 0600, whole and durably; fails where something is there already.
pub fn create(place: &Place, bytes: &[u8]) -> Result<(), Refused> {
    let (beside, mut file) = open_beside(place)?;
    let placed = like(&file, None).and_then(|()| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let placed = written.and_then(|()| place_new(&beside, place));
        placed.map_err(failed("cannot be created"))
    });
    if placed.is_err() {
        let _ = unlink(&beside);
        return placed;
    }
    crash_point("file: created");
    sync_folder(place.folder())
}

/// A rename that never replaces. Where the file system does not know it, a link does not replace either.
fn place_new(beside: &Place, place: &Place) -> io::Result<()> {
    use rustix::fs::{RenameFlags, linkat, renameat_with};
    let (folder, from, to) = (place.folder(), beside.name(), place.name());
    match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            linkat(folder, from, folder, to, AtFlags::empty())?;
            unlink(beside)
        }
        result => Ok(result?),
    }
}

/// Puts these bytes in a file's place, whole or not at all. An existing file keeps its owner, mode, access list and labels.
pub fn replace(place: &Place, bytes: &[u8]) -> Result<(), Refused> {
    let before = replaced(place)?;
    let (beside, mut file) = open_beside(place)?;
    let written = like(&file, before.as_ref()).and_then(|()| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(failed("cannot be written"))
    });
    if written.is_err() {
        let _ = unlink(&beside);
        return written;
    }
    crash_point("file: written beside");
    rename(&beside, place).map_err(failed("cannot be put in place"))?;
    crash_point("file: in place");
    is_in_place(&file, place)?;
    sync_folder(place.folder())
}

/// Puts these bytes in the place of a file that everybody may read, as it is done with one that nobody may: whole or not at all. Nothing
/// is followed.
pub fn publish(place: &Place, bytes: &[u8]) -> Result<(), Refused> {
    rotate_providers::regular::Regular::at(place)?;
    let (beside, mut file) = open_beside(place)?;
    let written = file
        .set_permissions(Permissions::from_mode(0o644))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| rename(&beside, place));
    written.map_err(|error| {
        let _ = unlink(&beside);
        failed("cannot be written")(error)
    })
}

/// Removes a file, durably. A file that is gone is removed.
pub fn remove(place: &Place) -> Result<(), Refused> {
    match unlink(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("cannot be removed")(error)),
        _ => sync_folder(place.folder()),
    }
}

/// Removes what a killed [`replace`] or [`create`] may have left beside a file: it may hold a secret.
pub fn sweep(place: &Place) -> Result<(), Refused> {
    match unlink(&beside(place)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(
            "what an earlier attempt left beside it cannot be removed",
        )(error)),
        _ => Ok(()),
    }
}

/// Looks whether [`replace`] could work. Changes nothing.
pub fn is_replaceable(place: &Place) -> Result<(), Refused> {
    replaced(place).map(|_| ())
}

/// Proves that [`replace`] would work for about this many bytes, and leaves no trace.
pub fn rehearse(place: &Place, bytes: usize) -> Result<(), Refused> {
    let before = replaced(place)?;
    let (beside, mut file) = open_beside(place)?;
    let written = like(&file, before.as_ref()).and_then(|()| {
        let written = file.write_all(&vec![b' '; bytes]).and_then(|()| file.sync_all());
        written.map_err(failed("cannot be written"))
    });
    let removed = unlink(&beside).map_err(failed("cannot be written"));
    written.and(removed)
}

/// What a replacement takes over from the file that it replaces.
struct Replaced {
    metadata: Metadata,
    attributes: Attributes,
}

/// Looks at the file that is to be replaced; `None` where there is none.
fn replaced(place: &Place) -> Result<Option<Replaced>, Refused> {
    let Some(found) = existing(place)? else {
        return Ok(None);
    };
    replaceable::check(place)?;
    let attributes = Attributes::of(found.file())?;
    let metadata = found.metadata().clone();
    Ok(Some(Replaced { metadata, attributes }))
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> Refused {
    move |source| Refused::Io { what, source }
}

/// The replacement's own name: fixed, so that a leftover is found again.
fn beside(place: &Place) -> Place {
    let mut name = OsString::from(".");
    name.push(place.name());
    name.push(".rotate-new");
    place.folder().place(name)
}

fn open_beside(place: &Place) -> Result<(Place, File), Refused> {
    sweep(place)?;
    let beside = beside(place);
    let file = open_new(&beside)?;
    Ok((beside, file))
}

fn open_new(place: &Place) -> Result<File, Refused> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let owners = Mode::from_raw_mode(0o600);
    match rustix::fs::openat(place.folder(), place.name(), flags, owners) {
        Ok(opened) => Ok(File::from(opened)),
        Err(error) => Err(failed("cannot be created")(error.into())),
    }
}

fn rename(from: &Place, to: &Place) -> io::Result<()> {
    Ok(rustix::fs::renameat(
        from.folder(),
        from.name(),
        to.folder(),
        to.name(),
    )?)
}

fn unlink(place: &Place) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(place.folder(), place.name(), AtFlags::empty())?)
}

/// Whether it is this file that lies there now: whoever else may write the folder could have taken its name before.
fn is_in_place(file: &File, place: &Place) -> Result<(), Refused> {
    let ours = file.metadata().map_err(failed("cannot be looked at"))?;
    match place.look().map_err(failed("cannot be looked at"))? {
        Some(there) if (there.st_dev, there.st_ino) == (ours.dev(), ours.ino()) => Ok(()),
        _ => Err(Refused::Swapped),
    }
}

/// Opens an empty file to those to whom that one was open, and to nobody on the way there: who opens it while it is empty reads
/// the secret later. A file that replaces none is its owner's alone, whatever list its folder gives to new files.
fn like(file: &File, before: Option<&Replaced>) -> Result<(), Refused> {
    attributes::without_access_list(file)?;
    let permit = |mode| {
        let permitted = file.set_permissions(Permissions::from_mode(mode));
        permitted.map_err(failed("its mode cannot be set"))
    };
    permit(0o600)?;
    let Some(Replaced { metadata, attributes }) = before else {
        return Ok(());
    };
    let now = file.metadata().map_err(failed("cannot be looked at"))?;
    if (now.uid(), now.gid()) != (metadata.uid(), metadata.gid()) {
        std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()))
            .map_err(failed("its owner cannot be kept"))?;
    }
    attributes.put_on(file)?;
    let mode = metadata.mode() & 0o777;
    // An access list brings its mode along; with the mode first, the group would have what the list keeps from it.
    if !attributes.has_access_list() {
        permit(mode)?;
    }
    let now = file.metadata().map_err(failed("cannot be looked at"))?;
    if (now.uid(), now.gid(), now.mode() & 0o777) == (metadata.uid(), metadata.gid(), mode) {
        Ok(())
    } else {
        Err(failed("its owner and mode cannot be kept")(
            io::ErrorKind::Unsupported.into(),
        ))
    }
}

/// Makes durable what is in this place: whoever put it there may have died before it was.
pub fn settle(place: &Place) -> Result<(), Refused> {
    if let Some(found) = existing(place)? {
        found.file().sync_all().map_err(failed("cannot be synced"))?;
    }
    sync_folder(place.folder())
}

/// A rename is durable only once its folder is.
pub fn sync_folder(folder: &Folder) -> Result<(), Refused> {
    folder.sync().map_err(failed("its folder cannot be synced"))
}
