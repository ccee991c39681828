//! The starter, and the JSON Schema that editors check a configuration by: both say what the program reads.

use jsonschema::Validator;
use rotate::config::schema;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{DESK, Home, MAIN, STARTER, accepted, read};

fn published() -> Value {
    serde_json::from_str(&schema()).unwrap()
}

fn validator() -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&published()).unwrap()
}

/// A configuration as an editor sees it.
pub(crate) fn seen(text: &str) -> Value {
    let (table, errors) = DeTable::parse_recoverable(text);
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    object(table.into_inner())
}

fn object(table: DeTable<'_>) -> Value {
    let fields = table.into_iter();
    fields
        .map(|(key, value)| (key.get_ref().to_string(), plain(value.into_inner())))
        .collect()
}

fn plain(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.into_owned()),
        DeValue::Integer(number) => Value::from(number.as_str().parse::<i64>().unwrap()),
        DeValue::Boolean(flag) => Value::from(flag),
        DeValue::Array(items) => items.into_iter().map(|item| plain(item.into_inner())).collect(),
        DeValue::Table(table) => object(table),
        other => panic!("no configuration has {}", other.type_str()),
    }
}

/// The starter with everything that it has in comments.
fn whole_starter() -> String {
    let lines = STARTER.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.contains(" = ") => rest,
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_starter_has_no_mistake_and_names_one_target_of_each_kind() {
    let config = accepted(&STARTER);
    let names: Vec<&str> = config.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["s3-main", "freshdesk-acme"]);
    // What it says of the defaults is what holds without it.
    let bare = accepted(MAIN);
    let (said, held) = (&config.targets[0].terms, &bare.targets[0].terms);
    assert_eq!(said, held);
    assert_eq!(
        (config.concurrency, &config.paces, config.look_every),
        (bare.concurrency, &bare.paces, bare.look_every)
    );
}

#[test]
fn what_the_starter_has_in_comments_has_no_mistake_either() {
    let text = whole_starter();
    let config = accepted(&text);
    assert_eq!(config.targets.len(), 3);
    assert!(config.state_dir.is_some());
    assert!(validator().is_valid(&seen(&text)));
}

#[test]
fn the_schema_is_one_and_is_what_the_command_prints() {
    assert!(jsonschema::draft202012::meta::is_valid(&published()));
    let home = Home::new();
    assert_eq!(home.run(["init", "--schema"]).expect(0).stdout, schema());
    assert!(!home.path("rotate.toml").exists());
}

#[test]
fn the_schema_and_the_program_accept_the_same() {
    let dwh = "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\ndeliver = [\"file:/srv/{date}.p8\"]\n";
    let window = "window = { days = [\"mon\", \"sun\"], from = \"09:00\", to = \"16:30\", zone = \"Europe/Berlin\" }";
    for text in [
        STARTER.clone(),
        MAIN.to_owned(),
        DESK.to_owned(),
        format!("{MAIN}{DESK}{dwh}"),
        format!("[defaults]\n{window}\nmax_age = \"90d\"\naws_calls_per_second = 0\nconcurrency = 256\n{DESK}"),
        format!("[store]\nstate_dir = \"~/rotate\"\n{DESK}"),
        format!(
            "{MAIN}{window}\nowner = \"x\"\nprofile = \"admin\"\nregion = \"eu-central-1\"\nexternal_id = \"acme-1\"\n\
             assume_role = \"arn:aws:iam::123456789012:role/rotator\"\n"
        ),
        format!("{dwh}key_bits = 4096\nallow_self = true\ncurrent_key = \"~/k.p8\"\npassphrase_env = \"NAME\"\n"),
        format!("{DESK}domain = \"acme\"\nlast_rotated = \"2026-01-10\"\nby_hand = true\n"),
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nby_hand = true\nuser = \"u\"\n".to_owned(),
    ] {
        accepted(&text);
        let document = seen(&text);
        let faults: Vec<String> = validator()
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(faults.is_empty(), "{faults:#?}\n{text}");
    }
}

#[test]
fn the_schema_and_the_program_refuse_the_same() {
    let dwh =
        "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\ndeliver = [\"file:/srv/x.p8\"]\n";
    for text in [
        String::new(),
        format!("surprise = 1\n{DESK}"),
        format!("[defaults]\nmax_agee = \"90d\"\n{DESK}"),
        format!("[defaults]\nname = \"x\"\n{DESK}"),
        format!("[defaults]\nconcurrency = 0\n{DESK}"),
        format!("[defaults]\nconcurrency = \"8\"\n{DESK}"),
        format!("[defaults]\naws_calls_per_second = 1001\n{DESK}"),
        format!("[defaults]\ncutover = \"never\"\n{DESK}"),
        format!("[defaults]\nsoak = \"soon\"\n{DESK}"),
        format!("[store]\nstate_dir = \"state\"\n{DESK}"),
        format!("[store]\nfolder = \"/x\"\n{DESK}"),
        format!("{DESK}ownr = \"x\"\n"),
        format!("{DESK}owner = 7\n"),
        format!("{DESK}run_every = \"1d\"\n"),
        format!("{DESK}bucket = \"acme-data\"\n"),
        format!("{DESK}deliver = [\"file:/srv/x.json\"]\n"),
        format!("{DESK}last_rotated = \"yesterday\"\n"),
        format!("{DESK}by_hand = \"no\"\n"),
        format!("{DESK}window = {{ day = [\"mon\"] }}\n"),
        format!("{DESK}window = {{ days = [\"monday\"] }}\n"),
        format!("{DESK}window = {{ days = [] }}\n"),
        format!("{DESK}window = {{ from = \"9:00\" }}\n"),
        format!("{MAIN}domain = \"acme\"\n"),
        format!("{MAIN}last_rotated = \"2026-01-10\"\n"),
        format!("{MAIN}by_hand = true\n"),
        format!("{MAIN}allow_self = true\n"),
        format!("{MAIN}password = \"x\"\n"),
        format!("{MAIN}external_id = \"acme-1\"\n"),
        format!("{dwh}passphrase_env = \"NAME\"\npassphrase_file = \"/srv/passphrase\"\n"),
        MAIN.replace("\"file:/srv/main.json\"", ""),
        MAIN.replace("[\"file:/srv/main.json\"]", "\"file:/srv/main.json\""),
        MAIN.replace("user = \"gainsight-s3\"\n", ""),
        MAIN.replace("name = \"main\"\n", ""),
        MAIN.replace("\"main\"", "\"a b\""),
        DESK.replace("connector = \"freshdesk\"\n", ""),
        DESK.replace("freshdesk", "fresdesk"),
    ] {
        assert!(read(&text).is_err(), "the program accepts\n{text}");
        assert!(!validator().is_valid(&seen(&text)), "the schema accepts\n{text}");
    }
}

/// What an editor shows beside a key.
#[test]
fn every_key_of_the_schema_says_what_it_is() {
    fn undescribed(path: &str, value: &Value, found: &mut Vec<String>) {
        if let Some(properties) = value["properties"].as_object() {
            for (name, property) in properties {
                let is_condition = path.ends_with("/if");
                let said = property["description"].is_string() || property["$ref"].is_string();
                if !said && !is_condition {
                    found.push(format!("{path}/{name}"));
                }
            }
        }
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| undescribed(&format!("{path}/{name}"), value, found)),
            Value::Array(items) => items.iter().for_each(|item| undescribed(path, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    undescribed("", &published(), &mut found);
    // A time of day says so itself.
    found.retain(|path| !path.ends_with("/window/from") && !path.ends_with("/window/to"));
    assert_eq!(found, Vec::<String>::new());
}
