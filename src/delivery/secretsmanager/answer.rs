//! What the store's refusals mean. Its own words are not repeated: they may have what was sent in them.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use rotate_providers::untrusted::Label;

use super::SecretsManager;
use crate::delivery::Fault;
use crate::delivery::aws::{Permissions, passing, refusal, unfit};
use crate::delivery::fault::Answer;

/// What a delivery and its undoing call. The last one only where two others have written since, or a second destination of the same
/// rotation.
const ACTIONS: [&str; 4] = [
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "secretsmanager:ListSecretVersionIds",
];

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
            code => refusal(call, code, refused.message(), &self.permissions()),
        }
    }

    pub(super) fn permissions(&self) -> Permissions {
        let is_arn = |place: &&str| place.starts_with("arn:");
        let arn = self.arn.as_deref().or(Some(self.place.as_str()).filter(is_arn));
        Permissions {
            actions: &ACTIONS,
            of_the_key: "kms:Decrypt and kms:GenerateDataKey",
            // Six letters by chance stand at the end of an ARN.
            resource: arn.map_or_else(
                || format!("arn:aws:secretsmanager:*:*:secret:{}-??????", self.place),
                str::to_owned,
            ),
        }
    }
}
