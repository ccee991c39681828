//! Where the journal of a world is kept: among its files, or on a server.

use std::process::Command;

use crate::crash::files::Files;
use crate::crash::journal::{Journal, Reader};

/// A place for journals, for one walk.
pub(crate) trait Book {
    /// What of a world is not among its files.
    type Kept: Clone + PartialEq;

    fn new() -> Self;

    /// Makes a command use it.
    fn tell(&self, command: &mut Command);

    /// What is there now.
    fn kept(&self) -> Self::Kept;

    /// Makes what is there this. Whoever was killed with a lease has been dead for longer than it lasts.
    fn put_back(&self, kept: &Self::Kept);

    /// What is there as bytes that hold no secret.
    fn text(kept: &Self::Kept) -> Vec<u8>;

    /// The journal that is there now, past the program; that of SQLite is among these files.
    fn journal(&self, files: &Files) -> Journal;

    /// Checks the whole chain, as `audit verify` does.
    fn verify(&self, files: &Files);
}

impl Book for Reader {
    type Kept = ();

    fn new() -> Self {
        Self::new()
    }

    fn tell(&self, _: &mut Command) {}

    fn kept(&self) {}

    fn put_back(&self, (): &()) {}

    fn text((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn journal(&self, files: &Files) -> Journal {
        self.read(files)
    }

    fn verify(&self, files: &Files) {
        self.verify(files);
    }
}
