use rotate_providers::PairForms;

use super::assignments::Assignments;
use super::format::Variables;
use super::profile::Kind;
use super::{dotenv, profile};

const CREDENTIALS: &str = "\
# the team's keys
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key=one ; old

[gainsight]   # S3
  Aws_Access_Key_Id   =   AKIAOLD
  aws_secret_access_key: two
  s3 =
    aws_access_key_id = nested

; the end
[last]
aws_access_key_id = AKIALAST";

const NEW: [(&str, Option<&str>); 2] = [("aws_access_key_id", Some("NEW")), ("aws_secret_access_key", Some("s"))];

fn keys<'a>(text: &'a str, name: &str) -> Assignments<'a> {
    profile::read(text, Kind::of(text).unwrap(), name).unwrap_or_else(|fault| panic!("{fault}"))
}

fn change(text: &str, name: &str) -> String {
    keys(text, name).set(&NEW).to_string()
}

#[test]
fn only_the_two_values_of_the_section_change_whatever_assigns_them() {
    let changed = change(CREDENTIALS, "gainsight");
    assert_eq!(changed, CREDENTIALS.replace("AKIAOLD", "NEW").replace(": two", ": s"));
}

#[test]
fn a_missing_name_is_added_at_the_end_of_its_section() {
    let changed = change(CREDENTIALS, "last");
    let expected = CREDENTIALS.replace("AKIALAST", "NEW") + "\naws_secret_access_key = s\n";
    assert_eq!(changed, expected);
}

#[test]
fn a_missing_section_is_added_at_the_end_of_the_file() {
    let added = "[new]\naws_access_key_id = NEW\naws_secret_access_key = s\n";
    assert_eq!(change(CREDENTIALS, "new"), format!("{CREDENTIALS}\n\n{added}"));
    assert_eq!(change("", "new"), added);
}

#[test]
fn in_a_config_file_a_profile_is_written_as_its_readers_expect_it() {
    let config = "[default]\nregion = a\n\n[profile other]\nregion = b\n";
    let added = "aws_access_key_id = NEW\naws_secret_access_key = s\n";
    assert_eq!(
        change(config, "gainsight"),
        format!("{config}\n[profile gainsight]\n{added}")
    );
    assert_eq!(change(config, "other"), format!("{config}{added}"));
    assert_eq!(
        change(config, "default"),
        config.replace("= a\n", &format!("= a\n{added}"))
    );
}

#[test]
fn each_line_keeps_its_end_and_a_new_one_ends_like_the_line_above_it() {
    let text = "[a]\r\naws_access_key_id=x\r\n[b]\naws_access_key_id = y\n[c]\r\n";
    for (profile, expected) in [
        (
            "a",
            "[a]\r\naws_access_key_id=NEW\r\naws_secret_access_key = s\r\n[b]\naws_access_key_id = y\n[c]\r\n",
        ),
        (
            "b",
            "[a]\r\naws_access_key_id=x\r\n[b]\naws_access_key_id = NEW\naws_secret_access_key = s\n[c]\r\n",
        ),
    ] {
        assert_eq!(change(text, profile), expected);
    }
    let text = "A=1\r\nAWS_ACCESS_KEY_ID=x\nB=2\r\nC=3";
    let changes = [("AWS_ACCESS_KEY_ID", Some("NEW")), ("AWS_SECRET_ACCESS_KEY", Some("s"))];
    let changed = dotenv::read(text, &Variables::of_pair(NAMES))
        .unwrap()
        .set(&changes)
        .to_string();
    assert_eq!(
        changed,
        "A=1\r\nAWS_ACCESS_KEY_ID=NEW\nB=2\r\nC=3\nAWS_SECRET_ACCESS_KEY=s\n"
    );
}

#[test]
fn a_value_can_be_taken_away_again() {
    let text = "[a]\naws_access_key_id = x\n# keep\naws_secret_access_key = y\nregion = z\n";
    let changes = [("aws_access_key_id", None), ("aws_secret_access_key", None)];
    assert_eq!(*keys(text, "a").set(&changes), "[a]\n# keep\nregion = z\n");
}

#[test]
fn dotenv_keeps_quotes_exports_indentation_and_comments() {
    let text = "PORT=80\n\texport  AWS_ACCESS_KEY_ID=\"old\" # ours\n AWS_SECRET_ACCESS_KEY = 'x'\n\nLAST=1";
    let parsed = dotenv::read(text, &Variables::of_pair(NAMES)).unwrap();
    assert_eq!(parsed.value("AWS_ACCESS_KEY_ID"), Some("old"));
    let changes = [
        ("AWS_ACCESS_KEY_ID", Some("NEW")),
        ("AWS_SECRET_ACCESS_KEY", Some("a/b+c==")),
    ];
    assert_eq!(
        *parsed.set(&changes),
        "PORT=80\n\texport  AWS_ACCESS_KEY_ID=\"NEW\" # ours\n AWS_SECRET_ACCESS_KEY = 'a/b+c=='\n\nLAST=1"
    );
}

#[test]
fn an_empty_value_is_filled() {
    assert_eq!(
        change("[a]\naws_access_key_id =\naws_secret_access_key =\n", "a"),
        "[a]\naws_access_key_id =NEW\naws_secret_access_key =s\n"
    );
}

const NAMES: PairForms = PairForms {
    id: "AWS_ACCESS_KEY_ID",
    secret: "AWS_SECRET_ACCESS_KEY",
    beside: &[],
    for_aws_tools: true,
};

proptest::proptest! {
    /// Whatever a file holds: setting twice is setting once, and everything else stays.
    #[test]
    fn setting_is_idempotent_and_reversible(lines in proptest::collection::vec("[ -~]{0,24}", 0..12)) {
        let text = format!("[p]\n{}", lines.join("\n"));
        if let Ok(parsed) = profile::read(&text, Kind::Credentials, "p") {
            let once = parsed.set(&NEW).to_string();
            let again = profile::read(&once, Kind::Credentials, "p").unwrap_or_else(|fault| panic!("{fault}: {once}"));
            proptest::prop_assert_eq!(again.value("aws_access_key_id"), Some("NEW"));
            proptest::prop_assert_eq!(again.value("aws_secret_access_key"), Some("s"));
            proptest::prop_assert_eq!(again.set(&NEW).to_string(), once);
        }
    }
}
