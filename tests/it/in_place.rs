//! A password that is replaced where it stands: what is prepared before, the gap, what ends it, and what is refused. Leans on the
//! strict fake of a vendor that is made for this, which keeps one password of a user, counts logins and locks. That no crash does
//! harm is shown by the walks `…_password…` of the crash suite.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

mod bent;
mod config;
mod gap;
mod others;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::place::Place;
use rotate_fixtures::test_passwords::{FIRST_PASSWORD, PasswordFault};
use rotate_fixtures::test_vendor::{HOLDER, TOKEN};
use rotate_fixtures::{FakePasswordVendor, Ran, TestClock};

const TARGET: &str = "test-password/loader";

/// What the consumer's file holds beside the password.
const NEIGHBOURS: &str = "# the loader's\nHOST=db\n";

/// A user with a password, the consumer's file, and the program.
struct Desk {
    place: Place,
    clock: TestClock,
    vendor: FakePasswordVendor,
}

impl Desk {
    fn new() -> Self {
        let desk = Self::without_a_file();
        desk.holds("key.env", FIRST_PASSWORD);
        desk
    }

    fn without_a_file() -> Self {
        let place = Place::new(env!("CARGO_BIN_EXE_rotate").as_ref(), &std::env::temp_dir());
        let clock = TestClock::new(place.path("clock"), Timestamp::from_second(1_790_000_000).unwrap());
        let vendor = FakePasswordVendor::start(&clock);
        Self { place, clock, vendor }
    }

    /// This file holds this password.
    fn holds(&self, file: &str, password: &str) {
        let path = self.place.path(file);
        std::fs::write(&path, format!("{NEIGHBOURS}TEST_PASSWORD={password}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The password that this file holds.
    fn held_in(&self, file: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.place.path(file)).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("TEST_PASSWORD="));
        value.map(str::to_owned)
    }

    fn held(&self) -> Option<String> {
        self.held_in("key.env")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let environment = [("ROTATE_TEST_CONNECTOR", "1"), ("TEST_VENDOR_TOKEN", TOKEN)];
        let mut command = self.place.command(environment, arguments);
        command.env("ROTATE_TEST_CLOCK", self.clock.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    fn one_shot(&self, more: &[&str]) -> Command {
        let address = self.vendor.address();
        let head = ["test-password", "--holder", HOLDER, "--address", &address];
        self.command(&[&head[..], &["--deliver", "file:key.env"], more].concat())
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        Ran::of(self.one_shot(more))
    }

    /// Runs the one-shot until the last line on record is this one, and is killed there, the vendor having so many passwords behind it.
    fn killed_at(event: &str, number: u64) -> Self {
        Self::killed_where(Self::new, |desk| {
            desk.vendor.user().number == number && desk.last_event() == event
        })
    }

    /// The same of such a desk, killed wherever this holds first.
    fn killed_where(new: impl Fn() -> Self, holds: impl Fn(&Self) -> bool) -> Self {
        for at in 1..100 {
            let desk = new();
            let mut command = desk.one_shot(&[]);
            command.env("ROTATE_TEST_KILL_AT", at.to_string());
            Ran::of(command);
            if holds(&desk) {
                return desk;
            }
        }
        panic!("no kill leaves that")
    }

    fn last_event(&self) -> String {
        self.events().pop().unwrap_or_default()
    }

    /// What is on record of the rotation, event by event.
    fn events(&self) -> Vec<String> {
        if !self.place.state().exists() {
            return Vec::new();
        }
        let told = self.run(&["--output", "json", "audit"]);
        let Some(0) = told.code else { return Vec::new() };
        let events = told.json()["events"].as_array().cloned().unwrap_or_default();
        let names = events
            .iter()
            .map(|event| event["what"]["event"].as_str().unwrap_or_default().to_owned());
        names.filter(|name| name != "sighted" && name != "drifted").collect()
    }

    /// Writes the target into rotate.toml, with these lines.
    fn configure(&self, lines: &str) -> PathBuf {
        let text = format!(
            "[[target]]\nname = \"loader\"\nconnector = \"test-password\"\nholder = \"{HOLDER}\"\naddress = \"{}\"\ndeliver = \
             [\"file:{}\"]\n{lines}",
            self.vendor.address(),
            self.place.path("key.env").display()
        );
        let path = self.place.path("rotate.toml");
        std::fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn a_password_is_replaced_where_it_stands_and_its_consumer_reads_the_new_one() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    let user = desk.vendor.user();
    let text = std::fs::read_to_string(desk.place.path("key.env")).unwrap();
    assert_eq!(text, format!("{NEIGHBOURS}TEST_PASSWORD={}\n", user.password));
    assert_eq!(user.history, [FIRST_PASSWORD, &user.password]);
    assert_eq!(
        desk.events(),
        [
            "opened",
            "old-sealed",
            "generated",
            "replace-intended",
            "replaced",
            "deliver-intended",
            "delivered",
            "done"
        ]
    );
    // With the old one before, and with the new one after.
    let logins = desk.vendor.logins();
    assert_eq!((logins.all, logins.failed), (2, 0));
    let status = desk.run(&["--output", "json", "status"]).expect(0).json();
    assert_eq!(status["targets"][0]["new_key"], "password-2");
}

#[test]
fn what_the_vendor_calls_the_request_is_on_record_where_its_answer_was() {
    let requests = |desk: &Desk| {
        let report = desk.run(&["report", "--output", "json"]).expect(0).json();
        report["report"]["credentials"][0]["rotations"][0]["request_ids"].clone()
    };
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    let told = requests(&desk);
    let [id] = desk.vendor.requests().try_into().unwrap();
    assert_eq!((&told[0]["event"], &told[0]["id"]), (&"replaced".into(), &id.into()));
    assert_eq!(told.as_array().unwrap().len(), 1);

    // The answer died with the program, and a login has shown what the request did.
    let killed = Desk::killed_at("replace-intended", 2);
    killed.rotate(&[]).expect(0);
    assert_eq!(killed.vendor.requests().len(), 1);
    assert_eq!(requests(&killed), serde_json::Value::Null);

    // The old one is set again by a request of its own, and the answer of the first is not taken for it.
    let reverted = Desk::killed_at("replaced", 2);
    reverted.run(&["rollback", TARGET]).expect(0);
    let told = requests(&reverted);
    let events: Vec<_> = told.as_array().unwrap().iter().map(|it| it["event"].clone()).collect();
    let ids: Vec<_> = told.as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(events, ["replaced", "reverted"]);
    assert_eq!(ids, reverted.vendor.requests());
}

#[test]
fn the_same_command_again_does_nothing_and_a_later_one_begins_from_what_stands() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    let (calls, first) = (desk.vendor.calls(), desk.held());
    desk.rotate(&[]).expect(0).says(&["nothing was done"]);
    assert_eq!(desk.vendor.calls(), calls);
    desk.rotate(&["--again"]).expect(0);
    assert_eq!(desk.vendor.user().number, 3);
    assert!(desk.held() != first && desk.held() == Some(desk.vendor.user().password));
}

#[test]
fn a_dry_run_says_who_is_cut_off_from_when_to_when_and_whether_there_is_a_way_back() {
    for (desk, way_back) in [
        (Desk::new(), "the old one is sealed as well, so it can be set again"),
        (Desk::without_a_file(), "there is no way back once it is replaced"),
    ] {
        let told = desk.rotate(&["--dry-run"]).expect(0).stdout.replace('\n', " ");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            way_back,
            "replace password-1 where it stands: from here on consumers are cut off, until the last destination holds the new",
            "this is the cut-over",
        ] {
            assert!(told.contains(words), "{words:?} is not in {told}");
        }
        assert_eq!(desk.vendor.user().number, 1);
        assert_eq!(desk.vendor.logins().all, 0);
        assert!(!desk.place.state().exists());
    }
}

#[test]
fn what_cannot_be_waited_for_is_no_option_of_its_command() {
    let desk = Desk::new();
    let help = desk.run(&["test-password", "--help"]).expect(0).stdout;
    assert!(
        help.contains("--deliver") && help.contains("file:PATH.env (dotenv)"),
        "{help}"
    );
    for option in ["--cutover", "--soak", "--observe", "--prove", "--lost-key"] {
        assert!(!help.contains(option), "{option} is in {help}");
    }
    desk.rotate(&["--cutover", "confirm"]).expect(64);
    for destination in ["file:key.json", "file:key.p8", "aws-profile:x@credentials"] {
        let command = [
            "test-password",
            "--holder",
            HOLDER,
            "--address",
            "x",
            "--deliver",
            destination,
        ];
        desk.run(&command)
            .expect(64)
            .says(&["a password does not go there: write file:PATH.env"]);
    }
}

#[test]
fn nothing_is_set_while_logins_from_here_do_not_tell_the_truth() {
    for (fault, code, words) in [
        (PasswordFault::BarsLogins, 1, "lets nobody in from here"),
        (PasswordFault::IsStarting, 1, "was not reached"),
        (
            PasswordFault::LacksPermission,
            3,
            "refuses the secret that the destinations held",
        ),
    ] {
        let desk = Desk::new();
        desk.vendor.suffers(Some(fault));
        let ran = desk.rotate(&[]).expect(code);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains(words), "{told}");
        assert_eq!(desk.vendor.user().number, 1, "{fault:?}");
        desk.vendor.suffers(None);
        desk.run(&["abort", TARGET]).expect(0);
        assert_eq!(desk.vendor.user().number, 1, "{fault:?}");
        assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    }
}

#[test]
fn a_file_with_a_password_that_the_vendor_refuses_stops_it_before_anything_is_set() {
    let desk = Desk::new();
    desk.holds("key.env", "a-password-of-last-year");
    let ran = desk.rotate(&[]).expect(3);
    assert!(
        ran.stdout.contains("others may use one that nobody here knows"),
        "{}",
        ran.stdout
    );
    assert_eq!(desk.vendor.user().number, 1);
    assert_eq!(desk.vendor.logins().failed, 1);
    desk.run(&["abort", TARGET]).expect(0);
    assert_eq!(desk.held().as_deref(), Some("a-password-of-last-year"));
}

#[test]
fn two_files_with_different_passwords_are_not_chosen_from() {
    let desk = Desk::new();
    desk.holds("other.env", "another-password-of-ours");
    for more in [
        &["--deliver", "file:other.env"][..],
        &["--deliver", "file:other.env", "--dry-run"],
    ] {
        desk.rotate(more)
            .expect(3)
            .says(&["hold different secrets, and which one is live cannot be known"]);
    }
    assert_eq!((desk.vendor.user().number, desk.vendor.logins().all), (1, 0));
}

#[test]
fn every_destination_gets_it_and_one_that_cannot_take_it_stops_it_before_the_gap() {
    let desk = Desk::new();
    desk.rotate(&["--deliver", "file:other.env"]).expect(0);
    assert_eq!(desk.held_in("other.env"), Some(desk.vendor.user().password));
    assert_eq!(desk.held(), desk.held_in("other.env"));
    let desk = Desk::new();
    std::fs::create_dir(desk.place.path("other.env")).unwrap();
    assert_ne!(desk.rotate(&["--deliver", "file:other.env"]).code, Some(0));
    assert_eq!(desk.vendor.user().number, 1);
    // Also where that shows only in the run that would set it.
    let desk = Desk::killed_at("generated", 1);
    let file = desk.place.path("key.env");
    std::fs::rename(&file, desk.place.path("aside.env")).unwrap();
    std::fs::create_dir(&file).unwrap();
    desk.run(&["run"]).expect(1);
    assert_eq!(desk.vendor.user().number, 1);
    assert_eq!(desk.events().last().map(String::as_str), Some("generated"));
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(desk.place.path("aside.env"), &file).unwrap();
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
}
