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
mod asked;
mod channel;
mod failure;
mod file;
mod guard;
mod identifier;
mod key_fault;
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
mod told;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{
    Caller, Error, KeyId, LastUse, Listed, Minting, MintsLocally, Observation, Preflight, Principal, Proof, Provider,
    PublicHalf, RefusedLogin, Thoroughness, Verdict,
};
use crate::form::{Field, Part, SecretForm};
use crate::inputs;
use crate::secret::{Credential, Secret};
use crate::secret_from::read_secret;
use crate::untrusted::Label;
use crate::{Automation, Capabilities, Connecting, Connector, KeyShown, ShownKey, Unready, Vendors};

use identifier::UserName;
pub use key_fault::KeyFault;
pub use key_pair::KeyPair;
use logins::Logins;
use passphrase::PassphraseFrom;
use told::{INPUTS, Inputs};
use wire::{Change, Wire};

/// What cannot be done where the administrator's login is not to be had.
const FIND: &str = "find the administrator's Snowflake connection";

/// What the registry says of it.
pub const CONNECTOR: Connector =
    crate::automated(&AUTOMATION, include_str!("guide.toml")).with_example(include_str!("example.toml"));

const AUTOMATION: Automation = Automation {
    id: "snowflake-keypair",
    title: "RSA key pair of a Snowflake user",
    noun: "key pair",
    note: "The administrator's connection is found the way Snowflake's own tools find it. One that is named: flags, then \
           SNOWFLAKE_CONNECTIONS_<NAME>_* variables, then ~/.snowflake/connections.toml or config.toml, and SNOWFLAKE_* \
           variables last. Where none is named, SNOWFLAKE_* variables go before the file's default connection, and the two \
           may not differ in account, user or host.",
    vendor: "Snowflake",
    inputs: INPUTS,
    connect,
    ready,
    shown_key: Some(ShownKey {
        help: "the private key that the consumer uses now: it shows which of two keys is live, and lets it be registered again",
        read: shown_key,
    }),
    handover: &[
        "Gainsight \u{203a} Administration \u{203a} Connectors 2.0 \u{203a} the Snowflake connection with key-pair authentication \u{203a} Edit \
         connection",
        "upload the private key from {destination}; its fingerprint is {key}",
        "if the key is encrypted, give its passphrase there too",
        "save, then choose Test connection and run one job that reads from Snowflake",
        "move every other consumer of the old key as well",
    ],
    own_handover: Some(
        "name the new key in rotate's own connection as well (private_key_file in connections.toml): this rotation finds its \
         new key by itself, the next one does not",
    ),
    credentials: "set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and SNOWFLAKE_PRIVATE_KEY_FILE or SNOWFLAKE_PASSWORD, or keep a \
                  connection in ~/.snowflake/connections.toml and name it with --connection",
    try_credentials: "snow connection test",
    is_vendors_host: address::is_of_snowflake,
    endpoint_from: "--endpoint-url, SNOWFLAKE_HOST, SNOWFLAKE_PROTOCOL and the connection",
    is_public: |word| word.starts_with("SHA256:"),
    secret: SECRET,
    default_destination: Some("file:rsa_key_new.p8"),
    capabilities: Capabilities {
        most_keys: 2,
        makes_keys: false,
        replaces: false,
        names_each_secret: false,
        disables: false,
        // `DESCRIBE USER` shows what was committed.
        lists_lag: false,
        tells_identity: false,
        rotates_itself: true,
        // The record is exact, and up to two hours late; this leaves room for our own login before it shows.
        use_steps: SignedDuration::from_mins(15),
    },
    ..Automation::LEAST
};

/// What its secrets are.
pub const SECRET: SecretForm = SecretForm {
    called: "a private key",
    fields: &[
        Field::always("private_key", Part::Secret),
        Field::always("public_key", Part::PublicKey),
        Field::on_request("fingerprint", Part::Key),
        Field::on_request(
            "passphrase",
            Part::Reference(&[
                ("passphrase_file", "file"),
                ("passphrase_env", "env"),
                ("passphrase_credential", "credential"),
            ]),
        ),
        Field::on_request("user", Part::Owner),
        Field::on_request("account", Part::Account),
    ],
    beside: &[],
};

struct SnowflakeKeypair {
    key_bits: usize,
    passphrase: Option<PassphraseFrom>,
    wire: Wire,
}

fn connect(inputs: Value, vendors: &Arc<Vendors>) -> Connecting {
    let vendors = Arc::clone(vendors);
    Box::pin(async move {
        let login = inputs::login(INPUTS, &inputs);
        let inputs: Inputs = inputs::typed(inputs)?;
        let user = UserName::exact(&inputs.user)
            .map_err(|bad| configuration("read the inputs of snowflake-keypair", bad.to_string()))?;
        let administrator = vendors
            .shared(|access| Logins::new(access.credentials))
            .find(login, &inputs)?;
        Ok(Box::new(SnowflakeKeypair {
            key_bits: inputs.key_bits,
            passphrase: PassphraseFrom::of(&inputs),
            wire: Wire::new(user, administrator),
        }) as Box<dyn Provider>)
    })
}

/// Whether the passphrase can be read that a new key is to be encrypted with.
fn ready(inputs: &Value) -> Result<(), Unready> {
    let Some(from) = PassphraseFrom::of_inputs(inputs) else {
        return Ok(());
    };
    from.read().map(|_| ()).map_err(|why| Unready {
        why,
        input: from.input(),
        remedy: "give it to the program, or correct the target's passphrase_file, passphrase_env or passphrase_credential",
    })
}

/// Reads a private key file of a person's own, and the one that opens it.
fn shown_key(path: &Path, inputs: &Value) -> Result<KeyShown, String> {
    let from = PassphraseFrom::of_inputs(inputs);
    let passphrase = from.as_ref().map(PassphraseFrom::read).transpose()?;
    let text = read_secret(path)?;
    let pair = KeyPair::read(text, passphrase.as_ref()).map_err(|fault| {
        let how = match fault {
            KeyFault::Encrypted => ": give one with --passphrase-file".to_owned(),
            _ => fault.conversion(Some(&path.display().to_string())),
        };
        format!("{fault}{how}")
    })?;
    Ok(KeyShown {
        key: pair.key,
        public: Some(pair.public),
    })
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

    /// A login as the user with the private key, and Snowflake's own word that it is that user, which is asked for once: the
    /// same key and login name lead to nobody else.
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
    async fn deactivate(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        self.passphrase()
            .map_err(|why| configuration(&format!("remove key {key}"), why))?;
        self.wire.change(Change::Disable(key)).await
    }

    async fn reactivate(&self, key: &KeyId, public: Option<&PublicHalf>) -> Result<Option<Label>, Error> {
        self.wire.change(Change::SetAgain(key, public)).await
    }

    async fn delete(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        self.wire.change(Change::Unset(key)).await
    }

    /// The clock, the privilege, and the passphrase of the new key.
    async fn preflight(&self, _: &Principal, thoroughness: Thoroughness) -> Preflight {
        self.wire.preflight(self.passphrase.as_ref(), thoroughness).await
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

    async fn register(&self, key: &KeyId, public: &PublicHalf) -> Result<Option<Label>, Error> {
        self.wire.change(Change::Set(key, public)).await
    }
}
