//! Values: of another kind, out of their form, or none at all.

use super::super::{DESK, MAIN, accepted, refused};
use super::{in_defaults, in_desk, in_main, told};

#[test]
fn a_value_of_another_kind_is_told_with_how_it_is_written() {
    let text = &["should be text", "in quotes"];
    told(&in_desk("owner = 7"), 4, "target \"desk\": owner", text);
    told(&in_desk("max_age = 180"), 4, "target \"desk\": max_age", text);
    told(&in_desk("soak = [\"7d\"]"), 4, "target \"desk\": soak", text);
    told(&in_desk("domain = true"), 4, "target \"desk\": domain", text);
    told(
        &in_desk("by_hand = \"no\""),
        4,
        "target \"desk\": by_hand",
        &["neither true nor false", "without quotes"],
    );
    let number = &["a whole number from 1 to 256", "without quotes"];
    for value in ["\"8\"", "0", "257", "1.5", "-1", "true"] {
        told(
            &in_defaults(&format!("concurrency = {value}")),
            2,
            "defaults: concurrency",
            number,
        );
    }
    told(
        &MAIN.replace("[\"file:/srv/main.json\"]", "\"file:/srv/main.json\""),
        6,
        "target \"main\": deliver",
        &["not a list", "in brackets"],
    );
    told(
        &MAIN.replace("\"file:/srv/main.json\"", "\"file:/srv/main.json\", 7"),
        6,
        "target \"main\": deliver",
        text,
    );
    told(
        "target = \"main\"\n",
        1,
        "target",
        &["not a list of tables", "[[target]]"],
    );
    told(
        "[target]\nname = \"main\"\n",
        1,
        "target",
        &["not a list of tables", "[[target]]"],
    );
    told(
        &format!("defaults = 7\n{DESK}"),
        1,
        "defaults",
        &["should be a table", "[defaults]"],
    );
}

#[test]
fn a_date_that_is_none_is_told() {
    for value in [
        "\"2026-02-30\"",
        "\"10.01.2026\"",
        "\"2026-1-10\"",
        "\"yesterday\"",
        "2026-01-10T00:00:00Z",
        "20260110",
        "true",
    ] {
        told(
            &in_desk(&format!("last_rotated = {value}")),
            4,
            "target \"desk\": last_rotated",
            &["not a date", "2026-01-10"],
        );
    }
}

#[test]
fn a_duration_that_is_none_is_told() {
    for (value, word) in [
        ("banana", "such as 7d"),
        ("7", "such as 7d"),
        ("", "such as 7d"),
        ("-3d", "cannot be negative"),
        ("1y", "months and years differ"),
        ("99999d", "ten years"),
    ] {
        let line = format!("warn_before = \"{value}\"");
        told(&in_desk(&line), 4, "target \"desk\": warn_before", &[word]);
        told(&in_defaults(&line), 2, "defaults: warn_before", &[word]);
    }
}

#[test]
fn a_cutover_that_does_not_exist_is_told() {
    told(
        &in_main("cutover = \"never\""),
        7,
        "target \"main\": cutover",
        &["confirm, observed or immediate"],
    );
}

#[test]
fn a_window_that_does_not_exist_is_told_part_by_part() {
    let places = |text: &str| -> Vec<(Option<usize>, String)> {
        let mistakes = refused(text).into_iter();
        mistakes.map(|mistake| (mistake.line, mistake.key)).collect()
    };
    let text = in_desk(
        "window = { days = [\"mon\", \"funday\"], from = \"9:00\", to = \"25:00\", zone = \"Europe/Atlantis\" }",
    );
    let keys = ["days", "from", "to", "zone"].map(|key| (Some(4), format!("target \"desk\": window: {key}")));
    assert_eq!(places(&text), keys);
    told(
        &in_desk("window = { zone = \"Europe/Atlantis\" }"),
        4,
        "target \"desk\": window: zone",
        &["no such time zone", "Europe/Berlin"],
    );
    told(
        &in_desk("window = { days = [\"Monday\"] }"),
        4,
        "target \"desk\": window: days",
        &["no such day", "mon, tue, wed, thu, fri, sat, sun"],
    );
    told(
        &in_desk("window = { days = [] }"),
        4,
        "target \"desk\": window: days",
        &["never opens"],
    );
}

#[test]
fn an_input_that_the_vendor_cannot_have_is_told() {
    let user = MAIN.replace("\"gainsight-s3\"", "\"a b\"");
    told(&user, 4, "target \"main\": user", &["1 to 64 letters"]);
    let bucket = MAIN.replace("\"acme-data\"", "\"s3://acme-data\"");
    told(&bucket, 5, "target \"main\": bucket", &["without s3://"]);
    told(
        &in_main("assume_role = \"rotator\""),
        7,
        "target \"main\": assume_role",
        &["ARN", "arn:aws:iam::"],
    );
    told(
        &in_main("endpoint_url = \"http://example.com\""),
        7,
        "target \"main\": endpoint_url",
        &["https"],
    );
    let snowflake = "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\ndeliver = \
                     [\"file:/srv/{date}.p8\"]\n";
    accepted(snowflake);
    for (line, key, word) in [
        ("key_bits = 1024", "key_bits", "2048, 3072 or 4096"),
        ("key_bits = \"2048\"", "key_bits", "as a number"),
        ("account = \"https://x\"", "account", "without https://"),
        ("passphrase_env = \"$NAME\"", "passphrase_env", "without $"),
        (
            "passphrase_credential = \"/x\"",
            "passphrase_credential",
            "LoadCredential",
        ),
        ("current_key = \"key.p8\"", "current_key", "whole path"),
    ] {
        let key = format!("target \"dwh\": {key}");
        told(&format!("{snowflake}{line}\n"), 6, &key, &[word]);
    }
    // What it asks for is a value of the guide.
    told(
        &in_desk("domain = \"https://acme.freshdesk.com\""),
        4,
        "target \"desk\": domain",
        &["of the form"],
    );
}

#[test]
fn a_destination_that_is_none_for_these_keys_is_told() {
    for (name, word) in [
        ("vault:secret/key", "file:PATH.json"),
        ("file:/srv/key.txt", ".json"),
        ("file:/srv/key.p8", "an access key does not go there"),
        ("file:key.json", "whole path"),
        ("file:./key.json", "whole path"),
        ("aws-profile:", "profile"),
    ] {
        told(
            &MAIN.replace("file:/srv/main.json", name),
            6,
            "target \"main\": deliver",
            &[word],
        );
    }
    let twice = "\"file:/srv/main.json\", \"file:/srv/./main.json\"";
    told(
        &MAIN.replace("\"file:/srv/main.json\"", twice),
        6,
        "target \"main\": deliver",
        &["named twice"],
    );
}

#[test]
fn a_state_folder_that_is_not_a_whole_path_is_told() {
    told(
        &format!("[store]\nstate_dir = \"state\"\n{DESK}"),
        2,
        "store: state_dir",
        &["whole path", "~/"],
    );
}

/// Someone has pasted what should not be there: it must not go on into a terminal, a log or a ticket.
#[test]
fn a_mistake_never_repeats_a_value() {
    const SECRET: &str = "CANARY/wJalrXUtnFEMI:hunter2@bPxRfiCYEXAMPLE";
    let mut texts = vec![
        DESK.replace("freshdesk", SECRET),
        DESK.replace("\"desk\"", &format!("\"{SECRET}\"")),
        MAIN.replace("gainsight-s3", SECRET),
        MAIN.replace("acme-data", &format!("{SECRET}!")),
        MAIN.replace("file:/srv/main.json", SECRET),
        MAIN.replace("file:/srv/main.json", &format!("file:{SECRET}")),
        in_desk(&format!("password = {SECRET}")),
        in_desk(&format!("password = \"{SECRET}")),
        in_defaults(&format!(
            "window = {{ days = [\"{SECRET}\"], from = \"{SECRET}\", zone = \"{SECRET}\" }}"
        )),
        format!("{SECRET}\n{DESK}"),
        format!("[store]\nstate_dir = \"{SECRET}\"\n{DESK}"),
    ];
    for key in [
        "password",
        "max_age",
        "soak",
        "cutover",
        "last_rotated",
        "domain",
        "by_hand",
        "window",
    ] {
        texts.push(in_desk(&format!("{key} = \"{SECRET}\"")));
    }
    for key in ["secret_access_key", "assume_role"] {
        texts.push(in_main(&format!("{key} = \"{SECRET}\"")));
    }
    texts.push(in_main(&format!(
        "endpoint_url = \"http://admin:{SECRET}@example.com\""
    )));
    let snowflake =
        "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\ndeliver = [\"file:/srv/{date}.p8\"]\n";
    for key in [
        "user",
        "account",
        "passphrase_env",
        "passphrase_credential",
        "key_bits",
        "password",
    ] {
        texts.push(format!("{snowflake}{key} = \"{SECRET}\"\n"));
    }
    for text in texts {
        for mistake in refused(&text) {
            let said = format!("{} {} {}", mistake.key, mistake.what, mistake.remedy);
            for part in ["CANARY", "wJalr", "hunter2", "EXAMPLE"] {
                assert!(!said.contains(part), "{part} is in {said:?}\n{text}");
            }
        }
    }
}
