//! Credentials on their way into the SDK, which signs with whatever it gets: a line break in a key's id would end the program.

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::form::{self, BadLogin};

/// A source of credentials that gives none but those that can be some, also when they are fetched again.
#[derive(Debug)]
pub(super) struct Checked(SharedCredentialsProvider);

impl Checked {
    /// The same source, checked.
    pub(super) fn source(of: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Self(of))
    }
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.0.provide_credentials().await?;
            form::login(found).map_err(|bad| CredentialsError::invalid_configuration(Unfit(bad)))
        })
    }
}

/// What the source gave cannot be credentials. Told by its part, and never shown.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.name())]
struct Unfit(BadLogin);

/// Which part of what a source gave was unfit; `None` where something else went wrong.
pub(super) fn unfit(error: &CredentialsError) -> Option<BadLogin> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Unfit>().map(|unfit| unfit.0)
}
