//! Somebody has seen enough.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::desk::Desk;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn whoever_stops_it_half_way_finds_nothing_left() {
    for signal in [Signal::INT, Signal::TERM] {
        let desk = Desk::new();
        let mut child = desk.command(&[]).stdout(Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        // The first scene is at work.
        while !desk
            .workplace()
            .is_some_and(|folder| folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()))
        {
            assert!(begin.elapsed() < LIMIT, "it does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(desk.left().is_empty(), "{:?}", desk.left());
    }
}
