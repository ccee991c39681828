//! `rotate seal rekey`.

use std::fs;

use rotate::seal::Sealer;
use rotate::store::{SqliteStore, Store};
use rotate_fixtures::Ran;

use super::{Desk, MAIN, blocking, keyring};

/// A rotation that waits, sealed to the state folder's identity, and a configuration that names two recipients.
struct Moved {
    desk: Desk,
    machine: std::path::PathBuf,
    seal: String,
}

fn moved() -> Moved {
    let desk = Desk::new();
    desk.begin().expect(0);
    let ((machine, to_machine), (_, to_offline)) = (desk.identity("machine.txt"), desk.identity("offline.txt"));
    desk.seals_to(&[&to_machine, &to_offline], &machine);
    Moved {
        seal: format!("age:{to_machine},{to_offline}"),
        desk,
        machine,
    }
}

impl Moved {
    /// How many of what waits the machine's own identity opens alone.
    fn opened_by_the_new(&self) -> usize {
        let sealer = keyring(&self.seal, &self.machine);
        let all = self.desk.sealed();
        let opened = all
            .iter()
            .filter(|sealed| blocking(sealer.open(&sealed.purpose(), &sealed.bytes)).is_ok());
        opened.count()
    }
}

#[test]
fn all_that_waits_is_sealed_as_configured_and_the_old_identity_is_needed_no_more() {
    let moved = moved();
    let waits = moved.desk.sealed().len();
    assert!(waits > 0 && moved.opened_by_the_new() == 0);
    let told = format!("sealed {waits} anew, 0 were so already, 0 are left as they are");
    moved.desk.run(&["seal", "rekey"]).expect(0).says(&[&told]);
    assert_eq!(moved.opened_by_the_new(), waits);
    let again = format!("sealed 0 anew, {waits} were so already");
    moved.desk.run(&["seal", "rekey"]).expect(0).says(&[&again]);
    fs::remove_file(moved.desk.place.state().join("identity.age")).unwrap();
    moved.desk.run(&["audit", "verify"]).expect(0);
    moved.desk.ends();
}

#[test]
fn killed_anywhere_it_leaves_each_secret_as_it_was_or_as_it_is_to_be_and_a_repeat_does_the_rest() {
    let mut kills = 0;
    for at in 1..=30 {
        let moved = moved();
        let waits = moved.desk.sealed().len();
        let mut rekey = moved.desk.place.command(["seal", "rekey"]);
        rekey.env("ROTATE_TEST_KILL_AT", at.to_string());
        let ran = Ran::of(rekey);
        if ran.code.is_some() {
            ran.expect(0);
            break;
        }
        kills += 1;
        assert_eq!(moved.desk.sealed().len(), waits);
        // With both identities every one of them opens.
        moved.desk.run(&["audit", "verify"]).expect(0);
        moved
            .desk
            .run(&["seal", "rekey"])
            .expect(0)
            .says(&["0 are left as they are"]);
        assert_eq!(moved.opened_by_the_new(), waits);
        moved.desk.ends();
    }
    assert!(kills >= 2, "{kills}");
}

#[test]
fn one_that_cannot_be_opened_is_told_of_and_left_and_the_others_are_done() {
    let moved = moved();
    let all = moved.desk.sealed();
    let mut broken = all[0].bytes.clone();
    *broken.last_mut().unwrap() ^= 1;
    moved.desk.put(&all[0], &broken);
    let told = format!("what is sealed for {MAIN} ({})", all[0].name);
    moved
        .desk
        .run(&["seal", "rekey"])
        .expect(1)
        .says(&[&told, "1 are left as they are"]);
    let left = moved.desk.sealed();
    assert_eq!(
        left.iter().find(|sealed| sealed.name == all[0].name).unwrap().bytes,
        broken
    );
    assert_eq!(moved.opened_by_the_new(), all.len() - 1);
}

#[test]
fn it_waits_for_nobody_who_works_and_does_nothing_meanwhile() {
    let moved = moved();
    let before = moved.desk.lines();
    let path = moved.desk.database();
    let (store, lease) = blocking(async {
        let store = SqliteStore::open(&path).await.unwrap();
        let lease = store.lease().await.unwrap();
        (store, lease)
    });
    moved
        .desk
        .run(&["seal", "rekey"])
        .expect(4)
        .says(&["another run of rotate"]);
    drop((lease, store));
    assert_eq!(moved.desk.lines(), before);
}

#[test]
fn nothing_is_sealed_for_others_that_this_machine_could_not_open_again() {
    let moved = moved();
    let before = moved.desk.lines();
    let ((machine, _), (_, to_other)) = (moved.desk.identity("x.txt"), moved.desk.identity("y.txt"));
    fs::remove_file(moved.desk.place.state().join("identity.age")).unwrap();
    moved.desk.seals_to(&[&to_other], &machine);
    moved
        .desk
        .run(&["seal", "rekey"])
        .expect(1)
        .says(&["this machine is no recipient"]);
    assert_eq!(moved.desk.lines(), before);
}

#[test]
fn where_there_is_no_journal_nothing_is_made() {
    let desk = Desk::new();
    desk.run(&["seal", "rekey"])
        .expect(0)
        .says(&["there is no journal yet"]);
    assert!(!desk.place.state().exists());
}

#[test]
fn where_nothing_can_be_opened_nothing_is_changed_and_nothing_is_said_to_be() {
    let moved = moved();
    let before = moved.desk.lines();
    fs::remove_file(moved.desk.place.state().join("identity.age")).unwrap();
    let told = ["nothing was changed", "none can be opened here", "seal rekey"];
    moved.desk.run(&["seal", "rekey"]).expect(1).says(&told);
    assert_eq!(moved.desk.lines(), before);
    assert!(rekeyed(&moved.desk).is_empty());
}

#[test]
fn the_journal_says_who_had_it_done_from_what_to_what_and_of_how_many_and_no_target_is_made_of_that() {
    let moved = moved();
    let waits = moved.desk.sealed().len();
    let from = moved.desk.lines()[0].replace("rotate-sealed/1 ", "");
    moved.desk.run(&["seal", "rekey"]).expect(0);
    let told = rekeyed(&moved.desk);
    assert_eq!(told.len(), 1);
    for (key, value) in [
        ("from", serde_json::json!(from)),
        ("to", serde_json::json!(sorted(&moved.seal))),
        ("sealed", serde_json::json!(waits)),
        ("already", serde_json::json!(0)),
        ("left", serde_json::json!(0)),
    ] {
        assert_eq!(told[0][key], value, "{key}");
    }
    assert!(!told[0]["by"].as_str().unwrap().is_empty());
    // A repeat has nothing to say.
    moved.desk.run(&["seal", "rekey"]).expect(0);
    assert_eq!(rekeyed(&moved.desk).len(), 1);
    let text = moved.desk.run(&["audit"]).expect(0).stdout;
    assert!(text.contains("journal:seal  rekeyed  by "), "{text}");
    let status = moved.desk.run(&["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"].as_array().unwrap().len(), 1, "{status}");
    moved.desk.run(&["report", "--output", "json"]).expect(0);
    moved.desk.ends();
    moved.desk.run(&["audit", "verify"]).expect(0);
}

/// What the journal says of it, oldest first.
fn rekeyed(desk: &Desk) -> Vec<serde_json::Value> {
    let told = desk.run(&["audit", "--output", "json"]).expect(0).json();
    let events = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["what"].clone());
    events.filter(|what| what["event"] == "rekeyed").collect()
}

/// Recipients, in the order in which they are kept.
fn sorted(seal: &str) -> String {
    let mut all: Vec<&str> = seal.trim_start_matches("age:").split(',').collect();
    all.sort_unstable();
    format!("age:{}", all.join(","))
}
