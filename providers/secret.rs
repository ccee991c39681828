//! The only types that may hold a secret in clear.
//!
//! They cannot be printed, copied or serialised, and they wipe their memory when dropped. A secret is read with
//! [`Secret::expose`], at three kinds of place only: the wire, a sealer, and the destination that the user named.

use zeroize::Zeroizing;

use crate::key_id::{KeyId, PublicHalf};

/// Bytes that must not be seen. No `Debug`, `Display`, `Clone` or `Serialize`, on purpose.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller keeps no copy.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes in clear.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret in clear where it is text; `None` where it is not UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// A key's public name and its secret: what a destination receives and what a login needs.
pub struct Credential {
    /// The public name, fit for logs.
    pub key: KeyId,
    /// The public half, where it is a key pair.
    pub public: Option<PublicHalf>,
    /// The secret: an AWS secret access key, the PEM text of a private key.
    pub secret: Secret,
}
