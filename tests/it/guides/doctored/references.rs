//! A text that speaks of a step which the plan of some reader does not have; an end that some reader cannot see; what is left to a guess.

use rotate_providers::guide::Guide;

use super::{doctored, refused};

const LOOK: &str = "[[rotate]]\nid = \"look\"";
const KIND: &str = "[[input]]\nname = \"kind\"\npattern = \"own|external\"\nhelp = \"h\"\n\n[[rotate]]\nid = \"look\"";
const MAKE: &str = "do = \"Make a key.\"";
const OWN: &str = "only = [{ input = \"kind\", is = \"own\" }]";
const END: &str = "do = \"Try the old key of {user}.\"\nexpect = \"refused, {user}\"";
const RESIDUE: &str = "residue = \"a token that was made with it lives for an hour\"\n";

/// The step that makes the key is there for one answer alone.
fn made_by_own() -> String {
    format!("{OWN}\n{MAKE}")
}

fn sound(changes: &[(&str, &str)]) {
    assert_eq!(Guide::read(&doctored(changes)).err(), None, "{changes:?}");
}

#[test]
fn a_step_speaks_only_of_steps_that_are_there_whenever_it_is() {
    let made = made_by_own();
    let sees = "do = \"See it used.\"";
    let tells = "do = \"See it used, as in {step:make}.\"";
    let conditional = [(LOOK, KIND), (MAKE, made.as_str())];
    sound(&[(sees, tells)]);
    let flaw = "rotate step see refers to step make, which is left out unless kind is own";
    refused(&[conditional[0], conditional[1], (sees, tells)], flaw);
    // Where it is left out with the same answer, or with more of them, nobody looks for a step that is not there.
    let with = |only: &str| format!("{only}\n{tells}");
    sound(&[conditional[0], conditional[1], (sees, &with(OWN))]);
    let other = OWN.replace("own", "external");
    refused(&[conditional[0], conditional[1], (sees, &with(&other))], flaw);
    // In every text of it.
    for (from, to) in [
        (sees, "do = \"See it used.\"\nwhere = \"as in {step:make}\""),
        (sees, "do = \"See it used.\"\nexpect = \"as in {step:make}\""),
        (sees, "do = \"See it used.\"\ncaution = \"As in {step:make}.\""),
        (
            sees,
            "do = \"See it used.\"\nback = { do = \"As in {step:make}.\", finish = \"Again.\" }",
        ),
        (
            sees,
            "do = \"See it used.\"\nback = { do = \"Undo it.\", finish = \"As in {step:make}.\" }",
        ),
    ] {
        refused(&[conditional[0], conditional[1], (from, to)], flaw);
    }
}

#[test]
fn the_end_is_seen_with_steps_that_are_there() {
    let made = made_by_own();
    let refers = END.replace("Try", "As in {step:make}, try");
    refused(
        &[(END, &END.replace("Try", "As in {step:gone}, try"))],
        "the negative check refers to step gone, which is not there",
    );
    sound(&[(END, &refers)]);
    refused(
        &[(LOOK, KIND), (MAKE, &made), (END, &refers)],
        "the negative check refers to step make, which is left out unless kind is own",
    );
    let or = |is: &str| {
        format!(
            "{OWN}\n{refers}\n{RESIDUE}\n[[negative.or]]\nonly = [{{ input = \"kind\", is = \"{is}\" }}]\nactor = \"operator\"\ndo = \"Ask.\"\nexpect = \"gone\""
        )
    };
    sound(&[(LOOK, KIND), (MAKE, &made), (END, &or("external"))]);
    refused(
        &[(LOOK, KIND), (MAKE, &made), (END, &or("own"))],
        "where kind is own, there are 2 ways of the negative check, and not one",
    );
    refused(
        &[(LOOK, KIND), (MAKE, &made), (END, &or("foreign"))],
        "the negative check belongs to the plan where kind is foreign, which nobody can answer",
    );
    let without_condition = or("external").replacen("only = [{ input = \"kind\", is = \"external\" }]\n", "", 1);
    refused(
        &[(LOOK, KIND), (MAKE, &made), (END, &without_condition)],
        "where kind is own, there are 2 ways of the negative check, and not one",
    );
}

#[test]
fn whoever_takes_something_away_is_told_the_way_back_or_that_there_is_none() {
    let drop = "do = \"Drop the old key.\"\nreversible = false";
    refused(
        &[(drop, "do = \"Drop the old key.\"")],
        "rotate step drop takes something away: it tells the way back, or that there is none (reversible = false)",
    );
    let back = "back = { do = \"Put it back.\", finish = \"Take this step again.\" }";
    sound(&[(drop, &format!("do = \"Drop the old key.\"\n{back}"))]);
    refused(
        &[(drop, &format!("{drop}\n{back}"))],
        "rotate step drop cannot be undone, and has a way back",
    );
    let deactivates = (
        "id = \"drop\"\nphase = \"deleted\"\nactor = \"dba\"\ndo = \"Drop the old key.\"",
        "id = \"drop\"\nphase = \"deactivated\"\nactor = \"dba\"\ndo = \"Drop the old key.\"",
    );
    refused(
        &[deactivates],
        "rotate step drop switches something off for good: a caution says why there is no way back",
    );
    let cautious = format!("{}\ncaution = \"Nobody keeps it.\"", deactivates.1);
    sound(&[(deactivates.0, &cautious)]);
}

#[test]
fn nobody_is_told_to_skip_a_step() {
    for (from, to, text) in [
        (
            "caution = \"Not {user|url}.\"",
            "caution = \"Skip this if there is one.\"",
            "Skip this if there is one.",
        ),
        (
            MAKE,
            "do = \"Make a key; you may leave this step out.\"",
            "Make a key; you may leave this step out.",
        ),
    ] {
        let step = if to.starts_with("do") { "make" } else { "look" };
        refused(
            &[(from, to)],
            &format!("rotate step {step} is left to the reader to skip; an input and `only` decide that: {text}"),
        );
    }
}

#[test]
fn what_lives_on_is_told_with_its_length_or_that_nobody_knows_it() {
    for sound_one in ["up to 90 minutes", "an hour at most", "no figure is published: ask"] {
        sound(&[("lives for an hour", sound_one)]);
    }
    for bad in ["goes on", "lives for a while", "may work until it ends"] {
        refused(
            &[("lives for an hour", bad)],
            &format!(
                "the negative check tells neither how long something works on nor that there is no figure: a token that was made with it {bad}"
            ),
        );
    }
    let error = Guide::read(&doctored(&[(RESIDUE, "")])).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(error.ends_with("missing field `residue`"), "{error}");
}
