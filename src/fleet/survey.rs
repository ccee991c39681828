//! What the journal knows of every target, read once.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Known;
use super::judge::born_by;
use crate::driver::{Rival, rivals};
use crate::machine::Watch;
use crate::store::{Store, StoreError, Stored};

/// What the journal knows of every target.
#[derive(Default)]
pub struct Survey {
    courses: HashMap<String, Stored>,
    /// When the targets whose latest passage rotated nothing were rotated before.
    before: HashMap<String, Timestamp>,
    watches: HashMap<String, Stored<Watch>>,
    /// Every open rotation.
    pub rivals: Arc<Vec<Rival>>,
}

impl Survey {
    /// Reads it.
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let summaries = store.summaries().await?;
        let rivals = Arc::new(rivals(&summaries));
        let mut before = HashMap::new();
        // Few: an open passage, one that was undone, one that only disconnected.
        for stored in summaries.iter().filter(|stored| born_by(&stored.rotation).is_none()) {
            let earlier = store.closed(&stored.target).await?;
            let born = earlier.iter().filter_map(|earlier| born_by(&earlier.rotation)).max();
            before.extend(born.map(|at| (stored.target.clone(), at)));
        }
        let by_name = |stored: Stored| (stored.target.clone(), stored);
        let watches = store.watches().await?.into_iter();
        Ok(Self {
            courses: summaries.into_iter().map(by_name).collect(),
            before,
            watches: watches.map(|watch| (watch.target.clone(), watch)).collect(),
            rivals,
        })
    }

    /// What is known of one target.
    pub fn of(&self, target: &str) -> Known<'_> {
        Known {
            course: self.courses.get(target),
            watch: self.watches.get(target),
            rotated_before: self.before.get(target).copied(),
        }
    }

    /// Every target of which the journal knows a rotation, by name.
    pub fn courses(&self) -> Vec<&Stored> {
        let mut all: Vec<&Stored> = self.courses.values().collect();
        all.sort_by(|a, b| a.target.cmp(&b.target));
        all
    }
}
