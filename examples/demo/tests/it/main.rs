//! What the demo promises whoever runs it: that it is true, that it can fail, that it can be read, and that it leaves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod desk;
mod kept;
mod recording;
mod stopped;
