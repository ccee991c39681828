//! Opening a rotation: everything that can be known beforehand is checked before anything is created.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rotate_providers::contract::{Key, KeyId, Minting, Observation, Provider};
use rotate_providers::form::SecretForm;
use rotate_providers::{Automation, automation};

use super::in_place::held_secret;
use super::in_time::ends_in_time;
use super::live::{ConcurrentRotation, History, LiveKey, Whose, old_key};
use super::{DriveError, Driver, Outcome, Refusal, RunState};
use crate::delivery::{self, Asked, DeliveryError, Destination, Hook, Occupied, at_once_of_each_place, same_place};
use crate::hooks::{now, vendors};
use crate::machine::{Begun, Cutover, Event, LostKey, Phase, Prove, Retirement, RotationSpec, Window};
use crate::policy::{Facts, Listing};
use crate::store::Automated as Stored;

/// What a rotation is asked to be opened with.
#[derive(Clone)]
pub struct Request<'a> {
    /// The connector.
    pub connector: &'static Automation,
    /// The target's name.
    pub target: &'a str,
    /// The connector's inputs.
    pub inputs: serde_json::Value,
    /// Where the new secret goes.
    pub destinations: &'a [Box<dyn Destination>],
    /// The programs that run once it is there.
    pub after_delivery: &'a [Hook],
    /// How it becomes known that every consumer has moved.
    pub cutover: Cutover,
    /// What the proofs of the new key rest on.
    pub prove: Prove,
    /// What becomes of a new key whose secret was lost.
    pub lost_key: LostKey,
    /// How long the old key rests, in seconds.
    pub soak_seconds: u64,
    /// How long the vendor's record of use is watched at least, in seconds.
    pub observe_seconds: u64,
    /// How long the cut-over may take, in seconds.
    pub allowance_seconds: u64,
    /// Rotate once more, although a rotation has just ended.
    pub again: bool,
    /// The key that the person says the consumer holds.
    pub live: Option<LiveKey>,
    /// Go on although the program runs as the owner of the keys.
    pub allow_self: bool,
    /// When effects are allowed.
    pub window: Option<Window>,
}

/// A target as it was found at the vendor, before a rotation of it is opened.
pub struct Found {
    /// Who owns the keys, and all of them.
    pub observation: Observation,
    /// When they were read.
    pub read_at: Timestamp,
    /// The key that is in use, or why a rotation cannot be opened.
    pub live: Result<LiveKey, DriveError>,
    /// The host that was asked; `None` where it is this machine.
    pub host: Option<String>,
    /// What the journal knows of earlier rotations.
    pub history: History,
}

impl Found {
    /// Looks at the target. Reads only.
    pub async fn look(provider: &dyn Provider, request: &Request<'_>, history: History) -> Result<Self, DriveError> {
        let observation = provider.observe().await?;
        let read_at = now();
        let live = if observation.is_caller && !request.allow_self {
            let refusal = own_identity(&observation.owner.name);
            Err(DriveError::Refused(
                match request.connector.capabilities.rotates_itself {
                    true => refusal.with("or add --allow-self: after the cut-over rotate logs in with the new key"),
                    false => refusal,
                },
            ))
        } else {
            old_key(provider, request, &observation, &history).await
        };
        Ok(Self {
            observation,
            read_at,
            live,
            host: provider.host(),
            history,
        })
    }
}

impl Found {
    /// What was changed by hand since the last rotation on record, where the program goes on all the same.
    pub fn surprise(&self) -> Option<String> {
        let left = &self.history.left_alive.as_ref()?.key;
        let live = &self.live.as_ref().ok()?.key;
        let is_active = |key: &Key| key.id == *left && key.active;
        (live != left && !self.observation.keys.iter().any(is_active)).then(|| {
            format!(
                "the last rotation on record left {left} in use, and it is not active any more: keys were changed by hand, or \
                 this journal is an older copy; the only active key is {live}, and that one is rotated"
            )
        })
    }
}

/// What stands in the store for a request.
pub enum Existing {
    /// An open rotation, or one that has just ended: nothing is opened.
    Present(Box<Stored>),
    /// Nothing: a rotation may be opened.
    Absent,
}

impl Request<'_> {
    /// Compares the request with the target's latest rotation.
    pub fn standing(&self, latest: Option<Stored>) -> Result<Existing, DriveError> {
        let Some(stored) = latest else {
            return Ok(Existing::Absent);
        };
        let ended_now = stored.is_recent();
        match &stored.rotation.phase {
            Phase::Done if ended_now && !self.again && self.same_as(&stored.rotation.spec).is_ok() => {
                Ok(Existing::Present(Box::new(stored)))
            }
            phase if phase.is_closed() => Ok(Existing::Absent),
            _ => {
                self.same_as(&stored.rotation.spec)?;
                Ok(Existing::Present(Box::new(stored)))
            }
        }
    }

    /// An open rotation keeps what it was opened with.
    fn same_as(&self, spec: &RotationSpec) -> Result<(), DriveError> {
        let destinations = self.destination_names();
        let mut differs = differing_options(&self.inputs, &spec.inputs);
        let same = |(now, then): (&String, &String)| same_place(now, then);
        if destinations.len() != spec.destinations.len() || !destinations.iter().zip(&spec.destinations).all(same) {
            differs.push("--deliver".to_owned());
        }
        if self.hook_names() != spec.after_delivery {
            differs.push("--after-delivery".to_owned());
        }
        if self.cutover != spec.cutover {
            differs.push("--cutover".to_owned());
        }
        if self.prove != spec.prove {
            differs.push("--prove".to_owned());
        }
        if self.lost_key != spec.lost_key {
            differs.push("--lost-key".to_owned());
        }
        if self.soak_seconds != spec.soak_seconds {
            differs.push("--soak".to_owned());
        }
        if self.observe_seconds != spec.observe_seconds {
            differs.push("--observe".to_owned());
        }
        if self.live.as_ref().is_some_and(|live| live.key != spec.old_key) {
            differs.push("--current-key".to_owned());
        }
        if differs.is_empty() {
            return Ok(());
        }
        Err(DriveError::Refused(
            Refusal::error(format!(
                "{} has an open rotation that was begun with other values for {}",
                self.target,
                differs.join(" and ")
            ))
            .with(format!("rotate status {}", self.target))
            .with("repeat the command with the values it was begun with, or end that rotation first"),
        ))
    }

    fn destination_names(&self) -> Vec<String> {
        self.destinations
            .iter()
            .map(|destination| destination.name().to_owned())
            .collect()
    }

    fn hook_names(&self) -> Vec<String> {
        self.after_delivery.iter().map(|hook| hook.name().to_owned()).collect()
    }

    fn spec(&self, found: &Observation, host: Option<String>, old: LiveKey, provider: &dyn Provider) -> RotationSpec {
        let retirement = match old.public {
            _ if self.connector.capabilities.replaces => Retirement::Replace,
            _ if self.connector.capabilities.disables => Retirement::Disable,
            Some(public) => Retirement::Remove { public },
            None => Retirement::RemoveForGood,
        };
        RotationSpec {
            connector: self.connector.id.to_owned(),
            inputs: self.inputs.clone(),
            destinations: self.destination_names(),
            after_delivery: self.hook_names(),
            cutover: self.cutover,
            prove: self.prove,
            soak_seconds: self.soak_seconds,
            observe_seconds: self.observe_seconds,
            allowance_seconds: self.allowance_seconds,
            owner: found.owner.clone(),
            old_key: old.key,
            retirement,
            mints_locally: matches!(provider.minting(), Minting::Local(_)),
            own_identity: found.is_caller,
            host: host.map(Into::into),
            window: self.window.clone().map(Box::new),
            lost_key: self.lost_key,
        }
    }
}

impl Driver<'_> {
    /// Proves that a delivery would work, before a key is made for it.
    pub async fn rehearse(&self, request: &Request<'_>) -> Result<(), DriveError> {
        let all = request.destinations.iter().map(|destination| destination.rehearse());
        for rehearsed in at_once_of_each_place(request.destinations, all.collect()).await {
            rehearsed?;
        }
        Ok(())
    }

    /// Opens a rotation of what was just found, and moves it as far as it may go.
    pub async fn begin(
        &self,
        request: &Request<'_>,
        found: Found,
        begun: Begun,
        beside: &Openings,
    ) -> Result<Outcome, DriveError> {
        ends_in_time(Some(self.store), request)?;
        let (mut opening, facts) = prepare(request, found, self.provider).await?;
        if let Event::Opened { spec, begun: told } = &mut opening {
            beside.add(request, spec)?;
            *told = Some(begun);
        }
        let name = opening.name();
        let stored: Stored = self.journal().open(request.target, opening).await?;
        self.progress.done(name);
        let run = RunState {
            facts,
            recognised: true,
            readings: 1,
            ..RunState::default()
        };
        self.pursue(stored, run).await
    }
}

/// The rotations that this process opens. What the journal knew of others was read when the command began, before any of these.
#[derive(Default)]
pub struct Openings(Mutex<Vec<ConcurrentRotation>>);

impl Openings {
    /// Adds one, unless it would deliver to where another one does. Looking and adding are one step, because targets are opened side
    /// by side.
    fn add(&self, request: &Request<'_>, spec: &RotationSpec) -> Result<(), DriveError> {
        let mut openings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        one_key_a_place(request.connector, &spec.destinations, &openings)?;
        openings.push(ConcurrentRotation {
            target: request.target.to_owned(),
            connector: spec.connector.clone(),
            whose: Whose::Owner(spec.owner.clone()),
            destinations: spec.destinations.clone(),
        });
        Ok(())
    }
}

/// The options whose values differ, as the command line names them.
fn differing_options(now: &serde_json::Value, then: &serde_json::Value) -> Vec<String> {
    let names = |value: &serde_json::Value| {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let all: BTreeSet<String> = [now, then]
        .into_iter()
        .flat_map(|value| -> Vec<String> { names(value) })
        .collect();
    all.into_iter()
        .filter(|name| now.get(name) != then.get(name))
        .map(|name| format!("--{}", name.replace('_', "-")))
        .collect()
}

/// The event that a rotation begins with, given what was found, and what is known then. Who begins it is not among that. Changes nothing.
pub async fn prepare(
    request: &Request<'_>,
    found: Found,
    provider: &dyn Provider,
) -> Result<(Event, Facts), DriveError> {
    let Found {
        observation,
        read_at,
        live,
        host,
        history,
    } = found;
    let live = live?;
    check_rivals(request, &observation, &history)?;
    let pinned = look_at_destinations(request.destinations, &observation, &history.retired).await?;
    let old_is_held = match request.connector.capabilities.replaces {
        true => Some(held_secret(request.destinations).await?.is_some()),
        false => None,
    };
    let mut spec = request.spec(&observation, host, live, provider);
    one_key_a_place(request.connector, &pinned, &history.rivals)?;
    spec.destinations = pinned;
    let keys = Some(Listing {
        keys: observation.keys,
        agreeing: 1,
        read_at,
        vendor_time: observation.vendor_time.map(vendors),
    });
    let facts = Facts {
        keys,
        old_is_held,
        retired: history.retired,
        ..Facts::default()
    };
    let opening = Event::Opened {
        spec: Box::new(spec),
        begun: None,
    };
    Ok((opening, facts))
}

/// Two rotations of one user's keys would meet, whatever their targets are called.
fn check_rivals(request: &Request<'_>, found: &Observation, history: &History) -> Result<(), DriveError> {
    let same = |rival: &&ConcurrentRotation| rival.meets(request.connector.id, &found.owner);
    match history.rivals.iter().find(same) {
        None => Ok(()),
        Some(rival) => Err(DriveError::Refused(
            Refusal::error(format!(
                "{} is being rotated already, under the name {}",
                found.owner.name, rival.target
            ))
            .with("bring that rotation to its end first:")
            .with(format!("rotate status {}", rival.target)),
        )),
    }
}

/// Two names may lead to one place, which shows only once they are fixed to what they are now.
fn one_key_a_place(
    connector: &Automation,
    destinations: &[String],
    rivals: &[ConcurrentRotation],
) -> Result<(), DriveError> {
    let refused = |why: String, remedy: &str| {
        let refusal = Refusal::error(why).with(remedy).with("nothing was changed");
        Err(DriveError::Refused(refusal))
    };
    for (at, name) in destinations.iter().enumerate() {
        let Some(place) = exact_place(connector.secret, name) else {
            continue;
        };
        let is_it = |form, other: &&String| {
            kind_of(other) == kind_of(name)
                && exact_place(form, other).is_some_and(|other| other.shared_with(&place).is_some())
        };
        if let Some(other) = destinations[..at].iter().find(|other| is_it(connector.secret, other)) {
            return refused(
                format!("{other} and {name} are one place under two names"),
                "leave one out, or give its fields other names",
            );
        }
        for rival in rivals {
            let Some(form) = automation(&rival.connector).map(|of_rival| of_rival.secret) else {
                continue;
            };
            if let Some(other) = rival.destinations.iter().find(|other| is_it(form, other)) {
                return refused(
                    format!("{name} is where {} delivers as well, as {other}", rival.target),
                    "give each a destination of its own: the later key would replace the other",
                );
            }
        }
    }
    Ok(())
}

/// What a delivery there replaces, where its name says for certain which place that is.
fn exact_place(form: SecretForm, name: &str) -> Option<Occupied> {
    let occupied = delivery::parse(form, name).ok()?.occupies();
    Some(occupied).filter(|occupied| occupied.exact.is_some())
}

fn kind_of(name: &str) -> Option<&str> {
    Some(name.split_once(':')?.0)
}

/// Looks at whose credentials a delivery would replace, which are kept sealed until the rotation ends, and not longer. The
/// destinations as the rotation keeps them: a name that may be given away is fixed to what it is now.
async fn look_at_destinations(
    destinations: &[Box<dyn Destination>],
    found: &Observation,
    retired: &[KeyId],
) -> Result<Vec<String>, DriveError> {
    let looks = destinations
        .iter()
        .map(|destination| Box::pin(held_and_pinned(destination.as_ref())) as Asked<'_, _>);
    let looked = at_once_of_each_place(destinations, looks.collect()).await;
    let mut all = Vec::new();
    for (destination, looked) in destinations.iter().zip(looked) {
        let (held, pinned) = looked?;
        all.push(pinned);
        let (name, owner) = (destination.name(), &found.owner.name);
        let Some(held) = held else {
            continue;
        };
        if found.caller_keys.contains(&held) {
            let why = format!("destination {name} holds key {held}, which rotate itself runs on");
            return Err(DriveError::Refused(
                Refusal::error(why).with("deliver elsewhere: the only copy of its secret may be the one there"),
            ));
        }
        if !retired.contains(&held) && found.keys.iter().all(|key| key.id != held) {
            tracing::warn!("{name} holds key {held}, which is not one of {owner}; it is replaced");
        }
    }
    Ok(all)
}

async fn held_and_pinned(destination: &dyn Destination) -> Result<(Option<KeyId>, String), DeliveryError> {
    Ok((destination.key().await?, destination.pinned().await?))
}

/// The program must not cut off the branch that it sits on.
pub(super) fn own_identity(name: &str) -> Refusal {
    Refusal::error(format!(
        "rotate itself runs as {name}, and would remove the key that it works with"
    ))
    .with("run it as another user or role that may manage the keys of this one")
}
