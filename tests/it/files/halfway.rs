//! What others do in a folder at one moment of a delivery: the program is stopped there, and goes on when they have done it.

use std::fs;

use rotate_fixtures::stopped::while_at;
use rotate_fixtures::{Ran, Workplace};

use crate::files::limit::folder_of;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// The key in this file works.
fn holds_a_working_key(place: &Workplace, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(place.path(name)) else {
        return false;
    };
    let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let field = |name: &str| document[name].as_str().expect("it is text").to_owned();
    place.cloud.works(&field("AccessKeyId"), &field("SecretAccessKey"))
}

#[test]
fn a_folder_that_is_put_elsewhere_during_a_delivery_is_told_and_the_old_key_stays() {
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("out"), 0, 0o700);
    let ran = while_at(
        place.rotate_to(&["file:out/key.json"], AT_ONCE),
        "file: written beside",
        || {
            fs::rename(place.path("out"), place.path("moved")).expect("the folder is ours");
            folder_of(&place.path("out"), 0, 0o700);
        },
    );
    ran.expect(1).says(&[
        "out/key.json",
        "its folder was put elsewhere",
        "put the folder back",
        "to go on:",
    ]);
    // The key is where it was begun, and no consumer that comes by the path loses its own.
    assert!(holds_a_working_key(&place, "moved/key.json"));
    assert_eq!(fs::read_dir(place.path("out")).expect("it is ours").count(), 0);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    // The next run brings it where the path leads now.
    place.run(["run"]).expect(0);
    assert!(holds_a_working_key(&place, "out/key.json"));
    assert!(!place.cloud.key_exists(&place.old.id));
}

#[test]
fn another_file_in_the_place_of_the_delivered_one_is_told_and_the_old_key_stays() {
    let place = Workplace::new(ROTATE);
    folder_of(&place.path("out"), 0, 0o700);
    let path = place.path("out/key.json");
    let ran = while_at(
        place.rotate_to(&["file:out/key.json"], AT_ONCE),
        "file: in place",
        || {
            let other = place.path("out/other");
            fs::copy(&path, &other).expect("it can be copied");
            fs::rename(&other, &path).expect("the folder is ours");
        },
    );
    ran.expect(1).says(&[
        "out/key.json",
        "somebody else put another file in its place",
        "to go on:",
    ]);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    place.run(["run"]).expect(0);
    assert!(holds_a_working_key(&place, "out/key.json"));
}

#[test]
fn a_state_folder_that_is_swapped_under_a_process_at_work_gets_nothing_of_it() {
    let place = Workplace::new(ROTATE);
    let ran = while_at(place.rotate(AT_ONCE), "create: sealed", || {
        fs::rename(place.state(), place.path("moved")).expect("the folder is ours");
        folder_of(&place.state(), 0, 0o700);
    });
    assert_eq!(fs::read_dir(place.state()).expect("it is ours").count(), 0, "{ran:#?}");
    fs::remove_dir(place.state()).expect("it is empty");
    fs::rename(place.path("moved"), place.state()).expect("the folder is ours");
    place.run(["audit", "verify"]).expect(0);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
}
