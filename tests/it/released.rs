//! A journal of each release is kept in `tests/released/`, as its program wrote it: this one reads it, proves it, tells the same of it,
//! and goes on with it.
//!
//! `ROTATE_BLESS=1` keeps one of the version of `Cargo.toml`, where there is none yet; what a release has written is never written anew.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rotate_fixtures::place::Place;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace, memory_folder};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The rotation by hand that each of them has, half-way.
const BY_HAND: [&str; 6] = [
    "freshdesk",
    "--domain",
    "acme",
    "--agent",
    "gainsight@acme.com",
    "--begin",
];
const BY_HAND_TARGET: &str = "freshdesk/acme";

/// What is kept of a release: the tables as statements, the identity that opens what waits, and what its own program told of them.
const KEPT: [&str; 3] = ["journal.sql", "identity.age", "told.json"];

fn releases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/released")
}

#[tokio::test]
async fn a_journal_of_each_release_is_proven_told_the_same_and_goes_on() {
    let this = releases().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("ROTATE_BLESS").is_some() && !this.exists() {
        keep(&this).await;
    }
    let mut read = 0;
    for release in fs::read_dir(releases()).expect("journals are kept") {
        read += 1;
        goes_on(&release.expect("an entry").path()).await;
    }
    assert!(read > 0, "no journal is kept");
}

#[test]
fn each_release_of_the_changelog_has_its_journal_here() {
    let changelog = include_str!("../../CHANGELOG.md");
    for line in changelog.lines().filter_map(|line| line.strip_prefix("## ")) {
        let version = line.split(' ').next().unwrap_or_default();
        let kept = releases().join(version);
        let is_there = version == "Unreleased" || KEPT.iter().all(|name| kept.join(name).is_file());
        assert!(
            is_there,
            "{} is not whole: docs/release.md says how it is made",
            kept.display()
        );
    }
}

/// Has this program do what leaves something of each kind, and keeps that.
async fn keep(release: &Path) {
    let place = Workplace::new(ROTATE);
    // One that has ended, and one that waits for a person while its new secret lies sealed.
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    place.run(BY_HAND).expect(0);
    for _ in 0..3 {
        let next = next_step(&told(place.command(["status", "--output", "json"])));
        place.run(["done", BY_HAND_TARGET, &next]).expect(0);
    }
    let told = told(place.command(["status", "--output", "json"]));
    fs::create_dir_all(release).expect("the folder can be made");
    let write = |name: &str, text: &str| fs::write(release.join(name), text).expect("it can be written");
    write("journal.sql", &dump(&place.state().join("rotate.db")).await);
    fs::copy(place.state().join("identity.age"), release.join("identity.age")).expect("it can be copied");
    let verified = Ran::of(place.command(["audit", "verify", "--output", "json"]))
        .expect(0)
        .json();
    let kept = serde_json::json!({ "events": verified["events"], "head": verified["head"], "targets": states(&told) });
    write("told.json", &format!("{kept:#}\n"));
}

/// Puts a kept journal into a state folder, and has this program go on with it.
async fn goes_on(release: &Path) {
    let shown = release.display();
    let place = Place::new(Path::new(ROTATE), &memory_folder());
    let command = |words: &[&str]| place.command(std::iter::empty::<(&str, &str)>(), words);
    let run = |words: &[&str]| Ran::of(command(words));
    restore(release, &place.state()).await;
    let kept: Value =
        serde_json::from_slice(&fs::read(release.join("told.json")).expect("it is kept")).expect("it is JSON");

    let verified = run(&["audit", "verify", "--output", "json"]).expect(0).json();
    assert_eq!(
        (&verified["events"], &verified["head"]),
        (&kept["events"], &kept["head"]),
        "{shown}"
    );
    let standing = told(command(&["status", "--output", "json"]));
    assert_eq!(states(&standing), kept["targets"], "{shown}");
    run(&["audit", TARGET]).expect(0);
    let report = run(&["report", "--output", "json"]).expect(0).json();
    let credentials = report["report"]["credentials"].as_array().expect("a list");
    let rotations = credentials
        .iter()
        .flat_map(|it| it["rotations"].as_array().expect("a list"));
    let journal = fs::read_to_string(release.join("journal.sql")).expect("it is kept");
    for rotation in rotations.filter(|_| !journal.contains("\"request\"")) {
        assert_eq!(rotation["request_ids"], Value::Null, "{shown}");
    }
    let page = run(&["report"]).expect(0).stdout;
    assert!(
        page.contains("Request ids</dt><dd><span class=\"none\">not recorded"),
        "{shown}"
    );

    let next = next_step(&standing);
    run(&["done", BY_HAND_TARGET, &next]).expect(0);
    let after = run(&["audit", "verify", "--output", "json"]).expect(0).json();
    let grown = after["events"].as_i64() > kept["events"].as_i64();
    assert!(grown && after["head"] != kept["head"], "{shown}: {after}");
    let head = kept["head"].as_str().expect("a head is kept");
    run(&["audit", "verify", "--against", head]).expect(0);
}

fn told(command: std::process::Command) -> Value {
    Ran::of(command).expect(0).json()
}

/// Each target with its state.
fn states(told: &Value) -> Value {
    let targets = told["targets"].as_array().expect("there are targets");
    targets
        .iter()
        .map(|target| serde_json::json!([target["name"], target["state"]]))
        .collect()
}

/// The step that is next in the rotation by hand: the last word of what is said to be done next.
fn next_step(told: &Value) -> String {
    let targets = told["targets"].as_array().expect("there are targets");
    let target = targets.iter().find(|target| target["name"] == BY_HAND_TARGET);
    let next = target.and_then(|target| target["next"]["command"].as_str()?.rsplit(' ').next());
    next.unwrap_or_else(|| panic!("no step is open: {told}")).to_owned()
}

/// A database as statements, in an order that does not change.
async fn dump(database: &Path) -> String {
    let mut raw = open(database, false).await;
    let mut text = String::new();
    for setting in ["application_id", "user_version"] {
        let value: i64 = sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA {setting}")))
            .fetch_one(&mut raw)
            .await
            .expect("it answers")
            .get(0);
        text.push_str(&format!("PRAGMA {setting} = {value};\n"));
    }
    let made = "SELECT sql, name, type FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type <> 'table', rowid";
    let made = sqlx::query(made).fetch_all(&mut raw).await.expect("it answers");
    for row in &made {
        text.push_str(&format!("{};\n", row.get::<String, _>(0)));
    }
    for table in made
        .iter()
        .filter(|row| row.get::<String, _>(2) == "table")
        .map(|row| row.get::<String, _>(1))
    {
        let columns = sqlx::query("SELECT name FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut raw)
            .await
            .expect("it answers");
        let quoted: Vec<String> = columns
            .iter()
            .map(|row| format!("quote(\"{}\")", row.get::<String, _>(0)))
            .collect();
        let rows = format!("SELECT {} FROM \"{table}\" ORDER BY 1", quoted.join(" || ',' || "));
        for row in sqlx::query(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut raw)
            .await
            .expect("it answers")
        {
            text.push_str(&format!(
                "INSERT INTO \"{table}\" VALUES ({});\n",
                row.get::<String, _>(0)
            ));
        }
    }
    raw.close().await.expect("it can be closed");
    text
}

/// A state folder with what is kept of a release.
async fn restore(release: &Path, state: &Path) {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    fs::create_dir_all(state).expect("the folder can be made");
    mode(state, 0o700);
    let (database, identity) = (state.join("rotate.db"), state.join("identity.age"));
    let mut raw = open(&database, true).await;
    let statements = fs::read_to_string(release.join("journal.sql")).expect("it is kept");
    let executed = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut raw).await;
    executed.unwrap_or_else(|error| panic!("{}: {error}", release.display()));
    raw.close().await.expect("it can be closed");
    fs::copy(release.join("identity.age"), &identity).expect("it is kept");
    mode(&database, 0o600);
    mode(&identity, 0o600);
}

async fn open(database: &Path, create: bool) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(create)
        .foreign_keys(false);
    options.connect().await.expect("it is a database")
}
