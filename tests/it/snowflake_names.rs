//! A name means the same to the guide and to the program that does it all: what is typed after `--user` names one user of
//! Snowflake, in the journal and in every statement.

use rotate_fixtures::SnowflakeWorkplace;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// What is typed, the user that is meant, and the name in SQL.
const NAMES: [(&str, &str, &str); 5] = [
    ("gs_gainsight_user", "GS_GAINSIGHT_USER", "\"GS_GAINSIGHT_USER\""),
    ("GS_GAINSIGHT_USER", "GS_GAINSIGHT_USER", "\"GS_GAINSIGHT_USER\""),
    ("\"gs user\"", "gs user", "\"gs user\""),
    ("\"gs_user\"", "gs_user", "\"gs_user\""),
    (
        "\"na\u{ef}ve \"\"user\"\"\"",
        "na\u{ef}ve \"user\"",
        "\"na\u{ef}ve \"\"user\"\"\"",
    ),
];

const BY_PROGRAM: [&str; 4] = ["snowflake-keypair", "--dry-run", "--output", "json"];
const BY_HAND: [&str; 5] = ["snowflake-keypair", "--manual", "--dry-run", "--output", "json"];
const PASSWORD_BY_HAND: [&str; 4] = ["snowflake-password", "--dry-run", "--output", "json"];

#[test]
fn a_guides_user_and_the_automated_connectors_are_the_same_for_the_same_text() {
    for (text, user, quoted) in NAMES {
        let place = SnowflakeWorkplace::new(ROTATE);
        if user != "GS_GAINSIGHT_USER" {
            place.cloud.add_user(user);
        }
        let target = |arguments: &[&str]| {
            let ran = place.run([arguments, &["--user", text]].concat());
            ran.json()["targets"][0]["name"].as_str().map(str::to_owned)
        };
        let by_program = target(&BY_PROGRAM);
        assert!(by_program.is_some(), "{text}");
        assert_eq!(target(&BY_HAND), by_program, "{text}");
        let statements = place.cloud.calls();
        let described = format!("DESC USER {quoted}");
        assert!(
            statements
                .iter()
                .any(|call| call.statement.as_deref() == Some(described.as_str())),
            "{statements:#?}"
        );
        for guide in [&BY_HAND[..3], &PASSWORD_BY_HAND[..2]] {
            let plan = place.run([guide, &["--user", text]].concat()).expect(0).stdout;
            assert!(plan.contains(&format!("USER {quoted}")), "{text}: {plan}");
        }
    }
}

#[test]
fn what_is_no_name_to_the_automated_connector_is_none_to_a_guide() {
    let place = SnowflakeWorkplace::new(ROTATE);
    for text in [
        "gs user",
        "1a",
        "svc@acme.com",
        "a\"b",
        "\"",
        "\"\"",
        "\"a\"b\"",
        "\"a\"; DROP USER b",
    ] {
        for arguments in [&BY_PROGRAM[..], &BY_HAND, &PASSWORD_BY_HAND] {
            place.run([arguments, &["--user", text]].concat()).expect(64);
        }
    }
    assert!(place.cloud.calls().is_empty());
}
