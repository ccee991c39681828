//! The calls.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use rotate_providers::s3_customer_managed::EndpointGuard;
use rotate_providers::secret::Secret;

use super::{CURRENT, Current, Fault, SecretsManager};
use crate::delivery::aws::{no_login, unfit};
use crate::delivery::fault::Answer;

/// The label of the version that was current before it.
const PREVIOUS: &str = "AWSPREVIOUS";
/// Ours, on a version that is not current yet: one without any label may be removed by AWS at any time.
const PENDING: &str = "rotate-pending";

/// AWS keeps some hundred versions; a list without end is not read to its end.
const PAGE: i32 = 100;
const MOST_PAGES: u32 = 10;

/// One of its versions.
pub(super) enum Which<'a> {
    /// By its label.
    Labelled(&'a str),
    /// By its own name.
    Called(&'a str),
}

impl SecretsManager {
    async fn client(&self) -> Result<&Client, Fault> {
        // Boxed, here and below: the SDK's futures in each other are deeper than the compiler follows.
        let connecting = async || {
            let config = Box::pin(self.login.find()).await.map_err(|error| no_login(&error))?;
            let config = Builder::from(&config)
                .interceptor(EndpointGuard)
                .retry_config(RetryConfig::standard().with_max_attempts(3));
            Ok(Client::from_conf(config.build()))
        };
        self.client.get_or_try_init(connecting).await
    }

    pub(super) async fn read(&self, id: &str, which: Which<'_>) -> Result<Current, Fault> {
        let asked = self.client().await?.get_secret_value().secret_id(id);
        let asked = match which {
            Which::Labelled(label) => asked.version_stage(label),
            Which::Called(version) => asked.version_id(version),
        };
        let reply = Box::pin(asked.send())
            .await
            .map_err(|error| self.failed_to("GetSecretValue", &error))?;
        let (Some(arn), Some(version)) = (reply.arn, reply.version_id) else {
            return Err(unfit(
                "the store answers without saying which version that is".to_owned(),
                "try again",
            ));
        };
        match reply.secret_string {
            Some(text) => Ok(Current {
                arn,
                version,
                text: Secret::new(text),
            }),
            None => Err(unfit(
                "it holds bytes and no text".to_owned(),
                "deliver to a secret that holds text, or to a new one",
            )),
        }
    }

    /// The version that was current before, where there is one.
    pub(super) async fn previous(&self, arn: &str) -> Result<Option<Current>, Fault> {
        match self.read(arn, Which::Labelled(PREVIOUS)).await {
            Ok(previous) => Ok(Some(previous)),
            Err(Fault::Store {
                kind: Answer::Missing, ..
            }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What all versions are called, those without a label included; the latest first.
    pub(super) async fn versions(&self, arn: &str) -> Result<Vec<String>, Fault> {
        let mut all = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let asked = self.client().await?.list_secret_version_ids().secret_id(arn);
            let asked = asked.include_deprecated(true).max_results(PAGE).set_next_token(next);
            let reply = Box::pin(asked.send()).await;
            let reply = reply.map_err(|error| self.failed_to("ListSecretVersionIds", &error))?;
            for version in reply.versions.unwrap_or_default() {
                let made_at = version.created_date.map_or(f64::MIN, |at| at.as_secs_f64());
                all.extend(version.version_id.map(|version| (made_at, version)));
            }
            next = reply.next_token;
            if next.is_none() {
                break;
            }
        }
        all.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Ok(all.into_iter().map(|(_, version)| version).collect())
    }

    pub(super) async fn make_current(&self, from: &Current, version: &str) -> Result<bool, Fault> {
        let moving = self.client().await?.update_secret_version_stage().secret_id(&from.arn);
        let moving = moving.version_stage(CURRENT).move_to_version_id(version);
        match Box::pin(moving.remove_from_version_id(&from.version).send()).await {
            Ok(_) => Ok(true),
            Err(error) => match self.failed_to("UpdateSecretVersionStage", &error) {
                Fault::Store {
                    kind: Answer::Changed, ..
                } => Ok(false),
                fault => Err(fault),
            },
        }
    }

    /// Writes this under this token, as nobody's current version.
    pub(super) async fn put(&self, arn: &str, token: &str, text: &str) -> Result<(), Fault> {
        let put = self.client().await?.put_secret_value().secret_id(arn);
        let put = put
            .client_request_token(token)
            .secret_string(text)
            .version_stages(PENDING);
        let put = Box::pin(put.send()).await;
        put.map_err(|error| self.failed_to("PutSecretValue", &error))?;
        Ok(())
    }
}
