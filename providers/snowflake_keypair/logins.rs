//! Administrators' logins, shared by all targets that ask for the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Inputs;
use super::session::Administrator;
use super::settings::{Fault, Settings};

/// What tells one administrator from another.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    account: Option<String>,
    connection: Option<String>,
    role: Option<String>,
    endpoint_url: Option<String>,
}

impl Identity {
    fn of(inputs: &Inputs) -> Self {
        Self {
            account: inputs.account.clone(),
            connection: inputs.connection.clone(),
            role: inputs.role.clone(),
            endpoint_url: inputs.endpoint_url.clone(),
        }
    }
}

/// The administrators of one run, each with its session once it has one.
#[derive(Default)]
pub(crate) struct Logins(Mutex<HashMap<Identity, Arc<Administrator>>>);

impl Logins {
    /// The administrator that these inputs ask for.
    pub(super) fn find(&self, inputs: &Inputs) -> Result<Arc<Administrator>, Fault> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = Identity::of(inputs);
        if let Some(administrator) = known.get(&identity) {
            return Ok(Arc::clone(administrator));
        }
        let administrator = Arc::new(Administrator::new(Settings::find(inputs)?));
        known.insert(identity, Arc::clone(&administrator));
        Ok(administrator)
    }
}
