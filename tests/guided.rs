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

#[path = "guided/bad_input.rs"]
mod bad_input;
#[path = "guided/begin.rs"]
mod begin;
#[path = "guided/both_kinds.rs"]
mod both_kinds;
#[path = "guided/desk.rs"]
mod desk;
#[path = "guided/documents.rs"]
mod documents;
#[path = "guides/examples.rs"]
mod examples;
#[path = "guided/forms.rs"]
mod forms;
#[path = "guided/injection.rs"]
mod injection;
#[path = "guided/life.rs"]
mod life;
#[path = "guided/narrow.rs"]
mod narrow;
#[path = "guided/secrets.rs"]
mod secrets;
#[path = "guided/undo.rs"]
mod undo;
#[path = "guided/walk.rs"]
mod walk;
