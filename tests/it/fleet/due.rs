//! What is due, and when.

use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Action;
use serde_json::json;

use super::{AT_ONCE, DAY, ROTATE};

/// One old key, one young one, and a guide's target that was rotated half a year ago.
fn mixed() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("old", DAY * 179, "");
    place.add_user("young", DAY * 10, "");
    let half_a_year_ago = (place.now() - DAY * 178).to_string();
    let guided = format!(
        "{}\n[[target]]\nname = \"by-hand\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nlast_rotated = \"{}\"\n",
        std::fs::read_to_string(place.path("rotate.toml")).unwrap(),
        &half_a_year_ago[..10]
    );
    place.configure(&guided);
    place
}

#[test]
fn a_plan_says_what_a_run_does_and_a_run_does_it_once() {
    let place = mixed();
    let said = [("old", "start"), ("young", "not-due"), ("by-hand", "guided")];
    let said = said.map(|(name, verdict)| (name.to_owned(), verdict.to_owned()));
    assert_eq!(place.actions(), said);
    assert!(!place.state().exists(), "a plan leaves nothing behind");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    let young = place.keys("young");

    place
        .run(["run"])
        .expect(0)
        .says(&["old: created", "3 targets: 1 ended, 1 by hand, 1 not due"]);
    let new = place.delivered_key("old").unwrap();
    assert_eq!(place.keys("old"), [new.id.as_str()]);
    assert!(place.cloud.works(&new.id, &new.secret));
    assert_eq!(place.keys("young"), young);

    place.cloud.reset_calls();
    place.run(["run"]).expect(0).says(&["3 targets: 1 by hand, 2 not due"]);
    assert_eq!(
        place.cloud.call_count(),
        0,
        "ages are on record: nobody has to be asked"
    );
    assert_eq!(place.keys("old"), [new.id.as_str()]);
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"][1]["name"], "old");
    assert_eq!(status["targets"][1]["age"]["days"], 0);
    assert_eq!(status["targets"][2]["age"]["days"], 10);
}

#[test]
fn a_detailed_exit_code_tells_what_is_to_do_from_what_is_not() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("young", DAY * 10, "");
    place.run(["plan", "--detailed-exitcode"]).expect(0);
    place
        .run(["plan", "--detailed-exitcode", "--at", "2099-01-01"])
        .expect(2);
    place.run(["plan"]).expect(0);
    place.cloud.deny(Action::GetUser);
    place.run(["plan", "--detailed-exitcode"]).expect(1);
}

#[test]
fn the_same_question_at_the_same_time_gets_the_same_bytes() {
    let place = mixed();
    for output in ["text", "json", "markdown"] {
        let ask = || {
            place
                .run(["plan", "--at", "2027-03-01", "--output", output])
                .expect(0)
                .stdout
        };
        let first = ask();
        assert!(first.contains("young"));
        assert_eq!(first, ask());
    }
}

#[test]
fn offline_nobody_is_called_and_what_is_on_record_is_told() {
    let place = mixed();
    let plan = place.run(["plan", "--offline", "--output", "json"]).expect(0).json();
    assert_eq!(place.cloud.call_count(), 0);
    assert_eq!(plan["targets"][0]["action"], "wait");
    assert_eq!(plan["targets"][0]["age"], json!(null));
    place.run(["run"]).expect(0);
    place.cloud.reset_calls();
    let plan = place.run(["plan", "--offline", "--output", "json"]).expect(0).json();
    assert_eq!(place.cloud.call_count(), 0);
    let verdicts: Vec<&str> = plan["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["not-due", "not-due", "guided"]);
}

#[test]
fn after_a_breach_everything_is_due() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    let one = place.add_user("one", DAY * 10, "");
    let two = place.add_user("two", DAY * 20, "");
    place.run(["run", "--due-within", "3650d", "--only", "on*"]).expect(0);
    assert!(!place.cloud.key_exists(&one.id) && place.cloud.key_exists(&two.id));
    place
        .run(["run", "--due-within", "3650d", "--exclude", "one"])
        .expect(0);
    assert!(!place.cloud.key_exists(&two.id));
    place
        .run(["run", "--only", "thre"])
        .expect(64)
        .says(&["--only: no target is called thre", "did you mean"]);
}

#[test]
fn outside_its_window_nothing_begins() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    // A window that is shut now, whatever the day of the test is.
    let tomorrow = (place.now() + DAY * 2).strftime("%a").to_string().to_lowercase();
    let old = place.add_user("old", DAY * 179, &format!("window = {{ days = [\"{tomorrow}\"] }}"));
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    assert_eq!(place.actions()[0].1, "wait");
    place.pass(DAY * 2);
    // By now it is overdue, and it is rotated all the same.
    place.run(["run"]).expect(0);
    assert!(!place.cloud.key_exists(&old.id));
}

/// The whole way with a person in it, each part on the day on which it may happen.
#[test]
fn a_rotation_with_a_person_in_it_ends_before_the_key_is_too_old() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    let old = place.add_user("main", DAY * 155, "");
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
    place.pass(DAY);
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    assert_eq!(place.actions()[0].1, "wait");
    place.pass(DAY * 13);
    place.run(["run"]).expect(0);
    place.run(["confirm", "main"]).expect(0);
    assert!(!place.cloud.works(&old.id, &old.secret));
    place.pass(DAY * 7);
    place.run(["run"]).expect(0).says(&["1 target: 1 ended"]);
    assert!(!place.cloud.key_exists(&old.id));
    assert!(place.now() < place.cloud.now() + DAY * 25);
    place.pass(DAY * 14);
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
}

/// A fortnight before it begins, and not earlier.
#[test]
fn a_rotation_is_announced_before_it_begins() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("soon", DAY * 145, "");
    place.add_user("later", DAY * 140, "");
    let ran = place.run(["run"]).expect(0).says(&["2 targets: 2 not due"]);
    assert!(
        ran.stdout.contains("145 days old; its rotation begins on"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("later"), "{}", ran.stdout);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
}

/// A window into which no run falls would hold a rotation back until its key is too old.
#[test]
fn a_window_that_no_run_falls_into_calls_a_person() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    let open = (place.now() + DAY * 2).strftime("%a").to_string().to_lowercase();
    place.add_user("main", DAY * 140, &format!("window = {{ days = [\"{open}\"] }}"));
    let told = "was not started in it";
    for _ in 0..2 {
        place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
        place.pass(DAY * 7);
    }
    let ran = place.run(["run"]).expect(3).says(&["1 target: 1 blocked"]);
    assert!(
        ran.stdout.contains(told) && ran.stdout.contains("--only main"),
        "{ran:#?}"
    );
    assert_eq!(place.actions()[0].1, "blocked");
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    // A run inside the window is all that it needs.
    place.pass(DAY * 2);
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
    // The same of a rotation that is open: the old key waits to be disabled.
    place.pass(DAY * 5);
    place.run(["confirm", "main"]).expect(0);
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    place.pass(DAY * 8);
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains(told), "{ran:#?}");
    assert_eq!(place.cloud.count_of(Action::UpdateAccessKey), 0);
}

#[test]
fn a_date_that_is_yet_to_come_is_no_date_of_a_rotation() {
    let mut place = FleetWorkplace::new(ROTATE);
    let desk = |date: &str| {
        format!(
            "[[target]]\nname = \"desk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nlast_rotated = \"{date}\"\n"
        )
    };
    place.configure(&desk("2062-01-10"));
    let told = "2062-01-10";
    let ran = place.run(["run"]).expect(3);
    assert!(
        ran.stdout.contains(told) && ran.stdout.contains("yet to come"),
        "{ran:#?}"
    );
    let ran = place.run(["doctor"]).expect(1);
    assert!(ran.stdout.contains("2062-01-10 is yet to come"), "{ran:#?}");
    assert_eq!(place.actions()[0].1, "blocked");
    place.configure(&desk(&place.now().strftime("%Y-%m-%d").to_string()));
    place.run(["run"]).expect(0).says(&["1 target: 1 not due"]);
    place.run(["doctor"]).expect(0);
}

/// A line of cron outlives the rotations that it leaves out.
#[test]
fn a_rotation_that_has_ended_may_still_be_left_out() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("main", DAY * 10, "");
    place.cloud.add_user("other");
    let _ = place.cloud.add_key("other");
    let destination = format!("file:{}", place.path("other.json").display());
    let other = [
        "s3-customer-managed",
        "--user",
        "other",
        "--bucket",
        "acme-data",
        "--deliver",
        &destination,
    ];
    let at_once = ["--cutover", "immediate", "--soak", "0s"];
    place.run(other.into_iter().chain(at_once)).expect(0);
    place
        .run(["run", "--exclude", "s3-customer-managed/other"])
        .expect(0)
        .says(&["1 target: 1 not due"]);
}
