//! The store on a real PostgreSQL server: what is particular to it. Each test has a schema of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use rotate::store::{Address, Migrated, Outgoing, PostgresStore, Telling};
use rotate_fixtures::{LossyWire, Postgres};

use super::*;

/// A journal on the server that all tests of this process share.
pub(super) struct Served {
    schema: String,
}

impl Ground for Served {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("s{}_{number}", std::process::id());
        let served = Self { schema };
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.expect("a runtime can be made");
                runtime.block_on(PostgresStore::migrate(&served.address()))
            });
            made.join().expect("it does not panic").expect("the tables are made");
        });
        served
    }

    async fn open(&self) -> Box<dyn Store> {
        Box::new(PostgresStore::open(self.address()).await.expect("it can be opened"))
    }

    async fn execute(&self, sql: &str) {
        let answer = Postgres::shared().run(DATABASE, &format!("SET search_path TO {}; {sql}", self.schema));
        assert!(answer.ok, "{sql}: {}", answer.complaint);
    }

    const UNCHECKED: &str = "SET session_replication_role = replica";

    fn bytes(bytes: &[u8]) -> String {
        format!("'\\x{}'", hex(bytes))
    }
}

/// The database that every server has.
const DATABASE: &str = "postgres";

impl Served {
    fn address(&self) -> Address {
        let url = Postgres::shared().url(DATABASE);
        Address::parse(&url, &self.schema).expect("the fixture's URL is understood")
    }

    fn text(&self, sql: &str) -> String {
        let answer = Postgres::shared().run(DATABASE, &format!("SET search_path TO {}; {sql}", self.schema));
        assert!(answer.ok, "{sql}: {}", answer.complaint);
        answer.rows.trim().to_owned()
    }

    async fn refused(&self) -> StoreError {
        let opened = PostgresStore::open(self.address()).await;
        opened.err().expect("it should be refused")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_somebody_has_changed_are_refused_and_it_is_told_what() {
    for (sql, told) in [
        ("ALTER TABLE events ADD COLUMN theirs text", "column events.theirs"),
        (
            "ALTER TABLE events ALTER COLUMN hash DROP NOT NULL",
            "column events.hash: bytea, or nothing",
        ),
        ("ALTER TABLE events ALTER COLUMN body SET DEFAULT ''", "or by itself"),
        ("DROP INDEX one_open_rotation", "NOT closed"),
        ("ALTER TABLE sealed SET UNLOGGED", "table sealed is not kept"),
        ("CREATE VIEW theirs AS SELECT 1", "theirs"),
        (
            "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER theirs BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION quiet()",
            "trigger theirs of events",
        ),
        (
            "CREATE RULE theirs AS ON INSERT TO events DO INSTEAD NOTHING",
            "rule theirs of events",
        ),
        ("ALTER TABLE targets DISABLE TRIGGER ALL", "trigger"),
    ] {
        let place = Served::new();
        drop(place.open().await);
        place.execute(sql).await;
        let refused = place.refused().await;
        assert!(matches!(refused, StoreError::Unfit { .. }), "{sql}: {refused}");
        assert!(refused.to_string().contains(told), "{sql}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_later_version_are_refused_also_by_who_would_bring_them_up_to_date() {
    let place = Served::new();
    place.execute("UPDATE about SET version = 2").await;
    let refused = place.refused().await;
    assert!(
        matches!(refused, StoreError::Newer { found: 2, known: 1, .. }),
        "{refused}"
    );
    let migrated = PostgresStore::migrate(&place.address()).await;
    assert!(matches!(migrated, Err(StoreError::Newer { found: 2, known: 1, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_was_made_that_is_said_and_a_second_making_does_nothing() {
    let nowhere = Served {
        schema: format!("none_{}", std::process::id()),
    };
    let refused = nowhere.refused().await;
    assert!(
        matches!(refused, StoreError::NotMigrated { found: 0, known: 1, .. }),
        "{refused}"
    );
    let place = Served::new();
    let again = PostgresStore::migrate(&place.address()).await.expect("it is allowed");
    assert!(matches!(again, Migrated::Not));
}

/// The clock of the database alone says when a lease has ended; that nobody else has taken it makes no difference.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_has_ended_writes_nothing_although_nobody_else_has_it() {
    let place = Served::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let mut growing = Growing::new("r1", TARGET);
    growing.add_all(&*store, &lease, &[opened("AKIAOLD")]).await;
    store.still_held(&lease).await.expect("it is held");
    place
        .execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 millisecond'")
        .await;
    let refused = growing.add(&*store, &lease, intended()).await;
    assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
    let lost = store.still_held(&lease).await;
    assert!(matches!(lost, Err(StoreError::Race)), "{lost:?}");
    let told = store.tell(&lease, &[], &[("ops".to_owned(), NOW)]).await;
    assert!(matches!(told, Err(StoreError::Race)), "{told:?}");
    assert_eq!(store.journal(None).await.expect("it can be read").len(), 1);
    assert_eq!(place.text("SELECT count(*) FROM notifiers"), "0");
}

/// Less than a call may take is renewed before the call, and who comes after a holder that died waits for as long.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_before_a_call_and_outlasts_one_that_died_in_the_middle() {
    let place = Served::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let left =
        "SELECT CASE WHEN expires_at > clock_timestamp() + interval '100 s' THEN 'long' ELSE 'short' END FROM lease";
    place
        .execute("UPDATE lease SET expires_at = clock_timestamp() + interval '5 s'")
        .await;
    assert_eq!(place.text(left), "short");
    store.still_held(&lease).await.expect("it is held");
    assert_eq!(place.text(left), "long");
    // It has ended, and was not given back: a call of its holder may be under way yet.
    place
        .execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'")
        .await;
    let other = place.open().await.lease().await.map(|lease| lease.fence);
    assert!(matches!(other, Err(StoreError::Leased { .. })), "{other:?}");
    place
        .execute("UPDATE lease SET expires_at = clock_timestamp() - interval '10 min'")
        .await;
    let other = place.open().await.lease().await.expect("nobody has it any more");
    assert!(other.fence > lease.fence);
}

/// Where a standby has to have everything and there is none, a commit that is safe never comes; one that is not would come at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_yet_safe_is_none_whatever_the_database_says() {
    let server = Postgres::start_own();
    let address = || Address::parse(&server.url(DATABASE), "rotate").expect("it is understood");
    PostgresStore::migrate(&address()).await.expect("the tables are made");
    let store = PostgresStore::open(address()).await.expect("it can be opened");
    let lease = store.lease().await.expect("nobody else has it");
    drop(lease);
    for sql in [
        "ALTER DATABASE postgres SET synchronous_commit = off",
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
        "SELECT pg_reload_conf()",
    ] {
        assert!(server.run(DATABASE, sql).ok, "{sql}");
    }
    // A session that does not ask for more has what the database says: it is not kept waiting.
    let begun = std::time::Instant::now();
    while server.run(DATABASE, "SHOW synchronous_standby_names").rows.trim() != "nobody" {
        assert!(begun.elapsed().as_secs() < 20, "the server does not read its settings");
    }
    assert!(server.run(DATABASE, "CREATE TABLE at_once (x int)").ok);
    let store = PostgresStore::open(address()).await.expect("it can be opened");
    // The server's own processes read that setting one after the other.
    let begun = std::time::Instant::now();
    while tokio::time::timeout(std::time::Duration::from_secs(3), store.lease())
        .await
        .is_ok()
    {
        let is_early = begun.elapsed().as_secs() < 90;
        assert!(is_early, "it was told to be safe while no standby had it");
    }
}

/// Nobody else writes while a lease is held, so the journal ends where its holder has left it, or somebody has put it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_put_back_under_its_writer_is_written_to_no_more() {
    let place = Served::new();
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let (mut a, mut b) = (Growing::new("r1", "a"), Growing::new("r2", "b"));
    a.add_all(&*store, &lease, &[opened("AKIAOLD")]).await;
    b.add_all(&*store, &lease, &[opened("AKIAOLD"), intended()]).await;
    place
        .execute("DELETE FROM events WHERE seq = 3; UPDATE rotations SET revision = 1 WHERE id = 'r2'")
        .await;
    // The other rotation lacks nothing.
    let refused = a.add(&*store, &lease, intended()).await;
    assert!(
        matches!(refused, Err(StoreError::Changed { seq: 2, .. })),
        "{refused:?}"
    );
    let told = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("put back to an older state"), "{told}");
    assert_eq!(store.journal(None).await.expect("it can be read").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_a_database_gives_a_second_time_is_not_the_same_lease() {
    let place = Served::new();
    let (one, other) = (place.open().await, place.open().await);
    let before = one.lease().await.expect("nobody else has it");
    place
        .execute("UPDATE lease SET fence = fence - 1, token = '', expires_at = '-infinity'")
        .await;
    let after = other.lease().await.expect("nobody has it");
    assert_eq!(before.fence, after.fence);
    let refused = Growing::new("r1", "a").add(&*one, &before, opened("AKIAOLD")).await;
    assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
    let lost = one.still_held(&before).await;
    assert!(matches!(lost, Err(StoreError::Race)), "{lost:?}");
    let told = one.sent(&before, "n").await;
    assert!(matches!(told, Err(StoreError::Race)), "{told:?}");
    let mut growing = Growing::new("r2", "b");
    growing.add_all(&*other, &after, &[opened("AKIAOLD")]).await;
    // Nor is it given back by who has lost it.
    drop(before);
    growing.add_all(&*other, &after, &[intended()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_would_lose_or_change_what_is_written_is_refused() {
    let server = Postgres::start_own();
    let address = |database: &str| Address::parse(&server.url(database), "rotate").expect("it is understood");
    let made = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
    assert!(server.run(DATABASE, made).ok);
    let refused = PostgresStore::migrate(&address("latin")).await.err();
    let told = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("keeps texts as LATIN1"), "{told}");
    PostgresStore::migrate(&address(DATABASE))
        .await
        .expect("the tables are made");
    for sql in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
        assert!(server.run(DATABASE, sql).ok, "{sql}");
    }
    let begun = std::time::Instant::now();
    while server.run(DATABASE, "SHOW fsync").rows.trim() != "off" {
        assert!(begun.elapsed().as_secs() < 20, "the server does not read its settings");
    }
    let refused = PostgresStore::open(address(DATABASE)).await.err();
    let told = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("fsync is off"), "{told}");
}

/// Where nobody knows whether it is written down, it is written down again, and people are told once.
#[tokio::test(flavor = "multi_thread")]
async fn what_people_are_told_waits_once_although_answers_to_commits_are_lost() {
    let place = Served::new();
    let wire = LossyWire::before(Postgres::shared().address());
    let address = wire.address();
    let url = Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE);
    let address = Address::parse(&url, &place.schema).expect("it is understood");
    let store = PostgresStore::open(address).await.expect("it can be opened");
    let lease = store.lease().await.expect("nobody else has it");
    wire.lose_every(2);
    for id in ["1", "2", "3", "4"] {
        let notice = Outgoing {
            id: id.to_owned(),
            notifier: "ops".to_owned(),
            recipient: String::new(),
            target: TARGET.to_owned(),
            kind: "rotation.begun".to_owned(),
            at: NOW,
            body: "{}".to_owned(),
            is_kept: false,
        };
        let telling = Telling {
            target: TARGET.to_owned(),
            told: "{}".to_owned(),
            notices: vec![notice],
        };
        store.tell(&lease, &[telling], &[]).await.expect("it is tried again");
    }
    store.sent(&lease, "1").await.expect("it is tried again");
    store.sent(&lease, "2").await.expect("it is tried again");
    let lost = wire.lost();
    wire.lose_every(0);
    assert!(lost >= 3, "{lost}");
    let outbox = store.outbox().await.expect("it can be read");
    let ids: Vec<&str> = outbox.queued.iter().map(|it| it.notice.id.as_str()).collect();
    assert_eq!(ids, ["3", "4"]);
}
