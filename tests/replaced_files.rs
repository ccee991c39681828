//! Who may open a file is the same after its replacement as before: access list, labels, owner and mode. Where it cannot stay so,
//! or where the file cannot be replaced at all, that is seen before a key is made.
//!
//! Leans on the real kernel. Each test names what it needs of it, and fails where that is not to be had.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

#[path = "replaced_files/attributes.rs"]
mod attributes;
#[path = "replaced_files/denied.rs"]
mod denied;
#[path = "replaced_files/lists.rs"]
mod lists;
#[path = "replaced_files/mounts.rs"]
mod mounts;
#[path = "replaced_files/volumes.rs"]
mod volumes;
