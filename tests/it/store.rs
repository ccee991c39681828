//! What any store has to keep, written against the trait; then what is particular to the embedded one.
//!
//! Each kind of store is a `Ground`; `promises` and `tampering` hold all of them to the same.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

/// Holds every kind of store to each promise.
macro_rules! hold {
    ($($promise:ident),+ $(,)?) => {
        mod embedded {
            use super::*;
            $(
                #[tokio::test]
                async fn $promise() {
                    let place = Embedded::new();
                    kept::$promise(&*place.open().await, &*place.open().await).await;
                }
            )+
        }

        mod served {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $promise() {
                    let place = Served::new();
                    kept::$promise(&*place.open().await, &*place.open().await).await;
                }
            )+
        }
    };
}

mod heads;
mod moment;
mod older;
mod outbox;
mod promises;
mod resealed;
mod served;
mod tampering;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rotate::machine::{
    AnyRotation, Cutover, Event, Inventory, InventoryReading, LostKey, Prove, Record, Retirement, RotationSpec,
    SeenKey, SwitchedBy,
};
use rotate::seal::sealed_with;
use rotate::store::{Append, Lease, SqliteStore, Store, StoreError, watch_of};
use rotate_providers::contract::{KeyId, Principal, PublicHalf};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use served::Served;

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const TARGET: &str = "s3-customer-managed/u";

/// A rotation that grows in a store, event by event.
struct Growing {
    id: &'static str,
    target: &'static str,
    revision: i64,
    rotation: Option<AnyRotation>,
}

impl Growing {
    fn new(id: &'static str, target: &'static str) -> Self {
        Self {
            id,
            target,
            revision: 0,
            rotation: None,
        }
    }

    /// Appends one event; only one that the store takes counts.
    async fn add(&mut self, store: &dyn Store, lease: &Lease, event: Event) -> Result<(), StoreError> {
        // What the journal says is sealed is there.
        let name = sealed_with(&event);
        let seal = name.as_deref().map(|name| (name, &b"sealed"[..]));
        self.add_sealed(store, lease, event, seal).await
    }

    async fn add_sealed(
        &mut self,
        store: &dyn Store,
        lease: &Lease,
        event: Event,
        seal: Option<(&str, &[u8])>,
    ) -> Result<(), StoreError> {
        let at = NOW + jiff::SignedDuration::from_secs(self.revision);
        let record = Record { at, event };
        let rotation = AnyRotation::after(self.rotation.clone(), &record).expect("the test's events fit");
        let append = Append {
            id: self.id,
            target: self.target,
            follows: self.revision,
            record: &record,
            state: &rotation.clone().into(),
            seal,
            telling: None,
        };
        store.append(lease, append).await?;
        self.rotation = Some(rotation);
        self.revision += 1;
        Ok(())
    }

    async fn add_all(&mut self, store: &dyn Store, lease: &Lease, events: &[Event]) {
        for event in events {
            let added = self.add(store, lease, event.clone()).await;
            added.unwrap_or_else(|error| panic!("{} was not taken: {error}", event.name()));
        }
    }
}

fn spec(old_key: &str) -> RotationSpec {
    RotationSpec {
        connector: "s3-customer-managed".to_owned(),
        inputs: serde_json::json!({ "user": "u" }),
        after_delivery: Vec::new(),
        destinations: vec!["d".to_owned()],
        cutover: Cutover::Confirm,
        soak_seconds: 0,
        observe_seconds: 86_400,
        allowance_seconds: 0,
        owner: Principal {
            account: "111122223333".to_owned(),
            name: "u".to_owned(),
            id: "AIDAEXAMPLE".to_owned(),
        },
        old_key: KeyId::parse(old_key).expect("the name of a key"),
        retirement: Retirement::Disable,
        mints_locally: false,
        own_identity: false,
        host: None,
        prove: Prove::Login,
        window: None,
        lost_key: LostKey::Delete,
    }
}

fn opened(old_key: &str) -> Event {
    let spec = spec(old_key);
    Event::Opened {
        spec: spec.into(),
        begun: None,
    }
}

fn intended() -> Event {
    Event::CreateIntended {
        ids_before: [KeyId::parse("AKIAOLD").expect("the name of a key")].into(),
        made_within: None,
    }
}

fn created() -> Event {
    let key = KeyId::parse("AKIANEW").expect("the name of a key");
    Event::Created { key, request: None }
}

/// Everything between the creation and the end.
fn to_the_end() -> Vec<Event> {
    let by = SwitchedBy::Person("someone".to_owned());
    let destination = "d".to_owned();
    vec![
        Event::Proved,
        Event::Delivered { destination },
        Event::CutOver { by },
        Event::DeactivateIntended,
        Event::Deactivated { request: None },
        Event::Proved,
        Event::Soaking,
        Event::DeleteIntended,
        Event::Deleted { request: None },
        Event::Done,
    ]
}

/// A line's hash, as someone makes it who knows how; a line that names no lease was written by an older version.
fn chained(before: &[u8], seq: i64, revision: i64, fields: [&str; 4], fence: Option<i64>) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(seq.to_be_bytes());
    hasher.update(revision.to_be_bytes());
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    if let Some(fence) = fence {
        hasher.update(fence.to_be_bytes());
    }
    hasher.finalize().to_vec()
}

/// A store of one kind, with nobody else's things in it.
trait Ground: Sized {
    fn new() -> Self;

    /// As a process opens it. A second time it is as another process has it.
    async fn open(&self) -> Box<dyn Store>;

    /// Does this behind the program's back.
    async fn execute(&self, sql: &str);

    /// The statement after which the database lets through what its own constraints forbid.
    const UNCHECKED: &str;

    /// Bytes, as a statement names them.
    fn bytes(bytes: &[u8]) -> String;
}

/// An embedded store in a folder of its own.
struct Embedded {
    folder: TempDir,
}

impl Ground for Embedded {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder }
    }

    async fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.path()).await.expect("it can be opened"))
    }

    /// A store that was dropped lets go of the database a moment later, so a lock is waited out.
    async fn execute(&self, sql: &str) {
        for _ in 0..100 {
            let mut raw = self.raw().await;
            let executed = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
                .execute(&mut raw)
                .await;
            raw.close().await.expect("it can be closed");
            match executed {
                Err(error) if error.to_string().contains("database is locked") => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                executed => {
                    executed.expect("the statement works");
                    return;
                }
            }
        }
        panic!("the database stays locked");
    }

    const UNCHECKED: &str = "PRAGMA foreign_keys = OFF";

    fn bytes(bytes: &[u8]) -> String {
        format!("X'{}'", hex(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Embedded {
    fn path(&self) -> PathBuf {
        self.folder.path().join("rotate.db")
    }

    async fn refused(&self) -> StoreError {
        let opened = SqliteStore::open(&self.path()).await;
        opened.err().expect("it should be refused")
    }

    /// The database as someone with an editor for it sees it.
    async fn raw(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true);
        options.connect().await.expect("it is a database")
    }

    async fn text(&self, sql: &'static str) -> String {
        let mut raw = self.raw().await;
        sqlx::query_scalar(sql)
            .fetch_one(&mut raw)
            .await
            .expect("there is a row")
    }

    async fn number(&self, sql: &'static str) -> i64 {
        let mut raw = self.raw().await;
        sqlx::query_scalar(sql)
            .fetch_one(&mut raw)
            .await
            .expect("there is a row")
    }

    fn companions(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        files.map(|file| file.expect("an entry").path()).collect()
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").mode() & 0o7777
}

#[tokio::test]
async fn the_database_and_its_companions_are_open_to_nobody_else() {
    let place = Embedded::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let mut growing = Growing::new("r1", TARGET);
    growing.add_all(&*store, &lease, &[opened("AKIAOLD")]).await;
    let mut names: Vec<String> = Vec::new();
    for path in place.companions() {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    assert_eq!(names, ["rotate.db", "rotate.db-shm", "rotate.db-wal", "rotate.lock"]);
}

#[tokio::test]
async fn a_database_that_others_may_open_is_refused() {
    let place = Embedded::new();
    drop(place.open().await);
    for mode in [0o644, 0o660, 0o602] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.path(), permissions).expect("it is ours");
        let refused = place.refused().await;
        assert!(matches!(refused, StoreError::Unsafe { .. }), "{mode:o}: {refused}");
    }
}

#[tokio::test]
async fn a_database_behind_a_link_is_refused() {
    let (place, elsewhere) = (Embedded::new(), Embedded::new());
    drop(elsewhere.open().await);
    std::os::unix::fs::symlink(elsewhere.path(), place.path()).expect("a link can be made");
    let refused = place.refused().await;
    assert!(matches!(refused, StoreError::Unsafe { .. }), "{refused}");
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
}

#[tokio::test]
async fn the_journal_is_written_ahead_whatever_mode_it_was_left_in() {
    let place = Embedded::new();
    drop(place.open().await);
    assert_eq!(place.text("PRAGMA journal_mode").await, "wal");
    // Another mode does not survive the next opening.
    place.execute("PRAGMA journal_mode = DELETE").await;
    drop(place.open().await);
    assert_eq!(place.text("PRAGMA journal_mode").await, "wal");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_as_it_is() {
    let place = Embedded::new();
    let text = b"this is a shopping list and not a database\n".repeat(200);
    std::fs::write(place.path(), &text).expect("the folder is ours");
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let refused = place.refused().await;
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert_eq!(std::fs::read(place.path()).expect("it is there"), text);
}

#[tokio::test]
async fn a_broken_page_is_found_by_verify() {
    let place = Embedded::new();
    tampering::grown(&place).await;
    place.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
    // The second page and all that follow, but not the header.
    let mut bytes = std::fs::read(place.path()).expect("it is there");
    bytes[4096..].fill(0x5a);
    std::fs::write(place.path(), &bytes).expect("it is ours");
    let verified = match SqliteStore::open(&place.path()).await {
        Ok(store) => store.verify().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(verified, Err(StoreError::Damaged { .. })), "{verified:?}");
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let place = Embedded::new();
    place
        .execute("PRAGMA application_id = 252006673; CREATE TABLE theirs (x)")
        .await;
    private(&place);
    let refused = place.refused().await;
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("another program"), "{refused}");
}

#[tokio::test]
async fn another_programs_database_is_refused_although_it_does_not_say_whose_it_is() {
    // Most programs set no application id, and most never set a version.
    let place = Embedded::new();
    place
        .execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .await;
    private(&place);
    let opened = SqliteStore::open(&place.path()).await.map(|_| ());
    assert!(matches!(opened, Err(StoreError::Damaged { .. })), "{opened:?}");
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused() {
    let place = Embedded::new();
    drop(place.open().await);
    place.execute("PRAGMA user_version = 4").await;
    let refused = place.refused().await;
    assert!(
        matches!(refused, StoreError::Newer { found: 4, known: 3, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn what_was_sealed_is_nowhere_in_the_files_after_the_end() {
    let place = Embedded::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let mut growing = Growing::new("r1", TARGET);
    growing.add_all(&*store, &lease, &[opened("AKIAOLD"), intended()]).await;
    // One that fits into a row, one that overflows into pages of its own, and one that is replaced.
    let canary = b"the canary that must be gone";
    let long = canary.repeat(2000);
    let sealed = [
        ("new-key", &canary[..]),
        ("before/d", &long[..]),
        ("before/d", &canary[..]),
    ];
    let events = [
        created(),
        Event::Proved,
        Event::DeliverIntended {
            destination: "d".to_owned(),
        },
    ];
    for (event, seal) in events.into_iter().zip(sealed) {
        let added = growing.add_sealed(&*store, &lease, event, Some(seal)).await;
        added.expect("it fits");
    }
    assert!(found(&place, canary), "the search itself works");
    growing.add_all(&*store, &lease, &to_the_end()[1..]).await;
    assert!(!found(&place, canary), "while the store is open");
    drop((store, lease));
    assert!(!found(&place, canary), "after it was closed");
}

fn found(place: &Embedded, needle: &[u8]) -> bool {
    place.companions().iter().any(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        rotate_fixtures::has(&bytes, needle)
    })
}

fn private(place: &Embedded) {
    for path in place.companions() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    }
}
