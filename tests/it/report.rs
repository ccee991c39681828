//! The report: it says what the configuration and the journal hold, the same in each form, and what neither holds is not recorded.
//!
//! The real program against the strict fake, with a clock that can be moved; the page is looked at in a real browser.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod configured;
mod facts;
mod fleet;
mod forms;
mod looked_at;
