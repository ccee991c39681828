//! The administrator's credentials, found the way every AWS tool finds them.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;
use tokio::time::timeout;

use super::Inputs;
use super::endpoint::EndpointGuard;
use super::failure::{incomplete, translate};
use crate::call::{Call, local};
use crate::contract::{Error, Kind};
use crate::endpoint::check_endpoint;
use crate::patience::patiently;

/// How long the source of credentials may take: a helper may ask a person for a second factor, and nobody is there at night.
const SOURCE_PATIENCE: Duration = Duration::from_secs(120);

const ASSUME_ROLE: Call = Call::read("sts:AssumeRole");
pub(super) const WHO_AM_I: Call = Call::read("sts:GetCallerIdentity");

/// The configuration that the inputs and the environment ask for.
pub(super) async fn load(inputs: &Inputs, http: &SharedHttpClient) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(30))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
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
    match config.region() {
        Some(_) => config,
        None => config.into_builder().region(Region::new("us-east-1")).build(),
    }
}

/// The credentials of this role, for an hour.
pub(super) async fn assume(base: &SdkConfig, role: &str, external_id: Option<&str>) -> Result<Credentials, Error> {
    let sts = sts(base);
    let action = || format!("assume role {role}");
    let reply = patiently(ASSUME_ROLE, async || {
        let request = sts.assume_role().role_arn(role).role_session_name("rotate");
        let request = request.set_external_id(external_id.map(str::to_owned));
        request.send().await.map_err(|e| translate(ASSUME_ROLE, action(), &e))
    })
    .await?;
    let issued = reply
        .credentials
        .ok_or_else(|| incomplete(ASSUME_ROLE, action(), "any credentials"))?;
    let token = Some(issued.session_token);
    Ok(Credentials::new(
        issued.access_key_id,
        issued.secret_access_key,
        token,
        None,
        "the assumed role",
    ))
}

/// The account that these credentials lead to.
pub(super) async fn account_behind(config: &SdkConfig) -> Result<String, Error> {
    let action = || "ask AWS which account this is".to_owned();
    let sts = sts(config);
    let reply = patiently(WHO_AM_I, async || {
        let sent = sts.get_caller_identity().send().await;
        sent.map_err(|e| translate(WHO_AM_I, action(), &e))
    })
    .await?;
    reply
        .account
        .ok_or_else(|| incomplete(WHO_AM_I, action(), "an account"))
}

fn sts(config: &SdkConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(EndpointGuard);
    aws_sdk_sts::Client::from_conf(config.build())
}

/// Where the calls to this service would go, unless to AWS: the SDK takes endpoints from flags, the environment and
/// profiles, for all services or for one.
pub(super) fn endpoint_of(config: &SdkConfig, service: &'static str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|loader| loader.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The first configured endpoint that no key may be sent to.
pub(super) fn forbidden_endpoint(config: &SdkConfig) -> Option<Error> {
    ["IAM", "STS", "S3"].into_iter().find_map(|service| {
        let of_all = config.endpoint_url().map(str::to_owned);
        let mut endpoints = of_all.into_iter().chain(endpoint_of(config, service));
        let why = endpoints.find_map(|endpoint| check_endpoint(&endpoint).err())?;
        let action = format!("use the endpoint that is configured for {service}");
        Some(local(Kind::ForbiddenEndpoint, &action, why.to_string()))
    })
}

/// Resolves the credentials once, so that their absence is told in plain words before any call.
pub(super) async fn credentials(config: &SdkConfig, profile: Option<&str>) -> Result<Credentials, Error> {
    let none = |why: &str| {
        let detail = match profile {
            Some(profile) => format!("profile {profile}: {why}"),
            None => why.to_owned(),
        };
        local(Kind::NoCredentials, "find AWS credentials", detail)
    };
    let provider = config
        .credentials_provider()
        .ok_or_else(|| none("no source of credentials is configured"))?;
    let found = timeout(SOURCE_PATIENCE, provider.provide_credentials()).await;
    let found = found.map_err(|_| none("their source did not answer in time"))?;
    found.map_err(|error| {
        use aws_credential_types::provider::error::CredentialsError as E;
        none(match error {
            E::CredentialsNotLoaded(_) if profile.is_some() => "it does not exist, or holds no credentials",
            E::CredentialsNotLoaded(_) => "neither the environment nor a profile holds any",
            E::ProviderTimedOut(_) => "their source did not answer in time",
            E::InvalidConfiguration(_) => "the profile or the role is not set up correctly",
            _ => "their source refused or failed",
        })
    })
}
