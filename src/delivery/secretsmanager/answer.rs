//! What the store's refusals mean. Its own words are not repeated: they may have what was sent in them.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use rotate_providers::contract::{Error, Kind};
use rotate_providers::untrusted::Label;

use super::SecretsManager;
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

/// What the login takes, in the words of a policy.
const PERMISSIONS: &str = "secretsmanager:GetSecretValue, PutSecretValue and UpdateSecretVersionStage on it, and where it has a key of \
                           its own kms:Decrypt and kms:GenerateDataKey on that; see docs/destinations.md";

impl SecretsManager {
    pub(super) fn failed_to<E, R>(&self, call: &str, error: &SdkError<E, R>) -> Fault
    where
        E: ProvideErrorMetadata,
    {
        let Some(refused) = error.as_service_error() else {
            return passing(format!("{call}: no answer that can be understood"));
        };
        let code = refused.code().and_then(Label::parse);
        let code = code.as_ref().map_or("an error without a code", |label| &**label);
        let place = &self.place;
        match code {
            "ResourceNotFoundException" => Fault::Store {
                kind: Answer::Missing,
                what: format!("there is no such secret, or it has no value ({call})"),
                remedy: format!(
                    "create it first: aws secretsmanager create-secret --name {place} --secret-string '{{}}'"
                ),
            },
            "AccessDeniedException" => Fault::Store {
                kind: Answer::Denied,
                what: format!("{call} is not allowed to these credentials"),
                remedy: format!("allow them {PERMISSIONS}"),
            },
            "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidSignatureException" => Fault::Store {
                kind: Answer::Denied,
                what: format!("{call}: the credentials are not accepted ({code})"),
                remedy: "log in again, or name others: ?profile=NAME".to_owned(),
            },
            "InvalidRequestException" if refused.message().is_some_and(|said| said.contains("deletion")) => unfit(
                "it is scheduled for deletion".to_owned(),
                &format!("bring it back: aws secretsmanager restore-secret --secret-id {place}; or deliver elsewhere"),
            ),
            "InvalidParameterException" | "InvalidRequestException" if call == "UpdateSecretVersionStage" => {
                Fault::Store {
                    kind: Answer::Changed,
                    what: "somebody else has written there meanwhile".to_owned(),
                    remedy: "run the same command again".to_owned(),
                }
            }
            "ThrottlingException" | "InternalServiceError" | "InternalFailure" | "ServiceUnavailable" => {
                passing(format!("{call}: {code}"))
            }
            _ => unfit(
                format!("{call}: {code}"),
                "see what the store says of it, or deliver elsewhere",
            ),
        }
    }
}

pub(super) fn unfit(what: String, remedy: &str) -> Fault {
    Fault::Store {
        kind: Answer::Unfit,
        what,
        remedy: remedy.to_owned(),
    }
}

fn passing(what: String) -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what,
        remedy: "run the same command again in a minute".to_owned(),
    }
}

/// Nobody could log in.
pub(super) fn no_login(error: &Error) -> Fault {
    let kind = match error.kind {
        Kind::Unreachable | Kind::Throttled => Answer::Passing,
        _ => Answer::Denied,
    };
    Fault::Store {
        kind,
        what: format!("failed to {error}"),
        remedy: "give credentials as for every AWS tool, or name a profile: ?profile=NAME".to_owned(),
    }
}
