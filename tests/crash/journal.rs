//! The journal as it lies on the disk, read past the program.

use std::fmt;
use std::path::Path;

use rotate::store::{SqliteStore, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// What the journal says at one moment.
#[derive(Default)]
pub(crate) struct Journal {
    /// The events' bodies of the latest rotation, oldest first.
    pub(crate) events: Vec<serde_json::Value>,
    /// How many secrets wait sealed.
    pub(crate) sealed: i64,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.events.iter().filter_map(|event| event["event"].as_str()).collect();
        write!(f, "[{}], {} sealed", names.join(" "), self.sealed)
    }
}

impl Journal {
    /// Reads it; a thread of its own, because the fake asks from inside its server.
    pub(crate) fn read(database: &Path) -> Self {
        let database = database.to_owned();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(read(&database))
        })
        .join()
        .unwrap()
    }

    /// Whether an event of this name is recorded.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.events.iter().any(|event| event["event"] == name)
    }

    /// The last event's name.
    pub(crate) fn last(&self) -> &str {
        self.events
            .last()
            .and_then(|event| event["event"].as_str())
            .unwrap_or("")
    }

    /// Whether a key may have been created whose outcome is not recorded yet.
    pub(crate) fn is_creating(&self) -> bool {
        let creation = ["create-intended", "created", "create-failed", "discarded"];
        let last = self
            .events
            .iter()
            .rev()
            .find(|event| creation.iter().any(|name| event["event"] == *name));
        last.is_some_and(|event| event["event"] == "create-intended")
    }

    /// Whether this key is named anywhere in it.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.events.iter().any(|event| event.to_string().contains(key))
    }

    /// Where the rotation stands, as the person of a flow needs to know it.
    pub(crate) fn state(&self, destinations: usize) -> &'static str {
        let undoing = self.has("undo-requested");
        match self.last() {
            "done" => "done",
            "aborted" => "aborted",
            "rolled-back" => "rolled-back",
            "" => "idle",
            _ if undoing => "undoing",
            "soaking" | "delete-intended" | "deleted" => "soaking",
            "proved" if self.events.iter().any(|event| event["event"] == "soaking") => "soaking",
            _ if self.has("deactivated") => "deactivated",
            _ if self.has("deactivate-intended") => "deactivating",
            _ if self.has("cut-over") => "cut-over",
            "delivered" if self.count("delivered") >= destinations => "awaiting-cutover",
            _ => "opened",
        }
    }

    fn count(&self, name: &str) -> usize {
        self.events.iter().filter(|event| event["event"] == name).count()
    }
}

/// Checks the whole chain, as `audit verify` does.
pub(crate) fn verify(database: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(database).await.unwrap();
        store.verify().await.unwrap();
    });
}

async fn read(database: &Path) -> Journal {
    if !database.exists() {
        return Journal::default();
    }
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = options.connect().await.unwrap();
    let bodies: Result<Vec<String>, _> = sqlx::query_scalar(
        "SELECT body FROM events WHERE rotation = (SELECT rotation FROM events ORDER BY seq DESC LIMIT 1) ORDER BY seq",
    )
    .fetch_all(&mut connection)
    .await;
    // Killed before the tables were made.
    let Ok(bodies) = bodies else {
        return Journal::default();
    };
    let sealed = sqlx::query_scalar("SELECT count(*) FROM sealed")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let _ = connection.close().await;
    Journal {
        events: bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect(),
        sealed,
    }
}
