//! Has anything changed at the vendor that nobody here asked for?

use rotate_providers::contract::KeyId;

use crate::machine::{Rotation, SeenKey, Sighting};

/// What was expected at the vendor: what was seen last, and what the last rotation left.
#[derive(Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The last look at which everything was in order.
    pub sighting: Option<&'a Sighting>,
    /// The last rotation, which has ended.
    pub rotation: Option<&'a Rotation>,
}

impl Expected<'_> {
    /// What has changed behind our back, in words; `None` where nothing has, or where nothing was known before.
    pub fn drift(&self, found: &Sighting) -> Option<String> {
        self.other_owner(found)
            .or_else(|| self.vanished(found))
            .or_else(|| self.stranger(found))
    }

    fn other_owner(&self, found: &Sighting) -> Option<String> {
        let known = self
            .rotation
            .map(|rotation| &rotation.charter.owner)
            .or(self.sighting.map(|sighting| &sighting.owner))?;
        let now = &found.owner;
        if known.account != now.account {
            return Some(format!(
                "{} was known in account {}, and these credentials lead to account {}",
                known.name, known.account, now.account
            ));
        }
        (known.id != now.id).then(|| {
            format!(
                "{} was deleted and created again: its id was {}, and is now {}",
                known.name, known.id, now.id
            )
        })
    }

    /// The key that is in use has to be there, and on.
    fn vanished(&self, found: &Sighting) -> Option<String> {
        let live = self.left_alive()?;
        match found.keys.iter().find(|key| key.id == *live) {
            Some(key) if key.active => None,
            Some(_) => Some(format!("key {live} was in use, and someone has switched it off")),
            None => Some(format!("key {live} was in use, and is gone")),
        }
    }

    fn stranger(&self, found: &Sighting) -> Option<String> {
        if self.sighting.is_none() && self.rotation.is_none() {
            return None;
        }
        let is_strange = |key: &&SeenKey| {
            let seen = self.sighting.iter().flat_map(|sighting| &sighting.keys);
            let of_rotation = self.rotation.into_iter().flat_map(|rotation| {
                let issued = rotation.issued().map(|issued| &issued.key);
                issued.into_iter().chain([&rotation.charter.old_key])
            });
            !seen
                .map(|seen| &seen.id)
                .chain(of_rotation)
                .any(|known| *known == key.id)
        };
        let key = found.keys.iter().find(is_strange)?;
        let made = key.created_at.map(|at| format!(" (created {at})")).unwrap_or_default();
        Some(format!("key {}{made} has appeared, and rotate did not make it", key.id))
    }

    /// The key that the consumers use, as far as it is known.
    fn left_alive(&self) -> Option<&KeyId> {
        match self.rotation {
            Some(rotation) => rotation
                .issued()
                .map(|issued| &issued.key)
                .or(Some(&rotation.charter.old_key)),
            None => self.sighting?.live.as_ref(),
        }
    }
}
