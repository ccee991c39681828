//! What is fixed when a rotation is opened, and in which ways it may differ from another.

use std::ops::Not;

use rotate_providers::Capabilities;
use rotate_providers::contract::{KeyId, Principal, PublicHalf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Switch, SwitchedBy, Window};

/// What is fixed when a rotation is opened.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationSpec {
    /// The connector's id.
    pub connector: String,
    /// The connector's inputs, as its provider reads them.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub inputs: serde_json::Value,
    /// Where the new secret goes, by the destinations' own names.
    pub destinations: Vec<String>,
    /// The programs that run once they hold it, in this order, by their own names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_delivery: Vec<String>,
    /// How it becomes known that every consumer has moved.
    pub cutover: Cutover,
    /// What the proofs of the new key rest on.
    #[serde(default, skip_serializing_if = "Prove::is_default")]
    pub prove: Prove,
    /// How long the old key stays disabled before it is deleted, in seconds.
    pub soak_seconds: u64,
    /// How long the vendor's record of use is watched at least before it counts as evidence, in seconds.
    pub observe_seconds: u64,
    /// How long the cut-over may take before it is overdue, in seconds.
    pub allowance_seconds: u64,
    /// Who owns the keys, by an immutable id.
    pub owner: Principal,
    /// The key that is to go.
    pub old_key: KeyId,
    /// How it goes.
    #[serde(default, skip_serializing_if = "Retirement::is_default")]
    #[schemars(extend("not" = { "const": "disable" }))]
    pub retirement: Retirement,
    /// Whether the new key is made on this machine, and not by the vendor.
    #[serde(default, skip_serializing_if = "Not::not")]
    #[schemars(extend("const" = true))]
    pub mints_locally: bool,
    /// Whether the program runs as the owner of these keys, and was told to go on all the same.
    #[serde(default, skip_serializing_if = "Not::not")]
    #[schemars(extend("const" = true))]
    pub own_identity: bool,
    /// The host at which the vendor was found, without its port; none where that was this machine, or is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Box<str>>,
    /// When effects are allowed; none: at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Box<Window>>,
    /// What becomes of a new key whose secret was lost.
    #[serde(default, skip_serializing_if = "LostKey::is_default")]
    pub lost_key: LostKey,
}

impl RotationSpec {
    /// What the vendor can do, and how exact it is.
    pub fn capabilities(&self) -> Capabilities {
        rotate_providers::capabilities(&self.connector)
    }

    /// Whether the new secret takes the place of the old one, with no time in which both work.
    pub fn replaces(&self) -> bool {
        self.retirement == Retirement::Replace
    }

    /// Whether the old key rests while it still works, after this cut-over.
    pub(super) fn rests_first(&self, switch: Option<&Switch>) -> bool {
        let attested = |switch: &Switch| matches!(switch.by, SwitchedBy::Attested { .. });
        self.retirement == Retirement::RemoveForGood || switch.is_some_and(attested)
    }
}

/// How the old key goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Retirement {
    /// It is disabled, rests, and is deleted.
    #[default]
    Disable,
    /// The vendor can only remove it: it is removed and rests, and until the end of its rest it can be registered again.
    Remove {
        /// What registers it again.
        public: PublicHalf,
    },
    /// The vendor can only remove it, and nothing would bring it back: it rests first, and is removed then.
    RemoveForGood,
    /// The new one takes its place where it stands: it is gone at that instant.
    Replace,
}

impl Retirement {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How it becomes known that every consumer has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cutover {
    /// A person says so.
    Confirm,
    /// The vendor sees the new key in use and the old one idle.
    Observed,
    /// The delivery is the cut-over: every consumer reads the destination each time.
    Immediate,
}

impl Cutover {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Confirm, Self::Observed, Self::Immediate];

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Observed => "observed",
            Self::Immediate => "immediate",
        }
    }
}

/// What the proofs of a new key rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prove {
    /// A login from here, with the permission that the consumer needs.
    #[default]
    Login,
    /// A login from here; the permission is the consumer's to prove, by using the key.
    Identity,
    /// The vendor's list; all else is the consumer's to prove, by using the key.
    Consumer,
}

impl Prove {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Login, Self::Identity, Self::Consumer];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Identity => "identity",
            Self::Consumer => "consumer",
        }
    }
}

/// What becomes of a new key whose secret was lost with a crash, before anybody had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostKey {
    /// It is deleted, once it is certain that it is that key.
    #[default]
    Delete,
    /// A person is asked, always.
    Ask,
}

impl LostKey {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Delete, Self::Ask];

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Ask => "ask",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
