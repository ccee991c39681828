//! One run of a program: its standard input is there before it begins, what it prints is capped, and it ends with all that it has
//! started.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rotate_providers::secret::Secret;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zeroize::Zeroizing;

/// A pipe takes this much at once (pipe(7)), so nobody has to read while it is written.
pub(in crate::delivery) const ROOM: usize = 60_000;

/// What is kept of what it prints, of its beginning and of its end. The rest is read, and forgotten.
const LARGEST_SAID: usize = 16_384;

/// What is read at once.
const PART: usize = 4_096;

/// How often it is looked at.
const SPACING: Duration = Duration::from_millis(5);

/// What is to be run.
pub(in crate::delivery) struct Job {
    pub(in crate::delivery) program: PathBuf,
    pub(in crate::delivery) arguments: Vec<String>,
    pub(in crate::delivery) environment: Vec<(OsString, OsString)>,
    pub(in crate::delivery) input: Secret,
    /// Whether what it says of errors is kept with what it prints.
    pub(in crate::delivery) hears_errors: bool,
    pub(in crate::delivery) time_limit: Duration,
}

/// How it ended.
pub(in crate::delivery) struct Ended {
    /// Its exit code; `None`: a signal.
    pub(in crate::delivery) code: Option<i32>,
    /// What it printed first, on either output.
    pub(in crate::delivery) began: Zeroizing<String>,
    /// What it printed last: whole lines.
    pub(in crate::delivery) said: Zeroizing<String>,
    /// Whether some of its input was still there.
    pub(in crate::delivery) left_unread: bool,
    /// Whether its time was over.
    pub(in crate::delivery) is_late: bool,
}

pub(in crate::delivery) fn run(job: Job) -> io::Result<Ended> {
    let (mut input, mut filled) = io::pipe()?;
    // Where a pipe is small nobody would ever read what does not fit.
    fcntl_setfl(&filled, OFlags::NONBLOCK)?;
    filled.write_all(job.input.expose())?;
    drop(filled);
    let (mut output, printed) = io::pipe()?;
    fcntl_setfl(&output, OFlags::NONBLOCK)?;
    let mut command = Command::new(&job.program);
    command
        .args(&job.arguments)
        .env_clear()
        .envs(job.environment)
        .current_dir("/")
        .stdin(Stdio::from(input.try_clone()?))
        .stdout(Stdio::from(printed.try_clone()?))
        .stderr(match job.hears_errors {
            true => Stdio::from(printed),
            false => Stdio::null(),
        })
        .process_group(0);
    let mut child = command.spawn()?;
    // It keeps ends of both pipes.
    drop(command);
    let mut said = Said::new();
    let end = Instant::now() + job.time_limit;
    let ended = loop {
        listen(&mut output, &mut said);
        match has_ended(&child) {
            Ok(false) if Instant::now() < end => std::thread::sleep(SPACING),
            looked => break looked,
        }
    };
    // Before it is waited for, its number is nobody else's, and neither is its group's.
    kill_group(&child);
    let status = child.wait()?;
    listen(&mut output, &mut said);
    let mut rest = Zeroizing::new([0; 1]);
    let left_unread = input.read(&mut *rest)? > 0;
    Ok(Ended {
        code: status.code().filter(|_| status.signal().is_none()),
        began: text(&said.first),
        said: text(said.last_lines()),
        left_unread,
        is_late: !ended?,
    })
}

/// Whether it has ended; it is not waited for, so its number stays its own.
fn has_ended(child: &Child) -> io::Result<bool> {
    let Some(pid) = pid(child) else {
        return Ok(true);
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

/// Whoever it has started and left behind goes too. A group that is gone is no fault.
fn kill_group(child: &Child) {
    if let Some(pid) = pid(child) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Both ends of what it prints.
struct Said {
    first: Zeroizing<Vec<u8>>,
    last: Zeroizing<Vec<u8>>,
    /// Whether the end begins in the middle of something.
    is_cut: bool,
}

impl Said {
    /// With room for everything: what grows leaves copies behind.
    fn new() -> Self {
        Self {
            first: Zeroizing::new(Vec::with_capacity(LARGEST_SAID)),
            last: Zeroizing::new(Vec::with_capacity(LARGEST_SAID + PART)),
            is_cut: false,
        }
    }

    fn hear(&mut self, part: &[u8]) {
        let room = LARGEST_SAID - self.first.len();
        self.first.extend_from_slice(&part[..part.len().min(room)]);
        self.last.extend_from_slice(part);
        if let Some(over) = self.last.len().checked_sub(LARGEST_SAID).filter(|over| *over > 0) {
            self.last.drain(..over);
            self.is_cut = true;
        }
    }

    /// A line that is cut may begin in the middle of a secret, where nobody knows it again.
    fn last_lines(&self) -> &[u8] {
        if !self.is_cut {
            return &self.last;
        }
        match self.last.iter().position(|byte| *byte == b'\n') {
            Some(end) => &self.last[end + 1..],
            None => &[],
        }
    }
}

fn text(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
}

/// Reads what is there.
fn listen(output: &mut PipeReader, said: &mut Said) {
    let mut part = Zeroizing::new([0; PART]);
    // Whoever prints without end is looked at all the same.
    for _ in 0..64 {
        match output.read(&mut *part) {
            Ok(0) | Err(_) => return,
            Ok(read) => said.hear(&part[..read]),
        }
    }
}
