//! Snowflake: keys are made here, and slots are filled and emptied.

use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::snowflake::{Action, Consumer, Effect, Saved, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{SnowflakeWorkplace, TestClock, memory_folder};
use tempfile::TempDir;

use crate::crash::aws::{close_to_others, of_old_and_new};
use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::{Journal, Line};
use crate::crash::system::{Deed, Move};

/// How many destinations a delivery has.
const DESTINATIONS: usize = 1;

/// The administrator, whose own key is rotated on one of the grounds.
const OWN: &str = "ROTATE_ADMIN";
/// The key that a person puts into a slot by hand.
const BY_HAND: usize = TestKey::COUNT;

/// How often a person goes on where people have meddled.
const MOST_WORDS: usize = 2;

const OWN_TARGET: &str = "snowflake-keypair/ROTATE_ADMIN";

/// One user whose key pair is rotated: that of a consumer, or the program's own.
pub(crate) struct Snowflake<const IS_OWN: bool> {
    place: SnowflakeWorkplace,
    flow: Flow,
    old: TestKey,
    /// Keys that take no time to make: made here, they would take longer than all the rest.
    keys: TempDir,
    /// Some lines of each of them.
    private_lines: Vec<Vec<u8>>,
    effects: Effects<Effect>,
    clock: TestClock,
}

impl<const IS_OWN: bool> Snowflake<IS_OWN> {
    const USER: &str = if IS_OWN { OWN } else { USER };
    const TARGET: &str = if IS_OWN { OWN_TARGET } else { TARGET };

    fn with_keys(&self, mut command: Command) -> Command {
        command.env("ROTATE_TEST_KEYS", self.keys.path());
        command
    }

    /// The fingerprints in both slots.
    fn slots(&self) -> [Option<String>; 2] {
        let slots = self.place.cloud.slots(Self::USER);
        slots.map(|held| held.map(|key| key.fingerprint))
    }

    /// Whether a login with this key would be accepted; none is recorded.
    fn works(&self, fingerprint: &str) -> bool {
        self.slots().iter().flatten().any(|held| held == fingerprint)
    }

    /// The slot that holds this key.
    fn slot_of(&self, fingerprint: &str) -> Option<Slot> {
        let slots = self.slots().into_iter().zip([Slot::One, Slot::Two]);
        slots
            .filter(|(held, _)| held.as_deref() == Some(fingerprint))
            .map(|(_, slot)| slot)
            .next()
    }

    fn take_by_hand(&self, fingerprint: &str) {
        if let Some(slot) = self.slot_of(fingerprint) {
            self.place.cloud.unset_key(Self::USER, slot);
        }
    }

    /// Where there is room.
    fn add_by_hand(&self) {
        let theirs = TestKey::numbered(BY_HAND);
        if self.slot_of(theirs.fingerprint()).is_none()
            && let Some(slot) = [Slot::One, Slot::Two]
                .into_iter()
                .zip(self.slots())
                .find_map(|(slot, held)| held.is_none().then_some(slot))
        {
            self.place.cloud.set_key(Self::USER, slot, theirs.public_base64());
        }
    }

    /// What the program has just taken away leaves the owner a key, and was no key of somebody else.
    fn check_taken(&self, effect: &Effect, before: &Journal, context: &dyn Fn() -> String) {
        if effect.action != Action::UnsetKey {
            return;
        }
        let key = effect.fingerprint.as_deref().unwrap_or_default();
        assert_ne!(
            key,
            TestKey::numbered(BY_HAND).fingerprint(),
            "a key of somebody else was taken away: {}",
            context()
        );
        // A new key that reached no destination is nobody's.
        if key == self.old.fingerprint() || before.has("deliver-intended") {
            assert!(
                self.slots().iter().any(Option::is_some),
                "the last key was taken away: {}",
                context()
            );
        }
    }

    fn delivered(&self) -> Option<String> {
        let pem = std::fs::read_to_string(self.place.delivered()).ok()?;
        Some(self.key_of(&pem).expect("a destination holds a whole key"))
    }
}

impl<const IS_OWN: bool> Ground for Snowflake<IS_OWN> {
    type Vendor = Saved;

    fn prepare(flow: Flow, clock: &TestClock) -> Self {
        let place = SnowflakeWorkplace::in_memory(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.keep_books_by(clock);
        let old = TestKey::numbered(1);
        let cloud = &place.cloud;
        match flow {
            Flow::ForGood => cloud.hide_public_keys(USER, true),
            Flow::Immediate
            | Flow::Confirmed
            | Flow::ByConsumer
            | Flow::ByUse
            | Flow::Meddled
            | Flow::Aborted
            | Flow::RolledBack => {}
            other => panic!("Snowflake has no flow {other}"),
        }
        if IS_OWN {
            cloud.set_key(OWN, Slot::One, old.public_base64());
            let key = place.path("admin.p8");
            std::fs::write(&key, old.private_pem()).unwrap();
            close_to_others(&key);
            let connection = format!(
                "[default]\naccount = \"{}\"\nuser = \"{OWN}\"\nauthenticator = \"SNOWFLAKE_JWT\"\n\
                 private_key_file = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\nprotocol = \"http\"\n",
                cloud.account(),
                key.display(),
                cloud.port(),
            );
            std::fs::create_dir(place.path(".snowflake")).unwrap();
            let path = place.path(".snowflake/connections.toml");
            std::fs::write(&path, connection).unwrap();
            close_to_others(&path);
        }
        let effects = Effects::new();
        cloud.on_effect(effects.hook());
        let ground = Self {
            place,
            flow,
            old,
            keys: tempfile::tempdir_in(memory_folder()).unwrap(),
            private_lines: private_lines(),
            effects,
            clock: clock.clone(),
        };
        ground.tidy(&Journal::default());
        ground
    }

    fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> Saved {
        self.place.cloud.expect_all_understood();
        self.place.cloud.save()
    }

    fn put_back(&self, vendor: &Saved) {
        self.place.cloud.put_back(vendor);
    }

    fn vendor_state(&self) -> String {
        let state = self.place.cloud.state_of(&[Self::USER]);
        of_old_and_new(&state, self.old.fingerprint(), self.flow == Flow::ByUse)
    }

    /// The keys that are not in use in this world are there to be made.
    fn tidy(&self, journal: &Journal) {
        let folder = self.keys.path();
        for entry in std::fs::read_dir(folder).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for number in 2..BY_HAND {
            let key = TestKey::numbered(number);
            if !journal
                .lines
                .iter()
                .any(|line| line.body.to_string().contains(key.fingerprint()))
            {
                std::fs::write(folder.join(format!("{number}.p8")), key.private_pem()).unwrap();
            }
        }
    }

    fn key_of(&self, pem: &str) -> Option<String> {
        let holder = Consumer::new(&self.place.cloud, Self::USER, pem).ok()?;
        Some(holder.fingerprint().to_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        if IS_OWN {
            return self.with_keys(self.place.command_with([("LANG", "C")], arguments));
        }
        self.with_keys(self.place.command(arguments))
    }

    fn one_shot(&self, flow: Flow) -> Command {
        let mut command = self.command(&["snowflake-keypair", "--user", Self::USER]);
        if IS_OWN {
            command.arg("--allow-self");
        }
        command.args(flow.options());
        command
    }

    fn next(&self, flow: Flow, journal: &Journal, now: Timestamp) -> Vec<Move> {
        let mut next = flow.next(Self::TARGET, journal.state(DESTINATIONS), journal.has_rested(now));
        // Whoever has looked twice and gone on does not do so a third time: they take it back.
        if flow == Flow::Meddled && journal.is_blocked() && journal.count("resumed") >= MOST_WORDS {
            next.retain(|by| *by != Move::command(&["confirm", Self::TARGET]));
        }
        next
    }

    fn others(&self) -> Vec<Move> {
        match self.flow {
            Flow::Meddled => Flow::deeds(),
            _ => Flow::others(Self::TARGET),
        }
    }

    fn suffer(&self, deed: Deed, journal: &Journal) {
        // Before a rotation begins, whatever is there is what it begins with.
        if journal.lines.is_empty() {
            return;
        }
        let old = self.old.fingerprint();
        match (deed, journal.new_key()) {
            (Deed::UsesNew, Some(new)) => self.place.cloud.set_last_used(Self::USER, new, self.clock.now()),
            (Deed::RotatesByHand, _) => {
                self.take_by_hand(old);
                self.add_by_hand();
            }
            (Deed::AddsTheirs, _) => self.add_by_hand(),
            // This vendor disables no key: who takes one away has taken it away.
            (Deed::DisablesOld | Deed::DeletesOld, _) => self.take_by_hand(old),
            (Deed::DisablesNew | Deed::DeletesNew, Some(new)) => self.take_by_hand(new),
            (Deed::DeletesTheirs, _) => self.take_by_hand(TestKey::numbered(BY_HAND).fingerprint()),
            (Deed::UsesNew | Deed::DisablesNew | Deed::DeletesNew, None) => {}
        }
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        for effect in self.effects.take() {
            self.check_taken(&effect, before, context);
            check_effect(&effect, self.old.fingerprint(), before, self.clock.now(), context);
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let old = self.old.fingerprint();
        // What people do to themselves at the vendor is not what the program does.
        let is_meddled = self.flow == Flow::Meddled;
        assert!(
            is_meddled || self.slots().iter().any(Option::is_some),
            "nobody has a key that works; {}",
            context()
        );
        if !is_meddled && !journal.has("cut-over") {
            assert!(self.works(old), "a consumer is cut off; {}", context());
        }
        // The old key before the rotation is opened, and then only keys that are on record.
        for held in self.slots().into_iter().flatten() {
            let is_theirs = is_meddled && held == TestKey::numbered(BY_HAND).fingerprint();
            let known = is_theirs || journal.names(&held) || (journal.lines.is_empty() && held == old);
            assert!(known, "an orphan: {held}; {}", context());
        }
        if let Some(new) = self.delivered() {
            assert!(
                journal.names(&new),
                "a key was delivered that is not on record; {}",
                context()
            );
            assert!(
                is_meddled || journal.has("undo-requested") || self.works(&new),
                "a destination holds a key that does not work; {}",
                context()
            );
            assert!(
                self.place.path("rsa_key_new.pub").exists(),
                "the public half is missing; {}",
                context()
            );
        }
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        if self.flow == Flow::Meddled {
            return;
        }
        if journal.has("done") {
            let new = self.delivered().expect("the new key is delivered");
            assert_eq!(self.slots(), [None, Some(new)], "{}", context());
        } else {
            let old = self.old.fingerprint().to_owned();
            assert_eq!(self.slots(), [Some(old), None], "{}", context());
            assert!(self.delivered().is_none(), "{}", context());
            assert!(!self.place.path("rsa_key_new.pub").exists(), "{}", context());
        }
    }

    fn calls(&self) -> usize {
        self.place.cloud.calls().len()
    }

    /// The armour around a private key, every line of the one that is delivered, and some of each that may be made.
    fn secrets(&self) -> Vec<Vec<u8>> {
        let delivered = std::fs::read_to_string(self.place.delivered()).unwrap_or_default();
        let lines = delivered.lines().filter(|line| line.len() == 64);
        let lines = lines.map(|line| line.as_bytes().to_vec());
        lines
            .chain([b"PRIVATE KEY".to_vec()])
            .chain(self.private_lines.clone())
            .collect()
    }

    fn expected_files(&self) -> Vec<String> {
        let mut expected = ["rsa_key_new.p8", "rsa_key_new.pub", "admin.p8", ".snowflake"]
            .map(str::to_owned)
            .to_vec();
        expected.push(".snowflake/connections.toml".to_owned());
        expected
    }
}

/// Some lines of each key that may be made.
fn private_lines() -> Vec<Vec<u8>> {
    let lines = (2..=TestKey::COUNT).flat_map(|number| {
        let pem = TestKey::numbered(number).private_pem().to_owned();
        let lines = pem.lines().skip(5).step_by(7);
        lines.map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>()
    });
    lines.collect()
}

/// The journal knew of a change of a slot beforehand, and nobody is cut off by it.
fn check_effect(effect: &Effect, old: &str, journal: &Journal, now: Timestamp, context: &dyn Fn() -> String) {
    let key = effect.fingerprint.as_deref().unwrap_or_default();
    match effect.action {
        Action::SetKey if key == old => {
            assert!(
                journal.has("reactivate-intended"),
                "put back without intent: {}",
                context()
            );
        }
        Action::SetKey => {
            assert!(journal.names(key), "an unknown key was set: {}", context());
            // What stood in its way may have blocked it in between, and a person have cleared that.
            let last = journal
                .latest()
                .rev()
                .find(|line| !["blocked", "resumed"].contains(&line.event()));
            assert_eq!(
                last.map(Line::event),
                Some("minted"),
                "set without intent: {}",
                context()
            );
        }
        Action::UnsetKey if key == old => {
            assert!(journal.has("cut-over"), "removed before the cut-over: {}", context());
            let intended = journal.has("deactivate-intended") || journal.has("delete-intended");
            assert!(intended, "removed without intent: {}", context());
            journal.expect_fresh_proof(now, context);
        }
        Action::UnsetKey => {
            // A person may ask for an undo once more in between.
            let last = journal
                .latest()
                .rev()
                .find(|line| ["withdraw-intended", "withdrawn"].contains(&line.event()));
            assert!(
                last.is_some_and(|last| last.event() == "withdraw-intended"),
                "a new key was removed without intent: {}",
                context()
            );
        }
        other => panic!("{other:?} is no effect: {}", context()),
    }
}
