//! The journal as it lies on the disk, read past the program and from a copy: a reader of the original would tidy it up.

use std::fmt;
use std::path::Path;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use rotate::seal::{AgeSealer, Purpose, Sealer};
use rotate::store::{SqliteStore, Store};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::crash::files::Files;

/// How long the old key rests in all flows but the immediate one.
const SOAK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a proof of the new key is worth acting on.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// What the journal says at one moment.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    /// Every line, oldest first.
    pub(crate) lines: Vec<Line>,
    /// What waits sealed.
    pub(crate) sealed: Vec<Sealed>,
    /// How far the database was made.
    pub(crate) tables: Vec<String>,
    /// What people were told, and are to be told.
    pub(crate) told: Vec<String>,
    /// How many notices wait.
    pub(crate) waiting: usize,
}

#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) target: String,
    pub(crate) rotation: String,
    pub(crate) at: Timestamp,
    pub(crate) body: Value,
}

#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) rotation: String,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sealed {
    /// The secret, by the identity in this state folder, or that of the machine beside it: one that waits is recoverable, or this
    /// stops the test.
    pub(crate) fn opened(&self, state: &Path) -> Vec<u8> {
        let own = state.join("identity.age");
        let sealer = match own.exists() {
            true => AgeSealer::open(&own),
            false => AgeSealer::open(&state.with_file_name("machine.age")),
        };
        let sealer = sealer.expect("the identity is there");
        let purpose = Purpose {
            target: "",
            rotation: &self.rotation,
            name: &self.name,
        };
        let opened = sealer.open(&purpose, &self.bytes).now_or_never();
        let secret = opened.expect("age asks nobody").expect("a sealed secret can be opened");
        secret.expose().to_vec()
    }

    /// For whom it is sealed, where that is not the state folder alone.
    pub(crate) fn recipients(&self) -> String {
        let line = self.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        match line.contains(',') {
            true => line,
            false => String::new(),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.lines.iter().map(Line::event).collect();
        write!(f, "[{}], {} sealed", names.join(" "), self.sealed.len())
    }
}

impl Line {
    /// The event's name.
    pub(crate) fn event(&self) -> &str {
        self.body["event"].as_str().unwrap_or("")
    }

    /// Whether it tells what was seen between rotations, or is said of the whole journal: no target's name has a colon.
    fn is_sighting(&self) -> bool {
        self.target.contains(':')
    }
}

impl Journal {
    /// Of one target alone.
    pub(crate) fn of(&self, target: &str) -> Self {
        let lines: Vec<Line> = self
            .lines
            .iter()
            .filter(|line| line.target == target)
            .cloned()
            .collect();
        let sealed = self
            .sealed
            .iter()
            .filter(|sealed| lines.iter().any(|line| line.rotation == sealed.rotation));
        Self {
            sealed: sealed.cloned().collect(),
            tables: self.tables.clone(),
            lines,
            ..Self::default()
        }
    }

    /// Each rotation by itself, without what was seen between rotations.
    pub(crate) fn rotations(&self) -> Vec<Self> {
        let mut ids: Vec<&str> = Vec::new();
        for line in self.lines.iter().filter(|line| !line.is_sighting()) {
            if !ids.contains(&line.rotation.as_str()) {
                ids.push(&line.rotation);
            }
        }
        let one = |id: &&str| Self {
            lines: self
                .lines
                .iter()
                .filter(|line| line.rotation == **id)
                .cloned()
                .collect(),
            ..Self::default()
        };
        ids.iter().map(one).collect()
    }

    /// The lines of the latest rotation, without what was seen between rotations.
    pub(crate) fn latest(&self) -> impl DoubleEndedIterator<Item = &Line> {
        let mut rotations = self.lines.iter().filter(|line| !line.is_sighting());
        let latest = rotations.next_back().map(|line| line.rotation.clone());
        self.lines
            .iter()
            .filter(move |line| Some(&line.rotation) == latest.as_ref())
    }

    /// Whether an event of this name is recorded.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.latest().any(|line| line.event() == name)
    }

    /// The last event's name.
    pub(crate) fn last(&self) -> &str {
        self.latest().last().map_or("", Line::event)
    }

    /// Whether a key may have been created whose outcome is not recorded yet.
    pub(crate) fn is_creating(&self) -> bool {
        let creation = ["create-intended", "created", "create-failed", "discarded"];
        let last = self.latest().rev().find(|line| creation.contains(&line.event()));
        last.is_some_and(|line| line.event() == "create-intended")
    }

    /// Whether this key is named anywhere in it.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.latest().any(|line| line.body.to_string().contains(key))
    }

    /// Whether a person has to look.
    pub(crate) fn is_blocked(&self) -> bool {
        let word = |line: &&Line| {
            let words = ["blocked", "resumed", "hook-answered", "undo-requested", "reactivated"];
            words.contains(&line.event())
        };
        let undone = self.has("undo-requested");
        self.latest().rev().find(word).is_some_and(|line| match line.event() {
            "blocked" => true,
            // Outside an undo, an old key that was switched on again calls a person.
            "reactivated" => !undone,
            _ => false,
        })
    }

    /// Where the rotation stands, as the person of a flow needs to know it.
    pub(crate) fn state(&self, destinations: usize) -> &'static str {
        match self.last() {
            "done" => "done",
            "aborted" => "aborted",
            "rolled-back" => "rolled-back",
            "" => "idle",
            _ if self.is_blocked() => "blocked",
            _ if self.is_undone() => "undoing",
            "soaking" | "delete-intended" | "deleted" => "soaking",
            "proved" if self.has("soaking") => "soaking",
            _ if self.has("deactivated") => "deactivated",
            _ if self.has("deactivate-intended") => "deactivating",
            _ if self.has("cut-over") => "cut-over",
            _ if self.count("delivered") >= destinations => "awaiting-cutover",
            _ => "opened",
        }
    }

    /// Whether it is being undone: a person who resumes it before anything was put back goes on instead.
    pub(crate) fn is_undone(&self) -> bool {
        let after: Vec<&Line> = self.latest().collect();
        let Some(asked) = after.iter().rposition(|line| line.event() == "undo-requested") else {
            return false;
        };
        let begun = |line: &&Line| {
            [
                "restored",
                "withdraw-intended",
                "withdrawn",
                "revert-intended",
                "reverted",
            ]
            .contains(&line.event())
        };
        let resumed = after[asked..].iter().rposition(|line| line.event() == "resumed");
        resumed.is_none_or(|resumed| after[..asked + resumed].iter().any(begun))
    }

    /// Whether a person has had an undo go on whatever stood in the way.
    pub(crate) fn is_forced(&self) -> bool {
        let forced = |line: &Line| line.event() == "undo-requested" && line.body["forced"] == true;
        self.latest().any(forced)
    }

    /// Whether a week of soak is over.
    pub(crate) fn has_rested(&self, now: Timestamp) -> bool {
        let begins = |line: &&Line| ["deactivated", "cut-over", "resumed"].contains(&line.event());
        let begun = self.latest().rev().find(begins).map(|line| line.at);
        begun.is_some_and(|begun| now.duration_since(begun) >= SOAK)
    }

    /// Stops the test unless the new key was proven a short while before now.
    #[track_caller]
    pub(crate) fn expect_fresh_proof(&self, now: Timestamp, context: &dyn Fn() -> String) {
        // Where the proof is the consumer's, a person has vouched for it, and the old key has rested in its place.
        if self.has("listed") {
            let switch = self.latest().rev().find(|line| line.event() == "cut-over");
            let attested = switch.is_some_and(|line| line.body["by"].get("attested").is_some());
            assert!(
                !attested || self.has_rested(now),
                "the old key goes before its rest: {}",
                context()
            );
            return;
        }
        let proved = self.latest().rev().find(|line| line.event() == "proved");
        let is_fresh = proved.is_some_and(|line| now.duration_since(line.at) <= FRESH);
        assert!(
            is_fresh,
            "the old key goes without a fresh proof of the new one: {}",
            context()
        );
    }

    /// How many notices of these kinds wait.
    pub(crate) fn notices(&self, kind: &str) -> usize {
        self.told
            .iter()
            .filter(|line| line.starts_with(&format!("waits {kind}")))
            .count()
    }

    /// Whether the first of those that wait may be sent at this time: the others wait for it.
    pub(crate) fn may_be_sent(&self, now: Timestamp) -> bool {
        let mut waiting = self.told.iter().filter(|line| line.starts_with("waits "));
        let first = waiting
            .next()
            .and_then(|line| line.rsplit(' ').next()?.parse::<Timestamp>().ok());
        first.is_some_and(|first| first <= now)
    }

    /// The new key that the latest rotation has on record.
    pub(crate) fn new_key(&self) -> Option<&str> {
        let created = self.latest().rev().find(|line| line.event() == "created");
        created.and_then(|line| line.body["key"].as_str())
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.latest().filter(|line| line.event() == name).count()
    }

    /// Whether the rotation has ended.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.last(), "done" | "aborted" | "rolled-back" | "walk-aborted")
    }
}

/// Where copies of databases are read.
pub(crate) struct Reader {
    folder: TempDir,
    runtime: Runtime,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir_in(rotate_fixtures::memory_folder()).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    /// The journal among these files.
    pub(crate) fn read(&self, files: &Files) -> Journal {
        match self.copy(files) {
            Some(database) => self.runtime.block_on(read(&database)).expect("the journal can be read"),
            None => Journal::default(),
        }
    }

    /// Checks the whole chain among these files, as `audit verify` does.
    pub(crate) fn verify(&self, files: &Files) {
        let database = self.copy(files).expect("there is a journal");
        self.runtime.block_on(async {
            let store = SqliteStore::open(&database).await.unwrap();
            store.verify().await.unwrap();
        });
    }

    fn copy(&self, files: &Files) -> Option<std::path::PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let database = self.folder.path().join("rotate.db");
        for ending in ["db-wal", "db-shm", "db"] {
            let copy = database.with_extension(ending);
            let _ = std::fs::remove_file(&copy);
            if let Some(bytes) = files.bytes(Path::new("state/rotate").with_extension(ending)) {
                std::fs::write(&copy, bytes).unwrap();
                std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        database.exists().then_some(database)
    }
}

async fn read(database: &Path) -> Result<Journal, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = options.connect().await?;
    let journal = tables(&mut connection).await;
    let _ = connection.close().await;
    journal
}

async fn tables(connection: &mut SqliteConnection) -> Result<Journal, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema ORDER BY name")
        .fetch_all(&mut *connection)
        .await?;
    // Killed before the tables were made.
    if !["events", "sealed"]
        .iter()
        .all(|name| tables.iter().any(|table| table == name))
    {
        return Ok(Journal {
            tables,
            ..Journal::default()
        });
    }
    let rows = sqlx::query("SELECT target, rotation, at, body FROM events ORDER BY seq")
        .fetch_all(&mut *connection)
        .await?;
    let lines = rows.iter().map(|row| {
        let (at, body): (String, String) = (row.get("at"), row.get("body"));
        Line {
            target: row.get("target"),
            rotation: row.get("rotation"),
            at: at.parse().unwrap(),
            body: serde_json::from_str(&body).unwrap(),
        }
    });
    let lines = lines.collect();
    let rows = sqlx::query("SELECT rotation, name, bytes FROM sealed ORDER BY name")
        .fetch_all(&mut *connection)
        .await?;
    let told = told(connection, &tables).await?;
    let sealed = rows.iter().map(|row| Sealed {
        rotation: row.get("rotation"),
        name: row.get("name"),
        bytes: row.get("bytes"),
    });
    Ok(Journal {
        sealed: sealed.collect(),
        lines,
        tables,
        waiting: told.iter().filter(|line| line.starts_with("waits ")).count(),
        told,
    })
}

/// What asks for that, of either store.
pub(crate) const TOLD: [&str; 3] = [
    "SELECT 'waits ' || kind || ' ' || id || ' ' || target || ' ' || tries || ' ' || next_at FROM outbox ORDER BY seq",
    "SELECT 'knows ' || target || ' ' || state FROM told ORDER BY target",
    "SELECT 'digest ' || name || ' ' || digest_at || ' ' || dropped FROM notifiers ORDER BY name",
];

/// What people were told and are to be told, in so far as it decides what happens next.
async fn told(connection: &mut SqliteConnection, tables: &[String]) -> Result<Vec<String>, sqlx::Error> {
    if !tables.iter().any(|table| table == "outbox") {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    for asked in TOLD {
        told.extend(
            sqlx::query_scalar::<_, String>(asked)
                .fetch_all(&mut *connection)
                .await?,
        );
    }
    Ok(told)
}
