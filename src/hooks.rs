//! What the test suite needs inside the program: crash points and a clock that can be moved.
//!
//! Without the feature `test-hooks`, which no release build has, a crash point is nothing at all and the clock is the
//! system's.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use rotate_providers::vendor_time::LATEST;

/// 2020-01-01: this program is younger.
const EARLIEST: i64 = 1_577_836_800;

/// Now, by this machine's clock.
pub fn now() -> Timestamp {
    told(system_time())
}

/// The time by which requests are signed and tokens are dated: the machine's own, whatever clock is moved here.
pub fn signing_time() -> Timestamp {
    told(SystemTime::now())
}

/// Whether this machine's clock can be right. Vendors refuse what is signed at a wrong time, and every wait of a rotation would
/// be wrong; beyond the year 9999 a time cannot even be written down.
pub fn check_clock() -> Result<(), String> {
    let now = system_time();
    let told = Timestamp::try_from(now);
    if told
        .as_ref()
        .is_ok_and(|at| (EARLIEST..LATEST).contains(&at.as_second()))
    {
        return Ok(());
    }
    Err(match told {
        Ok(at) => format!("this machine's clock says {}, which cannot be", at.strftime("%Y-%m-%d")),
        Err(_) => "this machine's clock is beyond the year 9999, which cannot be".to_owned(),
    })
}

/// A clock that leaves what can be written down is held at its end.
fn told(time: SystemTime) -> Timestamp {
    let end = if time < UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::try_from(time).unwrap_or(end)
}

fn system_time() -> SystemTime {
    let now = SystemTime::now();
    #[cfg(feature = "test-hooks")]
    let now = hooked::moved(now);
    now
}

/// What a vendor has told of its time, beside [`now`].
pub fn vendors(time: Timestamp) -> Timestamp {
    #[cfg(feature = "test-hooks")]
    let time = hooked::vendors(time);
    time
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
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{LazyLock, Mutex, PoisonError};

    use std::time::{Duration, SystemTime};

    use jiff::{SignedDuration, Timestamp};
    use rustix::process::{Signal, getpid, kill_process};

    /// Which crash point, counted from one, kills the process.
    const KILL_AT: &str = "ROTATE_TEST_KILL_AT";
    /// Which crash point, counted from one, is a mistake of the program's own, and the words of that mistake.
    const FAIL_AT: &str = "ROTATE_TEST_FAIL_AT";
    const FAIL_WITH: &str = "ROTATE_TEST_FAIL_WITH";
    /// A file that receives the name of every crash point reached.
    const TRACE: &str = "ROTATE_TEST_TRACE";
    /// Whether the process stops at every crash point until it is told to go on: see [`stop`].
    const STOP: &str = "ROTATE_TEST_STOP";
    /// Seconds by which the clock is ahead.
    const CLOCK_AHEAD: &str = "ROTATE_TEST_CLOCK_AHEAD";
    /// A file that is the clock, of the program and of a fake alike: milliseconds since 1970, one more with each reading.
    const CLOCK: &str = "ROTATE_TEST_CLOCK";

    static KILL: LazyLock<u64> = LazyLock::new(|| number(KILL_AT).unwrap_or(0).unsigned_abs());
    static FAIL: LazyLock<u64> = LazyLock::new(|| number(FAIL_AT).unwrap_or(0).unsigned_abs());
    static AHEAD: LazyLock<i64> = LazyLock::new(|| number(CLOCK_AHEAD).unwrap_or(0));
    static CLOCK_FILE: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os(CLOCK).map(PathBuf::from));
    static STOPS: LazyLock<bool> = LazyLock::new(|| std::env::var_os(STOP).is_some());
    static REACHED: AtomicU64 = AtomicU64::new(0);
    /// One at a time: the clock, and the talk at a stop.
    static TURN: Mutex<()> = Mutex::new(());

    fn number(variable: &str) -> Option<i64> {
        std::env::var(variable).ok()?.parse().ok()
    }

    pub(super) fn moved(now: SystemTime) -> SystemTime {
        let now = CLOCK_FILE.as_ref().and_then(tick).map_or(now, SystemTime::from);
        let far = Duration::from_secs(AHEAD.unsigned_abs());
        let moved = match *AHEAD < 0 {
            true => now.checked_sub(far),
            false => now.checked_add(far),
        };
        moved.unwrap_or(now)
    }

    /// The vendor goes by the machine's clock, and what is compared by the one that is moved.
    pub(super) fn vendors(time: Timestamp) -> Timestamp {
        let of_file = CLOCK_FILE.as_ref().and_then(|path| {
            let now: i64 = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
            Timestamp::from_second(now.div_euclid(1000)).ok()
        });
        let time = of_file.unwrap_or(time);
        time.checked_add(SignedDuration::from_secs(*AHEAD)).unwrap_or(time)
    }

    /// The time of the clock in this file, which is a millisecond later afterwards.
    fn tick(path: &PathBuf) -> Option<Timestamp> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let now: i64 = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        // Never emptied: a fake reads it meanwhile.
        let mut file = std::fs::OpenOptions::new().write(true).open(path).ok()?;
        file.write_all(format!("{:013}", now + 1).as_bytes()).ok()?;
        Timestamp::from_millisecond(now).ok()
    }

    pub(super) fn reach(name: &'static str) {
        let count = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(path) = std::env::var_os(TRACE)
            && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path)
        {
            let _ = writeln!(file, "{name}");
        }
        if *STOPS {
            stop(name);
        }
        if count == *FAIL {
            fail();
        }
        if count == *KILL {
            let _ = kill_process(getpid(), Signal::KILL);
            // SIGKILL cannot be caught; until it arrives, nothing else may happen.
            loop {
                std::thread::park();
            }
        }
    }

    #[expect(clippy::panic, reason = "a test wants to see what becomes of one")]
    fn fail() {
        panic!("{}", std::env::var(FAIL_WITH).unwrap_or_default());
    }

    /// Says on stdin, which is a socket, where the process is; stops with all of its threads, so that what a kill would
    /// leave here can be looked at; and goes on once it is continued and has got a byte.
    fn stop(name: &str) {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = rustix::stdio::stdin();
        let _ = rustix::io::write(socket, format!("{name}\n").as_bytes());
        let _ = kill_process(getpid(), Signal::STOP);
        let _ = rustix::io::read(socket, &mut [0; 1]);
    }
}
