//! The calls.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::Builder;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::error::ProvideErrorMetadata;
use aws_sdk_ssm::types::ParameterType;
use rotate_providers::s3_customer_managed::EndpointGuard;
use rotate_providers::secret::Secret;
use zeroize::Zeroizing;

use super::history::{Attributes, History, Version, is_secure};
use super::{Fault, Parameter, Written, too_long};
use crate::delivery::aws::{no_login, unfit};
use crate::delivery::looks::Looks;

/// AWS gives no more versions at once, and keeps two of these.
const PAGE: i32 = 50;
const MOST_PAGES: u32 = 4;

/// Whether the values of versions are asked for: that opens each, and leaves a trace of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Each in the clear.
    Shown,
    /// None.
    Hidden,
}

/// What stands in a request that writes nothing: a pattern that this does not fit, so that it could not be written anywhere.
const NO_VALUE: &str = "rotate";
const NO_PATTERN: &str = "^$";

impl Parameter {
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

    /// The ARN, and the current version or the one of this number.
    pub(super) async fn read(&self, number: Option<i64>) -> Result<(String, Version), Fault> {
        let name = match number {
            Some(number) => format!("{}:{number}", self.path),
            None => self.path.clone(),
        };
        let asked = self.client().await?.get_parameter().name(name).with_decryption(true);
        let reply = Box::pin(asked.send()).await;
        let reply = reply.map_err(|error| self.failed_to("GetParameter", &error))?;
        let told = reply
            .parameter
            .and_then(|told| Some((told.arn?, told.version, told.r#type, told.value?)));
        let Some((arn, number, kind, value)) = told else {
            return Err(unfit(
                "the store answers without saying which version that is".to_owned(),
                "try again",
            ));
        };
        let value = Zeroizing::new(value);
        is_secure(kind.as_ref())?;
        Ok((arn, Version::new(number, value.as_bytes())))
    }

    /// What consumers get now, once the last write shows.
    pub(super) async fn settled(&self, written: Option<&Written>) -> Result<Version, Fault> {
        let mut looks = Looks::usual();
        while looks.next().await {
            let current = self.current().await?;
            if written.is_none_or(|written| current.number >= written.as_version) {
                return Ok(current);
            }
        }
        Err(Fault::ReadBack)
    }

    pub(super) async fn wait(&self) {
        tokio::time::sleep(Looks::SPACING).await;
    }

    /// All versions that are kept; their values only where they are asked for.
    pub(super) async fn history(&self, values: Values) -> Result<History, Fault> {
        let mut all = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let asked = self.client().await?.get_parameter_history().name(&self.path);
            let asked = asked.with_decryption(values == Values::Shown);
            let asked = asked.max_results(PAGE).set_next_token(next);
            let reply = Box::pin(asked.send()).await;
            let reply = reply.map_err(|error| self.failed_to("GetParameterHistory", &error))?;
            all.extend(reply.parameters.unwrap_or_default());
            next = reply.next_token;
            if next.is_none() {
                break;
            }
        }
        History::of(all)
    }

    /// Writes this once; the number that it became.
    pub(super) async fn put(&self, attributes: &Attributes, text: &Secret) -> Result<i64, Fault> {
        let text = text.expose_text().ok_or(Fault::Content("the credential is no text"))?;
        if text.len() > attributes.most_bytes() {
            return Err(too_long(text.len(), attributes.most_bytes()));
        }
        let put = self.client().await?.put_parameter().name(&self.path).value(text);
        // What is not said again AWS makes up: its own key in place of another.
        let put = put.overwrite(true).r#type(ParameterType::SecureString);
        let put = put.tier(attributes.tier.clone()).set_key_id(attributes.key_id.clone());
        let put = put.set_description(attributes.description.clone());
        let put = put.set_allowed_pattern(attributes.allowed_pattern.clone());
        let put = put.set_data_type(attributes.data_type.clone());
        // Each one that arrives is a version: it is sent once, and looked for.
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let sent = Box::pin(put.customize().config_override(once).send()).await;
        let reply = sent.map_err(|error| self.failed_to("PutParameter", &error))?;
        Ok(reply.version)
    }

    /// What may write is told that it exists already, and nothing is written.
    pub(super) async fn try_to_write(&self) -> Result<(), Fault> {
        let put = self.client().await?.put_parameter().name(&self.path).value(NO_VALUE);
        let put = put.r#type(ParameterType::SecureString).overwrite(false);
        // Should it be gone at this moment, it is not made anew either.
        let put = put.allowed_pattern(NO_PATTERN);
        let Err(error) = Box::pin(put.send()).await else {
            return Err(unfit(
                "it was deleted while it was looked at".to_owned(),
                "create it again",
            ));
        };
        match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("ParameterAlreadyExists" | "ParameterPatternMismatchException") => Ok(()),
            _ => Err(self.failed_to("PutParameter", &error)),
        }
    }
}
