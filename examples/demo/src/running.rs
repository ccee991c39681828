//! The program while it runs, for those who kill it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SIGKILL: i32 = 9;

/// The process that runs now, if any; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Option<Child>>>);

/// Kills the next process that comes to its point, once.
#[derive(Clone)]
pub(crate) struct Trap {
    running: Running,
    set: Arc<AtomicBool>,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this exit code.
    With(i32),
    /// Killed, without a chance to do anything about it.
    Killed,
}

impl Running {
    pub(crate) fn begin(&self, child: Child) {
        *self.lock() = Some(child);
    }

    /// Kills it, if there is one.
    pub(crate) fn kill(&self) {
        if let Some(child) = self.lock().as_mut() {
            let _ = child.kill();
        }
    }

    /// Waits for its end. A kill does not have to wait for that.
    pub(crate) fn end(&self) -> Ended {
        loop {
            let mut running = self.lock();
            let child = running.as_mut().expect("a process was begun");
            if let Some(status) = child.try_wait().expect("a process can be waited for") {
                *running = None;
                return Ended::of(status);
            }
            drop(running);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// A trap for the next process.
    pub(crate) fn trap(&self) -> Trap {
        Trap {
            running: self.clone(),
            set: Arc::new(AtomicBool::new(true)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trap {
    pub(crate) fn spring(&self) {
        if self.set.swap(false, Ordering::SeqCst) {
            self.running.kill();
        }
    }
}

impl Ended {
    fn of(status: ExitStatus) -> Self {
        match status.code() {
            Some(code) => Self::With(code),
            None if status.signal() == Some(SIGKILL) => Self::Killed,
            None => Self::With(-1),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::With(code) => write!(f, "exit code {code}"),
            Self::Killed => f.write_str("killed by SIGKILL"),
        }
    }
}
