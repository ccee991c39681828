//! `s3-customer-managed`: the access key of the IAM user behind an S3 bucket that the customer owns.
//!
//! AWS mints the secret and shows it once; a user holds two keys at most, so old and new overlap until the old one is
//! deleted. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>.

mod administrator;
mod administrators;
mod bounds;
mod bucket_policy;
mod checked;
mod clock;
mod credentials;
mod denial;
mod endpoint;
mod failure;
mod form;
mod hosts;
mod https;
mod pages;
mod partition;
mod preflight;
mod profile;
mod rate;
mod readable;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{
    Caller, Error, KeyId, LastUse, Listed, Minting, MintsAtVendor, Observation, Preflight, Principal, Proof, Provider,
    PublicHalf, RefusedLogin, Verdict,
};
use crate::field::{self, Field};
use crate::secret::Credential;
use crate::{Automation, Connecting, SecretKind, Vendors};

use administrator::LONGEST_CALL;
pub(crate) use administrators::Administrators;
use wire::{Listing, Wire};

/// What the registry says of it.
pub const AUTOMATION: Automation = Automation {
    id: "s3-customer-managed",
    title: "AWS access key of the IAM user behind a customer's own S3 bucket",
    connect,
    handover: &[
        "Gainsight › Administration › Connectors 2.0 › S3 connector › Edit connection",
        "replace the access key with {key} and the secret key with the one in {destination}",
        "save, then choose Test connection and run one job that reads the bucket",
        "move every other consumer of the old key as well",
    ],
    credentials: "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile or --assume-role",
    try_credentials: "aws sts get-caller-identity",
    is_vendors_host: hosts::is_of_aws,
    endpoint_from: "--endpoint-url, AWS_ENDPOINT_URL and the profile",
    disables: true,
    tells_identity: true,
    rotates_itself: false,
    secret: SecretKind::AccessKey,
    fields: FIELDS,
};

const FIELDS: &[Field] = &[
    Field::required("user", "the IAM user whose access key is rotated", user_name),
    Field::required("bucket", "the bucket that the key must be able to list", bucket_name),
    Field::optional(
        "prefix",
        "the prefix in the bucket that the key must be able to list",
        prefix,
    ),
    Field::optional(
        "request_payer",
        "requester, where the bucket charges whoever reads from it",
        request_payer,
    ),
    Field::optional("profile", "the profile of the administrator's credentials", field::text),
    Field::optional("assume_role", "the role that the administrator assumes", role_arn),
    Field::optional(
        "external_id",
        "the external id that the role's trust policy asks for",
        external_id,
    ),
    Field::optional(
        "region",
        "the region of the bucket; else the profile's, else us-east-1",
        region,
    ),
    Field::optional(
        "endpoint_url",
        "another endpoint than AWS: https, or http on the loopback interface",
        field::endpoint,
    ),
];

/// What this connector has to be told. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The IAM user whose key is rotated.
    pub user: String,
    /// The bucket that the key must be able to list.
    pub bucket: String,
    /// The prefix in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `requester`, where the bucket charges whoever reads from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_payer: Option<String>,
    /// The profile of the administrator's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The role that the administrator assumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<String>,
    /// The external id that the role's trust policy asks for. It tells customers apart, and is no secret:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Another endpoint than AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
}

impl Inputs {
    /// What the key has to be able to list.
    fn listing(&self) -> Listing<'_> {
        Listing {
            bucket: &self.bucket,
            prefix: self.prefix.as_deref(),
            requester_pays: self.request_payer.is_some(),
        }
    }
}

struct S3CustomerManaged {
    inputs: Inputs,
    wire: Wire,
}

/// IAM's own rule: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>.
pub fn user_name(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(Value::from(text))
    } else {
        Err("an IAM user name has 1 to 64 letters, digits or _+=,.@- and no path".to_owned())
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, and the longer names of old buckets.
pub fn bucket_name(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if (3..=255).contains(&text.len()) && text.chars().all(fits) {
        Ok(Value::from(text))
    } else {
        Err("write the bucket's bare name, without s3:// and without a prefix (see --prefix)".to_owned())
    }
}

/// The one value that S3 knows: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>.
pub fn request_payer(text: &str) -> Result<Value, String> {
    match text {
        "requester" => Ok(Value::from(text)),
        _ => Err("the only payer that can be named is requester".to_owned()),
    }
}

/// The beginning of an object's key: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>.
fn prefix(text: &str) -> Result<Value, String> {
    if text.len() > 1024 {
        return Err("it is longer than an object's key can be, which is 1,024 bytes".to_owned());
    }
    field::text(text)
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
fn external_id(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@:/-".contains(letter);
    if (2..=1224).contains(&text.len()) && text.chars().all(fits) {
        Ok(Value::from(text))
    } else {
        Err("an external id has 2 to 1,224 letters, digits or _+=,.@:/-".to_owned())
    }
}

fn region(text: &str) -> Result<Value, String> {
    let region = form::region(text).map(Value::from);
    region.ok_or_else(|| "a region is written like eu-central-1".to_owned())
}

fn role_arn(text: &str) -> Result<Value, String> {
    if text.contains(":role/") && form::arn(text).is_some() {
        Ok(Value::from(text))
    } else {
        Err("a role is written as its ARN, like arn:aws:iam::123456789012:role/rotator".to_owned())
    }
}

fn connect(inputs: Value, vendors: &Arc<Vendors>) -> Connecting {
    let vendors = Arc::clone(vendors);
    Box::pin(async move {
        let inputs: Inputs = serde_json::from_value(inputs)
            .map_err(|error| configuration("read the inputs of s3-customer-managed", error.to_string()))?;
        let wire = Wire::new(vendors.aws.find(&inputs).await?);
        Ok(Box::new(S3CustomerManaged { inputs, wire }) as Box<dyn Provider>)
    })
}

#[async_trait]
impl Provider for S3CustomerManaged {
    fn host(&self) -> Option<String> {
        self.wire.administrator().host.clone()
    }

    async fn caller(&self) -> Result<Caller, Error> {
        self.wire.caller().await
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let user = &self.inputs.user;
        let (owner, keys) = tokio::join!(self.wire.user(user), self.wire.keys(user));
        let owner = owner?;
        if owner.name != *user {
            let detail = format!("IAM writes this name {}; write it the same way with --user", owner.name);
            return Err(configuration(&format!("read user {user}"), detail));
        }
        let Listed { keys, vendor_time } = keys?;
        let is_caller = self.wire.runs_as(&owner, &keys).await?;
        Ok(Observation {
            owner,
            keys,
            vendor_time,
            is_caller,
            caller_keys: self.wire.caller_keys(),
        })
    }

    async fn keys(&self) -> Result<Listed, Error> {
        self.wire.keys(&self.inputs.user).await
    }

    fn minting(&self) -> Minting<'_> {
        Minting::AtVendor(self)
    }

    /// `GetCallerIdentity` must name the target's own account and user (whoever controls the environment could answer
    /// `CreateAccessKey` with a key of their own), then the new key must list the bucket.
    async fn probe(&self, credential: &Credential, owner: &Principal, proof: Proof) -> Verdict {
        match self.wire.identity(credential, owner).await {
            Verdict::Accepted if proof == Proof::Permission => {
                self.wire.list_bucket(credential, &self.inputs.listing()).await
            }
            other => other,
        }
    }

    /// IAM keeps no record of what it refuses.
    async fn refused_since(&self, _: &KeyId, _: Timestamp) -> Result<Option<RefusedLogin>, Error> {
        Ok(None)
    }

    async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        self.wire.last_use(key).await
    }

    async fn deactivate(&self, key: &KeyId) -> Result<(), Error> {
        self.wire.deactivate(&self.inputs.user, key).await
    }

    async fn reactivate(&self, key: &KeyId, _: Option<&PublicHalf>) -> Result<(), Error> {
        self.wire.reactivate(&self.inputs.user, key).await
    }

    async fn delete(&self, key: &KeyId) -> Result<(), Error> {
        self.wire.delete(&self.inputs.user, key).await
    }

    async fn preflight(&self, owner: &Principal) -> Preflight {
        self.wire.preflight(owner, &self.inputs.listing()).await
    }

    /// The command line never allows it here.
    async fn adopt(&self, _: &Credential) -> Result<(), Error> {
        let action = "go on with the new key";
        Err(configuration(
            action,
            "this connector does not rotate its own key".to_owned(),
        ))
    }
}

#[async_trait]
impl MintsAtVendor for S3CustomerManaged {
    async fn turn(&self) {
        self.wire.turn().await;
    }

    async fn create(&self) -> Result<Credential, Error> {
        self.wire.create(&self.inputs.user).await
    }

    fn longest_call(&self) -> Duration {
        LONGEST_CALL
    }
}
