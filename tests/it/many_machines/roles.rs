//! Who may do what: an owner makes the tables, a runner adds to the journal and takes nothing out of it, a reader reads.

use rotate_fixtures::{Postgres, Ran, Receiver};

use super::told::{SECRET, WEBHOOK};
use super::{DATABASE, Machines};

const PASSWORD: &str = "of-a-role";

#[test]
fn a_runner_rotates_and_can_change_no_line_and_a_reader_reads_and_no_more() {
    let mut machines = Machines::new();
    machines.also(WEBHOOK);
    machines.add_users(2);
    let receiver = Receiver::start();
    let (runner, reader) = (format!("run_{}", machines.schema), format!("read_{}", machines.schema));
    for role in [&runner, &reader] {
        machines.on_the_server(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
    }
    let grants = machines
        .run(0, ["store", "grants", "--runner", &runner, "--reader", &reader])
        .expect(0);
    machines.on_the_server(&grants.stdout);
    let (host, port) = Postgres::shared().address();
    let url = |role: &str| format!("postgres://{role}:{PASSWORD}@{host}:{port}/{DATABASE}");
    let run_as = |role: &str, arguments: &[&str]| {
        let mut command = machines.command(0, arguments.iter().copied());
        command
            .env("JOURNAL", url(role))
            .env("HOOK_URL", receiver.url())
            .env("HOOK_SECRET", SECRET);
        Ran::of(command)
    };
    run_as(&runner, &["run"]).expect(0);
    run_as(&runner, &["audit", "verify"]).expect(0);
    machines.is_done(2);
    assert_eq!(receiver.take().len(), 4, "two begin, two are done");
    assert_eq!(machines.on_the_server("SELECT count(*) FROM outbox").trim(), "0");
    for arguments in [
        ["status"].as_slice(),
        &["plan"],
        &["audit"],
        // Nothing lies sealed, so there is nothing that it may not see.
        &["audit", "verify"],
        &["report", "--output", "json"],
    ] {
        run_as(&reader, arguments).expect(0);
    }
    let refused = run_as(&reader, &["run"]).expect(1);
    refused.says(&["lacks a right there", "rotate store grants"]);
    run_as(&runner, &["store", "migrate"]).expect(0);
    for (role, sql) in [
        (&runner, "DELETE FROM events"),
        (&runner, "UPDATE events SET body = ''"),
        (&runner, "TRUNCATE events"),
        (&runner, "DROP TABLE events"),
        (&runner, "DELETE FROM rotations"),
        (&runner, "UPDATE about SET version = 7"),
        (&runner, "DELETE FROM told"),
        (&reader, "DELETE FROM outbox"),
        (&reader, "SELECT bytes FROM sealed"),
        (&reader, "UPDATE lease SET fence = 9"),
        (&reader, "INSERT INTO targets VALUES ('a', 'b')"),
    ] {
        let sql = format!("SET search_path TO {}; {sql}", machines.schema);
        let answer = Postgres::shared().run_as(role, PASSWORD, DATABASE, &sql);
        assert!(!answer.ok, "{role}: {sql}");
        let is_denied = ["permission denied", "must be owner"];
        assert!(
            is_denied.iter().any(|told| answer.complaint.contains(told)),
            "{}",
            answer.complaint
        );
    }
    machines.on_the_server(&format!(
        "DROP OWNED BY {runner}, {reader}; DROP ROLE {runner}, {reader}"
    ));
}

/// An administrator has made the schema, and lets nobody else make any.
#[test]
fn whoever_owns_a_schema_that_was_made_for_them_makes_its_tables() {
    let machines = Machines::new();
    let (schema, owner) = (&machines.schema, format!("own_{}", machines.schema));
    machines.on_the_server(&format!(
        "CREATE ROLE {owner} LOGIN PASSWORD '{PASSWORD}'; DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema} AUTHORIZATION {owner}"
    ));
    let (host, port) = Postgres::shared().address();
    let mut command = machines.command(0, ["store", "migrate"]);
    command.env(
        "JOURNAL",
        format!("postgres://{owner}:{PASSWORD}@{host}:{port}/{DATABASE}"),
    );
    Ran::of(command).expect(0);
    machines.on_the_server(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"));
}
