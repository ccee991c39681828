//! A procedure that is out of order, or silent about a gap or an end.

use rotate_providers::guide::Guide;

use super::{SOUND, doctored, refused};

#[test]
fn a_guide_without_a_rotation_is_refused() {
    let rotations: String = SOUND
        .split_inclusive("\n\n")
        .filter(|part| !part.starts_with("[[rotate]]") && !part.starts_with("[rotate.command]"))
        .collect();
    let error = |text: &str| {
        Guide::read(text)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(
        error(&rotations).ends_with("missing field `rotate`"),
        "{}",
        error(&rotations)
    );
    let empty = rotations.replace("vendor =", "rotate = []\nvendor =");
    assert_eq!(error(&empty), "there are no steps to rotate");
}

#[test]
fn a_step_has_a_name_of_its_own_in_its_procedure() {
    refused(&[("id = \"make\"", "id = \"see\"")], "rotate step see exists twice");
    refused(
        &[("[[disconnect]]\nid = \"drop\"", "[[disconnect]]\nid = \"look\"")],
        "disconnect step look exists twice",
    );
}

#[test]
fn the_name_of_a_step_can_be_typed_and_is_no_number() {
    for bad in ["Make", "make it", "make_it", "", "12", "mäke", "make;ls", "../make"] {
        refused(
            &[("id = \"make\"", &format!("id = \"{bad}\""))],
            &format!("rotate step {bad}: an id is made of small letters, digits and hyphens, and is not a number"),
        );
    }
}

#[test]
fn phases_come_in_their_order() {
    refused(
        &[
            ("phase = \"created\"", "phase = \"verified\""),
            ("phase = \"cut-over\"", "phase = \"created\""),
        ],
        "step see belongs before step make: created comes first",
    );
    // So nothing is revoked before the cut-over is proven.
    refused(
        &[("phase = \"created\"", "phase = \"deactivated\"")],
        "step see belongs before step make: cut-over comes first",
    );
}

#[test]
fn the_cut_over_is_proven() {
    refused(
        &[("phase = \"cut-over\"", "phase = \"delivered\"")],
        "no step proves the cut-over",
    );
}

#[test]
fn where_old_and_new_overlap_the_old_one_ends_and_nothing_stops_meanwhile() {
    let drop = "[[rotate]]\nid = \"drop\"\nphase = \"deleted\"";
    refused(
        &[(drop, "[[rotate]]\nid = \"drop\"\nphase = \"cut-over\"")],
        "the old credential is never revoked",
    );
    // A rest is no end.
    refused(
        &[(drop, "[[rotate]]\nid = \"drop\"\nphase = \"soaked\"")],
        "the old credential is never revoked",
    );
    refused(
        &[("overlap = \"yes\"", "overlap = \"yes\"\ngap = \"a minute\"")],
        "there is a gap although old and new overlap",
    );
}

#[test]
fn where_they_do_not_the_gap_its_preparation_and_its_beginning_are_told() {
    let none = ("overlap = \"yes\"", "overlap = \"none\"\ngap = \"a minute\"");
    let made = ("do = \"Make a key.\"", "do = \"Make a key.\"\nreversible = false");
    assert_eq!(Guide::read(&doctored(&[none, made])).err(), None);
    refused(
        &[("overlap = \"yes\"", "overlap = \"none\""), made],
        "without overlap, the gap is not told",
    );
    refused(
        &[none, made, ("prepare = [\"the key\"]", "prepare = []")],
        "without overlap, nothing is said of what has to be ready",
    );
    refused(&[none], "without overlap, no step is told to be final");
}

#[test]
fn where_it_depends_that_is_told_with_the_gap_and_the_end() {
    let depends = (
        "overlap = \"yes\"",
        "overlap = \"depends\"\ndepends = \"whether two can exist\"\ngap = \"a minute\"",
    );
    let made = ("do = \"Make a key.\"", "do = \"Make a key.\"\nreversible = false");
    assert_eq!(Guide::read(&doctored(&[depends, made])).err(), None);
    refused(&[depends], "where the overlap depends, no step is told to be final");
    refused(
        &[depends, made, ("prepare = [\"the key\"]", "prepare = []")],
        "where the overlap depends, nothing is said of what has to be ready",
    );
    refused(
        &[
            (
                "overlap = \"yes\"",
                "overlap = \"depends\"\ndepends = \"whether two can exist\"",
            ),
            made,
        ],
        "where the overlap depends, the gap is not told",
    );
    refused(
        &[("overlap = \"yes\"", "overlap = \"depends\"\ngap = \"a minute\""), made],
        "it is not told what the overlap depends on",
    );
    refused(
        &[("overlap = \"yes\"", "overlap = \"yes\"\ndepends = \"the weather\"")],
        "the overlap depends on nothing, and is told to",
    );
    let drop = "[[rotate]]\nid = \"drop\"\nphase = \"deleted\"";
    refused(
        &[depends, made, (drop, "[[rotate]]\nid = \"drop\"\nphase = \"soaked\"")],
        "the old credential is never revoked",
    );
}

#[test]
fn a_pause_is_told_only_where_there_is_no_gap() {
    let pause = ("overlap = \"yes\"", "overlap = \"yes\"\npause = \"a minute\"");
    assert_eq!(Guide::read(&doctored(&[pause])).err(), None);
    refused(
        &[(
            "overlap = \"yes\"",
            "overlap = \"none\"\ngap = \"a minute\"\npause = \"a minute\"",
        )],
        "there is a pause although there may be a gap",
    );
}

#[test]
fn an_effect_is_told_only_where_the_phase_says_otherwise() {
    let told = |step: &str, effect: bool| format!("{step}\neffect = {effect}");
    for (step, named, usual) in [
        ("do = \"Look at {user}.\"", "look", false),
        ("do = \"Make a key.\"", "make", true),
        ("do = \"See it used.\"", "see", false),
    ] {
        assert_eq!(Guide::read(&doctored(&[(step, &told(step, !usual))])).err(), None);
        refused(
            &[(step, &told(step, usual))],
            &format!("rotate step {named}: its phase says already whether it changes anything"),
        );
    }
}
