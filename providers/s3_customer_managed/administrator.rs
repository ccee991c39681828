//! The administrator's credentials, found the way every AWS tool finds them.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::Inputs;
use super::endpoint::check_endpoint;
use super::failure::local;
use crate::contract::{Error, Kind};

/// The configuration that the inputs and the environment ask for.
pub(super) async fn load(inputs: &Inputs) -> Result<SdkConfig, Error> {
    if let Some(endpoint) = &inputs.endpoint_url {
        check_endpoint(endpoint)
            .map_err(|why| local(Kind::ForbiddenEndpoint, "use --endpoint-url", why.to_string()))?;
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(30))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(profile) = &inputs.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &inputs.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &inputs.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;
    // IAM is global: any region finds it.
    Ok(match config.region() {
        Some(_) => config,
        None => config.into_builder().region(Region::new("us-east-1")).build(),
    })
}

/// The same, as this role.
pub(super) async fn assume(base: &SdkConfig, role: &str) -> SdkConfig {
    let provider = AssumeRoleProvider::builder(role)
        .session_name("rotate")
        .configure(base)
        .build()
        .await;
    let provider = SharedCredentialsProvider::new(provider);
    base.to_builder().credentials_provider(provider).build()
}

/// Resolves the credentials once, so that their absence is told in plain words before any call.
pub(super) async fn credentials(config: &SdkConfig) -> Result<Credentials, Error> {
    let none = |detail: &str| local(Kind::NoCredentials, "find AWS credentials", detail.to_owned());
    let provider = config
        .credentials_provider()
        .ok_or_else(|| none("no source of credentials is configured"))?;
    provider.provide_credentials().await.map_err(|error| {
        use aws_credential_types::provider::error::CredentialsError as E;
        none(match error {
            E::CredentialsNotLoaded(_) => "neither the environment nor a profile holds any",
            E::ProviderTimedOut(_) => "their source did not answer in time",
            E::InvalidConfiguration(_) => "the profile or the role is not set up correctly",
            _ => "their source refused or failed",
        })
    })
}
