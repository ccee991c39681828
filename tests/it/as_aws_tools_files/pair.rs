//! AWS tools read a profile from two files together: what the other one says of it counts.

use serde_json::json;

use crate::as_aws_tools_files::edit::{Edit, NEW_ID, NEW_SECRET, READERS};
use crate::as_aws_tools_files::profiles::PREFIX;

const KEYS: &str = "aws_access_key_id = AKIAOLD\naws_secret_access_key = old/secret\n";

#[test]
fn a_source_or_a_token_in_the_config_file_keeps_a_key_out_of_the_credentials_file() {
    for (option, word) in [
        (
            "role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = other",
            "role_arn",
        ),
        ("sso_session = main", "sso_session"),
        ("credential_process = /bin/keys", "credential_process"),
        ("web_identity_token_file = /run/token", "web_identity_token_file"),
        ("aws_session_token = x", "session token"),
        ("aws_security_token = x", "session token"),
    ] {
        let edit = Edit::of(".aws/credentials", PREFIX, &format!("[gainsight]\n{KEYS}"));
        let config = edit.put(".aws/config", &format!("[profile gainsight]\nregion = x\n{option}\n"));
        edit.is_refused(&[&config.display().to_string(), "line 3", word]);
        // The same of another profile is nobody's business, nor is a section that no tool takes for a profile.
        for section in ["profile other", "gainsight"] {
            edit.put(".aws/config", &format!("[{section}]\nregion = x\n{option}\n"));
            assert_eq!(edit.destination_is_fine(), Ok(()));
        }
    }
}

#[test]
fn keys_in_the_credentials_file_keep_a_key_out_of_the_config_file() {
    let edit = Edit::of(".aws/config", PREFIX, &format!("[profile gainsight]\n{KEYS}"));
    let credentials = edit.put(".aws/credentials", &format!("[gainsight]\n{KEYS}"));
    edit.is_refused(&[&credentials.display().to_string(), "line 2", "wins"]);
}

#[test]
fn what_was_delivered_is_what_botocore_resolves_from_both_files() {
    let expected = Some(json!([NEW_ID, NEW_SECRET, null]));
    for (file, text, other, said) in [
        (
            ".aws/credentials",
            format!("[gainsight]\n{KEYS}"),
            ".aws/config",
            "[profile gainsight]\nregion = x\n",
        ),
        (
            ".aws/credentials",
            String::new(),
            ".aws/config",
            "[profile gainsight]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = x\n",
        ),
        (
            ".aws/config",
            "[default]\nregion = x\n".to_owned(),
            ".aws/credentials",
            "[default]\naws_access_key_id = AKIATHEIRS\n",
        ),
    ] {
        let edit = Edit::of(file, PREFIX, &text);
        let other = edit.put(other, said);
        edit.deliver().unwrap_or_else(|told| panic!("{told}"));
        let (credentials, config) = match file {
            ".aws/credentials" => (edit.path(), other.as_path()),
            _ => (other.as_path(), edit.path()),
        };
        assert_eq!(
            READERS.resolve(credentials, config, "gainsight"),
            expected,
            "{}",
            edit.text()
        );
    }
}

#[test]
fn a_config_file_that_boto3_cannot_read_is_named_with_its_line() {
    let edit = Edit::of(".aws/credentials", PREFIX, &format!("[gainsight]\n{KEYS}"));
    let config = edit.put(".aws/config", "[profile other]\nregion = x\nregion = y\n");
    edit.is_refused(&[&config.display().to_string(), "line 3"]);
    assert_eq!(READERS.resolve(edit.path(), &config, "gainsight"), None);
}
