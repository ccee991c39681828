//! Whose credentials a rotation is done with, and where they lead.

use std::fmt;

use rotate_providers::contract::{Caller, Principal, Provider};
use rotate_providers::untrusted::Sanitized;
use schemars::JsonSchema;
use serde::Serialize;

/// Who the program is to a vendor, and where that is: said before anything is created.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Identity {
    /// The vendor's account.
    pub account: String,
    /// The host that is called; null where it is this machine.
    pub host: Option<String>,
    /// The login; null where the vendor would not tell it.
    pub login: Option<Sanitized>,
    /// Where its credentials were found; null where that is not known.
    pub found_in: Option<Sanitized>,
}

impl Identity {
    /// Asks the vendor. Where it does not tell the login, the account of the keys' owner is known all the same.
    pub async fn ask(provider: &dyn Provider, owner: &Principal) -> Self {
        let caller = provider.caller().await;
        if let Err(error) = &caller {
            tracing::warn!("failed to {error}");
        }
        let (login, found_in) = caller.ok().map(|Caller { login, found_in }| (login, found_in)).unzip();
        Self {
            account: owner.account.clone(),
            host: provider.host(),
            login,
            found_in,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.as_deref().unwrap_or("this machine");
        write!(f, "account {} at {host}", self.account)?;
        if let Some(login) = &self.login {
            write!(f, ", as {login}")?;
        }
        if let Some(place) = &self.found_in {
            write!(f, " ({place})")?;
        }
        Ok(())
    }
}
