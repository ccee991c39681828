//! `deliver`: as text, as tables, and what two targets may share.

use super::*;
use rotate::config::How;

fn with(deliver: &str) -> String {
    MAIN.replace("[\"file:/srv/main.json\"]", deliver)
}

fn names(text: &str) -> Vec<String> {
    match &accepted(text).targets[0].how {
        How::Automatic(automatic) => automatic.deliver.clone(),
        How::ByHand(_) => panic!("the program rotates it"),
    }
}

/// The words of the one mistake.
#[track_caller]
fn told(text: &str) -> String {
    let all = refused(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    format!("{}: {}; {}", all[0].key, all[0].what, all[0].remedy)
}

#[test]
fn a_table_is_the_same_destination_as_its_text() {
    let table =
        r#"[{ to = "exec:/bin/put a", can = ["verify", "restore"], timeout = "30s", fields = { user = "USER" } }]"#;
    let text = r#"["exec:?can=verify,restore&timeout=30s&user=USER /bin/put a"]"#;
    assert_eq!(names(&with(table)), names(&with(text)));
    let table = r#"[{ to = "file:/srv/{date}.env", fields = { access_key_id = "S3_ID" } }]"#;
    assert_eq!(names(&with(table)), ["file:/srv/{date}.env?access_key_id=S3_ID"]);
}

#[test]
fn a_table_that_is_no_destination_is_told_of_with_what_mends_it() {
    for (deliver, words) in [
        ("[{ can = [\"verify\"] }]", "write to = \"…\""),
        ("[{ to = \"file:/srv/a.env?user=U\" }]", "so `to` has none"),
        (
            "[{ to = \"file:/srv/a.env\", fields = \"user\" }]",
            "write fields = { access_key_id",
        ),
        (
            "[{ to = \"file:/srv/a.env\", fields = { access_key_id = 1 } }]",
            "write the value of fields as text",
        ),
        (
            "[{ to = \"exec:/bin/put\", colour = \"red\" }]",
            "its option colour: it is not known here",
        ),
        ("[1]", "should be text or a table"),
        (
            "[{ to = \"exec:/bin/put\", env = [\"eyJhbGciOiJIUzI1NiJ9abc\"] }]",
            "it looks like a secret",
        ),
    ] {
        let told = told(&with(deliver));
        assert!(told.contains(words), "{deliver}: {told}");
        assert!(!told.contains("eyJhbG"), "{told}");
    }
}

#[test]
fn two_targets_share_a_file_or_a_secret_under_different_names_alone() {
    let other = |deliver: &str| {
        let second = with(deliver)
            .replace("\"main\"", "\"second\"")
            .replace("gainsight-s3", "other");
        with(r#"["file:/srv/app.env"]"#) + &second
    };
    let told = told(&other(r#"["file:/srv/app.env"]"#));
    assert!(
        told.contains("delivers to the same destination, under the same name AWS_ACCESS_KEY_ID"),
        "{told}"
    );
    let renamed = r#"["file:/srv/app.env?access_key_id=B_ID&secret_access_key=B_SECRET"]"#;
    assert_eq!(accepted(&other(renamed)).targets.len(), 2);
}

#[cfg(feature = "secretsmanager")]
#[test]
fn two_targets_share_a_secret_of_a_store_under_different_names_alone() {
    let two = |first: &str, second: &str| {
        let second = with(second)
            .replace("\"main\"", "\"second\"")
            .replace("gainsight-s3", "other");
        with(first) + &second
    };
    let usual = r#"["secretsmanager:shared"]"#;
    let told = told(&two(usual, usual));
    assert!(told.contains("under the same name access_key_id"), "{told}");
    let renamed =
        r#"[{ to = "secretsmanager:shared", fields = { access_key_id = "b_id", secret_access_key = "b_secret" } }]"#;
    assert_eq!(accepted(&two(usual, renamed)).targets.len(), 2);
    let region = |region: &str| format!(r#"[{{ to = "secretsmanager:shared", region = "{region}" }}]"#);
    assert_eq!(
        accepted(&two(&region("eu-west-2"), &region("eu-west-1"))).targets.len(),
        2
    );
    // Without one it is wherever the environment says, which may be there.
    assert_eq!(refused(&two(usual, &region("eu-west-1"))).len(), 1);
    let whole = r#"[{ to = "secretsmanager:shared", plain = "secret_access_key" }]"#;
    assert_eq!(refused(&two(usual, whole)).len(), 1);
}

#[cfg(feature = "secretsmanager")]
#[test]
fn the_name_and_the_arn_of_one_secret_are_one_place() {
    let two = |first: &str, second: &str| {
        let second = with(&format!("[{second}]"))
            .replace("\"main\"", "\"second\"")
            .replace("gainsight-s3", "other");
        with(&format!("[{first}]")) + &second
    };
    let arn = r#""secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:gainsight/s3-AbCdEf""#;
    for name in [
        r#""secretsmanager:gainsight/s3""#,
        r#"{ to = "secretsmanager:gainsight/s3", region = "eu-west-1" }"#,
        r#""secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:gainsight/s3""#,
        // Whoever logs in: an ARN says all.
        r#"{ to = "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:gainsight/s3-AbCdEf", profile = "prod" }"#,
    ] {
        let told = told(&two(arn, name));
        assert!(told.contains("under the same name access_key_id"), "{told}");
        assert!(told.contains("its region"), "{told}");
    }
    for other in [
        r#"{ to = "secretsmanager:gainsight/s3", region = "eu-west-2" }"#,
        r#""secretsmanager:gainsight/s3-AbCdEf""#,
        // Where that login leads shows when the rotation is opened.
        r#"{ to = "secretsmanager:gainsight/s3", profile = "prod" }"#,
        r#""secretsmanager:arn:aws:secretsmanager:eu-west-1:999999999999:secret:gainsight/s3-AbCdEf""#,
        r#"{ to = "secretsmanager:gainsight/s3", fields = { access_key_id = "b_id", secret_access_key = "b" } }"#,
    ] {
        assert_eq!(accepted(&two(arn, other)).targets.len(), 2, "{other}");
    }
}

#[cfg(feature = "ssm")]
#[test]
fn two_targets_share_a_parameter_under_different_names_alone() {
    let two = |first: &str, second: &str| {
        let second = with(&format!("[{second}]"))
            .replace("\"main\"", "\"second\"")
            .replace("gainsight-s3", "other");
        with(&format!("[{first}]")) + &second
    };
    let told = told(&two(r#""ssm:/shared""#, r#""ssm:/shared""#));
    assert!(told.contains("under the same name access_key_id"), "{told}");
    let renamed = r#"{ to = "ssm:/shared", fields = { access_key_id = "b_id", secret_access_key = "b" } }"#;
    assert_eq!(accepted(&two(r#""ssm:/shared""#, renamed)).targets.len(), 2);
    assert_eq!(
        refused(&two(
            r#""ssm:/shared""#,
            r#"{ to = "ssm:/shared", plain = "secret_access_key" }"#
        ))
        .len(),
        1
    );
}

#[cfg(feature = "vault-kv")]
#[test]
fn two_targets_share_a_secret_of_a_store_unless_both_say_another_address_or_namespace() {
    let two = |first: &str, second: &str| {
        let second = with(&format!("[{second}]"))
            .replace("\"main\"", "\"second\"")
            .replace("gainsight-s3", "other");
        with(&format!("[{first}]")) + &second
    };
    let at = |option: &str, value: &str| format!(r#"{{ to = "vault-kv:secret/app", {option} = "{value}" }}"#);
    let open = r#""vault-kv:secret/app""#.to_owned();
    let here = at("address", "http://127.0.0.1:8200");
    let team = at("namespace", "team");
    for (first, second) in [
        (&open, &here),
        (&here, &open),
        (&open, &team),
        (&here, &team),
        (&here, &at("address", "http://127.0.0.1:8200/")),
    ] {
        assert_eq!(refused(&two(first, second)).len(), 1, "{first} and {second}");
    }
    for (first, second) in [
        (&here, &at("address", "http://127.0.0.1:8201")),
        (&team, &at("namespace", "team/payments")),
    ] {
        assert_eq!(accepted(&two(first, second)).targets.len(), 2, "{first} and {second}");
    }
}

#[cfg(feature = "vault-kv")]
#[test]
fn the_file_alone_sends_no_login_to_a_store_of_its_own_choice() {
    let to = |address: &str| with(&format!(r#"[{{ to = "vault-kv:secret/app", address = "{address}" }}]"#));
    let told = told(&to("https://store.example:8200"));
    assert!(
        told.contains("it alone names the host store.example") && told.contains("--allow-endpoint store.example,"),
        "{told}"
    );
    // This machine needs nobody's leave, and where no address is, whoever starts the program says it.
    accepted(&to("http://127.0.0.1:8200"));
    accepted(&with(r#"["vault-kv:secret/app"]"#));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("rotate.toml");
    std::fs::write(&file, to("https://store.example:8200")).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let plan = |name: &str, value: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rotate"));
        command.env_clear().env("HOME", place.path()).env(name, value);
        command
            .arg("--config")
            .arg(&file)
            .args(["--state-dir"])
            .arg(place.path().join("state"))
            .arg("status");
        rotate_fixtures::Ran::of(command)
    };
    let refused = plan("LANG", "C");
    assert!(refused.stderr.contains("it alone names the host"), "{}", refused.stderr);
    for (name, value) in [
        ("ROTATE_ALLOW_ENDPOINT", "store.example"),
        ("VAULT_ADDR", "https://store.example:8200"),
    ] {
        let allowed = plan(name, value);
        assert!(
            !allowed.stderr.contains("it alone names the host"),
            "{}",
            allowed.stderr
        );
    }
}

#[test]
fn one_target_writes_to_no_place_twice() {
    let told = told(&with(
        r#"["file:/srv/app.env", "file:/srv/app.env?access_key_id=OTHER"]"#,
    ));
    assert!(told.contains("the same place under the same name"), "{told}");
}

#[test]
fn what_is_write_only_is_no_cut_over() {
    let text = with(r#"["exec:/bin/put"]"#) + "cutover = \"immediate\"\n";
    let told = told(&text);
    assert!(
        told.contains("write-only") && told.contains("cutover = \"confirm\""),
        "{told}"
    );
    accepted(&text.replace("exec:", "exec:?can=verify "));
    accepted(&text.replace("immediate", "observed"));
}
