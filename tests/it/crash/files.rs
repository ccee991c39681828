//! A folder as it lies on the disk, to look at and to come back to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every file and folder below one, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the folder.
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    /// `None`: it is a folder.
    pub(crate) bytes: Option<Arc<[u8]>>,
}

impl Files {
    /// What is there now.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut entries = Vec::new();
        collect(folder, Path::new(""), &mut entries);
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self(entries)
    }

    /// Makes the folder what it was, given what is there now.
    pub(crate) fn put_back(&self, folder: &Path) {
        let now = Self::of(folder);
        for entry in now.0.iter().rev() {
            if entry.path.extension().is_some_and(|ending| ending == "db") {
                let index = folder.join(entry.path.with_extension("db-shm"));
                let _ = fs::remove_file(index);
            }
            let stays = |kept: &&Entry| kept.path == entry.path && kept.bytes.is_some() == entry.bytes.is_some();
            if self.0.iter().find(stays).is_none() {
                let path = folder.join(&entry.path);
                match entry.bytes {
                    Some(_) => fs::remove_file(path).unwrap(),
                    None => fs::remove_dir_all(path).unwrap(),
                }
            }
        }
        for entry in &self.0 {
            let path = folder.join(&entry.path);
            match &entry.bytes {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::create_dir_all(&path).unwrap(),
            }
            fs::set_permissions(&path, Permissions::from_mode(entry.mode)).unwrap();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// A file's bytes.
    pub(crate) fn bytes(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        let entry = self.0.iter().find(|entry| entry.path == path.as_ref())?;
        entry.bytes.as_deref()
    }
}

fn collect(folder: &Path, below: &Path, entries: &mut Vec<Entry>) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        // SQLite makes its index of the log anew whenever nobody has the database open.
        if path.to_string_lossy().ends_with("-shm") {
            continue;
        }
        let metadata = entry.metadata().unwrap();
        let bytes = metadata.is_file().then(|| fs::read(entry.path()).unwrap().into());
        let is_folder = bytes.is_none();
        entries.push(Entry {
            path: path.clone(),
            mode: metadata.permissions().mode() & 0o7777,
            bytes,
        });
        if is_folder {
            collect(folder, &path, entries);
        }
    }
}
