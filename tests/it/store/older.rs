//! What an older version wrote, word for word: there was one kind of vendor, a spec named no other, and a line no lease.

use super::*;

/// The first lines of a rotation with their times, as they lie in databases that are in use.
const LINES: [(&str, &str); 3] = [
    (
        "2026-09-21T14:13:20Z",
        r#"{"event":"opened","charter":{"connector":"s3-customer-managed","inputs":{"user":"u"},"destinations":["d"],"cutover":"confirm","soak_seconds":0,"observe_seconds":86400,"allowance_seconds":0,"owner":{"account":"111122223333","name":"u","id":"AIDAEXAMPLE"},"old_key":"AKIAOLD"}}"#,
    ),
    (
        "2026-09-21T14:13:21Z",
        r#"{"event":"create-intended","ids_before":["AKIAOLD"]}"#,
    ),
    ("2026-09-21T14:13:22Z", r#"{"event":"created","key":"AKIANEW"}"#),
];

/// The last line's hash, as a person may have noted it down.
const HEAD: &str = "cb3d3415382dcf96e7d53b3129e13e8fcb8374a8e255b13b2b52967b08dbeafd";

/// The tables, as the first format had them.
const SCHEMA: &str = "
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, rotation TEXT NOT NULL, target TEXT NOT NULL, revision INTEGER NOT NULL,
    at TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_rotation ON events (rotation, revision);
CREATE INDEX events_of_target ON events (target, seq);
CREATE TABLE rotations (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, revision INTEGER NOT NULL, closed INTEGER NOT NULL,
    updated_at TEXT NOT NULL, snapshot TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_rotation ON rotations (target) WHERE closed = 0;
CREATE TABLE targets (name TEXT PRIMARY KEY, latest TEXT NOT NULL REFERENCES rotations (id)) STRICT, WITHOUT ROWID;
CREATE TABLE sealed (
    rotation TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (rotation, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), fence INTEGER NOT NULL) STRICT;
INSERT INTO lease VALUES (1, 0);
PRAGMA application_id = 0x726f7461;
PRAGMA user_version = 1;
";

/// What was kept beside them.
const SUMMARY: &str = r#"{"charter":{"connector":"s3-customer-managed","inputs":{"user":"u"},"destinations":["d"],"cutover":"confirm","soak_seconds":0,"observe_seconds":86400,"allowance_seconds":0,"owner":{"account":"111122223333","name":"u","id":"AIDAEXAMPLE"},"old_key":"AKIAOLD"},"opened_at":"2026-09-21T14:13:20Z","attempts":[{"at":"2026-09-21T14:13:21Z","ids_before":["AKIAOLD"]}],"discarded":[],"phase":{"created":{"key":"AKIANEW","proved_at":null,"reached":[],"delivered":[]}},"undo":null,"blocked":null}"#;

/// Writes lines of one rotation, and what is kept beside them, past the program.
async fn write(place: &Embedded, lines: &[(&str, &str)], summary: &str) {
    place.execute(SCHEMA).await;
    private(place);
    let mut raw = place.raw().await;
    let mut before = vec![0; 32];
    for ((at, body), seq) in lines.iter().zip(1..) {
        before = chained(&before, seq, seq, ["r1", TARGET, at, body], None);
        let inserted = sqlx::query("INSERT INTO events VALUES (?, 'r1', ?, ?, ?, ?, ?)")
            .bind(seq)
            .bind(TARGET)
            .bind(seq)
            .bind(*at)
            .bind(*body)
            .bind(&before)
            .execute(&mut raw)
            .await;
        inserted.expect("the database itself has no objection");
    }
    let (last, _) = lines.last().expect("there are lines");
    let kept = sqlx::query("INSERT INTO rotations VALUES ('r1', ?, ?, 0, ?, ?)")
        .bind(TARGET)
        .bind(i64::try_from(lines.len()).expect("they are few"))
        .bind(*last)
        .bind(summary)
        .execute(&mut raw)
        .await;
    kept.expect("the database itself has no objection");
    let named = sqlx::query("INSERT INTO targets VALUES (?, 'r1')")
        .bind(TARGET)
        .execute(&mut raw)
        .await;
    named.expect("the database itself has no objection");
    for beside in [
        "UPDATE lease SET fence = 1",
        "INSERT INTO sealed SELECT 'r1', 'new-key', x'00' FROM events WHERE body LIKE '%\"created\"%'",
    ] {
        let written = sqlx::query(beside).execute(&mut raw).await;
        written.expect("the database itself has no objection");
    }
    raw.close().await.expect("it can be closed");
}

#[tokio::test]
async fn a_rotation_that_an_older_version_opened_is_read_verified_and_brought_to_its_end() {
    let place = Embedded::new();
    write(&place, &LINES, SUMMARY).await;
    let store = place.open().await;
    let verified = store.verify().await.expect("it is intact");
    assert_eq!(
        (verified.events, verified.rotations, verified.head.as_str()),
        (3, 1, HEAD)
    );
    let stored = store.latest(TARGET).await.expect("it is intact").expect("it is there");
    let spec = &stored.rotation.automated().expect("the program takes it").spec;
    assert_eq!(spec.retirement, Retirement::Disable);
    assert!(!spec.mints_locally && !spec.own_identity);
    let issued = stored
        .rotation
        .automated()
        .and_then(|rotation| rotation.new_key.as_ref())
        .expect("there is a new key");
    assert_eq!((issued.key.as_str(), &issued.public), ("AKIANEW", &None));
    let summaries = store.summaries().await.expect("they can be read");
    assert_eq!(summaries.len(), 1);
    assert_eq!(summaries[0].rotation, stored.rotation);

    // Who only reads leaves the file to the version that wrote it.
    assert_eq!(place.number("PRAGMA user_version").await, 1);
    let lease = store.lease().await.expect("nobody else has it");
    assert_eq!(place.number("PRAGMA user_version").await, 3);
    let mut growing = Growing {
        revision: stored.revision,
        rotation: Some(stored.rotation),
        ..Growing::new("r1", TARGET)
    };
    growing.add_all(&*store, &lease, &to_the_end()).await;
    assert_eq!(store.verify().await.expect("it is intact").events, 13);
    assert_eq!(place.number("SELECT count(*) FROM events WHERE fence = 0").await, 3);
    assert_eq!(place.number("SELECT count(*) FROM events WHERE fence = 2").await, 10);
    let again = place.open().await;
    assert_eq!(again.verify().await.expect("it is intact").events, 13);
    let retired = store.retired(TARGET).await.expect("it can be read");
    assert_eq!(retired, [KeyId::parse("AKIAOLD").expect("the name of a key")]);
}

#[tokio::test]
async fn of_the_first_kind_of_vendor_the_same_is_written_as_ever() {
    let place = Embedded::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let mut growing = Growing::new("r1", TARGET);
    growing
        .add_all(&*store, &lease, &[opened("AKIAOLD"), intended(), created()])
        .await;
    assert_eq!(place.text("SELECT body FROM events WHERE seq = 1").await, LINES[0].1);
    assert_eq!(place.text("SELECT body FROM events WHERE seq = 2").await, LINES[1].1);
    assert_eq!(place.text("SELECT body FROM events WHERE seq = 3").await, LINES[2].1);
    assert_eq!(place.text("SELECT snapshot FROM rotations").await, SUMMARY);
}

#[tokio::test]
async fn a_line_that_spells_out_what_goes_without_saying_was_not_written_by_the_program() {
    let opened_only = SUMMARY
        .replace(r#"[{"at":"2026-09-21T14:13:21Z","ids_before":["AKIAOLD"]}]"#, "[]")
        .replace(
            r#"{"created":{"key":"AKIANEW","proved_at":null,"reached":[],"delivered":[]}}"#,
            r#""opened""#,
        );
    let first = |more: &str| LINES[0].1.replace("}}", &format!("{more}}}}}"));
    let plain = Embedded::new();
    write(&plain, &[(LINES[0].0, &first(""))], &opened_only).await;
    let stored = plain.open().await.latest(TARGET).await.expect("it is intact");
    assert!(stored.is_some());

    for more in [
        r#","retirement":"disable""#,
        r#","mints_locally":false"#,
        r#","own_identity":false"#,
        r#","retirement":{"remove":{"public":"MIIB","surprise":1}}"#,
        r#","surprise":1"#,
    ] {
        let place = Embedded::new();
        write(&place, &[(LINES[0].0, &first(more))], &opened_only).await;
        let store = place.open().await;
        let found = [store.verify().await.err(), store.latest(TARGET).await.err()];
        for error in found {
            let told = error.map(|error| error.to_string()).unwrap_or_default();
            let why = ["says more than this version", "cannot be read"];
            assert!(
                told.contains("event 1") && why.iter().any(|why| told.contains(why)),
                "{more}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_database_without_an_outbox_is_read_as_it_is_and_gets_one_from_the_first_who_writes() {
    let place = Embedded::new();
    drop(place.open().await);
    for before in [
        "DROP TABLE told",
        "DROP TABLE outbox",
        "DROP TABLE notifiers",
        "PRAGMA user_version = 2",
    ] {
        place.execute(before).await;
    }
    let store = place.open().await;
    assert_eq!(
        store.outbox().await.expect("it can be read"),
        rotate::store::Outbox::default()
    );
    assert!(store.told().await.expect("it can be read").is_empty());
    assert_eq!(place.number("PRAGMA user_version").await, 2);
    drop(store.lease().await.expect("nobody else has it"));
    assert_eq!(place.number("PRAGMA user_version").await, 3);
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
    // One that has lost it since is damaged.
    place.execute("DROP TABLE outbox").await;
    let refused = place.refused().await;
    assert!(refused.to_string().contains("it has no TABLE outbox"), "{refused}");
}
