//! Where a new secret is delivered.
//!
//! Destinations are not all alike: each declares its [`Capabilities`], and how a delivery is proven and undone follows from them.

mod assignments;
mod at_once;
#[cfg(any(feature = "secretsmanager", feature = "ssm"))]
mod aws;
mod aws_files;
mod capabilities;
mod dotenv;
mod exec;
mod fault;
mod fields;
mod file;
mod format;
mod forms;
#[cfg(feature = "github")]
mod github;
mod hook;
mod ini;
mod key_file;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lines;
#[cfg(feature = "remote")]
mod looks;
mod named;
mod notified;
#[cfg(feature = "object")]
mod object;
mod options;
mod ours;
mod path;
mod pinned;
mod profile;
mod program;
mod quotes;
mod readings;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "secretsmanager")]
mod secretsmanager;
#[cfg(feature = "ssm")]
mod ssm;
#[cfg(test)]
mod tests;
#[cfg(feature = "vault-kv")]
mod vault_kv;

use std::time::Duration;

use async_trait::async_trait;
use rotate_providers::contract::{Check, KeyId};
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;

use crate::machine::{Cutover, Restored};
use crate::secret_scan::value_looks_secret;

pub use at_once::{Asked, at_once, at_once_of_each_place};
pub use capabilities::Capabilities;
pub use fault::{Answer, DeliveryError, Fault};
pub use fields::{Fields, Told};
pub use hook::{Hook, HookEnd, HookError, HookTold, shows};
pub use named::{KINDS, Kind};
pub use notified::{NotTaken, Notified};
pub use options::Options;
pub use ours::keep;
pub use path::Folders;
pub use pinned::{named, same_place};

/// A place that consumers read a credential from.
///
/// What is said of each method here holds for a destination that can only be written to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// The name that the journal knows it by; parsed again, it gives the same destination.
    fn name(&self) -> &str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// What a delivery replaces there: two deliveries of the same may not be configured.
    fn occupies(&self) -> Occupied;

    /// What has to be written by one at a time: two deliveries that are parts of the same come one after the other.
    fn part_of(&self) -> String {
        let Occupied { place, exact, .. } = self.occupies();
        exact.unwrap_or(place)
    }

    /// The host to which its name alone leads, where its own tools would go elsewhere: a configuration does not decide that by
    /// itself.
    fn host_named(&self) -> Option<String> {
        None
    }

    /// How long it may take there at most, where whoever configures it says so.
    fn time_limit(&self) -> Option<Duration> {
        None
    }

    /// What a plan says of a delivery there, beside what it can do.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Logs in, also where that starts a program. Whoever only looks does not call it.
    async fn log_in(&self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Whether it can be looked at as things are. Where a program would have to be started for that and nobody has said that it
    /// may, what it holds is told as nothing, and says nothing.
    async fn shows_itself(&self) -> Result<bool, DeliveryError> {
        Ok(true)
    }

    /// Its name, with whatever may be given away at its vendor fixed to what it is now. A rotation that is opened keeps it.
    async fn pinned(&self) -> Result<String, DeliveryError> {
        Ok(self.name().to_owned())
    }

    /// Looks whether a delivery could work. Changes nothing, and starts no program unless whoever started this one allows it.
    async fn inspect(&self) -> Result<Inspected, DeliveryError>;

    /// What of the rights that a delivery needs is missing, as far as reading tells, with what grants it; `None`: nothing is known.
    async fn lacks(&self) -> Option<Check> {
        None
    }

    /// Proves that a delivery would work, before a key is made for it. Writes no secret, and leaves no trace.
    async fn rehearse(&self) -> Result<(), DeliveryError>;

    /// Whose credential it holds now; `None` where it holds none, or nobody can see it.
    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        Ok(None)
    }

    /// Whether [`Destination::key`] tells whose credential it holds, so that nothing there means that it holds none.
    fn tells_key(&self) -> bool {
        self.capabilities().readable
    }

    /// The secret alone that it holds, where it can be read; `None` where it holds none, or shows none.
    async fn secret(&self) -> Result<Option<Secret>, DeliveryError> {
        Ok(None)
    }

    /// What it holds now, in a form that [`Destination::restore`] understands; where it keeps its own versions, which of them.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        Ok(Secret::new([]))
    }

    /// Whether it holds this credential, as far as that can be seen.
    async fn holds(&self, _: &Fields) -> Result<bool, DeliveryError> {
        Ok(false)
    }

    /// Writes the credential, whole or not at all, and proves it as far as it can be read. A repeat writes the same.
    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError>;

    /// Removes what a delivery that was killed has left beside it, and nothing else. A repeat finds nothing.
    fn sweep(&self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Puts back what it held before this credential, unless someone has changed it since. A repeat finds it put back.
    async fn restore(&self, _: &Fields, _: &Secret) -> Result<Restored, DeliveryError> {
        Err(Fault::NotRestorable.at(self.name()))
    }
}

/// What was found out about a destination without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspected {
    /// A delivery could work.
    Fit,
    /// It was not looked at, for this reason.
    NotLookedAt(&'static str),
}

/// What a delivery replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupied {
    /// Where. Of a store that one name can stand for in several accounts or regions the parts of it, each behind a tab, and
    /// [`Occupied::ANY`] for one that the name does not say.
    pub place: String,
    /// Which one it is for certain, where its name says that, whoever logs in there and by whatever way.
    pub exact: Option<String>,
    /// What it is called there; `None`: everything.
    pub names: Option<Vec<String>>,
}

impl Occupied {
    /// A part of a place that may be any.
    pub const ANY: &str = "*";

    /// A place that nothing more is known of.
    pub fn at(place: String, names: Option<Vec<String>>) -> Self {
        Self {
            place,
            exact: None,
            names,
        }
    }

    /// What two places have to have in common to be one at all.
    pub fn stem(&self) -> &str {
        self.place.split('\t').next().unwrap_or_default()
    }

    /// Whether both may be one place.
    fn meets(&self, other: &Self) -> bool {
        if let (Some(one), Some(other)) = (&self.exact, &other.exact) {
            return one == other;
        }
        let (mut ours, mut theirs) = (self.place.split('\t'), other.place.split('\t'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one == other || [one, other].contains(&Self::ANY) => {}
                _ => return false,
            }
        }
    }

    /// What both would write.
    pub fn shared_with(&self, other: &Self) -> Option<String> {
        if !self.meets(other) {
            return None;
        }
        match (&self.names, &other.names) {
            (Some(ours), Some(theirs)) => ours.iter().find(|name| theirs.contains(name)).cloned(),
            _ => Some(String::new()),
        }
    }
}

/// Understands the name of a destination, for secrets of this form.
pub fn parse(form: SecretForm, name: &str) -> Result<Box<dyn Destination>, DeliveryError> {
    parse_among(form, name, &mut Folders::default())
}

/// The same, for one of many that are named at this moment.
pub fn parse_among(form: SecretForm, name: &str, folders: &mut Folders) -> Result<Box<dyn Destination>, DeliveryError> {
    named::parse(form, name, folders).map_err(|fault| fault.at(&shown(name)))
}

/// Where secrets of this form can go, as the help of an option.
pub fn offered(form: SecretForm) -> String {
    let (what, repeatable) = if form.has(&forms::HALVES) {
        ("Where the new private key goes", "")
    } else {
        ("Where the new key goes", "; repeatable")
    };
    let kinds = KINDS.iter().filter(|kind| kind.takes(form));
    let places: Vec<&str> = kinds.map(|kind| kind.help).collect();
    format!("{what}{repeatable}: {}", places.join(", "))
}

/// What a destination that cannot be read back rules out.
pub fn cutover_fault(destination: &dyn Destination, cutover: Cutover) -> Option<String> {
    let is_blind = cutover == Cutover::Immediate && destination.capabilities().is_write_only();
    is_blind.then(|| {
        format!(
            "{} is write-only, so nobody can see there that its consumers have the new key",
            destination.name()
        )
    })
}

/// What is no destination may be a secret that was pasted here.
fn shown(name: &str) -> String {
    match value_looks_secret("destination", name) {
        Some(_) => "(not shown)".to_owned(),
        None => name.to_owned(),
    }
}
