//! Talk on stderr and data on stdout: the only two places that write there.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rotate_providers::untrusted::{is_harmful, sanitized};
use tokio::sync::oneshot;

use super::pasted::{left_out, left_out_of_usage};
use crate::engine::driver::{Interrupt, Progress};

/// Data. A reader that has gone away is nobody's fault. What is in it was made harmless where it came in; whatever was not,
/// is here.
pub(super) fn print(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(visible(text).as_bytes()).and_then(|()| out.flush());
}

/// One line of data; says whether somebody still reads.
pub(super) fn print_line(line: &str) -> bool {
    let mut out = stdout().lock();
    writeln!(out, "{}", visible(line)).and_then(|()| out.flush()).is_ok()
}

/// Whether somebody still reads stdout, as far as that can be seen without writing there.
pub(super) fn somebody_reads() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let out = stdout();
    // The end of a reader is told of whatever is asked for.
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = poll(&mut watched, Some(&at_once));
    polled.is_err()
        || watched
            .iter()
            .all(|watched| !watched.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

/// The same lines without what moves the cursor or cannot be seen.
fn visible(text: &str) -> Cow<'_, str> {
    // Almost always it is plain, and no letter has to be looked at.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return text.into();
    }
    let harms = |letter: char| is_harmful(letter) && !matches!(letter, '\n' | '\t');
    text.replace(harms, "\u{fffd}").into()
}

/// Talk.
pub(super) fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "rotate: {}", said(text));
}

/// What failed, and what to do about it, one line each.
pub(super) fn error(what: &str, remedy: &[String]) {
    let mut err = stderr().lock();
    let _ = writeln!(err, "rotate: error: {}", said(what));
    for line in remedy {
        let _ = writeln!(err, "  {}", said(line));
    }
}

/// What the command line parser says of a mistake: what was typed cannot write to the terminal, and no secret is repeated.
pub(super) fn usage(text: &str) {
    let lines: Vec<String> = text.lines().map(|line| left_out_of_usage(&sanitized(line))).collect();
    let _ = writeln!(stderr().lock(), "{}", lines.join("\n"));
}

/// A line as it may be seen.
fn said(text: &str) -> String {
    left_out(&sanitized(text))
}

/// A question, or the end of one, with nothing before or behind it.
pub(super) fn prompt(text: &str) {
    let mut err = stderr().lock();
    let _ = write!(err, "{}", visible(text)).and_then(|()| err.flush());
}

/// Whether there is someone to ask.
pub(super) fn is_attended() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks; anything but yes is no.
pub(super) fn ask(question: &str) -> bool {
    let mut err = stderr().lock();
    let _ = write!(err, "{} [y/N] ", said(question)).and_then(|()| err.flush());
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// What the person types; `None` where they type nothing.
pub(super) fn answer(question: &str) -> Option<String> {
    let mut err = stderr().lock();
    let _ = write!(err, "{}", sanitized(question)).and_then(|()| err.flush());
    drop(err);
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line);
    let line = line.trim();
    (read.is_ok() && !line.is_empty()).then(|| line.to_owned())
}

/// Reads one line from the person; `None` at the end of their input, and where they ask the program to stop.
pub(super) async fn read(question: &str, interrupt: &Interrupt) -> Option<String> {
    {
        let mut err = stderr().lock();
        let _ = write!(err, "{}", sanitized(question)).and_then(|()| err.flush());
    }
    let (told, answer) = oneshot::channel();
    // A thread of its own: nothing can wake one that waits for a terminal, and the program may have to end.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().lock().read_line(&mut line);
        let _ = told.send(read.is_ok_and(|length| length > 0).then_some(line));
    });
    tokio::select! {
        line = answer => line.ok().flatten().map(|line| line.trim().to_owned()),
        () = interrupt.wait() => None,
    }
}

/// How wide plans are: as wide as may be, up to what is easily read.
pub(super) fn width() -> usize {
    const WIDEST: usize = 110;
    columns().map_or(WIDEST, |columns| columns.min(WIDEST))
}

/// How wide a line may be: as the terminal is; off a terminal what $COLUMNS says, and else as wide as it is.
pub(super) fn columns() -> Option<usize> {
    if stdout().is_terminal() {
        return Some(textwrap::termwidth());
    }
    let told = std::env::var("COLUMNS").ok()?.parse().ok();
    told.filter(|columns| *columns > 0)
}

/// A live line per phase on a terminal, silence elsewhere: there the diagnostics speak.
pub(super) struct LiveLines {
    bar: ProgressBar,
}

impl LiveLines {
    pub(super) fn new() -> Self {
        let bar = if stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for LiveLines {
    fn doing(&self, what: &str) {
        tracing::info!("{what}");
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(Duration::from_millis(100));
            self.bar.set_message(sanitized(what));
            self.bar.reset_elapsed();
        }
    }

    fn done(&self, what: &str) {
        tracing::info!(event = what, "recorded");
        // An intent is not worth a line of its own: its result follows.
        if !self.bar.is_hidden() && !what.ends_with("-intended") {
            self.bar.println(format!("  ✓ {what}"));
        }
    }

    fn tell(&self, what: &str) {
        self.bar.suspend(|| note(what));
    }
}

/// One line for the whole fleet on a terminal; a line per event elsewhere.
pub(super) struct FleetLines {
    bar: ProgressBar,
}

/// What is told of one target of a fleet.
pub(super) struct TargetLines<'a> {
    bar: &'a ProgressBar,
    target: &'a str,
}

impl FleetLines {
    pub(super) fn new(targets: usize) -> Self {
        let bar = if stderr().is_terminal() {
            ProgressBar::new(targets as u64)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} of {len} targets ({elapsed})  {wide_msg}") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self { bar }
    }

    pub(super) fn of<'a>(&'a self, target: &'a str) -> TargetLines<'a> {
        TargetLines { bar: &self.bar, target }
    }

    /// One target's turn is over.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for TargetLines<'_> {
    fn doing(&self, what: &str) {
        let target = self.target;
        tracing::info!(target, "{what}");
        self.bar.set_message(sanitized(&format!("{target}: {what}")));
    }

    fn done(&self, what: &str) {
        // An intent is not worth a line of its own: its result follows.
        if what.ends_with("-intended") {
            return;
        }
        let target = sanitized(self.target);
        if self.bar.is_hidden() {
            note(&format!("{target}: {what}"));
        } else {
            self.bar.println(format!("  \u{2713} {target}: {what}"));
        }
    }

    fn tell(&self, what: &str) {
        self.bar.suspend(|| note(&format!("{}: {what}", self.target)));
    }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn data_keeps_its_lines_and_nothing_that_cannot_be_seen() {
        let text = "{\n\t\"a\": \"\u{1b}[2J\u{7}\u{202e}\u{200b}\r\u{85}\"\n}\n";
        let shown = "{\n\t\"a\": \"\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\"\n}\n";
        assert_eq!(visible(text), shown);
    }
}
