//! Sealing with a key that somebody else keeps and never hands out.
//!
//! Each rotation has an age identity of its own, which nobody has but as the key service has encrypted it. It is made, encrypted and
//! decrypted once before there is a secret: between a vendor that hands one out and the store nobody is asked any more. The secret
//! itself never goes to the service.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rotate_providers::secret::Secret;
use tokio::sync::Mutex;

use super::age::{AgeSealer, Recipients};
use super::form::written;
use super::services::KeyService;
use super::{Purpose, SealError};

/// Seals with a key of this service.
pub(super) struct Envelope {
    service: Box<dyn KeyService>,
    /// What each rotation is sealed to, and the identity that opens it, encrypted.
    prepared: Mutex<HashMap<String, (Recipients, Vec<u8>)>>,
}

impl Envelope {
    pub(super) fn of(service: Box<dyn KeyService>) -> Self {
        Self {
            service,
            prepared: Mutex::default(),
        }
    }

    /// As the configuration spells it.
    pub(super) fn spelling(&self) -> &str {
        self.service.spelling()
    }

    /// Whether this spelling means the same key, whoever asks for it.
    pub(super) fn is(&self, by: &str) -> bool {
        let key = |spelling: &str| spelling.split('?').next().map(str::to_owned);
        key(by) == key(self.spelling())
    }

    pub(super) async fn prepare(&self, purpose: &Purpose<'_>) -> Result<(), SealError> {
        self.prepared_for(purpose).await.map(drop)
    }

    pub(super) async fn seal(&self, purpose: &Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let (to, wrapped) = self.prepared_for(purpose).await?;
        let made = to.encrypt(&purpose.label(), secret)?;
        let made = [STANDARD.encode(wrapped).as_bytes(), b"\n", &made].concat();
        Ok(written(self.spelling(), &made))
    }

    /// Opens what stands behind the line that says by what it was sealed.
    pub(super) async fn open(&self, purpose: &Purpose<'_>, made: &[u8]) -> Result<Secret, SealError> {
        let end = made.iter().position(|byte| *byte == b'\n').ok_or(SealError::Open)?;
        let (wrapped, sealed) = made.split_at_checked(end).ok_or(SealError::Open)?;
        let wrapped = STANDARD.decode(wrapped).map_err(|_| SealError::Open)?;
        let identity = self.service.unwrap(purpose, &wrapped).await?;
        AgeSealer::of_text(&identity)?.decrypt(&purpose.label(), sealed.get(1..).unwrap_or_default())
    }

    async fn prepared_for(&self, purpose: &Purpose<'_>) -> Result<(Recipients, Vec<u8>), SealError> {
        // Those of other rotations do not wait for the service.
        if let Some(known) = self.prepared.lock().await.get(purpose.rotation) {
            return Ok(known.clone());
        }
        let (to, identity) = AgeSealer::generate();
        let wrapped = self.service.wrap(purpose, &identity).await?;
        // Who may only encrypt would lock the secret away from itself.
        let again = self.service.unwrap(purpose, &wrapped).await?;
        if again.expose() != identity.expose() {
            return Err(SealError::Service {
                what: format!("{} gives back another key than it was given", self.spelling()),
                remedy: "nothing was made; see where the requests go to: something else answers in the service's place"
                    .to_owned(),
            });
        }
        let known = (to, wrapped);
        let mut prepared = self.prepared.lock().await;
        prepared.insert(purpose.rotation.to_owned(), known.clone());
        Ok(known)
    }
}
