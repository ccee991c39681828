//! What the targets of one run share at their vendors: logins, connections, and the rate at which an account is called.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// How vendors are reached.
#[derive(Clone, Default)]
pub struct Access {
    /// How often one account is called at most.
    pub paces: Paces,
    /// Where administrators' credentials are looked for.
    pub credentials: CredentialsFrom,
    /// Who is asked for what only a person has; `None`: nobody is there.
    pub ask: Option<Ask>,
}

/// How often one account is called at most, by connector. One that is not named is called as often as it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paces(BTreeMap<&'static str, NonZeroU32>);

impl Paces {
    /// Sets the pace of a connector's vendor; `None` is as often as it takes.
    pub fn set(&mut self, connector: &'static str, calls_per_second: Option<NonZeroU32>) {
        match calls_per_second {
            Some(pace) => self.0.insert(connector, pace),
            None => self.0.remove(connector),
        };
    }

    /// The pace of a connector's vendor; `None` is as often as it takes.
    pub fn of(&self, connector: &str) -> Option<NonZeroU32> {
        self.0.get(connector).copied()
    }
}

/// Where administrators' credentials are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialsFrom {
    /// Where the target says: its profile or connection.
    #[default]
    Configured,
    /// In the environment alone: what the target says of profiles and connections is for other machines.
    Environment,
}

/// Puts a question to a person and gives their answer; `None` where they have none.
pub type Ask = fn(&str) -> Option<String>;

/// What targets share. A command for one target has one of its own.
pub struct Vendors {
    access: Access,
    /// What each connector keeps here, by its type.
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Vendors {
    /// Nothing is shared yet.
    pub fn new(access: Access) -> Arc<Self> {
        Arc::new(Self {
            access,
            shared: Mutex::default(),
        })
    }

    /// What a connector keeps for all of its targets, made when the first of them asks.
    pub(crate) fn shared<T: Any + Send + Sync>(&self, make: impl Fn(&Access) -> T) -> Arc<T> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = shared
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(make(&self.access)));
        // It is kept by its type, so it is of that type.
        Arc::clone(kept)
            .downcast()
            .unwrap_or_else(|_| Arc::new(make(&self.access)))
    }
}
