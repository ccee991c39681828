//! Extended attributes as they are, and folders whose file system has them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rotate::delivery::{self, Destination, Fields};
use rotate::machine::Restored;
use rotate_providers::contract::KeyId;
use rotate_providers::s3_customer_managed::SECRET;
use rotate_providers::secret::{Credential, Secret};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use tempfile::TempDir;

use crate::destinations::filled;

pub(crate) const ACCESS: &str = "system.posix_acl_access";
pub(crate) const DEFAULT: &str = "system.posix_acl_default";
const LABEL: &[u8] = b"system_u:object_r:etc_t:s0\0";

const FOUND: &str = "[gainsight]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old\n";

/// A folder on a file system that has this attribute.
pub(crate) fn folder_with(name: &str, value: &[u8]) -> TempDir {
    let places = [
        std::env::temp_dir(),
        env!("CARGO_TARGET_TMPDIR").into(),
        "/dev/shm".into(),
        "/var/tmp".into(),
    ];
    let mut tried = Vec::new();
    for place in places {
        let Ok(folder) = TempDir::new_in(&place) else { continue };
        let probe = if name == DEFAULT {
            folder.path().to_owned()
        } else {
            folder.path().join("probe")
        };
        if name != DEFAULT {
            fs::write(&probe, "").expect("the folder is ours");
        }
        match setxattr(&probe, name, value, XattrFlags::empty()) {
            Ok(()) => {
                let clean = TempDir::new_in(&place).expect("another folder");
                return clean;
            }
            Err(error) => tried.push(format!("{}: {error}", place.display())),
        }
    }
    panic!(
        "this test needs a file system on which {name} can be set: set TMPDIR to one. Tried {}",
        tried.join(", ")
    );
}

pub(crate) fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let size = getxattr(path, name, &mut value).ok()?;
    value.truncate(size);
    Some(value)
}

pub(crate) fn set(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {}: {error}", path.display()));
}

pub(crate) fn credentials_in(folder: &Path) -> PathBuf {
    let path = folder.join("credentials");
    fs::write(&path, FOUND).expect("the folder is ours");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

pub(crate) fn destination(path: &Path) -> Box<dyn Destination> {
    delivery::parse(SECRET, &format!("aws-profile:gainsight@{}", path.display())).expect("the name is one")
}

pub(crate) fn new_key() -> Fields {
    let key = Credential {
        key: KeyId::parse("AKIANEW").expect("the name of a key"),
        public: None,
        secret: Secret::new(*b"new"),
    };
    filled(SECRET, &key)
}

/// Rehearses, delivers and puts back; what is asked of the file in between has to be the same each time.
pub(crate) async fn through_a_delivery<T: PartialEq + std::fmt::Debug>(path: &Path, ask: impl Fn(&Path) -> T) {
    let (destination, before) = (destination(path), ask(path));
    let held = destination.content().await.expect("it can be read");
    destination.rehearse().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ask(path), before, "after the rehearsal");
    destination
        .deliver(&new_key())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(fs::read_to_string(path).expect("text").contains("AKIANEW"));
    assert_eq!(ask(path), before, "after the delivery");
    let restored = destination.restore(&new_key(), &held).await;
    assert_eq!(restored.unwrap_or_else(|error| panic!("{error}")), Restored::PutBack);
    assert_eq!(ask(path), before, "after it was put back");
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").mode() & 0o7777
}

/// SELinux keeps its label in this attribute; where no such policy is loaded, it is bytes like others.
#[tokio::test]
async fn a_selinux_label_stays() {
    if fs::read_to_string("/sys/fs/selinux/enforce").is_ok() {
        panic!("this test sets a label of its own, which it needs a kernel without a loaded SELinux policy for");
    }
    let folder = folder_with("security.selinux", LABEL);
    let path = credentials_in(folder.path());
    set(&path, "security.selinux", LABEL);
    through_a_delivery(&path, |path| attribute(path, "security.selinux")).await;
    assert_eq!(attribute(&path, "security.selinux").as_deref(), Some(LABEL));
}

#[tokio::test]
async fn attributes_that_people_have_set_stay() {
    let folder = folder_with("user.note", b"x");
    let path = credentials_in(folder.path());
    set(&path, "user.note", b"the team's keys");
    set(&path, "user.empty", b"");
    through_a_delivery(&path, |path| {
        (attribute(path, "user.note"), attribute(path, "user.empty"))
    })
    .await;
    assert_eq!(attribute(&path, "user.note").as_deref(), Some(&b"the team's keys"[..]));
}

#[tokio::test]
async fn a_file_that_may_not_be_changed_is_refused_with_what_frees_it() {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = credentials_in(folder.path());
    let file = fs::File::open(&path).expect("it is ours");
    let flags =
        ioctl_getflags(&file).expect("this test needs a temporary folder on ext4, xfs or btrfs: set TMPDIR to one");
    ioctl_setflags(&file, flags | IFlags::IMMUTABLE).expect("this test needs root (CAP_LINUX_IMMUTABLE)");
    let rehearsed = destination(&path).rehearse().await;
    let inspected = destination(&path).inspect().await;
    ioctl_setflags(&file, flags).expect("it was so before");
    for refused in [rehearsed, inspected.map(drop)] {
        let told = refused.expect_err("it cannot be replaced").to_string();
        assert!(told.contains("chattr -i -a"), "{told}");
    }
}
