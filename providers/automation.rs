//! What has to be known of a vendor beside its [`Provider`]: data and functions of the connector, and never a branch elsewhere.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{Error, KeyId, Provider, PublicHalf};
use crate::form::SecretForm;
use crate::inputs::InputSpec;
use crate::vendors::Vendors;

/// What rotates the credentials of a connector through its vendor's API.
pub struct Automation {
    /// The connector's id.
    pub id: &'static str,
    /// What it rotates, in a few words: `RSA key pair of a Snowflake user`.
    pub title: &'static str,
    /// The same in one or two: `key pair`.
    pub noun: &'static str,
    /// What else the help of its command says.
    pub note: &'static str,
    /// Who keeps the record of use: `AWS`.
    pub vendor: &'static str,
    /// What it is told.
    pub inputs: &'static [InputSpec],
    /// Builds the provider from the inputs that were recorded when the rotation was opened.
    pub connect: fn(Value, &Arc<Vendors>) -> Connecting,
    /// Whether what the inputs refer to is there: looked at before a key is made for it.
    pub ready: fn(&Value) -> Result<(), Unready>,
    /// How a person shows the key that the consumer uses now; `None` where it cannot be shown.
    pub shown_key: Option<ShownKey>,
    /// What a person does at the consumer to move it to the new key, one action a line.
    /// `{key}` stands for the new key's id, `{destination}` for where its secret lies.
    pub handover: &'static [&'static str],
    /// What they do beside that, where it is the key that the program runs on itself.
    pub own_handover: Option<&'static str>,
    /// How the administrator's credentials are given.
    pub credentials: &'static str,
    /// How a person finds out whether they work.
    pub try_credentials: &'static str,
    /// Whether a host, in small letters, is the vendor's own. The whole name is looked at: anybody can rent one that ends like
    /// a vendor's.
    pub is_vendors_host: fn(&str) -> bool,
    /// Where an endpoint may come from.
    pub endpoint_from: &'static str,
    /// Whether a word is public by its form: the id of a key, a fingerprint.
    pub is_public: fn(&str) -> bool,
    /// What its secrets consist of, which decides where they can be delivered.
    pub secret: SecretForm,
    /// Where a new key goes if nobody says where.
    pub default_destination: Option<&'static str>,
    /// What the vendor can do, and how exact it is.
    pub capabilities: Capabilities,
    /// How often the vendor is called at most, where that is set.
    pub pace: Option<VendorPace>,
}

/// What a vendor can do, and how exact it is.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// How many keys an owner can have at once.
    pub most_keys: usize,
    /// Whether it makes the keys: then a new one's secret can be lost with a crash.
    pub makes_keys: bool,
    /// Whether there is one secret, and a new one takes its place where it stands.
    pub replaces: bool,
    /// Whether it calls that secret by another name each time it is set: otherwise ours cannot be told from a stranger's.
    pub names_each_secret: bool,
    /// Whether it can disable a key; others only remove it.
    pub disables: bool,
    /// Whether its lists may show for a while what is no longer so.
    pub lists_lag: bool,
    /// Whether a login can be proven apart from the permission that the consumer needs.
    pub tells_identity: bool,
    /// Whether the program may be told to rotate the key that it runs on itself.
    pub rotates_itself: bool,
    /// In which steps it records use: only use later than that after our own proof is someone else's.
    pub use_steps: SignedDuration,
}

impl Capabilities {
    /// What is true of a vendor of which nothing is known: the least that any can do.
    pub const LEAST: Self = Self {
        most_keys: 2,
        makes_keys: true,
        replaces: false,
        names_each_secret: false,
        disables: false,
        lists_lag: true,
        tells_identity: false,
        rotates_itself: false,
        use_steps: SignedDuration::from_mins(15),
    };
}

/// How a person shows the key that the consumer uses now.
pub struct ShownKey {
    /// What it is, as the help of its option.
    pub help: &'static str,
    /// Reads the file that is shown, with the inputs of the target; or says what is wrong with it.
    pub read: fn(&Path, &Value) -> Result<KeyShown, String>,
}

/// A key that somebody has shown.
pub struct KeyShown {
    /// Which.
    pub key: KeyId,
    /// What would register it again, where that is known.
    pub public: Option<PublicHalf>,
}

/// Something that the inputs refer to is not there, or cannot be read.
pub struct Unready {
    /// Why.
    pub why: String,
    /// The input that names it.
    pub input: &'static str,
    /// What fixes it.
    pub remedy: &'static str,
}

/// How often a vendor is called at most.
pub struct VendorPace {
    /// Its key among the defaults of rotate.toml.
    pub key: &'static str,
    /// What is called, as it follows `how often`.
    pub what: &'static str,
    /// Calls a second, if nobody says otherwise.
    pub calls_per_second: u32,
}

impl Automation {
    /// What a connector says that has nothing to say; its id, its inputs and how it connects are its own.
    pub(crate) const LEAST: Self = Self {
        id: "",
        title: "",
        noun: "key",
        note: "",
        vendor: "the vendor",
        inputs: &[],
        connect: |_, _| Box::pin(async { Err(configuration("connect", "nobody has said how".to_owned())) }),
        ready: |_| Ok(()),
        shown_key: None,
        handover: &[],
        own_handover: None,
        credentials: "",
        try_credentials: "",
        is_vendors_host: |_| false,
        endpoint_from: "",
        is_public: |_| false,
        secret: SecretForm::NOTHING,
        default_destination: None,
        capabilities: Capabilities::LEAST,
        pace: None,
    };

    /// The option that names whose keys a target is about.
    pub fn identity_option(&self) -> String {
        let first = self.inputs.iter().find(|input| input.identifies);
        first.map(InputSpec::option).unwrap_or_default()
    }
}

/// A provider on its way.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Box<dyn Provider>, Error>> + Send>>;

/// Whether the form of a word makes it public by the rules of one of the vendors.
pub fn is_public(word: &str) -> bool {
    let mut automated = crate::connectors().filter_map(|connector| connector.automation);
    automated.any(|automation| (automation.is_public)(word))
}
