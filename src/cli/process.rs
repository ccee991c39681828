//! The process itself: no core dumps, few threads, two signals, and what it needs of the machine.

use std::future::Future;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, terminal};
use crate::engine::driver::Interrupt;
use crate::hooks::check_clock;

/// Files and connections that one target may need at the same time, the journal's among them.
const DESCRIPTORS: usize = 32;

/// Keeps secrets out of core dumps, also where a dump goes to a program and not to a file: before anything is read. Says
/// whether it could.
pub(super) fn harden() -> bool {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none).is_ok();
    limited & undumpable()
}

/// What the machine has to have before anything is begun: a clock that can be right, and files that can be opened. Without
/// them calls would fail half-way. The lines say what helps.
pub(super) fn check() -> Result<(), (String, Vec<String>)> {
    check_clock().map_err(|why| {
        let set = "set it: timedatectl set-ntp true".to_owned();
        (why, vec!["nothing was touched".to_owned(), set])
    })?;
    // Not those of the limit, but those that are left: some may be taken already.
    let open = || std::fs::File::open("/dev/null");
    let opened: std::io::Result<Vec<_>> = (0..DESCRIPTORS).map(|_| open()).collect();
    opened.map(drop).map_err(|error| {
        let why = format!("this process cannot open {DESCRIPTORS} files at the same time: {error}");
        let raise = "nothing was touched; allow it more in the shell or the service that starts it:".to_owned();
        (why, vec![raise, "ulimit -n 1024".to_owned()])
    })
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

/// Waits for what has nothing to do with the command any more, and only until Ctrl-C or SIGTERM: then there is nothing to give.
#[cfg(feature = "otlp")]
pub(super) fn unless_stopped<T: Send + 'static>(work: impl Fn() -> T + Send + Sync + 'static) -> Option<T> {
    let work = Arc::new(work);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Some(work());
    };
    let done = runtime.block_on(async {
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let (Ok(mut int), Ok(mut term)) = signals else {
            return Some(work());
        };
        let (done, is_done) = tokio::sync::oneshot::channel();
        let other = Arc::clone(&work);
        // It is left behind where it is not waited for: the process ends.
        let begun = std::thread::Builder::new().spawn(move || done.send(other()));
        if begun.is_err() {
            return Some(work());
        }
        tokio::select! {
            done = is_done => done.ok(),
            _ = int.recv() => None,
            _ = term.recv() => None,
        }
    });
    runtime.shutdown_background();
    done
}

/// Turns Ctrl-C or SIGTERM into a wish to stop, for what has nothing to finish.
pub(super) fn listen_quietly(interrupt: &Arc<Interrupt>) {
    let interrupt = Arc::clone(interrupt);
    tokio::spawn(async move {
        let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            tracing::warn!("signals cannot be heard; Ctrl-C ends the program at once");
            return;
        };
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        interrupt.set();
    });
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
        #[cfg(feature = "otlp")]
        crate::traces::flush_at_once();
        // Safe at any instant: the journal says what may have left.
        std::process::exit(130);
    });
}
