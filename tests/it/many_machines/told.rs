//! What people are told of a fleet whose journal is on a server: it waits there, and whichever machine comes next tells it.

use std::collections::BTreeSet;

use rotate_fixtures::receiver::{Call, Receiver, Reply};
use rotate_fixtures::stopped::while_at_nth;
use rotate_fixtures::{LossyWire, Postgres, Ran};

use super::{DATABASE, DAY, Machines};

/// What the webhook is signed with.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(super) const WEBHOOK: &str =
    "\n[[notify]]\nname = \"ops\"\nwebhook = { url_env = \"HOOK_URL\", secret_env = \"HOOK_SECRET\" }\n";

/// A run on this machine, so many seconds later, which tells this receiver.
fn run(machines: &Machines, machine: usize, receiver: &Receiver, later: i64) -> Ran {
    let mut command = machines.command(machine, ["run"]);
    let ahead = machines.place.now().duration_since(jiff::Timestamp::now()).as_secs() + later;
    command
        .env("HOOK_URL", receiver.url())
        .env("HOOK_SECRET", SECRET)
        .env("ROTATE_TEST_CLOCK_AHEAD", ahead.to_string());
    Ran::of(command)
}

/// Of each notice its type, its target and its id, in the order in which they came.
fn told(receiver: &Receiver) -> Vec<(String, String, String)> {
    let of = |call: &Call| {
        let document = call.document();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&document["type"]),
            text(&document["data"]["target"]["target"]),
            call.head("webhook-id").to_owned(),
        )
    };
    receiver.take().iter().map(of).collect()
}

fn kinds(told: &[(String, String, String)]) -> Vec<&str> {
    told.iter().map(|(kind, ..)| kind.as_str()).collect()
}

#[test]
fn what_one_machine_could_not_tell_another_one_tells_by_the_same_id() {
    let mut machines = Machines::new();
    machines.also(WEBHOOK);
    machines.add_users(1);
    machines.share_identity(1..2);
    let receiver = Receiver::start();
    // The answer is lost: nobody here knows that it has arrived.
    receiver.answers_next([Reply::Closed]);
    let ran = run(&machines, 0, &receiver, 0).expect(0);
    assert!(
        ran.stderr.contains("ops was not told: 2 notices wait"),
        "{}",
        ran.stderr
    );
    let first = told(&receiver);
    assert_eq!(kinds(&first), ["rotation.begun"]);
    let ran = run(&machines, 1, &receiver, 3_700).expect(0);
    assert!(!ran.stderr.contains("was not told"), "{}", ran.stderr);
    let then = told(&receiver);
    assert_eq!(kinds(&then), ["rotation.begun", "rotation.done"]);
    assert_eq!(first[0], then[0]);
    run(&machines, 0, &receiver, 3_700).expect(0);
    assert_eq!(told(&receiver), []);
    assert_eq!(machines.on_the_server("SELECT count(*) FROM outbox").trim(), "0");
    machines.is_done(1);
}

#[test]
fn where_answers_to_commits_are_lost_everybody_is_told_once_of_each_change() {
    let wire = LossyWire::before(Postgres::shared().address());
    let address = wire.address();
    let url = Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE);
    let mut machines = Machines::by(&url);
    machines.also(WEBHOOK);
    machines.add_users(3);
    machines.share_identity(1..1);
    let receiver = Receiver::start();
    wire.lose_every(3);
    run(&machines, 0, &receiver, 0).expect(0);
    let lost = wire.lost();
    wire.lose_every(0);
    assert!(lost >= 5, "{lost}");
    let told = told(&receiver);
    let count = |kind: &str| {
        let of_kind = told.iter().filter(|(known, ..)| known == kind);
        of_kind.map(|(_, target, _)| target).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(
        (told.len(), count("rotation.begun"), count("rotation.done")),
        (6, 3, 3),
        "{told:?}"
    );
    machines.is_done(3);
}

#[test]
fn a_journal_that_moves_to_the_server_takes_along_what_people_know_and_what_waits_for_them() {
    let mut machines = Machines::new();
    let store = format!("[store]\nurl_env = \"JOURNAL\"\nschema = \"{}\"\n", machines.schema);
    machines.place.configure(&format!(
        "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\n{WEBHOOK}"
    ));
    machines.add_users(1);
    machines.place.add_user("waits", DAY * 179, "cutover = \"confirm\"");
    let receiver = Receiver::start();
    receiver.answers(Reply::With(503, ""));
    run(&machines, 0, &receiver, 0).expect(0);
    let tried = told(&receiver);
    let fleet = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    machines.place.configure(&format!("{store}{fleet}"));
    let database = machines.state(0).join("rotate.db");
    let from = format!("sqlite:{}", database.display());
    machines.run(0, ["store", "copy", "--from", &from]).expect(0);
    for file in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        let _ = std::fs::remove_file(machines.state(0).join(file));
    }
    receiver.answers(Reply::With(204, ""));
    run(&machines, 0, &receiver, 3_700).expect(0);
    let told = told(&receiver);
    let kinds: BTreeSet<(&str, &str)> = told
        .iter()
        .map(|(kind, target, _)| (kind.as_str(), target.as_str()))
        .collect();
    let of = [
        ("rotation.begun", "user-00"),
        ("rotation.done", "user-00"),
        ("rotation.begun", "waits"),
        ("rotation.waits", "waits"),
    ];
    assert_eq!((told.len(), kinds), (4, of.into()), "{told:?}");
    assert_eq!(tried[0], told[0]);
}

/// The lease is looked at behind its lock, and once more by the statement that writes the line. A run that sleeps between the two, for
/// longer than its lease, writes nothing.
#[test]
fn a_lease_that_ends_between_the_look_and_the_line_leaves_neither_the_line_nor_a_notice_of_it() {
    let mut opened = 0;
    for nth in 1..4 {
        let mut machines = Machines::new();
        machines.also(WEBHOOK);
        machines.add_users(1);
        machines.share_identity(1..1);
        let mut command = machines.command(0, ["run"]);
        command.env("ROTATE_TEST_LEASE", "2000");
        let ran = while_at_nth(command, ("postgres: locked", nth), || {
            std::thread::sleep(std::time::Duration::from_millis(2500));
        });
        assert_eq!(ran.code, Some(4), "{nth}: {}", ran.stderr);
        let count = |rows: &str| {
            machines
                .on_the_server(&format!("SELECT count(*) FROM {rows}"))
                .trim()
                .to_owned()
        };
        assert_eq!(count("events"), (nth - 1).to_string(), "{}", ran.stderr);
        let of_no_line = "outbox o WHERE NOT EXISTS (SELECT 1 FROM events e WHERE encode(e.hash, 'hex') = o.head)";
        assert_eq!(count(of_no_line), "0", "{nth}");
        let begun = count("events WHERE body LIKE '{\"event\":\"opened\"%'");
        assert_eq!(
            (count("outbox"), count("told")),
            (begun.clone(), begun.clone()),
            "{nth}"
        );
        opened += usize::from(begun == "1");
    }
    assert!(
        (1..3).contains(&opened),
        "the opening is among the lines that were held up"
    );
}
