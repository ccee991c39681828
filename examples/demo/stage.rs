//! Saying what comes, running it, and killing it.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Set for the process that plays the installed program: this example holds both.
pub(crate) const AS_ROTATE: &str = "ROTATE_DEMO_IS_ROTATE";

/// Gives the consumer time to work, and the reader time to read.
pub(crate) fn say(text: &str) {
    std::thread::sleep(Duration::from_millis(400));
    println!("\n── {text}");
}

/// Runs a command line of `rotate`, which this prints.
pub(crate) fn run(mut command: Command, shown: &[&str]) {
    println!("\n$ rotate {}", shown.join(" "));
    let status = as_rotate(&mut command).status().expect("the program can be started");
    println!("  [{status}]");
}

/// The process that is to be killed by a vendor's hook.
#[derive(Clone, Default)]
pub(crate) struct Victim(Arc<AtomicU32>);

impl Victim {
    /// Runs a command line, whose process the hook may kill.
    pub(crate) fn run(&self, mut command: Command, shown: &[&str]) {
        println!("\n$ rotate {}", shown.join(" "));
        let mut child = as_rotate(&mut command).spawn().expect("the program can be started");
        self.0.store(child.id(), Ordering::SeqCst);
        println!("  [{}]", child.wait().expect("the program can be waited for"));
    }

    /// Kills it, once.
    pub(crate) fn kill(&self) {
        let pid = self.0.swap(0, Ordering::SeqCst);
        if pid != 0 {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
    }
}

fn as_rotate(command: &mut Command) -> &mut Command {
    command.env(AS_ROTATE, "1").stdin(Stdio::null())
}
