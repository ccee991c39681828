//! AWS: the vendor mints, a key can be disabled, and its record of use is kept beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rotate_fixtures::aws::{Action, Fault, KeyStatus};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Trap, Workplace};

use super::ground::{Break, Environment, Ground, Happening, Key, Refusal};
use super::{ROTATE, put};

/// Every call that a whole rotation makes.
const CALLS: [Action; 8] = [
    Action::GetUser,
    Action::ListAccessKeys,
    Action::CreateAccessKey,
    Action::UpdateAccessKey,
    Action::DeleteAccessKey,
    Action::GetAccessKeyLastUsed,
    Action::GetCallerIdentity,
    Action::ListObjectsV2,
];

/// Those that change a key.
const CHANGES: [Action; 3] = [
    Action::CreateAccessKey,
    Action::UpdateAccessKey,
    Action::DeleteAccessKey,
];

const BROKEN: [Fault; 5] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::ServerErrorBefore,
    Fault::ServerErrorAfter,
    Fault::TruncatedAfter,
];

pub(crate) struct Aws(pub(crate) Workplace);

impl Ground for Aws {
    const CONNECTOR: &'static str = "s3-customer-managed";
    const TARGET: &'static str = TARGET;
    const KEY_FILE: &'static str = "key.json";

    fn new() -> Self {
        Self(Workplace::in_memory(ROTATE))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn state(&self) -> PathBuf {
        self.0.state()
    }

    fn delivery(&self) -> Vec<PathBuf> {
        vec![self.0.delivered()]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.0.command(arguments)
    }

    fn rotate(&self, more: &[&str]) -> Command {
        self.0.rotate(more)
    }

    fn rotate_owner(&self, owner: &str) -> Command {
        let destination = format!("file:{}", Self::KEY_FILE);
        self.0.command([
            Self::CONNECTOR,
            "--user",
            owner,
            "--bucket",
            BUCKET,
            "--deliver",
            &destination,
        ])
    }

    fn rotate_to(&self, destination: &str) -> Command {
        self.0
            .rotate_to(&[destination], ["--cutover", "immediate", "--soak", "0s"])
    }

    fn misled_to(&self, trap: &Trap) -> Vec<(Environment, &'static str)> {
        let endpoints = ["http://10.0.0.1".to_owned(), format!("http://{}", trap.elsewhere())];
        let name = "AWS_ENDPOINT_URL";
        endpoints
            .map(|endpoint| (vec![(name.to_owned(), endpoint)], name))
            .into()
    }

    fn old(&self) -> Key {
        Key {
            id: self.0.old.id.clone(),
            secret: self.0.old.secret.clone(),
        }
    }

    fn new_key(&self) -> Option<Key> {
        self.0.delivered_key().map(|key| Key {
            id: key.id,
            secret: key.secret,
        })
    }

    fn live(&self) -> Vec<String> {
        let keys = self.0.cloud.keys_of(USER);
        keys.into_iter().filter(|key| key.active).map(|key| key.id).collect()
    }

    fn works(&self, key: &Key) -> bool {
        self.0.cloud.works(&key.id, &key.secret)
    }

    fn expect_as_before(&self) {
        self.0.expect_as_before();
    }

    fn expect_untouched(&self) {
        self.0.expect_untouched();
    }

    fn expect_rotated(&self, context: &str) {
        let new = self.new_key().expect("the new key was delivered");
        assert!(self.works(&new), "{context}: the new key does not work");
        let keys = self.0.cloud.keys_of(USER);
        let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        assert_eq!(ids, [new.id.as_str()], "{context}");
        assert!(!self.0.cloud.key_exists(&self.0.old.id), "{context}");
    }

    fn now(&self) -> Timestamp {
        self.0.cloud.now()
    }

    fn calls(&self) -> usize {
        self.0.cloud.call_count()
    }

    fn requests(&self) -> Vec<String> {
        let calls = self.0.cloud.calls().into_iter();
        let changes = calls.filter(|call| call.is_carried_out() && CHANGES.iter().any(|it| it.as_str() == call.action));
        changes.map(|call| call.request_id).collect()
    }

    fn calls_requests(&self, id: &'static str) -> bool {
        for action in CHANGES {
            self.0.cloud.break_every(action, Fault::CalledAfter(id));
        }
        // It stands in a header.
        !id.contains(char::is_control)
    }

    fn callers(&self) -> Vec<String> {
        let calls = self.0.cloud.calls();
        calls.into_iter().filter_map(|call| call.access_key_id).collect()
    }

    fn forget_calls(&self) {
        self.0.cloud.reset_calls();
    }

    fn refused_logins(&self) -> usize {
        let calls = self.0.cloud.calls();
        let before_it_is_trusted = calls.iter().take_while(|call| call.action != "UpdateAccessKey");
        before_it_is_trusted.filter(|call| call.status == 403).count()
    }

    fn watch(&self) -> Box<dyn Fn() -> Vec<String>> {
        let old = self.0.old.id.clone();
        let active = Mutex::new(BTreeMap::from([(old.clone(), true)]));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let (told, delivered) = (Arc::clone(&complaints), self.0.delivered());
        // No handle on the cloud: it would live for ever.
        self.0.cloud.on_effect(move |effect| {
            let mut active = active.lock().unwrap();
            let is_active = effect.status == KeyStatus::Active;
            active.insert(effect.key_id.clone(), is_active);
            if effect.key_id == old && !is_active && !delivered.exists() {
                told.lock()
                    .unwrap()
                    .push("the old key went before the delivery".to_owned());
            }
            if !active.values().any(|is_active| *is_active) {
                told.lock().unwrap().push("no key is active".to_owned());
            }
        });
        Box::new(move || complaints.lock().unwrap().clone())
    }

    fn use_key(&self, id: &str, at: Timestamp) {
        self.0.cloud.set_last_used(id, at, "s3", "eu-west-1");
    }

    fn told_use(_at: Timestamp) -> String {
        "s3 in eu-west-1".to_owned()
    }

    fn forget_use(&self, id: &str) {
        self.0.cloud.clear_last_used(id);
    }

    fn ends_of_the_old_key() -> Vec<Happening<Self>> {
        vec![
            ("disabled", |ground| {
                ground.0.cloud.set_key_status(&ground.0.old.id, false);
            }),
            ("deleted", |ground| ground.0.cloud.delete_key(&ground.0.old.id)),
        ]
    }

    fn take_old_away(&self) {
        self.0.cloud.set_key_status(&self.0.old.id, false);
    }

    fn drop_owner(&self) {
        self.0.cloud.delete_user(USER);
    }

    fn owner_returns(&self) -> Key {
        self.0.cloud.add_user(USER);
        let key = self.0.cloud.add_key(USER);
        Key {
            id: key.id,
            secret: key.secret,
        }
    }

    fn flap_logins(&self, pattern: &[bool]) {
        self.0.cloud.flap_auth(pattern.to_vec());
    }

    fn refuse_new_keys(&self) {
        self.0.cloud.lag_auth(1000);
    }

    fn breaks() -> Vec<Break<Self>> {
        let pairs = CALLS.into_iter().flat_map(|action| BROKEN.map(|fault| (action, fault)));
        pairs
            .map(|(action, fault)| Break {
                name: format!("{action} {fault:?}"),
                plant: Box::new(move |ground: &Self| ground.0.cloud.break_call(action, 1, fault)),
            })
            .collect()
    }

    fn canary(&self) -> String {
        self.0.cloud.canary()
    }

    fn refusals() -> Vec<Refusal<Self>> {
        let useless = |ground: &Self| {
            ground.0.cloud.forbid_bucket(BUCKET, USER);
            ground.rotate(&["--soak", "7d"])
        };
        let wrong = |ground: &Self| {
            let mut command = ground.rotate(&["--soak", "7d"]);
            command.env("AWS_SECRET_ACCESS_KEY", format!("{}-but-wrong", ground.canary()));
            command
        };
        vec![(Box::new(useless), 1), (Box::new(wrong), 1)]
    }

    fn complaints() -> Vec<Refusal<Self>> {
        // A destination that holds secrets of others.
        let held = [
            "{\"Version\": 1, \"AccessKeyId\": \"CANARY\"",
            "{\"password\": \"CANARY\"}",
        ];
        let complain = |held: &'static str| -> Refusal<Self> {
            let met = move |ground: &Self| {
                put(&ground.0.delivered(), &held.replace("CANARY", &ground.canary()));
                ground.rotate(&["--soak", "7d"])
            };
            (Box::new(met), 1)
        };
        held.map(complain).into()
    }

    fn bad_owners() -> Vec<(String, &'static str)> {
        let names = ["a b", "vendors/gainsight", "", "x\ny", "ümlaut"].map(str::to_owned);
        let mut bad: Vec<(String, &str)> = names.map(|name| (name, "1 to 64 letters")).into();
        bad.push(("u".repeat(65), "1 to 64 letters"));
        bad.push(("vendors/gainsight".to_owned(), "no path"));
        bad
    }

    fn other_options() -> Vec<(&'static [&'static str], &'static str)> {
        vec![
            (&["--soak", "3d"], "--soak"),
            (&["--cutover", "immediate"], "--cutover"),
            (&["--deliver", "file:other.json"], "--deliver"),
            (&["--prefix", "data/"], "--prefix"),
            (&["--region", "eu-central-1"], "--region"),
        ]
    }
}
