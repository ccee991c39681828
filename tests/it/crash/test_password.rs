//! The connector that tests alone have for a password: there is one, and the old one is refused from the instant at which the new
//! one is set. What holds is that the one that stands is never lost, that consumers are cut off only while the journal says so, and
//! that whatever was interrupted is healed by the next run.

use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::place::Place;
use rotate_fixtures::test_passwords::{FIRST_PASSWORD, PasswordUser};
use rotate_fixtures::test_vendor::{HOLDER, TOKEN};
use rotate_fixtures::{FakePasswordVendor, TestClock, memory_folder};

use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::Journal;
use crate::crash::print::rough;
use crate::crash::system::Move;

const TARGET: &str = "test-password/loader";

/// No command logs in wrongly more often: the vendor would lock the user out.
const MOST_FAILED_LOGINS: u32 = 2;

/// One user with a password, and the consumer's file.
pub(crate) struct TestPassword {
    place: Place,
    vendor: FakePasswordVendor,
    effects: Effects<String>,
}

impl TestPassword {
    /// The password that the consumer reads.
    fn delivered(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.place.path("key.env")).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("TEST_PASSWORD="));
        value.map(str::to_owned)
    }

    /// What waits sealed and can be opened.
    fn sealed(&self, journal: &Journal) -> Vec<String> {
        let opened = journal.sealed.iter().map(|sealed| {
            let secret = sealed.opened(&self.place.path("state"));
            String::from_utf8_lossy(&secret).into_owned()
        });
        opened.collect()
    }
}

/// Whether the vendor may hold another password than the consumer reads, by what is on record.
fn is_in_gap(journal: &Journal) -> bool {
    journal.has("replace-intended") && !journal.is_closed()
}

/// Whether a person has ended it in the gap, after they were told what that costs: what stands is theirs to look after.
fn is_given_up(journal: &Journal) -> bool {
    journal.has("replace-intended") && journal.has("blocked") && journal.has("aborted")
}

impl Ground for TestPassword {
    type Vendor = PasswordUser;

    fn prepare(flow: Flow, clock: &TestClock) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let vendor = FakePasswordVendor::start(clock);
        let place = Place::new(env!("CARGO_BIN_EXE_rotate").as_ref(), &memory_folder());
        // Where no file holds the old one, there is no way back.
        if flow != Flow::ForGood {
            let file = place.path("key.env");
            std::fs::write(&file, format!("OTHER=1\nTEST_PASSWORD={FIRST_PASSWORD}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let effects = Effects::new();
        vendor.on_change(effects.hook());
        Self { place, vendor, effects }
    }

    fn folder(&self) -> std::path::PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> PasswordUser {
        self.vendor.user()
    }

    fn put_back(&self, user: &PasswordUser) {
        self.vendor.put_back(user);
    }

    fn vendor_state(&self) -> String {
        rough(&self.vendor.user().state())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let environment = [("ROTATE_TEST_CONNECTOR", "1"), ("TEST_VENDOR_TOKEN", TOKEN)];
        self.place.command(environment, arguments)
    }

    fn one_shot(&self, _: Flow) -> Command {
        let mut command = self.command(&["test-password", "--holder", HOLDER, "--address", &self.vendor.address()]);
        command
            .arg("--deliver")
            .arg(format!("file:{}", self.place.path("key.env").display()));
        command
    }

    fn next(&self, flow: Flow, journal: &Journal, _: Timestamp) -> Vec<Move> {
        let with_target = |word| Move::command(&[word, TARGET]);
        if journal.is_closed() {
            return Vec::new();
        }
        if journal.is_blocked() {
            return vec![with_target("confirm"), Move::command(&["abort", "--force", TARGET])];
        }
        if journal.is_undone() {
            return vec![Move::command(&["run"])];
        }
        match flow {
            Flow::Aborted if !journal.last().is_empty() && !is_in_gap(journal) => {
                vec![Move::one_shot(), with_target("abort")]
            }
            Flow::RolledBack if is_in_gap(journal) => vec![Move::command(&["run"]), with_target("rollback")],
            _ => vec![Move::one_shot()],
        }
    }

    fn others(&self) -> Vec<Move> {
        Flow::others(TARGET)
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        for set in self.effects.take() {
            let sealed = self.sealed(before);
            assert!(
                sealed.contains(&set),
                "a secret was set that is not sealed: {}",
                context()
            );
            let intents = ["replace-intended", "revert-intended"];
            let last = before.latest().rev().find(|line| intents.contains(&line.event()));
            let is_old = !before.has("undo-requested") || set == FIRST_PASSWORD || before.count("generated") == 0;
            assert!(last.is_some() && is_old, "set without intent: {}", context());
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let user = self.vendor.user();
        let delivered = self.delivered();
        let is_known = user.number == 1
            || is_given_up(journal)
            || delivered.as_ref() == Some(&user.password)
            || self.sealed(journal).contains(&user.password);
        assert!(is_known, "the secret that stands is lost; {}", context());
        if let Some(delivered) = delivered.filter(|_| !is_in_gap(journal) && !is_given_up(journal)) {
            assert_eq!(
                delivered,
                user.password,
                "the consumer is cut off, and nobody says so; {}",
                context()
            );
        }
        let mut made: Vec<&String> = user.history.iter().filter(|set| *set != FIRST_PASSWORD).collect();
        made.sort();
        made.dedup();
        let asked_for = journal.lines.iter().filter(|line| line.event() == "generated").count();
        assert!(made.len() <= asked_for, "a second secret was set; {}", context());
        let failed = self.vendor.logins().failed;
        assert!(failed <= MOST_FAILED_LOGINS, "{failed} failed logins; {}", context());
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let (user, delivered) = (self.vendor.user(), self.delivered());
        if is_given_up(journal) {
            return;
        }
        if journal.has("done") {
            assert_eq!(delivered, Some(user.password), "{}", context());
        } else {
            assert_eq!(user.password, FIRST_PASSWORD, "{}", context());
            assert!(
                delivered.is_none_or(|delivered| delivered == FIRST_PASSWORD),
                "{}",
                context()
            );
        }
    }

    fn calls(&self) -> usize {
        self.vendor.calls()
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![b"CANARY".to_vec()]
    }

    fn expected_files(&self) -> Vec<String> {
        vec!["key.env".to_owned()]
    }
}
