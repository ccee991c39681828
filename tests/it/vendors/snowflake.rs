//! Snowflake: we mint, a key is removed and registered again, and its record of use is in one of several places.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::snowflake::{Action, Consumer, Fault, Means, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{SnowflakeWorkplace, Trap};

use super::ground::{Break, Environment, Finder, Ground, Happening, Key, Refusal};
use super::{ROTATE, put};
use crate::snowflake_faults::{self, Watch};
use crate::snowflake_leaks::{LOGIN_TOKENS, PASSPHRASE, PrivateKey};

pub(crate) struct Snowflake(pub(crate) SnowflakeWorkplace);

impl Snowflake {
    /// A rotation whose old key rests in its slot: nobody would know how to register it again.
    fn resting() -> Self {
        let ground = Self::new();
        ground.0.cloud.hide_public_keys(USER, true);
        ground.begin(&["--soak", "7d"]).expect(0);
        ground.run(&["confirm", TARGET]).expect(0);
        assert_eq!(ground.state_name(), "cut-over");
        assert!(ground.is_live(ground.0.old.fingerprint()));
        ground
    }
}

/// A key that a colleague sets by hand.
fn theirs() -> TestKey {
    TestKey::numbered(6)
}

impl Ground for Snowflake {
    const CONNECTOR: &'static str = "snowflake-keypair";
    const TARGET: &'static str = TARGET;
    const KEY_FILE: &'static str = "key.p8";

    fn new() -> Self {
        Self(SnowflakeWorkplace::in_memory(ROTATE))
    }

    fn with_each_record() -> Vec<Self> {
        let shown = Self::new();
        // The statement lists other keys only, and the view is readable.
        let view = Self::new();
        view.0.cloud.slot_keys_in_show(false);
        view.0.cloud.account_usage(true);
        // The statement is not known, and the view is readable.
        let view_alone = Self::new();
        view_alone.0.cloud.named_key_pairs(false);
        view_alone.0.cloud.account_usage(true);
        vec![shown, view, view_alone]
    }

    fn asked_for_everything() -> Self {
        Self(snowflake_faults::asked_for_everything())
    }

    fn each_soaking() -> Vec<Self> {
        vec![Self::soaking(), Self::resting()]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn state(&self) -> PathBuf {
        self.0.state()
    }

    fn delivery(&self) -> Vec<PathBuf> {
        vec![self.0.delivered(), self.0.delivered().with_extension("pub")]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.0.command(arguments)
    }

    fn rotate(&self, more: &[&str]) -> Command {
        self.0.rotate(more)
    }

    fn rotate_owner(&self, owner: &str) -> Command {
        self.0.command([Self::CONNECTOR, "--user", owner])
    }

    fn rotate_to(&self, destination: &str) -> Command {
        self.0.rotate(["--deliver", destination])
    }

    fn misled_to(&self, trap: &Trap) -> Vec<(Environment, &'static str)> {
        let names = ["SNOWFLAKE", "SNOWFLAKE_CONNECTIONS_DEFAULT"];
        let misled = names.map(|name| {
            let (host, port) = (format!("{name}_HOST"), format!("{name}_PORT"));
            let trapped = trap.address().port().to_string();
            (vec![(host, "0.0.0.0".to_owned()), (port, trapped)], "http://0.0.0.0")
        });
        misled.into()
    }

    fn old(&self) -> Key {
        Key {
            id: self.0.old.fingerprint().to_owned(),
            secret: self.0.old.private_pem().to_owned(),
        }
    }

    fn new_key(&self) -> Option<Key> {
        let secret = std::fs::read_to_string(self.0.delivered()).ok()?;
        let holder = Consumer::new(&self.0.cloud, USER, &secret).ok()?;
        Some(Key {
            id: holder.fingerprint().to_owned(),
            secret,
        })
    }

    fn live(&self) -> Vec<String> {
        self.0.fingerprints().into_iter().flatten().collect()
    }

    fn works(&self, key: &Key) -> bool {
        Consumer::new(&self.0.cloud, USER, &key.secret).is_ok_and(|holder| holder.works())
    }

    fn expect_as_before(&self) {
        self.0.expect_as_before();
        self.0.cloud.expect_all_understood();
    }

    fn expect_untouched(&self) {
        self.0.expect_untouched();
        self.0.cloud.expect_all_understood();
    }

    fn expect_rotated(&self, context: &str) {
        snowflake_faults::assert_rotated(&self.0, context);
    }

    fn now(&self) -> Timestamp {
        self.0.cloud.now()
    }

    fn calls(&self) -> usize {
        self.0.cloud.calls().len()
    }

    fn requests(&self) -> Vec<String> {
        let calls = self.0.cloud.calls().into_iter();
        let changes = calls.filter(|call| matches!(call.action, Some(Action::SetKey | Action::UnsetKey)));
        changes.filter_map(|call| call.query_id).collect()
    }

    fn calls_requests(&self, id: &'static str) -> bool {
        let claims: &str = String::leak(serde_json::json!({ "queryId": id }).to_string());
        for action in [Action::SetKey, Action::UnsetKey] {
            self.0.cloud.break_every(action, Fault::ClaimsAfter(claims));
        }
        true
    }

    fn callers(&self) -> Vec<String> {
        let logins = self.0.cloud.logins();
        let by = logins.into_iter().map(|login| match login.means {
            Means::KeyPair(fingerprint) => fingerprint,
            Means::Password | Means::OAuth | Means::Programmatic => login.user,
        });
        by.collect()
    }

    fn forget_calls(&self) {
        self.0.cloud.reset_calls();
    }

    fn refused_logins(&self) -> usize {
        let calls = self.0.cloud.calls();
        calls
            .iter()
            .filter(|call| call.code.as_deref() == Some("390144"))
            .count()
    }

    fn watch(&self) -> Box<dyn Fn() -> Vec<String>> {
        let watch = Watch::new(&self.0);
        Box::new(move || watch.complaints())
    }

    fn use_key(&self, id: &str, at: Timestamp) {
        self.0.cloud.set_last_used(USER, id, at);
    }

    fn told_use(at: Timestamp) -> String {
        at.strftime("%Y-%m-%dT%H:%M").to_string()
    }

    fn forget_use(&self, id: &str) {
        self.0.cloud.clear_last_used(USER, id);
    }

    fn ends_of_the_old_key() -> Vec<Happening<Self>> {
        vec![
            ("removed", |ground| ground.0.cloud.unset_key(USER, Slot::One)),
            ("replaced", |ground| {
                ground.0.cloud.unset_key(USER, Slot::One);
                ground.0.cloud.set_key(USER, Slot::One, theirs().public_base64());
            }),
        ]
    }

    fn take_old_away(&self) {
        self.0.cloud.unset_key(USER, Slot::One);
    }

    fn drop_owner(&self) {
        self.0.cloud.drop_user(USER);
    }

    fn owner_returns(&self) -> Key {
        self.0.cloud.add_user(USER);
        let key = theirs();
        self.0.cloud.set_key(USER, Slot::One, key.public_base64());
        Key {
            id: key.fingerprint().to_owned(),
            secret: key.private_pem().to_owned(),
        }
    }

    fn flap_logins(&self, pattern: &[bool]) {
        self.0.cloud.flap_login(pattern.to_vec());
    }

    fn refuse_new_keys(&self) {
        self.0.cloud.lag_login(1000);
    }

    fn told_of_refused_keys() -> &'static [&'static str] {
        &["390144"]
    }

    fn breaks() -> Vec<Break<Self>> {
        let faults = |call| snowflake_faults::PASSING.map(|fault| (call, fault));
        let pairs = snowflake_faults::calls().into_iter().flat_map(faults);
        pairs
            .map(|((action, nth), fault)| Break {
                name: format!("{action} {nth} {fault:?}"),
                plant: Box::new(move |ground: &Self| ground.0.cloud.break_call(action, nth, fault)),
            })
            .collect()
    }

    fn canary(&self) -> String {
        self.0.cloud.canary().to_owned()
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = self.0.cloud.secrets();
        secrets.push(self.canary());
        secrets.push(PASSPHRASE.to_owned());
        secrets.push("PRIVATE KEY".to_owned());
        secrets.extend(LOGIN_TOKENS.map(str::to_owned));
        secrets
    }

    fn finder(key_file: &Path) -> Finder {
        let key = PrivateKey::read(key_file);
        Box::new(move |bytes| key.shows_in(bytes))
    }

    fn more_secrets(&self) -> Vec<Vec<String>> {
        let file = self.path("passphrase");
        put(&file, &format!("{PASSPHRASE}\n"));
        let option = ["--passphrase-file", "passphrase"].map(str::to_owned);
        vec![Vec::new(), option.into()]
    }

    fn refusals() -> Vec<Refusal<Self>> {
        let wrong = |ground: &Self| {
            let mut command = ground.rotate(&[]);
            command.env("SNOWFLAKE_PASSWORD", format!("{} but wrong", ground.canary()));
            command
        };
        let barred = |ground: &Self| {
            ground.0.cloud.network_policy(ground.0.cloud.admin_user(), true);
            ground.rotate(&[])
        };
        let useless = |ground: &Self| {
            ground.0.cloud.lag_login(1000);
            ground.rotate(&["--verify-deadline", "1s"])
        };
        vec![(Box::new(wrong), 1), (Box::new(barred), 1), (Box::new(useless), 1)]
    }

    fn complaints() -> Vec<Refusal<Self>> {
        let connections = [
            "[default]\npassword = \"CANARY of a file",
            "[default]\npassword = CANARY of a file\n",
            "[default]\nport = \"CANARY of a file\"\npassword = 1\n",
            "password \"CANARY of a file\" = \n",
            "[default]\nauthenticator = \"oauth\"\ntoken = \"CANARY of a file\"\naccount = \"a b\"\n",
        ];
        let keys = [
            "-----BEGIN PRIVATE KEY-----\nCANARY of a file\n-----END PRIVATE KEY-----\n",
            "CANARY of a file",
        ];
        let complain = |held: &'static str| -> Refusal<Self> {
            let met = move |ground: &Self| {
                let folder = ground.path(".snowflake");
                std::fs::create_dir(&folder).expect("there is no such folder yet");
                let held = held.replace("CANARY", &ground.canary());
                put(&folder.join("connections.toml"), &held);
                ground
                    .0
                    .command_with([("SNOWFLAKE_USER", "SOMEONE")], [Self::CONNECTOR, "--user", USER])
            };
            (Box::new(met), 1)
        };
        let show = |held: &'static str| -> Refusal<Self> {
            let shown = move |ground: &Self| {
                let held = held.replace("CANARY", &ground.canary());
                put(&ground.path("current.p8"), &held);
                ground.rotate(&["--current-key", "current.p8"])
            };
            (Box::new(shown), 64)
        };
        connections.map(complain).into_iter().chain(keys.map(show)).collect()
    }

    fn bad_owners() -> Vec<(String, &'static str)> {
        let how_to_quote = "double quotes of its own";
        let names = [
            ("x\" SET PASSWORD='p", how_to_quote),
            ("na\u{ef}ve \"user\"", how_to_quote),
            ("gs user", how_to_quote),
            ("x; DROP USER y", how_to_quote),
            ("1st", how_to_quote),
            ("", "--user"),
            ("\"\"", "empty"),
            ("x\ny", "--user"),
            ("\"x\ny\"", "line breaks"),
            ("\"half", "does not end with one"),
            ("\"a\"b\"", "written twice"),
            ("\"x\" SET PASSWORD='p\"", "written twice"),
        ];
        let mut bad: Vec<(String, &str)> = names.map(|(name, why)| (name.to_owned(), why)).into();
        bad.push(("x".repeat(300), "255 characters"));
        bad.push((format!("\"{}\"", "x".repeat(300)), "255 characters"));
        bad
    }

    fn other_options() -> Vec<(&'static [&'static str], &'static str)> {
        vec![
            (&["--soak", "3d"], "--soak"),
            (&["--cutover", "immediate"], "--cutover"),
            (&["--deliver", "file:other.p8"], "--deliver"),
            (&["--key-bits", "3072"], "--key-bits"),
            (&["--role", "SECURITYADMIN"], "--role"),
        ]
    }
}
