//! Whether an access key is alive: AWS is asked whose it is, which needs no permission.
//!
//! A key that was just made is not known everywhere at once, and one that has just gone is known for some seconds more: one
//! answer is not taken for the truth where the next may be another.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{Credentials, SharedHttpClient};
use tracing::Instrument;

use super::administrator::{WHO_AM_I, timeouts};
use super::endpoint::EndpointGuard;
use super::failure::translate;
use super::https::trusting_also;
use crate::contract::{Error, Kind};
use crate::guide::probe::{Attempt, Outcome, Verdict};

/// So many answers in a row that AWS does not know the key are a refusal.
const REFUSALS: usize = 3;
/// So many in a row that it does, where it did not before, are none.
const ACCEPTANCES: usize = 2;
/// No more is asked in one try.
const MOST: usize = 6;
/// How long AWS is left alone between two of them.
const BETWEEN: Duration = Duration::from_secs(3);
/// What AWS answers of a key that it does not know here, or not yet.
const UNKNOWN: [&str; 3] = [
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
];

/// Tries an access key, as often as it takes to be sure. No try locks anybody.
pub(crate) fn probe(attempt: Attempt<'_>) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
    Box::pin(async move { tried(attempt).await.unwrap_or_else(|outcome| outcome) })
}

async fn tried(attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
    let client = client(attempt)?;
    let mut refused = false;
    let mut in_a_row = 0;
    let mut before = None;
    for asked in 0..MOST {
        if asked > 0 {
            tokio::time::sleep(BETWEEN).await;
        }
        let said = ask(&client, attempt).await?;
        in_a_row = if before == Some(said.verdict) { in_a_row + 1 } else { 1 };
        before = Some(said.verdict);
        let is_unknown = said.verdict == Verdict::Rejected && UNKNOWN.contains(&&*said.class);
        refused |= is_unknown;
        let enough = match said.verdict {
            _ if is_unknown => REFUSALS,
            Verdict::Accepted if refused => ACCEPTANCES,
            _ => 1,
        };
        if in_a_row >= enough {
            return Ok(said);
        }
    }
    Ok(Outcome::inconclusive(
        "key-spreading",
        "AWS knows the key at one moment and not at the next: it was made or switched off just now; try it again in half a minute",
    ))
}

/// One answer; what says nothing about the key ends the try.
async fn ask(client: &Client, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
    let asked = tokio::time::timeout(attempt.network.time_out, client.get_caller_identity().send())
        .instrument(WHO_AM_I.span())
        .await;
    let late = || Outcome::inconclusive("time-out", "no whole answer in time").repeatable();
    match asked.map_err(|_| late())? {
        Ok(_) => Ok(Outcome::accepted("http-200", "AWS knows whose key it is")),
        Err(error) => {
            let outcome = of(&translate(WHO_AM_I, "ask AWS whose key this is".to_owned(), &error));
            match outcome.verdict {
                Verdict::Inconclusive => Err(outcome),
                Verdict::Accepted | Verdict::Rejected => Ok(outcome),
            }
        }
    }
}

/// Its requests are signed with the secret, and have nothing of it in them.
fn client(attempt: Attempt<'_>) -> Result<Client, Outcome> {
    let (id, secret) = (attempt.login()?, attempt.text()?);
    let region = attempt.values.get("region").map_or("us-east-1", String::as_str);
    let http = trusting_also(attempt.network.ca_file.as_deref())
        .map_err(|fault| Outcome::inconclusive("authorities", Error::from(fault).detail.as_str().to_owned()))?;
    let config = config(
        http,
        Credentials::new(id, secret, None, None, "the key that is tried"),
        region,
    );
    let config = aws_sdk_sts::config::Builder::from(&config).interceptor(EndpointGuard);
    Ok(Client::from_conf(config.build()))
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
