//! One journal on a PostgreSQL server, and several machines that write there: at any instant one of them does, whoever dies,
//! sleeps or is cut off.
//!
//! Leans on a real server and on real processes of the program, each with a state folder of its own, and on the strict fake of the
//! vendor, because only it knows which keys work. Leases are seconds long here, where they are minutes elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod chaos;
pub(crate) mod killed;
mod lost;
mod outage;
mod refused;
mod rewound;
mod roles;
mod sealed;
mod standby;
mod told;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use rotate_fixtures::aws::Action;
use rotate_fixtures::{FleetWorkplace, LossyWire, PgBouncer, Postgres, Ran};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: SignedDuration = SignedDuration::from_hours(24);
const DATABASE: &str = "postgres";

/// A fleet whose journal is on a server, in a schema of its own.
struct Machines {
    place: FleetWorkplace,
    schema: String,
    url: String,
    /// None: the one that all tests share.
    server: Option<Postgres>,
}

impl Machines {
    /// On the server that all tests share.
    fn new() -> Self {
        Self::by(&Postgres::shared().url(DATABASE))
    }

    /// On the server that is found by this URL.
    fn by(url: &str) -> Self {
        let machines = Self::without_tables(url);
        machines.run(0, ["store", "migrate"]).expect(0);
        machines
    }

    fn without_tables(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("m{}_{number}", std::process::id());
        let mut place = FleetWorkplace::new(ROTATE);
        place.configure(&format!(
            "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\n\n[store]\nurl_env = \"JOURNAL\"\nschema = \
             \"{schema}\"\n"
        ));
        Self {
            place,
            schema,
            url: url.to_owned(),
            server: None,
        }
    }

    /// On a server of its own, whose sessions may be ended.
    fn on_their_own() -> Self {
        let server = Postgres::start_own();
        let machines = Self::by(&server.url(DATABASE));
        Self {
            server: Some(server),
            ..machines
        }
    }

    /// With this in the file as well.
    fn also(&mut self, tables: &str) {
        let text = std::fs::read_to_string(self.place.path("rotate.toml")).unwrap();
        self.place.configure(&format!("{text}{tables}"));
    }

    fn server(&self) -> &Postgres {
        self.server.as_ref().unwrap_or_else(|| Postgres::shared())
    }

    fn with_users(count: usize) -> Self {
        let mut machines = Self::new();
        machines.add_users(count);
        machines
    }

    fn add_users(&mut self, count: usize) {
        for number in 0..count {
            self.place.add_user(&user(number), DAY * 179, "");
        }
    }

    /// The state folder of a machine.
    fn state(&self, machine: usize) -> PathBuf {
        self.place.path(&format!("machine-{machine}"))
    }

    /// A command line on this machine.
    fn command<'a>(&self, machine: usize, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let usual = self.place.command(arguments);
        let mut command = Command::new(usual.get_program());
        command.env_clear().current_dir(usual.get_current_dir().unwrap());
        for (name, value) in usual.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let usual_state = self.place.state();
        for argument in usual.get_args() {
            match argument == usual_state.as_os_str() {
                true => command.arg(self.state(machine)),
                false => command.arg(argument),
            };
        }
        command.stdin(std::process::Stdio::null());
        command.env("JOURNAL", &self.url);
        command
    }

    fn run<'a>(&self, machine: usize, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(self.command(machine, arguments))
    }

    /// Begins the journal on the first machine, and brings its identity to these others.
    fn share_identity(&self, others: std::ops::Range<usize>) {
        self.run(0, ["init", "--state"]).expect(0);
        for machine in others {
            let state = self.state(machine);
            std::fs::create_dir(&state).unwrap();
            private(&state, 0o700);
            let identity = state.join("identity.age");
            std::fs::copy(self.state(0).join("identity.age"), &identity).unwrap();
            private(&identity, 0o600);
        }
    }

    /// Does this on the server, behind the program's back.
    fn on_the_server(&self, sql: &str) -> String {
        let answer = self
            .server()
            .run(DATABASE, &format!("SET search_path TO {}; {sql}", self.schema));
        assert!(answer.ok, "{sql}: {}", answer.complaint);
        answer.rows
    }

    /// Every user has the one key that was delivered to it, and the journal is intact.
    fn is_done(&self, count: usize) {
        for number in 0..count {
            let delivered = self.place.delivered_key(&user(number)).unwrap();
            let keys = self.place.keys(&user(number));
            assert!(keys.len() == 1 && keys[0] == delivered.id, "{}: {keys:?}", user(number));
            assert!(self.place.cloud.works(&delivered.id, &delivered.secret));
        }
        self.run(0, ["audit", "verify"]).expect(0);
    }
}

/// Past the test runner, which keeps what a passing test prints to itself.
fn tell(line: &str) {
    let told = writeln!(std::io::stderr(), "{line}");
    told.unwrap();
}

fn user(number: usize) -> String {
    format!("user-{number:02}")
}

fn private(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_fleet_is_rotated_through_the_server_and_another_machine_reads_what_was_done() {
    let machines = Machines::with_users(3);
    let ran = machines.run(0, ["run"]).expect(0);
    assert!(ran.stderr.contains("a new age identity in"), "{}", ran.stderr);
    assert!(!machines.state(0).join("rotate.db").exists());
    machines.is_done(3);
    let here = machines.run(0, ["status", "--output", "json"]).expect(0);
    let there = machines.run(1, ["status", "--output", "json"]).expect(0);
    assert_eq!(here.json()["targets"], there.json()["targets"]);
    assert!(!machines.state(1).exists(), "who only reads makes nothing");
    machines.run(1, ["doctor"]).expect(0);
    assert!(!machines.state(1).exists(), "who only looks makes nothing");
    machines.run(0, ["run"]).expect(0).says(&["3 not due"]);
}

#[test]
fn a_machine_with_another_identity_is_refused_and_one_with_the_same_goes_on() {
    let machines = Machines::with_users(1);
    machines.run(0, ["run"]).expect(0);
    let refused = machines.run(1, ["run"]).expect(1);
    assert!(refused.stderr.contains("identity"), "{}", refused.stderr);
    assert!(!machines.state(1).join("identity.age").exists(), "none is made for it");
    // One that was made for something else.
    let mut elsewhere = Machines::without_tables(&machines.url);
    elsewhere.run(0, ["store", "migrate"]).expect(0);
    elsewhere.run(0, ["init", "--state"]).expect(0);
    std::fs::create_dir_all(machines.state(1)).unwrap();
    private(&machines.state(1), 0o700);
    let identity = machines.state(1).join("identity.age");
    std::fs::copy(elsewhere.state(0).join("identity.age"), &identity).unwrap();
    let refused = machines.run(1, ["run"]).expect(1);
    let told = "seals to another identity";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    std::fs::copy(machines.state(0).join("identity.age"), &identity).unwrap();
    machines.run(1, ["run"]).expect(0);
    elsewhere.place.pass(DAY);
}

#[test]
fn of_two_machines_one_works_and_the_other_exits_with_4_or_waits_for_it() {
    let machines = Machines::with_users(6);
    machines.share_identity(1..3);
    machines.place.cloud.latency(std::time::Duration::from_millis(500));
    let mut first = machines.command(0, ["run"]);
    let mut first = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    chaos::until("the first run calls the vendor", || {
        machines.place.cloud.call_count() > 0
    });
    // The clock of a machine has no part in it.
    for ahead in ["0", "3600", "-3600"] {
        let mut busy = machines.command(1, ["run"]);
        busy.env("ROTATE_TEST_CLOCK_AHEAD", ahead);
        let told = [
            "another run of rotate (process ",
            "is at work on the journal in 127.0.0.1:",
        ];
        Ran::of(busy).expect(4).says(&told);
    }
    let waited = machines.run(2, ["run", "--wait-for-lease", "2m"]).expect(0);
    assert!(waited.stderr.contains("waiting for its end"), "{}", waited.stderr);
    assert!(first.wait().unwrap().success());
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 6);
    machines.is_done(6);
}

#[test]
fn where_answers_to_commits_are_lost_they_are_read_back_and_nothing_is_done_twice() {
    let wire = LossyWire::before(Postgres::shared().address());
    let address = wire.address();
    let url = Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE);
    let mut machines = Machines::by(&url);
    machines.add_users(3);
    machines.share_identity(1..1);
    wire.lose_every(3);
    machines.run(0, ["run"]).expect(0);
    let lost = wire.lost();
    wire.lose_every(0);
    tell(&format!("{lost} answers to commits were lost"));
    assert!(lost >= 5, "{lost}");
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 3);
    machines.is_done(3);
}

#[test]
fn a_pooler_that_gives_each_transaction_another_connection_does_no_harm() {
    let pooler = PgBouncer::before(Postgres::shared());
    let mut machines = Machines::by(&Postgres::shared().url_by(pooler.address(), DATABASE));
    machines.add_users(4);
    machines.run(0, ["run"]).expect(0);
    machines.is_done(4);
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 4);
}

#[test]
fn a_journal_of_one_machine_moves_to_the_server_with_its_whole_past() {
    let mut machines = Machines::new();
    let of_server = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let at_home = of_server.split("[store]").next().unwrap().to_owned();
    machines.place.configure(&at_home);
    machines.place.add_user("user-00", DAY * 179, "");
    machines.place.add_user("user-01", DAY * 179, "cutover = \"confirm\"");
    machines.run(0, ["run"]).expect(0);
    let before = machines.run(0, ["audit", "--output", "json"]).expect(0).stdout;
    // The same fleet, with its journal on the server.
    let fleet = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let (defaults, targets) = fleet.split_once("[[target]]").unwrap();
    let store = of_server.split_once("[store]").unwrap().1.to_owned();
    machines
        .place
        .configure(&format!("{defaults}[store]{store}\n[[target]]{targets}"));
    // Two journals are one too many.
    let refused = machines.run(0, ["run"]).expect(1);
    refused.says(&["there is another one in", "store copy --from"]);
    let database = machines.state(0).join("rotate.db");
    let from = format!("sqlite:{}", database.display());
    let copied = machines.run(0, ["store", "copy", "--from", &from]).expect(0);
    assert!(copied.stderr.contains("verified on both sides"), "{}", copied.stderr);
    // Whoever has lost the answer to that repeats it.
    let again = machines.run(0, ["store", "copy", "--from", &from]).expect(0);
    assert!(
        again.stderr.contains("found there what was copied before: "),
        "{}",
        again.stderr
    );
    std::fs::rename(&database, database.with_extension("copied")).unwrap();
    for companion in ["rotate.db-wal", "rotate.db-shm"] {
        let _ = std::fs::remove_file(machines.state(0).join(companion));
    }
    let after = machines.run(0, ["audit", "--output", "json"]).expect(0).stdout;
    assert_eq!(before, after);
    // What waits sealed is opened, and the rotation goes on where it stood.
    machines.run(0, ["confirm", "user-01"]).expect(0);
    machines.run(0, ["run"]).expect(0);
    machines.is_done(2);
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 2);
    // It has gone on since: what was copied is an older one now, and two are not made one.
    let copied = format!("sqlite:{}", database.with_extension("copied").display());
    let refused = machines.run(0, ["store", "copy", "--from", &copied]).expect(1);
    refused.says(&["there is another journal already"]);
    // Without the configuration nobody begins another journal beside it.
    let mut alone = machines.command(0, ["status"]);
    alone.env_remove("ROTATE_CONFIG");
    let arguments: Vec<_> = alone.get_args().map(std::ffi::OsStr::to_owned).collect();
    let mut without = Command::new(alone.get_program());
    without
        .env_clear()
        .env("HOME", machines.place.path("home"))
        .current_dir("/")
        .stdin(std::process::Stdio::null());
    let config = arguments.iter().position(|argument| argument == "--config").unwrap();
    let rest = arguments
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != config && *at != config + 1);
    without.args(rest.map(|(_, argument)| argument));
    let refused = Ran::of(without).expect(1);
    assert!(refused.stderr.contains("is missing"), "{}", refused.stderr);
}
