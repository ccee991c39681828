//! What every destination keeps, through the same door as the driver: `delivery::parse`.
//!
//! Real files in a real folder; where ownership matters and the tests run as root, real owners.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod conformance;
pub(crate) mod exec;
#[cfg(feature = "github")]
mod github;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod names;
#[cfg(feature = "vault-kv")]
mod openbao;
mod refusals;
mod sdk;
#[cfg(feature = "secretsmanager")]
mod secretsmanager;
mod side_by_side;
#[cfg(feature = "ssm")]
mod ssm;
#[cfg(feature = "vault-kv")]
mod vault_kv;

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rotate::delivery::{self, Destination, Fields, Told};
use rotate::machine::Restored;
use rotate_providers::contract::{KeyId, Principal};
use rotate_providers::form::SecretForm;
use rotate_providers::s3_customer_managed::SECRET;
use rotate_providers::secret::{Credential, Secret};
use tempfile::TempDir;

const NEW_ID: &str = "AKIANEWNEWNEWNEWNEWN";
/// With everything in it that a secret of AWS may have.
const NEW_SECRET: &str = "CANARYnew/abc+def/0123456789ABCDEFghij==";
const OLD_SECRET: &str = "CANARYold/abc+def/0123456789ABCDEFghij==";

/// A credential as destinations get it.
pub(crate) fn filled(form: SecretForm, credential: &Credential) -> Fields {
    let owner = Principal {
        account: "111122223333".to_owned(),
        name: "gainsight-s3".to_owned(),
        id: "AIDAEXAMPLE".to_owned(),
    };
    let told = Told {
        rotation: "0198f3a0-0000-7000-8000-000000000001",
        owner: &owner,
        inputs: &serde_json::Value::Null,
    };
    Fields::of(form, credential, &told)
}

fn credential(id: &str, secret: &str) -> Fields {
    let credential = Credential {
        key: KeyId::parse(id).expect("the name of a key"),
        public: None,
        secret: Secret::new(secret.as_bytes()),
    };
    filled(SECRET, &credential)
}

fn new_key() -> Fields {
    credential(NEW_ID, NEW_SECRET)
}

/// One kind of destination: how it is named, and a file of it as found, with the old key and with more.
#[derive(Clone, Copy, Debug)]
struct Sort {
    file: &'static str,
    prefix: &'static str,
    found: &'static str,
}

const JSON: Sort = Sort {
    file: "key.json",
    prefix: "file:",
    found: r#"{"Version":1, "AccessKeyId":"AKIAOLD",   "SecretAccessKey":"CANARYold/abc+def/0123456789ABCDEFghij=="}"#,
};
const ENV: Sort = Sort {
    file: "app.env",
    prefix: "file:",
    found: "# the app\nPORT=80\nexport AWS_ACCESS_KEY_ID=\"AKIAOLD\"\n\
            AWS_SECRET_ACCESS_KEY='CANARYold/abc+def/0123456789ABCDEFghij==' # ours\nLAST=1",
};
const PROFILE: Sort = Sort {
    file: "credentials",
    prefix: "aws-profile:gainsight@",
    found: "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = theirs\n\n[gainsight]\n\
            aws_access_key_id=AKIAOLD ; ours\naws_secret_access_key = CANARYold/abc+def/0123456789ABCDEFghij==\n\
            region = eu-west-1\n[last]\nx = y",
};
const SORTS: [Sort; 3] = [JSON, ENV, PROFILE];

/// A folder with one file in it, or none.
struct Place {
    folder: TempDir,
    sort: Sort,
}

impl Place {
    fn empty(sort: Sort) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder, sort }
    }

    fn with(sort: Sort, content: impl AsRef<[u8]>) -> Self {
        let place = Self::empty(sort);
        place.put(content);
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.sort.file)
    }

    /// What a crash in the middle of a write leaves behind.
    fn leftover(&self) -> PathBuf {
        self.folder.path().join(format!(".{}.rotate-new", self.sort.file))
    }

    fn put(&self, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(), content).expect("the folder is ours");
        self.chmod(0o600);
    }

    fn chmod(&self, mode: u32) {
        std::fs::set_permissions(self.path(), Permissions::from_mode(mode)).expect("the file is ours");
    }

    fn bytes(&self) -> Option<String> {
        let bytes = std::fs::read(self.path()).ok()?;
        Some(String::from_utf8(bytes).expect("it is text"))
    }

    fn name(&self) -> String {
        format!("{}{}", self.sort.prefix, self.path().display())
    }

    fn destination(&self) -> Box<dyn Destination> {
        delivery::parse(SECRET, &self.name()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything in the folder, with its content, mode and time.
    fn listing(&self) -> Vec<(PathBuf, Vec<u8>, u32, i64, i64)> {
        let mut all: Vec<_> = std::fs::read_dir(self.folder.path())
            .expect("the folder can be read")
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let found = path.symlink_metadata().expect("it is there");
                let content = if found.is_file() {
                    std::fs::read(&path).unwrap_or_default()
                } else {
                    Vec::new()
                };
                (path, content, found.mode(), found.mtime(), found.mtime_nsec())
            })
            .collect();
        all.sort();
        all
    }

    async fn deliver(&self) -> Secret {
        let destination = self.destination();
        let before = destination.content().await.expect("it can be read");
        destination
            .deliver(&new_key())
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        before
    }

    async fn restore(&self, before: &Secret) -> Restored {
        let restored = self.destination().restore(&new_key(), before).await;
        restored.unwrap_or_else(|error| panic!("{error}"))
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").mode() & 0o7777
}

#[tokio::test]
async fn a_delivered_key_is_held_and_a_repeat_writes_the_same_bytes() {
    for place in SORTS
        .into_iter()
        .flat_map(|sort| [Place::empty(sort), Place::with(sort, sort.found)])
    {
        let destination = place.destination();
        destination.inspect().await.expect("it could work");
        assert!(!destination.holds(&new_key()).await.expect("it can be read"));
        place.deliver().await;
        assert!(
            destination.holds(&new_key()).await.expect("it can be read"),
            "{:?}",
            place.sort
        );
        assert!(
            !destination
                .holds(&credential(NEW_ID, OLD_SECRET))
                .await
                .expect("it can be read")
        );
        assert!(
            !destination
                .holds(&credential("AKIAOLD", NEW_SECRET))
                .await
                .expect("it can be read")
        );
        let once = place.bytes();
        place.deliver().await;
        assert_eq!(place.bytes(), once);
        assert_eq!(place.listing().len(), 1, "nothing else is left: {:?}", place.sort);
    }
}

#[tokio::test]
async fn only_the_two_values_change_and_every_other_byte_stays() {
    for sort in [ENV, PROFILE] {
        let place = Place::with(sort, sort.found);
        place.deliver().await;
        let expected = sort.found.replace("AKIAOLD", NEW_ID).replace(OLD_SECRET, NEW_SECRET);
        assert_eq!(place.bytes(), Some(expected));
    }
    let place = Place::with(JSON, JSON.found);
    place.deliver().await;
    let document: serde_json::Value = serde_json::from_str(&place.bytes().expect("it is there")).expect("it is JSON");
    let expected = serde_json::json!({ "Version": 1, "AccessKeyId": NEW_ID, "SecretAccessKey": NEW_SECRET });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn a_destinations_name_leads_to_the_same_destination() {
    for sort in SORTS {
        let place = Place::empty(sort);
        assert_eq!(place.destination().name(), place.name());
        let again = delivery::parse(SECRET, place.destination().name()).map(|again| again.name().to_owned());
        assert_eq!(again.expect("it is a name"), place.name());
    }
}

#[tokio::test]
async fn a_new_file_is_private_and_an_existing_one_keeps_its_mode_and_owner() {
    for sort in SORTS {
        let place = Place::empty(sort);
        place.deliver().await;
        assert_eq!(mode(&place.path()), 0o600);

        let place = Place::with(sort, sort.found);
        place.chmod(0o640);
        let root = rustix::process::geteuid().is_root();
        if root {
            std::os::unix::fs::chown(place.path(), Some(1234), Some(5678)).expect("root may");
        }
        let before = place.path().metadata().expect("it is there");
        let held = place.deliver().await;
        place.restore(&held).await;
        place.deliver().await;
        let after = place.path().metadata().expect("it is there");
        assert_eq!(
            (after.mode(), after.uid(), after.gid()),
            (before.mode(), before.uid(), before.gid())
        );
        assert!(!root || after.uid() == 1234);
    }
}

#[tokio::test]
async fn what_a_crash_left_behind_is_replaced_and_removed() {
    for sort in SORTS {
        let place = Place::with(sort, sort.found);
        std::fs::write(place.leftover(), "half a secr").expect("the folder is ours");
        place.destination().rehearse().await.expect("it would work");
        assert!(!place.leftover().exists());
        std::fs::write(place.leftover(), "half a secr").expect("the folder is ours");
        place.deliver().await;
        assert!(!place.leftover().exists());
        assert!(place.destination().holds(&new_key()).await.expect("it can be read"));
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_leftover_leads_nowhere() {
    let place = Place::empty(JSON);
    let victim = place.folder.path().join("victim");
    std::fs::write(&victim, "untouched").expect("the folder is ours");
    std::os::unix::fs::symlink(&victim, place.leftover()).expect("a link can be made");
    place.deliver().await;
    assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "untouched");
    assert!(place.leftover().symlink_metadata().is_err());
}

#[tokio::test]
async fn a_rehearsal_leaves_no_trace() {
    for place in SORTS
        .into_iter()
        .flat_map(|sort| [Place::empty(sort), Place::with(sort, sort.found)])
    {
        let before = place.listing();
        place.destination().rehearse().await.expect("it would work");
        place.destination().inspect().await.expect("it would work");
        assert_eq!(place.listing(), before);
    }
}

#[tokio::test]
async fn what_was_there_is_put_back_to_the_byte_and_a_repeat_finds_it() {
    for sort in SORTS {
        for found in [sort.found, ""] {
            let place = Place::with(sort, found);
            let before = place.deliver().await;
            for _ in 0..2 {
                assert_eq!(place.restore(&before).await, Restored::PutBack);
                assert_eq!(place.bytes().as_deref(), Some(found));
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_did_not_exist_is_removed_again_and_a_repeat_finds_it_gone() {
    for sort in SORTS {
        let place = Place::empty(sort);
        let before = place.deliver().await;
        for _ in 0..2 {
            assert_eq!(place.restore(&before).await, Restored::PutBack);
            assert!(place.listing().is_empty());
        }
    }
}

/// An edit that leaves our own values alone: the whole file before it and after it.
fn edited_elsewhere(sort: Sort, text: &str) -> String {
    match sort.file {
        "app.env" => text.replace("PORT=80", "PORT=81") + "\nADDED=1",
        _ => text.replace("theirs", "rotated-by-them") + "\n[added]\nx = y\n",
    }
}

#[tokio::test]
async fn only_our_values_are_put_back_where_other_parts_were_changed_meanwhile() {
    for sort in [ENV, PROFILE] {
        let place = Place::with(sort, sort.found);
        let before = place.deliver().await;
        place.put(edited_elsewhere(sort, &place.bytes().expect("it is there")));
        assert_eq!(place.restore(&before).await, Restored::PutBack);
        assert_eq!(place.bytes(), Some(edited_elsewhere(sort, sort.found)));
    }
}

#[tokio::test]
async fn a_repeat_finds_our_values_put_back_where_other_parts_were_changed_meanwhile() {
    // The repeat comes after a crash between putting back and recording it.
    for sort in [ENV, PROFILE] {
        let place = Place::with(sort, sort.found);
        let before = place.deliver().await;
        place.put(edited_elsewhere(sort, &place.bytes().expect("it is there")));
        place.restore(&before).await;
        let once = place.bytes();
        assert_eq!(place.restore(&before).await, Restored::PutBack, "{}", sort.file);
        assert_eq!(place.bytes(), once);
    }
}

#[tokio::test]
async fn values_that_did_not_exist_are_taken_out_where_other_parts_were_added_meanwhile() {
    for (sort, added) in [(ENV, "ADDED=1\n"), (PROFILE, "\n[added]\nx = y\n")] {
        let place = Place::empty(sort);
        let before = place.deliver().await;
        place.put(place.bytes().expect("it is there") + added);
        assert_eq!(place.restore(&before).await, Restored::PutBack);
        let left = place.bytes().expect("it is someone else's too");
        assert!(left.ends_with(added), "{left}");
        assert!(!left.contains("CANARY") && !left.contains(NEW_ID), "{left}");
    }
}

#[tokio::test]
async fn what_someone_replaced_since_is_left_alone() {
    for sort in SORTS {
        let place = Place::with(sort, sort.found);
        let before = place.deliver().await;
        let theirs = place
            .bytes()
            .expect("it is there")
            .replace(NEW_SECRET, "SOMEONEelses+secret");
        place.put(&theirs);
        assert_eq!(place.restore(&before).await, Restored::ChangedSince);
        assert_eq!(place.bytes(), Some(theirs));
        // A file that someone removed is not brought back.
        std::fs::remove_file(place.path()).expect("it is ours");
        assert_eq!(place.restore(&before).await, Restored::ChangedSince);
        assert!(place.listing().is_empty());
    }
}
