//! What goes wrong in the gap and is no kill: a call that arrives late, a wish to stop, a destination that is broken, an error that
//! stays.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rotate_fixtures::Ran;
use rotate_fixtures::test_passwords::{FIRST_PASSWORD, PasswordFault};
use rustix::process::{Pid, Signal, kill_process};

use super::{Desk, TARGET};

/// How long an answer is held back once the wish to stop is sent, so that it has arrived by then.
const HELD: Duration = Duration::from_secs(2);

/// Nobody can read or write this file, and nothing in it is lost.
fn break_file(path: &Path) {
    std::fs::rename(path, path.with_extension("aside")).unwrap();
    std::fs::create_dir(path).unwrap();
}

fn mend_file(path: &Path) {
    std::fs::remove_dir(path).unwrap();
    std::fs::rename(path.with_extension("aside"), path).unwrap();
}

impl Desk {
    /// The next password that is set makes the vendor ask this process to stop, before it answers.
    fn stops_the_next_setter(&self) -> Sender<Pid> {
        let (who, told) = channel();
        let told = Mutex::new(told);
        self.vendor.on_change(move |_| {
            if let Ok(pid) = told.lock().unwrap().recv_timeout(HELD) {
                kill_process(pid, Signal::TERM).unwrap();
                std::thread::sleep(HELD);
            }
        });
        who
    }
}

/// Runs it, and says who it is to whoever wants to stop it.
fn run_and_tell(mut command: Command, who: &Sender<Pid>) -> Ran {
    let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    who.send(Pid::from_child(&child)).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_call_that_takes_effect_between_two_logins_is_no_strangers() {
    let desk = Desk::new();
    desk.vendor.suffers(Some(PasswordFault::SetsAtTheNextLogin));
    desk.rotate(&[]).expect(0);
    let user = desk.vendor.user();
    assert_eq!(desk.held(), Some(user.password.clone()));
    assert!(
        user.history[1..].iter().all(|set| *set == user.password),
        "a second password was set"
    );
}

#[test]
fn a_call_of_a_rollback_that_takes_effect_between_two_logins_is_no_strangers() {
    let desk = Desk::killed_at("replaced", 2);
    desk.vendor.suffers(Some(PasswordFault::SetsAtTheNextLogin));
    desk.run(&["rollback", TARGET]).expect(0);
    assert_eq!(desk.vendor.user().password, FIRST_PASSWORD);
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    assert_eq!(desk.last_event(), "rolled-back");
}

#[test]
fn a_wish_to_stop_in_the_gap_waits_until_the_consumer_has_the_new_password() {
    let desk = Desk::new();
    let who = desk.stops_the_next_setter();
    let ran = run_and_tell(desk.one_shot(&[]), &who).expect(0);
    assert!(ran.stderr.contains("stopping"), "{}", ran.stderr);
    assert_eq!(desk.last_event(), "done");
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
}

#[test]
fn a_wish_to_stop_in_a_rollback_waits_until_the_old_password_stands_for_good() {
    let desk = Desk::killed_at("delivered", 2);
    let who = desk.stops_the_next_setter();
    let ran = run_and_tell(desk.command(&["rollback", TARGET]), &who).expect(0);
    assert!(ran.stderr.contains("stopping"), "{}", ran.stderr);
    assert_eq!(desk.last_event(), "rolled-back");
    assert_eq!(desk.vendor.user().password, FIRST_PASSWORD);
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
}

#[test]
fn a_broken_destination_does_not_keep_the_others_waiting() {
    let desk = Desk::new();
    let broken = desk.place.path("key.env");
    desk.vendor.on_change({
        let broken = broken.clone();
        move |_| break_file(&broken)
    });
    let others = ["--deliver", "file:b.env", "--deliver", "file:c.env"];
    let ran = desk.rotate(&others).expect(1);
    assert!(ran.stderr.contains("key.env"), "{}", ran.stderr);
    let user = desk.vendor.user();
    assert_eq!(desk.held_in("b.env").as_ref(), Some(&user.password));
    assert_eq!(desk.held_in("c.env").as_ref(), Some(&user.password));
    desk.run(&["run"]).expect(1).says(&["key.env"]);
    mend_file(&broken);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.held(), Some(user.password));
    assert_eq!(desk.last_event(), "done");
}

#[test]
fn a_broken_destination_does_not_keep_the_others_waiting_for_the_old_password_either() {
    let desk = Desk::new();
    for file in ["b.env", "c.env"] {
        desk.holds(file, FIRST_PASSWORD);
    }
    let last = desk.place.path("c.env");
    desk.vendor.on_change({
        let last = last.clone();
        move |_| {
            if last.is_file() {
                break_file(&last);
            }
        }
    });
    desk.rotate(&["--deliver", "file:b.env", "--deliver", "file:c.env"])
        .expect(1);
    mend_file(&last);
    let broken = desk.place.path("b.env");
    break_file(&broken);
    desk.vendor.on_change(|_| ());
    desk.run(&["rollback", TARGET]).expect(1).says(&["b.env"]);
    assert_eq!(desk.vendor.user().password, FIRST_PASSWORD);
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    mend_file(&broken);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.held_in("b.env").as_deref(), Some(FIRST_PASSWORD));
    assert_eq!(desk.last_event(), "rolled-back");
}

#[test]
fn an_error_that_stays_in_the_gap_names_its_exit_which_says_first_what_it_costs() {
    let stuck = || {
        let desk = Desk::killed_at("replace-intended", 2);
        desk.vendor.suffers(Some(PasswordFault::IsStarting));
        desk.run(&["run"])
            .expect(1)
            .says(&["abort --force test-password/loader"]);
        let told = desk.run(&["abort", "--force", TARGET]).expect(3).stdout;
        assert!(told.contains("erases the sealed secrets"), "{told}");
        assert_eq!(desk.last_event(), "blocked");
        desk
    };
    // Whoever has not meant that goes on.
    let desk = stuck();
    desk.vendor.suffers(None);
    desk.run(&["confirm", TARGET]).expect(0);
    assert_eq!(desk.held(), Some(desk.vendor.user().password));
    // Whoever has, asks nothing of the vendor.
    let desk = stuck();
    let (user, calls) = (desk.vendor.user(), desk.vendor.calls());
    desk.run(&["abort", "--force", TARGET]).expect(0);
    assert_eq!((desk.vendor.user(), desk.vendor.calls()), (user, calls));
    assert_eq!(desk.held().as_deref(), Some(FIRST_PASSWORD));
    assert_eq!(desk.last_event(), "aborted");
}
