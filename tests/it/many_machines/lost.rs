//! Who has lost the lease does nothing any more, at the vendor or in the journal.

use rotate_fixtures::aws::Action;
use rotate_fixtures::stopped::while_at_nth;

use super::{DAY, Machines, user};

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
