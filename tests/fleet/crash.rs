//! A run over twenty targets is killed wherever it may be, and simply run again.
//!
//! Targets take turns as they like, so a kill at the same count hits another moment each time: the kills are spread over the
//! whole run, alone and in pairs.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use rotate_fixtures::aws::{Action, Credentials};
use rotate_fixtures::{AUTHORITY, FleetWorkplace, has};

use super::{AT_ONCE, DAY, ROTATE};

const TARGETS: usize = 20;
const ALONE: usize = 60;
const PAIRS: usize = 40;

struct Scenario {
    place: FleetWorkplace,
    old: Vec<(String, Credentials)>,
}

impl Scenario {
    fn new() -> Self {
        let mut place = FleetWorkplace::new(ROTATE);
        place.configure(AT_ONCE);
        let old = (0..TARGETS)
            .map(|number| {
                let user = format!("user-{number:02}");
                let key = place.add_user(&user, DAY * 179, "");
                (user, key)
            })
            .collect();
        Self { place, old }
    }

    /// Runs once; says whether it was killed.
    fn run(&self, kill_at: Option<usize>) -> bool {
        let mut command = self.place.command(["run"]);
        command.env("SSL_CERT_FILE", AUTHORITY);
        if let Some(kill) = kill_at {
            command.env("ROTATE_TEST_KILL_AT", kill.to_string());
        }
        let output = command.output().unwrap();
        let killed = output.status.signal() == Some(9);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(killed || output.status.success(), "{talk}");
        for stream in [&output.stdout, &output.stderr] {
            assert!(
                !has(stream, self.place.cloud.canary().as_bytes()),
                "a secret was printed"
            );
        }
        killed
    }

    /// What holds at every moment.
    fn check_now(&self) {
        let journal = self.place.run(["audit", "--output", "json"]).expect(0).stdout;
        let cloud = &self.place.cloud;
        for (user, old) in &self.old {
            // Each consumer reads its destination every time.
            let held = self.place.delivered_key(user).unwrap_or_else(|| old.clone());
            assert!(cloud.works(&held.id, &held.secret), "the consumer of {user} is cut off");
            let intended = journal.contains(user.as_str());
            for key in self.place.keys(user) {
                // A key whose call was under way when the program died is on record as an intent.
                let known = key == old.id || journal.contains(&key) || intended;
                assert!(known, "{user} has {key}, of which nothing is on record");
            }
            assert!(self.place.keys(user).len() <= 2);
        }
        self.check_secrets();
    }

    /// No secret lies in the state folder in the clear.
    fn check_secrets(&self) {
        let canary = self.place.cloud.canary();
        for entry in std::fs::read_dir(self.place.state()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!has(&bytes, canary.as_bytes()), "a secret lies in the state folder");
        }
    }

    fn check_end(&self) {
        let cloud = &self.place.cloud;
        for (user, old) in &self.old {
            let new = self.place.delivered_key(user).unwrap();
            assert_eq!(self.place.keys(user), [new.id.as_str()], "{user}");
            assert_ne!(new.id, old.id);
            assert!(cloud.works(&new.id, &new.secret));
        }
        self.place.run(["audit", "verify"]).expect(0);
        cloud.reset_calls();
        self.place.run(["run"]).expect(0).says(&["20 targets: 20 not due"]);
        assert_eq!(cloud.count_of(Action::CreateAccessKey), 0);
    }
}

/// Kills a run at these points, one after the other, and brings the fleet to its end.
fn survive(kills: &[usize]) {
    let scenario = Scenario::new();
    for kill in kills {
        scenario.run(Some(*kill));
        scenario.check_now();
    }
    assert!(!scenario.run(None));
    scenario.check_end();
}

/// How many crash points an undisturbed run passes.
fn points() -> usize {
    let scenario = Scenario::new();
    let trace = scenario.place.path("trace");
    let mut command = scenario.place.command(["run"]);
    command.env("ROTATE_TEST_TRACE", &trace);
    assert!(command.output().unwrap().status.success());
    scenario.check_end();
    std::fs::read_to_string(trace).unwrap().lines().count()
}

#[test]
fn a_run_over_twenty_targets_survives_kills_everywhere() {
    let points = points();
    assert!(points > TARGETS * 20, "{points} crash points are too few");
    let alone = (0..ALONE).map(|number| vec![1 + number * points / ALONE]);
    // The second kill comes soon after the first run began again, or late.
    let pairs = (0..PAIRS).map(|number| {
        let first = 1 + (number * 7919) % points;
        vec![first, 1 + (number * 104_729) % (points - first + 1).max(1)]
    });
    let kills: Vec<Vec<usize>> = alone.chain(pairs).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(kills) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    survive(kills);
                }
            });
        }
    });
}
