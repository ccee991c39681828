//! A head of the journal, noted down elsewhere, shows whether what is there now goes on from it.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::path::Path;

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

fn head(place: &Workplace) -> String {
    let document = place.run(["audit", "verify", "--output", "json"]).expect(0).json();
    document["head"].as_str().expect("a head").to_owned()
}

fn against(place: &Workplace, head: &str) -> Ran {
    place.run(["audit", "verify", "--against", head])
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).expect("the folder is there") {
        let file = file.expect("it can be read");
        if file.file_name().to_string_lossy().starts_with("rotate.db") {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
        }
    }
}

#[test]
fn a_journal_that_was_put_back_to_an_older_copy_does_not_have_the_head_that_was_noted_down() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let earlier = head(&place);
    let older = tempfile::tempdir().expect("a folder");
    copy(&place.state(), older.path());
    place.run(["confirm", TARGET]).expect(0);
    let later = head(&place);
    // It has gone on, and has had both.
    for noted in [&earlier, &later, &later.to_ascii_uppercase()] {
        let told = against(&place, noted).expect(0).stdout;
        assert!(told.contains("the head that was noted down is that of event"), "{told}");
    }
    copy(older.path(), &place.state());
    against(&place, &earlier).expect(0);
    let told = against(&place, &later).expect(1);
    assert!(told.stderr.contains("put back to an older copy"), "{}", told.stderr);
    assert_eq!(told.stdout, "");
}

#[test]
fn nothing_is_the_beginning_of_every_journal_and_no_other_word_is_a_head() {
    let place = Workplace::new(ROTATE);
    let nothing = head(&place);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    against(&place, &nothing).expect(0);
    for word in ["", "abc", &"g".repeat(64), &"0".repeat(63)] {
        against(&place, word).expect(64);
    }
}
