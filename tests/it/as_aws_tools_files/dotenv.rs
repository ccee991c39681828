//! What python-dotenv and a shell read in a file of variables.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::as_aws_tools_files::edit::{Edit, NEW_ID, NEW_SECRET, READERS};

pub(crate) const PREFIX: &str = "file:";
const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// The variables that a shell has after `set -a; . FILE`; `None` where it complains of the file.
pub(crate) fn by_a_shell(path: &Path) -> Option<BTreeMap<String, String>> {
    // Whatever the file itself prints stands before the mark.
    const ASK: &str = "set -a; . \"$0\" || exit 1; printf '\\0MARK\\0'; exec /usr/bin/env -0";
    let output = Command::new("/bin/sh")
        .args(["-c", ASK])
        .arg(path)
        .current_dir(path.parent().expect("a folder"))
        .env_clear()
        .env("PATH", "/nowhere")
        .output()
        .expect("`sh` and `env` are there");
    let is_read = output.status.success() && output.stderr.is_empty();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, text) = text.rsplit_once("\0MARK\0").unwrap_or_default();
    let variables = text.split_terminator('\0').filter_map(|line| line.split_once('='));
    is_read.then(|| {
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    })
}

/// Delivers, and holds what both readers find against what they found before. Whether the file was taken.
pub(crate) fn is_delivered_or_refused(edit: &Edit) -> bool {
    let before = (python(edit.path()), by_a_shell(edit.path()));
    if edit.deliver().is_err() {
        return false;
    }
    let text = edit.text();
    let (mut old, mut new) = (before.0, python(edit.path()));
    assert_eq!(new.remove(ID), Some(NEW_ID.into()), "to python-dotenv:\n{text}");
    assert_eq!(new.remove(SECRET), Some(NEW_SECRET.into()), "to python-dotenv:\n{text}");
    old.remove(ID);
    old.remove(SECRET);
    assert_eq!(new, old, "other variables, to python-dotenv:\n{text}");

    let Some(mut old) = before.1 else { return true };
    let mut new = by_a_shell(edit.path()).unwrap_or_else(|| panic!("a shell cannot read it any more:\n{text}"));
    // A shell takes the carriage return for a part of the value, before and after.
    let take = |variables: &mut BTreeMap<String, String>, name| {
        variables
            .remove(name)
            .map(|value: String| value.trim_end_matches('\r').to_owned())
    };
    assert_eq!(take(&mut new, ID).as_deref(), Some(NEW_ID), "to a shell:\n{text}");
    assert_eq!(
        take(&mut new, SECRET).as_deref(),
        Some(NEW_SECRET),
        "to a shell:\n{text}"
    );
    old.remove(ID);
    old.remove(SECRET);
    assert_eq!(new, old, "other variables, to a shell:\n{text}");
    true
}

fn python(path: &Path) -> BTreeMap<String, Value> {
    let read = READERS.dotenv(path).expect("python-dotenv reads whatever it is");
    serde_json::from_value(read).expect("names and values")
}

/// Every reader reads the new key, and the file is as expected.
#[track_caller]
fn becomes(text: &str, expected: &str) {
    let edit = Edit::of("app.env", PREFIX, text);
    assert!(
        is_delivered_or_refused(&edit),
        "it was refused:\n{text}\n{:?}",
        edit.deliver()
    );
    let expected = expected.replace("NEWID", NEW_ID).replace("NEWSECRET", NEW_SECRET);
    assert_eq!(edit.text(), expected);
}

#[test]
fn whatever_form_an_assignment_has_its_value_is_replaced_and_the_rest_of_its_line_stays() {
    for (id, secret) in [
        ("AWS_ACCESS_KEY_ID=@", "AWS_SECRET_ACCESS_KEY=@"),
        ("export AWS_ACCESS_KEY_ID=@", "export\tAWS_SECRET_ACCESS_KEY=\"@\""),
        ("  AWS_ACCESS_KEY_ID='@'", "\t export  AWS_SECRET_ACCESS_KEY='@'"),
        ("AWS_ACCESS_KEY_ID = @", "AWS_SECRET_ACCESS_KEY= \"@\""),
        (
            "AWS_ACCESS_KEY_ID=@ # ours",
            "AWS_SECRET_ACCESS_KEY=\"@\"   # ours, it's new",
        ),
        ("AWS_ACCESS_KEY_ID=@  ", "AWS_SECRET_ACCESS_KEY='@'\t"),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("PORT=80{end}{id}{end}# between{end}{secret}{end}LAST=1{end}");
            becomes(
                &text.replace('@', "old"),
                &text.replacen('@', "NEWID", 1).replacen('@', "NEWSECRET", 1),
            );
        }
    }
    becomes(
        "AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\"\"",
        "AWS_ACCESS_KEY_ID=NEWID\nAWS_SECRET_ACCESS_KEY=\"NEWSECRET\"",
    );
}

#[test]
fn each_line_keeps_its_end_and_a_new_one_ends_like_the_line_above_it() {
    becomes(
        "A=1\r\nAWS_ACCESS_KEY_ID=old\nB=2\r\n",
        "A=1\r\nAWS_ACCESS_KEY_ID=NEWID\nB=2\r\nAWS_SECRET_ACCESS_KEY=NEWSECRET\r\n",
    );
    becomes(
        "A=1\r\nB=2\n",
        "A=1\r\nB=2\nAWS_ACCESS_KEY_ID=NEWID\nAWS_SECRET_ACCESS_KEY=NEWSECRET\n",
    );
}

#[test]
fn what_is_no_assignment_to_any_reader_stays() {
    for line in [
        "# AWS_ACCESS_KEY_ID=commented",
        "  # export AWS_SECRET_ACCESS_KEY=commented",
        "MY_AWS_ACCESS_KEY_ID=theirs",
        "AWS_ACCESS_KEY_ID_2=theirs",
        "NEEDED=\"AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\"",
        "HELP='set AWS_ACCESS_KEY_ID=… first'",
        "PORT=80 # like AWS_ACCESS_KEY_ID=x",
        "aws_access_key_id=theirs",
        "# the keys:",
        "PEM=\"-----BEGIN\nabc=\n-----END\"",
    ] {
        becomes(
            &format!("{line}\nAWS_ACCESS_KEY_ID=old\nAWS_SECRET_ACCESS_KEY=old\n"),
            &format!("{line}\nAWS_ACCESS_KEY_ID=NEWID\nAWS_SECRET_ACCESS_KEY=NEWSECRET\n"),
        );
    }
}

#[test]
fn what_readers_take_in_different_ways_is_refused_with_its_line_and_name() {
    for (line, word) in [
        ("AWS_ACCESS_KEY_ID: old", "on a line of its own"),
        ("AWS_ACCESS_KEY_ID:old", "on a line of its own"),
        ("AWS_ACCESS_KEY_ID", "on a line of its own"),
        ("export AWS_ACCESS_KEY_ID", "on a line of its own"),
        ("unset AWS_ACCESS_KEY_ID", "on a line of its own"),
        ("AWS_ACCESS_KEY_ID+=old", "on a line of its own"),
        ("'AWS_ACCESS_KEY_ID'=old", "on a line of its own"),
        ("export 'AWS_ACCESS_KEY_ID=old'", "on a line of its own"),
        ("declare -x AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("PORT=80 AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("export PORT=80 AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("PORT=80; AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("PORT=\"80\" AWS_ACCESS_KEY_ID=\"old\"", "on a line of its own"),
        ("\u{a0}AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("\u{feff}AWS_ACCESS_KEY_ID=old", "on a line of its own"),
        ("AWS_ACCESS_KEY_ID=\"old", "nothing ends the quote"),
        ("AWS_ACCESS_KEY_ID=\"old\" more", "more than one value"),
        ("AWS_ACCESS_KEY_ID=old more", "more than one value"),
        ("AWS_ACCESS_KEY_ID=\"old\"#x", "more than one value"),
        ("AWS_ACCESS_KEY_ID=$(pass show key)", "AWS_ACCESS_KEY_ID"),
        ("AWS_ACCESS_KEY_ID=${OTHER}", "is computed"),
        ("AWS_ACCESS_KEY_ID=\"$OTHER\"", "is computed"),
        ("AWS_ACCESS_KEY_ID=`id`", "is computed"),
        ("AWS_ACCESS_KEY_ID=ol\\d", "is computed"),
        ("AWS_ACCESS_KEY_ID=o'l'd", "is computed"),
        ("export AWS_ACCESS_KEY_ID= old", "is empty to a shell"),
        ("AWS_ACCESS_KEY_ID= # later", "a comment for its value"),
    ] {
        let edit = Edit::of("app.env", PREFIX, &format!("A=1\n{line}\nAWS_SECRET_ACCESS_KEY=old\n"));
        edit.is_refused(&["line 2", "AWS_ACCESS_KEY_ID", word]);
    }
}

#[test]
fn a_name_that_is_assigned_twice_is_refused_with_both_lines() {
    let text = "AWS_ACCESS_KEY_ID=a\nB=1\n  export AWS_ACCESS_KEY_ID='b'\n";
    Edit::of("app.env", PREFIX, text).is_refused(&["line 3", "AWS_ACCESS_KEY_ID", "assigned twice", "line 1"]);
}

#[test]
fn a_session_token_under_either_of_its_names_is_refused() {
    for line in [
        "AWS_SESSION_TOKEN=x",
        "export AWS_SECURITY_TOKEN='x'",
        "AWS_SESSION_TOKEN=",
    ] {
        Edit::of("app.env", PREFIX, &format!("A=1\n{line}\n")).is_refused(&["line 2", "it holds a session token"]);
    }
}

#[test]
fn an_assignment_inside_a_value_of_several_lines_is_refused_with_the_line_that_opens_it() {
    for text in [
        "A=\"one\nAWS_ACCESS_KEY_ID=old\nthree\"\n",
        "A='one\nAWS_ACCESS_KEY_ID=old\nthree'\n",
        "A=it's\nAWS_ACCESS_KEY_ID=old\nB=it's\n",
    ] {
        Edit::of("app.env", PREFIX, text).is_refused(&["line 2", "AWS_ACCESS_KEY_ID", "quotes that line 1 opens"]);
    }
    Edit::of("app.env", PREFIX, "A=x\\\nAWS_ACCESS_KEY_ID=old\n").is_refused(&["line 2", "the line above it begins"]);
    // Node's dotenv takes the next line for the value.
    Edit::of("app.env", PREFIX, "A:\nAWS_ACCESS_KEY_ID=old\n").is_refused(&["line 2", "the line above it begins"]);
    Edit::of("app.env", PREFIX, "A=1\nB:\n").is_refused(&["line 2", "its end begins"]);
    Edit::of("app.env", PREFIX, "A=\"one\nB=1\n").is_refused(&["line 1", "nothing ends the quote"]);
    Edit::of("app.env", PREFIX, "A=1\nB=x\\").is_refused(&["line 2", "its end begins"]);
    Edit::of("app.env", PREFIX, "A=1\rAWS_ACCESS_KEY_ID=old\n").is_refused(&["line 1", "U+000D"]);
}
