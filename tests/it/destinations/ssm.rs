//! Parameters of Systems Manager, with the real program: what is this store's own. What it has in common with others is in the
//! conformance suite. Leans on the strict fake, because the emulator changes types and knows no limits.

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};
use serde_json::Value;

const NAME: &str = "/gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLDER","secret_access_key":"older"}"#;

fn place_with(kind: &str, text: &str) -> Workplace {
    let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
    place.cloud.add_parameter(NAME, kind, text);
    place
}

fn place() -> Workplace {
    place_with("SecureString", FOUND)
}

fn rotate(place: &Workplace, more: &[&str]) -> Ran {
    Ran::of(place.rotate_to(&[&format!("ssm:{NAME}")], more))
}

fn text(place: &Workplace) -> String {
    place.cloud.parameter(NAME).unwrap_or_default()
}

/// Refused before a key is made, in these words, and nothing was written.
#[track_caller]
fn refused(place: &Workplace, words: &[&str]) {
    let written = place.cloud.versions_of_parameter(NAME);
    rotate(place, &["--yes"]).expect(1).says(words);
    place.expect_as_before();
    assert_eq!(place.cloud.versions_of_parameter(NAME), written);
}

#[test]
fn type_key_tier_and_every_other_byte_stay_and_all_of_it_comes_back() {
    for is_advanced in [false, true] {
        let place = place();
        if is_advanced {
            place.cloud.make_parameter_advanced(NAME);
        }
        let kind = place.cloud.kind_of_parameter(NAME);
        assert!(
            kind.contains("alias/theirs") && kind.contains("Advanced") == is_advanced,
            "{kind}"
        );
        rotate(&place, &[]).expect(0);
        let held = text(&place);
        assert!(
            held.starts_with(r#"{"theirs":"kept","number":123456789012345678901234567890,"#),
            "{held}"
        );
        assert_eq!(place.cloud.kind_of_parameter(NAME), kind);
        place.run(["abort", TARGET]).expect(0);
        assert_eq!(
            (text(&place).as_str(), place.cloud.kind_of_parameter(NAME)),
            (FOUND, kind)
        );
    }
}

#[test]
fn what_is_kept_in_clear_is_refused_and_no_write_is_even_tried() {
    for kind in ["String", "StringList"] {
        let place = place_with(kind, FOUND);
        refused(&place, &[kind, "kept in clear", "no SecureString"]);
        let calls = place.cloud.parameter_calls();
        assert!(
            !calls.is_empty() && calls.iter().all(|call| call.starts_with("Get")),
            "{calls:?}"
        );
    }
}

#[test]
fn what_would_not_fit_is_refused_before_a_key_is_made() {
    let filled = |bytes: usize| format!(r#"{{"theirs":"{}"}}"#, "x".repeat(bytes));
    let place = place_with("SecureString", &filled(4_000));
    refused(&place, &["AWS takes 4096", "--tier Advanced"]);
    place.cloud.make_parameter_advanced(NAME);
    rotate(&place, &[]).expect(0);
    let place = place_with("SecureString", &filled(3_900));
    rotate(&place, &[]).expect(0);
}

#[test]
fn a_hundred_versions_of_which_the_oldest_is_labelled_are_refused_before_a_key_is_made() {
    let place = place();
    for number in 0..120 {
        place
            .cloud
            .overwrite_parameter(NAME, &FOUND.replace("kept", &number.to_string()));
    }
    place.cloud.label_oldest_of_parameter(NAME, "production");
    refused(
        &place,
        &[
            "the oldest, 22, has the label production",
            "unlabel-parameter-version --name /gainsight/s3 --parameter-version 22 --labels production",
        ],
    );
    place.cloud.unlabel_parameter(NAME);
    rotate(&place, &[]).expect(0);
    assert_eq!(place.cloud.versions_of_parameter(NAME), 122);
}

#[test]
fn a_label_that_a_new_version_does_not_get_is_told() {
    let place = place();
    place.cloud.label_oldest_of_parameter(NAME, "production");
    rotate(&place, &[])
        .expect(0)
        .says(&["its current version has the label production", "gets the old key"]);
    assert_eq!(place.cloud.versions_of_parameter(NAME), 2);
}

/// Its policies stay as they are, whatever is written, so the new key would go with it.
#[test]
fn a_parameter_that_aws_deletes_soon_is_refused_before_a_key_is_made_and_one_that_goes_later_is_told() {
    let in_days = |days: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).to_string();
    for soon in [in_days(-1), in_days(29), "tomorrow".to_owned()] {
        let place = place();
        place.cloud.expire_parameter(NAME, &soon);
        refused(
            &place,
            &["AWS deletes it o", "policy", "--policies '[{}]' --name /gainsight/s3"],
        );
        let dry = rotate(&place, &["--dry-run"]);
        assert!(dry.stdout.contains("AWS deletes it o"), "{dry:#?}");
    }
    let place = place();
    let later = in_days(31);
    place.cloud.expire_parameter(NAME, &later);
    let told = format!("AWS deletes it on {}", &later[..10]);
    rotate(&place, &[]).expect(0).says(&[&told, "the new key with it"]);
    assert_eq!(place.cloud.versions_of_parameter(NAME), 2);
}

#[test]
fn where_the_version_before_is_kept_no_more_the_undo_says_so_and_writes_nothing() {
    let place = place();
    rotate(&place, &[]).expect(0);
    let delivered = text(&place);
    for number in 0..100 {
        place
            .cloud
            .overwrite_parameter(NAME, &delivered.replace("kept", &number.to_string()));
    }
    let written = place.cloud.versions_of_parameter(NAME);
    place
        .run(["abort", TARGET])
        .expect(1)
        .says(&["what it held before the new key is kept no more", "--force"]);
    assert_eq!(place.cloud.versions_of_parameter(NAME), written);
    place.run(["abort", "--force", TARGET]).expect(0);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
}

#[test]
fn doctor_names_the_permission_that_is_missing_with_the_command_that_grants_it_and_writes_nothing() {
    let place = place();
    place.cloud.add_secret("gainsight/s3", FOUND);
    let config = place.path("rotate.toml");
    let text = format!(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\nbucket = \"acme-data\"\n\
         deliver = [\"ssm:{NAME}\", \"secretsmanager:gainsight/s3\"]\n"
    );
    std::fs::write(&config, text).unwrap_or_default();
    let config = config.display().to_string();
    let doctor = || place.run(["--config", config.as_str(), "doctor"]);
    doctor().expect(0);
    place.cloud.deny_parameter_call("PutParameter");
    place.cloud.deny_secret_call("UpdateSecretVersionStage");
    let told = doctor().expect(1).stdout;
    for words in [
        "no policy of arn:aws:iam::123456789012:user/rotator allows ssm:PutParameter",
        "no policy of arn:aws:iam::123456789012:user/rotator allows secretsmanager:UpdateSecretVersionStage",
        "aws iam put-user-policy --user-name rotator --policy-name rotate-delivers --policy-document",
        "arn:aws:ssm:us-east-1:123456789012:parameter/gainsight/s3",
    ] {
        assert!(told.contains(words), "`{words}` is missing: {told}");
    }
    assert_eq!(place.cloud.versions_of_parameter(NAME), 1);
    let calls = place.cloud.parameter_calls();
    assert!(calls.iter().all(|call| call.starts_with("Get")), "{calls:?}");
}

#[test]
fn a_parameter_a_field_is_a_destination_for_each() {
    let place = place();
    for name in ["/app/id", "/app/secret"] {
        place.cloud.add_parameter(name, "SecureString", "older");
    }
    let to = [
        "ssm:/app/id?plain=access_key_id",
        "ssm:/app/secret?plain=secret_access_key",
    ];
    Ran::of(place.rotate_to(&to, ["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let read = |name: &str| place.cloud.parameter(name).unwrap_or_default();
    assert!(place.cloud.works(&read("/app/id"), &read("/app/secret")));
}

#[test]
fn fields_have_the_names_that_are_wanted() {
    let place = place();
    let to = format!("ssm:{NAME}?access_key_id=ID&secret_access_key=SECRET&account=ACCOUNT");
    Ran::of(place.rotate_to(&[&to], ["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let held: Value = serde_json::from_str(&text(&place)).unwrap_or_default();
    let field = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (field("access_key_id").as_str(), field("ACCOUNT").as_str()),
        ("AKIAOLDER", "123456789012")
    );
    assert!(place.cloud.works(&field("ID"), &field("SECRET")));
}

#[test]
fn a_name_that_no_parameter_can_have_is_refused() {
    let place = place();
    for name in [
        "ssm:gainsight",
        "ssm:/",
        "ssm:/a b",
        "ssm:/a:3",
        "ssm:arn:aws:ssm:us-east-1:1:parameter/a",
    ] {
        Ran::of(place.rotate_to(&[name], [] as [&str; 0]))
            .expect(64)
            .says(&["write ssm:/PATH"]);
    }
}
