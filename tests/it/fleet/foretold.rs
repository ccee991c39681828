//! What `plan` foretells is what `run` then does, and what `--dry-run` shows is what the command then does: for fleets, vendors and
//! days by chance.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::SignedDuration;
use rotate_fixtures::workplace::BUCKET;
use rotate_fixtures::{FleetWorkplace, Ran};
use serde_json::Value;

use super::{DAY, ROTATE};

/// How many fleets, and how many mornings each of them sees.
const FLEETS: usize = 12;
const MORNINGS: usize = 8;

const USERS: [&str; 5] = ["ada", "bob", "cleo", "dora", "emil"];

/// What was said of one target, or is on record of it.
#[derive(Debug)]
struct Said {
    verdict: String,
    has_problems: bool,
    reason: String,
}

/// The seed of this run; `ROTATE_TEST_SEED=…` repeats it.
#[expect(clippy::print_stdout, reason = "a failure has to be repeatable")]
fn dice() -> Rng {
    let given = std::env::var("ROTATE_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("ROTATE_TEST_SEED={seed}");
    Rng::with_seed(seed)
}

/// A fleet of users with keys of all ages, each by rules of its own, and a target that a person rotates.
fn fleet(dice: &mut Rng) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    // Everything is looked at each time: what `run` has no reason to look at is all that `plan` might know better.
    place.configure(
        "[defaults]\naws_calls_per_second = 0\nlook_every = \"0s\"\ncutover_allowance = \"10d\"\nsoak = \"5d\"\n",
    );
    for user in USERS {
        let rules = [
            "",
            "cutover = \"immediate\"\nsoak = \"0s\"",
            "cutover = \"immediate\"",
            "max_age = \"90d\"",
            "window = { days = [\"sat\"], from = \"01:00\", to = \"02:00\" }",
            "cutover = \"observed\"",
        ];
        let rule = dice.choice(rules).unwrap();
        place.add_user(user, DAY * dice.i32(0..220), rule);
    }
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    let rotated = (place.now() - DAY * dice.i32(100..200)).to_string();
    place.configure(&format!(
        "{text}\n[[target]]\nname = \"desk\"\nconnector = \"jira\"\nsite = \"desk\"\nlast_rotated = \"{}\"\n",
        &rotated[..10]
    ));
    place
}

/// Something happens that nobody has told the program of; mostly nothing.
fn somebody(place: &FleetWorkplace, dice: &mut Rng) {
    let user = dice.choice(USERS).unwrap();
    let keys = place.cloud.keys_of(user);
    let key = dice.choice(&keys);
    match dice.u8(0..14) {
        0 if keys.len() < 2 => drop(place.cloud.add_key(user)),
        1 => {
            if let Some(key) = key {
                place.cloud.delete_key(&key.id);
            }
        }
        2 => {
            if let Some(key) = key {
                place.cloud.set_key_status(&key.id, !key.active);
            }
        }
        3 => place.cloud.remove_bucket(BUCKET),
        4..=6 => place.cloud.add_bucket(BUCKET, "us-east-1", &["data/1.csv"]),
        7 => drop(std::fs::write(place.delivered(user), "somebody else's")),
        8 => drop(std::fs::remove_file(place.delivered(user))),
        9 => {
            if let Some(key) = key {
                place.cloud.set_last_used(&key.id, place.now(), "s3", "us-east-1");
            }
        }
        _ => {}
    }
}

/// What people do about a target: the word that its state asks for, or another one.
fn word(place: &FleetWorkplace, dice: &mut Rng) {
    let user = dice.choice(USERS).unwrap();
    let word = dice.choice(["confirm", "confirm", "abort", "rollback"]).unwrap();
    // Whether it fits is not asked here.
    place.run([word, user]);
}

/// Each target's latest rotation in the journal, with its last event.
fn on_record(place: &FleetWorkplace) -> BTreeMap<String, (String, String)> {
    let audit = place.run(["audit", "--output", "json"]).expect(0).json();
    let mut latest = BTreeMap::<String, (String, String)>::new();
    for line in audit["events"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (target, rotation, event) = (
            text(&line["target"]),
            text(&line["rotation"]),
            text(&line["what"]["event"]),
        );
        let begins = ["opened", "walk-opened"].contains(&event.as_str());
        match latest.get_mut(&target) {
            Some(known) if begins || known.0 == rotation => *known = (rotation, event),
            None if begins => drop(latest.insert(target, (rotation, event))),
            // What is seen between rotations.
            _ => {}
        }
    }
    latest
}

/// What a run says of each target.
fn states(document: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = document["targets"].as_array().unwrap();
    targets
        .iter()
        .map(|target| (text(&target["name"]), text(&target["state"])))
        .collect()
}

fn foretold(place: &FleetWorkplace) -> BTreeMap<String, Said> {
    let plan = place.run(["plan", "--output", "json"]);
    let (code, plan) = (plan.code, plan.json());
    let said = |target: &Value| {
        let problems = target["problems"].as_array().unwrap();
        let said = Said {
            verdict: target["action"].as_str().unwrap().to_owned(),
            has_problems: !problems.is_empty(),
            reason: target["reason"].as_str().unwrap_or_default().to_owned(),
        };
        (target["name"].as_str().unwrap().to_owned(), said)
    };
    let said: BTreeMap<_, _> = plan["targets"].as_array().unwrap().iter().map(said).collect();
    if said.values().any(|said| said.has_problems) {
        assert_eq!(code, Some(1));
    }
    said
}

#[test]
fn what_plan_foretells_is_what_run_does() {
    let mut dice = dice();
    let mut seen = BTreeMap::<String, u32>::new();
    for fleet_number in 0..FLEETS {
        let mut place = fleet(&mut dice);
        for morning in 0..MORNINGS {
            somebody(&place, &mut dice);
            if dice.bool() {
                word(&place, &mut dice);
            }
            place.pass(SignedDuration::from_hours(dice.i64(1..24 * 25)));
            let before = on_record(&place);
            let keys: Vec<_> = USERS.map(|user| place.keys(user)).into();
            let foretold = foretold(&place);
            assert_eq!(before, on_record(&place), "a plan has changed something");
            let ran = place.run(["run", "--output", "json"]);
            let after = on_record(&place);
            let became = states(&ran.json());
            for (name, said) in &foretold {
                let reason = &said.reason;
                let told = format!("fleet {fleet_number}, morning {morning}, {name}: {said:?} ({reason})\n{ran:#?}");
                let (was, is) = (before.get(name), after.get(name));
                let has_begun = is.is_some_and(|is| was.is_none_or(|was| was.0 != is.0));
                *seen.entry(said.verdict.clone()).or_default() += 1;
                match (said.verdict.as_str(), said.has_problems) {
                    ("start", false) => assert!(has_begun, "{told}"),
                    ("guided", _) => {
                        let open = is.is_some_and(|is| is.1 == "walk-opened");
                        assert!(open, "{told}");
                    }
                    ("continue", _) => assert!(!has_begun, "{told}"),
                    (verdict, problems) => {
                        assert!(!has_begun, "{told}");
                        assert!(problems || ["not-due", "wait", "blocked"].contains(&verdict), "{told}");
                        assert_eq!(was.map(|was| &was.1), is.map(|is| &is.1), "{told}");
                        if let Some(at) = USERS.iter().position(|user| user == name) {
                            assert_eq!(keys[at], place.keys(name), "{told}");
                        }
                    }
                }
                // Nothing of it that only one of them has seen.
                if ["not-due", "wait", "blocked"].contains(&said.verdict.as_str()) {
                    let is_blocked = became[name] == "blocked";
                    assert_eq!(is_blocked, said.verdict == "blocked", "{told}");
                }
            }
        }
    }
    for verdict in ["not-due", "start", "wait", "blocked", "guided"] {
        assert!(seen.contains_key(verdict), "none was {verdict}: {seen:?}");
    }
}

#[test]
fn what_a_dry_run_shows_is_what_the_command_does() {
    let mut dice = dice();
    let (mut begun, mut refused) = (0, 0);
    for _ in 0..FLEETS {
        let mut place = fleet(&mut dice);
        for _ in 0..MORNINGS {
            somebody(&place, &mut dice);
            place.pass(SignedDuration::from_hours(dice.i64(1..24 * 25)));
            let user = dice.choice(USERS).unwrap();
            let file = format!("file:{}", place.delivered(user).display());
            let order = |more: &[&str]| -> Ran {
                let command = [
                    "s3-customer-managed",
                    "--user",
                    user,
                    "--bucket",
                    BUCKET,
                    "--deliver",
                    &file,
                ];
                let mut command = place.command(command);
                command
                    .args(["--cutover", "immediate", "--soak", "0s", "--again"])
                    .args(more);
                Ran::of(command)
            };
            let (records, keys) = (on_record(&place), place.keys(user));
            let dry = order(&["--dry-run"]);
            assert_eq!((records, &keys), (on_record(&place), &place.keys(user)), "{dry:#?}");
            let real = order(&["--yes"]);
            assert_eq!(dry.code, real.code, "{dry:#?}\n{real:#?}");
            match dry.code {
                Some(0) => {
                    let new = place.delivered_key(user).expect("it was delivered");
                    assert_eq!(place.keys(user), [new.id], "{real:#?}");
                    begun += 1;
                }
                _ => {
                    assert_eq!(keys, place.keys(user), "{dry:#?}\n{real:#?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(begun > 0 && refused > 0, "{begun} begun, {refused} refused");
}

#[test]
fn a_persons_order_rotates_a_key_of_yesterday_in_a_closed_window_and_tells_what_has_changed() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("ada", DAY, "");
    let file = format!("file:{}", place.delivered("ada").display());
    let order = |more: &[&str]| -> Ran {
        let command = [
            "s3-customer-managed",
            "--user",
            "ada",
            "--bucket",
            BUCKET,
            "--deliver",
            &file,
        ];
        let mut command = place.command(command);
        command.args(["--cutover", "immediate", "--soak", "0s"]).args(more);
        Ran::of(command)
    };
    order(&[]).expect(0);
    let first = place.keys("ada");
    order(&["--again"]).expect(0);
    assert_ne!(place.keys("ada"), first);
    // Somebody rotates by hand.
    let theirs = place.cloud.add_key("ada");
    for key in place.keys("ada").into_iter().filter(|key| *key != theirs.id) {
        place.cloud.delete_key(&key);
    }
    let ran = order(&["--again"]).expect(0);
    assert!(
        ran.stderr.contains("keys were changed by hand"),
        "what has changed is not told: {}",
        ran.stderr
    );
    let new = place.delivered_key("ada").unwrap();
    assert_eq!(place.keys("ada"), [new.id]);
}
