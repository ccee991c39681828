//! The destinations of one target at once. Real programs are started; the keys are those of the strict fake of AWS.

use std::path::{Path, PathBuf};

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};

use super::exec::write_program;

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_rotate"))
}

/// A program of this name, as a destination.
fn program(place: &Workplace, name: &str, text: &str) -> String {
    write_program(&place.path(name), text);
    format!("exec:{} {}", place.path(name).display(), place.path("").display())
}

fn file(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// The destinations that events of this name are about, in the journal's order.
fn destinations(place: &Workplace, event: &str) -> Vec<String> {
    let audit = place.run(["audit", "--output", "json"]).expect(0).json();
    let events = audit["events"].as_array().cloned().unwrap_or_default();
    let of_event = events.iter().filter(|line| line["what"]["event"] == event);
    of_event
        .map(|line| line["what"]["destination"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn held(path: PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Each of the two waits for the other one: one after the other, neither would ever end well.
#[test]
fn no_destination_waits_for_the_end_of_another_and_the_journal_keeps_their_order() {
    let place = workplace();
    let meet = |mine: &str, other: &str| {
        format!(
            "cat >/dev/null; case $2 in deliver) touch $1/{mine}; \
             for i in $(seq 1 600); do [ -e $1/{other} ] && exit 0; sleep 0.1; done; exit 1;; esac"
        )
    };
    let names = [
        program(&place, "first", &meet("a", "b")),
        file(&place.path("key.json")),
        program(&place, "second", &meet("b", "a")),
    ];
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    Ran::of(place.rotate_to(&to, ["--soak", "7d"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    for event in ["deliver-intended", "delivered"] {
        assert_eq!(destinations(&place, event), names, "{event}");
    }
}

#[test]
fn one_that_fails_keeps_no_other_from_getting_the_key_and_is_tried_alone_the_next_time() {
    let place = workplace();
    let fails = "cat >/dev/null; [ $2 != deliver ] || { echo x >>$1/tried; [ -e $1/mended ]; }";
    let counts = "cat >/dev/null; [ $2 != deliver ] || echo x >>$1/sent";
    let names = [
        program(&place, "fails", fails),
        program(&place, "counts", counts),
        file(&place.path("key.json")),
    ];
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = Ran::of(place.rotate_to(&to, ["--soak", "7d"])).expect(1);
    assert!(
        ran.stderr.contains("fails deliver ended with exit code 1"),
        "{}",
        ran.stderr
    );
    let new = place.delivered_key().expect("it is delivered all the same");
    assert!(place.cloud.works(&new.id, &new.secret));
    assert_eq!(destinations(&place, "delivered"), names[1..]);
    // Nobody is asked to confirm before each has it.
    assert_eq!(place.state_name(), "verified");
    place.run(["confirm", TARGET]).expect(1);
    std::fs::write(place.path("mended"), "").expect("it can be written");
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert_eq!(held(place.path("tried")), "x\nx\n");
    assert_eq!(held(place.path("sent")), "x\n", "it was sent again");
}

/// Each reads what the one before has written.
#[test]
fn parts_of_one_file_come_one_after_the_other_and_each_is_put_back() {
    let place = workplace();
    let path = place.path("credentials");
    std::fs::write(&path, "[default]\nregion = eu-west-1\n").expect("it can be written");
    let close = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, close).expect("it is ours");
    let before = held(path.clone());
    let names = ["one", "two"].map(|profile| format!("aws-profile:{profile}@{}", path.display()));
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    Ran::of(place.rotate_to(&to, ["--soak", "7d"])).expect(0);
    assert_eq!(held(path.clone()).matches("aws_secret_access_key").count(), 2);
    place.run(["abort", TARGET]).expect(0);
    assert_eq!(held(path), before);
}

/// Whatever it is started for, it does not work beside itself.
#[test]
fn destinations_of_one_program_that_keeps_a_lock_come_one_after_the_other() {
    let place = workplace();
    let locks = "cat >/dev/null; mkdir ${0%/*}/lock || exit 1; sleep 0.5; rmdir ${0%/*}/lock; echo x >>${0%/*}/$1-$2";
    write_program(&place.path("locks"), locks);
    let names = ["one", "two"].map(|name| format!("exec:{} {name}", place.path("locks").display()));
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    Ran::of(place.rotate_to(&to, ["--soak", "7d"])).expect(0);
    for name in ["one", "two"] {
        for action in ["prepare", "deliver"] {
            assert!(place.path(&format!("{name}-{action}")).exists(), "{name} {action}");
        }
    }
}
