//! A vendor with keys on it, destinations and a program, as a walk needs them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rotate_fixtures::TestClock;

use crate::crash::flow::Flow;
use crate::crash::journal::Journal;
use crate::crash::system::{Deed, Move};

/// One fake vendor, what is to be rotated there, and the destinations of what is new.
pub(crate) trait Ground: Sized {
    /// What the vendor knows at one moment.
    type Vendor: Clone;

    /// Makes the place such that the flow happens; what is written down goes by this clock.
    fn prepare(flow: Flow, clock: &TestClock) -> Self;

    /// The folder that holds all that outlives a process, but for the vendor's part.
    fn folder(&self) -> PathBuf;

    /// What the vendor knows now.
    fn vendor(&self) -> Self::Vendor;

    /// Makes the vendor know this, and nothing else.
    fn put_back(&self, vendor: &Self::Vendor);

    /// What the vendor knows, as text.
    fn vendor_state(&self) -> String;

    /// Makes what lies beside the world what every process finds that begins in it.
    fn tidy(&self, _journal: &Journal) {}

    /// The key of which this PEM is the private half.
    fn key_of(&self, _pem: &str) -> Option<String> {
        None
    }

    /// A command line of the program.
    fn command(&self, arguments: &[&str]) -> Command;

    /// The command that begins the rotation, and goes on with it.
    fn one_shot(&self, flow: Flow) -> Command;

    /// What cron or the person of this flow runs next; nothing at the end.
    fn next(&self, flow: Flow, journal: &Journal, now: Timestamp) -> Vec<Move>;

    /// What else a person may run.
    fn others(&self) -> Vec<Move>;

    /// Somebody else does this at the vendor.
    fn suffer(&self, deed: Deed, _journal: &Journal) {
        panic!("nobody does {deed:?} here");
    }

    /// Looks at each change of a key since the last time: the journal as it was at the crash point before knew of it.
    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String);

    /// Does not look at them.
    fn forget_effects(&self);

    /// What holds at every moment, beside what holds for every vendor.
    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String);

    /// What holds at the end.
    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String);

    /// How often the vendor was called.
    fn calls(&self) -> usize;

    /// What must never be seen outside a destination.
    fn secrets(&self) -> Vec<Vec<u8>>;

    /// The files that may lie beside the state folder in the end.
    fn expected_files(&self) -> Vec<String>;
}

/// The changes of keys that a fake has told of, until somebody looks at them. Clones share them.
#[derive(Clone)]
pub(crate) struct Effects<E>(Arc<Mutex<Vec<E>>>);

impl<E: Clone + Send + 'static> Effects<E> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// What the fake is to call with each of them.
    pub(crate) fn hook(&self) -> impl Fn(&E) + Send + Sync + 'static {
        let seen = self.clone();
        move |effect| seen.0.lock().unwrap().push(effect.clone())
    }

    /// Those since the last time.
    pub(crate) fn take(&self) -> Vec<E> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
