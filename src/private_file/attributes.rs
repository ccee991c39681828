//! Access lists and labels: what a file's mode does not tell of who may open it.
//!
//! They are extended attributes, and a rename puts another file in place, with others. So a replacement gets those of the file
//! that it replaces, before the secret is written into it. `man 7 xattr`, `man 5 acl`.

use std::fs::File;

use rustix::fs::{XattrFlags, fgetxattr, fgetxattr_query, flistxattr, flistxattr_query, fremovexattr, fsetxattr};
use rustix::io::Errno;

use super::Refused;

/// The list of who else may open a file. The group's bits of the mode are its mask.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Hashes of what is in the file: the kernel makes them anew.
const OF_THE_CONTENT: [&str; 2] = ["security.ima", "security.evm"];

/// An attribute may change between the question how long it is and its reading.
const TRIES: usize = 5;

/// The attributes of a file, with their values as the kernel has them.
#[derive(PartialEq, Eq)]
pub(super) struct Attributes(Vec<(String, Vec<u8>)>);

impl Attributes {
    pub(super) fn of(file: &File) -> Result<Self, Refused> {
        let mut all = Vec::new();
        for name in names(file)? {
            if OF_THE_CONTENT.contains(&name.as_str()) {
                continue;
            }
            if let Some(value) = value(file, &name).map_err(failed("read", &name))? {
                all.push((name, value));
            }
        }
        all.sort();
        Ok(Self(all))
    }

    /// Whether the mode alone does not say who may open the file.
    pub(super) fn has_access_list(&self) -> bool {
        self.0.iter().any(|(name, _)| name == ACCESS_LIST)
    }

    /// Gives them to a file, and looks whether it has them.
    pub(super) fn put_on(&self, file: &File) -> Result<(), Refused> {
        let now = Self::of(file)?;
        for attribute in self.0.iter().filter(|attribute| !now.0.contains(attribute)) {
            let (name, value) = attribute;
            fsetxattr(file, name.as_str(), value, XattrFlags::empty()).map_err(failed("kept", name))?;
        }
        let now = Self::of(file)?;
        match self.0.iter().find(|attribute| !now.0.contains(attribute)) {
            Some((name, _)) => Err(failed("kept", name)(Errno::INVAL)),
            None => Ok(()),
        }
    }
}

/// Takes off the list that a new file has from its folder.
pub(super) fn without_access_list(file: &File) -> Result<(), Refused> {
    match fremovexattr(file, ACCESS_LIST) {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(failed("taken off", ACCESS_LIST)(error)),
    }
}

fn names(file: &File) -> Result<Vec<String>, Refused> {
    let list = sized(|| flistxattr_query(file), |buffer: &mut [u8]| flistxattr(file, buffer));
    let list = match list {
        // A file system without them.
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        list => list.map_err(failed("read", "*"))?,
    };
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| String::from_utf8(name.to_vec()).map_err(|_| failed("read", "*")(Errno::ILSEQ)))
        .collect()
}

fn value(file: &File, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    match sized(|| fgetxattr_query(file, name), |buffer| fgetxattr(file, name, buffer)) {
        // It is gone meanwhile, or the server behind the file system has nothing of the kind.
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        value => value.map(Some),
    }
}

fn sized(
    size: impl Fn() -> Result<usize, Errno>,
    read: impl Fn(&mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    for _ in 0..TRIES {
        let mut buffer = vec![0; size()?];
        if buffer.is_empty() {
            return Ok(buffer);
        }
        match read(&mut buffer) {
            Err(Errno::RANGE) => {}
            read => {
                buffer.truncate(read?);
                return Ok(buffer);
            }
        }
    }
    Err(Errno::RANGE)
}

fn failed(what: &'static str, name: &str) -> impl FnOnce(Errno) -> Refused {
    let name = match name {
        ACCESS_LIST => format!("access list ({name})"),
        "*" => "access list and labels".to_owned(),
        name if name.starts_with("security.") => format!("label ({})", name.escape_debug()),
        name => format!("attribute {}", name.escape_debug()),
    };
    move |error| Refused::Attribute {
        name,
        what,
        source: error.into(),
    }
}
