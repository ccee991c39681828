//! Whatever a text holds that comes from outside: it is understood or refused with words, and what is written of it again means the same.
//!
//! Each case begins with a text that is fine, and is spoilt by chance. `cargo xtask fuzz` tries far more of them.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rotate::config::{AllowedHosts, Config};
use rotate::machine::Event;
use rotate::seal::Method;
use rotate::{delivery, duration, store};
use rotate_providers::contract::KeyId;
use rotate_providers::guide::{Guide, Template};
use rotate_providers::{s3_customer_managed, snowflake_keypair};

use crate::machine::catalogue;

/// What has ended programs elsewhere, and what these texts are made of.
static PIECES: [&str; 36] = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{1f642}",
    "\"",
    "'",
    "\"\"\"",
    "\\",
    "\\u0000",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "{{",
    "=",
    ":",
    "//",
    "@",
    "%",
    "%00",
    "%ff",
    "#",
    "?",
    ",",
    "-1",
    "18446744073709551616",
    "1e999",
    "null",
];

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, String),
    Cut(Index, usize),
    Repeat(Index, usize),
}

impl Change {
    fn of(&self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let (at, length) = match self {
            Self::Insert(at, _) => (at, 0),
            Self::Cut(at, length) | Self::Repeat(at, length) => (at, *length),
        };
        let at = at.index(letters.len() + 1);
        let end = (at + length).min(letters.len());
        let piece: Vec<char> = letters[at..end].to_vec();
        match self {
            Self::Insert(_, new) => drop(letters.splice(at..at, new.chars())),
            Self::Cut(..) => drop(letters.drain(at..end)),
            Self::Repeat(..) => drop(letters.splice(at..at, piece)),
        }
        letters.into_iter().collect()
    }
}

fn change() -> impl Strategy<Value = Change> {
    let piece =
        prop_oneof![4 => select(&PIECES[..]).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop_oneof![
        3 => (any::<Index>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

/// One of these texts, or what has become of it; or any text.
fn spoilt(fine: Vec<String>) -> impl Strategy<Value = String> {
    let changed = (select(fine), proptest::collection::vec(change(), 0..5));
    let changed = changed.prop_map(|(text, changes)| changes.iter().fold(text, |text, change| change.of(&text)));
    let any_text = proptest::collection::vec(any::<char>(), 0..60).prop_map(String::from_iter);
    prop_oneof![12 => changed, 1 => any_text]
}

fn texts(fine: &[&str]) -> Vec<String> {
    fine.iter().map(|&text| text.to_owned()).collect()
}

fn configurations() -> Vec<String> {
    let one = "[defaults]\nmax_age = \"180d\"\n\n[[target]]\nname = \"s3-main\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\n\
               bucket = \"acme-data\"\nowner = \"data@example.com\"\ndeliver = [\"file:/etc/gainsight/key.json\"]\n\n[[notify]]\nname = \"ops\"\n\
               webhook = { url_env = \"HOOK_URL\", secret_env = \"HOOK_SECRET\" }\n";
    let other = "[defaults]\nrequire_state = true\nwindow = { days = [\"mon\", \"thu\"], from = \"09:00\", to = \"16:00\", zone = \"Europe/Berlin\" }\n\
                 [[target]]\nname = \"jira\"\nconnector = \"jira\"\nlast_rotated = 2026-01-02\n[audit]\nanchor = \"/srv/anchor\"\n";
    texts(&[one, other])
}

/// Some of those that are built in.
fn guides() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let read = |name: &str| std::fs::read_to_string(folder.join(name).join("guide.toml")).expect("the guide is there");
    ["jira", "mixpanel", "redshift"].map(read).to_vec()
}

fn lines() -> Vec<String> {
    let events = catalogue();
    events
        .iter()
        .map(|event| serde_json::to_string(event).expect("it is written"))
        .collect()
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(number)
    }
}

/// What is said of a mistake is said.
fn said(why: &str) {
    assert!(!why.trim().is_empty(), "nothing is said of it");
}

#[test]
fn what_is_spoilt_here_is_fine_before() {
    for text in configurations() {
        let parsed = Config::parse(Path::new("/etc/rotate/rotate.toml"), &text);
        assert!(
            parsed.is_ok(),
            "{}",
            parsed.err().map(|why| why.to_string()).unwrap_or_default()
        );
    }
    assert!(guides().iter().all(|text| Guide::read(text).is_ok()));
    assert!(lines().iter().all(|text| serde_json::from_str::<Event>(text).is_ok()));
    assert!(store::Address::parse(ADDRESS, store::SCHEMA).is_ok());
}

const ADDRESS: &str = "postgres://rotate:canary-word@db.example:5432/rotate?sslrootcert=/etc/ssl/db.pem";

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn whatever_a_configuration_holds_it_is_understood_or_its_mistakes_are_told(text in spoilt(configurations())) {
        if let Err(mistakes) = Config::parse(Path::new("/etc/rotate/rotate.toml"), &text) {
            said(&mistakes.to_string());
        }
    }

    #[test]
    fn whatever_a_guide_holds_it_is_understood_or_its_flaw_is_told(text in spoilt(guides())) {
        if let Err(flaw) = Guide::read(&text) {
            said(&flaw.to_string());
        }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_line_of_the_journal_that_is_understood_is_written_as_what_means_the_same(text in spoilt(lines())) {
        if let Ok(event) = serde_json::from_str::<Event>(&text) {
            let written = serde_json::to_string(&event).expect("it is written");
            prop_assert_eq!(serde_json::from_str::<Event>(&written).expect("it is read again"), event);
        }
    }

    #[test]
    fn whatever_the_address_of_a_database_holds_no_word_of_it_is_told(text in spoilt(texts(&[ADDRESS]))) {
        for schema in [store::SCHEMA, text.as_str()] {
            if let Err(why) = store::Address::parse(&text, schema) {
                said(&why);
                prop_assert!(!why.contains("canary"), "{}", why);
            }
        }
    }

    #[test]
    fn whatever_names_a_host_a_method_or_a_schema_is_understood_or_refused(
        text in spoilt(texts(&["localhost", "[::1]:8443", "kms.eu-central-1.amazonaws.com", "age:file=/etc/rotate/recipients.txt",
            "aws-kms:arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "rotate"])),
    ) {
        if let Err(why) = AllowedHosts::parse([text.as_str()]) {
            said(&why);
        }
        if let Err(why) = Method::parse(&text) {
            said(&why);
        }
        if let Err(why) = store::check_schema(&text) {
            said(&why);
        }
    }

    #[test]
    fn a_duration_that_is_understood_is_written_as_the_same(
        text in spoilt(texts(&["7d", "90m", "2s", "36h", "1h 30m", "PT2H", "2 days"])),
        seconds in 0..400_000_000_i64,
    ) {
        match duration::wait(&text) {
            Ok(time) => {
                let whole = Duration::from_secs(time.as_secs());
                let written = duration::written(SignedDuration::try_from(whole).expect("it is short"));
                prop_assert_eq!(duration::wait(&written), Ok(whole));
            }
            Err(why) => said(&why),
        }
        if let Ok(time) = duration::wait(&duration::written(SignedDuration::from_secs(seconds))) {
            prop_assert_eq!(time, Duration::from_secs(seconds.unsigned_abs()));
        }
    }

    #[test]
    fn a_name_of_a_key_that_is_understood_is_itself(text in spoilt(texts(&["AKIAIOSFODNN7EXAMPLE", "SHA256:abc/def+ghi="]))) {
        if let Ok(key) = KeyId::parse(&text) {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn whatever_a_template_or_a_time_holds_it_is_understood_or_refused(
        text in spoilt(texts(&["ALTER USER {user|sql} SET {step:its-name}; {{x}}", "2026-01-02T03:04:05Z"])),
    ) {
        if let Err(why) = Template::parse(&text) {
            said(&why);
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            prop_assert_eq!(time.to_string().parse::<Timestamp>().expect("it is read again"), time);
        }
    }

    #[test]
    fn a_destination_that_is_understood_has_a_name_that_means_the_same(
        text in spoilt(texts(&["file:/etc/x/key.json", "file:/etc/x/app.env", "aws-profile:gainsight@/home/x/.aws/credentials",
            "github:acme/keys/environments/prod", "exec:/usr/bin/put", "vault-kv:secret/gainsight",
            "aws-secretsmanager:eu-central-1/gainsight", "kubernetes:apps/gainsight"])),
    ) {
        for form in [s3_customer_managed::SECRET, snowflake_keypair::SECRET] {
            match delivery::parse(form, &text) {
                Ok(found) => {
                    let name = found.name().to_owned();
                    let again = delivery::parse(form, &name).map(|again| again.name().to_owned());
                    prop_assert_eq!(again.ok(), Some(name));
                }
                Err(why) => said(&why.to_string()),
            }
        }
    }
}
