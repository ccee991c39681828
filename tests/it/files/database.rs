//! Somebody with an editor for the database: what is shown and acted upon goes by the chain, and nothing of theirs runs in it.

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A rotation that waits for a person, with two secrets sealed.
fn waiting() -> Workplace {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    place
}

fn change(place: &Workplace, sql: &str) {
    let options = SqliteConnectOptions::new().filename(place.state().join("rotate.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let mut connection = options.connect().await.expect("it can be opened");
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await;
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("it can be closed");
    });
}

/// Every command, of those that act and those that look, is refused with these words, and no call is made.
fn no_command_works(place: &Workplace, words: &[&str]) {
    let calls = place.cloud.call_count();
    for command in [
        &["status"][..],
        &["status", TARGET],
        &["audit", "verify"],
        &["run"],
        &["confirm", TARGET],
        &["abort", TARGET],
        &["rollback", TARGET],
    ] {
        place.run(command).expect(1).says(words);
    }
    Ran::of(place.rotate([""; 0])).expect(1).says(words);
    assert_eq!(place.cloud.call_count(), calls, "a refused command made calls");
}

#[test]
fn a_database_with_anything_in_it_that_rotate_has_not_made_is_refused() {
    for (sql, words) in [
        (
            "CREATE TRIGGER evil AFTER INSERT ON events BEGIN DELETE FROM sealed; END",
            "it has a trigger evil that rotate has not made",
        ),
        ("CREATE VIEW evil AS SELECT * FROM events", "it has a view evil"),
        ("CREATE TABLE evil (x)", "it has a table evil"),
        ("CREATE INDEX evil ON events (at)", "it has a index evil"),
        (
            "ALTER TABLE events RENAME TO hidden; CREATE VIEW events AS SELECT * FROM hidden",
            "that rotate has not made",
        ),
        (
            "DROP INDEX one_open_rotation",
            "it has no UNIQUE INDEX one_open_rotation",
        ),
        (
            "DROP TABLE lease; CREATE TABLE lease (one INTEGER PRIMARY KEY, fence INTEGER NOT NULL) STRICT; \
             INSERT INTO lease VALUES (1, 9), (2, 7)",
            "it has a table lease that rotate has not made",
        ),
        ("ALTER TABLE events ADD COLUMN more TEXT", "it has a table events"),
    ] {
        let place = waiting();
        change(&place, sql);
        no_command_works(&place, &["rotate.db", "is damaged", words, "nothing was touched"]);
    }
}

#[test]
fn statistics_that_an_administrator_has_had_made_are_nothing_foreign() {
    let place = waiting();
    change(&place, "ANALYZE");
    place.run(["confirm", TARGET]).expect(0);
}

#[test]
fn a_summary_that_the_journal_does_not_lead_to_is_neither_shown_nor_acted_upon() {
    let words = ["the journal was changed after it was written"];
    for sql in [
        "UPDATE rotations SET snapshot = replace(snapshot, '\"confirm\"', '\"immediate\"')",
        "UPDATE rotations SET snapshot = replace(snapshot, 'AKIA', 'EVIL')",
        "UPDATE rotations SET revision = revision - 1",
        "UPDATE rotations SET target = 's3-customer-managed/other'",
        "DELETE FROM targets",
        "DELETE FROM targets; DELETE FROM rotations",
        "UPDATE targets SET name = 's3-customer-managed/other'",
        "INSERT INTO rotations SELECT 'zz', 'other', revision, 1, updated_at, snapshot FROM rotations; \
         INSERT INTO targets VALUES ('other', 'zz')",
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
    ] {
        let place = waiting();
        let before = place.picture();
        change(&place, &format!("PRAGMA foreign_keys = OFF; {sql}"));
        let calls = place.cloud.call_count();
        for command in [&["status"][..], &["audit", "verify"], &["run"]] {
            let ran = place.run(command);
            assert_eq!(ran.code, Some(1), "{sql}: {command:?}: {ran:#?}");
            ran.says(&words);
        }
        assert_eq!(place.cloud.call_count(), calls, "{sql}");
        drop(before);
    }
}

#[test]
fn what_was_seen_between_rotations_is_held_against_the_journal_too() {
    let mut place = rotate_fixtures::FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    place.add_user("one", jiff::SignedDuration::from_hours(24 * 30), "");
    place.run(["run"]).expect(0);
    place.run(["status"]).expect(0);
    let options = SqliteConnectOptions::new().filename(place.state().join("rotate.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let mut connection = options.connect().await.expect("it can be opened");
        // Whoever could do this would have a key pass for a young one.
        let changed = sqlx::query(
            "UPDATE rotations SET snapshot = replace(snapshot, '\"20', '\"19') WHERE target GLOB 'watch:*'",
        )
        .execute(&mut connection)
        .await;
        assert_eq!(changed.expect("it can be changed").rows_affected(), 1);
        connection.close().await.expect("it can be closed");
    });
    for command in ["status", "run", "plan"] {
        place
            .run([command])
            .expect(1)
            .says(&["the journal was changed after it was written"]);
    }
}

#[test]
fn a_sealed_secret_that_was_edited_moved_removed_or_planted_is_found_by_verify() {
    for (sql, words) in [
        ("UPDATE sealed SET bytes = x'00'", "cannot be used"),
        (
            "UPDATE sealed SET bytes = (SELECT bytes FROM sealed WHERE name = 'new-key') WHERE name GLOB 'before/*'",
            "belongs elsewhere",
        ),
        (
            "DELETE FROM sealed WHERE name = 'new-key'",
            "has sealed new-key, which is missing",
        ),
        (
            "DELETE FROM sealed WHERE name GLOB 'before/*'",
            "has sealed before/file:",
        ),
        (
            "INSERT INTO sealed SELECT rotation, 'evil', bytes FROM sealed WHERE name = 'new-key'",
            "evil is sealed for rotation",
        ),
        (
            "INSERT INTO sealed VALUES ('zz', 'new-key', x'00')",
            "is sealed for rotation zz",
        ),
    ] {
        let place = waiting();
        place.run(["audit", "verify"]).expect(0);
        change(&place, sql);
        let ran = place.run(["audit", "verify"]);
        assert_eq!(ran.code, Some(1), "{sql}: {ran:#?}");
        ran.says(&[words]);
        let doctor = place.run(["doctor"]);
        assert_eq!(doctor.code, Some(1), "{sql}: {doctor:#?}");
    }
}

#[test]
fn an_undo_stops_where_what_a_destination_held_is_missing_from_the_store() {
    let place = waiting();
    let delivered = std::fs::read(place.delivered()).expect("it was delivered");
    change(&place, "DELETE FROM sealed WHERE name GLOB 'before/*'");
    let ran = place.run(["abort", TARGET]).expect(1);
    ran.says(&[
        "a sealed secret that the journal tells of is missing",
        "restore the state folder from a backup",
    ]);
    // Whoever reads the destination goes on with what it holds.
    assert_eq!(std::fs::read(place.delivered()).expect("it is there"), delivered);
    let key = place.delivered_key().expect("a key");
    assert!(place.cloud.works(&key.id, &key.secret));
}

#[test]
fn a_count_of_leases_that_was_changed_is_found() {
    for sql in [
        "DELETE FROM lease",
        "UPDATE lease SET fence = 0",
        "UPDATE lease SET fence = -5",
        "UPDATE lease SET fence = fence - 1",
    ] {
        let place = waiting();
        change(&place, sql);
        place
            .run(["audit", "verify"])
            .expect(1)
            .says(&["is damaged", "the count of its leases was changed"]);
    }
    let place = waiting();
    change(&place, "DELETE FROM lease");
    let calls = place.cloud.call_count();
    place
        .run(["run"])
        .expect(1)
        .says(&["the count of its leases is missing", "nothing was touched"]);
    assert_eq!(place.cloud.call_count(), calls);
}

#[test]
fn the_identity_of_another_state_folder_is_found_by_verify_and_mends_when_it_is_put_back() {
    let (place, other) = (waiting(), waiting());
    let path = place.state().join("identity.age");
    let (own, theirs) = (
        std::fs::read(&path).expect("it is there"),
        std::fs::read(other.state().join("identity.age")).expect("it is there"),
    );
    std::fs::write(&path, theirs).expect("it is ours");
    place.run(["audit", "verify"]).expect(1).says(&[
        TARGET,
        "cannot be opened with this identity",
        "restore the state folder from a backup",
    ]);
    std::fs::remove_file(&path).expect("it is ours");
    place
        .run(["audit", "verify"])
        .expect(1)
        .says(&["identity.age is missing"]);
    std::fs::write(&path, own).expect("the folder is ours");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    place.run(["audit", "verify"]).expect(0);
    place.run(["confirm", TARGET]).expect(0);
}
