//! Administrators' logins, shared by all targets that ask for the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Inputs;
use super::session::Administrator;
use super::settings::Settings;
use crate::CredentialsFrom;
use crate::authorities;
use crate::fault::Fault;

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
pub(crate) struct Logins {
    credentials: CredentialsFrom,
    known: Mutex<HashMap<Identity, Arc<Administrator>>>,
}

impl Logins {
    pub(crate) fn new(credentials: CredentialsFrom) -> Self {
        Self {
            credentials,
            known: Mutex::default(),
        }
    }

    /// The administrator that these inputs ask for.
    pub(super) fn find(&self, inputs: &Inputs) -> Result<Arc<Administrator>, Fault> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = Identity::of(inputs);
        if let Some(administrator) = known.get(&identity) {
            return Ok(Arc::clone(administrator));
        }
        authorities::check()?;
        let administrator = Arc::new(Administrator::new(Settings::find(inputs, self.credentials)?));
        known.insert(identity, Arc::clone(&administrator));
        Ok(administrator)
    }
}
