//! Secrets Manager, with the real program: what is this store's own. What it has in common with others is in the conformance suite.
//!
//! Leans on the strict fake, because the emulator still answers with a version whose label was moved away, and writes to a secret
//! that is scheduled for deletion.

use std::path::Path;

use rotate_fixtures::aws::FakeAws;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{FleetWorkplace, Ran, Workplace};
use serde_json::Value;

const NAME: &str = "gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLD","secret_access_key":"old"}"#;

/// A place with a secret in the store.
fn place() -> Workplace {
    let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
    place.cloud.add_secret(NAME, FOUND);
    place
}

fn rotate(place: &Workplace, more: &[&str]) -> Ran {
    Ran::of(place.rotate_to(&[&format!("secretsmanager:{NAME}")], more))
}

fn held(place: &Workplace) -> Value {
    serde_json::from_str(&place.cloud.secret(NAME).unwrap_or_default()).unwrap_or_default()
}

/// Whether the key that is held there works.
fn works(place: &Workplace) -> bool {
    let held = held(place);
    let field = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
    place.cloud.works(&field("access_key_id"), &field("secret_access_key"))
}

#[test]
fn the_new_key_is_delivered_beside_what_others_keep_there_to_the_byte() {
    let place = place();
    rotate(&place, &[]).expect(0);
    assert!(works(&place));
    let text = place.cloud.secret(NAME).unwrap_or_default();
    assert!(
        text.starts_with(r#"{"theirs":"kept","number":123456789012345678901234567890,"#),
        "{text}"
    );
    assert_eq!(place.cloud.versions_of_secret(NAME), 2);
    // The same command again finds it there.
    rotate(&place, &[]).expect(0);
    assert_eq!(place.cloud.versions_of_secret(NAME), 2);
    place.run(["confirm", TARGET]).expect(0);
    place.later(8 * 86_400, ["run"]);
    assert!(works(&place));
}

#[test]
fn an_abort_makes_the_version_before_current_again_and_nobody_has_sealed_its_secret() {
    let place = place();
    rotate(&place, &[]).expect(0);
    let trace = place.path("trace");
    let mut abort = place.command(["abort", TARGET]);
    abort.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(abort).expect(0);
    let points = std::fs::read_to_string(trace).unwrap_or_default();
    assert!(points.contains("secretsmanager: put back"), "{points}");
    assert_eq!(place.cloud.secret(NAME).as_deref(), Some(FOUND));
    assert_eq!(place.cloud.versions_of_secret(NAME), 2, "nothing was written for it");
}

#[test]
fn what_others_have_written_beside_it_stays_when_it_is_put_back() {
    let place = place();
    rotate(&place, &[]).expect(0);
    let text = place.cloud.secret(NAME).unwrap_or_default();
    place.cloud.overwrite_secret(NAME, &text.replace("kept", "changed"));
    place.run(["abort", TARGET]).expect(0);
    let held = held(&place);
    assert_eq!(
        (held["theirs"].as_str(), held["secret_access_key"].as_str()),
        (Some("changed"), Some("old"))
    );
}

#[test]
fn what_was_really_replaced_comes_back_where_others_have_written_before_and_after() {
    let place = place();
    // Not before the first look of all.
    Ran::of(place.rotate_to(&[&format!("secretsmanager:{NAME}")], ["--dry-run"])).expect(0);
    let theirs = FOUND
        .replace("AKIAOLD", "AKIATHEIRS")
        .replace("\"old\"", "\"their-secret\"");
    place
        .cloud
        .interfere_with_secret("UpdateSecretVersionStage", NAME, &theirs);
    rotate(&place, &[]).expect(0);
    let text = place.cloud.secret(NAME).unwrap_or_default();
    place.cloud.overwrite_secret(NAME, &text.replace("kept", "changed"));
    place
        .cloud
        .overwrite_secret(NAME, &text.replace("kept", "changed again"));
    place.run(["abort", TARGET]).expect(0);
    let now = held(&place);
    let field = |name: &str| now[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (field("access_key_id"), field("secret_access_key"), field("theirs")),
        (
            "AKIATHEIRS".to_owned(),
            "their-secret".to_owned(),
            "changed again".to_owned()
        )
    );
}

#[test]
fn two_destinations_in_one_secret_are_each_undone_whichever_was_delivered_first() {
    for is_late in [false, true] {
        let place = place();
        if is_late {
            place.cloud.refuse_secret_text("\"ID\"");
        }
        let to = [
            format!("secretsmanager:{NAME}?access_key_id=ID&secret_access_key=SECRET"),
            format!("secretsmanager:{NAME}"),
        ];
        let ran = Ran::of(place.rotate_to(&[&to[0], &to[1]], [] as [&str; 0]));
        if is_late {
            ran.expect(1).says(&["PutSecretValue: EncryptionFailure"]);
            place.run(["run"]).expect(0);
        } else {
            ran.expect(0);
        }
        assert!(works(&place));
        let now = held(&place);
        assert_eq!(
            (&now["ID"], &now["SECRET"]),
            (&now["access_key_id"], &now["secret_access_key"])
        );
        place.run(["abort", TARGET]).expect(0);
        let found: Value = serde_json::from_str(FOUND).unwrap_or_default();
        assert_eq!(held(&place), found, "late: {is_late}");
    }
}

#[test]
fn what_cannot_be_delivered_to_is_told_before_a_key_is_made() {
    let refused = |prepare: fn(&Workplace), to: &str, words: &[&str]| {
        let place = place();
        prepare(&place);
        let ran = Ran::of(place.rotate_to(&[to], ["--yes"])).expect(1);
        for word in words {
            assert!(ran.stderr.contains(word), "`{word}` is missing: {}", ran.stderr);
        }
        place.expect_as_before();
    };
    let name = format!("secretsmanager:{NAME}");
    refused(
        |place| place.cloud.overwrite_secret(NAME, "plain text"),
        &name,
        &["something else than one JSON object"],
    );
    refused(
        |place| place.cloud.overwrite_secret(NAME, "{\"a\":1,\"a\":2}"),
        &name,
        &["every name stands once"],
    );
    refused(
        |place| place.cloud.deny_secret_call("GetSecretValue"),
        &name,
        &[
            "GetSecretValue is not allowed",
            "aws iam put-user-policy",
            "kms:Decrypt",
        ],
    );
    let other = format!("{name}?arn=arn:aws:secretsmanager:us-east-1:999999999999:secret:other-abcdef");
    refused(|_| {}, &other, &["there is no such secret"]);
}

#[test]
fn one_field_can_be_the_whole_secret_and_fields_have_the_names_that_are_wanted() {
    let place = place();
    place.cloud.add_secret("plain", "old");
    let to = [
        "secretsmanager:plain?plain=secret_access_key".to_owned(),
        format!("secretsmanager:{NAME}?access_key_id=ID&secret_access_key=SECRET&account=ACCOUNT"),
    ];
    Ran::of(place.rotate_to(&[&to[0], &to[1]], ["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let held = held(&place);
    assert_eq!(
        (held["access_key_id"].as_str(), held["ACCOUNT"].as_str()),
        (Some("AKIAOLD"), Some("123456789012"))
    );
    let secret = place.cloud.secret("plain").unwrap_or_default();
    assert_eq!(held["SECRET"].as_str(), Some(secret.as_str()));
    assert!(place.cloud.works(held["ID"].as_str().unwrap_or_default(), &secret));
}

#[test]
fn a_dry_run_only_reads_and_says_what_the_store_can_do() {
    let place = place();
    let ran = rotate(&place, &["--dry-run"]).expect(0);
    assert!(
        ran.stdout.contains("readable, versioned, conditional"),
        "{}",
        ran.stdout
    );
    let calls = place.cloud.secret_calls();
    assert!(
        !calls.is_empty() && calls.iter().all(|call| call == "GetSecretValue"),
        "{calls:?}"
    );
}

/// A profile with the login that the environment has as well, so that two names lead to one secret.
fn another_way(place: &Workplace, command: &mut std::process::Command) {
    log_in_as_the_same(&place.cloud, &place.path("logins"), command);
}

fn log_in_as_the_same(cloud: &FakeAws, file: &Path, command: &mut std::process::Command) {
    let admin = cloud.admin();
    let text = format!(
        "[same]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        admin.id, admin.secret
    );
    std::fs::write(file, text).unwrap_or_default();
    command.env("AWS_SHARED_CREDENTIALS_FILE", file);
}

#[test]
fn two_names_that_lead_to_one_secret_are_one_place_before_a_key_is_made() {
    let place = place();
    let names = [
        format!("secretsmanager:{NAME}"),
        format!("secretsmanager:{NAME}?profile=same"),
    ];
    let mut both = place.rotate_to(&names.each_ref().map(String::as_str), ["--yes"]);
    another_way(&place, &mut both);
    Ran::of(both).expect(1).says(&["are one place under two names"]);
    place.expect_as_before();
    assert_eq!(place.cloud.versions_of_secret(NAME), 1);
    // Under other names of its fields it is another place in the same secret.
    let renamed = format!("{}&access_key_id=id&secret_access_key=secret", names[1]);
    let mut both = place.rotate_to(&[&names[0], &renamed], ["--yes"]);
    another_way(&place, &mut both);
    Ran::of(both).expect(0);
    // And another user's key goes there no more while this rotation is open.
    place.cloud.add_user("other");
    let _ = place.cloud.add_key("other");
    let mut other = place.command([
        "s3-customer-managed",
        "--user",
        "other",
        "--bucket",
        "acme-data",
        "--deliver",
        &names[1],
    ]);
    another_way(&place, &mut other);
    let words = format!("is where {TARGET} delivers as well");
    Ran::of(other).expect(1).says(&[&words, "nothing was changed"]);
    assert_eq!(place.cloud.keys_of("other").len(), 1);
}

/// Neither rotation is open when the run begins.
#[test]
fn two_targets_that_one_run_opens_do_not_deliver_to_one_secret_under_two_names() {
    let mut place = FleetWorkplace::new(env!("CARGO_BIN_EXE_rotate"));
    place.cloud.add_secret(NAME, FOUND);
    let mut text = "[defaults]\naws_calls_per_second = 0\n".to_owned();
    for (user, login) in [("one", ""), ("two", ", profile = \"same\"")] {
        place.cloud.add_user(user);
        let born = place.now() - jiff::SignedDuration::from_hours(24 * 179);
        let _ = place.cloud.add_key_created_at(user, born);
        text.push_str(&format!(
            "\n[[target]]\nname = \"{user}\"\nconnector = \"s3-customer-managed\"\nuser = \"{user}\"\nbucket = \"acme-data\"\n\
             deliver = [{{ to = \"secretsmanager:{NAME}\"{login} }}]\n"
        ));
    }
    place.configure(&text);
    let mut both = place.command(["run"]);
    log_in_as_the_same(&place.cloud, &place.path("logins"), &mut both);
    Ran::of(both)
        .expect(1)
        .says(&["delivers as well", "nothing was changed"]);
    let keys: usize = ["one", "two"].iter().map(|user| place.keys(user).len()).sum();
    assert_eq!(keys, 3, "one of the two has a new key");
    assert_eq!(place.cloud.versions_of_secret(NAME), 2);
}
