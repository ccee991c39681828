//! The two calls.
//!
//! What the SDK copies on its way it does not wipe: the identity of one rotation, which opens nothing without the journal.

use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::primitives::Blob;
use rotate_providers::s3_customer_managed::EndpointGuard;
use rotate_providers::secret::Secret;

use super::AwsKms;
use crate::seal::{Purpose, SealError};

/// The request quota of an account is shared with all that it encrypts.
const TRIES: u32 = 5;

/// What KMS is told of it, so that it decrypts it for nothing else. No secret: it stands in CloudTrail.
const TARGET: &str = "target";
const ROTATION: &str = "rotation";

impl AwsKms {
    async fn client(&self) -> Result<&Client, SealError> {
        // Boxed, here and below: the SDK's futures in each other are deeper than the compiler follows.
        let connecting = async || {
            let config = Box::pin(self.login.find())
                .await
                .map_err(|error| self.no_login(&error))?;
            let config = Builder::from(&config)
                .interceptor(EndpointGuard)
                .retry_config(RetryConfig::standard().with_max_attempts(TRIES));
            Ok(Client::from_conf(config.build()))
        };
        self.client.get_or_try_init(connecting).await
    }

    pub(super) async fn encrypt(&self, purpose: &Purpose<'_>, key: &Secret) -> Result<Vec<u8>, SealError> {
        let call = self.client().await?.encrypt().key_id(&self.arn);
        let call = call
            .encryption_context(TARGET, purpose.target)
            .encryption_context(ROTATION, purpose.rotation)
            .plaintext(Blob::new(key.expose()));
        let reply = Box::pin(call.send()).await;
        let reply = reply.map_err(|error| self.failed_to("Encrypt", &error))?;
        self.is_ours("Encrypt", reply.key_id.as_deref())?;
        let blob = reply.ciphertext_blob.ok_or_else(|| self.says_nothing("Encrypt"))?;
        Ok(blob.into_inner())
    }

    pub(super) async fn decrypt(&self, purpose: &Purpose<'_>, wrapped: &[u8]) -> Result<Secret, SealError> {
        let call = self.client().await?.decrypt().key_id(&self.arn);
        let call = call
            .encryption_context(TARGET, purpose.target)
            .encryption_context(ROTATION, purpose.rotation)
            .ciphertext_blob(Blob::new(wrapped));
        let reply = Box::pin(call.send()).await;
        let reply = reply.map_err(|error| self.failed_to("Decrypt", &error))?;
        self.is_ours("Decrypt", reply.key_id.as_deref())?;
        let blob = reply.plaintext.ok_or_else(|| self.says_nothing("Decrypt"))?;
        Ok(Secret::new(blob.into_inner()))
    }
}
