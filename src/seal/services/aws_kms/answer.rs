//! What KMS's refusals mean. Its own words are not repeated: they may have what was sent in them.

use std::error::Error as StdError;
use std::fmt::Debug;

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use rotate_providers::contract::{Error, Kind, cause};
use rotate_providers::shell::quoted;
use rotate_providers::untrusted::Label;

use super::AwsKms;
use crate::seal::SealError;

const AGAIN: &str = "nothing is lost: run the same command again";

impl AwsKms {
    pub(super) fn failed_to<E, R>(&self, call: &str, error: &SdkError<E, R>) -> SealError
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: Debug + 'static,
    {
        // A login that is over is told by whoever has tried to renew it.
        if let Some(no_login) = cause::<Error>(error) {
            return self.no_login(no_login);
        }
        let Some(refused) = error.as_service_error() else {
            return self.service(
                call,
                "no answer that can be understood",
                format!("see that KMS can be reached from here, through the proxy or the VPC's endpoint; {AGAIN}"),
            );
        };
        let code = refused.code().and_then(Label::parse);
        let code = code.as_ref().map_or("an error without a code", |label| &**label);
        let key = quoted(&self.arn);
        let region = self.login.region.as_deref().unwrap_or_default();
        match code {
            "AccessDeniedException" => self.service(
                call,
                "it is not allowed to these credentials",
                format!(
                    "have an administrator of the key's account allow it, in a policy of whoever runs rotate and in the key's own:\n{}",
                    self.policy()
                ),
            ),
            "DisabledException" => self.service(
                call,
                "the key is disabled",
                format!("what waits sealed cannot be opened until it is enabled again:\naws kms enable-key --region {region} --key-id {key}"),
            ),
            "KMSInvalidStateException" => self.service(
                call,
                "the key's state does not allow it: it is scheduled for deletion, or not ready",
                format!(
                    "what waits sealed is lost with the key; where its deletion is pending, cancel it at once:\n\
                     aws kms cancel-key-deletion --region {region} --key-id {key}\naws kms enable-key --region {region} --key-id {key}"
                ),
            ),
            "NotFoundException" => self.service(
                call,
                "there is no such key",
                "correct seal in [store]; a key that was deleted opens nothing any more: end the rotations that wait".to_owned(),
            ),
            "InvalidKeyUsageException" => self.service(
                call,
                "the key is not one that encrypts and decrypts",
                "name a symmetric key: aws kms create-key".to_owned(),
            ),
            "InvalidCiphertextException" | "IncorrectKeyException" => self.service(
                call,
                "what is sealed was changed, or was sealed for another target or rotation, or with another key",
                "somebody has changed the store: see what its journal says of it: rotate audit verify".to_owned(),
            ),
            "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidSignatureException" => self.service(
                call,
                &format!("the credentials are not accepted ({code})"),
                "log in again, or name others: ?profile=NAME behind the ARN".to_owned(),
            ),
            "ThrottlingException" | "KeyUnavailableException" | "DependencyTimeoutException" | "KMSInternalException" => {
                self.service(call, &format!("it is busy ({code})"), AGAIN.to_owned())
            }
            code => self.service(call, code, "see what AWS says of it".to_owned()),
        }
    }

    /// Nobody could log in.
    pub(super) fn no_login(&self, error: &Error) -> SealError {
        let remedy = match error.kind {
            Kind::Unreachable | Kind::Throttled => AGAIN,
            _ => "give credentials as for every AWS tool, or name a profile: ?profile=NAME behind the ARN",
        };
        SealError::Service {
            what: format!("key {}: failed to {error}", self.arn),
            remedy: remedy.to_owned(),
        }
    }

    /// The answer is of the key that was asked, in the account that its ARN names.
    pub(super) fn is_ours(&self, call: &str, said: Option<&str>) -> Result<(), SealError> {
        match said == Some(self.arn.as_str()) {
            true => Ok(()),
            false => Err(self.service(
                call,
                "another key has answered",
                "see where the requests go to: something else answers in KMS's place".to_owned(),
            )),
        }
    }

    pub(super) fn says_nothing(&self, call: &str) -> SealError {
        self.service(call, "the answer is empty", AGAIN.to_owned())
    }

    fn service(&self, call: &str, why: &str, remedy: String) -> SealError {
        SealError::Service {
            what: format!("{call} with key {}: {why}", self.arn),
            remedy,
        }
    }

    fn policy(&self) -> String {
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": self.arn }],
        })
        .to_string()
    }
}
