//! Killed at each crash point of a whole rotation, one after the other, and simply run again.

use std::collections::BTreeSet;

use rotate_fixtures::Ran;
use rotate_fixtures::aws::Action;

use super::{DAY, Machines, tell, user};
use crate::crash;

/// Of the store on a server. The crash suite walks on from each of them; here the lease of whoever was killed has still to end.
const OF_THE_STORE: &str = "postgres: ";
/// Those that no rotation passes: what waits is sealed anew, which is killed at each of them in a test of its own.
pub(crate) const OF_SEALING: [&str; 2] = ["postgres: before sealing anew", "postgres: sealed anew"];

/// Rotates one user's key, with this in the environment, where whoever was killed has a lease for an instant only.
fn run(machines: &Machines, user: &str, more: &[(&str, &str)]) -> Ran {
    let mut command = machines.command(0, ["run", "--only", user, "--wait-for-lease", "20s"]);
    command.env("ROTATE_TEST_LEASE", "400").envs(more.iter().copied());
    Ran::of(command)
}

#[test]
fn killed_at_any_point_of_a_rotation_the_next_run_brings_it_to_its_end() {
    let mut machines = Machines::new();
    let trace = machines.place.path("trace");
    machines.place.add_user("first", DAY * 179, "");
    machines.share_identity(1..1);
    let traced = run(&machines, "first", &[("ROTATE_TEST_TRACE", &trace.to_string_lossy())]);
    traced.expect(0);
    let passed = std::fs::read_to_string(trace).unwrap();
    let points: Vec<&str> = passed.lines().collect();
    let of_the_store: BTreeSet<String> = crash::points::in_the_source()
        .into_iter()
        .filter(|name| name.starts_with(OF_THE_STORE) && !OF_SEALING.contains(&name.as_str()))
        .collect();
    let passed: BTreeSet<String> = points.iter().map(|name| (*name).to_owned()).collect();
    assert!(
        of_the_store.len() >= 3 && passed.is_superset(&of_the_store),
        "{passed:?}"
    );
    let mut killed = 0;
    for (at, point) in (1..).zip(&points) {
        let user = user(at);
        let old = machines.place.add_user(&user, DAY * 179, "");
        let ran = run(&machines, &user, &[("ROTATE_TEST_KILL_AT", &at.to_string())]);
        let context = format!("killed at point {at} ({point})");
        // A point that the lease's own thread moved may come later.
        if ran.code.is_none() {
            killed += 1;
        }
        let works = |key: &rotate_fixtures::aws::Credentials| machines.place.cloud.works(&key.id, &key.secret);
        match machines.place.delivered_key(&user) {
            Some(delivered) => assert!(works(&delivered), "{context}"),
            None => assert!(works(&old), "{context}"),
        }
        // A key that was made before it could be written down is taken back first.
        for _ in 0..3 {
            let again = run(&machines, &user, &[]);
            assert_eq!(again.code, Some(0), "{context}: {}", again.stderr);
        }
        let delivered = machines.place.delivered_key(&user).unwrap();
        let keys = machines.place.keys(&user);
        assert!(keys.len() == 1 && keys[0] == delivered.id, "{context}: {keys:?}");
        assert!(works(&delivered), "{context}");
    }
    machines.run(0, ["audit", "verify"]).expect(0);
    tell(&format!(
        "{killed} of {} points killed a run, {} keys made",
        points.len(),
        machines.place.cloud.count_of(Action::CreateAccessKey)
    ));
    assert!(killed + 5 > points.len(), "{killed}");
    let left = machines.on_the_server("SELECT count(*) FROM sealed");
    assert_eq!(left.trim(), "0", "what was sealed has outlived its rotation");
}
