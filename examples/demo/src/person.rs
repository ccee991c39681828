//! A person at a terminal, who answers what the program asks.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::running::Ended;
use crate::stage::{Stage, as_rotate, home_of};

/// How a question ends that waits for an answer: an ordinary one, and one for a secret.
const ENDS: [&str; 2] = ["] ", "(not shown): "];

impl Stage {
    /// Runs a command line of `rotate` at a terminal, where this answers its questions, by what was seen since the last one; it ends
    /// with exit code 0. What is typed is shown as the terminal shows it: a secret is not.
    pub(crate) fn walk(&self, mut command: Command, shown: &[&str], mut answer: impl FnMut(&str) -> String) {
        self.page.command(shown);
        let (mut keyboard, screen) = terminal(self.page.inner());
        let home = home_of(&command);
        as_rotate(&mut command, self.page.inner())
            .env("TERM", "xterm")
            .stdin(screen.try_clone().expect("a terminal can be shared"))
            .stdout(screen.try_clone().expect("a terminal can be shared"))
            .stderr(screen);
        self.running.begin(command.spawn().expect("the program can be started"));
        // Its end is seen once nobody else holds the terminal.
        drop(command);
        let (mut seen, mut line) = (String::new(), String::new());
        let mut answered = false;
        let mut part = [0; 4096];
        // The end of a terminal is an error, on Linux.
        while let Ok(length @ 1..) = keyboard.read(&mut part) {
            line.push_str(&String::from_utf8_lossy(&part[..length]));
            while let Some((whole, rest)) = line.split_once('\n') {
                self.page.output(&whole.trim_end_matches('\r').replace(&home, "~"));
                self.pause(12);
                // The rest of a question is its answer, and not what comes after it.
                if !std::mem::take(&mut answered) {
                    seen.push_str(whole);
                }
                line = rest.to_owned();
            }
            if !answered && ENDS.iter().any(|end| line.ends_with(end)) {
                let typed = answer(&(std::mem::take(&mut seen) + &line));
                answered = true;
                self.pause(250);
                let _ = keyboard.write_all(format!("{typed}\n").as_bytes());
            }
        }
        let ended = self.ended();
        self.expect(ended == Ended::With(0), || {
            format!("rotate {}: {ended} where 0 was promised", shown.join(" "))
        });
    }
}

/// The two sides of a terminal this wide.
fn terminal(columns: usize) -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be had");
    grantpt(&keyboard).expect("it is ours");
    unlockpt(&keyboard).expect("it can be opened");
    let name = ptsname(&keyboard, Vec::new()).expect("it has a name");
    let size = Winsize {
        ws_row: 50,
        ws_col: u16::try_from(columns).unwrap_or(80),
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&keyboard, size).expect("it has a size");
    // It is nobody's controlling terminal: its end would end this process too.
    let screen = open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it can be opened");
    (keyboard.into(), screen.into())
}
