//! The AWS SDK reads what was delivered: the same parser that the consumers have.
//!
//! No emulator and no network: the SDK's own reader of the shared credentials file.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use proptest::prelude::*;

use super::*;

/// What the SDK finds under this name: id, secret, and whether there is a session token.
async fn read(path: &Path, profile: &str) -> Option<(String, String, bool)> {
    let files = EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Credentials, path)
        .build();
    let provider = ProfileFileCredentialsProvider::builder()
        .profile_files(files)
        .profile_name(profile)
        .build();
    let found = provider.provide_credentials().await.ok()?;
    let token = found.session_token().is_some();
    Some((
        found.access_key_id().to_owned(),
        found.secret_access_key().to_owned(),
        token,
    ))
}

fn ours() -> Option<(String, String, bool)> {
    Some((NEW_ID.to_owned(), NEW_SECRET.to_owned(), false))
}

const ODD: &str = "\
# the team's keys\r
; and a second kind of comment\r
\r
[default]\r
aws_access_key_id=AKIADEFAULT\r
aws_secret_access_key   =   a/b+c==\r
\r
[ gainsight ] # S3\r
region = eu-west-1\r
Aws_Access_Key_Id = AKIAOLD # since spring\r
AWS_SECRET_ACCESS_KEY = old/secret ; do not touch\r
s3 =\r
    addressing_style = path\r
    max_concurrent_requests = 20\r
# between\r
output = json\r
[gainsight-2]\r
aws_access_key_id = AKIATWO\r
aws_secret_access_key = two\r
[last]\r
aws_access_key_id = AKIALAST\r
aws_secret_access_key = last";

#[tokio::test]
async fn the_sdk_reads_our_key_in_an_odd_file_and_every_other_profile_as_before() {
    let place = Place::with(PROFILE, ODD);
    let others = ["default", "gainsight-2", "last"];
    let mut before = Vec::new();
    for profile in others {
        let found = read(&place.path(), profile).await;
        assert!(
            found.is_some(),
            "the SDK does not read [{profile}]: the test proves nothing"
        );
        before.push(found);
    }
    let held = read(&place.path(), "gainsight").await.map(|(id, _, _)| id);
    assert_eq!(held.as_deref(), Some("AKIAOLD"));
    place.deliver().await;
    assert_eq!(read(&place.path(), "gainsight").await, ours());
    for (profile, before) in others.into_iter().zip(before) {
        assert_eq!(read(&place.path(), profile).await, before, "[{profile}]");
    }
}

#[tokio::test]
async fn the_sdk_reads_our_key_where_there_was_none() {
    for found in [
        "",
        "\n\n",
        "[other]\naws_access_key_id = x",
        "[gainsight]",
        "[gainsight]\nregion = x\n",
    ] {
        let place = Place::with(PROFILE, found);
        place.deliver().await;
        assert_eq!(read(&place.path(), "gainsight").await, ours(), "{found:?}");
    }
    let place = Place::empty(PROFILE);
    place.deliver().await;
    assert_eq!(read(&place.path(), "gainsight").await, ours());
}

#[tokio::test]
async fn where_the_sdk_would_read_something_else_than_was_written_the_file_is_refused() {
    for (id, secret) in [
        ("AKIAOLD more", "old"),
        ("AKIAOLD", "old more"),
        ("AKIAOLD\n  more", "old"),
        ("AKIAOLD", "old\n  more"),
        ("AKIAOLD", "old\n  more = x"),
        ("\n  AKIAOLD", "old"),
    ] {
        let text = format!("[gainsight]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = x\n");
        let place = Place::with(PROFILE, &text);
        if place.destination().deliver(&new_key()).await.is_ok() {
            let found = read(&place.path(), "gainsight").await;
            assert_eq!(found, ours(), "{text}---\n{}", place.bytes().unwrap_or_default());
        }
    }
}

/// A line as it may stand in such a file.
fn line() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("aws_access_key_id"),
        Just("AWS_ACCESS_KEY_ID"),
        Just("aws_secret_access_key"),
        Just("region"),
        Just("s3")
    ];
    let equals = prop_oneof![Just("="), Just(" = "), Just("= "), Just("  =")];
    let value = prop_oneof![
        Just(""),
        Just("AKIAOLD"),
        Just("a/b+c=="),
        Just("x # y"),
        Just("x ; y"),
        Just("x;y"),
        Just("x#y")
    ];
    let header = prop_oneof![
        Just("[gainsight]"),
        Just("[default]"),
        Just("[ gainsight ]"),
        Just("[gainsight] # ours"),
        Just("[gainsight-2]"),
        Just("[profile gainsight]"),
        Just("[Gainsight]")
    ];
    prop_oneof![
        4 => (name, equals, value).prop_map(|(name, equals, value)| format!("{name}{equals}{value}")),
        2 => header.prop_map(str::to_owned),
        1 => Just(String::new()),
        1 => Just("# a comment".to_owned()),
        // To the SDK an indented line goes on with the one above: it stands only where that makes sense.
        1 => Just("s3 =\n  nested = yes\n\taws_access_key_id = nested".to_owned()),
        1 => Just("   ".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Whatever the SDK could read before, it reads after; and it finds our key wherever a delivery was accepted.
    #[test]
    fn whatever_the_file_the_sdk_reads_what_was_delivered(
        lines in proptest::collection::vec(line(), 0..14),
        newline in prop_oneof![Just("\n"), Just("\r\n")],
        last in any::<bool>(),
    ) {
        let text = lines.join(newline) + if last { newline } else { "" };
        let place = Place::with(PROFILE, &text);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let others = ["default", "gainsight-2", "Gainsight"];
            let mut before = Vec::new();
            for other in others {
                before.push(read(&place.path(), other).await);
            }
            // A file that the SDK cannot read at all is nobody's credentials file.
            let whole = Place::with(PROFILE, format!("{text}\n[probe]\naws_access_key_id=a\naws_secret_access_key=b"));
            let readable = read(&whole.path(), "probe").await.is_some();
            if !readable || place.destination().deliver(&new_key()).await.is_err() {
                return Ok(());
            }
            prop_assert_eq!(read(&place.path(), "gainsight").await, ours(), "{}\n---\n{}", &text, place.bytes().unwrap_or_default());
            for (other, before) in others.into_iter().zip(before) {
                prop_assert_eq!(read(&place.path(), other).await, before, "[{}]", other);
            }
            Ok(())
        })?;
    }
}
