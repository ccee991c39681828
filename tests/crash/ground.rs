//! A vendor with one key on it, as a scenario needs it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::flow::Flow;
use crate::journal::Journal;

/// One fake vendor, one user with one key, and the destinations of the new one.
pub(crate) trait Ground: Sized {
    /// Makes the place such that the flow happens.
    fn prepare(flow: Flow) -> Self;

    /// The target's name.
    fn target(&self) -> &'static str;

    /// How many destinations a delivery has.
    fn destinations(&self) -> usize;

    /// The state folder.
    fn state(&self) -> PathBuf;

    /// A path beside the destinations.
    fn path(&self, name: &str) -> PathBuf;

    /// A command line of the program.
    fn command(&self, arguments: &[&str]) -> Command;

    /// The command that begins the rotation, and goes on with it.
    fn one_shot(&self, more: &[&str]) -> Command;

    /// How often the vendor was called.
    fn calls(&self) -> usize;

    /// Looks at the very moment of an effect: nobody is cut off, and the journal knows of it.
    fn watch(&self, flow: Flow);

    /// What holds at every moment, beside what holds for every vendor.
    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String);

    /// What holds at the end.
    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String);

    /// What must never be seen outside a destination.
    fn secrets(&self) -> Vec<Vec<u8>>;

    /// The files that may lie beside the state folder.
    fn expected_files(&self) -> &'static [&'static str];
}

/// What was found wrong inside a fake's hook so far: a panic there ends one connection, and no test. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<Vec<String>>>);

impl Complaints {
    /// Runs checks that panic where something is wrong, and keeps what they say.
    pub(crate) fn collect(&self, checks: impl FnOnce()) {
        let Err(panic) = catch_unwind(AssertUnwindSafe(checks)) else {
            return;
        };
        let said = match panic.downcast::<String>() {
            Ok(said) => *said,
            Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("a panic").to_owned(),
        };
        self.0.lock().unwrap().push(said);
    }

    /// Stops the test if anything was found wrong.
    #[track_caller]
    pub(crate) fn expect_none(&self, context: &dyn Fn() -> String) {
        let complaints = self.0.lock().unwrap();
        assert!(complaints.is_empty(), "{complaints:#?}; {}", context());
    }
}
