//! Which key is live, and therefore the one that is to go.
//!
//! Guessing is not allowed: the wrong key's end is an outage. One key that works is live. Of several, the one that the
//! person has shown to be the consumer's. The one that an earlier rotation of the journal left in use may be live as well,
//! and is not called so: keys are also changed by hand.

use std::sync::Arc;

use rotate_providers::contract::{Key, KeyId, LastUse, Observation, Principal, Provider, PublicHalf};
use rotate_providers::{Automation, KeyShown};

use super::{DriveError, Refusal, Request};
use crate::hooks::now;
use crate::machine::{AnyRotation, GuidedRotation, Phase, Retirement, Rotation};
use crate::policy::may_create;
use crate::store::{Store, StoreError, Stored};

/// A key that the consumer holds.
#[derive(Clone, Debug)]
pub struct LiveKey {
    /// Which.
    pub key: KeyId,
    /// What would register it again, where that is known.
    pub public: Option<PublicHalf>,
}

impl From<KeyShown> for LiveKey {
    fn from(shown: KeyShown) -> Self {
        Self {
            key: shown.key,
            public: shown.public,
        }
    }
}

/// What the journal knows of a target's earlier rotations.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Keys that they deleted.
    pub retired: Vec<KeyId>,
    /// The key that the last one left alive.
    pub left_alive: Option<LiveKey>,
    /// Rotations of other targets that are open.
    pub rivals: Arc<Vec<ConcurrentRotation>>,
}

/// An open rotation of another target, which may be another name for the same user.
#[derive(Clone, Debug)]
pub struct ConcurrentRotation {
    /// Its target's name.
    pub target: String,
    /// Its connector.
    pub connector: String,
    /// Whose keys they are.
    pub whose: Whose,
    /// Where its new key goes, by the names that it keeps.
    pub destinations: Vec<String>,
}

/// Whose keys an open rotation is about.
#[derive(Clone, Debug)]
pub enum Whose {
    /// The vendor has told.
    Owner(Principal),
    /// A person has told the name alone: they take the steps themselves.
    Named(String),
}

impl ConcurrentRotation {
    /// Whether it is about the keys of this owner.
    pub(super) fn meets(&self, connector: &str, owner: &Principal) -> bool {
        self.connector == connector
            && match &self.whose {
                Whose::Owner(other) => (&other.account, &other.id) == (&owner.account, &owner.id),
                Whose::Named(name) => *name == owner.name,
            }
    }
}

/// The open rotations among these.
pub fn rivals(summaries: &[Stored]) -> Vec<ConcurrentRotation> {
    let open = summaries.iter().filter(|stored| !stored.rotation.is_closed());
    open.filter_map(|stored| {
        let (connector, whose, destinations) = match &stored.rotation {
            AnyRotation::Automated(rotation) => {
                let spec = &rotation.spec;
                let whose = Whose::Owner(spec.owner.clone());
                (spec.connector.clone(), whose, spec.destinations.clone())
            }
            AnyRotation::Guided(walk) => {
                let whose = Whose::Named(named(walk)?);
                (walk.itinerary.connector.clone(), whose, Vec::new())
            }
        };
        Some(ConcurrentRotation {
            target: stored.target.clone(),
            connector,
            whose,
            destinations,
        })
    })
    .collect()
}

/// The user that a guided rotation is about; `None` where the program could not rotate it, or nobody has told.
fn named(walk: &GuidedRotation) -> Option<String> {
    let connector = rotate_providers::connector(&walk.itinerary.connector)?;
    connector.automation?;
    let guide = connector.guide().ok()?;
    walk.itinerary.values.get(&*guide.identity()?.name).cloned()
}

impl History {
    /// Reads it.
    pub async fn read(store: &dyn Store, target: &str) -> Result<Self, StoreError> {
        let mut rivals = rivals(&store.summaries().await?);
        rivals.retain(|rival| rival.target != target);
        Self::beside(store, target, Arc::new(rivals)).await
    }

    /// The same, where the other targets' rotations are known already.
    pub async fn beside(
        store: &dyn Store,
        target: &str,
        rivals: Arc<Vec<ConcurrentRotation>>,
    ) -> Result<Self, StoreError> {
        let latest = store.latest(target).await?;
        Ok(Self {
            retired: store.retired(target).await?,
            left_alive: latest.and_then(|stored| left_alive(stored.rotation.automated()?)),
            rivals,
        })
    }
}

fn left_alive(rotation: &Rotation) -> Option<LiveKey> {
    let spec = &rotation.spec;
    match &rotation.phase {
        Phase::Done => rotation.new_key.as_ref().map(|new| LiveKey {
            key: new.key.clone(),
            public: new.public.clone(),
        }),
        Phase::Aborted | Phase::RolledBack => Some(LiveKey {
            key: spec.old_key.clone(),
            public: match &spec.retirement {
                Retirement::Remove { public } => Some(public.clone()),
                Retirement::Disable | Retirement::RemoveForGood | Retirement::Replace => None,
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
    let (owner, most_keys) = (&found.owner.name, request.connector.capabilities.most_keys);
    let active: Vec<&Key> = found.keys.iter().filter(|key| key.active).collect();
    if let Some(shown) = &request.live
        && active.iter().all(|key| key.id != shown.key)
    {
        return Err(DriveError::Refused(not_registered(
            shown,
            owner,
            &active,
            request.connector,
        )));
    }
    let live = match active.as_slice() {
        [] => {
            let why = format!("{owner} has no active key, so there is nothing to rotate");
            return Err(DriveError::Refused(Refusal::error(why).with(format!(
                "check the name given with {}, and in which account it is",
                request.connector.identity_option()
            ))));
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
        // The new one needs no place of its own.
        Some(live) if request.connector.capabilities.replaces => return Ok(with_public_half(live, request, history)),
        Some(live) => match may_create(&live.id, &found.keys, &history.retired, most_keys, |_| false) {
            Ok(_) => return Ok(with_public_half(live, request, history)),
            Err(why) => format!("{why} of {owner}"),
        },
        None if active.len() == most_keys && most_keys == 2 => {
            format!("both slots of {owner} are full with active keys, and which one is live cannot be known")
        }
        None => format!(
            "{owner} has {} active keys, and which one is live cannot be known",
            active.len()
        ),
    };
    let refusal = Refusal::error(why).blocked();
    let crowd = Crowd {
        keys: &found.keys,
        shown: request.live.as_ref().map(|shown| &shown.key),
        left: history.left_alive.as_ref().map(|left| &left.key),
        live: live.map(|live| &live.id),
        may_be_shown: request.connector.shown_key.is_some(),
    };
    Err(DriveError::Refused(crowd.describe(provider, refusal).await))
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

fn not_registered(shown: &LiveKey, owner: &str, active: &[&Key], connector: &Automation) -> Refusal {
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
    .with(format!(
        "give the key file that the consumer really uses, or check {} and the account",
        connector.identity_option()
    ))
}

/// More keys than a rotation can begin with.
struct Crowd<'a> {
    keys: &'a [Key],
    /// The one that the person has shown to be the consumer's.
    shown: Option<&'a KeyId>,
    /// The one that the last rotation on record left in use.
    left: Option<&'a KeyId>,
    /// The one whose deletion is not offered: one of the two, or the only one that works.
    live: Option<&'a KeyId>,
    /// Whether a person can show which one the consumer holds.
    may_be_shown: bool,
}

impl Crowd<'_> {
    /// Lists the keys with their age and last use, and the command that removes each.
    async fn describe(&self, provider: &dyn Provider, mut refusal: Refusal) -> Refusal {
        for key in self.keys {
            let state = self.state(key);
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
        if let Some(left) = self.thought_live() {
            refusal = refusal.with(format!(
                "the last rotation on record left {left} in use; someone may have changed keys since"
            ));
        }
        refusal = refusal.with("find out which key no consumer holds, and delete that one:");
        // Where one is thought to be live, its deletion is not offered.
        for key in self.keys {
            if self.live != Some(&key.id) {
                refusal = refusal.with(key.delete_by_hand.clone());
            }
        }
        if self.shown.is_none() && self.may_be_shown {
            refusal = refusal.with("or show which one the consumer holds, with --current-key");
        }
        refusal
    }

    fn state(&self, key: &Key) -> &'static str {
        if self.shown == Some(&key.id) {
            "live"
        } else if !key.active {
            "inactive"
        } else if self.left == Some(&key.id) {
            "active, left in use by the last rotation on record"
        } else {
            "active"
        }
    }

    /// The one of several that is spared for the journal's sake alone.
    fn thought_live(&self) -> Option<&KeyId> {
        let several = self.keys.iter().filter(|key| key.active).count() > 1;
        self.left
            .filter(|_| several && self.shown.is_none() && self.live == self.left)
    }
}
