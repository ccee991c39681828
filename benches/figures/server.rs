//! What it costs to keep the journal on a PostgreSQL server: many targets of which none is due, writing beside the server's own rate,
//! and several runners at once. The server is a real one with its data on the disk, and everything is measured on the same.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use jiff::SignedDuration;
use rotate::machine::{Inventory, Record};
use rotate::store::{Address, Append, PostgresStore, Store, watch_of};
use rotate_fixtures::{FleetWorkplace, Postgres};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

use super::fleet::{costs, sighted};
use super::{CALL, ROTATE, Report, median};

const DATABASE: &str = "postgres";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Smaller, where somebody only wants to see that it works: `ROTATE_FIGURES_SIZE=100` is a hundredth.
const SMALLER: &str = "ROTATE_FIGURES_SIZE";

/// How often writing is measured by turns with the server's own.
const ROUNDS: usize = 5;

/// How many lines a round writes, and how many a transaction of the program has where many targets wait.
const LINES: usize = 400;
const AT_ONCE: usize = 8;

/// So many, or a part of that.
fn sized(usual: usize) -> usize {
    let part = std::env::var(SMALLER).ok().and_then(|said| said.parse::<usize>().ok());
    usual / part.unwrap_or(1).max(1)
}

/// A fleet with its journal in a schema of its own.
struct Fleet {
    place: FleetWorkplace,
    server: Postgres,
}

impl Fleet {
    fn new(defaults: &str) -> Self {
        let server = Postgres::start_own();
        let mut place = FleetWorkplace::on_disk(ROTATE);
        place.configure(&format!(
            "[defaults]\naws_calls_per_second = 0\n{defaults}\n[store]\nurl_env = \"JOURNAL\"\n"
        ));
        let fleet = Self { place, server };
        let migrated = fleet.command(&["store", "migrate"]).status();
        assert!(migrated.expect("the program can be started").success());
        fleet
    }

    fn url(&self) -> String {
        self.server.url(DATABASE)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments.iter().copied());
        command
            .env("JOURNAL", self.url())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// The same on another machine, which has the identity of the first.
    fn on(&self, machine: usize, arguments: &[&str]) -> Command {
        let state = self.place.path(&format!("machine-{machine}"));
        std::fs::create_dir(&state).expect("a folder can be made");
        let identity = state.join("identity.age");
        std::fs::copy(self.place.state().join("identity.age"), &identity).expect("the identity is there");
        for (path, mode) in [(&state, 0o700), (&identity, 0o600)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
        }
        let usual = self.command(arguments);
        let mut command = Command::new(usual.get_program());
        command.env_clear().stdout(Stdio::null()).stderr(Stdio::null());
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        for argument in usual.get_args() {
            match argument == self.place.state().as_os_str() {
                true => command.arg(&state),
                false => command.arg(argument),
            };
        }
        command
    }

    fn store(&self, runtime: &Runtime) -> PostgresStore {
        let address = Address::parse(&self.url(), rotate::store::SCHEMA).expect("the URL is right");
        let opened = runtime.block_on(PostgresStore::open(address));
        opened.expect("the store opens")
    }
}

fn runtime() -> Runtime {
    let made = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    made.expect("a runtime starts")
}

/// Fifty thousand targets, each looked at yesterday.
pub(super) fn nothing_due(report: &mut Report) {
    let all = sized(50_000);
    let mut fleet = Fleet::new("");
    let mut text = std::fs::read_to_string(fleet.place.path("rotate.toml")).expect("it was written");
    for number in 0..all {
        text.push_str(&format!(
            "\n[[target]]\nname = \"user-{number:05}\"\nconnector = \"s3-customer-managed\"\nuser = \"user-{number:05}\"\n\
             bucket = \"acme-data\"\ndeliver = [\"file:{}\"]\n",
            fleet.place.path(&format!("{number}.json")).display()
        ));
    }
    fleet.place.configure(&text);
    let begun = fleet.command(&["init", "--state"]).status();
    assert!(begun.expect("the program can be started").success());
    let runtime = runtime();
    let store = fleet.store(&runtime);
    runtime.block_on(async {
        let lease = store.lease().await.expect("nobody else writes");
        for from in (0..all).step_by(500) {
            let some = (from..all.min(from + 500)).map(|number| see(&store, &lease, number));
            futures_util::future::join_all(some).await;
        }
    });
    drop(store);
    let (seconds, megabytes) = costs(fleet.command(&["run"]));
    report.figure(
        &format!("run over {all} targets on PostgreSQL, none due: time"),
        seconds,
        5.0,
        "s",
    );
    report.figure(
        &format!("run over {all} targets on PostgreSQL, none due: memory"),
        megabytes,
        200.0,
        "MB",
    );
    let calls = fleet.place.cloud.call_count() as f64;
    report.figure(
        &format!("run over {all} targets on PostgreSQL, none due: vendor calls"),
        calls,
        0.0,
        "",
    );
}

async fn see(store: &PostgresStore, lease: &rotate::store::Lease, number: usize) {
    append(
        store,
        lease,
        &format!("watch-{number:06}"),
        &format!("user-{number:05}"),
        number,
    )
    .await;
}

/// One line, of what was seen of a target yesterday.
async fn append(store: &PostgresStore, lease: &rotate::store::Lease, id: &str, target: &str, number: usize) {
    let record: Record = sighted(number);
    let watch = Inventory::after(None, &record).expect("the event fits");
    let append = Append {
        id,
        target: &watch_of(target),
        follows: 0,
        record: &record,
        state: &watch.into(),
        seal: None,
        telling: None,
    };
    store.append(lease, append).await.expect("the event is written");
}

/// The program's lines in a second, beside `INSERT … COMMIT` of one row of that size by a connection that does nothing else, by turns.
pub(super) fn writing(report: &mut Report) {
    let fleet = Fleet::new("");
    let runtime = runtime();
    let store = fleet.store(&runtime);
    let lines = sized(LINES).max(AT_ONCE);
    let (client, connection) = runtime
        .block_on(tokio_postgres::connect(&fleet.url(), NoTls))
        .expect("the server is there");
    runtime.spawn(connection);
    let lease = runtime.block_on(store.lease()).expect("nobody else writes");
    let (mut alone, mut together, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let body = "x".repeat(400);
    runtime
        .block_on(client.batch_execute("CREATE TABLE bare (seq bigserial PRIMARY KEY, body text NOT NULL)"))
        .expect("a table can be made");
    for round in 0..ROUNDS {
        let insert = async {
            for _ in 0..lines {
                client.batch_execute("BEGIN").await.expect("it is taken");
                client
                    .query_typed("INSERT INTO bare (body) VALUES ($1)", &[(&body, Type::TEXT)])
                    .await
                    .expect("it is taken");
                client.batch_execute("COMMIT").await.expect("it is committed");
            }
        };
        bare.push(per_second(lines, || runtime.block_on(insert)));
        let named = |kind: &str, number: usize| format!("{kind}-{round}-{number}");
        let one_by_one = async {
            for number in 0..lines {
                let name = named("one", number);
                append(&store, &lease, &name, &name, number).await;
            }
        };
        alone.push(per_second(lines, || runtime.block_on(one_by_one)));
        let side_by_side = async {
            for from in (0..lines).step_by(AT_ONCE) {
                let some = (from..lines.min(from + AT_ONCE)).map(|number| {
                    let name = named("many", number);
                    let (store, lease) = (&store, &lease);
                    async move { append(store, lease, &name, &name, number).await }
                });
                futures_util::future::join_all(some).await;
            }
        };
        together.push(per_second(lines, || runtime.block_on(side_by_side)));
    }
    let (bare, alone, together) = (median(&mut bare), median(&mut alone), median(&mut together));
    println!(
        "  ({bare:.0} transactions a second of the server, {alone:.0} lines one by one, {together:.0} lines {AT_ONCE} at once)"
    );
    report.at_least(
        &format!("lines on PostgreSQL, {AT_ONCE} targets at once: ÷ INSERT … COMMIT, medians of {ROUNDS}"),
        together / bare,
        0.7,
        "×",
    );
    report.at_least(
        &format!("the same, one by one: ÷ INSERT … COMMIT, medians of {ROUNDS}"),
        alone / bare,
        0.7,
        "×",
    );
}

fn per_second(count: usize, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    count as f64 / started.elapsed().as_secs_f64()
}

/// A thousand whole rotations by one, two and four runners that begin at once.
pub(super) fn runners(report: &mut Report) {
    let one = rotated_by(1);
    for (count, least) in [(2, 1.8), (4, 2.8)] {
        let several = rotated_by(count);
        report.at_least(
            &format!(
                "{} whole rotations by {count} runners: faster than by one",
                sized(1_000)
            ),
            one / several,
            least,
            "×",
        );
    }
}

/// The seconds until all of so many runners are done, and nothing is due.
fn rotated_by(runners: usize) -> f64 {
    let due = sized(1_000);
    let mut fleet = Fleet::new("cutover = \"immediate\"\nsoak = \"0s\"\nconcurrency = 8\n");
    let names: Vec<String> = (0..due).map(|number| format!("user-{number:04}")).collect();
    fleet.place.add_users(names.iter().map(String::as_str), DAY * 179);
    let begun = fleet.command(&["init", "--state"]).status();
    assert!(begun.expect("the program can be started").success());
    fleet.place.cloud.latency(CALL);
    let started = Instant::now();
    let running: Vec<Child> = (0..runners)
        .map(|machine| {
            // One who finds the journal taken waits, where one writes at a time.
            let mut command = fleet.on(machine, &["run", "--wait-for-lease", "15m"]);
            command.spawn().expect("the program can be started")
        })
        .collect();
    for mut child in running {
        let status = child.wait().expect("it can be waited for");
        assert!(status.success(), "a runner failed: {status}");
    }
    let seconds = started.elapsed().as_secs_f64();
    let left = names.iter().filter(|name| fleet.place.delivered_key(name).is_none());
    assert_eq!(left.count(), 0, "every key was rotated");
    println!(
        "  ({due} rotations by {runners} runners: {seconds:.1} s, {} calls)",
        fleet.place.cloud.call_count()
    );
    seconds
}
