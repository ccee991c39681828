//! POSIX access lists: of the file, and of its folder for new files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rotate::delivery;
use rotate_fixtures::{Ran, Workplace};
use rotate_providers::contract::{KeyId, PublicHalf};
use rotate_providers::secret::{Credential, Secret};
use rotate_providers::snowflake_keypair;

use crate::destinations::filled;
use crate::replaced_files::attributes::{
    ACCESS, DEFAULT, attribute, credentials_in, destination, folder_with, mode, new_key, set, through_a_delivery,
};

/// The user who is named in the lists, and another one whose group the file belongs to.
const NAMED: u32 = 61_234;
const GROUP: u32 = 61_235;

/// An entry's kind, its permissions, and whom it names.
type Entry = (u16, u16, u32);

const NOBODY: u32 = u32::MAX;
const OWNER: Entry = (0x01, 6, NOBODY);
const NAMED_READS: Entry = (0x02, 4, NAMED);
const NO_GROUP: Entry = (0x04, 0, NOBODY);
const MASK_READS: Entry = (0x10, 4, NOBODY);
const NO_OTHERS: Entry = (0x20, 0, NOBODY);

/// As the kernel has it: version 2, then the entries (`linux/posix_acl_xattr.h`).
fn list(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (kind, permissions, id) in entries {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

pub(crate) fn one_named_reader() -> Vec<u8> {
    list(&[OWNER, NAMED_READS, NO_GROUP, MASK_READS, NO_OTHERS])
}

/// Whether this user can read the file; only root can try.
fn reads(path: &Path, user: u32, group: u32) -> bool {
    let mut command = Command::new("cat");
    command.arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command.uid(user).gid(group);
    command.status().expect("`cat` runs").success()
}

#[tokio::test]
async fn the_named_reader_keeps_access_and_the_owning_group_gains_none() {
    let folder = folder_with(ACCESS, &one_named_reader());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("the folder is ours");
    let path = credentials_in(folder.path());
    let root = rustix::process::geteuid().is_root();
    if root {
        chown(&path, None, Some(GROUP)).expect("root may");
    }
    set(&path, ACCESS, &one_named_reader());
    assert_eq!(mode(&path), 0o640, "the group's bits are the mask of the list");
    let ask = |path: &Path| {
        let who = [(NAMED, NAMED), (GROUP, GROUP)].map(|(user, group)| root && reads(path, user, group));
        (attribute(path, ACCESS), mode(path), who)
    };
    assert_eq!(ask(&path).2, [root, false]);
    through_a_delivery(&path, ask).await;
    assert_eq!(attribute(&path, ACCESS), Some(one_named_reader()));
}

#[tokio::test]
async fn a_list_of_the_folder_for_new_files_opens_none_to_anybody() {
    let for_new_files = list(&[OWNER, (0x02, 6, NAMED), (0x04, 4, NOBODY), (0x10, 6, NOBODY), NO_OTHERS]);
    let folder = folder_with(DEFAULT, &for_new_files);
    set(folder.path(), DEFAULT, &for_new_files);

    let new = folder.path().join("new-credentials");
    destination(&new)
        .deliver(&new_key())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((attribute(&new, ACCESS), mode(&new)), (None, 0o600), "a new file");

    let key = folder.path().join("key.p8");
    let pair = Credential {
        key: KeyId::parse("SHA256:x").expect("the name of a key"),
        public: Some(PublicHalf::new("AAAA")),
        secret: Secret::new(*b"private"),
    };
    let name = format!("file:{}", key.display());
    let parsed = delivery::parse(snowflake_keypair::SECRET, &name).expect("a name");
    let delivered = parsed.deliver(&filled(snowflake_keypair::SECRET, &pair)).await;
    delivered.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((attribute(&key, ACCESS), mode(&key)), (None, 0o600), "a new key file");

    // One that has no list of its own and is open to its group gets none either.
    let old = credentials_in(folder.path());
    rustix::fs::removexattr(&old, ACCESS).expect("it had the folder's list");
    fs::set_permissions(&old, Permissions::from_mode(0o640)).expect("the file is ours");
    through_a_delivery(&old, |path| (attribute(path, ACCESS), mode(path))).await;
    assert_eq!((attribute(&old, ACCESS), mode(&old)), (None, 0o640));
}

/// The secret is in a file that is not yet in its place: there it is open to the same people already.
#[test]
fn what_a_kill_leaves_beside_the_file_has_its_list_already() {
    let list = one_named_reader();
    let rotation = |variable: &str, value: &str| {
        let folder = folder_with(ACCESS, &list);
        let path = credentials_in(folder.path());
        set(&path, ACCESS, &list);
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        let destination = format!("aws-profile:gainsight@{}", path.display());
        let mut command = place.rotate_to(&[&destination], [""; 0]);
        let code = Ran::of({
            command.env(variable, value);
            command
        });
        (folder, code.code)
    };
    let traces = tempfile::tempdir().expect("a temporary folder");
    let trace = traces.path().join("trace");
    rotation("ROTATE_TEST_TRACE", trace.to_str().expect("text"));
    let names = fs::read_to_string(&trace).expect("crash points were passed");
    let at = names.lines().position(|name| name == "file: written beside");
    let at = at.expect("the file was written beside its place") + 1;
    let (folder, code) = rotation("ROTATE_TEST_KILL_AT", &at.to_string());
    assert_eq!(code, None, "a signal ended it");
    let beside = folder.path().join(".credentials.rotate-new");
    let text = fs::read_to_string(&beside).expect("it was left there");
    assert!(text.contains("aws_secret_access_key"), "the secret is in it");
    assert_eq!((attribute(&beside, ACCESS), mode(&beside)), (Some(list), 0o640));
}
