//! The file itself: whole or not at all, for others to read, and never a reason for a run to fail.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rotate_fixtures::{FleetWorkplace, Ran};

use super::{DAY, read, textfile, watched};

fn one() -> FleetWorkplace {
    let mut place = watched("");
    place.add_user("one", DAY * 2, "");
    place
}

fn warns(ran: &Ran, why: &str) {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let warning = ran.stderr.lines().find(|line| line.contains("warning: the metrics"));
    let warning = warning.unwrap_or_else(|| panic!("no warning\n{}", ran.stderr));
    assert!(
        warning.contains(why) && warning.contains("the run is not affected"),
        "{warning}"
    );
}

#[test]
fn everybody_may_read_it_and_nothing_is_left_beside_it() {
    let place = one();
    place.run(["run"]).expect(0);
    let mode = textfile(&place).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let before = textfile(&place).metadata().unwrap().ino();
    place.run(["run"]).expect(0);
    assert_ne!(
        textfile(&place).metadata().unwrap().ino(),
        before,
        "another file took its place"
    );
    let beside = std::fs::read_dir(place.path("textfile")).unwrap().count();
    assert_eq!(beside, 1);
}

#[test]
fn a_folder_that_is_missing_or_a_file_that_is_none_is_a_warning_and_the_run_ends_as_it_would_have() {
    let place = one();
    std::fs::remove_dir(place.path("textfile")).unwrap();
    warns(&place.run(["run"]), "does not exist");
    std::fs::create_dir(place.path("textfile")).unwrap();
    let elsewhere = place.path("elsewhere");
    std::fs::write(&elsewhere, "precious").unwrap();
    symlink(&elsewhere, textfile(&place)).unwrap();
    warns(&place.run(["run"]), "");
    assert_eq!(read(&elsewhere), "precious");
    std::fs::remove_file(textfile(&place)).unwrap();
    std::fs::create_dir(textfile(&place)).unwrap();
    warns(&place.run(["run"]), "");
}

#[test]
fn on_a_full_disk_the_earlier_file_stays_whole() {
    let place = one();
    let small = "mount -t tmpfs -o size=16k,mode=0755 tmpfs \"$DISK\" || exit 70
        echo before > \"$DISK/rotate.prom\"
        cat /dev/zero > \"$DISK/filler\" 2>&-
        \"$@\"; code=$?
        cat \"$DISK/rotate.prom\"; ls -A \"$DISK\"
        exit $code";
    let ran = on_a_disk(&place.command(["run"]), &place.path("textfile"), small);
    warns(&ran, "No space left on device");
    assert!(ran.stdout.ends_with("before\nfiller\nrotate.prom\n"), "{}", ran.stdout);
}

/// The command in a mount namespace of its own.
fn on_a_disk(command: &Command, disk: &Path, script: &str) -> Ran {
    let mut wrapped = rotate_fixtures::tool("unshare");
    wrapped
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("DISK", disk)
        .current_dir(command.get_current_dir().unwrap())
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    Ran::of(wrapped)
}

#[test]
fn whoever_only_looks_leaves_no_metrics_and_neither_does_one_that_finds_another_at_work() {
    let place = one();
    place.run(["run"]).expect(0);
    std::fs::remove_file(textfile(&place)).unwrap();
    for look in [
        &["plan"] as &[&str],
        &["doctor"],
        &["status"],
        &["report", "--output", "json"],
        &["audit", "verify"],
    ] {
        place.run(look.iter().copied()).expect(0);
        assert!(!textfile(&place).exists(), "{look:?}");
    }
    let lock = std::fs::File::options()
        .write(true)
        .open(place.state().join("rotate.lock"))
        .unwrap();
    lock.lock().unwrap();
    place.run(["run"]).expect(4);
    assert!(!textfile(&place).exists());
}
