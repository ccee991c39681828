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
mod login;
mod pages;
mod partition;
mod preflight;
mod probe;
mod profile;
mod rate;
mod readable;
mod renewed;
mod wire;

pub use endpoint::EndpointGuard;
pub use login::{Lacking, Login};

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{
    Caller, Error, KeyId, LastUse, Listed, Minting, MintsAtVendor, Observation, Preflight, Principal, Proof, Provider,
    PublicHalf, Thoroughness, Verdict,
};
use crate::form::{Field, Part, SecretForm};
use crate::inputs::{self, InputSpec};
use crate::secret::Credential;
use crate::untrusted::Label;
use crate::{Automation, Capabilities, Connecting, Connector, VendorPace, Vendors};

use administrator::LONGEST_CALL;
use administrators::Administrators;
use wire::{Listing, Wire};

pub(crate) use probe::probe;

/// What the registry says of it.
pub const CONNECTOR: Connector = crate::automated(&AUTOMATION, include_str!("guide.toml"))
    .with_example(include_str!("example.toml"))
    .with_probe(probe::probe);

const AUTOMATION: Automation = Automation {
    id: "s3-customer-managed",
    title: "AWS access key of the IAM user behind an S3 bucket",
    noun: "access key",
    vendor: "AWS",
    inputs: INPUTS,
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
    is_public: form::is_known_id,
    secret: SECRET,
    capabilities: Capabilities {
        // Disabled ones count: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
        most_keys: 2,
        makes_keys: true,
        replaces: false,
        names_each_secret: false,
        disables: true,
        lists_lag: true,
        tells_identity: true,
        rotates_itself: false,
        // <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html>.
        use_steps: SignedDuration::from_mins(15),
    },
    // IAM's rates are not published; this is a careful beginning.
    pace: Some(VendorPace {
        key: "aws_calls_per_second",
        what: "one AWS account's IAM",
        calls_per_second: 5,
    }),
    ..Automation::LEAST
};

/// What its secrets are.
pub const SECRET: SecretForm = SecretForm {
    called: "an access key",
    fields: &[
        Field::always("access_key_id", Part::Key).in_files("AWS_ACCESS_KEY_ID"),
        Field::always("secret_access_key", Part::Secret).in_files("AWS_SECRET_ACCESS_KEY"),
        Field::on_request("user", Part::Owner),
        Field::on_request("account", Part::Account),
    ],
    beside: &["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"],
};

const INPUTS: &[InputSpec] = &[
    InputSpec::required("user", "the IAM user whose access key is rotated", user_name).identifies(),
    InputSpec::required("bucket", "the bucket that the key must be able to list", bucket_name),
    InputSpec::optional(
        "prefix",
        "the prefix in the bucket that the key must be able to list",
        prefix,
    ),
    InputSpec::optional(
        "request_payer",
        "`requester`, where the bucket charges whoever reads from it",
        request_payer,
    )
    .called("PAYER"),
    InputSpec::optional(
        "profile",
        "the profile of the administrator's credentials",
        inputs::text,
    )
    .identifies()
    .shared(),
    InputSpec::optional("assume_role", "the role that the administrator assumes", role_arn)
        .called("ARN")
        .identifies()
        .shared(),
    InputSpec::optional(
        "external_id",
        "the external id that the role's trust policy asks for",
        external_id,
    )
    .called("ID")
    .needs("assume_role")
    .shared(),
    InputSpec::optional("region", "the region of the bucket", region)
        .otherwise("the profile's, else us-east-1")
        .shared(),
    InputSpec::optional(
        "endpoint_url",
        "another endpoint than AWS: https, or http on the loopback interface",
        inputs::endpoint,
    )
    .called("URL")
    .identifies()
    .shared(),
];

/// What this connector has to be told. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The IAM user whose key is rotated.
    user: String,
    /// The bucket that the key must be able to list.
    bucket: String,
    /// The prefix in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    /// `requester`, where the bucket charges whoever reads from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_payer: Option<String>,
    /// The profile of the administrator's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// The role that the administrator assumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assume_role: Option<String>,
    /// The external id that the role's trust policy asks for. It tells customers apart, and is no secret:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Another endpoint than AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint_url: Option<String>,
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
fn user_name(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        inputs::word(text)
    } else {
        Err("an IAM user name has 1 to 64 letters, digits or _+=,.@- and no path".to_owned())
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, and the longer names of old buckets.
fn bucket_name(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if (3..=255).contains(&text.len()) && text.chars().all(fits) {
        inputs::word(text)
    } else {
        Err("write the bucket's bare name, without s3:// and without a prefix (see --prefix)".to_owned())
    }
}

/// The one value that S3 knows: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>.
fn request_payer(text: &str) -> Result<Value, String> {
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
    inputs::word(text)
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
        let login = inputs::login(INPUTS, &inputs);
        let inputs: Inputs = inputs::typed(inputs)?;
        let administrators = vendors.shared(|access| Administrators::new(access, AUTOMATION.id));
        let wire = Wire::new(administrators.find(login, &inputs).await?);
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
    /// `CreateAccessKey` with a key of their own), then the new key must list the bucket. Whose a key is never changes: once
    /// that is known, a login is proven by the bucket alone, which refuses a key that is wrong, off or gone.
    async fn probe(&self, credential: &Credential, owner: &Principal, proof: Proof) -> Verdict {
        let listing = self.inputs.listing();
        if proof == Proof::Identity {
            return self.wire.identity(credential, owner).await;
        }
        if self.wire.is_identified(credential) {
            return self.wire.list_bucket(credential, &listing).await;
        }
        match self.wire.identity(credential, owner).await {
            Verdict::Accepted => self.wire.list_bucket(credential, &listing).await,
            other => other,
        }
    }

    async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        self.wire.last_use(key).await
    }

    async fn deactivate(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        self.wire.deactivate(&self.inputs.user, key).await
    }

    async fn reactivate(&self, key: &KeyId, _: Option<&PublicHalf>) -> Result<Option<Label>, Error> {
        self.wire.reactivate(&self.inputs.user, key).await
    }

    async fn delete(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        self.wire.delete(&self.inputs.user, key).await
    }

    async fn preflight(&self, owner: &Principal, thoroughness: Thoroughness) -> Preflight {
        self.wire.preflight(owner, &self.inputs.listing(), thoroughness).await
    }
}

#[async_trait]
impl MintsAtVendor for S3CustomerManaged {
    async fn turn(&self) {
        self.wire.turn().await;
    }

    async fn create(&self) -> Result<(Credential, Option<Label>), Error> {
        self.wire.create(&self.inputs.user).await
    }

    fn longest_call(&self) -> Duration {
        LONGEST_CALL
    }
}
