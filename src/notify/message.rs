//! A notice on its way to one who gets it.

use jiff::Timestamp;

use super::Notice;

/// A notice on its way.
pub struct Message<'a> {
    /// What is told.
    pub notice: &'a Notice,
    /// To whom, where the way there does not say it alone; else empty.
    pub recipient: &'a str,
    /// When it is sent.
    pub at: Timestamp,
}
