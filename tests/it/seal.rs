//! Secrets that wait are sealed, by whom they can be opened, and how that is changed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod age;
mod doctor;
mod kms;
mod kms_refuses;
mod mistakes;
mod rekey;
mod wiped;

use std::path::{Path, PathBuf};
use std::process::Command;

use rotate::seal::{Keyring, Method, SealWith};
use rotate::store::{Sealed, SqliteStore, Store};
use rotate_fixtures::workplace::{BUCKET, USER};
use rotate_fixtures::{Age, Ran, Workplace};
use rotate_providers::secret_from::SecretFrom;

/// The target's name.
const MAIN: &str = "main";
const WEEK: i64 = 8 * 86_400;

/// One target with what `[store]` says of sealing.
struct Desk {
    place: Workplace,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
        };
        desk.says("");
        desk
    }

    /// From now on `[store]` says this.
    fn says(&self, store: &str) {
        let text = format!(
            "[store]\n{store}\n[[target]]\nname = \"{MAIN}\"\nconnector = \"s3-customer-managed\"\nuser = \"{USER}\"\n\
             bucket = \"{BUCKET}\"\ndeliver = [\"file:{}\"]\n",
            self.place.delivered().display()
        );
        std::fs::write(self.place.path("rotate.toml"), text).unwrap();
    }

    /// The same, to these recipients, with the identity in this file.
    fn seals_to(&self, recipients: &[&str], identity: &Path) {
        self.says(&format!(
            "seal = \"age:{}\"\nseal_identity_file = \"{}\"",
            recipients.join(","),
            identity.display()
        ));
    }

    /// An identity as age-keygen makes it: its file and its recipient.
    fn identity(&self, name: &str) -> (PathBuf, String) {
        let path = self.place.path(name);
        let recipient = Age::find().keygen(&path);
        (path, recipient)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.place.run(arguments)
    }

    /// Begins the rotation, and delivers.
    fn begin(&self) -> Ran {
        Ran::of(self.begin_command())
    }

    fn begin_command(&self) -> Command {
        self.place.command(["run", "--due-within", "3650d"])
    }

    /// Goes from the delivery to the end.
    fn ends(&self) {
        self.run(&["confirm", MAIN]).expect(0);
        self.place.later(WEEK, ["run"]).expect(0);
        self.place.expect_rotated();
        assert!(self.sealed().is_empty(), "nothing waits any more");
    }

    fn database(&self) -> PathBuf {
        self.place.state().join("rotate.db")
    }

    /// What waits.
    fn sealed(&self) -> Vec<Sealed> {
        let path = self.database();
        blocking(async move { SqliteStore::open(&path).await.unwrap().all_sealed().await.unwrap() })
    }

    /// Puts this in the place of what is sealed, behind the program's back.
    fn put(&self, sealed: &Sealed, bytes: &[u8]) {
        let path = self.database();
        blocking(async {
            let store = SqliteStore::open(&path).await.unwrap();
            let lease = store.lease().await.unwrap();
            store.reseal(&lease, sealed, bytes).await.unwrap();
        });
    }

    /// By what each is sealed that waits.
    fn lines(&self) -> Vec<String> {
        self.sealed().iter().map(|sealed| line_of(&sealed.bytes).0).collect()
    }
}

/// The line that says by what it is sealed, and what stands behind it.
fn line_of(sealed: &[u8]) -> (String, Vec<u8>) {
    let end = sealed.iter().position(|byte| *byte == b'\n').unwrap();
    (
        String::from_utf8_lossy(&sealed[..end]).into_owned(),
        sealed[end + 1..].to_vec(),
    )
}

fn with(seal: &str, identity: Option<&Path>) -> SealWith {
    SealWith {
        method: Method::parse(seal).unwrap(),
        identity: identity.map(|path| SecretFrom::File(path.to_owned())),
    }
}

/// What this machine opens by itself.
fn keyring(seal: &str, identity: &Path) -> Keyring {
    Keyring::configured(&with(seal, Some(identity)), None).ok().unwrap()
}

fn blocking<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// What age itself finds in what waits: the label, a zero byte, the secret.
fn label_and_secret(plain: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(plain).into_owned();
    let (label, secret) = text.split_once('\0').unwrap();
    (label.to_owned(), secret.to_owned())
}
