//! A year, day by day: the program runs each morning, people do their part within what they are allowed, and at no time is a
//! key older than it may be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Credentials;

use super::{DAY, ROTATE};

const DAYS: i32 = 365;

/// What is asked of one IAM user's key.
struct Asked {
    user: String,
    max_age: i32,
    /// On which day after the delivery a person confirms; `None`: nobody has to.
    confirms_after: Option<i32>,
    /// What the consumer holds.
    held: Credentials,
    /// When its keys were made, oldest first.
    made: Vec<Timestamp>,
    waiting_since: Option<i32>,
}

/// What is asked of one guide's target.
struct ByHand {
    name: String,
    max_age: i32,
    rotated: Timestamp,
    walks_after: i32,
    open_since: Option<i32>,
    rotations: usize,
}

/// Numbers that look random and are the same each time.
fn mix(seed: i32) -> i32 {
    seed.wrapping_mul(1_103_515_245)
        .wrapping_add(12_345)
        .rotate_right(7)
        .rem_euclid(10_007)
}

/// Thirty-five users and fifteen guides, of all ages and schedules.
fn fleet() -> (FleetWorkplace, Vec<Asked>, Vec<ByHand>) {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\ncutover_allowance = \"10d\"\nsoak = \"5d\"\n");
    let mut users = Vec::new();
    for number in 0..35 {
        let user = format!("user-{number:02}");
        let max_age = [180, 120, 60][number % 3];
        let (more, confirms_after, lead) = match number % 4 {
            0 => ("cutover = \"immediate\"\nsoak = \"0s\"", None, 2),
            1 => ("cutover = \"immediate\"", None, 8),
            2 => ("", Some(mix(number as i32) % 10), 19),
            _ => (
                "window = { days = [\"mon\", \"tue\", \"wed\", \"thu\"], from = \"00:00\", to = \"00:00\" }",
                Some(mix(number as i32) % 10),
                32,
            ),
        };
        let age = mix(number as i32 + 100) % (max_age - lead);
        let table = format!("max_age = \"{max_age}d\"\n{more}");
        let held = place.add_user(&user, DAY * age, &table);
        let made = vec![place.cloud.keys_of(&user)[0].created_at];
        users.push(Asked {
            user,
            max_age,
            confirms_after,
            held,
            made,
            waiting_since: None,
        });
    }
    let mut guides = Vec::new();
    let mut text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    for number in 0..15 {
        let name = format!("guide-{number:02}");
        let max_age = [180, 90][number % 2];
        let age = mix(number as i32 + 200) % (max_age - 12);
        let rotated = place.now() - DAY * age;
        text.push_str(&format!(
            "\n[[target]]\nname = \"{name}\"\nconnector = \"jira\"\nsite = \"{name}\"\nmax_age = \"{max_age}d\"\nlast_rotated = \"{}\"\n",
            &rotated.to_string()[..10]
        ));
        guides.push(ByHand {
            name,
            max_age,
            rotated,
            walks_after: mix(number as i32 + 300) % 9,
            open_since: None,
            rotations: 0,
        });
    }
    place.configure(&text);
    (place, users, guides)
}

#[test]
fn in_a_year_no_key_grows_too_old_and_none_is_rotated_twice() {
    let (mut place, mut users, mut guides) = fleet();
    for day in 0..DAYS {
        let ran = place.run(["run"]);
        assert_eq!(ran.code, Some(0), "day {day}: {}\n{}", ran.stderr, ran.stdout);
        let states = states(&place);
        for user in &mut users {
            user.live(&place, day, &states);
        }
        for guide in &mut guides {
            guide.live(&place, day, &states);
        }
        place.pass(DAY);
    }
    for user in &users {
        // At least what the policy asks for, and no more than its early beginnings explain.
        let (times, year) = (user.made.len() as i32 - 1, DAYS);
        assert!(times >= year / user.max_age, "{} was rotated {times} times", user.user);
        assert!(
            times <= year / (user.max_age - 32) + 1,
            "{} was rotated {times} times",
            user.user
        );
    }
    for guide in &guides {
        assert!(guide.rotations as i32 >= DAYS / guide.max_age, "{}", guide.name);
    }
    place.run(["audit", "verify"]).expect(0);
}

/// Every target's state by its name.
fn states(place: &FleetWorkplace) -> BTreeMap<String, String> {
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    let targets = status["targets"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    targets
        .iter()
        .map(|target| (text(&target["name"]), text(&target["state"])))
        .collect()
}

impl Asked {
    /// One day of this user: its consumer works, its keys are young enough, and a person does their part.
    fn live(&mut self, place: &FleetWorkplace, day: i32, states: &BTreeMap<String, String>) {
        let (user, state) = (&self.user, states[&self.user].as_str());
        let keys = place.cloud.keys_of(user);
        for key in &keys {
            let age = place.now().duration_since(key.created_at);
            // A key made at noon is looked at in the morning: the day itself may still be under way.
            assert!(
                age <= DAY * self.max_age,
                "day {day}: {user} has a key of {} hours",
                age.as_hours()
            );
            if !self.made.contains(&key.created_at) {
                let since = key.created_at.duration_since(self.made[self.made.len() - 1]);
                assert!(
                    since >= DAY * (self.max_age - 33),
                    "day {day}: {user} was rotated twice"
                );
                self.made.push(key.created_at);
            }
        }
        match (self.confirms_after, state) {
            (None, _) => self.take_over(place),
            (Some(after), "delivered") => {
                let since = *self.waiting_since.get_or_insert(day);
                if day - since >= after {
                    self.take_over(place);
                    place.run(["confirm", &self.user]).expect(0);
                    self.waiting_since = None;
                }
            }
            _ => {}
        }
        let held = &self.held;
        assert!(
            place.cloud.works(&held.id, &held.secret),
            "day {day}: the consumer of {} is cut off",
            self.user
        );
    }

    /// The consumer reads what was delivered.
    fn take_over(&mut self, place: &FleetWorkplace) {
        if let Some(delivered) = place.delivered_key(&self.user) {
            self.held = delivered;
        }
    }
}

impl ByHand {
    /// One day of this target: it is announced early enough for a person to take all the time that they have.
    fn live(&mut self, place: &FleetWorkplace, day: i32, states: &BTreeMap<String, String>) {
        let age = place.now().duration_since(self.rotated);
        assert!(
            age <= DAY * self.max_age,
            "day {day}: {} was rotated {} hours ago",
            self.name,
            age.as_hours()
        );
        if states[&self.name] != "guided" {
            assert!(self.open_since.is_none());
            return;
        }
        if self.open_since.is_none() {
            let left = DAY * self.max_age - age;
            assert!(left >= DAY * 10, "day {day}: {} was announced too late", self.name);
            self.open_since = Some(day);
        }
        if self.open_since.is_some_and(|since| day - since >= self.walks_after) {
            for step in 1.. {
                let ran = place.run(["done", &self.name, &step.to_string()]).expect(0);
                if ran.stderr.contains("counts as rotated") || ran.stderr.contains("rotated on") {
                    break;
                }
                assert!(step < 50, "{} never ends", self.name);
            }
            self.rotated = place.now();
            self.rotations += 1;
            self.open_since = None;
        }
    }
}
