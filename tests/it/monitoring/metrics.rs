//! What the metrics say is what `status` says.

use rotate_fixtures::{FleetWorkplace, Promtool, Ran};

use super::{DAY, find, read, textfile, value, watched};

/// What a person could write into an owner, to harm whoever reads a line of it.
const HOSTILE: &str = "a\\\"} 1\\nrotate_target_blocked{target=\\\"x\\\"} 0\\n\\\\ \\u202e\\u001b[2J";

#[test]
fn each_target_has_its_age_its_limit_its_days_and_its_state_and_promtool_has_no_complaint() {
    let mut place = watched("");
    place.add_user("young", DAY * 2, "owner = \"data@example.com\"");
    place.add_user("strange", DAY * 2, "");
    place.run(["run"]).expect(0);
    let _ = place.cloud.add_key("strange");
    place.pass(DAY * 8);
    place.run(["run"]).expect(3);
    let text = read(&textfile(&place));
    let (said, complaint) = Promtool::find().says_of(&["check", "metrics"], &textfile(&place));
    assert!(said && complaint.is_empty(), "{complaint}\n{text}");
    let labels = [
        "target=\"young\"",
        "connector=\"s3-customer-managed\"",
        "owner=\"data@example.com\"",
    ];
    let age = value(&text, "rotate_target_age_seconds", &labels);
    let days = |days: f64| days * 86_400.0;
    assert!((days(10.0)..days(10.0) + 600.0).contains(&age), "{age}");
    assert_eq!(value(&text, "rotate_target_age_limit_seconds", &labels), days(180.0));
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    let view = status["targets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "young")
        .unwrap();
    let seconds = |field: &str| {
        let at: jiff::Timestamp = view["age"][field].as_str().unwrap().parse().unwrap();
        at.as_second() as f64
    };
    let of = |name: &str| value(&text, name, &labels);
    assert_eq!(of("rotate_target_next_due_timestamp_seconds"), seconds("begins_at"));
    assert_eq!(of("rotate_target_gone_by_timestamp_seconds"), seconds("gone_by"));
    assert_eq!(of("rotate_target_blocked"), 0.0);
    assert_eq!(
        value(&text, "rotate_target_state", &["target=\"young\"", "state=\"idle\""]),
        1.0
    );
    let strange = ["target=\"strange\""];
    assert_eq!(value(&text, "rotate_target_blocked", &strange), 1.0);
    assert_eq!(value(&text, "rotate_target_waits_for_person", &strange), 1.0);
    assert_eq!(
        value(
            &text,
            "rotate_target_state",
            &["target=\"strange\"", "state=\"blocked\""]
        ),
        1.0
    );
    assert_eq!(
        value(&text, "rotate_connector_keys", &["connector=\"s3-customer-managed\""]),
        2.0
    );
    let events = place.run(["audit", "verify", "--output", "json"]).json()["events"].as_f64();
    assert_eq!(Some(value(&text, "rotate_journal_events", &[])), events);
}

#[test]
fn names_that_people_write_are_labels_and_never_lines_and_are_no_longer_than_allowed() {
    let mut place = watched("");
    place.add_user("bent", DAY * 2, &format!("owner = \"{HOSTILE}\""));
    place.add_user("long", DAY * 2, &format!("owner = \"{}\"", "x".repeat(5000)));
    place.run(["run"]).expect(0);
    let text = read(&textfile(&place));
    let (said, complaint) = Promtool::find().says_of(&["check", "metrics"], &textfile(&place));
    assert!(said && complaint.is_empty(), "{complaint}\n{text}");
    assert_eq!(
        find(&text, "rotate_target_blocked", &["{target=\"x\"}"]),
        None,
        "{text}"
    );
    let lines = text.lines().filter(|line| line.starts_with("rotate_target_blocked"));
    assert_eq!(lines.count(), 2, "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(600), "{longest:?}");
}

#[test]
fn the_last_run_is_told_apart_from_the_last_in_which_nothing_failed() {
    let mut place = watched("");
    place.add_user("one", DAY * 2, "");
    place.run(["run"]).expect(0);
    let first = read(&textfile(&place));
    let times = |text: &str| {
        let of = |name: &str| value(text, name, &[]);
        (
            of("rotate_last_run_timestamp_seconds"),
            of("rotate_last_success_timestamp_seconds"),
        )
    };
    let (ran, succeeded) = times(&first);
    assert_eq!(ran, succeeded);
    assert_eq!(value(&first, "rotate_last_run_exit_status", &[]), 0.0);
    place.pass(DAY * 8);
    place.add_user("gone", DAY * 2, "");
    place.cloud.delete_user("gone");
    let failed = place.run(["run"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let second = read(&textfile(&place));
    let (ran_again, still) = times(&second);
    assert!(ran_again > ran + 7.0 * 86_400.0);
    assert_eq!(still, succeeded);
    assert_eq!(value(&second, "rotate_last_run_exit_status", &[]), 1.0);
    // A clock that was wrong has told a success that is yet to come: that is none, and not one for years.
    let wrong = second.replace(
        &format!("rotate_last_success_timestamp_seconds {still:.1}"),
        "rotate_last_success_timestamp_seconds 9e9",
    );
    assert_ne!(wrong, second);
    std::fs::write(textfile(&place), wrong).unwrap();
    place.pass(DAY * 8);
    place.run(["run"]).expect(1);
    assert_eq!(times(&read(&textfile(&place))).1, 0.0);
}

#[test]
fn a_clock_that_was_put_back_makes_no_age_negative() {
    let mut place = watched("");
    place.add_user("one", DAY * 2, "");
    place.run(["run"]).expect(0);
    let mut back = place.command(["run"]);
    back.env("ROTATE_TEST_CLOCK_AHEAD", (-(DAY * 30)).as_secs().to_string());
    Ran::of(back);
    let text = read(&textfile(&place));
    assert_eq!(
        value(&text, "rotate_target_age_seconds", &["target=\"one\""]),
        0.0,
        "{text}"
    );
    assert!(
        !text.lines().any(|line| !line.starts_with('#') && line.contains(" -")),
        "{text}"
    );
}

#[test]
fn where_the_journal_cannot_be_used_the_run_is_told_and_nothing_is_said_of_targets() {
    let mut place = watched("");
    place.add_user("one", DAY * 2, "");
    place.run(["run"]).expect(0);
    let succeeded = value(&read(&textfile(&place)), "rotate_last_success_timestamp_seconds", &[]);
    for file in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        let path = place.state().join(file);
        if path.exists() {
            std::fs::write(
                path,
                "no database, and nothing that a database has written beside itself",
            )
            .unwrap();
        }
    }
    place.pass(DAY);
    place.run(["run"]).expect(1);
    let text = read(&textfile(&place));
    assert_eq!(value(&text, "rotate_last_run_exit_status", &[]), 1.0);
    assert_eq!(value(&text, "rotate_last_success_timestamp_seconds", &[]), succeeded);
    assert_eq!(find(&text, "rotate_target_age_seconds", &[]), None, "{text}");
}

#[test]
fn what_only_the_run_has_found_of_a_target_is_told_as_blocked_and_as_waiting_for_a_person() {
    let mut place = watched("");
    place.add_user("full", DAY * 179, "");
    let _ = place.cloud.add_key("full");
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stderr.contains("1 target: 1 blocked"), "{}", ran.stderr);
    let labels = ["target=\"full\""];
    let text = read(&textfile(&place));
    assert_eq!(value(&text, "rotate_target_blocked", &labels), 1.0, "{text}");
    assert_eq!(value(&text, "rotate_target_waits_for_person", &labels), 1.0, "{text}");
}

#[test]
fn a_target_that_is_kept_no_more_is_counted_until_its_rotation_has_ended() {
    let mut place = watched("");
    place.add_user("kept", DAY * 2, "");
    let without = read(&place.path("rotate.toml"));
    place.add_user("left", DAY * 179, "soak = \"7d\"");
    place.run(["run"]).expect(0);
    place.configure(&without);
    place.run(["run"]).expect(0);
    let keys = |place: &FleetWorkplace| {
        value(
            &read(&textfile(place)),
            "rotate_connector_keys",
            &["s3-customer-managed"],
        )
    };
    assert_eq!(keys(&place), 2.0, "its rotation is open");
    place.run(["abort", "left"]).expect(0);
    place.run(["run"]).expect(0);
    assert_eq!(keys(&place), 1.0);
    let ended = ["target=\"left\"", "state=\"aborted\""];
    assert_eq!(value(&read(&textfile(&place)), "rotate_target_state", &ended), 1.0);
}
