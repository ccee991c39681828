//! What is read before a step can be decided: the vendor's list, its record of use, what the destinations hold.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rotate_providers::contract::{KeyId, Kind, LastUse, Listed};

use super::effects::secret_of;
use super::{DriveError, Driver, RunState};
use crate::delivery;
use crate::hooks::{now, vendors};
use crate::machine::{Event, Phase, Record, Rotation, SwitchedBy};
use crate::policy::{Listing, Step, Use, next, use_beside};
use crate::store::Automated as Stored;

/// How often the vendor's list is read again before its lag is called an error.
const MOST_READINGS: u32 = 12;

/// Use this recent is worth a word: someone may not have moved after all.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// What the policy asks the vendor next, so that it can be read while something else is under way that it says nothing about.
#[derive(Default)]
pub(super) struct Ahead {
    list: bool,
    used: Option<KeyId>,
}

/// What was read like this; what could not be read is asked for again when its turn comes.
pub(super) struct ReadAhead {
    listing: Option<Listing>,
    used: Option<Use>,
}

impl Driver<'_> {
    /// What is asked for once the new key is proven.
    pub(super) fn ahead(stored: &Stored, run: &RunState) -> Ahead {
        let at = now();
        let record = Record {
            at,
            event: Event::Proved,
        };
        let Ok(proven) = Rotation::after(Some(stored.rotation.clone()), &record) else {
            return Ahead::default();
        };
        match next(&proven, &run.facts, at) {
            Step::ReadKeys { again: false } => Ahead {
                list: true,
                used: use_beside(&proven, &run.facts, at),
            },
            Step::ReadUse(key) => Ahead {
                list: false,
                used: Some(key),
            },
            _ => Ahead::default(),
        }
    }

    pub(super) async fn read_ahead(&self, ahead: Ahead) -> ReadAhead {
        let list = async {
            if !ahead.list {
                return None;
            }
            let read = self.provider.keys().await;
            read.inspect_err(|error| tracing::debug!("{error}")).ok().map(listing)
        };
        let (listing, used) = tokio::join!(list, self.use_of(ahead.used));
        ReadAhead { listing, used }
    }

    /// Takes for read what was read ahead.
    pub(super) fn take_read(read: ReadAhead, stored: &Stored, run: &mut RunState) {
        if let Some(listing) = read.listing {
            run.facts.keys = Some(listing);
            run.readings = 1;
        }
        if let Some(used) = read.used {
            note_use(used, stored, run);
        }
    }

    async fn use_of(&self, key: Option<KeyId>) -> Option<Use> {
        let key = key?;
        let read = self.provider.last_use(&key).await;
        let last_use = read.inspect_err(|error| tracing::debug!("{error}")).ok()?;
        Some(used(key, last_use))
    }

    /// The vendor's list, and beside it what is asked for next whatever the list says.
    pub(super) async fn read_keys(&self, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let beside = use_beside(&stored.rotation, &run.facts, now());
        self.list(beside, stored, run).await
    }

    /// The vendor's list some seconds after another reading of it.
    pub(super) async fn read_keys_again(&self, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        if run.readings >= MOST_READINGS {
            return Err(DriveError::Lagging);
        }
        self.pause(self.pace.list_spacing, "waiting for the vendor's list to catch up")
            .await?;
        self.list(None, stored, run).await
    }

    async fn list(&self, used: Option<KeyId>, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let reading = async {
            let (listed, used) = tokio::join!(self.provider.keys(), self.use_of(used));
            listed.map(|listed| (listed, used))
        };
        let mut beside = None;
        // What it says may end a gap in which consumers have no key: that does not wait for the next run.
        let read = match stored.rotation.phase.is_delicate() {
            true => reading.await.map_err(DriveError::from),
            false => self.read(reading).await,
        };
        let listed = match read {
            Ok((listed, read)) => {
                beside = read;
                listed
            }
            Err(DriveError::Provider(error)) if error.kind == Kind::NotFound && run.facts.owner_is_gone => nothing(),
            Err(error) => return Err(error),
        };
        let mut listing = listing(listed);
        if let Some(before) = run.facts.keys.take().filter(|before| before.keys == listing.keys) {
            listing.agreeing += before.agreeing;
        }
        run.readings += 1;
        run.facts.keys = Some(listing);
        if let Some(used) = beside {
            note_use(used, stored, run);
        }
        Ok(())
    }

    /// Which keys the destinations hold. One that cannot be read may hold any.
    pub(super) async fn read_destinations(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let secret = secret_of(&stored.rotation)?;
        let mut held = BTreeSet::new();
        for name in stored.rotation.spec.destinations.clone() {
            let destination = delivery::parse(secret, &name)?;
            let key = match destination.log_in().await {
                Ok(()) => destination.key().await,
                Err(error) => Err(error),
            };
            match key {
                Ok(key) => held.extend(key),
                // It may answer in a minute, and nobody has to look at that.
                Err(error) if error.fault.is_passing() => return Err(error.into()),
                Err(error) => {
                    let why = format!("which key {name} holds cannot be read: {error}");
                    return self.record(stored, Event::Blocked { why }).await;
                }
            }
        }
        run.facts.held = Some(held);
        Ok(())
    }

    pub(super) async fn read_use(&self, key: KeyId, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let reading = self.provider.last_use(&key);
        // What it says may ask for enabling the old key again: that does not wait for the next run.
        let last_use = if stored.rotation.phase.is_delicate() {
            reading.await?
        } else {
            self.read(reading).await?
        };
        note_use(used(key, last_use), stored, run);
        Ok(())
    }
}

/// What the vendor's record says, just now.
fn used(key: KeyId, last_use: LastUse) -> Use {
    Use {
        key,
        read_at: now(),
        last_use,
    }
}

/// Keeps what the vendor's record says, and tells a person what they should know of it.
fn note_use(used: Use, stored: &Stored, run: &mut RunState) {
    let key = &used.key;
    if let (LastUse::At { at, service, region }, Phase::CutOver(switch)) = (&used.last_use, &stored.rotation.phase)
        && matches!(switch.by, SwitchedBy::Person(_))
        && *key == stored.rotation.spec.old_key
        && !stored.rotation.spec.own_identity
        && now().duration_since(*at) < RECENT
    {
        let target = &stored.target;
        tracing::warn!(
            "old key {key} was used at {at} for {service} in {region}; if a consumer has not moved after all: \
             rotate rollback {target}"
        );
    }
    run.facts.uses.push(used);
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
