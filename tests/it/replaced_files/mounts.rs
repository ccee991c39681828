//! Files that are mount points of their own. Each command runs in a mount namespace of its own, so nothing is mounted for others.

use std::fs;
use std::path::Path;
use std::process::Command;

use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The same command, for which this is mounted on itself.
fn with_mounted(place: &Path, command: &Command) -> Command {
    const MOUNT: &str = "mount --bind \"$0\" \"$0\" || { echo 'mount: not permitted' >&2; exit 99; }; exec \"$@\"";
    let mut mounted = rotate_fixtures::tool("unshare");
    if !rustix::process::geteuid().is_root() {
        mounted.arg("--map-root-user");
    }
    mounted
        .args(["--mount", "sh", "-c", MOUNT])
        .arg(place)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mounted.env(name, value),
            None => mounted.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        mounted.current_dir(folder);
    }
    mounted
}

#[track_caller]
fn run(mounted: Command) -> Ran {
    let ran = Ran::of(mounted);
    assert!(
        ran.code != Some(99) && !ran.stderr.starts_with("unshare:"),
        "this test needs `unshare` and a kernel that lets this user mount in a namespace of their own: {}",
        ran.stderr
    );
    ran
}

#[test]
fn a_file_that_is_a_mount_point_is_refused_before_a_key_is_made_and_the_folder_is_named_instead() {
    for (file, destination) in [
        ("credentials", "aws-profile:gainsight@credentials"),
        ("app.env", "file:app.env"),
        ("a b.json", "file:a b.json"),
    ] {
        let place = Workplace::new(ROTATE);
        let path = place.path(file);
        fs::write(&path, "").expect("the folder is ours");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("the file is ours");
        for more in [["--cutover", "immediate"].as_slice(), &["--dry-run"]] {
            run(with_mounted(&path, &place.rotate_to(&[destination], more)))
                .expect(1)
                .says(&[file, "mount point of its own", "mount the folder"]);
            place.expect_untouched();
        }
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "");
    }
}

#[test]
fn a_file_in_a_folder_that_is_mounted_gets_its_key() {
    let place = Workplace::new(ROTATE);
    let folder = place.path("mounted");
    fs::create_dir(&folder).expect("the folder is ours");
    run(with_mounted(
        &folder,
        &place.rotate_to(&["file:mounted/app.env"], [""; 0]),
    ))
    .expect(0);
    let text = fs::read_to_string(folder.join("app.env")).expect("it was delivered");
    assert!(text.contains("AWS_ACCESS_KEY_ID="), "{text}");
}
