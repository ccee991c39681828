//! Saying what comes, running it, and showing what it prints: in colour and at a pace at which it can be read on a terminal,
//! plain and at once elsewhere.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::AS_ROTATE;
use crate::consumer::Watched;
use crate::page::Page;
use crate::running::{Ended, Running, Trap};
use crate::verdict::Tally;

/// Where everything is shown, and what came of it.
pub(crate) struct Stage {
    pub(crate) page: Page,
    pub(crate) running: Running,
    pub(crate) tally: RefCell<Tally>,
    /// Whether somebody watches, who has to have time to read.
    watched: bool,
}

impl Stage {
    pub(crate) fn new(running: Running) -> Self {
        Self {
            page: Page::new(),
            running,
            tally: RefCell::default(),
            watched: std::io::stdout().is_terminal(),
        }
    }

    pub(crate) fn open(&self) {
        self.page.heading("rotate");
        self.page.text(
            "Three vendors, played by stand-ins as strict as the real ones, and the real command line. Nothing leaves this \
             machine. Four scenes, half a minute; each vendor has a consumer that uses its key all the time.",
        );
    }

    /// Begins a scene.
    pub(crate) fn scene(&self, title: &str) {
        self.pause(600);
        self.page.heading(title);
    }

    /// Says what comes.
    pub(crate) fn say(&self, text: &str) {
        self.pause(300);
        self.page.remark(text);
        self.pause(700);
    }

    /// A line of what the vendor, or somebody else, shows.
    pub(crate) fn show(&self, line: &str) {
        self.page.aside(line);
    }

    /// Waits for so long, having said what for.
    pub(crate) fn wait(&self, what: &str, time: Duration) {
        self.page
            .remark(&format!("{what} That takes {} seconds: waiting …", time.as_secs()));
        // The program counts from its own commit, which was a moment ago.
        std::thread::sleep(time + Duration::from_millis(200));
    }

    /// Runs a command line of `rotate`, which ends with this exit code; gives what it printed.
    pub(crate) fn run(&self, command: Command, shown: &[&str], code: i32) -> String {
        self.run_briefly(command, shown, code, usize::MAX)
    }

    /// The same, of which no more lines than these are shown.
    pub(crate) fn run_briefly(&self, command: Command, shown: &[&str], code: i32, lines: usize) -> String {
        let (ended, printed) = self.perform(command, shown, lines);
        self.expect(ended == Ended::With(code), || {
            format!("rotate {}: {ended} where {code} was promised", shown.join(" "))
        });
        printed
    }

    /// Runs a command line of `rotate` that this trap kills.
    pub(crate) fn run_into(&self, trap: impl FnOnce(Trap), command: Command, shown: &[&str]) {
        trap(self.running.trap());
        let (ended, _) = self.perform(command, shown, usize::MAX);
        self.expect(ended == Ended::Killed, || {
            format!("rotate {}: {ended} where it was to be killed", shown.join(" "))
        });
        self.tally.borrow_mut().kills += usize::from(ended == Ended::Killed);
    }

    /// The consumer ends its work; how it fared is part of the verdict.
    pub(crate) fn dismiss(&self, consumer: Watched) {
        let (worked, failed) = consumer.stop();
        self.expect(worked > 0, || "a consumer did not come to work".to_owned());
        self.expect(failed == 0, || {
            format!("{failed} of {} requests of a consumer failed", worked + failed)
        });
        self.page
            .remark(&format!("Its consumer: {worked} requests worked, {failed} failed."));
        self.tally.borrow_mut().take(worked, failed);
    }

    /// What was promised; where it is not so, the verdict says what is.
    pub(crate) fn expect(&self, kept: bool, broken: impl FnOnce() -> String) {
        if !kept {
            self.tally.borrow_mut().broken.push(broken());
        }
    }

    /// What opens a page here: nothing where nobody watches, or where there is no desktop.
    pub(crate) fn viewer(&self) -> Option<&'static str> {
        let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let desktop = has("DISPLAY") || has("WAYLAND_DISPLAY");
        match std::env::consts::OS {
            _ if !self.watched || has("CI") => None,
            "macos" => Some("open"),
            _ => desktop.then_some("xdg-open"),
        }
    }

    pub(crate) fn pause(&self, milliseconds: u64) {
        if self.watched {
            std::thread::sleep(Duration::from_millis(milliseconds));
        }
    }

    fn perform(&self, mut command: Command, shown: &[&str], lines: usize) -> (Ended, String) {
        self.page.command(shown);
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let home = home_of(&command);
        as_rotate(&mut command, self.page.inner())
            .stdout(writer.try_clone().expect("a pipe can be shared"))
            .stderr(writer);
        self.running.begin(command.spawn().expect("the program can be started"));
        // What is left of the pipe's other end is in there.
        drop(command);
        let printed = self.relay(reader, &home, lines);
        (self.ended(), printed)
    }

    fn relay(&self, reader: PipeReader, home: &str, lines: usize) -> String {
        let mut printed = String::new();
        let mut count = 0;
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).replace(home, "~");
            count += 1;
            if count <= lines {
                self.page.output(&line);
                self.pause(12);
            }
            printed.push_str(&line);
            printed.push('\n');
        }
        if count > lines {
            self.page.output(&format!("… {} more lines", count - lines));
        }
        printed
    }

    /// Tells how the program has ended.
    pub(crate) fn ended(&self) -> Ended {
        let ended = self.running.end();
        self.page.ended(ended);
        self.tally.borrow_mut().commands += 1;
        ended
    }
}

/// The process that plays the program, which writes no line longer than this.
pub(crate) fn as_rotate(command: &mut Command, columns: usize) -> &mut Command {
    command
        .env(AS_ROTATE, "1")
        .env("COLUMNS", columns.to_string())
        .stdin(Stdio::null())
}

/// The folder that the program takes for its home: shown as the shell does.
pub(crate) fn home_of(command: &Command) -> String {
    let folder = command.get_current_dir().unwrap_or(Path::new("/"));
    folder.display().to_string()
}
