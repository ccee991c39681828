//! Files and folders that somebody else has a hand in: pipes in the place of files, folders that are swapped in the middle of a
//! delivery, other people's folders, the program's own files as destinations, a state folder that is not there, a database that
//! was edited, and many processes at once.
//!
//! Leans on the real file system, on the strict fakes for the proof that no key was made, and in part on root, which alone has
//! folders of several users: such a test fails where it is not run as root, and says so.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test, what cannot be is the failure itself, and a seed is printed"
)]

mod database;
mod halfway;
mod limit;
mod own;
mod owners;
mod processes;
mod read;
mod state;
mod swapped;
