//! Volumes as Kubernetes projects them: each file is a link into `..data`, which links to a folder with a date for its name.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use rotate_providers::private_file::{self, Refused};
use rotate_providers::s3_customer_managed::SECRET;
use tempfile::TempDir;

const DATED: &str = "..2026_11_27_04_20_00.1234567890";

/// A volume with one file of this mode, and where its consumers find it.
fn volume(mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join(DATED)).expect("the folder is ours");
    let file = folder.path().join(DATED).join("key.json");
    fs::write(&file, "{}").expect("the folder is ours");
    fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the file is ours");
    symlink(DATED, folder.path().join("..data")).expect("a link");
    let path = folder.path().join("key.json");
    symlink("..data/key.json", &path).expect("a link");
    (folder, path)
}

#[test]
fn a_secret_in_a_volume_that_others_may_read_is_told_what_to_write_in_the_pods_spec() {
    for mode in [0o644, 0o444, 0o604] {
        let (_folder, path) = volume(mode);
        let found = path.canonicalize().expect("it leads somewhere");
        let told = private_file::read_handed(&found)
            .expect_err("others may read it")
            .to_string();
        for word in ["defaultMode: 0440", "fsGroup", &format!("mode {mode:04o}")] {
            assert!(told.contains(word), "{told}");
        }
        assert!(!told.contains("chmod"), "nobody can do that there: {told}");
    }
}

#[test]
fn a_secret_in_a_volume_with_that_mode_is_read() {
    for mode in [0o440, 0o400] {
        let (_folder, path) = volume(mode);
        let found = path.canonicalize().expect("it leads somewhere");
        assert_eq!(
            private_file::read_handed(&found).unwrap_or_else(|refused| panic!("{refused}")),
            b"{}"
        );
    }
}

#[test]
fn a_file_elsewhere_is_told_chmod() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("key.json");
    fs::write(&path, "{}").expect("the folder is ours");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("the file is ours");
    let refused = private_file::read_handed(&path).expect_err("others may read it");
    assert!(
        matches!(refused, Refused::Open(0o644)) && refused.to_string().contains("chmod"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_destination_in_a_volume_is_told_that_nobody_can_write_there() {
    let (_folder, path) = volume(0o440);
    let destination = rotate::delivery::parse(SECRET, &format!("file:{}", path.display())).expect("a name");
    let told = destination
        .rehearse()
        .await
        .expect_err("nobody can write there")
        .to_string();
    assert!(told.contains("a volume that Kubernetes projects"), "{told}");
}
