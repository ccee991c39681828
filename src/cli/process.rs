//! The process itself: no core dumps, few threads, two signals.

use std::future::Future;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, terminal};
use crate::driver::Interrupt;

/// Keeps secrets out of core dumps, also where a dump goes to a program and not to a file.
pub(super) fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none).is_ok();
    if !(limited & undumpable()) {
        tracing::warn!("core dumps could not be switched off");
    }
}

/// A dump that goes to a program ignores the limit; this it does not ignore.
#[cfg(target_os = "linux")]
fn undumpable() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn undumpable() -> bool {
    true
}

/// How many threads a command works on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// This one: a command for one target waits for the vendor most of the time.
    One,
    /// One for each processor, as far as that helps: thousands of targets are signed for, sealed and written down.
    Many,
}

/// Runs a command to its end.
pub(super) fn block_on(threads: Threads, command: impl Future<Output = Exit>) -> Exit {
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Many => {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(processors.min(4));
            builder
        }
    };
    match builder.enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(command);
            // A name lookup that hangs must not keep a finished command waiting.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            terminal::error(&format!("the program cannot start: {error}"), &[]);
            Exit::Error
        }
    }
}

/// Turns the first Ctrl-C or SIGTERM into a wish to stop after the current effect, and the second into an end.
pub(super) fn listen(interrupt: &Arc<Interrupt>) {
    let interrupt = Arc::clone(interrupt);
    tokio::spawn(async move {
        let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            tracing::warn!("signals cannot be heard; Ctrl-C ends the program at once");
            return;
        };
        for first in [true, false] {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
            }
            if first {
                interrupt.set();
                terminal::note("stopping after the current step; once more to stop at once");
            }
        }
        // Safe at any instant: the journal says what may have left.
        std::process::exit(130);
    });
}
