//! AWS: the vendor mints, and can disable.

use std::path::{Path, PathBuf};
use std::process::Command;

use rotate_fixtures::Workplace;
use rotate_fixtures::aws::{Effect, KeyStatus};
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

use crate::flow::Flow;
use crate::ground::{Complaints, Ground};
use crate::journal::Journal;

/// What someone else keeps in the shared credentials file.
const OTHERS: &str = "# not ours\n[default]\naws_access_key_id = OTHER\n\n[gs]\nregion = eu-west-1\n";

pub(crate) struct Aws {
    place: Workplace,
    complaints: Complaints,
}

impl Aws {
    /// The second destination: a file with a life of its own.
    fn profile(&self) -> PathBuf {
        self.place.path("credentials")
    }
}

impl Ground for Aws {
    fn prepare(flow: Flow) -> Self {
        let place = Workplace::in_memory(env!("CARGO_BIN_EXE_rotate"));
        let ground = Self {
            place,
            complaints: Complaints::default(),
        };
        std::fs::write(ground.profile(), OTHERS).unwrap();
        close_to_others(&ground.profile());
        match flow {
            Flow::Useless => ground.place.cloud.forbid_bucket(BUCKET, USER),
            // Kills before the delivery are the confirmed rotation's matter.
            Flow::RolledBack => assert!(flow.one_shot(&ground).output().unwrap().status.success()),
            Flow::ForGood => panic!("AWS disables keys"),
            Flow::Immediate | Flow::Confirmed | Flow::Aborted => {}
        }
        ground
    }

    fn target(&self) -> &'static str {
        TARGET
    }

    fn destinations(&self) -> usize {
        2
    }

    fn state(&self) -> PathBuf {
        self.place.state()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.place.command(arguments)
    }

    fn one_shot(&self, more: &[&str]) -> Command {
        let mut command = self.place.rotate(more);
        command.args(["--deliver", &format!("aws-profile:gs@{}", self.profile().display())]);
        command
    }

    fn calls(&self) -> usize {
        self.place.cloud.call_count()
    }

    fn watch(&self, flow: Flow) {
        let database = self.place.state().join("rotate.db");
        let old = self.place.old.id.clone();
        let complaints = self.complaints.clone();
        // A clone of the cloud would keep it alive for ever, so the hook only reads the disk.
        self.place.cloud.on_effect(move |effect| {
            complaints.collect(|| check_effect(effect, &old, &Journal::read(&database), flow));
        });
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        self.complaints.expect_none(context);
        if !journal.has("cut-over") {
            assert!(
                place.cloud.works(&place.old.id, &place.old.secret),
                "a consumer is cut off; {}",
                context()
            );
        }
        // Every live key is on record, or is what a call that was just made has left for the next run to find.
        let keys = place.cloud.keys_of(USER);
        let unknown = keys.into_iter().filter(|key| !journal.names(&key.id)).count();
        let explained = journal.is_creating() || (journal.events.is_empty() && unknown <= 1);
        assert!(unknown == 0 || (unknown <= 2 && explained), "an orphan; {}", context());
        // A destination is whole: what it was, or what it is to be.
        if place.delivered().exists() {
            let key = place
                .delivered_key()
                .unwrap_or_else(|| panic!("a torn file; {}", context()));
            assert!(
                journal.names(&key.id),
                "a key was delivered that is not on record; {}",
                context()
            );
        }
        let held = std::fs::read_to_string(self.profile()).unwrap();
        assert!(
            held.starts_with(OTHERS),
            "others' lines were disturbed; {}\n{held}",
            context()
        );
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        self.complaints.expect_none(context);
        let keys = place.cloud.keys_of(USER);
        assert_eq!(keys.len(), 1, "{keys:?}; {}", context());
        let held = std::fs::read_to_string(self.profile()).unwrap();
        if journal.has("done") {
            let new = place.delivered_key().expect("the new key is delivered");
            assert!(place.cloud.works(&new.id, &new.secret), "{}", context());
            assert!(held.contains(&new.secret), "{}", context());
        } else {
            assert!(place.cloud.works(&place.old.id, &place.old.secret), "{}", context());
            assert!(!place.delivered().exists(), "{}", context());
            assert_eq!(held, OTHERS, "{}", context());
        }
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![self.place.cloud.canary().as_bytes().to_vec()]
    }

    fn expected_files(&self) -> &'static [&'static str] {
        &["credentials", "key.json"]
    }
}

/// The journal knew of a change of a key beforehand, and nobody is cut off by it.
fn check_effect(effect: &Effect, old: &str, journal: &Journal, flow: Flow) {
    let is_old = effect.key_id == old;
    match effect.status {
        KeyStatus::Active if is_old => assert!(journal.has("reactivate-intended"), "{flow:?}: {journal:?}"),
        KeyStatus::Active => assert_eq!(journal.last(), "create-intended", "{flow:?}: {journal:?}"),
        KeyStatus::Inactive => {
            assert!(is_old, "{flow:?}: the new key was disabled: {journal:?}");
            assert!(
                journal.has("cut-over"),
                "{flow:?}: disabled before the cut-over: {journal:?}"
            );
            assert!(journal.has("deactivate-intended"), "{flow:?}: {journal:?}");
        }
        KeyStatus::Deleted if is_old => {
            assert!(
                journal.has("cut-over"),
                "{flow:?}: deleted before the cut-over: {journal:?}"
            );
            assert!(journal.has("delete-intended"), "{flow:?}: {journal:?}");
        }
        KeyStatus::Deleted => {
            let intended = matches!(journal.last(), "withdraw-intended" | "discard-intended");
            assert!(intended, "{flow:?}: a new key was deleted without intent: {journal:?}");
        }
    }
}

fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
