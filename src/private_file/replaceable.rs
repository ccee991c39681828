//! Files whose place no other file can take.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, StatxAttributes, StatxFlags, statx};
use rustix::io::Errno;

use super::{Place, Refused};

/// Refuses a file that a rename cannot replace.
pub(super) fn check(place: &Place) -> Result<(), Refused> {
    let path = &place.path();
    let found = match statx(
        place.folder(),
        place.name(),
        AtFlags::SYMLINK_NOFOLLOW,
        StatxFlags::BASIC_STATS,
    ) {
        Ok(found) => found,
        Err(Errno::NOSYS) => {
            return if is_mounted(path) {
                Err(Refused::MountPoint)
            } else {
                Ok(())
            };
        }
        Err(error) => {
            return Err(Refused::Io {
                what: "cannot be looked at",
                source: error.into(),
            });
        }
    };
    let has = |flag| found.stx_attributes.contains(flag);
    let is_mount_point = match found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        true => has(StatxAttributes::MOUNT_ROOT),
        // A kernel before 5.8.
        false => is_mounted(path),
    };
    if is_mount_point {
        return Err(Refused::MountPoint);
    }
    if has(StatxAttributes::IMMUTABLE) || has(StatxAttributes::APPEND) {
        return Err(Refused::Immutable);
    }
    Ok(())
}

/// Without /proc nobody tells, and the rename itself has to.
fn is_mounted(path: &Path) -> bool {
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    path.canonicalize().is_ok_and(|path| lists(&mounts, &path))
}

/// Whether something is mounted at this place; the fifth field of each line is one (`man 5 proc`).
fn lists(mounts: &[u8], path: &Path) -> bool {
    let places = mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    places
        .into_iter()
        .any(|place| unescaped(place) == path.as_os_str().as_bytes())
}

/// Blanks and backslashes stand there as octal numbers.
fn unescaped(place: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(place.len());
    let mut rest = place;
    while let Some((first, behind)) = rest.split_first() {
        let number = (*first == b'\\').then(|| behind.get(..3).map(OsStr::from_bytes).and_then(OsStr::to_str));
        let letter = number.flatten().and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(letter.unwrap_or(*first));
        rest = if letter.is_some() {
            behind.get(3..).unwrap_or_default()
        } else {
            behind
        };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_found_in_the_kernels_list_whatever_its_name() {
        let mounts =
            b"63 43 254:0 /a /tmp/a\\040b\\134c rw,relatime - ext4 /dev/vda rw\n43 1 254:0 / / rw - ext4 /dev/vda rw\n";
        assert!(lists(mounts, Path::new("/tmp/a b\\c")));
        assert!(lists(mounts, Path::new("/")));
        assert!(!lists(mounts, Path::new("/tmp/a")));
        assert!(!lists(mounts, Path::new("/a")));
    }
}
