//! What the driver asks of a vendor.
//!
//! A provider knows its vendor and nothing of the journal, the clock, the command line or destinations. It decides
//! nothing: it reads, it does one effect, and it says truthfully what is known of that effect afterwards.
//!
//! Words that may have text of a vendor in them are [`Sanitized`], and names are parsed where they come in.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{configuration, local};
pub use crate::error::{Effect, Error, Kind, cause};
pub use crate::key_id::{KeyId, NotAKeyId, PublicHalf};
use crate::secret::{Credential, Secret};
use crate::untrusted::{Label, Sanitized};

/// One credential's life at its vendor.
///
/// Reads may be repeated at will. Each effect says what a repeat does, and answers with what the vendor calls the request that did
/// it, as its own log has it: `None` where it names none, and where nothing was left to do.
///
/// Some vendors can disable a key; others only remove it. For those, disabling *is* removing, and enabling a key again is
/// registering its public half once more, if that is known. What stands here of a method is what holds for a vendor that has
/// no such thing.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The host that is called, in lower case and without its port; `None` where it is this machine.
    fn host(&self) -> Option<String>;

    /// Whose credentials the program calls with, and where they were found. A repeat may answer from memory.
    async fn caller(&self) -> Result<Caller, Error>;

    /// Who owns the keys, all keys that exist, and whether the program itself runs on one of them.
    async fn observe(&self) -> Result<Observation, Error>;

    /// All keys of the owner, every page. The vendor's lists lag: absence in one reading proves nothing. Of
    /// [`Minting::InPlace`] it is the one secret that stands, and never a late answer: see [`ReplacesInPlace`].
    async fn keys(&self) -> Result<Listed, Error>;

    /// Where the vendor's keys are made.
    fn minting(&self) -> Minting<'_>;

    /// One login with the credential, and the consumer's own permission where that is asked for. A repeat logs in again.
    async fn probe(&self, credential: &Credential, owner: &Principal, proof: Proof) -> Verdict;

    /// When the vendor last saw the key in use. Evidence, never proof: it is coarse and late. Where it is not reported, a key
    /// whose secret was lost always calls a person.
    async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error>;

    /// Whether the vendor has on record that it refused a login with this key since then; `None` also where it keeps no such
    /// record, or does not show it. A repeat reads again.
    async fn refused_since(&self, _: &KeyId, _: Timestamp) -> Result<Option<RefusedLogin>, Error> {
        Ok(None)
    }

    /// Disables a key, reversibly. A repeat is a no-op; a key that is gone counts as disabled.
    async fn deactivate(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        self.delete(key).await
    }

    /// Enables a key again. A repeat is a no-op; a key that is gone, and cannot be registered again, is [`Kind::NotFound`].
    async fn reactivate(&self, key: &KeyId, _: Option<&PublicHalf>) -> Result<Option<Label>, Error> {
        // One that was not removed yet works as before.
        let works = self
            .keys()
            .await?
            .keys
            .iter()
            .any(|listed| listed.id == *key && listed.active);
        let gone = || {
            local(
                Kind::NotFound,
                &format!("enable key {key} again"),
                "the vendor cannot bring it back".to_owned(),
            )
        };
        works.then_some(None).ok_or_else(gone)
    }

    /// Deletes a key. A repeat is a no-op; a key that is gone counts as deleted. Never asked of [`Minting::InPlace`].
    async fn delete(&self, key: &KeyId) -> Result<Option<Label>, Error>;

    /// What can be found out beforehand of whether a rotation would work. Reads only. A repeat may answer from memory what
    /// [`observe`](Self::observe) has read.
    async fn preflight(&self, _: &Principal, _: Thoroughness) -> Preflight {
        Preflight::default()
    }

    /// Logs in with this credential from here on, and with the configured one only where it is refused: the program was
    /// told to rotate the key that it runs on itself. A repeat is a no-op.
    async fn adopt(&self, _: &Credential) -> Result<(), Error> {
        let detail = "this connector does not rotate its own key".to_owned();
        Err(configuration("go on with the new key", detail))
    }
}

/// How much is looked at before a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoroughness {
    /// What can stop it, because it is about to begin: whatever could only be [`Check::Unknown`] shows in a moment.
    Obstacles,
    /// That, and whatever a person should know beforehand.
    Everything,
}

/// What was found out before a rotation.
#[derive(Clone, Debug, Default)]
pub struct Preflight {
    /// The time by the vendor's clock, where its answers tell it.
    pub vendor_time: Option<Timestamp>,
    /// How far this machine's may be from it.
    pub clock: ClockTolerance,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// How far this machine's clock may be from the vendor's.
#[derive(Clone, Copy, Debug)]
pub struct ClockTolerance {
    /// From here on it is worth a word: logins may be refused.
    pub worth_a_word: SignedDuration,
    /// From here on they are.
    pub refused: SignedDuration,
}

/// What signed requests bear as a rule.
impl Default for ClockTolerance {
    fn default() -> Self {
        Self {
            worth_a_word: SignedDuration::from_secs(50),
            refused: SignedDuration::from_mins(5),
        }
    }
}

/// One thing that was looked at beforehand.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What: `permission iam:CreateAccessKey`, `bucket acme-data`.
    pub what: Sanitized,
    /// What came of it.
    pub check: Check,
}

/// What came of a look.
#[derive(Clone, Debug)]
pub enum Check {
    /// It is as it should be.
    Fine,
    /// A rotation would fail on it.
    Wrong {
        /// Why, as a fragment.
        why: Sanitized,
        /// What fixes it.
        remedy: String,
    },
    /// It shows only when it is used.
    Unknown {
        /// Why, as a fragment.
        why: Sanitized,
    },
}

/// Where keys are made.
pub enum Minting<'a> {
    /// The vendor makes them, and shows each secret once.
    AtVendor(&'a dyn MintsAtVendor),
    /// We make them, and the vendor is told the public half.
    Local(&'a dyn MintsLocally),
    /// There is one, which stands at the vendor, and a new one takes its place: a password.
    InPlace(&'a dyn ReplacesInPlace),
}

/// A vendor that makes keys.
#[async_trait]
pub trait MintsAtVendor: Send + Sync {
    /// Waits until this account may be called, so that [`create`](Self::create) leaves at once. A repeat waits again.
    async fn turn(&self);

    /// Creates a key; its secret is shown this once. One call, never repeated here, not even after throttling. **A repeat
    /// creates another one**: after [`Effect::Unknown`] list the keys before deciding.
    async fn create(&self) -> Result<(Credential, Option<Label>), Error>;

    /// How long after it has left that call may still take effect, as far as its answer is waited for.
    fn longest_call(&self) -> Duration;
}

/// A vendor that is told the public half of keys that are made here.
#[async_trait]
pub trait MintsLocally: Send + Sync {
    /// Makes a key on this machine. A repeat makes another one; the vendor knows of neither.
    async fn mint(&self) -> Result<(Credential, PublicHalf), Error>;

    /// Registers a key, beside those that exist and never in the place of one. A repeat is a no-op.
    async fn register(&self, key: &KeyId, public: &PublicHalf) -> Result<Option<Label>, Error>;
}

/// A vendor that holds one secret of an owner, which is replaced where it stands.
///
/// There is no overlap: once the new one is set, the old one is refused, and its consumers are cut off until the new one is
/// delivered. So all else comes first: the old secret is sealed where a destination holds it and proven by a login, the new one
/// is made and sealed, deliveries are rehearsed. Then the intent, [`replace`](Self::replace), a login, the deliveries; nothing is
/// waited for, and there is nothing to disable or delete.
///
/// The vendor shows no secret, so which one stands is told by logins: [`Provider::probe`] has to say [`Verdict::Rejected`] of a
/// wrong secret and of nothing else. A locked user, a host that may not come in and a server that is starting are
/// [`Verdict::Barred`] or [`Verdict::Inconclusive`]. A probe logs in once: failed logins lock users out.
///
/// Its one key is called by what the vendor numbers its secrets with, or by when it was changed last; where the vendor tells
/// neither, always by the same word. A name is never made from the secret itself. A vendor that goes on to take the old secret
/// beside the new one (for a time, or until it is told to stop) holds two keys, and is none of these.
#[async_trait]
pub trait ReplacesInPlace: Send + Sync {
    /// Makes a secret on this machine that the vendor will take. A repeat makes another one; the vendor knows of neither.
    async fn generate(&self) -> Result<Secret, Error>;

    /// Makes this the owner's secret, whatever it was before: with the administrator's credentials, never by way of a login of
    /// the owner. **A repeat with the same secret leaves it standing**, so after [`Effect::Unknown`], and after any crash, the
    /// same one is set again.
    async fn replace(&self, secret: &Secret) -> Result<Option<Label>, Error>;
}

/// Who owns the keys, by a name that cannot be given to anyone else.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The account.
    pub account: String,
    /// The name, which may be deleted and given away again.
    pub name: String,
    /// The vendor's immutable id (AWS: `UserId`); the name again where the vendor has none. There, each effect names the
    /// key itself, which nobody else holds.
    pub id: String,
}

/// One key as the vendor lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub id: KeyId,
    /// Whether the vendor accepts it.
    pub active: bool,
    /// When the vendor made it, or was told of it, by the vendor's clock.
    pub created_at: Option<Timestamp>,
    /// What would register it again, where it is a key pair and the vendor shows it.
    pub public: Option<PublicHalf>,
    /// The vendor's own command that deletes it, quoted for whoever pastes it: the way out that an error message can name.
    pub delete_by_hand: String,
}

/// The keys of an owner, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// All of them.
    pub keys: Vec<Key>,
    /// The vendor's own time, in whole seconds, where the answer tells it.
    pub vendor_time: Option<Timestamp>,
}

/// Who the program is to a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The login, as the vendor writes it.
    pub login: Sanitized,
    /// Where its credentials were found, as a phrase: `profile admin of ~/.aws/credentials`.
    pub found_in: Sanitized,
}

/// A target as found at the vendor.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The owner of the keys.
    pub owner: Principal,
    /// Its keys.
    pub keys: Vec<Key>,
    /// The vendor's own time when it listed them, in whole seconds, where the answer tells it.
    pub vendor_time: Option<Timestamp>,
    /// Whether the program itself runs as this owner.
    pub is_caller: bool,
    /// The keys that the program itself runs on.
    pub caller_keys: Vec<KeyId>,
}

/// What the vendor says of a key's use. "Unused" is not "unknown".
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastUse {
    /// Last seen in use.
    At {
        /// When, as coarse as the vendor reports it.
        at: Timestamp,
        /// At which service.
        service: Sanitized,
        /// In which region.
        region: Sanitized,
    },
    /// The vendor keeps a record and it is empty.
    NeverSeen,
    /// The vendor keeps no record, or would not show it.
    NotReported,
}

/// What a probe has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A login, and the permission that the consumer needs.
    Permission,
    /// A login alone: the permission shows only where the consumer is.
    Identity,
}

/// A login that the vendor has on record as refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLogin {
    /// When.
    pub at: Timestamp,
    /// Why, as a fragment.
    pub why: Sanitized,
}

/// What one probe of a credential found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The login and the consumer's permission both work, as the right owner.
    Accepted,
    /// The vendor refuses it.
    Rejected {
        /// Why, as a fragment.
        reason: Sanitized,
        /// Whether a key that is only seconds old may be refused like this.
        may_be_lag: bool,
    },
    /// The vendor refuses whoever comes from here, whatever the key, and time does not heal it: a policy of the network, or of
    /// how one may log in.
    Barred {
        /// Why, as a fragment.
        reason: Sanitized,
    },
    /// Nothing is known: network, throttling, a clock that is off.
    Inconclusive {
        /// Why, as a fragment.
        reason: Sanitized,
    },
}
