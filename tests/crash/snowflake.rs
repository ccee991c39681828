//! Snowflake: keys are made here, and slots are filled and emptied.

use std::path::PathBuf;
use std::process::Command;

use rotate_fixtures::snowflake::{Action, Effect, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{SnowflakeWorkplace, memory_folder};
use tempfile::TempDir;

use crate::flow::Flow;
use crate::ground::{Complaints, Ground};
use crate::journal::Journal;

pub(crate) struct Snowflake {
    place: SnowflakeWorkplace,
    /// Keys that take no time to make: made here, they would take longer than all the rest.
    keys: TempDir,
    complaints: Complaints,
}

impl Ground for Snowflake {
    fn prepare(flow: Flow) -> Self {
        let place = SnowflakeWorkplace::in_memory(env!("CARGO_BIN_EXE_rotate"));
        let keys = tempfile::tempdir_in(memory_folder()).unwrap();
        for number in 2..=TestKey::COUNT {
            let path = keys.path().join(format!("{number}.p8"));
            std::fs::write(path, TestKey::numbered(number).private_pem()).unwrap();
        }
        let ground = Self {
            place,
            keys,
            complaints: Complaints::default(),
        };
        let cloud = &ground.place.cloud;
        match flow {
            Flow::ForGood => cloud.hide_public_keys(USER, true),
            // Kills before the delivery are the confirmed rotation's matter.
            Flow::RolledBack => assert!(flow.one_shot(&ground).output().unwrap().status.success()),
            Flow::Immediate | Flow::Confirmed | Flow::Aborted => {}
            Flow::Useless => panic!("a registered key does all that its user may do"),
        }
        ground
    }

    fn target(&self) -> &'static str {
        TARGET
    }

    fn destinations(&self) -> usize {
        1
    }

    fn state(&self) -> PathBuf {
        self.place.state()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env("ROTATE_TEST_KEYS", self.keys.path());
        command
    }

    fn one_shot(&self, more: &[&str]) -> Command {
        let mut command = self.place.rotate(more);
        command.env("ROTATE_TEST_KEYS", self.keys.path());
        command
    }

    fn calls(&self) -> usize {
        self.place.cloud.calls().len()
    }

    fn watch(&self, flow: Flow) {
        let database = self.place.state().join("rotate.db");
        let old = self.place.old.fingerprint().to_owned();
        let complaints = self.complaints.clone();
        // A clone of the account would keep it alive for ever, so the hook only reads the disk.
        self.place.cloud.on_effect(move |effect| {
            complaints.collect(|| check_effect(effect, &old, &Journal::read(&database), flow));
        });
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        self.complaints.expect_none(context);
        if !journal.has("cut-over") {
            assert!(place.consumer().works(), "a consumer is cut off; {}", context());
        }
        // The old key before the rotation is opened, and then only keys that are on record.
        for held in place.fingerprints().into_iter().flatten() {
            let known = journal.names(&held) || (journal.events.is_empty() && held == place.old.fingerprint());
            assert!(known, "an orphan: {held}; {}", context());
        }
        if place.delivered().exists() {
            let new = place.holder_of(&place.delivered()).fingerprint().to_owned();
            assert!(
                journal.names(&new),
                "a key was delivered that is not on record; {}",
                context()
            );
            assert!(
                place.path("rsa_key_new.pub").exists(),
                "the public half is missing; {}",
                context()
            );
        }
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        self.complaints.expect_none(context);
        if journal.has("done") {
            let new = place.holder_of(&place.delivered());
            assert!(new.works(), "{}", context());
            let alone = [None, Some(new.fingerprint().to_owned())];
            assert_eq!(place.fingerprints(), alone, "{}", context());
        } else {
            place.expect_as_before();
            assert!(!place.path("rsa_key_new.pub").exists(), "{}", context());
        }
        place.cloud.expect_all_understood();
    }

    /// The armour around a private key, and every line of the new one.
    fn secrets(&self) -> Vec<Vec<u8>> {
        let delivered = std::fs::read_to_string(self.place.delivered()).unwrap_or_default();
        let lines = delivered.lines().filter(|line| line.len() == 64);
        let lines = lines.map(|line| line.as_bytes().to_vec());
        lines.chain([b"PRIVATE KEY".to_vec()]).collect()
    }

    fn expected_files(&self) -> &'static [&'static str] {
        &["rsa_key_new.p8", "rsa_key_new.pub"]
    }
}

/// The journal knew of a change of a slot beforehand, and nobody is cut off by it.
fn check_effect(effect: &Effect, old: &str, journal: &Journal, flow: Flow) {
    let key = effect.fingerprint.as_deref().unwrap_or_default();
    match effect.action {
        Action::SetKey if key == old => assert!(journal.has("reactivate-intended"), "{flow:?}: {journal:?}"),
        Action::SetKey => {
            assert_eq!(journal.last(), "minted", "{flow:?}: {journal:?}");
            assert!(journal.names(key), "{flow:?}: an unknown key was set: {journal:?}");
        }
        Action::UnsetKey if key == old => {
            assert!(
                journal.has("cut-over"),
                "{flow:?}: removed before the cut-over: {journal:?}"
            );
            let intended = journal.has("deactivate-intended") || journal.has("delete-intended");
            assert!(intended, "{flow:?}: {journal:?}");
        }
        Action::UnsetKey => {
            let intended = journal.last() == "withdraw-intended";
            assert!(intended, "{flow:?}: a new key was removed without intent: {journal:?}");
        }
        other => panic!("{flow:?}: {other:?} is no effect"),
    }
}
