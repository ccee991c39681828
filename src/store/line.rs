//! A line of the journal, from its row.

use std::io::{self, Write};

use serde::Serialize;

use crate::machine::{Event, Illegal, Record};
use crate::store::chain::Link;
use crate::store::{Line, StoreError};

/// A journal line as its row holds it.
pub(super) struct StoredLine<'r> {
    pub(super) seq: i64,
    pub(super) rotation: &'r str,
    pub(super) target: &'r str,
    pub(super) revision: i64,
    pub(super) at: &'r str,
    pub(super) body: &'r str,
    pub(super) fence: i64,
    pub(super) hash: &'r [u8],
}

impl StoredLine<'_> {
    /// What it says, if its hash fits.
    pub(super) fn check(&self, before: &[u8]) -> Result<Record, StoreError> {
        let link = Link {
            seq: self.seq,
            rotation: self.rotation,
            target: self.target,
            revision: self.revision,
            at: self.at,
            body: self.body,
            fence: self.fence,
        };
        if link.hash(before) != self.hash {
            return Err(self.changed("does not fit its hash"));
        }
        self.parse()
    }

    /// What it says.
    pub(super) fn parse(&self) -> Result<Record, StoreError> {
        let at = self.at.parse().map_err(|_| self.changed("has no readable time"))?;
        let event: Event = serde_json::from_str(self.body).map_err(|_| self.changed("cannot be read"))?;
        // What this program does not understand it would otherwise silently leave out.
        if !is_written(&event, self.body) {
            return Err(self.changed("says more than this version of rotate understands"));
        }
        Ok(Record { at, event })
    }

    /// The line that says this.
    pub(super) fn saying(&self, record: Record) -> Line {
        Line {
            seq: self.seq,
            rotation: self.rotation.to_owned(),
            target: self.target.to_owned(),
            record,
            hash: self.hash.to_owned(),
        }
    }

    pub(super) fn illegal(&self, illegal: &Illegal) -> StoreError {
        self.changed(&format!("does not fit: {illegal}"))
    }

    pub(super) fn changed(&self, why: &str) -> StoreError {
        StoreError::Changed {
            seq: self.seq,
            target: format!(" of {}", self.target),
            why: why.to_owned(),
        }
    }
}

/// Whether this is how the value is written, word for word. It is compared as it is written, and not kept.
pub(super) fn is_written(value: &impl Serialize, text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    serde_json::to_writer(&mut rest, value).is_ok() && rest.0.is_empty()
}

/// What is still to be written.
struct Rest<'t>(&'t [u8]);

impl Write for Rest<'_> {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        match self.0.strip_prefix(written) {
            Some(rest) => {
                self.0 = rest;
                Ok(written.len())
            }
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> StoredLine<'_> {
        StoredLine {
            seq: 7,
            rotation: "r",
            target: "t",
            revision: 3,
            at: "2026-11-21T00:00:00Z",
            body,
            fence: 1,
            hash: &[],
        }
    }

    #[test]
    fn a_text_is_how_a_value_is_written_only_from_beginning_to_end() {
        let value = ["a", "b"];
        assert!(is_written(&value, r#"["a","b"]"#));
        for text in [r#"["a","b"] "#, r#"["a","b""#, r#"["a", "b"]"#, r#"["a","c"]"#, ""] {
            assert!(!is_written(&value, text), "{text}");
        }
    }

    #[test]
    fn a_line_that_says_more_than_is_understood_is_refused() {
        assert!(line(r#"{"event":"proved"}"#).parse().is_ok());
        for body in [
            r#"{"event":"proved","more":1}"#,
            r#"{ "event":"proved"}"#,
            r#"{"event":"new"}"#,
            "",
        ] {
            assert!(line(body).parse().is_err(), "{body}");
        }
    }
}
