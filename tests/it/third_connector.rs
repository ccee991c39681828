//! A connector is only its folder: one that nothing else knows of has its command, its keys in rotate.toml, its destinations and
//! its limits from its own data. Leans on the strict fake of a vendor that is made for this. That no crash does harm there is
//! shown by the walks `…_third_connector…` of the crash suite.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::place::Place;
use rotate_fixtures::test_vendor::{HOLDER, TOKEN};
use rotate_fixtures::{FakeTestVendor, Ran, TestClock};

struct Desk {
    place: Place,
    clock: TestClock,
    /// Ten minutes past a full hour.
    begun: Timestamp,
    vendor: FakeTestVendor,
}

impl Desk {
    fn new() -> Self {
        let place = Place::new(env!("CARGO_BIN_EXE_rotate").as_ref(), &std::env::temp_dir());
        let now = Timestamp::now().as_second();
        let begun = Timestamp::from_second(now - now % 3600 + 600).unwrap();
        let clock = TestClock::new(place.path("clock"), begun);
        let vendor = FakeTestVendor::start(&clock);
        Self {
            place,
            clock,
            begun,
            vendor,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(
            [("ROTATE_TEST_CONNECTOR", "1"), ("TEST_VENDOR_TOKEN", TOKEN)],
            arguments,
        );
        command.env("ROTATE_TEST_CLOCK", self.clock.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        let address = self.vendor.address();
        let head = ["test-connector", "--holder", HOLDER, "--address", &address];
        self.run(&[&head, more].concat())
    }

    fn planned(&self, targets: &[(&str, &str)]) -> Ran {
        let address = self.vendor.address();
        let table = |(name, holder): &(&str, &str)| {
            let file = self.place.path(&format!("{name}.env"));
            format!(
                "[[target]]\nname = \"{name}\"\nconnector = \"test-connector\"\nholder = \"{holder}\"\naddress = \
                 \"{address}\"\ndeliver = [\"file:{}\"]\n",
                file.display()
            )
        };
        std::fs::write(
            self.place.path("rotate.toml"),
            targets.iter().map(table).collect::<String>(),
        )
        .unwrap();
        self.run(&["plan", "--offline"])
    }
}

#[test]
fn nobody_has_it_who_does_not_ask_for_it() {
    let desk = Desk::new();
    let bare = || {
        let mut command = desk.command(&["test-connector", "--help"]);
        command.env_remove("ROTATE_TEST_CONNECTOR");
        Ran::of(command)
    };
    bare().expect(64).says(&["unrecognized subcommand"]);
    desk.run(&["test-connector", "--help"]).expect(0);
}

#[test]
fn its_options_are_those_that_its_data_asks_for() {
    let desk = Desk::new();
    let help = desk.run(&["test-connector", "--help"]).expect(0).stdout;
    let offered = [
        "Rotate the key of a user at the test vendor",
        "--holder <HOLDER>",
        "--address <ADDRESS>",
        "--current-key <FILE>",
        "--lost-key <LOST_KEY>",
        "How long The test vendor's record of use is watched",
        "How long the old key can still be brought back",
        "file:PATH.env (dotenv)",
    ];
    for words in offered {
        assert!(help.contains(words), "{words:?} is not in {help}");
    }
    for words in ["--allow-self", "aws-profile", "--user", "--passphrase-file"] {
        assert!(!help.contains(words), "{words:?} is in {help}");
    }
}

#[test]
fn two_targets_are_told_apart_by_what_its_data_says_that_identifies() {
    let desk = Desk::new();
    desk.planned(&[("one", "loader"), ("two", "reader")]).expect(0);
    desk.planned(&[("one", "loader"), ("two", "loader")])
        .expect(64)
        .says(&["target \"two\": holder: target \"one\" rotates the keys of the same user"]);
}

#[test]
fn its_secret_goes_only_where_its_form_can_be_read() {
    let desk = Desk::new();
    desk.vendor.add_key();
    for (destination, words) in [
        ("file:key.json", "this key does not go there: write file:PATH.env"),
        ("file:key.p8", "this key does not go there: write file:PATH.env"),
        (
            "aws-profile:x@credentials",
            "this key does not go there: write file:PATH.env",
        ),
    ] {
        desk.rotate(&["--deliver", destination, "--yes"])
            .expect(64)
            .says(&[words]);
    }
    let delivered = desk.rotate(&["--deliver", "file:key.env", "--cutover", "immediate", "--soak", "0s"]);
    delivered.expect(0);
    let text = std::fs::read_to_string(desk.place.path("key.env")).unwrap();
    let [key] = desk.vendor.keys().try_into().unwrap();
    assert_eq!(
        text,
        format!("TEST_KEY_ID={}\nTEST_KEY_SECRET={}\n", key.id, key.secret)
    );
}

#[test]
fn what_its_vendor_calls_each_request_is_on_record() {
    let desk = Desk::new();
    desk.vendor.add_key();
    desk.rotate(&["--deliver", "file:key.env", "--cutover", "immediate", "--soak", "0s"])
        .expect(0);
    let report = desk.run(&["report", "--output", "json"]).expect(0).json();
    let told = &report["report"]["credentials"][0]["rotations"][0]["request_ids"];
    let told: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(told, desk.vendor.requests());
    assert_eq!(told.len(), 2);
}

#[test]
fn a_key_is_made_while_there_is_a_place_for_it_and_not_one_more() {
    let desk = Desk::new();
    let live = desk.vendor.add_key();
    std::fs::write(desk.place.path("current"), &live.id).unwrap();
    let deliver = ["--deliver", "file:key.env"];
    let shown = [&deliver[..], &["--current-key", "current"]].concat();
    for _ in 2..=3 {
        desk.vendor.add_key();
    }
    // Which of them the consumer holds is not guessed.
    desk.rotate(&deliver)
        .expect(3)
        .says(&["loader has 3 active keys", "--current-key"]);
    for _ in 4..=5 {
        desk.vendor.add_key();
    }
    desk.rotate(&shown).expect(3).says(&["all 5 places are taken"]);
    let spare = desk.vendor.keys().pop().unwrap();
    desk.vendor.put_back(&desk.vendor.keys()[..4]);
    desk.rotate(&shown).expect(0);
    let keys = desk.vendor.keys();
    assert_eq!(keys.len(), 5);
    assert!(keys.iter().any(|key| key.id == live.id) && keys.iter().all(|key| key.id != spare.id));
}

#[test]
fn its_use_counts_only_beyond_the_steps_in_which_it_is_recorded() {
    let desk = Desk::new();
    let old = desk.vendor.add_key();
    let nobody = "nobody but rotate has been seen to use new key";
    let waits = ["--deliver", "file:key.env", "--cutover", "observed", "--observe", "0s"];
    let begun = desk.rotate(&waits).expect(0).stdout;
    assert!(begun.contains(nobody), "{begun}");
    let new = desk.vendor.keys().pop().unwrap();
    assert_ne!(new.id, old.id);
    // It was proven at ten past; of the next hour's use the record says no more than the full hour, fifty minutes later.
    for (minutes, counts) in [(30, false), (80, false), (140, true)] {
        desk.clock.set(desk.begun + SignedDuration::from_mins(minutes));
        desk.vendor.use_key(&new.id);
        let ran = desk.run(&["run"]).expect(0);
        assert_eq!(
            ran.stdout.contains(nobody),
            !counts,
            "after {minutes} minutes: {}",
            ran.stdout
        );
    }
    assert!(desk.run(&["audit"]).expect(0).stdout.contains("cut-over"));
}

#[test]
fn the_schema_knows_its_inputs() {
    let desk = Desk::new();
    let schema = desk.run(&["init", "--schema"]).expect(0).stdout;
    for words in [
        "where the vendor is, as HOST:PORT",
        "test-connector",
        "a file with the id of the key",
    ] {
        assert!(schema.contains(words), "{words:?}");
    }
}
