//! Paths as people write them, and the places that they lead to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Fault, ours};
use crate::private_file::{Folder, Place, Refused};

/// The place of a file that a new secret is to be written to: nobody else can put another in its stead, and it is none of our
/// own files.
pub(super) fn fit(path: &Path) -> Result<Place, Fault> {
    let place = Place::of(path).map_err(Refused::from)?;
    keeps(&place)?;
    ours::refuse(&place)?;
    Ok(place)
}

fn keeps(place: &Place) -> Result<(), Refused> {
    let found = place.look().map_err(|source| Refused::Io {
        what: "cannot be looked at",
        source,
    })?;
    // A file that is not there yet will belong to whoever makes it.
    let owner = found.map(|found| found.st_uid);
    Ok(place.folder().keeps_for(owner)?)
}

/// The place of a file that may hold a secret of ours; `None` where not even its folder is there any more.
pub(super) fn known(path: &Path) -> Result<Option<Place>, Fault> {
    match Place::of(path) {
        Ok(place) => Ok(Some(place)),
        Err(unfit) if unfit.is_missing() => Ok(None),
        Err(unfit) => Err(Refused::from(unfit).into()),
    }
}

/// Whether the path still leads to this place: consumers come by the path.
pub(super) fn leads_to(path: &Path, place: &Place) -> bool {
    Place::of(path).is_ok_and(|now| now.folder().identity() == place.folder().identity())
}

/// Where folders lead, for whoever names many files at one moment: each folder is opened once. Not to be kept.
#[derive(Default)]
pub struct Folders(HashMap<PathBuf, Option<PathBuf>>);

impl Folders {
    /// The folder's one path; `None` where it cannot be opened.
    fn lead_to(&mut self, folder: &Path) -> Option<&Path> {
        if !self.0.contains_key(folder) {
            let opened = Folder::open(folder).ok().map(|opened| opened.path().to_owned());
            self.0.insert(folder.to_owned(), opened);
        }
        self.0.get(folder)?.as_deref()
    }
}

/// A path that means the same wherever the program runs next time.
pub(super) fn absolute(path: &str, folders: &mut Folders) -> Result<PathBuf, Fault> {
    let path = match path.strip_prefix("~/") {
        Some(rest) => home()?.join(rest),
        None => PathBuf::from(path),
    };
    let path = std::path::absolute(&path).map_err(|_| Fault::Name("the path names no file"))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Fault::Name("the path names no file"));
    };
    // One file has one name, whatever way leads to its folder.
    Ok(match folders.lead_to(folder) {
        Some(folder) => folder.join(name),
        None => path,
    })
}

pub(super) fn home() -> Result<PathBuf, Fault> {
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .ok_or(Fault::Name("the home folder is not known; write the whole path"))
}

pub(super) fn text(path: &Path) -> Result<&str, Fault> {
    path.to_str()
        .filter(|path| !path.chars().any(char::is_control))
        .ok_or(Fault::Name("the path has characters that cannot be written down"))
}
