//! Rotations that a person walks through, with the real program: opened, ticked, left and taken up again, given up, and
//! never confused with those that the program takes itself.
//!
//! No vendor is asked, so none is faked; but for the two connectors that can also be rotated by the program, the strict
//! fake of AWS shows that the one kind keeps the other out.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "in a test, what cannot be is the failure itself"
)]

mod bad_input;
mod begin;
mod both_kinds;
mod desk;
mod documents;
mod forms;
mod injection;
mod life;
mod narrow;
mod secrets;
mod undo;
mod walk;
