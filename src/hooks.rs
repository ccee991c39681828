//! What the test suite needs inside the program: crash points and a clock that can be moved.
//!
//! Without the feature `test-hooks`, which no release build has, a crash point is nothing at all and the clock is the
//! system's.

use jiff::Timestamp;

/// Now, by this machine's clock.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    #[cfg(feature = "test-hooks")]
    let now = hooked::moved(now);
    now
}

/// The time by which requests are signed and tokens are dated: the machine's own, whatever clock is moved here.
pub fn signing_time() -> Timestamp {
    Timestamp::now()
}

/// A place where the process may die: every instant between two of them is like the instant at one of them.
#[inline]
pub fn crash_point(name: &'static str) {
    #[cfg(feature = "test-hooks")]
    hooked::reach(name);
    #[cfg(not(feature = "test-hooks"))]
    let _ = name;
}

#[cfg(feature = "test-hooks")]
mod hooked {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::{SignedDuration, Timestamp};

    /// Which crash point, counted from one, kills the process.
    const KILL_AT: &str = "ROTATE_TEST_KILL_AT";
    /// A file that receives the name of every crash point reached.
    const TRACE: &str = "ROTATE_TEST_TRACE";
    /// Seconds by which the clock is ahead.
    const CLOCK_AHEAD: &str = "ROTATE_TEST_CLOCK_AHEAD";

    static KILL: LazyLock<u64> = LazyLock::new(|| number(KILL_AT).unwrap_or(0).unsigned_abs());
    static AHEAD: LazyLock<SignedDuration> =
        LazyLock::new(|| SignedDuration::from_secs(number(CLOCK_AHEAD).unwrap_or(0)));
    static REACHED: AtomicU64 = AtomicU64::new(0);

    fn number(variable: &str) -> Option<i64> {
        std::env::var(variable).ok()?.parse().ok()
    }

    pub(super) fn moved(now: Timestamp) -> Timestamp {
        now.checked_add(*AHEAD).unwrap_or(now)
    }

    pub(super) fn reach(name: &'static str) {
        let count = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(path) = std::env::var_os(TRACE)
            && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path)
        {
            let _ = writeln!(file, "{name}");
        }
        if count == *KILL {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // SIGKILL cannot be caught; until it arrives, nothing else may happen.
            loop {
                std::thread::park();
            }
        }
    }
}
