//! A vendor with one key on it, as a scenario needs it.

use std::path::PathBuf;
use std::process::Command;

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
