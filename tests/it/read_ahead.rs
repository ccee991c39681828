//! What is read while the new key is tried is read for later, and never keeps the consumers waiting for a key that works.
//!
//! Leans on a vendor in this process: it answers a reading only once the old key is back, so whoever waits for that reading first
//! waits for ever, and no clock has to tell.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rotate::engine::driver::{Driver, Interrupt, Outcome, Pace, Progress};
use rotate::engine::journal::Journal;
use rotate::machine::{Cutover, Event, LostKey, Phase, Prove, Retirement, Rotation, RotationSpec, SwitchedBy};
use rotate::policy::Waiting;
use rotate::seal::{AgeSealer, NEW_KEY, Purpose, Sealer};
use rotate::store::{SqliteStore, Store, Stored};
use rotate_providers::contract::{
    Caller, Error, Key, KeyId, LastUse, Listed, Minting, MintsAtVendor, Observation, Principal, Proof, Provider,
    PublicHalf, Verdict,
};
use rotate_providers::secret::{Credential, Secret};
use rotate_providers::untrusted::Label;
use tokio::sync::watch;
use tokio::time::timeout;

const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";

/// Where this is over, somebody waits for ever.
const FOR_EVER: Duration = Duration::from_secs(30);

/// Both keys work until the old one is off; from then on the new one is refused, and the list waits until the old one is back.
struct SlowList {
    old_is_on: watch::Sender<bool>,
    /// Whether the list was asked for while the old key was off.
    was_asked: watch::Sender<bool>,
    /// Whether that was answered before the old key was back.
    was_answered: AtomicBool,
}

impl SlowList {
    fn new() -> Self {
        Self {
            old_is_on: watch::Sender::new(true),
            was_asked: watch::Sender::new(false),
            was_answered: AtomicBool::new(false),
        }
    }

    fn listed(&self) -> Vec<Key> {
        let key = |name, active| Key {
            id: id(name),
            active,
            created_at: None,
            public: None,
            delete_by_hand: String::new(),
        };
        vec![key(OLD, *self.old_is_on.borrow()), key(NEW, true)]
    }
}

#[async_trait]
impl Provider for SlowList {
    fn host(&self) -> Option<String> {
        None
    }

    async fn caller(&self) -> Result<Caller, Error> {
        panic!("nobody asks")
    }

    async fn observe(&self) -> Result<Observation, Error> {
        Ok(Observation {
            owner: owner(),
            keys: self.listed(),
            vendor_time: None,
            is_caller: false,
            caller_keys: Vec::new(),
        })
    }

    async fn keys(&self) -> Result<Listed, Error> {
        if !*self.old_is_on.borrow() {
            self.was_asked.send_replace(true);
            let mut back = self.old_is_on.subscribe();
            back.wait_for(|is_on| *is_on).await.expect("the vendor is there");
            self.was_answered.store(true, Ordering::SeqCst);
        }
        let (keys, vendor_time) = (self.listed(), None);
        Ok(Listed { keys, vendor_time })
    }

    fn minting(&self) -> Minting<'_> {
        Minting::AtVendor(self)
    }

    async fn probe(&self, _: &Credential, _: &Principal, _: Proof) -> Verdict {
        if *self.old_is_on.borrow() {
            return Verdict::Accepted;
        }
        // The reading that is started beside it is under way by now.
        let mut asked = self.was_asked.subscribe();
        asked.wait_for(|asked| *asked).await.expect("the vendor is there");
        Verdict::Rejected {
            reason: "it is somebody else's".into(),
            may_be_lag: false,
        }
    }

    async fn last_use(&self, _: &KeyId) -> Result<LastUse, Error> {
        Ok(LastUse::NeverSeen)
    }

    async fn deactivate(&self, _: &KeyId) -> Result<Option<Label>, Error> {
        self.old_is_on.send_replace(false);
        Ok(None)
    }

    async fn reactivate(&self, key: &KeyId, _: Option<&PublicHalf>) -> Result<Option<Label>, Error> {
        assert_eq!(key.as_str(), OLD);
        assert!(!self.was_answered.load(Ordering::SeqCst));
        self.old_is_on.send_replace(true);
        Ok(None)
    }

    async fn delete(&self, _: &KeyId) -> Result<Option<Label>, Error> {
        panic!("a key is deleted")
    }
}

#[async_trait]
impl MintsAtVendor for SlowList {
    async fn turn(&self) {}

    async fn create(&self) -> Result<(Credential, Option<Label>), Error> {
        panic!("a second key is made")
    }

    fn longest_call(&self) -> Duration {
        FOR_EVER
    }
}

fn id(name: &str) -> KeyId {
    KeyId::parse(name).expect("the name of a key")
}

fn owner() -> Principal {
    Principal {
        account: "111122223333".to_owned(),
        name: "u".to_owned(),
        id: "AIDAEXAMPLE".to_owned(),
    }
}

struct Quiet;

impl Progress for Quiet {
    fn doing(&self, _: &str) {}
    fn done(&self, _: &str) {}
    fn tell(&self, _: &str) {}
}

/// A rotation whose consumers have moved a moment ago, so that the old key is disabled next.
async fn cut_over(journal: Journal<'_>, sealer: &dyn Sealer) -> Stored<Rotation> {
    let spec = RotationSpec {
        connector: "s3-customer-managed".to_owned(),
        inputs: serde_json::json!({ "user": "u", "bucket": "b" }),
        after_delivery: Vec::new(),
        destinations: vec!["d".to_owned()],
        cutover: Cutover::Confirm,
        soak_seconds: 86_400,
        observe_seconds: 86_400,
        allowance_seconds: 86_400,
        owner: owner(),
        old_key: id(OLD),
        retirement: Retirement::Disable,
        mints_locally: false,
        own_identity: false,
        host: None,
        prove: Prove::Login,
        window: None,
        lost_key: LostKey::Delete,
    };
    let mut stored = journal
        .open(
            "s3-customer-managed/u",
            Event::Opened {
                spec: spec.into(),
                begun: None,
            },
        )
        .await
        .expect("it begins");
    let purpose = Purpose {
        target: &stored.target,
        rotation: &stored.id,
        name: NEW_KEY,
    };
    let sealed = sealer
        .seal(&purpose, &Secret::new("secret"))
        .await
        .expect("it can be sealed");
    let (destination, by) = ("d".to_owned(), SwitchedBy::Person("someone".to_owned()));
    for event in [
        Event::CreateIntended {
            ids_before: [id(OLD)].into(),
            made_within: None,
        },
        Event::Created {
            key: id(NEW),
            request: None,
        },
        Event::Proved,
        Event::Delivered { destination },
        Event::CutOver { by },
    ] {
        let seal = matches!(event, Event::Created { .. }).then_some((NEW_KEY, &sealed[..]));
        stored = journal.append(&stored, event, seal).await.expect("it fits");
    }
    stored
}

#[tokio::test]
async fn the_old_key_comes_back_without_waiting_for_a_slow_reading_that_was_started_beside_the_proof() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("rotate.db"))
        .await
        .expect("it can be opened");
    let sealer = AgeSealer::create(&folder.path().join("identity.age")).expect("it can be made");
    let lease = store.lease().await.expect("nobody else has it");
    let journal = Journal {
        store: &store,
        lease: &lease,
    };
    let stored = cut_over(journal, &sealer).await;
    let vendor = SlowList::new();
    let driver = Driver {
        store: &store,
        lease: &lease,
        sealer: &sealer,
        provider: &vendor,
        progress: &Quiet,
        pace: Pace {
            verify_successes: 1,
            verify_spacing: Duration::ZERO,
            verify_deadline: FOR_EVER,
            list_spacing: Duration::ZERO,
        },
        interrupt: &Interrupt::default(),
    };
    let moved = timeout(FOR_EVER, driver.advance(stored)).await;
    let Outcome { stored, wait } = moved
        .expect("the old key waits for the list")
        .expect("it is brought back");
    assert!(*vendor.was_asked.borrow(), "nothing was read beside the proof");
    assert!(*vendor.old_is_on.borrow(), "the old key is off");
    assert!(matches!(stored.rotation.phase, Phase::CutOver(_)));
    assert_eq!(wait.map(|wait| wait.on), Some(Waiting::Person));
    let lines = store.journal(None).await.expect("it can be read");
    let names: Vec<&str> = lines
        .iter()
        .rev()
        .take(4)
        .map(|line| line.record.event.name())
        .collect();
    assert_eq!(
        names,
        [
            "reactivated",
            "reactivate-intended",
            "deactivated",
            "deactivate-intended"
        ]
    );
}
