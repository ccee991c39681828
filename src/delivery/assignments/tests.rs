use super::*;

const CREDENTIALS: &str = "\
# the team's keys
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key=one ; old

[ gainsight ]   # S3
  Aws_Access_Key_Id   =   AKIAOLD
  aws_secret_access_key = two
  s3 =
    aws_access_key_id = nested

; the end
[last]
aws_access_key_id = AKIALAST";

fn profile<'a>(text: &'a str, name: &'a str) -> Assignments<'a> {
    Assignments::parse(text, Dialect::Section(name)).unwrap()
}

fn change(text: &str, name: &str) -> String {
    let changes = [("aws_access_key_id", Some("NEW")), ("aws_secret_access_key", Some("s"))];
    profile(text, name).set(&changes).to_string()
}

#[test]
fn only_the_two_values_of_the_section_change() {
    let changed = change(CREDENTIALS, "gainsight");
    let expected = CREDENTIALS.replace("AKIAOLD", "NEW").replace("= two", "= s");
    assert_eq!(changed, expected);
}

#[test]
fn what_follows_a_value_stays() {
    let changed = change(CREDENTIALS, "default");
    assert_eq!(
        changed,
        CREDENTIALS
            .replace("AKIADEFAULT", "NEW")
            .replace("=one ; old", "=s ; old")
    );
}

#[test]
fn a_missing_name_is_added_at_the_end_of_its_section() {
    let changed = change(CREDENTIALS, "last");
    let expected = CREDENTIALS.replace("AKIALAST", "NEW") + "\naws_secret_access_key = s\n";
    assert_eq!(changed, expected);
}

#[test]
fn a_missing_section_is_added_at_the_end_of_the_file() {
    assert_eq!(
        change(CREDENTIALS, "new"),
        format!("{CREDENTIALS}\n\n[new]\naws_access_key_id = NEW\naws_secret_access_key = s\n")
    );
    assert_eq!(
        change("", "new"),
        "[new]\naws_access_key_id = NEW\naws_secret_access_key = s\n"
    );
}

#[test]
fn line_ends_and_a_byte_order_mark_are_kept() {
    let text = "\u{feff}[a]\r\naws_access_key_id=x\r\n[b]\r\n";
    assert_eq!(
        change(text, "a"),
        "\u{feff}[a]\r\naws_access_key_id=NEW\r\naws_secret_access_key = s\r\n[b]\r\n"
    );
}

#[test]
fn a_value_can_be_taken_away_again() {
    let text = "[a]\naws_access_key_id = x\n# keep\naws_secret_access_key = y\nregion = z\n";
    let changes = [("aws_access_key_id", None), ("aws_secret_access_key", None)];
    assert_eq!(*profile(text, "a").set(&changes), "[a]\n# keep\nregion = z\n");
}

#[test]
fn ambiguous_files_are_refused() {
    for text in ["[a]\n[b]\n[a]\n", "[a]\naws_access_key_id = x\nAWS_ACCESS_KEY_ID = y\n"] {
        assert!(Assignments::parse(text, Dialect::Section("a")).is_err(), "{text}");
    }
    assert!(Assignments::parse("A=1\nexport A=2\n", Dialect::Dotenv).is_err());
}

#[test]
fn dotenv_keeps_quotes_exports_and_comments() {
    let text = "PORT=80\nexport AWS_ACCESS_KEY_ID=\"old\" # ours\nAWS_SECRET_ACCESS_KEY='x'\n\nLAST=1";
    let parsed = Assignments::parse(text, Dialect::Dotenv).unwrap();
    assert_eq!(parsed.value("AWS_ACCESS_KEY_ID"), Some("old"));
    let changes = [
        ("AWS_ACCESS_KEY_ID", Some("NEW")),
        ("AWS_SECRET_ACCESS_KEY", Some("a/b+c==")),
    ];
    assert_eq!(
        *parsed.set(&changes),
        "PORT=80\nexport AWS_ACCESS_KEY_ID=\"NEW\" # ours\nAWS_SECRET_ACCESS_KEY='a/b+c=='\n\nLAST=1"
    );
}

#[test]
fn an_empty_value_is_filled() {
    assert_eq!(
        change("[a]\naws_access_key_id =\naws_secret_access_key =\n", "a"),
        "[a]\naws_access_key_id =NEW\naws_secret_access_key =s\n"
    );
}

proptest::proptest! {
    /// Whatever a file holds: setting twice is setting once, and everything else stays.
    #[test]
    fn setting_is_idempotent_and_reversible(lines in proptest::collection::vec("[ -~]{0,24}", 0..12)) {
        let text = lines.join("\n");
        if let Ok(parsed) = Assignments::parse(&text, Dialect::Section("p")) {
            let changes = [("aws_access_key_id", Some("NEW")), ("aws_secret_access_key", Some("s"))];
            let once = parsed.set(&changes).to_string();
            let again = Assignments::parse(&once, Dialect::Section("p")).expect("an edit keeps a file readable");
            proptest::prop_assert_eq!(again.value("aws_access_key_id"), Some("NEW"));
            proptest::prop_assert_eq!(again.value("aws_secret_access_key"), Some("s"));
            proptest::prop_assert_eq!(again.set(&changes).to_string(), once);
        }
    }
}
