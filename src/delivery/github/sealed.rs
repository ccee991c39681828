//! The box that only GitHub opens: libsodium's sealed one, made with a key that is fetched for each delivery.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use serde::Deserialize;

use super::faults::{unfit, unreadable};
use crate::delivery::Fault;

/// What GitHub encrypts for. It is another one from time to time.
#[derive(Deserialize)]
pub(super) struct BoxKey {
    pub(super) key_id: String,
    key: String,
}

impl BoxKey {
    /// The value as GitHub takes it.
    pub(super) fn seal(&self, value: &str) -> Result<String, Fault> {
        let bytes = BASE64_STANDARD.decode(&self.key).unwrap_or_default();
        let key = PublicKey::from_slice(&bytes).map_err(|_| unreadable("the public key"))?;
        let sealed = key.seal(&mut OsRng, value.as_bytes());
        let sealed = sealed.map_err(|_| unfit("the secret cannot be encrypted".to_owned(), "deliver elsewhere"))?;
        Ok(BASE64_STANDARD.encode(&sealed))
    }
}
