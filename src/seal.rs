//! What encrypts a secret while it waits in the store.

mod age;
mod configured;
mod envelope;
mod form;
mod keyring;
mod names;
mod services;

use async_trait::async_trait;
use rotate_providers::secret::Secret;

use crate::private_file::Refused;

pub use self::age::AgeSealer;
pub use configured::{Method, SealWith};
pub use form::sealer_of;
pub use keyring::Keyring;
pub use names::{NEW_KEY, OLD_KEY, before, label, sealed_with};
pub use services::key_of;

/// Encrypts secrets for the store, and only there are they opened again.
///
/// What a secret is for is sealed together with it and compared when it is opened, so that one sealed secret cannot be put in
/// another's place.
#[async_trait]
pub trait Sealer: Send + Sync {
    /// Gets whatever it takes to seal for this rotation, and proves that it can be opened here. Asked before there is anything that
    /// could be lost: sealing goes on without anybody's help afterwards. A repeat asks nobody.
    async fn prepare(&self, purpose: &Purpose<'_>) -> Result<(), SealError>;
    /// Encrypts.
    async fn seal(&self, purpose: &Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, SealError>;
    /// Decrypts.
    async fn open(&self, purpose: &Purpose<'_>, sealed: &[u8]) -> Result<Secret, SealError>;
}

/// What a secret is for.
#[derive(Clone, Copy)]
pub struct Purpose<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The id of its rotation.
    pub rotation: &'a str,
    /// The secret's name there.
    pub name: &'a str,
}

impl Purpose<'_> {
    /// What is sealed together with the secret.
    fn label(&self) -> String {
        label(self.rotation, self.name)
    }
}

/// A secret that could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The identity file cannot be read or made.
    #[error("the identity {path} cannot be used: {source}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        source: Refused,
    },
    /// The identity is unreadable or not an identity.
    #[error("the identity {path} cannot be used: {why}")]
    Identity {
        /// Where it is.
        path: String,
        /// Why.
        why: String,
    },
    /// The file of recipients cannot be used.
    #[error("the recipients in {path} cannot be used: {why}")]
    Recipients {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// What this machine seals it could not open again.
    #[error(
        "this machine is no recipient of what it would seal: its own is {own}, and the configuration names {named}"
    )]
    NotARecipient {
        /// The recipients of this machine's identities.
        own: String,
        /// Those of the configuration.
        named: String,
    },
    /// Encryption failed.
    #[error("the secret cannot be sealed")]
    Seal,
    /// The sealed bytes are damaged, or were sealed to another identity.
    #[error("the sealed secret cannot be opened with this identity")]
    Open,
    /// The sealed bytes say by whom they can be opened, and that is not this machine.
    #[error(
        "the sealed secret cannot be opened with this identity: it is sealed with {by}, and this machine has {own}"
    )]
    Foreign {
        /// By what they were sealed.
        by: String,
        /// What this machine can open.
        own: String,
    },
    /// The row names a key that nobody has configured: whoever can write there would say whom we ask, and as whom.
    #[error(
        "it is sealed with {by}, and here it is sealed with {own}: a key that is named by what is sealed alone is not asked"
    )]
    OtherKey {
        /// The key by which it says that it was sealed.
        by: String,
        /// What seals here.
        own: String,
    },
    /// A key service has refused, or cannot be asked.
    #[error("{what}")]
    Service {
        /// What failed, at which key, for whom.
        what: String,
        /// What fixes it.
        remedy: String,
    },
    /// This build does not have what sealed it.
    #[error("this rotate was built without {0}, which seals it")]
    NotBuilt(&'static str),
    /// A later version has sealed it.
    #[error("it was sealed by a later version of rotate")]
    Newer,
    /// They are someone else's.
    #[error("the sealed secret belongs elsewhere: the store was changed")]
    Label,
}
