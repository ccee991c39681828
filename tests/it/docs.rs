//! What README and docs say is so: each command in them is run or, where it cannot be, parsed; each file shown is read by what
//! reads it; each link leads somewhere.
//!
//! Commands run against the strict fakes of both vendors, in a home of their own, page by page, as somebody would paste them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

pub(crate) mod commands;
mod connectors;
mod desk;
mod destinations;
mod files;
mod links;
pub(crate) mod page;
mod words;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
