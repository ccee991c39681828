//! Many scenarios in one test.

use std::sync::atomic::{AtomicUsize, Ordering};

/// So many go on at once: they wait more than they compute.
const AT_ONCE: usize = 8;

/// Runs the scenarios beside each other.
pub(crate) fn beside_each_other<T: Sync>(scenarios: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(scenario);
                }
            });
        }
    });
}
