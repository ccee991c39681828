//! What README and docs say is so: each command in them is run or, where it cannot be, parsed; each file shown is read by what
//! reads it; each link leads somewhere.
//!
//! Commands run against the strict fakes of both vendors, in a home of their own, page by page, as somebody would paste them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/connectors.rs"]
mod connectors;
#[path = "docs/desk.rs"]
mod desk;
#[path = "docs/files.rs"]
mod files;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/words.rs"]
mod words;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
