//! Has anything changed at the vendor that nobody here asked for?

use rotate_providers::contract::{KeyId, Principal};

use crate::machine::{InventoryReading, Rotation, SeenKey};

/// What was expected at the vendor: what was seen last, and what the last rotation left.
#[derive(Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The last look at which everything was in order.
    pub sighting: Option<&'a InventoryReading>,
    /// The last rotation, which has ended.
    pub rotation: Option<&'a Rotation>,
}

impl Expected<'_> {
    /// The account that the target was known in, where these credentials lead to another one. That is no change at the vendor
    /// that a person could accept: whatever is seen there is about somebody else.
    pub fn other_account(&self, owner: &Principal) -> Option<&str> {
        let known = self.owner()?.account.as_str();
        (known != owner.account).then_some(known)
    }

    /// What has changed behind our back, in words; `None` where nothing has, or where nothing was known before.
    pub fn drift(&self, found: &InventoryReading) -> Option<String> {
        self.other_owner(&found.owner)
            .or_else(|| self.vanished(found))
            .or_else(|| self.stranger(found))
    }

    fn other_owner(&self, now: &Principal) -> Option<String> {
        let known = self.owner()?;
        if known.id == now.id {
            return None;
        }
        Some(if known.name == now.name {
            format!(
                "{} was deleted and created again: its id was {}, and is now {}",
                known.name, known.id, now.id
            )
        } else {
            format!(
                "this target was user {} so far, and is now user {}",
                known.name, now.name
            )
        })
    }

    fn owner(&self) -> Option<&Principal> {
        let of_rotation = self.rotation.map(|rotation| &rotation.spec.owner);
        of_rotation.or(self.sighting.map(|sighting| &sighting.owner))
    }

    /// The key that is in use has to be there, and on.
    fn vanished(&self, found: &InventoryReading) -> Option<String> {
        let live = self.left_alive()?;
        match found.keys.iter().find(|key| key.id == *live) {
            Some(key) if key.active => None,
            Some(_) => Some(format!("key {live} was in use, and someone has switched it off")),
            None => Some(format!("key {live} was in use, and is gone")),
        }
    }

    fn stranger(&self, found: &InventoryReading) -> Option<String> {
        if self.sighting.is_none() && self.rotation.is_none() {
            return None;
        }
        let is_strange = |key: &&SeenKey| {
            let seen = self.sighting.iter().flat_map(|sighting| &sighting.keys);
            let of_rotation = self.rotation.into_iter().flat_map(|rotation| {
                let new = rotation.new_key.as_ref().map(|new| &new.key);
                new.into_iter().chain([&rotation.spec.old_key])
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
            Some(rotation) => Some(match &rotation.new_key {
                Some(new) => &new.key,
                None => &rotation.spec.old_key,
            }),
            None => self.sighting?.live.as_ref(),
        }
    }
}
