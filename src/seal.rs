//! What encrypts a secret while it waits in the store.

mod age;
mod names;

use rotate_providers::secret::Secret;

use crate::private_file::Refused;

pub use self::age::AgeSealer;
pub use names::{NEW_KEY, OLD_KEY, before, label, sealed_with};

/// Encrypts secrets for the store, and only there are they opened again.
///
/// `label` says what a secret is for. It is sealed together with the secret and compared when it is opened, so that one
/// sealed secret cannot be put in another's place.
pub trait Sealer: Send + Sync {
    /// Encrypts.
    fn seal(&self, label: &str, secret: &Secret) -> Result<Vec<u8>, SealError>;
    /// Decrypts.
    fn open(&self, label: &str, sealed: &[u8]) -> Result<Secret, SealError>;
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
    /// The identity file is unreadable or not an identity.
    #[error("the identity {path} cannot be used: {why}")]
    Identity {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// Encryption failed.
    #[error("the secret cannot be sealed")]
    Seal,
    /// The sealed bytes are damaged, or were sealed to another identity.
    #[error("the sealed secret cannot be opened with this identity")]
    Open,
    /// They are someone else's.
    #[error("the sealed secret belongs elsewhere: the store was changed")]
    Label,
}
