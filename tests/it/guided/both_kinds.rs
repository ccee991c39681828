//! A target of a connector that can be rotated by the program and by hand is rotated in one way at a time.

use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

use crate::guided::desk::{Desk, ROTATE};

const SHOW: [&str; 6] = ["s3-customer-managed", "--manual", "--user", USER, "--bucket", BUCKET];

const BY_HAND: [&str; 7] = [
    "s3-customer-managed",
    "--manual",
    "--user",
    USER,
    "--bucket",
    BUCKET,
    "--begin",
];

fn first_step(place: &Workplace) -> String {
    let status = place.run(["status", TARGET, "--output", "json"]).expect(0).json();
    status["targets"][0]["steps"][0]["step"].as_str().unwrap().to_owned()
}

#[test]
fn the_guide_of_an_automated_connector_is_there_with_manual() {
    let desk = Desk::new();
    for connector in ["s3-customer-managed", "snowflake-keypair"] {
        let user = if connector == "snowflake-keypair" { "GS" } else { USER };
        let ran = desk.run([connector, "--manual", "--user", user, "--dry-run"]).expect(0);
        assert!(ran.stdout.contains("☐"), "{}", ran.stdout);
        assert!(ran.stdout.contains("Nothing was opened"), "{}", ran.stdout);
        let help = desk.run([connector, "--manual", "--help"]).expect(0).stdout;
        assert!(help.contains("by hand"), "{help}");
        assert!(!help.contains("--deliver"), "{help}");
        let help = desk.run([connector, "--help"]).expect(0).stdout;
        assert!(help.contains("--deliver") && help.contains("--manual"), "{help}");
    }
}

#[test]
fn what_the_program_rotates_is_not_begun_by_hand_meanwhile() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let before = place.picture();
    for more in [&[][..], &["--dry-run"], &["--again"], &["--begin"]] {
        let ran = place.run(SHOW.iter().chain(more)).expect(1);
        assert!(ran.stderr.contains("is rotated by the program"), "{}", ran.stderr);
    }
    for word in [
        &["done", TARGET, "1"][..],
        &["done", TARGET, "--skip", "1", "--why", "no time"],
    ] {
        place.run(word).expect(1).says(&["no steps to tick"]);
    }
    assert_eq!(place.picture(), before);
}

#[test]
fn what_the_program_rotates_is_not_begun_by_hand_under_another_name_either() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let file = format!(
        "[[target]]\nname = \"other\"\nconnector = \"s3-customer-managed\"\nby_hand = true\nuser = \"{USER}\"\nbucket = \
         \"{BUCKET}\"\n"
    );
    std::fs::write(place.path("rotate.toml"), file).unwrap();
    let before = place.picture();
    let ran = place.run(BY_HAND).expect(1);
    assert!(
        ran.stderr.contains(&format!("{TARGET} is rotated by the program")),
        "{}",
        ran.stderr
    );
    assert_eq!(place.picture(), before);
    // Looking is free.
    place.run(SHOW).expect(0);
}

#[test]
fn what_a_person_rotates_is_not_begun_by_the_program_meanwhile() {
    let place = Workplace::new(ROTATE);
    place.run(BY_HAND).expect(0);
    for more in [&[][..], &["--dry-run"], &["--again"]] {
        let ran = Ran::of(place.rotate(more)).expect(1);
        assert!(ran.stderr.contains("by hand, step by step"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("abort {TARGET}")), "{}", ran.stderr);
    }
    place.run(["run"]).expect(0);
    place.expect_untouched();
    place.run(["done", TARGET, &first_step(&place)]).expect(0);
    // Given up, it leaves the way free.
    place.run(["abort", TARGET]).expect(0);
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn what_a_person_rotates_is_not_begun_by_the_program_under_another_name_either() {
    let place = Workplace::new(ROTATE);
    let file = format!(
        "[[target]]\nname = \"other\"\nconnector = \"s3-customer-managed\"\nby_hand = true\nuser = \"{USER}\"\nbucket = \
         \"{BUCKET}\"\n"
    );
    std::fs::write(place.path("rotate.toml"), file).unwrap();
    place.run(BY_HAND).expect(0);
    for more in [&[][..], &["--dry-run"]] {
        let ran = Ran::of(place.rotate(more)).expect(1);
        let said = format!("{USER} is being rotated already, under the name other");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
    place.expect_untouched();
    place.run(["abort", "other"]).expect(0);
    Ran::of(place.rotate([""; 0])).expect(0);
}

#[test]
fn the_two_ways_may_follow_each_other() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    place.run(BY_HAND).expect(0);
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"].as_array().unwrap().len(), 1, "one target: {status:#}");
    assert_eq!(status["targets"][0]["state"], "guided");
    place.run(["abort", TARGET]).expect(0);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--again"])).expect(0);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn one_table_and_one_run_have_both_kinds() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    place.run(["jira", "--site", "acme", "--begin"]).expect(0);
    let table = place.run(["status"]).expect(0).stdout;
    assert!(table.contains(TARGET) && table.contains("delivered"), "{table}");
    assert!(table.contains("jira/acme") && table.contains("guided"), "{table}");
    let ran = place.run(["run", "--output", "json"]).expect(0).json();
    let names: Vec<&str> = ran["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["jira/acme", TARGET]);
    place.run(["confirm", TARGET]).expect(0);
    place.run(["audit", "verify"]).expect(0);
}
