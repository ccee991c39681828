//! Every mistake is told at once, each with its line, its key and what mends it; and none of them repeats a secret.

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
        &["nobody says where", "deliver = [", "--deliver"],
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

#[test]
fn a_key_that_could_not_go_in_time_is_told() {
    // Fourteen days for the cut-over, seven of rest, and a day for each of the three runs that have to come by.
    told(
        &in_main("max_age = \"24d\""),
        1,
        "target \"main\": max_age",
        &["24d", "cutover_allowance 14d", "soak 7d", "raise max_age"],
    );
    accepted(&in_main("max_age = \"25d\""));
    // By hand the allowance is for all the steps, and nothing rests.
    told(&in_desk("max_age = \"15d\""), 1, "target \"desk\": max_age", &["15d"]);
    accepted(&in_desk("max_age = \"16d\""));
    // What opens once a week makes each run wait for it.
    let monday = "window = { days = [\"mon\"], from = \"09:00\", to = \"16:00\", zone = \"UTC\" }";
    told(
        &in_main(&format!("max_age = \"40d\"\n{monday}")),
        1,
        "target \"main\": max_age",
        &["40d"],
    );
    accepted(&in_main(&format!("max_age = \"60d\"\n{monday}")));
}

#[test]
fn rotating_ones_own_key_does_not_go_with_evidence() {
    let text = "[[target]]\nname = \"own\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\ndeliver = [\"file:/srv/k.p8\"]\n\
                allow_self = true\n";
    accepted(text);
    told(
        &format!("{text}cutover = \"observed\"\n"),
        1,
        "target \"own\": allow_self",
        &["observed", "rotate's own logins", "cutover = \"confirm\""],
    );
}

#[test]
fn a_name_that_two_targets_have_is_told_with_both_lines() {
    let text = format!("{DESK}\n{DESK}");
    told(
        &text,
        5,
        "target \"desk\": name",
        &["another target has this name (line 1)", "its own"],
    );
}

#[test]
fn a_rule_holds_alike_for_the_program_and_for_a_person() {
    for (key, bad, good) in [
        ("user", "-x", "a.b"),
        ("user", "team/u", "a@b"),
        ("bucket", "-data", "acme_data"),
        ("prefix", "-x", "in/2026"),
        ("region", "eu_west_1", "eu-west-1"),
    ] {
        let by_hand = "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nby_hand = true\n";
        let lines = |value: &str| {
            let all = [("user", "gainsight-s3"), ("bucket", "acme-data")].into_iter();
            let all = all.filter(|(name, _)| *name != key).chain([(key, value)]);
            all.map(|(name, value)| format!("{name} = \"{value}\"\n"))
                .collect::<String>()
        };
        let automated = by_hand.replace("by_hand = true\n", "deliver = [\"file:/srv/main.json\"]\n");
        let mends: Vec<String> = [by_hand.to_owned(), automated]
            .iter()
            .map(|head| {
                accepted(&format!("{head}{}", lines(good)));
                let mistakes = refused(&format!("{head}{}", lines(bad)));
                assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
                mistakes[0].remedy.clone()
            })
            .collect();
        // A person is also told what the value is for.
        assert!(mends[0].ends_with(&mends[1]), "{mends:#?}");
    }
}

#[test]
fn an_input_that_means_nothing_without_another_is_told() {
    let line = "external_id = \"acme-1\"";
    told(
        &in_main(line),
        1,
        "target \"main\": external_id",
        &["nothing without assume_role"],
    );
    accepted(&in_main(&format!(
        "{line}\nassume_role = \"arn:aws:iam::123456789012:role/rotator\""
    )));
}

/// Also where one of them cannot be used for another reason.
#[test]
fn a_name_that_a_broken_target_has_is_taken_all_the_same() {
    let text = format!("{}\n{DESK}", DESK.replace("freshdesk", "freshdsk"));
    let mistakes = refused(&text);
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(
        keys,
        ["target \"desk\": connector", "target \"desk\": name"],
        "{mistakes:#?}"
    );
    assert!(mistakes[1].what.contains("another target has this name (line 1)"));
}

#[test]
fn a_user_that_two_targets_name_is_told_with_both_lines() {
    let other = MAIN.replace("\"main\"", "\"other\"").replace("/srv/main", "/srv/other");
    let text = format!("{MAIN}\n{other}");
    let words = &[
        "target \"main\" rotates the keys of the same user (line 1)",
        "two rotations",
    ];
    told(&text, 8, "target \"other\": user", words);
    // In another account it is another user.
    accepted(&format!("{text}profile = \"elsewhere\"\n"));
    accepted(&format!(
        "{text}assume_role = \"arn:aws:iam::210987654321:role/rotator\"\n"
    ));
}

#[test]
fn a_destination_that_two_targets_share_is_told_however_it_is_written() {
    let other = MAIN
        .replace("\"main\"", "\"other\"")
        .replace("gainsight-s3", "someone-else");
    for path in [
        "/srv/main.json",
        "/srv/./main.json",
        "//srv/main.json",
        "/srv/../srv/main.json",
    ] {
        let text = format!("{MAIN}\n{}", other.replace("/srv/main.json", path));
        let words = &[
            "target \"main\" delivers to the same destination (line 1)",
            "of its own",
        ];
        told(&text, 8, "target \"other\": deliver", words);
    }
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

/// What only the program keeps to would be a false promise where a person takes every step.
#[test]
fn what_is_of_no_use_by_hand_is_told() {
    for key in [
        "soak = \"1d\"",
        "observe = \"1d\"",
        "cutover = \"confirm\"",
        "window = {}",
    ] {
        let name = key.split(' ').next().unwrap();
        told(
            &in_desk(key),
            4,
            &format!("target \"desk\": {name}"),
            &["of no use", "leave it out"],
        );
    }
}
