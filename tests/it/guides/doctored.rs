//! For each thing that a guide has to keep, a guide that breaks exactly that, and the error that names it.

mod probes;
mod procedures;
mod references;
mod statements;

use rotate_providers::guide::Guide;

/// A guide with one of everything. It is sound.
const SOUND: &str = r#"title = "Key of a thing"
vendor = "Things"
seeds = ["Thing"]
checked = "2026-11"
no_probe = "nobody knows how"
roles = ["an admin of Things"]
prepare = ["the key"]

[credential]
what = "the key"
coexist = "2"
overlap = "yes"
expires = "never"

[[input]]
name = "user"
identifies = true
default = "me"
pattern = "[a-z]+"
help = "the user"

[[rotate]]
id = "look"
phase = "opened"
actor = "operator"
where = "the console of {user}"
do = "Look at {user}."
expect = "{user} is there"
caution = "Not {user|url}."
link = "https://things.example/look"

[[rotate]]
id = "make"
phase = "created"
actor = "vendor-admin"
do = "Make a key."

[rotate.command]
language = "shell"
text = "things make {user|sh}"
repeat = "refused"

[[rotate]]
id = "see"
phase = "cut-over"
actor = "gainsight-admin"
do = "See it used."

[rotate.command]
language = "sql"
text = "SELECT * FROM uses WHERE id = {user|literal};"
repeat = "same"

[[rotate]]
id = "drop"
phase = "deleted"
actor = "dba"
do = "Drop the old key."
reversible = false

[[disconnect]]
id = "drop"
phase = "deleted"
actor = "dba"
do = "Drop the key."
reversible = false

[[disconnect]]
id = "look"
phase = "opened"
actor = "operator"
do = "Look."

[negative]
actor = "operator"
do = "Try the old key of {user}."
expect = "refused, {user}"
residue = "a token that was made with it lives for an hour"

[[source]]
url = "https://things.example/keys"
says = "all of it"
certainty = "seen"
"#;

/// The sound guide with these replacements, each of which has to be possible once.
#[track_caller]
fn doctored(changes: &[(&str, &str)]) -> String {
    let mut text = SOUND.to_owned();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from:?} is not there once");
        text = text.replace(from, to);
    }
    text
}

#[track_caller]
fn refused(changes: &[(&str, &str)], flaw: &str) {
    let text = doctored(changes);
    match Guide::read(&text) {
        Ok(_) => assert_eq!("accepted", flaw, "{changes:?}"),
        Err(error) => assert_eq!(error.to_string(), flaw, "{changes:?}"),
    }
}

/// The error begins with this line, and has these words.
#[track_caller]
fn unreadable(changes: &[(&str, &str)], near: &str, words: &[&str]) {
    let text = doctored(changes);
    let at = text.find(near).expect("it is there");
    let line = text[..at].matches('\n').count() + 1;
    let error = Guide::read(&text)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        error.starts_with(&format!("line {line}: ")),
        "not line {line}: {error:?}"
    );
    for word in words {
        assert!(error.contains(word), "no {word:?} in: {error}");
    }
}

#[test]
fn the_guide_that_is_doctored_is_sound_itself() {
    assert_eq!(Guide::read(SOUND).err(), None);
    // What is not part of a rotation may come in any order: it begins with an end.
    assert!(SOUND.contains("[[disconnect]]\nid = \"drop\""));
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    unreadable(&[("vendor = \"Things\"", "vendor = Things")], "vendor =", &[]);
    unreadable(&[("id = \"make\"", "id = \"make")], "id = \"make", &[]);
    unreadable(
        &[("coexist = \"2\"", "coexist = \"2\"\ncoexist = \"3\"")],
        "coexist = \"3\"",
        &["duplicate"],
    );
    let error = Guide::read("").err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with("line 1: ") && error.contains("title"), "{error}");
}

#[test]
fn an_unknown_field_is_told_with_its_line_wherever_it_is() {
    for (beside, field) in [
        ("vendor = \"Things\"", "author"),
        ("coexist = \"2\"", "limit"),
        ("default = \"me\"", "secret"),
        ("id = \"make\"", "note"),
        ("language = \"shell\"", "dialect"),
        ("expect = \"refused, {user}\"", "residues"),
        ("certainty = \"seen\"", "read"),
    ] {
        let with = format!("{field} = \"x\"\n{beside}");
        unreadable(&[(beside, &with)], &format!("{field} = "), &["unknown field", field]);
    }
}

#[test]
fn an_unknown_word_is_told_with_its_line_and_the_known_ones() {
    for (from, to, known) in [
        ("overlap = \"yes\"", "overlap = \"maybe\"", "none"),
        ("phase = \"created\"", "phase = \"made\"", "created"),
        ("phase = \"cut-over\"", "phase = \"cut over\"", "cut-over"),
        (
            "actor = \"gainsight-admin\"",
            "actor = \"somebody\"",
            "gainsight-super-admin",
        ),
        ("language = \"sql\"", "language = \"python\"", "shell"),
        ("certainty = \"seen\"", "certainty = \"guessed\"", "unchecked"),
    ] {
        unreadable(&[(from, to)], to, &["unknown variant", known]);
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    for (field, name) in [
        ("title = \"Key of a thing\"\n", "title"),
        ("vendor = \"Things\"\n", "vendor"),
        ("seeds = [\"Thing\"]\n", "seeds"),
        ("checked = \"2026-11\"\n", "checked"),
        ("roles = [\"an admin of Things\"]\n", "roles"),
        ("what = \"the key\"\n", "what"),
        ("overlap = \"yes\"\n", "overlap"),
        ("help = \"the user\"\n", "help"),
        ("id = \"make\"\n", "id"),
        ("phase = \"cut-over\"\n", "phase"),
        ("actor = \"vendor-admin\"\n", "actor"),
        ("do = \"Make a key.\"\n", "do"),
        ("language = \"sql\"\n", "language"),
        ("url = \"https://things.example/keys\"\n", "url"),
    ] {
        let error = Guide::read(&doctored(&[(field, "")])).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("line "), "{name}: {error:?}");
        assert!(error.ends_with(&format!("missing field `{name}`")), "{name}: {error:?}");
    }
}

#[test]
fn an_input_of_which_the_program_knows_nothing_says_what_it_must_look_like() {
    refused(&[("pattern = \"[a-z]+\"\n", "")], "input user has no pattern");
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_line() {
    unreadable(
        &[("pattern = \"[a-z]+\"", "pattern = \"[a-z+\"")],
        "pattern = ",
        &["regex"],
    );
}

#[test]
fn a_text_with_a_broken_place_for_a_value_is_told_with_its_line() {
    for broken in [
        "{user",
        "{",
        "}",
        "{}",
        "{User}",
        "{the user}",
        "{user|html}",
        "{user|}",
        "{|sh}",
    ] {
        let to = format!("do = \"Make a key {broken}\"");
        unreadable(&[("do = \"Make a key.\"", &to)], "do = \"Make", &[]);
    }
    unreadable(
        &[("{user|sh}", "{user|html}")],
        "text = \"things",
        &["sh, ident, literal, escaped or url"],
    );
}

#[test]
fn an_input_is_declared_once_and_one_names_the_target() {
    let second = "[[input]]\nname = \"user\"\npattern = \"x\"\nhelp = \"h\"\n\n[[rotate]]\nid = \"look\"";
    let before = "[[rotate]]\nid = \"look\"";
    refused(&[(before, second)], "input user is declared twice");
    let second =
        "[[input]]\nname = \"other\"\nidentifies = true\npattern = \"x\"\nhelp = \"h\"\n\n[[rotate]]\nid = \"look\"";
    refused(&[(before, second)], "more than one input names the target");
}

#[test]
fn a_default_fits_its_pattern_from_beginning_to_end() {
    for default in ["", "ME", "me too", "2me", "me2"] {
        refused(
            &[("default = \"me\"", &format!("default = \"{default}\""))],
            "the default of input user does not fit its pattern",
        );
    }
    // One of two words is not the beginning of the one or the end of the other.
    refused(
        &[
            ("pattern = \"[a-z]+\"", "pattern = \"a|b\""),
            ("default = \"me\"", "default = \"ax\""),
        ],
        "the default of input user does not fit its pattern",
    );
}

#[test]
fn an_input_that_is_used_nowhere_is_refused() {
    let second = "[[input]]\nname = \"other\"\npattern = \"x\"\nhelp = \"h\"\n\n[[rotate]]\nid = \"look\"";
    refused(&[("[[rotate]]\nid = \"look\"", second)], "input other is used nowhere");
}

#[test]
fn a_text_that_names_no_input_is_told_with_its_place() {
    for (from, to) in [
        ("where = \"the console of {user}\"", "where = \"{other}\""),
        ("do = \"Look at {user}.\"", "do = \"{other}\""),
        ("expect = \"{user} is there\"", "expect = \"{other}\""),
        ("caution = \"Not {user|url}.\"", "caution = \"{other|url}\""),
    ] {
        refused(&[(from, to)], "rotate step look names `{other}`, which is no input");
    }
    refused(
        &[("things make {user|sh}", "things make {other|sh}")],
        "rotate step make names `{other}`, which is no input",
    );
    refused(
        &[("do = \"Drop the key.\"", "do = \"{other}\"")],
        "disconnect step drop names `{other}`, which is no input",
    );
    for (from, to) in [
        ("do = \"Try the old key of {user}.\"", "do = \"{other}\""),
        ("expect = \"refused, {user}\"", "expect = \"{other}\""),
    ] {
        refused(&[(from, to)], "the negative check names `{other}`, which is no input");
    }
}

#[test]
fn a_value_in_a_command_is_quoted_for_what_it_is_typed_into() {
    for bad in ["{user}", "{user|ident}", "{user|literal}", "{user|url}"] {
        refused(
            &[("{user|sh}", bad)],
            "rotate step make: `user` is not quoted for what the command is typed into",
        );
    }
    for bad in ["{user}", "{user|sh}", "{user|url}"] {
        refused(
            &[("{user|literal}", bad)],
            "rotate step see: `user` is not quoted for what the command is typed into",
        );
    }
}

#[test]
fn what_is_known_later_is_not_required_and_names_nothing() {
    let flaw = "input user can only be known later, so it can neither be required nor name the target";
    refused(&[("identifies = true", "identifies = true\nlate = true")], flaw);
    refused(&[("identifies = true", "required = true\nlate = true")], flaw);
    assert_eq!(
        Guide::read(&doctored(&[("identifies = true", "late = true")])).err(),
        None
    );
}

#[test]
fn a_correction_is_about_a_procedure_that_is_there() {
    let before = "[[rotate]]\nid = \"look\"";
    let with = |procedures: &str| {
        format!("[[correction]]\nsays = \"Drop it.\"\ninstead = \"Keep it.\"\nprocedures = {procedures}\n\n{before}")
    };
    assert_eq!(
        Guide::read(&doctored(&[(before, &with("[\"disconnect\"]"))])).err(),
        None
    );
    refused(
        &[(before, &with("[\"reconnect\"]"))],
        "a correction is about reconnect, which is not there",
    );
    refused(&[(before, &with("[]"))], "a correction is about no procedure: Drop it.");
    unreadable(
        &[(before, &with("[\"explode\"]"))],
        "procedures =",
        &["unknown variant", "reconnect"],
    );
}

#[test]
fn links_and_sources_are_https() {
    for bad in [
        "http://things.example/look",
        "things.example",
        "ftp://x",
        "javascript:alert(1)",
        "https://",
        "",
    ] {
        refused(
            &[("https://things.example/look", bad)],
            &format!("{bad} is not an https address"),
        );
        refused(
            &[("https://things.example/keys", bad)],
            &format!("{bad} is not an https address"),
        );
    }
}

#[test]
fn there_is_a_source_and_a_role() {
    let source = "[[source]]\nurl = \"https://things.example/keys\"\nsays = \"all of it\"\ncertainty = \"seen\"\n";
    refused(
        &[(source, ""), ("vendor =", "source = []\nvendor =")],
        "no source is given",
    );
    refused(
        &[("roles = [\"an admin of Things\"]", "roles = []")],
        "no role is given",
    );
}
