//! What is typed, and what is noted down: a statement that does harm as it stands, and evidence that nothing can be held against.

use rotate_providers::guide::Guide;

use super::{doctored, refused, unreadable};

/// The step that makes the key, as a statement.
fn made_by(statement: &str, more: &str) -> Vec<(String, String)> {
    let shell = "language = \"shell\"\ntext = \"things make {user|sh}\"\nrepeat = \"refused\"";
    vec![(
        shell.to_owned(),
        format!("language = \"sql\"\ntext = \"{statement}\"\n{more}"),
    )]
}

#[track_caller]
fn refused_statement(statement: &str, more: &str, flaw: &str) {
    let changes = made_by(statement, more);
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    refused(&changes, flaw);
}

#[test]
fn a_statement_that_was_not_filled_in_cannot_be_run() {
    // Pasted as it stands, this one once gave an account a password that everybody can read here.
    let statement = "ALTER USER {user|escaped} IDENTIFIED BY '<NEW PASSWORD>' RETAIN CURRENT PASSWORD;";
    let once = "repeat = \"once\"\nunknown = \"Look with {step:see}.\"";
    refused_statement(
        statement,
        once,
        "rotate step make: a place stands in quotes, so the command runs with it as it is printed: ALTER USER x IDENTIFIED BY \
         '<NEW PASSWORD>' RETAIN CURRENT PASSWORD;",
    );
    let refused_by_every_server = statement.replace("'<NEW PASSWORD>'", "<NEW PASSWORD>");
    let changes = made_by(&refused_by_every_server, once);
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    assert_eq!(Guide::read(&doctored(&changes)).err(), None);
    // In a shell too, and in a sentence.
    refused(
        &[("things make {user|sh}", "things make '<KEY ID>' {user|sh}")],
        "rotate step make: a place stands in quotes, so the command runs with it as it is printed: things make '<KEY ID>' x",
    );
    refused(
        &[(
            "caution = \"Not {user|url}.\"",
            "caution = \"Not {user|url}: '<OLD PASSWORD>'.\"",
        )],
        "rotate step look: a place stands in quotes, so it can be pasted as it is printed: Not x: '<OLD PASSWORD>'.",
    );
}

#[test]
fn a_value_has_the_quotes_of_its_own_and_no_others_around_it() {
    // Around quotes of its own, others end where the value begins.
    for (bad, shown) in [
        ("SELECT '{user|literal}';", "SELECT 'x';"),
        ("SELECT 1 FROM \\\"{user|ident}\\\";", "SELECT 1 FROM \"x\";"),
        ("SELECT `{user|escaped}`;", "SELECT `x`;"),
        ("SELECT 'of {user|literal} and more';", "SELECT 'of x and more';"),
    ] {
        refused_statement(
            bad,
            "repeat = \"same\"",
            &format!("rotate step make: a value stands in quotes that are not its own: {shown}"),
        );
    }
    for bad in ["things make '{user|sh}'", "things make \\\"of {user|sh}\\\""] {
        let shown = bad.replace("{user|sh}", "x").replace('\\', "");
        refused(
            &[("things make {user|sh}", bad)],
            &format!("rotate step make: a value stands in quotes that are not its own: {shown}"),
        );
    }
}

#[test]
fn what_a_second_run_does_is_told_and_where_it_is_harm_how_to_look_first() {
    // Run a second time, this one once ended the password that a consumer had.
    let statement = "ALTER USER {user|escaped} IDENTIFIED BY <NEW PASSWORD> RETAIN CURRENT PASSWORD;";
    refused_statement(
        statement,
        "",
        "rotate step make: it is not told what the command does when it is run twice",
    );
    refused_statement(
        statement,
        "repeat = \"once\"",
        "rotate step make: the command must not be run twice, and it is not told how to see whether it ran",
    );
    refused_statement(
        statement,
        "repeat = \"same\"\nunknown = \"Look with {step:see}.\"",
        "rotate step make: the command may be run twice, so there is no need to look first",
    );
    for looks_nowhere in ["Look first.", "Look with {step:look}.", "Look with {step:make}."] {
        refused_statement(
            statement,
            &format!("repeat = \"once\"\nunknown = \"{looks_nowhere}\""),
            "rotate step make: how to see whether the command ran names no step that looks: write {step:its-name}",
        );
    }
    // A function changes things as well as a statement does.
    refused_statement(
        "SELECT end_session({user|escaped});",
        "",
        "rotate step make: it is not told what the command does when it is run twice",
    );
    refused(
        &[("\nrepeat = \"refused\"", "")],
        "rotate step make: it is not told what the command does when it is run twice",
    );
}

#[test]
fn a_statement_for_the_way_back_is_checked_like_any_other_and_has_its_finish() {
    // A way back in a sentence: what it does to the two passwords was told nowhere, and the next step ended the wrong one.
    let told = "caution = \"If it fails: ALTER USER with IDENTIFIED BY and RETAIN CURRENT PASSWORD.\"";
    refused(
        &[("caution = \"Not {user|url}.\"", told)],
        "rotate step look: a statement stands in a sentence; it belongs into a command, or into the way back: If it fails: \
         ALTER USER with IDENTIFIED BY and RETAIN CURRENT PASSWORD.",
    );
    let drop = "do = \"Drop the old key.\"\nreversible = false";
    let back = "do = \"Drop the old key.\"\nback = { do = \"Put it back.\"";
    let command = "command = { language = \"sql\", text = \"ALTER USER {user|escaped} IDENTIFIED BY <OLD> RETAIN CURRENT PASSWORD;\"";
    unreadable(&[(drop, &format!("{back} }}"))], "back =", &["missing field `finish`"]);
    refused(
        &[(
            drop,
            &format!("{back}, {command} }}, finish = \"Take this step again.\" }}"),
        )],
        "rotate step drop: it is not told what the command does when it is run twice",
    );
}

#[test]
fn a_text_refers_to_a_step_that_is_there() {
    refused(
        &[(
            "do = \"Look at {user}.\"",
            "do = \"Look at {user}, as in {step:gone}.\"",
        )],
        "rotate step look refers to step gone, which is not there",
    );
    // Each procedure has its own.
    refused(
        &[("do = \"Drop the key.\"", "do = \"Drop the key, as in {step:make}.\"")],
        "disconnect step drop refers to step make, which is not there",
    );
}

#[test]
fn a_step_belongs_to_an_answer_that_can_be_given() {
    let choice = "[[input]]\nname = \"kind\"\npattern = \"own|external\"\nhelp = \"h\"\n\n[[rotate]]\nid = \"look\"";
    let only = |answer: &str| format!("only = [{{ input = \"kind\", is = \"{answer}\" }}]\ndo = \"Make a key.\"");
    let before = "[[rotate]]\nid = \"look\"";
    assert_eq!(
        Guide::read(&doctored(&[
            (before, choice),
            ("do = \"Make a key.\"", &only("external"))
        ]))
        .err(),
        None
    );
    refused(
        &[(before, choice), ("do = \"Make a key.\"", &only("foreign"))],
        "rotate step make belongs to the plan where kind is foreign, which nobody can answer",
    );
    refused(
        &[("do = \"Make a key.\"", &only("external"))],
        "rotate step make belongs to the plan where kind is external, which nobody can answer",
    );
}

#[test]
fn what_is_noted_down_has_a_form_that_can_be_held_against_it() {
    let noted = |more: &str| format!("do = \"See it used.\"\n{more}");
    let choice = "evidence = \"which\"\nform = \"choice\"\nchoices = [\"one\", \"the other\"]";
    assert_eq!(
        Guide::read(&doctored(&[("do = \"See it used.\"", &noted(choice))])).err(),
        None
    );
    let flaw = "rotate step see: a choice is between two answers or more, and nothing else has answers";
    for bad in [
        "evidence = \"which\"\nform = \"choice\"",
        "evidence = \"which\"\nform = \"choice\"\nchoices = [\"one\"]",
        "evidence = \"which\"\nform = \"time\"\nchoices = [\"one\", \"the other\"]",
    ] {
        refused(&[("do = \"See it used.\"", &noted(bad))], flaw);
    }
    refused(
        &[("do = \"See it used.\"", &noted("form = \"time\""))],
        "rotate step see has a form for what is noted down, and nothing is",
    );
    unreadable(
        &[("do = \"See it used.\"", &noted("evidence = \"x\"\nform = \"password\""))],
        "form =",
        &["unknown variant", "public-key"],
    );
}

#[test]
fn the_month_in_which_the_facts_were_looked_at_is_one() {
    for bad in ["", "2026", "2026-13", "2026-1", "November 2026", "2026-11-27"] {
        refused(
            &[("checked = \"2026-11\"", &format!("checked = \"{bad}\""))],
            &format!("checked is a month such as 2026-11, and not {bad}"),
        );
    }
}
