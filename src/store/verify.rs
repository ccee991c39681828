//! `audit verify`: the whole chain, every replay, every summary, every sealed secret, and the count of leases.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::Timestamp;

use super::line::StoredLine;
use crate::machine::StreamState;
use crate::seal::sealed_with;
use crate::store::chain::{GENESIS, hex};
use crate::store::{Line, StoreError, Verified, Visit};

/// What is kept of one rotation beside the journal, so that it need not be replayed to be shown.
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) target: String,
    pub(super) revision: i64,
    pub(super) closed: bool,
    pub(super) snapshot: String,
    /// Which rotation of its target is kept as the latest.
    pub(super) latest: Option<String>,
    pub(super) updated_at: String,
}

/// What the lines have said so far.
#[derive(Default)]
pub(super) struct Chain {
    head: Option<(i64, Vec<u8>)>,
    /// The lease of the line before.
    fence: i64,
    latest: HashMap<String, String>,
    rotations: HashMap<String, (i64, StreamState, Line)>,
    /// What has to be sealed, by rotation and name, and with which line.
    sealed: BTreeMap<(String, String), Line>,
}

impl Chain {
    pub(super) fn take(&mut self, stored: &StoredLine<'_>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let (last, before) = self.head.take().unwrap_or((0, GENESIS.to_vec()));
        if stored.seq != last + 1 {
            return Err(stored.changed(&format!("follows a gap: event {} is missing", last + 1)));
        }
        let record = stored.check(&before)?;
        if stored.fence < self.fence {
            return Err(stored.changed(&format!(
                "was written under lease {}, after lines of lease {}",
                stored.fence, self.fence
            )));
        }
        self.fence = stored.fence;
        let known = self.rotations.remove(stored.rotation);
        let (revision, rotation) = match known {
            Some((revision, rotation, _)) => (revision, Some(rotation)),
            None => (0, None),
        };
        if stored.revision != revision + 1 {
            return Err(stored.changed(&format!("has revision {} after {revision}", stored.revision)));
        }
        let rotation = StreamState::after(rotation, &record).map_err(|illegal| stored.illegal(&illegal))?;
        let line = stored.saying(record);
        visit(&line, &rotation);
        if let Some(name) = sealed_with(&line.record.event) {
            self.sealed.insert((stored.rotation.to_owned(), name), line.clone());
        }
        if line.record.event.is_final() {
            self.sealed.retain(|(rotation, _), _| rotation != stored.rotation);
        }
        self.head = Some((stored.seq, stored.hash.to_owned()));
        self.latest.insert(stored.target.to_owned(), stored.rotation.to_owned());
        self.rotations
            .insert(stored.rotation.to_owned(), (stored.revision, rotation, line));
        Ok(())
    }

    pub(super) fn compare(&mut self, kept: &Summary) -> Result<(), StoreError> {
        let last = self.head.as_ref().map_or(0, |(seq, _)| *seq);
        let Some((revision, rotation, line)) = self.rotations.remove(&kept.id) else {
            return Err(StoreError::Changed {
                seq: last + 1,
                target: String::new(),
                why: format!("is missing: rotation {} is summarised and has no events", kept.id),
            });
        };
        if revision != kept.revision {
            return Err(StoreError::changed(
                &line,
                format!(
                    "is the last of its rotation, but {} events were recorded and not {revision}",
                    kept.revision
                ),
            ));
        }
        let same_end = serde_json::from_str::<StreamState>(&kept.snapshot).is_ok_and(|kept| kept == rotation)
            && kept.closed == rotation.is_closed()
            && kept.target == line.target
            && kept.updated_at.parse().is_ok_and(|at: Timestamp| at == line.record.at);
        if !same_end {
            return Err(StoreError::changed(
                &line,
                "leads elsewhere than the summary kept beside it",
            ));
        }
        if kept.latest.as_ref() != self.latest.get(&line.target) {
            return Err(StoreError::changed(
                &line,
                "belongs to a target whose latest rotation is kept wrongly",
            ));
        }
        Ok(())
    }

    /// A secret that lies sealed was sealed with a line of its rotation.
    pub(super) fn found_sealed(&mut self, rotation: &str, name: &str) -> Result<(), StoreError> {
        let last = self.head.as_ref().map_or(0, |(seq, _)| *seq);
        match self.sealed.remove(&(rotation.to_owned(), name.to_owned())) {
            Some(_) => Ok(()),
            None => Err(StoreError::Changed {
                seq: last + 1,
                target: String::new(),
                why: format!(
                    "is missing: {} is sealed for rotation {}, and no event has sealed it",
                    name.escape_debug(),
                    rotation.escape_debug()
                ),
            }),
        }
    }

    /// Whoever wrote an event had a lease, and each has a greater number than the one before.
    pub(super) fn check_fences(&self, fences: &[i64], path: &Path) -> Result<(), StoreError> {
        let least = self.fence.max(i64::from(self.head.is_some()));
        match fences {
            [fence] if *fence >= least => Ok(()),
            _ => Err(StoreError::Damaged {
                path: path.to_owned(),
                why: "the count of its leases was changed".to_owned(),
            }),
        }
    }

    pub(super) fn end(self, rotations: i64) -> Result<Verified, StoreError> {
        if let Some((_, _, line)) = self.rotations.values().next() {
            return Err(StoreError::changed(
                line,
                "belongs to a rotation that is not summarised",
            ));
        }
        if let Some(((_, name), line)) = self.sealed.first_key_value() {
            let name = name.escape_debug();
            return Err(StoreError::changed(
                line,
                format!("has sealed {name}, which is missing"),
            ));
        }
        let (events, head) = self.head.unwrap_or((0, GENESIS.to_vec()));
        Ok(Verified {
            events,
            rotations,
            head: hex(&head),
        })
    }
}
