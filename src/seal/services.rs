//! The services that keep keys, each in the folder of its name and behind the feature of its name.

#[cfg(feature = "aws-kms")]
mod aws_kms;

use async_trait::async_trait;
use rotate_providers::secret::Secret;

use super::{Purpose, SealError};

/// How their spellings are written, for whoever has to correct one.
pub(super) const WRITTEN: &str = "aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID";

/// A key that somebody else keeps, by which small things are encrypted.
#[async_trait]
pub(super) trait KeyService: Send + Sync {
    /// As the configuration spells it.
    fn spelling(&self) -> &str;
    /// Encrypts this, for this target and rotation alone. A repeat does no harm.
    async fn wrap(&self, purpose: &Purpose<'_>, key: &Secret) -> Result<Vec<u8>, SealError>;
    /// Decrypts it. A repeat does no harm.
    async fn unwrap(&self, purpose: &Purpose<'_>, wrapped: &[u8]) -> Result<Secret, SealError>;
}

/// The key that is spelled so, whoever asks for it: who logs in stands behind the `?`.
pub fn key_of(spelling: &str) -> &str {
    spelling.split_once('?').map_or(spelling, |(key, _)| key)
}

/// Why a spelling names no key that can be asked.
pub(super) enum Unknown {
    /// There is no such service.
    Service,
    /// This build does not have it.
    #[cfg_attr(feature = "aws-kms", expect(dead_code, reason = "this build has them all"))]
    NotBuilt(&'static str),
    /// The service's keys are not called so; what to write.
    #[cfg_attr(not(feature = "aws-kms"), expect(dead_code, reason = "this build has none of them"))]
    Key(String),
}

/// The key that is spelled so.
pub(super) fn parse(spelling: &str) -> Result<Box<dyn KeyService>, Unknown> {
    match spelling.split_once(':') {
        #[cfg(feature = "aws-kms")]
        Some(("aws-kms", _)) => match aws_kms::AwsKms::parse(spelling) {
            Ok(key) => Ok(Box::new(key)),
            Err(remedy) => Err(Unknown::Key(remedy)),
        },
        #[cfg(not(feature = "aws-kms"))]
        Some(("aws-kms", _)) => Err(Unknown::NotBuilt("aws-kms")),
        _ => Err(Unknown::Service),
    }
}
