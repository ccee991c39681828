//! Files of profiles as people have them, each with what has to become of it.

use crate::as_aws_tools_files::edit::Edit;
use crate::as_aws_tools_files::profiles::{PREFIX, is_delivered_or_refused};

const KEYS: &str = "aws_access_key_id = AKIAOLD\naws_secret_access_key = old/secret\n";

/// Every reader that could read it reads the new key, and the file is as expected.
#[track_caller]
fn becomes(file: &str, text: &str, expected: &str) {
    let edit = Edit::of(file, PREFIX, text);
    let is_config = file.ends_with("config");
    assert!(
        is_delivered_or_refused(&edit, is_config),
        "it was refused:\n{text}\n{:?}",
        edit.deliver()
    );
    let new = |text: &str| {
        text.replace("NEWID", crate::as_aws_tools_files::edit::NEW_ID)
            .replace("NEWSECRET", crate::as_aws_tools_files::edit::NEW_SECRET)
    };
    assert_eq!(edit.text(), new(expected));
}

#[track_caller]
fn is_refused(text: &str, words: &[&str]) {
    Edit::of("credentials", PREFIX, text).is_refused(words);
}

#[test]
fn a_colon_assigns_and_is_replaced_in_place() {
    becomes(
        "credentials",
        "[gainsight]\naws_access_key_id: AKIAOLD\naws_secret_access_key : old/secret\n",
        "[gainsight]\naws_access_key_id: NEWID\naws_secret_access_key : NEWSECRET\n",
    );
    becomes(
        "credentials",
        "[other]\naws_access_key_id: AKIATHEIRS\n[gainsight]\n",
        "[other]\naws_access_key_id: AKIATHEIRS\n[gainsight]\naws_access_key_id = NEWID\naws_secret_access_key = NEWSECRET\n",
    );
}

#[test]
fn names_in_any_case_are_the_same_name() {
    becomes(
        "credentials",
        "[gainsight]\nAWS_ACCESS_KEY_ID = AKIAOLD\nAws_Secret_Access_Key=old\n",
        "[gainsight]\nAWS_ACCESS_KEY_ID = NEWID\nAws_Secret_Access_Key=NEWSECRET\n",
    );
}

#[test]
fn indented_options_are_options_where_nothing_stands_above_them() {
    becomes(
        "credentials",
        "[gainsight]\n  aws_access_key_id = AKIAOLD\n  aws_secret_access_key = old\n",
        "[gainsight]\n  aws_access_key_id = NEWID\n  aws_secret_access_key = NEWSECRET\n",
    );
}

#[test]
fn in_a_config_file_the_section_is_profile_and_its_name() {
    let added = "[profile gainsight]\naws_access_key_id = NEWID\naws_secret_access_key = NEWSECRET\n";
    becomes(
        "config",
        "[default]\nregion = x\n",
        &format!("[default]\nregion = x\n\n{added}"),
    );
    becomes("config", "", added);
    becomes(
        "app.config",
        "[profile other]\nregion = x\n",
        &format!("[profile other]\nregion = x\n\n{added}"),
    );
    becomes(
        "config",
        "[profile gainsight]\nregion = x\n[gainsight]\nregion = y\n",
        "[profile gainsight]\nregion = x\naws_access_key_id = NEWID\naws_secret_access_key = NEWSECRET\n[gainsight]\nregion = y\n",
    );
}

#[test]
fn keys_under_a_header_that_the_other_kind_of_file_has_are_refused_with_the_right_one() {
    Edit::of("config", PREFIX, &format!("[default]\n[gainsight]\n{KEYS}"))
        .is_refused(&["line 2", "write [profile gainsight]"]);
    Edit::of(
        "credentials",
        PREFIX,
        &format!("[default]\n[profile gainsight]\n{KEYS}"),
    )
    .is_refused(&["line 2", "write [gainsight]"]);
}

#[test]
fn a_profile_that_answers_with_something_else_than_its_keys_is_refused() {
    for option in [
        "role_arn = arn:aws:iam::123456789012:role/x",
        "sso_session = main",
        "sso_start_url = https://example.com",
        "sso_account_id = 123456789012",
        "sso_role_name = x",
        "credential_process = /bin/keys",
        "source_profile = other",
        "credential_source = Ec2InstanceMetadata",
        "web_identity_token_file = /run/token",
        "ROLE_ARN: arn:aws:iam::123456789012:role/x",
        "role_arn =",
    ] {
        let (name, _) = option.split_once([' ', ':']).expect("a name");
        is_refused(
            &format!("[other]\n{option}\n[gainsight]\n{KEYS}{option}\n"),
            &["line 6", &name.to_lowercase(), "something else than the keys in it"],
        );
        // In another profile it is nobody's business.
        let edit = Edit::of(
            "credentials",
            PREFIX,
            &format!("[other]\n{option}\n[gainsight]\n{KEYS}"),
        );
        assert!(is_delivered_or_refused(&edit, false), "{:?}", edit.deliver());
    }
}

#[test]
fn a_session_token_under_either_of_its_names_is_refused() {
    for name in ["aws_session_token", "aws_security_token", "AWS_Security_Token"] {
        for equals in ["=", ": "] {
            is_refused(
                &format!("[gainsight]\n{KEYS}{name}{equals}x\n"),
                &["line 4", "it holds a session token", "remove that line"],
            );
        }
    }
}

#[test]
fn a_file_that_is_no_credentials_file_is_refused() {
    is_refused("root:*:1:0::/root:/bin/sh\n", &["line 1", "no file of AWS profiles"]);
    is_refused("{\"Version\": 1}\n", &["line 1", "no file of AWS profiles"]);
    is_refused(
        "# a comment\nAWS_ACCESS_KEY_ID=x\n",
        &["line 2", "no file of AWS profiles"],
    );
}

#[test]
fn what_makes_boto3_give_up_the_whole_file_is_refused_with_its_line() {
    let ours = format!("[gainsight]\n{KEYS}");
    for (theirs, words) in [
        ("[other]\nregion = x\nregion: y\n", ["line 6", "line 5"]),
        ("[other]\n[other]\n", ["line 5", "twice"]),
        ("[gainsight]\n", ["line 4", "the profile stands in it twice"]),
        ("[other]\nno delimiter\n", ["line 5", "neither a [section] nor"]),
        ("[other]\n= x\n", ["line 5", "no name"]),
        ("[other]\ns3 =\n  bare\n", ["line 6", "name = value"]),
        ("[other\n", ["line 4", "no [section]"]),
    ] {
        is_refused(&format!("{ours}{theirs}"), &words);
    }
    is_refused(&format!("\u{feff}{ours}"), &["line 1", "byte order mark"]);
}

#[test]
fn what_readers_take_in_different_ways_is_refused_with_its_line() {
    let head = "[gainsight]\naws_access_key_id = AKIAOLD\n";
    for (rest, words) in [
        ("aws_secret_access_key = two words\n", ["line 3", "more than one value"]),
        (
            "aws_secret_access_key = old\n  more\n",
            ["line 4", "more than one value"],
        ),
        (
            "aws_secret_access_key = old\n  # a comment\n",
            ["line 4", "more than one value"],
        ),
        ("aws_secret_access_key: a=b\n", ["line 3", "both : and ="]),
        ("region = x\n  aws_secret_access_key = old\n", ["line 4", "is indented"]),
        ("aws_secret_access_\u{212a}ey = old\n", ["line 3", "only looks like it"]),
        ("region = x\raws_secret_access_key = y\n", ["line 3", "U+000D"]),
        ("region = x\u{2028}aws_secret_access_key = y\n", ["line 3", "U+2028"]),
        ("\u{a0}aws_secret_access_key = y\n", ["line 3", "a blank that is none"]),
        ("region = x\n [gainsight]\n", ["line 4", "is indented"]),
    ] {
        let text = format!("{head}{rest}");
        if rest.contains(" [gainsight]") {
            // It goes on with the value above it, to all readers.
            assert!(is_delivered_or_refused(&Edit::of("credentials", PREFIX, &text), false));
        } else {
            is_refused(&text, &words);
        }
    }
    is_refused("[default]\n [gainsight]\n", &["line 2", "indented [section]"]);
    Edit::of(
        "config",
        "aws-profile:default@",
        "[default]\nregion = x\n[profile default]\nregion = y\n",
    )
    .is_refused(&["line 3", "[profile default]", "twice"]);
}

#[test]
fn a_file_of_five_megabytes_is_refused_by_its_size_and_kept() {
    let profile = "[p]\naws_access_key_id = AKIATHEIRS\n";
    let text: String = (0..5 * 1024 * 1024 / profile.len())
        .map(|at| profile.replace("[p]", &format!("[p{at}]")))
        .collect();
    is_refused(&text, &["bytes, and no file of this kind has more than 1048576"]);
}

#[test]
fn a_large_file_is_edited_like_a_small_one() {
    let profile = "[p]\naws_access_key_id = AKIATHEIRS\n";
    let text: String = (0..20_000)
        .map(|at| profile.replace("[p]", &format!("[p{at}]")))
        .collect();
    let edit = Edit::of("credentials", PREFIX, &text);
    assert!(is_delivered_or_refused(&edit, false), "{:?}", edit.deliver());
}
