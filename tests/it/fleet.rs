//! A fleet kept by `rotate.toml`: what is due is rotated in time and nothing else is, what has changed behind the journal's
//! back is left alone, and a dry run says the same.
//!
//! Leans on the strict fake, because only it knows which keys work, and keeps the ages of keys on a clock that can be moved.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod copies;
mod drift;
mod due;
mod foretold;
mod together;
mod words;
mod year;

use jiff::SignedDuration;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A schedule with which one run takes a rotation from its beginning to its end.
const AT_ONCE: &str = "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\n";
