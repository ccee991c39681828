//! What the store's refusals mean. Its own words are not repeated: they may have what was sent in them.

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use rotate_providers::untrusted::Label;

use super::Parameter;
use crate::delivery::Fault;
use crate::delivery::aws::{Permissions, passing, refusal, unfit, version_is_gone};
use crate::delivery::fault::Answer;

/// What a delivery and its undoing call.
const ACTIONS: [&str; 3] = ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"];

impl Parameter {
    pub(super) fn failed_to<E, R>(&self, call: &str, error: &SdkError<E, R>) -> Fault
    where
        E: ProvideErrorMetadata,
    {
        let Some(refused) = error.as_service_error() else {
            return passing(format!("{call}: no answer that can be understood"));
        };
        let code = refused.code().and_then(Label::parse);
        let code = code.as_ref().map_or("an error without a code", |label| &**label);
        let path = &self.path;
        match code {
            "ParameterNotFound" => Fault::Store {
                kind: Answer::Missing,
                what: format!("there is no such parameter ({call})"),
                remedy: format!(
                    "create it first: aws ssm put-parameter --type SecureString --value '{{}}' --name {path}"
                ),
            },
            "ParameterVersionNotFound" => version_is_gone("AWS keeps a hundred versions"),
            "ParameterMaxVersionLimitExceeded" => unfit(
                "it has a hundred versions, and AWS takes no new one while the oldest has a label".to_owned(),
                &format!(
                    "move that label to a later version, or take it away (unlabel-parameter-version); which it is:\naws ssm \
                     get-parameter-history --max-items 1 --name {path}"
                ),
            ),
            "ParameterPatternMismatchException" => unfit(
                "its allowed pattern does not fit what would be written".to_owned(),
                "change the pattern, or deliver elsewhere",
            ),
            "TooManyUpdates" => passing(format!("{call}: somebody else writes there at this moment")),
            code => refusal(call, code, refused.message(), &self.permissions()),
        }
    }

    pub(super) fn permissions(&self) -> Permissions {
        Permissions {
            actions: &ACTIONS,
            of_the_key: "kms:Decrypt, kms:Encrypt and kms:GenerateDataKey",
            resource: self
                .arn
                .clone()
                .unwrap_or_else(|| format!("arn:aws:ssm:*:*:parameter{}", self.path)),
        }
    }
}
