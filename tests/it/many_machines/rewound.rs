//! A failover to a standby that lagged, or a backup that was put back: the journal on the server is shorter than what was done.

use super::{DAY, Machines};

const TABLES: [&str; 4] = ["events", "rotations", "targets", "sealed"];

#[test]
fn a_database_that_was_put_back_is_behind_the_anchor_of_who_wrote_there_and_nothing_is_done_with_it() {
    let mut machines = Machines::new();
    let anchor = machines.place.path("anchor");
    machines.also(&format!("\n[audit]\nanchor = \"{}\"\n", anchor.display()));
    machines.add_users(1);
    machines.run(0, ["run"]).expect(0);
    let older = format!("older_{}", machines.schema);
    machines.on_the_server(&format!("CREATE SCHEMA {older}"));
    for table in TABLES {
        machines.on_the_server(&format!("CREATE TABLE {older}.{table} AS TABLE {table}"));
    }
    machines.place.add_user("later", DAY * 179, "");
    machines.run(0, ["run"]).expect(0);
    let noted = std::fs::read_to_string(&anchor).unwrap();
    assert_eq!(noted.lines().count(), 2, "{noted}");
    machines.on_the_server(&format!("TRUNCATE {}", TABLES.join(", ")));
    for table in TABLES {
        machines.on_the_server(&format!("INSERT INTO {table} SELECT * FROM {older}.{table}"));
    }
    machines.on_the_server(&format!("DROP SCHEMA {older} CASCADE"));
    machines.place.add_user("last", DAY * 179, "");
    let calls = machines.place.cloud.call_count();
    for arguments in [["run"].as_slice(), &["confirm", "later"], &["rollback", "later"]] {
        let refused = machines.run(0, arguments.iter().copied()).expect(3);
        refused.says(&["the journal is behind its anchor"]);
    }
    let refused = machines.run(0, ["audit", "verify"]).expect(3);
    refused.says(&["the journal is behind its anchor"]);
    assert_eq!(machines.place.cloud.call_count(), calls);
    let doctor = machines.run(0, ["doctor"]).expect(1);
    assert!(
        doctor.stdout.contains("the journal is behind its anchor"),
        "{}",
        doctor.stdout
    );
    assert_eq!(std::fs::read_to_string(&anchor).unwrap(), noted);
}
