//! Sealing with a key that somebody else keeps and never hands out.
//!
//! Each rotation has an age identity of its own, which nobody has but as the key service has encrypted it. It is made, encrypted and
//! decrypted once before there is a secret: between a vendor that hands one out and the store nobody is asked any more. The secret
//! itself never goes to the service. What the service has decrypted is kept in memory and not asked for again: where consumers are cut
//! off until a secret is delivered, a service that fails meanwhile keeps nobody waiting.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rotate_providers::secret::Secret;
use tokio::sync::Mutex;

use super::age::{AgeSealer, Recipients};
use super::form::written;
use super::services::{KeyService, key_of};
use super::{Purpose, SealError};

/// Seals with a key of this service.
pub(super) struct Envelope {
    service: Box<dyn KeyService>,
    /// What each rotation is sealed to, and the identity that opens it, encrypted.
    prepared: Mutex<HashMap<String, (Recipients, Vec<u8>)>>,
    /// Those identities, as far as the service has decrypted them.
    decrypted: Mutex<HashMap<Encrypted, Arc<AgeSealer>>>,
}

/// An identity as the service has encrypted it, for this target and rotation.
#[derive(PartialEq, Eq, Hash)]
struct Encrypted {
    target: String,
    rotation: String,
    wrapped: Vec<u8>,
}

impl Encrypted {
    fn of(purpose: &Purpose<'_>, wrapped: &[u8]) -> Self {
        Self {
            target: purpose.target.to_owned(),
            rotation: purpose.rotation.to_owned(),
            wrapped: wrapped.to_owned(),
        }
    }
}

impl Envelope {
    pub(super) fn of(service: Box<dyn KeyService>) -> Self {
        Self {
            service,
            prepared: Mutex::default(),
            decrypted: Mutex::default(),
        }
    }

    /// As the configuration spells it.
    pub(super) fn spelling(&self) -> &str {
        self.service.spelling()
    }

    /// The key alone, whoever asks for it.
    pub(super) fn key(&self) -> &str {
        key_of(self.spelling())
    }

    /// Whether this spelling means the same key, whoever asks for it.
    pub(super) fn is(&self, by: &str) -> bool {
        key_of(by) == self.key()
    }

    pub(super) async fn prepare(&self, purpose: &Purpose<'_>) -> Result<(), SealError> {
        self.prepared_for(purpose).await.map(drop)
    }

    pub(super) async fn seal(&self, purpose: &Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let (to, wrapped) = self.prepared_for(purpose).await?;
        let made = to.encrypt(&purpose.label(), secret)?;
        let made = [STANDARD.encode(wrapped).as_bytes(), b"\n", &made].concat();
        Ok(written(self.key(), &made))
    }

    /// Opens what stands behind the line that says by what it was sealed.
    pub(super) async fn open(&self, purpose: &Purpose<'_>, made: &[u8]) -> Result<Secret, SealError> {
        let end = made.iter().position(|byte| *byte == b'\n').ok_or(SealError::Open)?;
        let (wrapped, sealed) = made.split_at_checked(end).ok_or(SealError::Open)?;
        let wrapped = STANDARD.decode(wrapped).map_err(|_| SealError::Open)?;
        let identity = self.identity(purpose, &wrapped).await?;
        identity.decrypt(&purpose.label(), sealed.get(1..).unwrap_or_default())
    }

    /// The identity that was encrypted so. Asked for once: those of other rotations do not wait for it.
    async fn identity(&self, purpose: &Purpose<'_>, wrapped: &[u8]) -> Result<Arc<AgeSealer>, SealError> {
        let encrypted = Encrypted::of(purpose, wrapped);
        if let Some(known) = self.decrypted.lock().await.get(&encrypted) {
            return Ok(Arc::clone(known));
        }
        let text = self.service.unwrap(purpose, wrapped).await?;
        let identity = Arc::new(AgeSealer::of_text(&text)?);
        self.decrypted.lock().await.insert(encrypted, Arc::clone(&identity));
        Ok(identity)
    }

    async fn prepared_for(&self, purpose: &Purpose<'_>) -> Result<(Recipients, Vec<u8>), SealError> {
        // Those of other rotations do not wait for the service.
        if let Some(known) = self.prepared.lock().await.get(purpose.rotation) {
            return Ok(known.clone());
        }
        let (to, identity) = AgeSealer::generate();
        let wrapped = self.service.wrap(purpose, &identity).await?;
        // Who may only encrypt would lock the secret away from itself.
        match self.identity(purpose, &wrapped).await {
            Ok(again) if again.own() == to.written() => {}
            Ok(_) | Err(SealError::Open) => {
                return Err(SealError::Service {
                    what: format!("{} gives back another key than it was given", self.spelling()),
                    remedy:
                        "nothing was made; see where the requests go to: something else answers in the service's place"
                            .to_owned(),
                });
            }
            Err(error) => return Err(error),
        }
        let known = (to, wrapped);
        let mut prepared = self.prepared.lock().await;
        prepared.insert(purpose.rotation.to_owned(), known.clone());
        Ok(known)
    }
}
