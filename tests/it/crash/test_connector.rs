//! The connector that tests alone have: its owner holds other keys beside the one that is rotated, and what is removed is gone.
//! Where a delivery is given up, it went into a Secret of a cluster as well; where it is rolled back, into a key-value store; else
//! to a program.

use std::collections::BTreeMap;
use std::process::Command;

use jiff::Timestamp;
use rotate::seal::AgeSealer;
use rotate_fixtures::kubernetes::StoredSecret;
use rotate_fixtures::place::Place;
use rotate_fixtures::test_vendor::{HOLDER, KeyChange, TOKEN, TestVendorKey};
use rotate_fixtures::vault::Stored;
use rotate_fixtures::{FakeKubernetes, FakeTestVendor, FakeVault, TestClock, memory_folder};
use tempfile::TempDir;

use crate::crash::aws::of_old_and_new;
use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::Journal;
use crate::crash::system::Move;
use crate::destinations::exec::program_in_examples;

const TARGET: &str = "test-connector/loader";

/// How many destinations a delivery has.
const DESTINATIONS: usize = 2;

/// The second one of a rotation that is rolled back.
const SECRET: &str = "loader";
const SECRET_FOUND: &str = r#"{"theirs":"kept"}"#;

/// The second one of a rotation that is given up: a Secret, with keys of others in it.
const IN_CLUSTER: &str = "apps/loader";
const HELD_IN_CLUSTER: [(&str, &str); 2] = [("theirs", "kept"), ("key_id", "old")];

/// One user with keys of three consumers, of which one is rotated.
pub(crate) struct TestConnector {
    place: Place,
    flow: Flow,
    store: FakeVault,
    vendor: FakeTestVendor,
    old: TestVendorKey,
    others: [TestVendorKey; 2],
    effects: Effects<KeyChange>,
    cluster: FakeKubernetes,
    kubeconfig: TempDir,
    clock: TestClock,
}

impl TestConnector {
    /// The id and the secret that were delivered.
    fn delivered(&self) -> Option<(String, String)> {
        let text = std::fs::read_to_string(self.place.path("key.env")).ok()?;
        let value = |name: &str| {
            text.lines()
                .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
        };
        Some((value("TEST_KEY_ID")?, value("TEST_KEY_SECRET")?))
    }

    /// What its other consumer reads is the new secret.
    fn check_second(&self, secret: &str, context: &dyn Fn() -> String) {
        let held = match self.flow {
            Flow::Aborted => self.cluster.value(IN_CLUSTER, "key_secret"),
            Flow::RolledBack => self.store.data(SECRET),
            _ => std::fs::read_to_string(self.place.path("kept")).ok(),
        };
        assert!(held.is_some_and(|held| held.contains(secret)), "{}", context());
    }

    fn is_of_others(&self, id: &str) -> bool {
        self.others.iter().any(|key| key.id == id)
    }
}

/// Two configurations that seal for this machine and for one of two others.
fn seal_for_others(place: &Place) {
    let made = |name: &str| {
        AgeSealer::create(&place.path(name))
            .expect("an identity can be made")
            .recipient()
    };
    let machine = made("machine.age");
    for (name, other) in [("sealed.toml", "one"), ("other.toml", "two")] {
        let identity = place.path("machine.age");
        let text = format!(
            "[store]\nseal = \"age:{machine},{}\"\nseal_identity_file = \"{}\"\n",
            made(other),
            identity.display()
        );
        std::fs::remove_file(place.path(other)).unwrap();
        std::fs::write(place.path(name), text).unwrap();
    }
}

impl Ground for TestConnector {
    type Vendor = (Vec<TestVendorKey>, Stored, BTreeMap<(String, String), StoredSecret>);

    fn prepare(flow: Flow, clock: &TestClock) -> Self {
        let vendor = FakeTestVendor::start(clock);
        let (one, old, two) = (vendor.add_key(), vendor.add_key(), vendor.add_key());
        let place = Place::new(env!("CARGO_BIN_EXE_rotate").as_ref(), &memory_folder());
        std::fs::write(place.path("current"), format!("{}\n", old.id)).unwrap();
        let store = FakeVault::start();
        store.put(SECRET, SECRET_FOUND);
        let (cluster, kubeconfig) = (FakeKubernetes::start(), tempfile::tempdir().unwrap());
        cluster.add_secret_like(IN_CLUSTER, &HELD_IN_CLUSTER, |secret| {
            "11111111-2222-3333-4444-555555555555".clone_into(&mut secret.uid);
        });
        let _ = cluster.kubeconfig(kubeconfig.path());
        if flow == Flow::Resealed {
            seal_for_others(&place);
        }
        let ground = Self {
            cluster,
            kubeconfig,
            place,
            flow,
            store,
            old,
            others: [one, two],
            effects: Effects::new(),
            clock: clock.clone(),
            vendor,
        };
        ground.vendor.on_change(ground.effects.hook());
        ground
    }

    fn folder(&self) -> std::path::PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> Self::Vendor {
        (self.vendor.keys(), self.store.save(), self.cluster.copy())
    }

    fn put_back(&self, (keys, stored, secrets): &Self::Vendor) {
        self.vendor.put_back(keys);
        self.store.put_back(stored);
        self.cluster.put_back(secrets);
    }

    fn vendor_state(&self) -> String {
        let state = self.vendor.state() + &self.store.state() + &self.cluster.state_of_secret(IN_CLUSTER);
        of_old_and_new(&state, &self.old.id, false)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let environment = [("ROTATE_TEST_CONNECTOR", "1"), ("TEST_VENDOR_TOKEN", TOKEN)];
        let mut command = self.place.command(environment, arguments);
        command.envs(self.store.environment());
        command.env("KUBECONFIG", self.kubeconfig.path().join("kubeconfig"));
        if self.flow == Flow::Resealed && !arguments.contains(&"--config") {
            command.args(["--config", "sealed.toml"]);
        }
        command
    }

    fn one_shot(&self, flow: Flow) -> Command {
        let mut command = self.command(&[
            "test-connector",
            "--holder",
            HOLDER,
            "--address",
            &self.vendor.address(),
        ]);
        command.arg("--current-key").arg(self.place.path("current"));
        command
            .arg("--deliver")
            .arg(format!("file:{}", self.place.path("key.env").display()));
        // And to one that is reached over a wire, or a program, which keeps it in a file as well. They are written to at the same time,
        // so there is one of them: what two have done when one is killed is not the same each time.
        let second = match flow {
            Flow::Aborted => format!("kubernetes:{IN_CLUSTER}"),
            Flow::RolledBack => format!("vault-kv:secret/{SECRET}"),
            _ => {
                let (program, kept) = (program_in_examples("keep-in-file.sh"), self.place.path("kept"));
                format!("exec:?can=verify,restore {} {}", program.display(), kept.display())
            }
        };
        command.arg("--deliver").arg(second);
        command.args(flow.options());
        command
    }

    fn next(&self, flow: Flow, journal: &Journal, now: Timestamp) -> Vec<Move> {
        flow.next(TARGET, journal.state(DESTINATIONS), journal.has_rested(now))
    }

    fn others(&self) -> Vec<Move> {
        Flow::others(TARGET)
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        for effect in self.effects.take() {
            match effect {
                KeyChange::Made(_) => {
                    assert_eq!(before.last(), "create-intended", "made without intent: {}", context());
                }
                KeyChange::Removed(id) => {
                    assert!(
                        !self.is_of_others(&id),
                        "another consumer's key was removed: {}",
                        context()
                    );
                    let intents = [
                        "deactivate-intended",
                        "delete-intended",
                        "withdraw-intended",
                        "discard-intended",
                    ];
                    let ends = ["deactivated", "deleted", "withdrawn", "discarded"];
                    let last = before
                        .latest()
                        .rev()
                        .find(|line| intents.contains(&line.event()) || ends.contains(&line.event()));
                    assert!(
                        last.is_some_and(|line| intents.contains(&line.event())),
                        "removed without intent: {}",
                        context()
                    );
                    if id == self.old.id {
                        assert!(before.has("cut-over"), "removed before the cut-over: {}", context());
                        before.expect_fresh_proof(self.clock.now(), context);
                    }
                }
            }
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        for other in &self.others {
            assert!(
                self.vendor.works(&other.id, &other.secret),
                "another consumer is cut off; {}",
                context()
            );
        }
        let works = |key: &TestVendorKey| self.vendor.works(&key.id, &key.secret);
        assert!(
            journal.has("cut-over") || works(&self.old),
            "the consumer is cut off; {}",
            context()
        );
        let ours: Vec<TestVendorKey> = self
            .vendor
            .keys()
            .into_iter()
            .filter(|key| !self.is_of_others(&key.id))
            .collect();
        assert!(!ours.is_empty(), "the consumer has no key that works; {}", context());
        let unknown = ours.iter().filter(|key| !journal.names(&key.id)).count();
        let explained = journal.is_creating() || (journal.lines.is_empty() && unknown <= 1);
        assert!(unknown == 0 || (unknown <= 2 && explained), "an orphan; {}", context());
        assert_eq!(
            self.cluster.value(IN_CLUSTER, "theirs").as_deref(),
            Some("kept"),
            "{}",
            context()
        );
        if let Some((id, secret)) = self.delivered() {
            assert!(
                journal.names(&id),
                "a key was delivered that is not on record; {}",
                context()
            );
            assert!(
                journal.has("undo-requested") || self.vendor.works(&id, &secret),
                "the destination holds a key that does not work; {}",
                context()
            );
        }
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let left: Vec<String> = self
            .vendor
            .keys()
            .into_iter()
            .map(|key| key.id)
            .filter(|id| !self.is_of_others(id))
            .collect();
        if journal.has("done") {
            let (id, secret) = self.delivered().expect("the new key is delivered");
            assert!(self.vendor.works(&id, &secret), "{}", context());
            self.check_second(&secret, context);
            assert_eq!(left, [id], "{}", context());
        } else {
            assert_eq!(left, [self.old.id.as_str()], "{}", context());
            assert_eq!(self.delivered(), None, "{}", context());
            let held = ["key_id", "key_secret"].map(|key| self.cluster.value(IN_CLUSTER, key));
            assert_eq!(held, [Some("old".to_owned()), None], "{}", context());
            assert!(!self.place.path("kept").exists(), "{}", context());
            assert_eq!(self.store.data(SECRET).as_deref(), Some(SECRET_FOUND), "{}", context());
        }
    }

    fn calls(&self) -> usize {
        self.vendor.calls()
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![b"CANARY".to_vec()]
    }

    fn expected_files(&self) -> Vec<String> {
        let of_sealing = ["machine.age", "sealed.toml", "other.toml"];
        let all = ["current", "kept", "key.env"].into_iter().chain(of_sealing);
        all.map(str::to_owned).collect()
    }
}
