//! What is told, of which change, and to whom.

use rotate_fixtures::Trap;
use rotate_fixtures::mail::is_signed;
use rotate_fixtures::receiver::Reply;
use serde_json::json;

use super::{DAY, Desk, SECRET, WEBHOOK, kinds};
use crate::destinations::exec::write_program;

#[test]
fn each_change_of_state_is_told_once_and_what_stays_as_it_was_is_not() {
    let mut desk = Desk::new();
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.begun", "rotation.waits"]);
    desk.run(&["run"]).expect(0);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), [""; 0]);
    // The person's own command tells as well, and so does the end, which a later run brings.
    desk.run(&["confirm", "main"]).expect(0);
    assert_eq!(desk.kinds(), [""; 0], "it goes on by itself");
    desk.place.pass(DAY * 8);
    desk.run(&["run"]).expect(0);
    assert_eq!(kinds_of_targets(&desk), ["rotation.done"]);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), [""; 0]);
}

/// What was told but for the digest of the week.
fn kinds_of_targets(desk: &Desk) -> Vec<String> {
    let mut kinds = desk.kinds();
    kinds.retain(|kind| kind != "fleet.digest");
    kinds
}

#[test]
fn whoever_is_waited_for_is_told_the_very_steps_and_the_command() {
    let desk = Desk::new();
    desk.run(&["run"]).expect(0);
    let told = desk.told();
    let data = &told[1]["data"]["target"];
    assert_eq!(data["target"], "main");
    assert_eq!(data["owner"], "data@example.com");
    assert_eq!(data["state"], "delivered");
    let command = data["command"].as_str().unwrap();
    assert!(
        command.starts_with("rotate --state-dir ") && command.ends_with(" confirm main"),
        "{command}"
    );
    let undo = data["undo"].as_str().unwrap();
    assert!(undo.ends_with(" abort main"), "{undo}");
    let status = desk.run(&["status", "--output", "json"]).json();
    let next = status["targets"][0]["next"]["what"].as_str().unwrap().to_owned();
    let steps: Vec<&str> = data["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(!steps.is_empty());
    assert_eq!(steps.join("; "), next);
    // People read the same.
    let text = told[1]["text"].as_str().unwrap();
    for word in steps
        .iter()
        .chain([&command, &"data@example.com", &"it waits for a person"])
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    let faults: Vec<String> = told.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let head = told[1]["head"].as_str().unwrap();
    desk.run(&["audit", "verify", "--against", head]).expect(0);
}

/// What is wrong with a notice, by the published schema.
fn faults(notice: &serde_json::Value) -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(&rotate::view::notice_schema()).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let faults = validator.iter_errors(notice);
    faults
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_published_schema_is_that_of_the_notices_that_are_sent() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/view/notice.schema.json");
    let made = rotate::view::notice_schema();
    if std::env::var_os("ROTATE_BLESS").is_some() {
        std::fs::write(path, &made).expect("it can be written");
    }
    let published = std::fs::read_to_string(path).expect("it is there");
    assert!(
        published == made,
        "{path} is not what the types say: `cargo xtask bless` writes it anew"
    );
}

#[test]
fn a_webhook_is_signed_as_its_specification_and_its_own_library_have_it() {
    let desk = Desk::new();
    desk.run(&["run"]).expect(0);
    for call in desk.receiver.take() {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let head = json!(
            names
                .map(|name| (name, call.head(name)))
                .into_iter()
                .collect::<std::collections::BTreeMap<_, _>>()
        );
        assert_eq!(call.head("webhook-id"), call.document()["id"]);
        assert!(is_signed(SECRET, &head, &call.body), "{head} {}", call.body);
        assert!(!is_signed(SECRET, &head, &format!("{} ", call.body)));
        desk.no_secret_in(&call.body);
    }
}

#[test]
fn an_announcement_and_a_day_that_has_gone_by_are_told_once() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 150, "");
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.announced"]);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), [""; 0]);
    desk.place.pass(DAY * 6);
    desk.run(&["run"]).expect(0);
    assert_eq!(kinds_of_targets(&desk), ["rotation.begun", "rotation.waits"]);
    // Nobody confirms it in its fourteen days.
    desk.place.pass(DAY * 15);
    desk.run(&["run"]).expect(3);
    assert_eq!(kinds_of_targets(&desk), ["rotation.overdue"]);
    desk.run(&["run"]).expect(3);
    assert_eq!(kinds_of_targets(&desk), [""; 0]);
}

#[test]
fn what_a_person_takes_back_is_told_and_so_is_what_blocks() {
    let desk = Desk::new();
    desk.run(&["run"]).expect(0);
    desk.told();
    desk.run(&["abort", "main"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.undone"]);
    // It is not begun again before a person says so.
    desk.run(&["run"]).expect(3);
    let told = desk.told();
    assert_eq!(kinds(&told), ["rotation.blocked"]);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("status main"), "{text}");
    desk.run(&["run"]).expect(3);
    assert_eq!(desk.kinds(), [""; 0]);
}

#[test]
fn a_failure_is_told_once_and_never_in_the_words_of_whoever_caused_it() {
    let mut desk = Desk::with(WEBHOOK);
    desk.place.add_user("main", DAY * 170, "");
    desk.place.cloud.delete_user("main");
    for _ in 0..3 {
        desk.run(&["run"]).expect(1);
    }
    let told = desk.told();
    assert_eq!(kinds(&told), ["rotation.failed"]);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("Its vendor was not reached, or has refused"), "{text}");
    assert!(
        !text.contains("NoSuchEntity") && !text.contains("cannot be found"),
        "{text}"
    );
}

#[test]
fn each_notifier_is_told_of_the_targets_and_owners_that_it_names() {
    let notify = "[[notify]]\nname = \"a\"\nslack = { url_env = \"HOOK_URL\" }\ntargets = [\"web-*\"]\n\
                  [[notify]]\nname = \"b\"\nteams = { url_env = \"OTHER_URL\" }\nowner = [\"x@example.com\"]\n";
    let mut desk = Desk::with(notify);
    let other = rotate_fixtures::Receiver::start();
    other.answers(Reply::With(202, ""));
    desk.place.add_user("web-1", DAY * 170, "");
    desk.place.add_user("db-1", DAY * 170, "owner = \"x@example.com\"");
    desk.place.add_user("db-2", DAY * 170, "owner = \"y@example.com\"");
    desk.run_with(&["run"], &[("OTHER_URL", &other.url())]).expect(0);
    let slack = desk.receiver.take();
    assert_eq!(slack.len(), 2);
    assert!(
        slack
            .iter()
            .all(|call| call.document()["text"].as_str().unwrap().starts_with("web-1: "))
    );
    let teams = other.take();
    assert_eq!(teams.len(), 2);
    for call in teams {
        let card = &call.document()["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        let body = card["content"]["body"].as_array().unwrap().clone();
        let first = body[0]["inlines"][0]["text"].as_str().unwrap().to_owned();
        assert!(first.starts_with("db-1: "), "{first}");
        // Nothing in it is understood as Markdown.
        assert!(body.iter().all(|block| block["type"] == "RichTextBlock"));
    }
}

#[test]
fn a_program_gets_the_document_and_nothing_of_this_programs_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (program, got) = (folder.path().join("tell"), folder.path().join("got"));
    write_program(
        &program,
        &format!(
            "cat >>{0}; echo >>{0}; echo \"$ROTATE_NOTICE $HOOK_SECRET $AWS_SECRET_ACCESS_KEY\" >>{0}.env",
            got.display()
        ),
    );
    let mut desk = Desk::with(&format!("[[notify]]\nexec = [\"{}\"]\n", program.display()));
    desk.place.add_user("main", DAY * 170, "");
    desk.run(&["run"]).expect(0);
    let got_all = std::fs::read_to_string(&got).unwrap();
    let documents: Vec<serde_json::Value> = got_all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(kinds(&documents), ["rotation.begun", "rotation.waits"]);
    desk.no_secret_in(&got_all);
    let environment = std::fs::read_to_string(got.with_extension("env")).unwrap();
    assert_eq!(environment, "rotation.begun  \nrotation.waits  \n");
}

#[test]
fn whoever_only_looks_sends_nothing_writes_nothing_and_starts_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let (program, got) = (folder.path().join("tell"), folder.path().join("got"));
    write_program(&program, &format!("touch {}; exit 1", got.display()));
    let trap = Trap::set();
    let notify = format!("{WEBHOOK}[[notify]]\nexec = [\"{}\"]\n", program.display());
    let mut desk = Desk::with(&notify);
    desk.place.add_user("main", DAY * 170, "");
    desk.place.add_user("soon", DAY * 150, "");
    let url = format!("http://{}/", trap.address());
    let environment = [("HOOK_URL", url.as_str())];
    let deliver = format!("file:{}", desk.place.path("other.json").display());
    let one_shot = [
        "s3-customer-managed",
        "--user",
        "main",
        "--bucket",
        "acme-data",
        "--deliver",
        &deliver,
        "--dry-run",
    ];
    for command in [
        &["plan"][..],
        &["doctor"],
        &["status"],
        &["plan", "--output", "json"],
        &one_shot,
    ] {
        let ran = desk.run_with(command, &environment);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        desk.no_secret_in(&format!("{}{}", ran.stdout, ran.stderr));
    }
    // Also where something waits already, with both, and could be sent.
    desk.run_with(&["run"], &[("HOOK_URL", "")]).expect(0);
    std::fs::remove_file(&got).unwrap();
    let before = desk.kept();
    assert!(before.iter().any(|row| row.starts_with("outbox: ")), "{before:?}");
    let environment = [("HOOK_URL", url.as_str()), ("ROTATE_TEST_CLOCK_AHEAD", "3700")];
    for command in [
        &["plan"][..],
        &["doctor"],
        &["status"],
        &["report", "--output", "json"],
        &one_shot,
    ] {
        desk.run_with(command, &environment);
    }
    assert!(trap.is_untouched());
    assert!(!got.exists());
    assert_eq!(before, desk.kept());
}

#[test]
fn a_test_is_sent_to_each_and_it_is_said_what_came_of_it() {
    let notify = format!("{WEBHOOK}[[notify]]\nslack = {{ url_env = \"SLACK_URL\" }}\n");
    let mut desk = Desk::with(&notify);
    desk.place.add_user("main", DAY * 10, "");
    let slack = rotate_fixtures::Receiver::start();
    slack.answers(Reply::With(200, "invalid_token"));
    let environment = [("SLACK_URL", slack.url())];
    let environment = [(environment[0].0, environment[0].1.as_str())];
    let ran = desk.run_with(&["notify", "test"], &environment).expect(1);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(
        ran.stdout
            .starts_with("ok   ops: it has taken the test\nBAD  slack: it answered"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("invalid_token"), "{}", ran.stdout);
    assert_eq!(desk.kinds(), ["notify.test"]);
    // The first one that fails keeps no other from being tried.
    let moved = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    desk.place.configure(&(moved.replace(WEBHOOK, "") + WEBHOOK));
    let ran = desk.run_with(&["notify", "test"], &environment).expect(1);
    assert!(
        ran.stdout.starts_with("BAD  slack: it answered")
            && ran.stdout.ends_with("\nok   ops: it has taken the test\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(desk.kinds(), ["notify.test"]);
    desk.run_with(&["notify", "test", "ops"], &environment).expect(0);
    desk.run_with(&["notify", "test", "nobody"], &environment)
        .expect(64)
        .says(&["known: slack, ops"]);
    let json = desk
        .run_with(&["notify", "test", "slack", "--output", "json"], &environment)
        .json();
    assert_eq!(json["notifiers"][0]["arrived"], false);
    assert!(!desk.place.state().exists(), "nothing is written down");
}
