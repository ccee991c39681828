//! Whoever stops the demo half-way finds nothing left of it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::running::Running;

/// As a shell has it for Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Removes the folder and ends the process once it is asked to stop.
pub(crate) fn listen(folder: PathBuf, running: Running) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(wait());
        running.kill();
        // It may have been about to make a file.
        for _ in 0..20 {
            let _ = std::fs::remove_dir_all(&folder);
            if !folder.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        std::process::exit(INTERRUPTED);
    });
}

async fn wait() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] =
        kinds.map(|kind| signal(kind).expect("signals can be listened to"));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
