//! Files of profiles that nobody has thought of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestRunner, contextualize_config};

use crate::as_aws_tools_files::edit::Edit;
use crate::as_aws_tools_files::profiles::{PREFIX, is_delivered_or_refused};

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => select(vec!["aws_access_key_id", "aws_secret_access_key", "region", "output", "s3"]),
        2 => select(vec!["AWS_ACCESS_KEY_ID", "Aws_Secret_Access_Key", "aws_access_\u{212a}ey_id", ""]),
        1 => select(vec!["aws_session_token", "aws_security_token", "role_arn", "source_profile", "sso_region", "credential_process"]),
    ]
}

fn assignment() -> impl Strategy<Value = String> {
    let delimiter = prop_oneof![
        6 => select(vec!["=", " = ", "= "]),
        2 => select(vec![": ", ":", " : ", "\t=\t", " ", "\u{a0}= "]),
    ];
    let value = prop_oneof![
        6 => select(vec!["AKIAOLD", "a/b+c==", "eu-west-1"]),
        3 => select(vec!["", "x # y", "x ; y", "x;y", "x#y", "# x", "two words", "a=b", "a:b", "\"quoted\"", "x\u{a0}y", "]"]),
    ];
    (indent(), name(), delimiter, value)
        .prop_map(|(indent, name, delimiter, value)| format!("{indent}{name}{delimiter}{value}"))
}

fn indent() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just(""), 1 => Just(" "), 1 => Just("  "), 1 => Just("\t"), 1 => Just("\u{a0}")]
}

fn header(is_config: bool) -> impl Strategy<Value = String> {
    let prefix = if is_config { "profile " } else { "" };
    let usual =
        select(vec!["gainsight", "gainsight", "other", "third"]).prop_map(move |name| format!("[{prefix}{name}]"));
    let odd = select(vec![
        "[default]",
        "[profile default]",
        "[ gainsight ]",
        "[profile  gainsight]",
        "[profile \"gainsight\"]",
        "[profile gainsight]",
        "[gainsight] # ours",
        "[gainsight]]",
        "[Gainsight]",
        "[sso-session gainsight]",
        "[]",
        "[gainsight",
        " [gainsight]",
        "[other] ; [gainsight]",
        "[preview]",
    ]);
    prop_oneof![6 => usual, 1 => odd.prop_map(str::to_owned)]
}

fn line(is_config: bool) -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "",
        "   ",
        "# a comment",
        "; a comment",
        "  # indented comment",
        "s3 =\n  addressing_style = path\n\taws_access_key_id = nested",
        "s3 =\n  bare",
        "  aws_access_key_id = deeper",
        "root:*:1:0::/root:/bin/sh",
        "no delimiter",
        "a\u{b}b = c",
        "x = 1\ry = 2",
        "x = 1\u{2028}aws_access_key_id = 2",
    ]);
    prop_oneof![8 => assignment(), 3 => header(is_config), 2 => odd.prop_map(str::to_owned)]
}

fn text(is_config: bool) -> impl Strategy<Value = String> {
    let newline = prop_oneof![6 => Just("\n"), 1 => Just("\r\n")];
    let first = prop_oneof![12 => header(is_config), 1 => line(is_config), 1 => Just("\u{feff}[default]".to_owned())];
    (
        first,
        proptest::collection::vec((line(is_config), newline), 0..8),
        any::<bool>(),
    )
        .prop_map(|(first, lines, last)| {
            let mut text = first;
            for (line, newline) in lines {
                text.push_str(newline);
                text.push_str(&line);
            }
            text + if last { "\n" } else { "" }
        })
}

fn config() -> ProptestConfig {
    contextualize_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    })
}

/// The pieces of such a file in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "[",
        "]",
        "[gainsight]",
        "[other]",
        "[default]",
        "profile ",
        "gainsight",
        "aws_access_key_id",
        "aws_secret_access_key",
        "region",
        "s3",
        "=",
        " = ",
        ":",
        "x",
        "AKIAOLD",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\n  ",
        "#",
        ";",
        " # ",
        "\"",
        "'",
        "%",
        "\\",
        "aws_session_token",
        "role_arn",
        "\u{a0}",
        "é",
    ]);
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| format!("[gainsight]\n{}", pieces.concat()))
}

#[test]
fn whatever_order_the_pieces_of_a_file_are_in_every_reader_reads_the_new_key_or_it_was_refused() {
    for (file, is_config) in [("credentials", false), ("config", true)] {
        taken_or_refused(file, is_config, soup());
    }
}

#[test]
fn whatever_a_credentials_file_holds_every_reader_reads_the_new_key_or_it_was_refused() {
    taken_or_refused("credentials", false, text(false));
}

#[test]
fn whatever_a_config_file_holds_every_reader_reads_the_new_key_or_it_was_refused() {
    taken_or_refused("config", true, text(true));
}

fn taken_or_refused(file: &str, is_config: bool, texts: impl Strategy<Value = String>) {
    let counted = std::cell::Cell::new((0, 0));
    TestRunner::new(config())
        .run(&texts, |text| {
            let (taken, refused) = counted.get();
            let is_taken = is_delivered_or_refused(&Edit::of(file, PREFIX, &text), is_config);
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
