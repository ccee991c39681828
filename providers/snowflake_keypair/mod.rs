//! `snowflake-keypair`: the RSA key pair of a Snowflake user.
//!
//! A user has two slots for public keys, `RSA_PUBLIC_KEY` and `RSA_PUBLIC_KEY_2`. The private half is made here; the new
//! public half goes into the free slot, and the old one's slot is emptied at the end. The statements are idempotent. There
//! is nothing between set and unset: a slot cannot be disabled. Source:
//! <https://docs.snowflake.com/en/user-guide/key-pair-auth#configuring-key-pair-rotation>.
//!
//! A slot is only ever emptied by the fingerprint that it holds, and only ever filled when it is empty. Snowflake cannot
//! make that one statement, so two administrators at the same second could still meet.

mod address;
mod channel;
mod failure;
mod file;
mod guard;
mod identifier;
mod key_pair;
mod login;
mod logins;
mod passphrase;
mod pbes1;
mod pem;
mod preflight;
mod record;
mod refusal;
mod session;
mod settings;
mod slots;
mod sources;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{
    Caller, Error, KeyId, LastUse, Listed, Minting, MintsLocally, Observation, Preflight, Principal, Proof, Provider,
    PublicHalf, RefusedLogin, Verdict,
};
use crate::field::{self, Field, Form};
use crate::secret::{Credential, Secret};
use crate::{Automation, Connecting, SecretKind, Vendors};

pub use file::expanded;
pub use identifier::{BadName, UserName};
pub use key_pair::{KeyFault, KeyPair};
pub(crate) use logins::Logins;
pub use passphrase::{PassphraseFrom, read_passphrase};
use settings::read_secret;
use wire::{Change, Wire};

/// What cannot be done where the administrator's login is not to be had.
const FIND: &str = "find the administrator's Snowflake connection";

/// What the registry says of it.
pub const AUTOMATION: Automation = Automation {
    id: "snowflake-keypair",
    title: "RSA key pair of a Snowflake user",
    connect,
    handover: &[
        "Gainsight \u{203a} Administration \u{203a} Connectors 2.0 \u{203a} the Snowflake connection with key-pair authentication \u{203a} Edit \
         connection",
        "upload the private key from {destination}; its fingerprint is {key}",
        "if the key is encrypted, give its passphrase there too",
        "save, then choose Test connection and run one job that reads from Snowflake",
        "move every other consumer of the old key as well",
    ],
    credentials: "set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and SNOWFLAKE_PRIVATE_KEY_FILE or SNOWFLAKE_PASSWORD, or keep a \
                  connection in ~/.snowflake/connections.toml and name it with --connection",
    try_credentials: "snow connection test",
    is_vendors_host: address::is_of_snowflake,
    endpoint_from: "--endpoint-url, SNOWFLAKE_HOST, SNOWFLAKE_PROTOCOL and the connection",
    disables: false,
    tells_identity: false,
    rotates_itself: true,
    secret: SecretKind::PrivateKey,
    fields: FIELDS,
};

/// The lengths that a new key may have.
pub const KEY_BITS: [i64; 3] = [2048, 3072, 4096];

const FIELDS: &[Field] = &[
    Field::required(
        "user",
        "the user whose key is rotated: upper case unless in double quotes of its own",
        user,
    ),
    Field {
        form: Form::Number(&KEY_BITS),
        ..Field::optional("key_bits", "the length of the new key; else 2048", key_bits)
    },
    Field::optional("account", "the account identifier; else the connection's", account),
    Field::optional(
        "connection",
        "the administrator's connection in Snowflake's own configuration",
        field::text,
    ),
    Field::optional(
        "role",
        "the administrator's role; else the connection's, else the user's own",
        field::text,
    ),
    Field::optional(
        "passphrase_file",
        "the file with the passphrase of the new key",
        field::text,
    ),
    Field::optional(
        "passphrase_env",
        "the environment variable with the passphrase of the new key",
        variable,
    ),
    Field::optional(
        "passphrase_credential",
        "the passphrase of the new key in the service manager's credentials folder",
        credential,
    ),
    Field::optional(
        "endpoint_url",
        "another endpoint than the account's own: https, or http on the loopback interface",
        field::endpoint,
    ),
];

/// What this connector has to be told. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The user whose key is rotated, as Snowflake keeps its name.
    pub user: String,
    /// The length of the new key.
    #[serde(default = "default_key_bits")]
    pub key_bits: usize,
    /// The account, where it is not the connection's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The connection of the administrator in Snowflake's own files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The administrator's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The file with the passphrase of the new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<String>,
    /// The environment variable with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_env: Option<String>,
    /// Its name in the service manager's credentials folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_credential: Option<String>,
    /// Another endpoint than the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
}

struct SnowflakeKeypair {
    key_bits: usize,
    passphrase: Option<PassphraseFrom>,
    wire: Wire,
}

fn default_key_bits() -> usize {
    2048
}

fn user(text: &str) -> Result<Value, String> {
    UserName::parse(text)
        .map(|name| Value::from(name.as_str()))
        .map_err(|bad| bad.to_string())
}

fn key_bits(text: &str) -> Result<Value, String> {
    text.parse::<i64>()
        .ok()
        .filter(|bits| KEY_BITS.contains(bits))
        .map(Value::from)
        .ok_or_else(|| "a key has 2048, 3072 or 4096 bits".to_owned())
}

/// An account identifier: <https://docs.snowflake.com/en/user-guide/admin-account-identifier>.
pub fn account(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if (1..=255).contains(&text.len()) && text.chars().all(fits) {
        Ok(Value::from(text))
    } else {
        Err(
            "an account identifier is like MYORG-MYACCOUNT or xy12345.eu-central-1, without https:// and host"
                .to_owned(),
        )
    }
}

fn variable(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !text.is_empty() && text.chars().all(fits) && !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        Ok(Value::from(text))
    } else {
        Err("write the variable's name, without $ and never the passphrase itself".to_owned())
    }
}

fn credential(text: &str) -> Result<Value, String> {
    if text.contains('/') || text == "." || text == ".." {
        return Err("write the credential's name, as in LoadCredential=NAME:PATH".to_owned());
    }
    field::text(text)
}

fn connect(inputs: Value, vendors: &Arc<Vendors>) -> Connecting {
    let vendors = Arc::clone(vendors);
    Box::pin(async move {
        let action = "read the inputs of snowflake-keypair";
        let inputs: Inputs =
            serde_json::from_value(inputs).map_err(|error| configuration(action, error.to_string()))?;
        let user = UserName::exact(&inputs.user).map_err(|bad| configuration(action, bad.to_string()))?;
        let administrator = vendors.snowflake.find(&inputs)?;
        Ok(Box::new(SnowflakeKeypair {
            key_bits: inputs.key_bits,
            passphrase: PassphraseFrom::of(&inputs),
            wire: Wire::new(user, administrator),
        }) as Box<dyn Provider>)
    })
}

/// Reads a private key file of a person's own, and the one that opens it.
pub fn read_key_file(path: &Path, passphrase: Option<&PassphraseFrom>) -> Result<KeyPair, String> {
    let passphrase = passphrase.map(PassphraseFrom::read).transpose()?;
    let text = read_secret(path)?;
    KeyPair::read(text, passphrase.as_ref())
        .map_err(|fault| format!("{fault}{}", fault.conversion(Some(&path.display().to_string()))))
}

impl SnowflakeKeypair {
    /// Read when it is needed: taking a key back must not depend on it.
    fn passphrase(&self) -> Result<Option<Secret>, String> {
        self.passphrase.as_ref().map(PassphraseFrom::read).transpose()
    }

    /// The same, if it opens this key: it may be another one by now.
    fn passphrase_for(&self, pem: &Secret) -> Result<Option<Secret>, String> {
        let Some(from) = &self.passphrase else {
            return Ok(None);
        };
        let passphrase = from.read()?;
        match KeyPair::read(Secret::new(pem.expose()), Some(&passphrase)) {
            Err(KeyFault::Passphrase) => Err(format!("{from}: it does not open the new key any more")),
            _ => Ok(Some(passphrase)),
        }
    }
}

#[async_trait]
impl Provider for SnowflakeKeypair {
    fn host(&self) -> Option<String> {
        self.wire.administrator().host()
    }

    async fn caller(&self) -> Result<Caller, Error> {
        self.wire.caller().await
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.wire.observe().await
    }

    async fn keys(&self) -> Result<Listed, Error> {
        self.wire.keys().await
    }

    fn minting(&self) -> Minting<'_> {
        Minting::Local(self)
    }

    /// A login as the user with the private key, and Snowflake's own word that it is that user.
    async fn probe(&self, credential: &Credential, owner: &Principal, _: Proof) -> Verdict {
        match self.passphrase_for(&credential.secret) {
            Ok(passphrase) => self.wire.probe(credential, passphrase.as_ref(), owner).await,
            Err(reason) => Verdict::Inconclusive { reason: reason.into() },
        }
    }

    /// Slots have no record of use. Where Snowflake keeps one elsewhere and shows it, that is reported.
    async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        self.wire.last_use(key).await
    }

    async fn refused_since(&self, key: &KeyId, since: Timestamp) -> Result<Option<RefusedLogin>, Error> {
        self.wire.refused_since(key, since).await
    }

    /// Not before it is sure that the new key can be proven afterwards.
    async fn deactivate(&self, key: &KeyId) -> Result<(), Error> {
        self.passphrase()
            .map_err(|why| configuration(&format!("remove key {key}"), why))?;
        self.wire.change(Change::Disable(key)).await
    }

    async fn reactivate(&self, key: &KeyId, public: Option<&PublicHalf>) -> Result<(), Error> {
        self.wire.change(Change::SetAgain(key, public)).await
    }

    async fn delete(&self, key: &KeyId) -> Result<(), Error> {
        self.wire.change(Change::Unset(key)).await
    }

    /// The clock, the privilege, and the passphrase of the new key.
    async fn preflight(&self, _: &Principal) -> Preflight {
        self.wire.preflight(self.passphrase.as_ref()).await
    }

    async fn adopt(&self, credential: &Credential) -> Result<(), Error> {
        let passphrase = self
            .passphrase()
            .map_err(|why| configuration("go on with the new key", why))?;
        let pem = Secret::new(credential.secret.expose());
        self.wire.administrator().adopt(pem, passphrase).await;
        Ok(())
    }
}

#[async_trait]
impl MintsLocally for SnowflakeKeypair {
    async fn mint(&self) -> Result<(Credential, PublicHalf), Error> {
        const ACTION: &str = "make a key pair";
        let passphrase = self.passphrase().map_err(|why| configuration(ACTION, why))?;
        let bits = self.key_bits;
        let begun = Instant::now();
        // Long keys take seconds, in which a wish to stop is still heard.
        let made = tokio::task::spawn_blocking(move || KeyPair::make(bits, passphrase.as_ref())).await;
        let pair = made
            .map_err(|_| KeyFault::Unmade)
            .and_then(|made| made)
            .map_err(|fault| configuration(ACTION, fault.to_string()))?;
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(took_ms, "a key pair of {bits} bits was made: {}", pair.key);
        let credential = Credential {
            key: pair.key,
            public: Some(pair.public.clone()),
            secret: pair.pem,
        };
        Ok((credential, pair.public))
    }

    async fn register(&self, key: &KeyId, public: &PublicHalf) -> Result<(), Error> {
        self.wire.change(Change::Set(key, public)).await
    }
}
