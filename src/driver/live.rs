//! Which key is live, and therefore the one that is to go.
//!
//! Guessing is not allowed: the wrong key's end is an outage. One key that works is live. Of several, the one that the
//! person has shown to be the consumer's, or that an earlier rotation of the journal left alive; otherwise nobody knows.

use rotate_providers::contract::{Key, KeyId, LastUse, Observation, Provider, PublicHalf};

use super::{DriveError, Refusal, Request};
use crate::hooks::now;
use crate::machine::{Phase, Retirement, Rotation};
use crate::policy::may_create;
use crate::store::{Store, StoreError};

/// A key that the consumer holds.
#[derive(Clone, Debug)]
pub struct LiveKey {
    /// Which.
    pub key: KeyId,
    /// What would register it again, where that is known.
    pub public: Option<PublicHalf>,
}

/// What the journal knows of a target's earlier rotations.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Keys that they deleted.
    pub retired: Vec<KeyId>,
    /// The key that the last one left alive.
    pub left_alive: Option<LiveKey>,
}

impl History {
    /// Reads it.
    pub async fn read(store: &dyn Store, target: &str) -> Result<Self, StoreError> {
        let latest = store.latest(target).await?;
        Ok(Self {
            retired: store.retired(target).await?,
            left_alive: latest.and_then(|stored| left_alive(stored.rotation.automated()?)),
        })
    }
}

fn left_alive(rotation: &Rotation) -> Option<LiveKey> {
    let charter = &rotation.charter;
    match &rotation.phase {
        Phase::Done(issued) => Some(LiveKey {
            key: issued.key.clone(),
            public: issued.public.clone(),
        }),
        Phase::Aborted | Phase::RolledBack => Some(LiveKey {
            key: charter.old_key.clone(),
            public: match &charter.retirement {
                Retirement::Remove { public } => Some(public.clone()),
                Retirement::Disable | Retirement::RemoveForGood => None,
            },
        }),
        _ => None,
    }
}

/// The one key that is to go.
pub(super) async fn old_key(
    provider: &dyn Provider,
    request: &Request<'_>,
    found: &Observation,
    history: &History,
) -> Result<LiveKey, DriveError> {
    let owner = &found.owner.name;
    let active: Vec<&Key> = found.keys.iter().filter(|key| key.active).collect();
    if let Some(shown) = &request.live
        && active.iter().all(|key| key.id != shown.key)
    {
        return Err(DriveError::Refused(not_registered(shown, owner, &active)));
    }
    let live = match active.as_slice() {
        [] => {
            let why = format!("{owner} has no active key, so there is nothing to rotate");
            return Err(DriveError::Refused(
                Refusal::error(why).with("check the name given with --user, and in which account it is"),
            ));
        }
        [only] => Some(*only),
        several => {
            let known = request.live.as_ref().or(history.left_alive.as_ref());
            several
                .iter()
                .copied()
                .find(|key| known.is_some_and(|known| known.key == key.id))
        }
    };
    let why = match live {
        Some(live) => match may_create(&live.id, &found.keys, &history.retired, |_| false) {
            Ok(_) => return Ok(with_public_half(live, request, history)),
            Err(why) => format!("{why} of {owner}"),
        },
        None => format!("both slots of {owner} are full with active keys, and which one is live cannot be known"),
    };
    let refusal = Refusal::error(why).blocked();
    Err(DriveError::Refused(
        describe_keys(provider, found, live, request.connector.disables, refusal).await,
    ))
}

/// Whoever shows the public half: the vendor, the person's own key file, the journal.
fn with_public_half(live: &Key, request: &Request<'_>, history: &History) -> LiveKey {
    let elsewhere = [request.live.as_ref(), history.left_alive.as_ref()];
    let same = elsewhere.into_iter().flatten().filter(|known| known.key == live.id);
    LiveKey {
        key: live.id.clone(),
        public: live
            .public
            .clone()
            .or_else(|| same.flat_map(|known| known.public.clone()).next()),
    }
}

fn not_registered(shown: &LiveKey, owner: &str, active: &[&Key]) -> Refusal {
    let registered: Vec<&str> = active.iter().map(|key| key.id.as_str()).collect();
    Refusal::error(format!(
        "the key given with --current-key is {}, and {owner} holds {}",
        shown.key,
        if registered.is_empty() {
            "none".to_owned()
        } else {
            registered.join(" and ")
        }
    ))
    .with("give the key file that the consumer really uses, or check --user and the account")
}

/// Lists the keys with their age and last use, and the command that removes each.
async fn describe_keys(
    provider: &dyn Provider,
    found: &Observation,
    live: Option<&Key>,
    disables: bool,
    mut refusal: Refusal,
) -> Refusal {
    for key in &found.keys {
        let state = match live {
            Some(live) if live.id == key.id && !disables => "live",
            _ if key.active => "active",
            _ => "inactive",
        };
        let age = match key.created_at {
            Some(at) => format!("created {at} ({} days old)", now().duration_since(at).as_hours() / 24),
            None => "of unknown age".to_owned(),
        };
        let used = match provider.last_use(&key.id).await {
            Ok(LastUse::At { at, service, region }) => format!("last used {at} for {service} in {region}"),
            Ok(LastUse::NeverSeen) => "no use on record".to_owned(),
            Ok(LastUse::NotReported) => "use not reported".to_owned(),
            Err(error) => format!("last use unknown: failed to {error}"),
        };
        refusal = refusal.with(format!("{}: {state}, {age}, {used}", key.id));
    }
    refusal = refusal.with("find out which key no consumer holds, and delete that one:");
    // Where one is known to be live, its deletion is not offered.
    for key in &found.keys {
        if live.is_none_or(|live| live.id != key.id) {
            refusal = refusal.with(key.delete_by_hand.clone());
        }
    }
    if live.is_none() && !disables {
        refusal = refusal.with("or show which one the consumer holds, with --current-key");
    }
    refusal
}
