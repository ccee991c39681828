//! What has to hold at every step, by the keys that really live.

use jiff::SignedDuration;
use rotate::machine::{Event, Phase};

use super::{Checked, World};

impl World {
    /// Before the cut-over the old key works; after it, the new one; while it is undone, one of the two at least.
    pub(super) fn check_consumers(&self) -> Checked {
        let old = self.is_active(&self.rotation.charter.old_key);
        let new = self.is_active(&self.new_key());
        let cut_over = self
            .journal
            .iter()
            .any(|record| matches!(record.event, Event::CutOver { .. }));
        match (cut_over, &self.rotation.undo) {
            (false, _) => self.must(old, "before the cut-over the old key does not work"),
            (true, None) => self.must(new, "after the cut-over the new key does not work"),
            (true, Some(_)) => self.must(old || new, "no key works"),
        }
    }

    /// Before the old key is touched.
    pub(super) fn check_retire(&self) -> Checked {
        let new = self.new_key();
        self.must(
            self.rotation.undo.is_none(),
            "an old key is retired while it is needed again",
        )?;
        self.must(
            self.is_active(&new),
            "an old key is retired and the new one does not work",
        )?;
        self.must(new != self.rotation.charter.old_key, "the new key is the old one")?;
        let proved = self.rotation.issued().and_then(|issued| issued.proved_at);
        let fresh = proved.is_some_and(|at| self.now.duration_since(at) <= SignedDuration::from_mins(5));
        self.must(fresh, "an old key is retired without a fresh proof of the new one")
    }

    pub(super) fn check_end(&self) -> Checked {
        let survivor = match &self.rotation.phase {
            Phase::Done(issued) => &issued.key,
            _ => &self.rotation.charter.old_key,
        };
        self.must(self.is_active(survivor), "the key that should survive does not work")?;
        self.must(self.keys.len() == 1, "more than one key is left at the end")
    }

    pub(super) fn must(&self, holds: bool, promise: &str) -> Checked {
        if holds { Ok(()) } else { Err(promise.to_owned()) }
    }
}
