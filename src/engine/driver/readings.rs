//! What is read before a step can be decided: the vendor's list, its record of use, what the destinations hold.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rotate_providers::contract::{KeyId, Kind, LastUse, Listed};

use super::effects::secret_of;
use super::{DriveError, Driver, Passage};
use crate::delivery;
use crate::hooks::{now, vendors};
use crate::machine::{Event, Phase, SwitchedBy};
use crate::policy::{Listing, Use};
use crate::store::Automated as Stored;

/// How often the vendor's list is read again before its lag is called an error.
const MOST_READINGS: u32 = 12;

/// Use this recent is worth a word: someone may not have moved after all.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

impl Driver<'_> {
    pub(super) async fn read_keys(&self, again: bool, passage: &mut Passage) -> Result<(), DriveError> {
        if again {
            if passage.readings >= MOST_READINGS {
                return Err(DriveError::Lagging);
            }
            self.pause(self.pace.list_spacing, "waiting for the vendor's list to catch up")
                .await?;
        }
        let listed = match self.read(self.provider.keys()).await {
            Err(DriveError::Provider(error)) if error.kind == Kind::NotFound && passage.facts.owner_is_gone => {
                nothing()
            }
            result => result?,
        };
        let mut listing = listing(listed);
        if let Some(before) = passage.facts.keys.take().filter(|before| before.keys == listing.keys) {
            listing.agreeing += before.agreeing;
        }
        passage.readings += 1;
        passage.facts.keys = Some(listing);
        Ok(())
    }

    /// Which keys the destinations hold. One that cannot be read may hold any.
    pub(super) async fn read_destinations(&self, stored: &mut Stored, passage: &mut Passage) -> Result<(), DriveError> {
        let secret = secret_of(&stored.rotation)?;
        let mut held = BTreeSet::new();
        for name in stored.rotation.charter.destinations.clone() {
            match delivery::parse(secret, &name)?.key().await {
                Ok(key) => held.extend(key),
                // It may answer in a minute, and nobody has to look at that.
                Err(error) if error.fault.is_passing() => return Err(error.into()),
                Err(error) => {
                    let why = format!("which key {name} holds cannot be read: {error}");
                    return self.record(stored, Event::Blocked { why }).await;
                }
            }
        }
        passage.facts.held = Some(held);
        Ok(())
    }

    pub(super) async fn read_use(&self, key: KeyId, stored: &Stored, passage: &mut Passage) -> Result<(), DriveError> {
        let reading = self.provider.last_use(&key);
        // What it says may ask for enabling the old key again: that does not wait for the next run.
        let last_use = if stored.rotation.phase.is_delicate() {
            reading.await?
        } else {
            self.read(reading).await?
        };
        if let (LastUse::At { at, service, region }, Phase::CutOver(_, switch)) = (&last_use, &stored.rotation.phase)
            && matches!(switch.by, SwitchedBy::Person(_))
            && key == stored.rotation.charter.old_key
            && !stored.rotation.charter.own_identity
            && now().duration_since(*at) < RECENT
        {
            let target = &stored.target;
            tracing::warn!(
                "old key {key} was used at {at} for {service} in {region}; if a consumer has not moved after all: \
                 rotate rollback {target}"
            );
        }
        passage.facts.uses.push(Use {
            key,
            read_at: now(),
            last_use,
        });
        Ok(())
    }
}

/// A first reading, of just now.
pub(super) fn listing(listed: Listed) -> Listing {
    Listing {
        keys: listed.keys,
        agreeing: 1,
        read_at: now(),
        vendor_time: listed.vendor_time.map(vendors),
    }
}

/// The keys of an owner that is gone.
pub(super) fn nothing() -> Listed {
    Listed {
        keys: Vec::new(),
        vendor_time: None,
    }
}
