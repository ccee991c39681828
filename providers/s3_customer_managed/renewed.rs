//! A role that is assumed again before its credentials end: they last for an hour, and a program may work for longer.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use super::administrator::{Role, assume};

/// So long before their end they are good no more. The SDK keeps what it got until ten seconds before it.
const MARGIN: Duration = Duration::from_secs(60);

/// A role, and what it was assumed to last.
#[derive(Debug)]
pub(super) struct Renewed {
    /// With whose credentials it is assumed.
    base: SdkConfig,
    role: String,
    external_id: Option<String>,
    /// Whoever comes while it is assumed waits for that.
    held: Mutex<Credentials>,
}

impl Renewed {
    /// The source of this role's credentials, of which the first are these.
    pub(super) fn source(base: &SdkConfig, role: &Role<'_>, first: Credentials) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Self {
            base: base.clone(),
            role: role.arn.to_owned(),
            external_id: role.external_id.map(str::to_owned),
            held: Mutex::new(first),
        })
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        if held.expiry().is_none_or(|end| end > SystemTime::now() + MARGIN) {
            return Ok(held.clone());
        }
        let role = Role {
            arn: &self.role,
            external_id: self.external_id.as_deref(),
            session_name: None,
            second_factor: None,
        };
        let assumed = Box::pin(assume(&self.base, role)).await;
        *held = assumed.map_err(CredentialsError::provider_error)?;
        Ok(held.clone())
    }
}

impl ProvideCredentials for Renewed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
