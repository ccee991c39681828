//! What it says is what was recorded, and nothing else.

use serde_json::{Value, json};

use super::fleet::{DAY, fleet, json, of};

fn texts(list: &Value, field: &str) -> Vec<String> {
    let all = list.as_array().expect("it is a list");
    all.iter()
        .map(|one| one[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_state_is_counted_and_told_with_its_reason() {
    let place = fleet();
    let report = json(&place, &[]);
    let summary = &report["summary"];
    let four = ["in_policy", "due", "overdue", "age_unknown"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(four.iter().sum::<u64>(), 6, "{summary:#}");
    assert_eq!(summary["credentials"], 6);
    assert_eq!(of(&report, "young")["standing"], "in-policy");
    assert_eq!(of(&report, "shut")["standing"], "overdue");
    assert_eq!(of(&report, "waiting")["standing"], "due");
    assert_eq!(of(&report, "Help.Desk")["standing"], "age-unknown");
    let strange = of(&report, "strange");
    assert_eq!(strange["blocked"], true, "{strange:#}");
    assert_eq!(strange["other_active_keys"].as_array().unwrap().len(), 1, "{strange:#}");
    assert_eq!(summary["exceptions_expired"], 1);
    let waiting = summary["waiting_for"].as_array().unwrap();
    let whom: Vec<&Value> = waiting.iter().map(|it| &it["owner"]).collect();
    assert!(whom.contains(&&json!("data-platform@example.com")), "{summary:#}");
    let platform = waiting
        .iter()
        .find(|it| it["owner"] == "data-platform@example.com")
        .unwrap();
    assert_eq!(platform["credentials"], json!(["strange", "waiting"]));
}

#[test]
fn a_finished_rotation_is_told_phase_by_phase_with_its_proofs() {
    let place = fleet();
    let report = json(&place, &[]);
    let rotated = of(&report, "rotated");
    let rotation = &rotated["rotations"][0];
    assert_eq!(rotation["state"], "done", "{rotation:#}");
    let phases = texts(&rotation["phases"], "phase");
    assert_eq!(
        phases,
        [
            "opened",
            "created",
            "verified",
            "delivered",
            "cut-over",
            "deactivated",
            "soaked",
            "deleted",
            "done"
        ]
    );
    let times = texts(&rotation["phases"], "at");
    assert!(times.is_sorted(), "{times:?}");
    // The old key was disabled in the run that made the new one, and rested a week.
    assert!(
        rotation["overlap_seconds"].as_i64().is_some_and(|it| it < 600),
        "{rotation:#}"
    );
    assert!(rotation["revoked_after_seconds"].as_i64().is_some_and(|it| it < 600));
    assert!(rotation["proved"]["first"].is_string() && rotation["refused"]["first"].is_string());
    assert_eq!(rotated["key"], rotation["new_key"]);
    let keys = place.keys("rotated");
    assert_eq!(
        json!(keys),
        json!([rotation["new_key"]]),
        "what is told is what is at the vendor"
    );
    assert_eq!(rotated["account"], "123456789012");
    assert!(
        rotated["immutable_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("AIDA")),
        "{rotated:#}"
    );
    assert!(rotated["created_at"].is_string(), "the vendor's clock: {rotated:#}");
}

#[test]
fn each_change_at_the_vendor_has_the_name_that_the_vendor_gave_the_request() {
    let place = fleet();
    let report = json(&place, &[]);
    let changed = |user: &str| {
        let calls = place.cloud.calls().into_iter();
        let changes = calls.filter(|call| call.user.as_deref() == Some(user) && call.action.ends_with("AccessKey"));
        changes.map(|call| call.request_id).collect::<Vec<_>>()
    };
    for (name, events) in [
        ("rotated", &["created", "deactivated", "deleted"][..]),
        ("waiting", &["created"]),
    ] {
        let told = &of(&report, name)["rotations"][0]["request_ids"];
        assert_eq!(texts(told, "event"), events, "{name}");
        assert_eq!(texts(told, "id"), changed(name), "{name}");
        assert!(texts(told, "at").is_sorted(), "{name}");
    }
}

#[test]
fn what_nobody_has_written_down_is_null_and_never_made_up() {
    let place = fleet();
    let report = json(&place, &[]);
    for rotation in of(&report, "Help.Desk")["rotations"].as_array().unwrap() {
        assert_eq!(rotation["request_ids"], Value::Null);
    }
    let desk = of(&report, "Help.Desk");
    for field in [
        "account",
        "immutable_id",
        "key",
        "created_at",
        "age",
        "last_use",
        "looked_at",
        "limit_basis",
        "exception",
    ] {
        assert_eq!(desk[field], Value::Null, "{field}");
    }
    assert_eq!(
        of(&report, "young")["limit_basis"],
        "PCI DSS 4.0.1 8.6.3, risk analysis RA-12"
    );
    assert_eq!(of(&report, "rotated")["owner"], Value::Null);
}

#[test]
fn what_made_a_rotation_begin_and_who_is_told_in_every_form() {
    let place = fleet();
    place.run(["run", "--only", "young", "--due-within", "3650d"]).expect(0);
    let report = json(&place, &[]);
    let begun = |name: &str| {
        let rotation = &of(&report, name)["rotations"][0];
        let by = rotation["initiated_by"].as_str().unwrap().to_owned();
        (rotation["trigger"].as_str().unwrap().to_owned(), by)
    };
    let due = ("due".to_owned(), "rotate".to_owned());
    assert_eq!(begun("rotated"), due);
    assert_eq!(begun("Help.Desk"), due, "its day had come, and run has opened it");
    let (trigger, by) = begun("young");
    assert_eq!(trigger, "ordered");
    assert!(by.contains("uid"), "{by}");
    let opened = &of(&report, "young")["rotations"][0]["records"][0];
    assert_eq!(opened["by"], by);
    let table = super::fleet::report(&place, &["--output", "csv"]).stdout;
    let line = table.lines().find(|line| line.starts_with("young,")).unwrap();
    assert!(line.contains(",ordered,") && line.contains(&by), "{line}");
    let page = super::fleet::report(&place, &[]).stdout;
    assert!(page.contains("ordered") && page.contains(&by), "the page tells it");
    let audit = place.run(["audit", "young"]).expect(0).stdout;
    assert!(audit.contains(&format!(", ordered by {by}")), "{audit}");
    let audit = place.run(["audit", "rotated"]).expect(0).stdout;
    assert!(
        audit
            .lines()
            .any(|line| line.contains("opened") && line.ends_with(", due")),
        "{audit}"
    );
}

#[test]
fn an_age_says_whose_word_it_is() {
    let mut place = fleet();
    let basis =
        |place: &rotate_fixtures::FleetWorkplace, name: &str| of(&json(place, &[]), name)["age"]["basis"].clone();
    assert_eq!(basis(&place, "young"), "vendor");
    assert_eq!(of(&json(&place, &[]), "Help.Desk")["age"], Value::Null);
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&text.replace("domain = \"acme\"", "domain = \"acme\"\nlast_rotated = \"2026-10-01\""));
    assert_eq!(basis(&place, "Help.Desk"), "configuration");
}

#[test]
fn a_rotation_by_hand_stands_beside_with_who_and_what_was_noted() {
    let place = fleet();
    let report = json(&place, &[]);
    let rotation = of(&report, "Help.Desk")["rotations"][0].clone();
    assert_eq!(rotation["mode"], "guided");
    let records = rotation["records"].as_array().unwrap();
    let noted = records
        .iter()
        .find(|record| record["evidence"].is_string())
        .expect("it was noted");
    assert_eq!(noted["evidence"], super::fleet::HOSTILE_NOTE);
    assert!(noted["by"].as_str().is_some_and(|by| by.contains("uid")), "{noted:#}");
    assert!(noted["phase"].is_string(), "{noted:#}");
}

#[test]
fn an_exception_is_told_with_who_and_until_when_and_that_it_has_expired() {
    let mut place = fleet();
    let of_shut = |place: &rotate_fixtures::FleetWorkplace| of(&json(place, &[]), "shut")["exception"].clone();
    let exception = of_shut(&place);
    assert_eq!(exception["approved_by"], "cfo@example.com");
    assert_eq!(
        (&exception["until"], &exception["expired"]),
        (&json!("2026-01-31"), &json!(true))
    );
    let later = (place.now() + DAY * 30).strftime("%Y-%m-%d").to_string();
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&text.replace("2026-01-31", &later));
    assert_eq!(of_shut(&place)["expired"], false);
    // The day itself still counts.
    let today = place.now().strftime("%Y-%m-%d").to_string();
    place.configure(&text.replace("2026-01-31", &today));
    assert_eq!(of_shut(&place)["expired"], false);
}

#[test]
fn a_period_leaves_out_what_was_not_under_way_in_it() {
    let place = fleet();
    let rotations = |more: &[&str]| {
        let report = json(&place, more);
        ["rotated", "waiting"].map(|name| of(&report, name)["rotations"].as_array().unwrap().len())
    };
    assert_eq!(rotations(&[]), [1, 1]);
    let day = |days: i32| (place.now() + DAY * days).strftime("%Y-%m-%d").to_string();
    assert_eq!(rotations(&["--since", &day(-2)]), [0, 1]);
    assert_eq!(rotations(&["--until", &day(-2)]), [1, 0]);
    assert_eq!(rotations(&["--since", &day(-400), "--until", &day(-300)]), [0, 0]);
    // Today is part of what lasts until today.
    assert_eq!(rotations(&["--until", &day(0)]), [1, 1]);
    // What is under way is so now, whatever the period; and no period reaches beyond now.
    let rotating = |more: &[&str]| json(&place, more)["summary"]["rotating"].clone();
    assert_ne!(rotating(&[]), 0);
    assert_eq!(rotating(&["--until", &day(-300)]), rotating(&[]));
    let report = json(&place, &["--until", &day(9)]);
    assert_eq!(report["period"]["until"], report["made_at"]);
}

#[test]
fn the_head_of_the_chain_and_the_hash_of_the_file_are_those_that_others_find() {
    let place = fleet();
    let report = json(&place, &[]);
    let verified = place.run(["audit", "verify", "--output", "json"]).expect(0).json();
    for field in ["head", "events", "rotations", "intact"] {
        assert_eq!(report["integrity"][field], verified[field], "{field}");
    }
    let hash = rotate_fixtures::tool("sha256sum")
        .arg(place.path("rotate.toml"))
        .output()
        .unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    assert!(
        hash.starts_with(report["integrity"]["config_sha256"].as_str().unwrap()),
        "{hash}"
    );
    let population = &report["population"];
    assert_eq!(population["configured"], 6);
    assert_eq!(population["out_of_scope"][0]["what"], "keys of the root user");
    assert!(population["listed_by"].as_str().is_some_and(|by| by.contains("uid")));
}

#[test]
fn of_a_journal_that_was_changed_there_is_no_report() {
    let place = fleet();
    let database = place.state().join("rotate.db");
    let changed = rotate_fixtures::tool("python3")
        .args(["-c", "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE events SET at='2020-01-01T00:00:00Z' WHERE seq=3\"); d.commit()"])
        .arg(&database)
        .status();
    assert!(changed.unwrap().success());
    for form in ["html", "csv", "json"] {
        let ran = place.run(["report", "--output", form]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(
            ran.stderr
                .contains("the journal was changed after it was written: event 3"),
            "{}",
            ran.stderr
        );
        assert!(!ran.stdout.contains("rotated"), "{}", ran.stdout);
    }
}

#[test]
fn what_only_the_journal_knows_is_in_it_and_said_to_be() {
    let mut place = fleet();
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    let without = text
        .split("\n[[target]]")
        .filter(|table| !table.contains("name = \"rotated\""))
        .collect::<Vec<_>>();
    place.configure(&without.join("\n[[target]]"));
    let report = json(&place, &[]);
    assert_eq!(of(&report, "rotated")["configured"], false);
    assert_eq!(report["population"]["only_in_journal"], 1);
    assert_eq!(report["population"]["configured"], 5);
}

#[test]
fn the_controls_count_whom_they_concern() {
    let place = fleet();
    let report = json(&place, &[]);
    let controls = report["controls"].as_array().unwrap();
    let of = |id: &str| controls.iter().find(|it| it["id"] == id).expect("it is there");
    assert_eq!(of("1.13")["credentials"], 5, "not the one by hand");
    assert_eq!(of("1.13")["beyond"], 2, "older than 90 days: shut and waiting");
    assert_eq!(of("8.6.3")["credentials"], 6);
    assert_eq!(of("8.6.3")["beyond"], Value::Null, "nobody but a reader can tell");
    assert_eq!(of("1.12")["credentials"], 5);
    let beyond = of("1.12")["beyond"].as_u64();
    assert!(beyond.is_some_and(|beyond| (1..5).contains(&beyond)), "{beyond:?}");
    for control in controls {
        assert!(control["source"].as_str().is_some_and(|it| it.starts_with("https://")));
    }
}

#[test]
fn a_key_that_nobody_has_looked_at_is_not_shown_to_be_the_only_one() {
    let mut place = rotate_fixtures::FleetWorkplace::new(super::fleet::ROTATE);
    place.add_user("seen", DAY, "");
    let beyond = |place: &rotate_fixtures::FleetWorkplace| {
        let report = json(place, &[]);
        let controls = report["controls"].as_array().unwrap().clone();
        let one_key = controls.into_iter().find(|it| it["id"] == "1.12").unwrap();
        (one_key["credentials"].clone(), one_key["beyond"].clone())
    };
    place.run(["run"]);
    assert_eq!(beyond(&place), (json!(1), json!(0)));
    place.add_user("unseen", DAY, "");
    assert_eq!(beyond(&place), (json!(2), json!(1)));
}
