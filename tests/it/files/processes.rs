//! Many processes on one state folder, killed at any moment; and people who tidy up in it while one is at work.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// How often processes are started together and killed.
const ROUNDS: usize = 12;

/// A command that is repeated ends the rotation within so many times, whatever came before.
const REPEATS: usize = 20;

/// No process is left longer than this: most need longer.
const LONGEST: Duration = Duration::from_millis(400);

/// A process that does not outlive the test.
struct Started(Child);

impl Started {
    fn new(mut command: Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.expect("the program can be started"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn seed() -> u64 {
    let given = std::env::var("ROTATE_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("ROTATE_TEST_SEED={seed}");
    seed
}

/// The owner has a key that works, and so has whoever reads the destination, or read the old key.
fn holds(place: &Workplace, when: &str) {
    let works = |id: &str, secret: &str| place.cloud.works(id, secret);
    if works(&place.old.id, &place.old.secret) {
        return;
    }
    let mut read = place.delivered_key();
    // A process may have replaced the file, and taken its key away, since it was read.
    while let Some(key) = &read
        && !works(&key.id, &key.secret)
    {
        let again = place.delivered_key();
        let is_new = again.as_ref().is_some_and(|again| again.id != key.id);
        assert!(is_new, "{when}: no key works: {:?}", place.cloud.keys_of(USER));
        read = again;
    }
    assert!(
        read.is_some(),
        "{when}: nothing was delivered: {:?}",
        place.cloud.keys_of(USER)
    );
}

fn together(processes: usize) {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Workplace::in_memory(ROTATE);
    for round in 0..ROUNDS {
        let when = format!("{processes} processes, seed {seed}, round {round}");
        let mut started: Vec<(Duration, Started)> = (0..processes)
            .map(|_| {
                let after = Duration::from_micros(random.u64(0..LONGEST.as_micros() as u64));
                let command = match random.u8(0..4) {
                    0 => place.command(["run"]),
                    // Once one has ended, the next begins.
                    _ => place.rotate(AT_ONCE.into_iter().chain(["--again"])),
                };
                (after, Started::new(command))
            })
            .collect();
        started.sort_by_key(|(after, _)| *after);
        let mut waited = Duration::ZERO;
        for (after, process) in started {
            std::thread::sleep(after.saturating_sub(waited));
            waited = after;
            // SIGKILL, unless it has ended.
            drop(process);
            holds(&place, &when);
        }
    }
    let mut codes = Vec::new();
    for _ in 0..REPEATS {
        let ran = Ran::of(place.rotate(AT_ONCE));
        codes.push(ran.code);
        if ran.code == Some(0) {
            break;
        }
    }
    assert_eq!(codes.last(), Some(&Some(0)), "seed {seed}: {codes:?}");
    place.expect_rotated();
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn two_processes_that_are_killed_at_any_moment_leave_a_key_that_works_and_a_whole_journal() {
    together(2);
}

#[test]
fn four_processes_that_are_killed_at_any_moment_leave_a_key_that_works_and_a_whole_journal() {
    together(4);
}

#[test]
fn eight_processes_that_are_killed_at_any_moment_leave_a_key_that_works_and_a_whole_journal() {
    together(8);
}

/// Does this once, while the first key is being created: a process is at work then.
fn while_a_key_is_created(place: &Workplace, act: impl Fn() + Send + Sync + 'static) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let was = Arc::clone(&done);
    place.cloud.on_effect(move |effect| {
        if effect.action == Action::CreateAccessKey && !was.swap(true, Ordering::SeqCst) {
            act();
        }
    });
    done
}

#[test]
fn who_removes_the_lock_of_a_process_at_work_gives_its_state_to_nobody() {
    let place = Workplace::new(ROTATE);
    let lock = place.state().join("rotate.lock");
    let second = Mutex::new(place.command(["run"]));
    let told = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&told);
    let done = while_a_key_is_created(&place, move || {
        fs::remove_file(&lock).expect("it is ours");
        let output = second.lock().expect("nobody else has it").output();
        *heard.lock().expect("nobody else has it") = Some(output.expect("the program can be started"));
    });
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    assert!(done.load(Ordering::SeqCst));
    let second = told.lock().expect("nobody else has it").take().expect("it ran");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{said}");
    assert!(said.contains("another run of rotate"), "{said}");
    place.expect_rotated();
    place.run(["audit", "verify"]).expect(0);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn a_state_folder_that_is_renamed_under_a_process_at_work_keeps_all_that_it_writes() {
    let place = Workplace::new(ROTATE);
    let (state, moved) = (place.state(), place.path("moved"));
    let (from, to): (PathBuf, PathBuf) = (state.clone(), moved.clone());
    let done = while_a_key_is_created(&place, move || fs::rename(&from, &to).expect("the folder is ours"));
    let first = Ran::of(place.rotate(AT_ONCE));
    assert!(done.load(Ordering::SeqCst));
    holds(&place, "renamed");
    // Nothing was begun in its old place.
    assert!(!state.exists(), "{first:#?}");
    fs::rename(&moved, &state).expect("the folder is ours");
    place.run(["audit", "verify"]).expect(0);
    let again = Ran::of(place.rotate(AT_ONCE));
    again.expect(0);
    place.expect_rotated();
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1, "{first:#?}");
}

#[test]
fn an_identity_that_is_swapped_under_a_process_at_work_is_found_and_nothing_is_disabled() {
    let (place, other) = (Workplace::new(ROTATE), Workplace::new(ROTATE));
    Ran::of(other.rotate([""; 0])).expect(0);
    let (own, theirs) = (place.state().join("identity.age"), other.state().join("identity.age"));
    let kept = place.path("kept");
    let (mine, aside) = (own.clone(), kept.clone());
    let done = while_a_key_is_created(&place, move || {
        fs::rename(&mine, &aside).expect("the folder is ours");
        fs::copy(&theirs, &mine).expect("it can be copied");
    });
    Ran::of(place.rotate([""; 0])).expect(0);
    assert!(done.load(Ordering::SeqCst));
    // What it sealed, it sealed to its own.
    place
        .run(["audit", "verify"])
        .expect(1)
        .says(&["cannot be opened with this identity"]);
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["restore the state folder from a backup"]);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    fs::rename(&kept, &own).expect("the folder is ours");
    place.run(["audit", "verify"]).expect(0);
    place.run(["run"]).expect(0);
    assert!(!place.cloud.works(&place.old.id, &place.old.secret));
}
