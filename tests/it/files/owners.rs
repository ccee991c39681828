//! Whose folder it is. What root does in a folder of somebody else, that user can turn against others.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use rotate_fixtures::{Ran, Workplace};

use crate::files::limit::{OTHER, file_of, folder_of};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A rotation to this destination is refused in these words, as a dry run is, before a key is made and without a trace.
fn refused(place: &Workplace, destination: &str, words: &[&str]) {
    for more in [&["--cutover", "immediate", "--soak", "0s"][..], &["--dry-run"]] {
        let ran = Ran::of(place.rotate_to(&[destination], more));
        ran.expect(1).says(words).says(&["nothing was changed"]);
        place.expect_untouched();
    }
}

#[test]
fn a_folder_that_everybody_may_write_gets_no_key_sticky_or_not() {
    for mode in [0o777, 0o1777, 0o703, 0o1702] {
        let place = Workplace::new(ROTATE);
        folder_of(&place.path("open"), 0, mode);
        file_of(&place.path("open/creds"), 0, "");
        for destination in ["file:open/key.json", "file:open/key.env", "aws-profile:acme@open/creds"] {
            let told = format!("may be written by everybody (mode {mode:04o})");
            refused(&place, destination, &["open", &told, "chmod o-w"]);
        }
        fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o755)).expect("it is ours");
        Ran::of(place.rotate_to(&["file:open/key.json"], [""; 0])).expect(0);
    }
}

#[test]
fn a_folder_below_one_that_everybody_may_write_gets_no_key_of_root_unless_it_is_sticky() {
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("open"), 0, 0o777);
    folder_of(&place.path("open/own"), 0, 0o700);
    let words = [
        "open",
        "may be written by everybody (mode 0777)",
        "in the place of what is in it",
    ];
    refused(&place, "file:open/own/key.json", &words);
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o1777)).expect("it is ours");
    Ran::of(place.rotate_to(&["file:open/own/key.json"], [""; 0])).expect(0);
}

#[test]
fn root_delivers_into_the_folder_of_a_user_only_a_file_of_theirs() {
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("home"), OTHER, 0o755);
    let told = format!("belongs to user {OTHER}");
    let remedy = format!("install -m 600 -o {OTHER} /dev/null FILE");
    refused(&place, "file:home/key.json", &["home", &told, &remedy, "chown root"]);
    // A file of somebody else's in it is no better, nor a folder of root's on the way through theirs.
    file_of(&place.path("home/key.json"), 0, "");
    refused(&place, "file:home/key.json", &["home", &told]);
    folder_of(&place.path("home/roots"), 0, 0o755);
    refused(&place, "file:home/roots/key.json", &["home", &told]);
    // Theirs is replaced, and stays theirs.
    let path = place.path("home/key.json");
    chown(&path, Some(OTHER), Some(OTHER)).expect("root may");
    Ran::of(place.rotate_to(&["file:home/key.json"], [""; 0])).expect(0);
    let found = path.metadata().expect("it is there");
    assert_eq!((found.uid(), found.mode() & 0o777), (OTHER, 0o600));
    assert!(fs::read_to_string(path).expect("text").contains("AccessKeyId"));
}

#[test]
fn a_folder_that_a_group_may_write_is_used() {
    // Homes of users with a group of their own are like that: umask 002.
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("team"), 0, 0o2775);
    Ran::of(place.rotate_to(&["file:team/key.json"], [""; 0])).expect(0);
}

#[test]
fn a_state_folder_in_the_home_of_somebody_else_is_not_roots() {
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("home"), OTHER, 0o755);
    folder_of(&place.path("home/state"), 0, 0o700);
    let mut rotate = place.rotate([""; 0]);
    rotate.arg("--state-dir").arg(place.path("home/state"));
    let told = format!("belongs to user {OTHER}");
    Ran::of(rotate).expect(1).says(&["home", &told, "nothing was touched"]);
    assert_eq!(fs::read_dir(place.path("home/state")).expect("it is ours").count(), 0);
    place.expect_untouched();
}
