//! Files of variables that nobody has thought of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestRunner, contextualize_config};

use crate::as_aws_tools_files::dotenv::{PREFIX, is_delivered_or_refused};
use crate::as_aws_tools_files::edit::Edit;

fn line() -> impl Strategy<Value = String> {
    let before = prop_oneof![
        8 => Just(""),
        2 => select(vec!["export ", "  ", "\texport\t", "# ", "unset ", "PORT=1 ", "PORT=1; ", "$", "\u{a0}", "declare -x "]),
    ];
    let name = prop_oneof![
        5 => select(vec!["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
        8 => select(vec!["PORT", "HOST", "A", "B", "MY_AWS_ACCESS_KEY_ID", "aws_access_key_id"]),
        1 => select(vec!["AWS_SESSION_TOKEN", "'AWS_ACCESS_KEY_ID'", "AWS_ACCESS_KEY_ID_2"]),
    ];
    let equals = prop_oneof![10 => Just("="), 2 => select(vec![" = ", "= ", " =", ": ", ":", "+=", ""])];
    let value = prop_oneof![
        6 => select(vec!["old", "\"old\"", "'old'", "a/b+c=="]),
        4 => select(vec![
            "", "\"\"", "two words", "\"two words\"", "old # ours", "\"old\" # it's", "'it\"s'", "it's", "\"open", "'open",
            "\"say \\\"x\\\"\"", "'C:\\'", "x\\", "`id`", "$PORT", "\"${A}\"", "#x", "o#x", "\"a\"b", "a'b'c", "AWS_ACCESS_KEY_ID=x",
            "\"AWS_ACCESS_KEY_ID=x\"", "x\ry", "x\u{2028}y", "x\u{b}y", "$'x'", "\\'", "\\\"",
        ]),
    ];
    let assignment = (before, name, equals, value)
        .prop_map(|(before, name, equals, value)| format!("{before}{name}{equals}{value}"));
    let odd = select(vec![
        "",
        "",
        "# a comment",
        "#it's",
        "; a comment",
        "A=\"one\ntwo\"",
        "\"",
        "'",
        "three\"",
        "four'",
        "if true",
        "\\",
    ]);
    prop_oneof![8 => assignment, 2 => odd.prop_map(str::to_owned)]
}

fn text() -> impl Strategy<Value = String> {
    let newline = prop_oneof![6 => Just("\n"), 1 => Just("\r\n")];
    (proptest::collection::vec((line(), newline), 0..7), any::<bool>()).prop_map(|(lines, last)| {
        let mut text: String = lines.into_iter().map(|(line, newline)| line + newline).collect();
        if last && text.ends_with('\n') {
            text.truncate(text.trim_end_matches('\n').trim_end_matches('\r').len());
        }
        text
    })
}

/// The pieces of such a file in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID=old",
        "\nAWS_SECRET_ACCESS_KEY=\"old\"\n",
        "A",
        "B",
        "=",
        "=",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "#",
        " #",
        ";",
        "\"",
        "'",
        "\\",
        "export ",
        "x",
        "y z",
        ":",
        "é",
        "\u{a0}",
    ]);
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

#[test]
fn whatever_order_the_pieces_of_a_file_are_in_every_reader_reads_the_new_key_or_it_was_refused() {
    taken_or_refused(soup());
}

#[test]
fn whatever_a_file_of_variables_holds_every_reader_reads_the_new_key_or_it_was_refused() {
    taken_or_refused(text());
}

/// Found by chance among such files: the quote opens a value that runs over the lines below it.
#[test]
fn a_quote_behind_whatever_python_takes_for_a_blank_opens_a_value() {
    for blank in [
        "", " ", "\t", "\u{a0}", "\u{2003}", "\u{3000}", "\u{b}", "\u{c}", "\u{1c}", "\u{1f}", "\u{85}",
    ] {
        for line in [
            format!(";={blank}\""),
            format!("A{blank}={blank}'"),
            format!("{blank}export{blank}A=\""),
        ] {
            let quote = line.chars().next_back().expect("a quote");
            let text = format!("{line}\nAWS_SECRET_ACCESS_KEY={quote}old{quote}\nB=1\n");
            // What stands there is held against what both readers find.
            is_delivered_or_refused(&Edit::of("app.env", PREFIX, &text));
        }
    }
}

fn taken_or_refused(texts: impl Strategy<Value = String>) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    };
    let counted = std::cell::Cell::new((0, 0));
    TestRunner::new(contextualize_config(config))
        .run(&texts, |text| {
            let (taken, refused) = counted.get();
            let is_taken = is_delivered_or_refused(&Edit::of("app.env", PREFIX, &text));
            counted.set(if is_taken {
                (taken + 1, refused)
            } else {
                (taken, refused + 1)
            });
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    // A corpus of which nothing is taken, or all, proves little.
    let (taken, refused) = counted.get();
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
}
