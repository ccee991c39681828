//! A real standby, which follows its primary: it can be read and not written to; and one that lagged is promoted, which puts the
//! journal back.

use rotate_fixtures::stopped::while_at;
use rotate_fixtures::{LossyWire, Postgres, Ran};

use super::{DATABASE, DAY, Machines, user};

/// The same machine, with the journal on that server.
fn by(machines: &Machines, server: &Postgres, arguments: &[&str]) -> Ran {
    let mut command = machines.command(0, arguments.iter().copied());
    command.env("JOURNAL", server.url(DATABASE));
    Ran::of(command)
}

#[test]
fn from_a_standby_everything_is_read_and_there_nothing_is_begun() {
    let mut machines = Machines::on_their_own();
    machines.add_users(1);
    machines.place.add_user("waits", DAY * 179, "cutover = \"confirm\"");
    machines.run(0, ["run"]).expect(0);
    machines.place.add_user("due", DAY * 179, "");
    let standby = machines.server().standby();
    standby.catch_up_with(machines.server());
    for arguments in [
        ["status", "--output", "json"].as_slice(),
        &["audit", "--output", "json"],
        &["audit", "verify"],
        &["report", "--output", "csv"],
        &["plan"],
    ] {
        let here = machines.run(0, arguments.iter().copied()).expect(0);
        let there = by(&machines, &standby, arguments).expect(0);
        let lines = |ran: &Ran| ran.stdout.lines().count();
        assert!(lines(&here) == lines(&there), "{arguments:?}: {}", there.stdout);
    }
    let journal = |ran: Ran| ran.expect(0).stdout;
    let audit = ["audit", "--output", "json"];
    assert_eq!(
        journal(machines.run(0, audit)),
        journal(by(&machines, &standby, &audit))
    );
    let plan = by(&machines, &standby, &["plan"]).expect(0);
    assert!(plan.stdout.contains("due"), "{}", plan.stdout);
    let calls = machines.place.cloud.call_count();
    for arguments in [["run"].as_slice(), &["confirm", "waits"], &["abort", "waits"]] {
        let refused = by(&machines, &standby, arguments).expect(1);
        refused.says(&["it is read-only: a replica", "name the primary in the URL"]);
    }
    assert_eq!(machines.place.cloud.call_count(), calls, "nobody was called");
    // The primary was there all the time.
    machines.run(0, ["confirm", "waits"]).expect(0);
}

#[test]
fn a_standby_that_lagged_and_was_promoted_is_behind_the_anchor_and_without_one_the_vendors_keys_block() {
    let mut machines = Machines::on_their_own();
    let anchor = machines.place.path("anchor");
    let without = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    machines.also(&format!("\n[audit]\nanchor = \"{}\"\n", anchor.display()));
    machines.add_users(1);
    machines.run(0, ["run"]).expect(0);
    let standby = machines.server().standby();
    standby.catch_up_with(machines.server());
    standby.lag();
    machines.place.add_user("later", DAY * 179, "cutover = \"confirm\"");
    machines.run(0, ["run"]).expect(0);
    machines.server.as_mut().unwrap().stop();
    standby.promote();
    let keys = machines.place.keys("later");
    assert_eq!(keys.len(), 2);
    let calls = machines.place.cloud.call_count();
    for arguments in [["run"].as_slice(), &["confirm", "later"]] {
        by(&machines, &standby, arguments)
            .expect(3)
            .says(&["the journal is behind its anchor"]);
    }
    assert_eq!(machines.place.cloud.call_count(), calls);
    let config = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let targets = config.find("\n[[target]]").unwrap();
    machines.place.configure(&format!("{without}{}", &config[targets..]));
    by(&machines, &standby, &["run"]).expect(3);
    assert_eq!(machines.place.keys("later"), keys, "nothing was taken away");
    assert_eq!(machines.place.keys(&user(0)).len(), 1);
}

/// The address stays, and leads to another server: as with a virtual address, or a name.
#[test]
fn a_failover_to_a_standby_that_lagged_in_the_middle_of_a_run_ends_the_run_and_blocks_the_next() {
    let mut machines = Machines::on_their_own();
    let wire = LossyWire::before(machines.server().address());
    let address = wire.address();
    machines.url = machines
        .server()
        .url_by((&address.ip().to_string(), address.port()), DATABASE);
    machines.add_users(1);
    machines.share_identity(1..1);
    let standby = machines.server().standby();
    standby.catch_up_with(machines.server());
    standby.lag();
    let mut server = machines.server.take().unwrap();
    let ran = while_at(machines.command(0, ["run"]), "deactivate: before the call", || {
        server.stop();
        standby.promote();
        wire.lead_to(standby.address());
    });
    // The call that was about to be made had its lease looked at before.
    let calls = machines.place.cloud.call_count();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    ran.says(&["another writer was faster"]);
    let keys = machines.place.keys(&user(0));
    assert_eq!(keys.len(), 2, "nothing was taken away");
    assert!(machines.place.cloud.call_count() - calls <= 1);
    machines.run(0, ["run"]).expect(3);
    assert_eq!(machines.place.keys(&user(0)), keys);
}
