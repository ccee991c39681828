//! Every mistake is told at once, each with its line, its key and what fixes it; and none of them repeats a secret.

mod together;
mod values;

use super::{DESK, MAIN, accepted, refused};

fn in_defaults(line: &str) -> String {
    format!("[defaults]\n{line}\n{DESK}")
}

/// The fourth line of its file.
fn in_desk(line: &str) -> String {
    format!("{DESK}{line}\n")
}

/// The seventh line of its file.
fn in_main(line: &str) -> String {
    format!("{MAIN}{line}\n")
}

/// This mistake and no other, with these words. Line zero is the file as a whole.
#[track_caller]
fn told(text: &str, line: usize, key: &str, words: &[&str]) {
    let mistakes = refused(text);
    let [mistake] = mistakes.as_slice() else {
        panic!("{} mistakes instead of one: {mistakes:#?}\n{text}", mistakes.len())
    };
    assert_eq!(
        (mistake.line.unwrap_or(0), mistake.key.as_str()),
        (line, key),
        "{mistake:#?}\n{text}"
    );
    assert!(!mistake.remedy.is_empty(), "nothing mends it: {mistake:#?}");
    let said = format!("{}; {}", mistake.what, mistake.remedy);
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
}

#[test]
fn a_file_without_a_target_is_a_mistake() {
    for text in ["", "\n\n", "# nothing\n", "[defaults]\nsoak = \"1d\"\n"] {
        told(text, 0, "target", &["no target", "[[target]]", "rotate init"]);
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    for (line, word) in [
        ("domain acme", "expected `=`"),
        ("domain = \"acme", "expected `\"`"),
        ("domain = \"a\"\ndomain = \"b\"", "duplicate key"),
    ] {
        let at = 3 + line.lines().count();
        told(&in_desk(line), at, "TOML", &[word, "https://toml.io"]);
    }
    // What can be read all the same is read, and has mistakes of its own.
    let both = refused(&in_desk("soak = \"soon\"\ndomain acme"));
    let places: Vec<_> = both
        .iter()
        .map(|mistake| (mistake.line, mistake.key.as_str()))
        .collect();
    assert_eq!(places, [(Some(4), "target \"desk\": soak"), (Some(5), "TOML")]);
}

#[test]
fn a_key_that_is_not_known_is_told_with_the_one_that_was_meant() {
    let unknown = "this key is not known";
    told(
        &format!("defualts = 1\n{DESK}"),
        1,
        "defualts",
        &[unknown, "did you mean defaults?"],
    );
    told(
        &in_defaults("max_agee = \"180d\""),
        2,
        "defaults: max_agee",
        &[unknown, "did you mean max_age?"],
    );
    told(
        &format!("[store]\nstate_dri = \"/x\"\n{DESK}"),
        2,
        "store: state_dri",
        &[unknown, "did you mean state_dir?"],
    );
    told(
        &in_defaults("window = { day = [\"mon\"] }"),
        2,
        "defaults: window: day",
        &[unknown, "did you mean days?"],
    );
    told(
        &in_desk("ownr = \"x\""),
        4,
        "target \"desk\": ownr",
        &[unknown, "did you mean owner?"],
    );
    // Nothing is like it: all that is known is named.
    told(
        &in_desk("colour = \"x\""),
        4,
        "target \"desk\": colour",
        &[unknown, "known here:", "domain", "last_rotated"],
    );
}

#[test]
fn a_key_of_another_connector_or_of_the_defaults_alone_is_not_known() {
    told(
        &in_desk("bucket = \"acme-data\""),
        4,
        "target \"desk\": bucket",
        &["not known"],
    );
    told(
        &in_main("domain = \"acme\""),
        7,
        "target \"main\": domain",
        &["not known"],
    );
    told(
        &in_main("last_rotated = \"2026-01-10\""),
        7,
        "target \"main\": last_rotated",
        &["not known"],
    );
    told(&in_desk("deliver = []"), 4, "target \"desk\": deliver", &["not known"]);
    told(
        &in_main("allow_self = true"),
        7,
        "target \"main\": allow_self",
        &["not known"],
    );
    for key in ["run_every", "look_every", "concurrency", "aws_calls_per_second"] {
        told(
            &in_desk(&format!("{key} = 1")),
            4,
            &format!("target \"desk\": {key}"),
            &["not known"],
        );
    }
}

#[test]
fn a_target_without_a_name_or_a_connector_is_told() {
    told(
        "\n[[target]]\nconnector = \"freshdesk\"\n",
        2,
        "target: name",
        &["no name", "name = "],
    );
    told(
        "[[target]]\nname = \"desk\"\n",
        1,
        "target \"desk\": connector",
        &["no connector", "rotate connectors"],
    );
    let long = "x".repeat(129);
    for name in ["", "-x", "/x", "a b", "a:b", "ümlaut", "a\\nb", long.as_str()] {
        told(
            &DESK.replace("\"desk\"", &format!("\"{name}\"")),
            2,
            "target: name",
            &["up to 128 letters"],
        );
    }
}

#[test]
fn a_connector_that_does_not_exist_is_told_with_the_one_that_was_meant() {
    told(
        &DESK.replace("freshdesk", "fresdesk"),
        3,
        "target \"desk\": connector",
        &["no such connector", "did you mean freshdesk?", "rotate connectors"],
    );
    told(
        &DESK.replace("freshdesk", "qqq"),
        3,
        "target \"desk\": connector",
        &["no such connector", "see them all: rotate connectors"],
    );
}

#[test]
fn an_automated_target_has_to_say_whose_keys_they_are_and_where_new_ones_go() {
    let without = |key: &str| -> String {
        let lines = MAIN.lines().filter(|line| !line.starts_with(key));
        lines.map(|line| format!("{line}\n")).collect()
    };
    told(&without("user"), 1, "target \"main\": user", &["missing", "user = "]);
    told(
        &without("bucket"),
        1,
        "target \"main\": bucket",
        &["missing", "bucket = "],
    );
    told(
        &without("deliver"),
        1,
        "target \"main\": deliver",
        &["where do its new keys go", "deliver = [", "--deliver"],
    );
    told(
        &MAIN.replace("\"file:/srv/main.json\"", ""),
        1,
        "target \"main\": deliver",
        &["empty", "at least one"],
    );
    // By hand a person takes it there.
    accepted(&format!("{}by_hand = true\n", without("deliver")));
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let text = r#"[defaults]
max_agee = "180d"
soak = "banana"
concurrency = "8"
[[target]]
name = "a b"
connector = "freshdesk"
last_rotated = "2026-02-30"
ownr = "x"
[[target]]
connector = "s3-customer-managed"
user = 7
bucket = "s3://x"
deliver = ["vault:x", "file:rel.json", 4]
by_hand = "no"
[[target]]
name = "c"
connector = "snowflake-keypair"
user = "U"
key_bits = 1024
passphrase_env = "$HELLO x"
account = "https://x"
[stor]
x = 1
"#;
    let told: Vec<(usize, String)> = refused(text)
        .into_iter()
        .map(|mistake| (mistake.line.unwrap(), mistake.key))
        .collect();
    let expected = [
        (2, "defaults: max_agee"),
        (3, "defaults: soak"),
        (4, "defaults: concurrency"),
        (6, "target: name"),
        (8, "target: last_rotated"),
        (9, "target: ownr"),
        (10, "target: name"),
        (12, "target: user"),
        (13, "target: bucket"),
        (14, "target: deliver"),
        (14, "target: deliver"),
        (14, "target: deliver"),
        (15, "target: by_hand"),
        (16, "target \"c\": deliver"),
        (20, "target \"c\": key_bits"),
        (21, "target \"c\": passphrase_env"),
        (22, "target \"c\": account"),
        (23, "stor"),
    ];
    assert_eq!(told, expected.map(|(line, key)| (line, key.to_owned())));
}
