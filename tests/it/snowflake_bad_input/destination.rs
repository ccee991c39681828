//! Where the key would go: a place that cannot take it is refused before anything is made for it.

use std::fs;
use std::os::unix::fs::symlink;

use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{AT_ONCE, ROTATE, put, refused};

/// What is there already may be someone's only key: it keeps its bytes, and nothing is made for it.
#[test]
fn a_key_file_that_exists_is_never_overwritten() {
    for name in ["rsa_key_new.p8", "rsa_key_new.pub"] {
        let place = SnowflakeWorkplace::new(ROTATE);
        put(&place.path(name), "someone's only key");
        let named = place.path(name).display().to_string();
        let words = [
            &named,
            "exists",
            "never overwritten",
            "--deliver file:PATH.p8",
            "nothing was changed",
        ];
        refused(&place, 1, &words, || place.rotate(AT_ONCE));
        assert_eq!(fs::read_to_string(place.path(name)).unwrap(), "someone's only key");
        fs::remove_file(place.path(name)).unwrap();
        place.expect_untouched();
        Ran::of(place.rotate(AT_ONCE)).expect(0);
    }
}

#[test]
fn a_symbolic_link_or_a_folder_in_the_key_files_place_is_refused() {
    for name in ["key.p8", "key.pub"] {
        for kind in ["link", "dangling link", "folder"] {
            let place = SnowflakeWorkplace::new(ROTATE);
            put(&place.path("real"), "someone's only key");
            match kind {
                "link" => symlink(place.path("real"), place.path(name)).unwrap(),
                "dangling link" => symlink(place.path("nowhere"), place.path(name)).unwrap(),
                _ => fs::create_dir(place.path(name)).unwrap(),
            }
            let named = place.path(name).display().to_string();
            refused(
                &place,
                1,
                &["destination file:", &named, "exists", "nothing was changed"],
                || place.rotate(["--deliver", "file:key.p8"]),
            );
            assert_eq!(fs::read_to_string(place.path("real")).unwrap(), "someone's only key");
            place.expect_untouched();
        }
    }
}
