//! Whether an access key is alive: AWS is asked whose it is, which needs no permission.

use std::future::Future;
use std::pin::Pin;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{Credentials, SharedHttpClient};

use super::administrator::{WHO_AM_I, timeouts};
use super::endpoint::EndpointGuard;
use super::failure::translate;
use super::https::Clients;
use crate::contract::{Error, Kind};
use crate::guide::probe::{Attempt, Outcome};

/// Tries an access key once.
pub(crate) fn probe(attempt: Attempt<'_>) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
    Box::pin(async move { tried(attempt).await.unwrap_or_else(|outcome| outcome) })
}

async fn tried(attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
    let (id, secret) = (attempt.login()?, attempt.text()?);
    let region = attempt.values.get("region").map_or("us-east-1", String::as_str);
    let http = Clients::default()
        .trusting(None)
        .map_err(|fault| Outcome::inconclusive("authorities", Error::from(fault).detail.as_str().to_owned()))?;
    let config = config(
        http,
        Credentials::new(id, secret, None, None, "the key that is tried"),
        region,
    );
    let config = aws_sdk_sts::config::Builder::from(&config).interceptor(EndpointGuard);
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let asked = tokio::time::timeout(attempt.network.time_out, client.get_caller_identity().send()).await;
    let late = || Outcome::inconclusive("time-out", "no whole answer in time").repeatable();
    match asked.map_err(|_| late())? {
        Ok(_) => Ok(Outcome::accepted("http-200", "AWS knows whose key it is")),
        Err(error) => Ok(of(&translate(WHO_AM_I, "ask AWS whose key this is".to_owned(), &error))),
    }
}

fn config(http: SharedHttpClient, login: Credentials, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(login))
        .build()
}

fn of(error: &Error) -> Outcome {
    let code = error.code.as_deref().unwrap_or("no-answer");
    let is_told = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let class: String = code.chars().filter(is_told).collect();
    let reason = error.detail.as_str().to_owned();
    match error.kind {
        Kind::BadCredentials => Outcome::rejected(class, reason),
        // Whoever is known well enough to be denied has been let in.
        Kind::Denied { .. } => Outcome::accepted(
            class,
            "AWS knows the key, and its policy denies even to ask whose it is",
        ),
        Kind::Unreachable | Kind::TimedOut | Kind::VendorFault => Outcome::inconclusive(class, reason).repeatable(),
        _ => Outcome::inconclusive(class, reason),
    }
}
