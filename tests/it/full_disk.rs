//! Disks that are full or read-only, under a destination and under the state folder: found before a key is made where
//! that is possible; where not, no key is lost.
//!
//! Leans on small disks of the test's own, in a mount namespace (`unshare -rm`): root may write to every folder, and
//! nobody should fill the machine's disk. Where that is forbidden, these tests fail and show why. The strict fake tells
//! when a key is being created, and which keys there are.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rotate_fixtures::aws::Action;
use rotate_fixtures::{FakeAws, FleetWorkplace, Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// The same command in a mount namespace of its own, by a script that mounts a disk at `$DISK` and runs `"$@"`.
fn with_disk(place: &Path, command: &Command, folder: &Path, script: &str) -> Ran {
    fs::create_dir(folder).unwrap();
    let mut wrapped = rotate_fixtures::tool("unshare");
    wrapped
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("DISK", folder)
        .env("SIGN", place.join("sign"))
        .current_dir(place)
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    Ran::of(wrapped)
}

/// A rotation to a file on a disk.
fn deliver_to_disk(script: &str) -> (Workplace, Ran) {
    let place = Workplace::new(ROTATE);
    let rotate = place.rotate_to(&["file:disk/key.json"], AT_ONCE);
    let ran = with_disk(&place.path("."), &rotate, &place.path("disk"), script);
    (place, ran)
}

#[test]
fn a_small_disk_with_room_is_enough() {
    // Shows that the other tests fail for the reason that they give.
    let script = r#"mount -t tmpfs -o size=64k,mode=0700 tmpfs "$DISK" && exec "$@""#;
    let (place, ran) = deliver_to_disk(script);
    ran.expect(0);
    assert!(!place.cloud.key_exists(&place.old.id));
}

#[test]
fn a_full_disk_is_found_before_a_key_is_made() {
    let script = r#"mount -t tmpfs -o size=8k,mode=0700 tmpfs "$DISK" || exit 70
        cat /dev/zero > "$DISK/filler" 2>&-
        exec "$@""#;
    let (place, ran) = deliver_to_disk(script);
    ran.expect(1)
        .says(&["destination file:", "disk/key.json", "No space left on device"])
        .says(&["make room", "nothing was changed"]);
    place.expect_untouched();
}

#[test]
fn a_full_disk_under_the_state_folder_is_told_before_anything_is_begun() {
    let place = Workplace::new(ROTATE);
    let script = r#"mount -t tmpfs -o size=8k,mode=0700 tmpfs "$DISK" || exit 70
        cat /dev/zero > "$DISK/filler" 2>&-
        exec "$@""#;
    with_disk(&place.path("."), &place.rotate(AT_ONCE), &place.state(), script)
        .expect(1)
        .says(&["the disk under", "state", "is full", "make room"]);
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

/// While the first key is being created, gives the sign at which the disk is filled, and waits until it is.
fn fill_at_first_key(cloud: &FakeAws, sign: PathBuf, full: PathBuf) {
    let first = AtomicBool::new(true);
    cloud.on_effect(move |effect| {
        if effect.action != Action::CreateAccessKey || !first.swap(false, Ordering::SeqCst) {
            return;
        }
        fs::write(&sign, "").unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !full.exists() {
            assert!(Instant::now() < deadline, "the disk does not fill up");
            sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn a_disk_that_fills_up_while_a_key_is_created_loses_no_key() {
    let place = Workplace::new(ROTATE);
    let script = r#"mount -t tmpfs -o size=4m,mode=0700 tmpfs "$DISK" || exit 70
        (until [ -e "$SIGN" ]; do sleep 0.02; done; cat /dev/zero > "$DISK/filler" 2>&-; touch "$SIGN.full") &
        "$@"
        echo "the first run ended with $?"
        rm "$DISK/filler"
        exec "$@""#;
    fill_at_first_key(&place.cloud, place.path("sign"), place.path("sign.full"));
    let ran = with_disk(&place.path("."), &place.rotate(AT_ONCE), &place.state(), script)
        .expect(0)
        .says(&["the disk under", "is full", "make room"]);
    assert!(ran.stdout.contains("the first run ended with 1"), "{ran:#?}");
    // The key whose secret found no room is gone, and the one after it is delivered.
    place.expect_rotated();
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 2);
}

/// What has failed for one target is no concern of the others, once there is room again.
#[test]
fn a_disk_that_is_full_for_a_moment_stops_no_other_target() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\nconcurrency = 1\n");
    for user in ["first", "second"] {
        place.add_user(user, SignedDuration::from_hours(24 * 179), "");
    }
    // Once the first target has failed there is room again.
    let script = r#"mount -t tmpfs -o size=4m,mode=0700 tmpfs "$DISK" || exit 70
        (until [ -e "$SIGN" ]; do sleep 0.02; done; cat /dev/zero > "$DISK/filler" 2>&-; touch "$SIGN.full") &
        exec 3>&1
        { "$@" 2>&1 >&3; echo "the first run ended with $?" >&3; } | while read -r line; do
            echo "$line" >&2
            case "$line" in *"is full"*) rm "$DISK/filler" ;; esac
        done
        exec "$@""#;
    fill_at_first_key(&place.cloud, place.path("sign"), place.path("sign.full"));
    // The next target asks before it writes anything down.
    place.cloud.latency(Duration::from_millis(500));
    let ran = with_disk(&place.path("."), &place.command(["run"]), &place.state(), script)
        .expect(0)
        .says(&["is full", "make room", "2 targets: 1 ended, 1 failed"]);
    assert!(ran.stdout.contains("the first run ended with 1"), "{ran:#?}");
    for user in ["first", "second"] {
        let delivered = place.delivered_key(user).unwrap();
        assert_eq!(place.keys(user), [delivered.id], "{user}");
    }
}
