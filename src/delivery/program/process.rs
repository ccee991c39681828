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

/// What is kept of what it prints. The rest is read, and forgotten.
const LARGEST_SAID: usize = 16_384;

/// How often it is looked at.
const SPACING: Duration = Duration::from_millis(5);

/// What is to be run.
pub(super) struct Job {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, OsString)>,
    pub(super) input: Secret,
    pub(super) time_limit: Duration,
}

/// How it ended.
pub(in crate::delivery) struct Ended {
    /// Its exit code; `None`: a signal.
    pub(in crate::delivery) code: Option<i32>,
    /// What it printed, on either output.
    pub(in crate::delivery) said: Zeroizing<String>,
    /// Whether some of its input was still there.
    pub(in crate::delivery) left_unread: bool,
    /// Whether its time was over.
    pub(in crate::delivery) is_late: bool,
}

pub(super) fn run(job: Job) -> io::Result<Ended> {
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
        .stderr(Stdio::from(printed))
        .process_group(0);
    let mut child = command.spawn()?;
    // It keeps ends of both pipes.
    drop(command);
    let mut said = Zeroizing::new(Vec::with_capacity(LARGEST_SAID));
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
        said: Zeroizing::new(String::from_utf8_lossy(&said).into_owned()),
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

/// Reads what is there, and keeps what there is room for.
fn listen(output: &mut PipeReader, said: &mut Vec<u8>) {
    let mut part = Zeroizing::new([0; 4096]);
    // Whoever prints without end is looked at all the same.
    for _ in 0..64 {
        match output.read(&mut *part) {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let room = LARGEST_SAID - said.len();
                said.extend_from_slice(&part[..read.min(room)]);
            }
        }
    }
}
