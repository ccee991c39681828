//! Who is told what, and when: the real program with a receiver that keeps all that it is sent.
//!
//! Leans on the strict fake of the cloud only to bring targets into each state.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod bad_input;
mod configured;
mod digest;
mod forgotten;
mod later;
mod mail;
mod needs;
mod shown;
mod standing;
mod stubborn;
mod told;
mod words;

use jiff::SignedDuration;
use rotate_fixtures::receiver::{Call, Receiver};
use rotate_fixtures::{FleetWorkplace, Ran, has};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What the webhook is signed with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const WEBHOOK: &str =
    "[[notify]]\nname = \"ops\"\nwebhook = { url_env = \"HOOK_URL\", secret_env = \"HOOK_SECRET\" }\n";

/// A fleet, of whose states somebody is told.
struct Desk {
    place: FleetWorkplace,
    receiver: Receiver,
}

impl Desk {
    /// With this in its file beside the defaults.
    fn with(notify: &str) -> Self {
        let mut place = FleetWorkplace::new(ROTATE);
        place.configure(&format!("[defaults]\naws_calls_per_second = 0\n{notify}"));
        Self {
            place,
            receiver: Receiver::start(),
        }
    }

    /// With a webhook, and one user whose key is due.
    fn new() -> Self {
        let mut desk = Self::with(WEBHOOK);
        desk.place.add_user("main", DAY * 170, "owner = \"data@example.com\"");
        desk
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = self.place.command(arguments);
        command
            .env("HOOK_URL", self.receiver.url())
            .env("HOOK_SECRET", SECRET)
            .envs(environment.iter().copied());
        Ran::of(command)
    }

    /// The notices since the last time, as documents.
    fn told(&self) -> Vec<Value> {
        self.receiver.take().iter().map(Call::document).collect()
    }

    /// All that is kept in the journal's database, a line each row: its file alone does not tell, for SQLite writes beside it first.
    fn kept(&self) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.place.state().join("rotate.db"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let mut connection = options.read_only(true).connect().await.unwrap();
            let columns = "SELECT m.name, group_concat('quote(' || c.name || ')', ' || '','' || ')
                FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name";
            let tables: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&mut connection).await.unwrap();
            let mut rows = Vec::new();
            for (table, columns) in tables {
                let every = format!("SELECT '{table}: ' || {columns} FROM {table} ORDER BY 1");
                let every = sqlx::query_scalar(sqlx::AssertSqlSafe(every));
                let every: Vec<String> = every.fetch_all(&mut connection).await.unwrap();
                rows.extend(every);
            }
            rows
        })
    }

    /// Somebody with an editor changes the journal's database.
    fn change(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.place.state().join("rotate.db"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let mut connection = options.connect().await.unwrap();
            let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
            let changed = changed.execute(&mut connection).await;
            assert!(changed.unwrap().rows_affected() > 0, "{sql}");
            connection.close().await.unwrap();
        });
    }

    /// Their types alone.
    fn kinds(&self) -> Vec<String> {
        kinds(&self.told())
    }

    /// Neither the secret of any key nor that of the webhook is in this.
    #[track_caller]
    fn no_secret_in(&self, text: &str) {
        assert!(!has(text.as_bytes(), self.place.cloud.canary().as_bytes()), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

fn kinds(told: &[Value]) -> Vec<String> {
    told.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
}
