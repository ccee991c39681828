//! A Secret of Kubernetes: our fields are keys of its data, and everything else in it stays.
//!
//! A write is a merge patch of our keys that names the version it was made of, so whoever was overtaken writes nothing. It is no
//! server-side apply: that takes away what its manager owned and does not send again, so two targets in one Secret would take
//! away each other's keys, and it knows owners, but not whether somebody has written since it was read. Owners are looked at all
//! the same: a key that another manager applies is not written, because its next apply would bring back the old value.

mod answer;
mod cluster;
mod faults;
mod place;
mod plugin;
mod stored;
mod wire;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use kube::Client;
use rotate_providers::contract::KeyId;
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;
use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use super::exec::NOT_STARTED;
use super::fault::Answer;
use super::fields::{Fields, Mapping};
use super::looks::Looks;
use super::options::Options;
use super::pinned::{named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;
use cluster::Cluster;
use faults::{changed_meanwhile, overtaken, unfit};
use place::{Place, is_key, is_name};
use stored::{Before, Stored};
use wire::Change;

/// What the server keeps as the writer of our keys.
const MANAGER: &str = "rotate";

/// How often somebody else may write between our look and our write before that is told.
const MOST_TRIES: u32 = 3;

/// How often the Secret is read back: a server that is one of several may show it a moment later.
const MOST_READINGS: u32 = 3;

/// What is sent in the place of a secret where the server is only asked whether it would take one.
const NO_SECRET: &str = "rotate asks whether it may write here; ";
/// So often: then it is as long as any secret.
const AS_LONG_AS_A_SECRET: usize = 100;

/// What is done there, as a refusal names it.
const READ: &str = "read it";
const WRITE: &str = "write it";

/// A Secret of a cluster.
pub(super) struct Kubernetes {
    name: String,
    place: Place,
    options: Options,
    mapping: Mapping,
    /// Which object the name has to lead to.
    uid: Option<String>,
    cluster: Cluster,
    /// What it held when that was last asked for to be sealed: a delivery replaces this, and nothing that was written since.
    sealed: Mutex<Option<Stored>>,
}

impl Kubernetes {
    /// `NAMESPACE/NAME?context=…`, and names for fields.
    pub(super) fn new(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (place, options) = options_behind(rest)?;
        let (namespace, secret) = place
            .split_once('/')
            .filter(|(namespace, secret)| is_name(namespace, 63, "-") && is_name(secret, 253, "-."))
            .ok_or(Fault::Name(
                "it names no Secret: write kubernetes:NAMESPACE/NAME, in small letters as kubectl shows both",
            ))?;
        let mut left = options.clone();
        let uid = left.take("uid");
        let context = left.take("context");
        let mapping = Mapping::read(form, &mut left)?;
        left.end()?;
        if let Some((field, _)) = mapping.named.iter().find(|(_, key)| !is_key(key)) {
            return Err(Fault::Option(
                field.name.to_owned(),
                "no key of a Secret is called that: it has letters, digits, `-`, `_` and `.`",
            ));
        }
        let place = Place {
            namespace: namespace.to_owned(),
            secret: secret.to_owned(),
            context: context.clone(),
        };
        Ok(Self {
            name: named(&format!("kubernetes:{namespace}/{secret}"), &options),
            place,
            options,
            mapping,
            uid,
            cluster: Cluster::new(context),
            sealed: Mutex::default(),
        })
    }

    /// The Secret as it is now.
    async fn current(&self, client: &Client) -> Result<Stored, Fault> {
        let reply = wire::read(client, &self.place.path()).await?;
        let stored = match reply.status {
            200 => Stored::parse(&reply.body)?,
            _ => return Err(self.place.refused(READ, &reply)),
        };
        match &self.uid {
            Some(uid) if *uid != stored.uid => Err(unfit(
                format!(
                    "it is the object {} now, and was {uid} when the rotation was opened: it was deleted and made anew, or this is \
                     another cluster",
                    stored.uid
                ),
                "find out which cluster and which Secret the consumers read; `context` names the cluster",
            )),
            _ => Ok(stored),
        }
    }

    /// The Secret as it is now, where our keys may be written.
    async fn open(&self, client: &Client) -> Result<Stored, Fault> {
        let stored = self.current(client).await?;
        let names: Vec<&str> = self.mapping.names().collect();
        stored.takes(&names, &self.place)?;
        Ok(stored)
    }

    /// Looks at everything that a delivery needs. Nothing that is called here changes anything.
    async fn look(&self, client: &Client) -> Result<(), Fault> {
        let (reads, writes, stored, is_ending) = tokio::join!(
            wire::may(client, &self.place, "get"),
            wire::may(client, &self.place, "patch"),
            self.open(client),
            wire::is_ending(client, &self.place),
        );
        for (may, to) in [(reads?, READ), (writes?, WRITE)] {
            if !may {
                return Err(self.place.not_allowed(to, None));
            }
        }
        stored?;
        match is_ending? {
            true => Err(unfit(
                format!(
                    "namespace {} is being deleted, and everything in it",
                    self.place.namespace
                ),
                "deliver elsewhere",
            )),
            false => Ok(()),
        }
    }

    /// Sends what a delivery would send, without a secret in it, to be checked by the server and then forgotten.
    async fn try_to_write(&self, client: &Client) -> Result<(), Fault> {
        let stored = self.open(client).await?;
        let filler = NO_SECRET.repeat(AS_LONG_AS_A_SECRET);
        let asked: Vec<Change<'_>> = self
            .mapping
            .names()
            .map(|name| (name, Some(filler.as_bytes())))
            .collect();
        let reply = wire::write(client, &self.place.path(), &stored.version, &asked, true).await?;
        match reply.status {
            200 => Ok(()),
            // Somebody writes there at this moment, and the server would have taken it.
            409 => Ok(()),
            // Whoever has a say in each write may not be asked beforehand: then it shows when it is written.
            400 if answer::takes_no_rehearsal(&reply) => Ok(()),
            _ => Err(self.place.refused(WRITE, &reply)),
        }
    }

    async fn write(&self, client: &Client, fields: &Fields) -> Result<(), Fault> {
        let values = self.mapping.values(fields)?;
        let changes: Vec<Change<'_>> = values
            .iter()
            .map(|(name, value)| (*name, Some(value.as_bytes())))
            .collect();
        let mut first = self.sealed.lock().unwrap_or_else(PoisonError::into_inner).take();
        for _ in 0..MOST_TRIES {
            let stored = self.open(client).await?;
            if stored.holds(&changes) {
                return Ok(());
            }
            // Whoever was paused here for an hour writes nothing over what was delivered meanwhile.
            let is_theirs = |first: &Stored| self.mapping.names().any(|name| !first.agrees(&stored, name));
            if first.as_ref().is_some_and(is_theirs) {
                return Err(changed_meanwhile(&self.place));
            }
            if self.replace(client, &stored, &changes).await? {
                crash_point("kubernetes: written");
                return self.read_back(client, &changes).await;
            }
            first.get_or_insert(stored);
        }
        Err(overtaken())
    }

    /// `false`: nobody knows whether it was written, or somebody else was first. The next look tells.
    async fn replace(&self, client: &Client, stored: &Stored, changes: &[Change<'_>]) -> Result<bool, Fault> {
        let reply = match wire::write(client, &self.place.path(), &stored.version, changes, false).await {
            Err(fault) if fault.is_passing() => return Ok(false),
            reply => reply?,
        };
        match reply.status {
            200 => Ok(true),
            409 => Ok(false),
            _ => Err(self.place.refused(WRITE, &reply)),
        }
    }

    async fn read_back(&self, client: &Client, changes: &[Change<'_>]) -> Result<(), Fault> {
        let mut looks = Looks::of(MOST_READINGS, Looks::SPACING);
        while looks.next().await {
            if self.current(client).await?.holds(changes) {
                return Ok(());
            }
        }
        Err(Fault::Store {
            kind: Answer::Changed,
            what: Fault::ReadBack.to_string(),
            remedy: format!(
                "see who else writes to it, then run the same command again: kubectl -n {} get secret {} --show-managed-fields -o yaml",
                self.place.namespace, self.place.secret
            ),
        })
    }

    async fn put_back(&self, client: &Client, fields: &Fields, before: &Before) -> Result<Restored, Fault> {
        let values = self.mapping.values(fields)?;
        let ours: Vec<Change<'_>> = values
            .iter()
            .map(|(name, value)| (*name, Some(value.as_bytes())))
            .collect();
        let earlier: Vec<Change<'_>> = self.mapping.names().map(|name| (name, before.value(name))).collect();
        for _ in 0..MOST_TRIES {
            let stored = self.current(client).await?;
            if stored.holds(&earlier) {
                return Ok(Restored::PutBack);
            }
            if stored.uid != before.uid || !stored.holds(&ours) {
                return Ok(Restored::ChangedSince);
            }
            let names: Vec<&str> = self.mapping.names().collect();
            stored.takes(&names, &self.place)?;
            if self.replace(client, &stored, &earlier).await? {
                crash_point("kubernetes: put back");
                self.read_back(client, &earlier).await?;
                return Ok(Restored::PutBack);
            }
        }
        Err(overtaken())
    }

    /// What it holds, where looking may look: `None` where that would start a program.
    async fn seen(&self) -> Result<Option<Stored>, DeliveryError> {
        let looking = async || match self.cluster.look().await? {
            Some(client) => self.current(client).await.map(Some),
            None => Ok(None),
        };
        looking().await.map_err(|fault: Fault| fault.at(&self.name))
    }
}

#[async_trait]
impl Destination for Kubernetes {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            ..Capabilities::READABLE
        }
    }

    fn occupies(&self) -> Occupied {
        let Place {
            namespace,
            secret,
            context,
        } = &self.place;
        let context = context.as_deref().unwrap_or(Occupied::ANY);
        let names = self.mapping.names().map(str::to_owned);
        Occupied::at(
            format!("kubernetes:{namespace}/{secret}\t{context}"),
            Some(names.collect()),
        )
    }

    async fn log_in(&self) -> Result<(), DeliveryError> {
        self.cluster.connect().await.map_err(|fault| fault.at(&self.name))?;
        Ok(())
    }

    async fn shows_itself(&self) -> Result<bool, DeliveryError> {
        let client = self.cluster.look().await.map_err(|fault| fault.at(&self.name))?;
        Ok(client.is_some())
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let Some(stored) = self.seen().await? else {
            return Ok(self.name.clone());
        };
        let options = self.options.clone().with("uid", &stored.uid);
        let Place { namespace, secret, .. } = &self.place;
        Ok(named(&format!("kubernetes:{namespace}/{secret}"), &options))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        let looking = async || match self.cluster.look().await? {
            Some(client) => self.look(client).await.map(|()| Inspected::Fit),
            None => Ok(Inspected::NotLookedAt(NOT_STARTED)),
        };
        looking().await.map_err(|fault: Fault| fault.at(&self.name))
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        let trying = async || self.try_to_write(self.cluster.connect().await?).await;
        trying().await.map_err(|fault: Fault| fault.at(&self.name))
    }

    fn tells_key(&self) -> bool {
        self.mapping.key_name().is_some()
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let stored = self.seen().await?;
        let held = stored.as_ref().zip(self.mapping.key_name());
        let text = held.and_then(|(stored, name)| stored.value(name)?.expose_text());
        Ok(text.and_then(|text| KeyId::parse(text).ok()))
    }

    async fn secret(&self) -> Result<Option<Secret>, DeliveryError> {
        let stored = self.seen().await?;
        let held = stored.as_ref().zip(self.mapping.secret_name());
        Ok(held.and_then(|(stored, name)| Some(Secret::new(stored.value(name)?.expose()))))
    }

    async fn content(&self) -> Result<Secret, DeliveryError> {
        let reading = async || {
            let stored = self.current(self.cluster.connect().await?).await?;
            let names: Vec<&str> = self.mapping.names().collect();
            let before = stored.before(&names)?;
            *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = Some(stored);
            Ok(before)
        };
        reading().await.map_err(|fault: Fault| fault.at(&self.name))
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        let reading = async || {
            let stored = self.current(self.cluster.connect().await?).await?;
            let values = self.mapping.values(fields)?;
            let ours: Vec<Change<'_>> = values
                .iter()
                .map(|(name, value)| (*name, Some(value.as_bytes())))
                .collect();
            Ok(stored.holds(&ours))
        };
        reading().await.map_err(|fault: Fault| fault.at(&self.name))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        let writing = async || self.write(self.cluster.connect().await?, fields).await;
        writing().await.map_err(|fault: Fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let restoring = async || {
            let before = Before::parse(before)?;
            self.put_back(self.cluster.connect().await?, fields, &before).await
        };
        restoring().await.map_err(|fault: Fault| fault.at(&self.name))
    }
}

/// Text in base64, as a Secret has its values.
fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    use base64::Engine;
    // Room for everything: what grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    base64::prelude::BASE64_STANDARD.encode_string(bytes, &mut text);
    text
}
