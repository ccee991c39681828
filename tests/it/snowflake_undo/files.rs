//! Files that people have touched.

use std::fs;

use rotate_fixtures::Ran;
use rotate_fixtures::snowflake_workplace::TARGET;

use super::{assert_taken_back, chmod, delivered, fresh, public_file, soaking, theirs};

#[test]
fn a_key_file_of_someone_else_is_left_alone_and_said_so() {
    for (prepare, word) in [(delivered as fn() -> _, "abort"), (soaking, "rollback")] {
        let place = prepare();
        fs::write(place.delivered(), theirs().private_pem()).unwrap();
        let ran = place.run([word, TARGET]).expect(0);
        assert!(ran.stdout.contains("left as it is"), "{}", ran.stdout);
        ran.says(&[
            "rsa_key_new.p8",
            "changed by someone since the delivery",
            "left as it is",
        ]);
        let held = fs::read_to_string(place.delivered()).unwrap();
        assert_eq!(held, theirs().private_pem(), "{word}");
        assert!(place.consumer().works());
        assert_eq!(place.fingerprints()[1], None);
    }
}

/// Someone has the new private key in another place: whoever asked for the undo is told.
#[test]
fn a_key_file_that_was_moved_away_is_left_alone_and_said_so() {
    for (prepare, word) in [(delivered as fn() -> _, "abort"), (soaking, "rollback")] {
        let place = prepare();
        let moved = place.path("moved.p8");
        fs::rename(place.delivered(), &moved).unwrap();
        let held = fs::read(&moved).unwrap();
        let ran = place.run([word, TARGET]).expect(0);
        assert_eq!(fs::read(&moved).unwrap(), held);
        assert!(place.consumer().works());
        assert_eq!(place.fingerprints()[1], None);
        ran.says(&["rsa_key_new.p8", "is not there"]);
    }
}

#[test]
fn a_public_key_file_of_someone_else_is_left_alone_and_said_so() {
    let place = delivered();
    let pem = theirs().public_pem();
    fs::write(public_file(&place), &pem).unwrap();
    let ran = place.run(["abort", TARGET]).expect(0);
    assert_eq!(fs::read_to_string(public_file(&place)).unwrap(), pem);
    assert!(!place.delivered().exists(), "our own private key is left");
    assert!(place.consumer().works());
    ran.says(&["rsa_key_new", "changed by someone since the delivery"]);
}

/// A public key is no secret: its mode stops nothing.
#[test]
fn a_public_key_file_that_everyone_may_read_is_taken_back_like_any_other() {
    for (prepare, word, state) in [
        (delivered as fn() -> _, "abort", "aborted"),
        (soaking, "rollback", "rolled-back"),
    ] {
        let place = prepare();
        chmod(&public_file(&place), 0o644);
        place.run([word, TARGET]).expect(0);
        assert_taken_back(&place, state, "mode 644");
    }
}

#[test]
fn a_private_key_file_that_others_may_read_stops_the_undo_until_it_is_mended() {
    let place = delivered();
    chmod(&place.delivered(), 0o644);
    place
        .run(["abort", TARGET])
        .expect(1)
        .says(&["rsa_key_new.p8", "mode 0644", "chmod", "`delivered`"]);
    assert!(place.delivered().exists() && place.consumer().works());
    chmod(&place.delivered(), 0o600);
    place.run(["run"]).expect(0);
    assert_taken_back(&place, "aborted", "mended");
}

#[test]
fn several_destinations_are_all_taken_back() {
    let place = fresh();
    Ran::of(place.rotate(["--deliver", "file:a.p8", "--deliver", "file:b.p8"])).expect(0);
    for name in ["a.p8", "a.pub", "b.p8", "b.pub"] {
        assert!(place.path(name).exists(), "{name}");
    }
    // One of them has a new owner.
    fs::write(place.path("b.p8"), theirs().private_pem()).unwrap();
    place.run(["abort", TARGET]).expect(0).says(&["b.p8", "left as it is"]);
    for name in ["a.p8", "a.pub"] {
        assert!(!place.path(name).exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(place.path("b.p8")).unwrap(), theirs().private_pem());
    place.expect_as_before();
}
