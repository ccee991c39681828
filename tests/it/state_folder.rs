//! The state folder, where it cannot be trusted: open to others, damaged, from a later version, changed by hand, or
//! without its identity. Every command refuses it, says why and what to do, and touches nothing.
//!
//! Leans on SQLite itself and the real file system for the damage, and on the strict fake for the proof that no key was
//! changed.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The commands that act, and those that only look.
const WORDS: [&[&str]; 4] = [
    &["run"],
    &["confirm", TARGET],
    &["abort", TARGET],
    &["rollback", TARGET],
];
const LOOKS: [&[&str]; 4] = [&["status"], &["status", TARGET], &["audit"], &["audit", "verify"]];

/// A rotation that waits for a person.
fn waiting() -> Workplace {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

fn database(place: &Workplace) -> PathBuf {
    place.state().join("rotate.db")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every command that acts is refused with these words.
fn no_command_acts(place: &Workplace, words: &[&str]) {
    let calls = place.cloud.call_count();
    for arguments in WORDS {
        place.run(arguments).expect(1).says(words);
    }
    Ran::of(place.rotate([""; 0])).expect(1).says(words);
    assert_eq!(place.cloud.call_count(), calls, "a refused command made calls");
}

/// Every command is refused with these words.
fn no_command_works(place: &Workplace, words: &[&str]) {
    no_command_acts(place, words);
    for arguments in LOOKS {
        place.run(arguments).expect(1).says(words);
    }
    Ran::of(place.rotate(["--dry-run"])).expect(1).says(words);
}

/// Damages the state of a waiting rotation, has every command refused, mends it, and has the rotation confirmed.
fn refused_until_mended(damage: impl Fn(&Workplace), refused: impl Fn(&Workplace)) {
    let place = waiting();
    // What SQLite has not moved into the database itself yet is moved by this.
    change(&place, "PRAGMA wal_checkpoint(TRUNCATE)");
    let before = place.picture();
    let backup = place.path("backup");
    let copied = rotate_fixtures::tool("cp")
        .arg("-a")
        .arg(place.state())
        .arg(&backup)
        .status()
        .unwrap();
    assert!(copied.success());
    damage(&place);
    refused(&place);
    set_mode(&place.state(), 0o700);
    fs::remove_dir_all(place.state()).unwrap();
    fs::rename(&backup, place.state()).unwrap();
    assert_eq!(place.picture(), before, "something was touched");
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
}

/// Changes the database by hand.
fn change(place: &Workplace, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(database(place));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Overwrites the database from this byte on.
fn overwrite(place: &Workplace, from: usize) {
    let path = database(place);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > from);
    bytes[from..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    for companion in ["rotate.db-wal", "rotate.db-shm"] {
        let _ = fs::remove_file(place.state().join(companion));
    }
}

#[test]
fn a_folder_that_others_may_open_is_refused_with_the_way_to_close_it() {
    for mode in [0o755, 0o750, 0o777] {
        refused_until_mended(
            |place| set_mode(&place.state(), mode),
            |place| {
                let close = format!("chmod 700 {}", place.state().display());
                no_command_works(place, &["other users may open it", &format!("mode {mode:04o}"), &close]);
            },
        );
    }
}

#[test]
fn a_folder_that_others_may_open_is_refused_before_the_first_use() {
    let place = Workplace::new(ROTATE);
    fs::create_dir(place.state()).unwrap();
    set_mode(&place.state(), 0o755);
    Ran::of(place.rotate([""; 0]))
        .expect(1)
        .says(&["chmod 700", "nothing was touched"]);
    assert_eq!(fs::read_dir(place.state()).unwrap().count(), 0);
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn a_folder_that_is_no_folder_or_cannot_be_made_is_refused() {
    let place = Workplace::new(ROTATE);
    fs::write(place.state(), "").unwrap();
    Ran::of(place.rotate([""; 0])).expect(1).says(&["it is not a folder"]);
    let mut below = place.rotate([""; 0]);
    below.arg("--state-dir").arg(place.state().join("below"));
    Ran::of(below).expect(1).says(&["cannot be made", "below"]);
    assert_eq!(place.cloud.call_count(), 0);
    place.expect_untouched();
}

#[test]
fn a_database_that_others_may_read_is_refused() {
    refused_until_mended(
        |place| set_mode(&database(place), 0o644),
        |place| no_command_works(place, &["rotate.db", "mode 0644", "chmod"]),
    );
}

#[test]
fn a_database_of_garbage_is_refused() {
    let words = [
        "rotate.db",
        "is damaged",
        "nothing was touched",
        "restore the state folder from a backup",
    ];
    refused_until_mended(|place| overwrite(place, 0), |place| no_command_works(place, &words));
}

#[test]
fn a_database_with_a_damaged_page_is_refused() {
    let words = ["rotate.db", "is damaged", "restore the state folder from a backup"];
    refused_until_mended(
        |place| overwrite(place, 4096),
        |place| {
            no_command_acts(place, &words);
            place.run(["audit", "verify"]).expect(1).says(&words);
        },
    );
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    refused_until_mended(
        |place| change(place, "PRAGMA user_version = 99"),
        |place| {
            no_command_works(
                place,
                &["format 99", "up to 3", "use the version of rotate that wrote it"],
            )
        },
    );
}

#[test]
fn a_database_of_another_program_is_refused() {
    refused_until_mended(
        |place| change(place, "PRAGMA application_id = 7"),
        |place| no_command_works(place, &["rotate.db", "belongs to another program"]),
    );
}

/// A journal changed like this is reported at this event, and no command acts on it.
fn found(sql: &'static str, event: &str, verified: &[&str]) {
    refused_until_mended(
        |place| change(place, sql),
        |place| {
            let words = ["the journal was changed after it was written", event];
            place.run(["audit", "verify"]).expect(1).says(&words).says(verified);
            no_command_acts(place, &words);
            no_command_acts(place, &["nothing was touched", "audit verify", "backup"]);
        },
    );
}

#[test]
fn a_changed_line_of_the_journal_is_found() {
    // Whoever could do this would have another key deleted, without a person's word.
    found(
        "UPDATE events SET body = replace(body, '\"confirm\"', '\"immediate\"') WHERE seq = 1",
        "event 1 of s3-customer-managed/gainsight-s3",
        &["does not fit its hash"],
    );
    found(
        "UPDATE events SET at = '2020-01-01T00:00:00Z' WHERE seq = 3",
        "event 3 of",
        &["hash"],
    );
    found("UPDATE events SET body = 'x' WHERE seq = 4", "event 4 of", &["hash"]);
}

#[test]
fn a_line_cut_out_of_the_journal_is_found() {
    found(
        "DELETE FROM events WHERE seq = 3",
        "event 4 of",
        &["event 3 is missing"],
    );
    found(
        "DELETE FROM events WHERE seq = 1",
        "event 2 of",
        &["event 1 is missing"],
    );
}

#[test]
fn a_line_cut_off_the_end_of_the_journal_is_found() {
    found(
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        "event ",
        &["is the last of its rotation"],
    );
}

#[test]
fn a_journal_cut_back_to_an_intent_is_not_acted_upon() {
    let place = waiting();
    place.run(["confirm", TARGET]).expect(0);
    place.run(["rollback", TARGET]).expect(0);
    place.expect_as_before();
    // As if the old key were still about to be disabled. Its rotation was rolled back: nothing may touch it any more.
    change(
        &place,
        "DELETE FROM events WHERE seq > (SELECT seq FROM events WHERE body LIKE '%deactivate-intended%')",
    );
    change(
        &place,
        "UPDATE rotations SET closed = 0, snapshot = replace(snapshot, '\"rolled-back\"', '\"opened\"')",
    );
    for arguments in WORDS {
        let ran = place.run(arguments);
        place.expect_as_before();
        ran.expect(1).says(&["the journal was changed", "audit verify"]);
    }
}

#[test]
fn a_line_added_to_the_journal_is_found() {
    found(
        "INSERT INTO events SELECT seq + 1, rotation, target, revision + 1, at, '{\"aborted\":null}', hash, fence
         FROM events ORDER BY seq DESC LIMIT 1",
        "does not fit its hash",
        &["event "],
    );
}

#[test]
fn a_changed_summary_is_found() {
    refused_until_mended(
        |place| {
            change(
                place,
                "UPDATE rotations SET snapshot = replace(snapshot, '\"confirm\"', '\"immediate\"')",
            )
        },
        |place| {
            let words = ["the journal was changed", "leads elsewhere than the summary"];
            place.run(["audit", "verify"]).expect(1).says(&words);
            // What acts goes by the journal, and not while the two disagree.
            place.run(["run"]).expect(1).says(&["the journal was changed"]);
            assert!(place.cloud.works(&place.old.id, &place.old.secret));
        },
    );
}

#[test]
fn a_missing_identity_is_told_and_no_other_one_made() {
    refused_until_mended(
        |place| fs::remove_file(place.state().join("identity.age")).unwrap(),
        |place| {
            no_command_acts(
                place,
                &["identity.age is missing", "nothing was touched", "restore the file"],
            );
            assert!(!place.state().join("identity.age").exists());
            place.run(["status"]).expect(0);
        },
    );
}

#[test]
fn an_identity_that_others_may_read_or_that_is_none_is_refused() {
    refused_until_mended(
        |place| set_mode(&place.state().join("identity.age"), 0o644),
        |place| no_command_acts(place, &["identity.age", "mode 0644", "chmod", "nothing was touched"]),
    );
    refused_until_mended(
        |place| fs::write(place.state().join("identity.age"), "AGE-SECRET-KEY-1BANANA").unwrap(),
        |place| {
            no_command_acts(
                place,
                &["identity.age", "nothing was touched", "restore the file from a backup"],
            )
        },
    );
}

#[test]
fn a_foreign_identity_delivers_nothing_and_disables_nothing() {
    let other = waiting();
    refused_until_mended(
        |place| {
            let theirs = fs::read(other.state().join("identity.age")).unwrap();
            fs::write(place.state().join("identity.age"), theirs).unwrap();
        },
        |place| {
            place
                .run(["confirm", TARGET])
                .expect(1)
                .says(&["restore the state folder from a backup"]);
            assert!(place.cloud.works(&place.old.id, &place.old.secret));
        },
    );
}
