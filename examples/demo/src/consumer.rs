//! A consumer that never stops using its key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A consumer at work, and how it fares.
pub(crate) struct Watched {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    worked: AtomicUsize,
    failed: AtomicUsize,
}

impl Watched {
    /// Starts one whose every request is this.
    pub(crate) fn start(request: impl Fn() -> bool + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while !theirs.stop.load(Ordering::SeqCst) {
                let counter = if request() { &theirs.worked } else { &theirs.failed };
                counter.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { shared, thread }
    }

    /// Lets it finish; how many requests have worked, and how many have failed.
    pub(crate) fn stop(self) -> (usize, usize) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the consumer ends");
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (read(&self.shared.worked), read(&self.shared.failed))
    }
}
