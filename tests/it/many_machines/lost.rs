//! Who has lost the lease does nothing any more, at the vendor or in the journal.

use std::sync::Arc;
use std::time::Duration;

use rotate_fixtures::aws::Action;
use rotate_fixtures::stopped::while_at_nth;
use rotate_fixtures::{LossyWire, Postgres};

use super::chaos::until;
use super::{DATABASE, DAY, Machines, user};

const COMMITTED: &str = "postgres: after commit";

/// The line of the journal that stands before this crash point, counted from one, in a run that nobody disturbs.
fn line_before(point: &str) -> usize {
    let machines = Machines::with_users(1);
    let trace = machines.place.path("trace");
    let mut command = machines.command(0, ["run"]);
    command.env("ROTATE_TEST_TRACE", &trace);
    rotate_fixtures::Ran::of(command).expect(0);
    let passed = std::fs::read_to_string(trace).unwrap();
    let before = passed.lines().take_while(|name| *name != point);
    before.filter(|name| *name == COMMITTED).count()
}

#[test]
fn between_the_intent_and_the_call_the_lease_is_looked_at_once_more() {
    for (point, action) in [
        ("create: before the call", Action::CreateAccessKey),
        ("deactivate: before the call", Action::UpdateAccessKey),
        ("delete: before the call", Action::DeleteAccessKey),
    ] {
        let nth = line_before(point);
        let mut machines = Machines::with_users(1);
        let ran = while_at_nth(machines.command(0, ["run"]), (COMMITTED, nth), || {
            machines.on_the_server(
                "UPDATE lease SET fence = fence + 1, holder = 'somebody else', expires_at = clock_timestamp() + interval '1 hour'",
            );
        });
        assert_eq!(ran.code, Some(4), "{point}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("another writer was faster"),
            "{point}: {}",
            ran.stderr
        );
        assert_eq!(machines.place.cloud.count_of(action), 0, "{point}");
        // And goes on once it is given back.
        machines.on_the_server("UPDATE lease SET expires_at = '-infinity'");
        machines.run(0, ["run"]).expect(0);
        machines.run(0, ["run"]).expect(0);
        machines.is_done(1);
        assert!(machines.place.delivered_key(&user(0)).is_some());
        machines.place.pass(DAY);
    }
}

/// As after a failover to a standby that lagged, or from a backup.
#[test]
fn a_database_that_was_put_back_is_told_by_its_head_and_keys_that_it_does_not_know_block() {
    let mut machines = Machines::new();
    machines.place.add_user(&user(0), DAY * 179, "cutover = \"confirm\"");
    machines.share_identity(1..1);
    machines.run(0, ["run"]).expect(0);
    let verified = machines
        .run(0, ["audit", "verify", "--output", "json"])
        .expect(0)
        .json();
    let head = verified["head"].as_str().unwrap().to_owned();
    let keys = machines.place.keys(&user(0));
    assert_eq!(keys.len(), 2);
    machines.on_the_server(
        "DELETE FROM sealed; DELETE FROM targets; DELETE FROM rotations; DELETE FROM events; UPDATE lease SET fence = 1",
    );
    machines.run(0, ["audit", "verify", "--against", &head]).expect(1);
    machines.run(0, ["run"]).expect(3);
    assert_eq!(machines.place.keys(&user(0)), keys, "nothing was taken away");
}

#[test]
fn a_server_that_is_gone_is_waited_for_once_and_not_by_each_target_anew() {
    const USERS: usize = 12;
    let wire = LossyWire::before(Postgres::shared().address());
    let address = wire.address();
    let mut machines = Machines::by(&Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE));
    machines.add_users(USERS);
    // One target after the other, and the lease is not renewed meanwhile.
    let config = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    machines
        .place
        .configure(&config.replace("[defaults]", "[defaults]\nconcurrency = 1"));
    let mut command = machines.command(0, ["run"]);
    command.env("ROTATE_TEST_PATIENCE", "5000");
    let ran = while_at_nth(command, (COMMITTED, 3), || wire.cut(true));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    // Two tries in a second, and one of each target that is still to come; each would have had ten.
    let tries = wire.in_vain();
    assert!(tries >= 10, "it is waited for: {tries}");
    assert!(tries <= 10 + 4 * USERS, "each target waits anew: {tries}");
    wire.cut(false);
    machines.on_the_server("UPDATE lease SET expires_at = '-infinity'");
    machines.run(0, ["run"]).expect(0);
    machines.is_done(USERS);
}

/// It has answered in between, and was asked for nothing but what became of a commit.
#[test]
fn a_server_that_is_gone_again_is_waited_for_as_long_again() {
    let wire = Arc::new(LossyWire::before(Postgres::shared().address()));
    let address = wire.address();
    let mut machines = Machines::by(&Postgres::shared().url_by((&address.ip().to_string(), address.port()), DATABASE));
    machines.add_users(1);
    let mut command = machines.command(0, ["run"]);
    command.env("ROTATE_TEST_PATIENCE", "4000");
    let (mut behind, cut) = (None, Arc::clone(&wire));
    let ran = while_at_nth(command, ("postgres: locked", 3), || {
        cut.cut_with_the_next_commit();
        behind = Some(std::thread::spawn(move || {
            until("somebody comes in vain", || cut.in_vain() > 0);
            std::thread::sleep(Duration::from_millis(2500));
            cut.let_one_in();
            until("somebody is let in", || cut.has_let_in());
            std::thread::sleep(Duration::from_millis(2500));
            cut.cut(false);
        }));
    });
    behind.unwrap().join().unwrap();
    ran.expect(0);
    assert_eq!(wire.lost(), 1);
    machines.is_done(1);
    assert_eq!(machines.place.cloud.count_of(Action::CreateAccessKey), 1);
}
