//! A wish to stop, which is granted between two effects and in every wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Set once, by a signal.
#[derive(Default)]
pub struct Interrupt {
    set: AtomicBool,
    wake: Notify,
}

impl Interrupt {
    /// Asks the driver to stop.
    pub fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Returns once it is asked.
    pub async fn wait(&self) {
        let woken = self.wake.notified();
        if !self.is_set() {
            woken.await;
        }
    }

    /// Sleeps; `false` where it was woken to stop.
    pub(super) async fn sleep(&self, time: Duration) -> bool {
        let woken = self.wake.notified();
        if self.is_set() {
            return false;
        }
        tokio::select! {
            () = tokio::time::sleep(time) => !self.is_set(),
            () = woken => false,
        }
    }
}
