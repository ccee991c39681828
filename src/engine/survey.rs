//! What the journal knows of every target, read once.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::assess::born_by;
use super::{Credential, Namings, OnRecord};
use crate::config::{How, Target};
use crate::engine::driver::{ConcurrentRotation, rivals};
use crate::machine::{AnyRotation, Inventory};
use crate::store::{Store, StoreError, Stored};

/// What the journal knows of every target.
#[derive(Default)]
pub struct Survey {
    courses: ByName<AnyRotation>,
    /// When the targets whose latest passage rotated nothing were rotated before.
    before: HashMap<String, Timestamp>,
    watches: ByName<Inventory>,
    /// The names under which the journal knows each guided credential.
    guided: HashMap<Credential, Vec<String>>,
    namings: Namings,
    /// Every open rotation.
    pub rivals: Arc<Vec<ConcurrentRotation>>,
}

/// What is stored of every target, in the order of their names: less is moved and kept than with a table of hashes.
struct ByName<R>(Vec<Stored<R>>);

impl<R> ByName<R> {
    fn of(mut all: Vec<Stored<R>>) -> Self {
        all.sort_unstable_by(|one, other| one.target.cmp(&other.target));
        Self(all)
    }

    fn of_target(&self, name: &str) -> Option<&Stored<R>> {
        let at = self.0.binary_search_by(|stored| stored.target.as_str().cmp(name));
        self.0.get(at.ok()?)
    }
}

impl<R> Default for ByName<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
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
        let mut namings = Namings::default();
        let mut guided: HashMap<Credential, Vec<String>> = HashMap::new();
        for stored in &summaries {
            if let AnyRotation::Guided(walk) = &stored.rotation
                && let Some(credential) = namings.of_walk(walk)
            {
                guided.entry(credential).or_default().push(stored.target.clone());
            }
        }
        Ok(Self {
            courses: ByName::of(summaries),
            before,
            watches: ByName::of(store.watches().await?),
            guided,
            namings,
            rivals,
        })
    }

    /// Every rotation and every watch that it was read from, and how many events each had.
    pub fn revisions(&self) -> impl Iterator<Item = (&str, i64)> {
        let courses = self.courses.0.iter();
        let courses = courses.map(|stored| (stored.id.as_str(), stored.revision));
        let watches = self.watches.0.iter();
        courses.chain(watches.map(|watch| (watch.id.as_str(), watch.revision)))
    }

    /// What is known of a target of the configuration. A credential that a person rotates may have been rotated under
    /// another name as well: by a command, before the file named it.
    pub fn of_target(&self, target: &Target) -> OnRecord<'_> {
        let own = self.of(&target.name);
        let others = self.others(target);
        let Some(latest) = others.iter().copied().max_by_key(|stored| {
            let is_open = !stored.rotation.is_closed();
            (is_open, stored.updated_at)
        }) else {
            return own;
        };
        let is_later = own.course.is_none_or(|course| {
            let rank = |stored: &Stored| (!stored.rotation.is_closed(), stored.updated_at);
            rank(latest) > rank(course)
        });
        let born = |stored: &&Stored| born_by(&stored.rotation).max(self.before.get(&stored.target).copied());
        let before = others.iter().filter_map(born).max();
        let own_end = own.course.and_then(|course| born_by(&course.rotation));
        OnRecord {
            course: if is_later { Some(latest) } else { own.course },
            rotated_before: own.rotated_before.max(before).max(own_end),
            ..own
        }
    }

    /// What the journal has of this credential under other names.
    fn others(&self, target: &Target) -> Vec<&Stored> {
        let How::ByHand(by_hand) = &target.how else {
            return Vec::new();
        };
        let credential = self.namings.known(target.connector.id, &by_hand.values);
        // Of two targets that do not say which credential they are about, each is one.
        let credential = credential.filter(|credential| credential.name.is_some());
        let names = credential.and_then(|credential| self.guided.get(&credential));
        let others = names.into_iter().flatten().filter(|name| **name != target.name);
        others.filter_map(|name| self.courses.of_target(name)).collect()
    }

    /// The open rotations that these targets are about, under whatever names.
    pub fn taken_by<'s>(&'s self, targets: &'s [Target]) -> impl Iterator<Item = &'s str> {
        targets.iter().filter_map(|target| {
            let course = self.of_target(target).course?;
            Some(course.target.as_str())
        })
    }

    /// What is known of one target.
    pub fn of(&self, target: &str) -> OnRecord<'_> {
        OnRecord {
            course: self.courses.of_target(target),
            watch: self.watches.of_target(target),
            rotated_before: self.before.get(target).copied(),
        }
    }

    /// Every target of which the journal knows a rotation, by name.
    pub fn courses(&self) -> &[Stored] {
        &self.courses.0
    }
}
