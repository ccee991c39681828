//! Administrators' logins, shared by all targets that ask for the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::session::Administrator;
use super::settings::Settings;
use super::told::Inputs;
use crate::CredentialsFrom;
use crate::authorities;
use crate::fault::Fault;

/// The administrators of one run, each with its session once it has one.
pub(super) struct Logins {
    credentials: CredentialsFrom,
    known: Mutex<HashMap<String, Arc<Administrator>>>,
}

impl Logins {
    pub(super) fn new(credentials: CredentialsFrom) -> Self {
        Self {
            credentials,
            known: Mutex::default(),
        }
    }

    /// The administrator that these inputs ask for.
    pub(super) fn find(&self, login: String, inputs: &Inputs) -> Result<Arc<Administrator>, Fault> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(administrator) = known.get(&login) {
            return Ok(Arc::clone(administrator));
        }
        authorities::check()?;
        let administrator = Arc::new(Administrator::new(Settings::find(inputs, self.credentials)?));
        known.insert(login, Arc::clone(&administrator));
        Ok(administrator)
    }
}
