//! A line of the journal, from its row.

use crate::machine::{Event, Record};
use crate::store::chain::Link;
use crate::store::{Line, StoreError};

/// A journal line as its row holds it.
pub(super) struct StoredLine {
    pub(super) seq: i64,
    pub(super) rotation: String,
    pub(super) target: String,
    pub(super) revision: i64,
    pub(super) at: String,
    pub(super) body: String,
    pub(super) fence: i64,
    pub(super) hash: Vec<u8>,
}

impl StoredLine {
    /// The line, if its hash fits.
    pub(super) fn check(&self, before: &[u8]) -> Result<Line, StoreError> {
        let link = Link {
            seq: self.seq,
            rotation: &self.rotation,
            target: &self.target,
            revision: self.revision,
            at: &self.at,
            body: &self.body,
            fence: self.fence,
        };
        if link.hash(before) != self.hash.as_slice() {
            return Err(self.changed("does not fit its hash"));
        }
        self.parse()
    }

    pub(super) fn parse(&self) -> Result<Line, StoreError> {
        let at = self.at.parse().map_err(|_| self.changed("has no readable time"))?;
        let event: Event = serde_json::from_str(&self.body).map_err(|_| self.changed("cannot be read"))?;
        // What this program does not understand it would otherwise silently leave out.
        if serde_json::to_string(&event).ok().as_deref() != Some(&self.body) {
            return Err(self.changed("says more than this version of rotate understands"));
        }
        Ok(Line {
            seq: self.seq,
            rotation: self.rotation.clone(),
            target: self.target.clone(),
            record: Record { at, event },
            hash: self.hash.clone(),
        })
    }

    pub(super) fn changed(&self, why: &str) -> StoreError {
        StoreError::Changed {
            seq: self.seq,
            target: format!(" of {}", self.target),
            why: why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> StoredLine {
        StoredLine {
            seq: 7,
            rotation: "r".to_owned(),
            target: "t".to_owned(),
            revision: 3,
            at: "2026-11-21T00:00:00Z".to_owned(),
            body: body.to_owned(),
            fence: 1,
            hash: Vec::new(),
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
