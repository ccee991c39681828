//! The journal on a real PostgreSQL server, in a schema of the walk's own. A world's part there is every row of every table, as the
//! server writes rows down; nothing here knows what the tables are but for those that a journal is read from.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use rotate::store::{Address, PostgresStore, Store};
use rotate_fixtures::{Postgres, memory_folder};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row};

use crate::crash::book::Book;
use crate::crash::files::Files;
use crate::crash::journal::{Journal, Line, Sealed};

const DATABASE: &str = "postgres";

/// Where the program finds the URL.
const URL: &str = "ROTATE_WALKS_JOURNAL";

/// A schema, and a connection of the test's own.
pub(crate) struct OnServer {
    client: Client,
    runtime: Runtime,
    schema: String,
    url: String,
    /// Every table of it.
    tables: Vec<String>,
    /// Those columns that hold the server's own time, each with its table.
    times: Vec<(String, String)>,
    /// The configuration, beside the world.
    folder: TempDir,
}

/// The rows of a table.
type Rows = Vec<String>;

impl OnServer {
    fn rows(&self, statement: &str) -> Vec<Row> {
        self.runtime
            .block_on(self.client.query_typed(statement, &[]))
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    fn run(&self, statements: &str) {
        self.runtime
            .block_on(self.client.batch_execute(statements))
            .unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    }

    fn texts(&self, statement: &str) -> Vec<String> {
        self.rows(statement).iter().map(|row| row.get(0)).collect()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("rotate.toml")
    }

    fn address(&self) -> Address {
        Address::parse(&self.url, &self.schema).unwrap()
    }

    /// What people were told and are to be told, in so far as it decides what happens next.
    fn told(&self) -> Vec<String> {
        crate::crash::journal::TOLD
            .iter()
            .flat_map(|asked| self.texts(asked))
            .collect()
    }
}

impl Book for OnServer {
    type Kept = Arc<Vec<(String, Rows)>>;

    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("walk_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let server = Postgres::shared_in_memory();
        let url = server.url(DATABASE);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let address = Address::parse(&url, &schema).unwrap();
        assert!(runtime.block_on(PostgresStore::migrate(&address)).is_ok());
        let (client, connection) = runtime.block_on(tokio_postgres::connect(&url, NoTls)).unwrap();
        runtime.spawn(connection);
        let folder = tempfile::tempdir_in(memory_folder()).unwrap();
        let mut book = Self {
            client,
            runtime,
            schema,
            url,
            tables: Vec::new(),
            times: Vec::new(),
            folder,
        };
        // `run` wants a target: one that is not due for as long as any walk lasts.
        let config = format!(
            "[store]\nurl_env = \"{URL}\"\nschema = \"{}\"\n\n[[target]]\nname = \"beside\"\nconnector = \"jira\"\nsite = \"desk\"\n\
             last_rotated = \"{}\"\n",
            book.schema,
            Timestamp::now().strftime("%Y-%m-%d")
        );
        std::fs::write(book.config(), config).unwrap();
        // One table names rows of another, and whoever puts all back needs no order.
        book.run(&format!(
            "SET search_path TO {}; SET session_replication_role = replica",
            book.schema
        ));
        book.tables = book.texts(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1",
        );
        let times = book.rows(
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND data_type = 'timestamp with time zone'",
        );
        book.times = times.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(book.tables.len() >= 5 && !book.times.is_empty());
        book
    }

    fn tell(&self, command: &mut Command) {
        command.env("ROTATE_CONFIG", self.config()).env(URL, &self.url);
    }

    fn kept(&self) -> Self::Kept {
        let of = |table: &String| format!("SELECT '{table}'::text AS name, t::text AS line FROM {table} t");
        let all: Vec<String> = self.tables.iter().map(of).collect();
        let found = self.rows(&format!(
            "SELECT name, line FROM ({}) AS a ORDER BY name COLLATE \"C\", line COLLATE \"C\"",
            all.join(" UNION ALL ")
        ));
        let mut kept: Vec<(String, Rows)> = self.tables.iter().map(|table| (table.clone(), Vec::new())).collect();
        for row in found {
            let name: String = row.get(0);
            let table = kept.iter_mut().find(|(table, _)| *table == name).unwrap();
            table.1.push(row.get(1));
        }
        Arc::new(kept)
    }

    fn put_back(&self, kept: &Self::Kept) {
        let now = self.kept();
        self.run("BEGIN");
        for ((table, rows), (_, now)) in kept.iter().zip(now.iter()) {
            if rows == now {
                continue;
            }
            self.run(&format!("DELETE FROM {table}"));
            let insert = format!("INSERT INTO {table} SELECT (line).* FROM (SELECT unnest($1)::{table} AS line) AS a");
            self.runtime
                .block_on(self.client.query_typed(&insert, &[(rows, Type::TEXT_ARRAY)]))
                .unwrap();
        }
        for (table, column) in &self.times {
            self.run(&format!(
                "UPDATE {table} SET {column} = clock_timestamp() - interval '1 hour'
                 WHERE isfinite({column}) AND {column} > clock_timestamp() - interval '30 minutes'"
            ));
        }
        self.run("COMMIT");
    }

    fn text(kept: &Self::Kept) -> Vec<u8> {
        let rows = kept.iter().flat_map(|(_, rows)| rows.iter().map(String::as_bytes));
        rows.collect::<Vec<_>>().join(&b'\n')
    }

    fn journal(&self, _: &Files) -> Journal {
        let lines = self.rows("SELECT target, rotation, at, body FROM events ORDER BY seq");
        let lines = lines.iter().map(|row| {
            let (at, body): (&str, &str) = (row.get(2), row.get(3));
            Line {
                target: row.get(0),
                rotation: row.get(1),
                at: at.parse().unwrap(),
                body: serde_json::from_str(body).unwrap(),
            }
        });
        let lines = lines.collect();
        let sealed = self.rows("SELECT rotation, name, bytes FROM sealed ORDER BY name");
        let sealed = sealed.iter().map(|row| Sealed {
            rotation: row.get(0),
            name: row.get(1),
            bytes: row.get(2),
        });
        let told = self.told();
        Journal {
            lines,
            sealed: sealed.collect(),
            waiting: told.iter().filter(|line| line.starts_with("waits ")).count(),
            tables: self.tables.clone(),
            told,
        }
    }

    fn verify(&self, _: &Files) {
        self.runtime.block_on(async {
            let store = PostgresStore::open(self.address()).await.unwrap();
            store.verify().await.unwrap();
        });
    }
}
