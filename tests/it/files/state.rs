//! A state folder that is not there, or of which a part is lost: nothing begins anew where something was.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use jiff::SignedDuration;
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{FleetWorkplace, Ran, Workplace};

use crate::files::limit::OTHER;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const AT_ONCE: &str = "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\n";

/// A fleet of one user whose key is due.
fn fleet(more: &str) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(&format!("{AT_ONCE}{more}"));
    place.add_user("one", SignedDuration::from_hours(24 * 179), "");
    place
}

#[test]
fn a_run_that_demands_its_journal_fails_where_there_is_none_and_makes_none() {
    let place = fleet("require_state = true\n");
    let keys = place.keys("one");
    let words = [
        "there is no journal in",
        "require_state",
        "mounted",
        "$ROTATE_STATE_DIR",
        "nothing was touched",
        "rotate --state-dir",
        "init --state",
    ];
    for _ in 0..2 {
        place.run(["run"]).expect(1).says(&words);
        assert!(!place.state().exists());
    }
    // An empty folder, as a volume that was not mounted leaves it, is no journal either.
    fs::create_dir(place.state()).expect("the folder is ours");
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    place.run(["run"]).expect(1).says(&words);
    assert_eq!(fs::read_dir(place.state()).expect("it is ours").count(), 0);
    // The plan only says so, and doctor finds it wrong.
    let plan = place.run(["plan"]).expect(0);
    assert!(plan.stdout.contains("start"), "{}", plan.stdout);
    plan.says(&["there is no journal in", "`rotate run` would fail", "made without it"]);
    let doctor = place.run(["doctor"]).expect(1);
    assert!(doctor.stdout.contains("there is no journal in"), "{}", doctor.stdout);
    assert_eq!(
        (place.keys("one"), place.cloud.count_of(Action::CreateAccessKey)),
        (keys, 0)
    );
}

#[test]
fn the_very_first_run_is_prepared_by_hand_once() {
    let place = fleet("require_state = true\n");
    place
        .run(["init", "--state"])
        .expect(0)
        .says(&["made", "an empty journal and a new age identity", "backups"]);
    let identity = fs::read(place.state().join("identity.age")).expect("it was made");
    place
        .run(["init", "--state"])
        .expect(0)
        .says(&["there already", "nothing was done"]);
    assert_eq!(
        fs::read(place.state().join("identity.age")).expect("it is there"),
        identity
    );
    place.run(["run"]).expect(0);
    let delivered = place.delivered_key("one").expect("it was rotated");
    assert_eq!(place.keys("one"), [delivered.id]);
    place.run(["init", "--state"]).expect(0).says(&["nothing was done"]);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn without_the_demand_a_first_run_begins_as_ever() {
    let place = fleet("");
    place
        .run(["run"])
        .expect(0)
        .says(&["keeping the journal and a new age identity"]);
    assert!(place.delivered_key("one").is_some());
    let starter = Ran::of(place.command(["init", "starter.toml"])).expect(0);
    drop(starter);
    let text = fs::read_to_string(place.path("starter.toml")).expect("it was written");
    assert!(text.contains("\nrequire_state = true"), "{text}");
    let odd = fleet("require_state = \"yes\"\n");
    odd.run(["plan"])
        .expect(64)
        .says(&["require_state", "neither true nor false"]);
}

#[test]
fn an_identity_without_a_journal_has_lost_it_for_every_command() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let (calls, keys) = (place.cloud.call_count(), place.cloud.keys_of("gainsight-s3").len());
    let kept = place.path("kept");
    fs::create_dir(&kept).expect("the folder is ours");
    for name in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        let _ = fs::rename(place.state().join(name), kept.join(name));
    }
    let words = [
        "the journal",
        "rotate.db is missing",
        "nothing was touched",
        "restore the state folder from a backup",
        "identity.age",
    ];
    for command in [
        &["run"][..],
        &["audit", "verify"],
        &["audit"],
        &["status"],
        &["confirm", TARGET],
        &["abort", TARGET],
    ] {
        place.run(command).expect(1).says(&words);
        assert!(!place.state().join("rotate.db").exists(), "{command:?}");
    }
    Ran::of(place.rotate([""; 0])).expect(1).says(&words);
    assert_eq!(place.cloud.call_count(), calls);
    assert_eq!(place.cloud.keys_of("gainsight-s3").len(), keys);
    for name in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        let _ = fs::rename(kept.join(name), place.state().join(name));
    }
    place.run(["confirm", TARGET]).expect(0);
}

#[test]
fn a_plan_beside_a_lost_journal_is_made_and_says_so() {
    let place = fleet("");
    place.run(["init", "--state"]).expect(0);
    for name in ["rotate.db", "rotate.db-wal", "rotate.db-shm"] {
        let _ = fs::remove_file(place.state().join(name));
    }
    let plan = place.run(["plan"]).expect(0);
    plan.says(&["rotate.db is missing", "`rotate run` would fail"]);
    place.run(["run"]).expect(1).says(&["rotate.db is missing"]);
    assert!(!place.state().join("rotate.db").exists());
}

#[test]
fn one_that_was_killed_before_its_identity_was_made_begins_again() {
    // The journal is made first, and nothing is sealed before there is an identity.
    let place = fleet("");
    place.run(["init", "--state"]).expect(0);
    fs::remove_file(place.state().join("identity.age")).expect("it is ours");
    place.run(["run"]).expect(0);
    assert!(place.delivered_key("one").is_some());
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn what_others_have_put_beside_the_database_is_not_used() {
    for name in [
        "rotate.db-wal",
        "rotate.db-shm",
        "rotate.db-journal",
        "identity.age",
        "rotate.db",
        "rotate.lock",
    ] {
        let place = Workplace::new(ROTATE);
        Ran::of(place.rotate([""; 0])).expect(0);
        let path = place.state().join(name);
        let was_there = path.exists();
        if !was_there {
            fs::write(&path, "").expect("the folder is ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        chown(&path, Some(OTHER), None).expect("this test needs root");
        let refused = place.run(["confirm", TARGET]).expect(1);
        refused.says(&[name, &format!("belongs to user {OTHER}"), "nothing was touched"]);
        chown(&path, Some(0), None).expect("root may");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        place
            .run(["confirm", TARGET])
            .expect(1)
            .says(&[name, "mode 0640", "chmod 600"]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let (real, kept) = (place.path("kept"), path.clone());
        fs::rename(&path, &real).expect("it is ours");
        symlink(&real, &path).expect("a link can be made");
        place.run(["confirm", TARGET]).expect(1).says(&[name, "symbolic link"]);
        fs::remove_file(&path).expect("it is ours");
        if was_there {
            fs::rename(&real, &kept).expect("it is ours");
        }
        place.run(["confirm", TARGET]).expect(0);
    }
}
