//! Who may open a file is the same after its replacement as before: access list, labels, owner and mode. Where it cannot stay so,
//! or where the file cannot be replaced at all, that is seen before a key is made.
//!
//! Leans on the real kernel. Each test names what it needs of it, and fails where that is not to be had.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod attributes;
mod denied;
mod lists;
mod mounts;
mod volumes;
