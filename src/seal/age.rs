//! Sealing with age: one X25519 identity in the state folder.

use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use rotate_providers::secret::Secret;
use zeroize::Zeroizing;

use super::{SealError, Sealer};
use crate::private_file::{self, Place};

/// An identity is one line of 74 letters.
const LARGEST: u64 = 4096;

/// Seals to the identity in one file.
pub struct AgeSealer {
    identity: Identity,
}

impl AgeSealer {
    /// Reads the identity of this path.
    pub fn open(path: &Path) -> Result<Self, SealError> {
        Self::open_at(&of(path)?)
    }

    /// The same, in a folder that is open.
    pub fn open_at(place: &Place) -> Result<Self, SealError> {
        let refused = |source| SealError::File {
            path: place.path().display().to_string(),
            source,
        };
        let failed = |why: &str| SealError::Identity {
            path: place.path().display().to_string(),
            why: why.to_owned(),
        };
        let Some(found) = private_file::open_own(place).map_err(refused)? else {
            return Err(failed("it is not there"));
        };
        let bytes = Zeroizing::new(found.bytes(LARGEST).map_err(refused)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is not text"))?;
        let identity = text.trim().parse().map_err(failed)?;
        Ok(Self { identity })
    }

    /// Makes a new identity at this path, durably, and never over an existing one.
    pub fn create(path: &Path) -> Result<Self, SealError> {
        Self::create_at(&of(path)?)
    }

    /// The same, in a folder that is open.
    pub fn create_at(place: &Place) -> Result<Self, SealError> {
        let identity = Identity::generate();
        let text = identity.to_string();
        private_file::create(place, text.expose_secret().as_bytes()).map_err(|source| SealError::File {
            path: place.path().display().to_string(),
            source,
        })?;
        Ok(Self { identity })
    }
}

impl AgeSealer {
    /// To whom it seals: no secret.
    pub fn recipient(&self) -> String {
        self.identity.to_public().to_string()
    }
}

fn of(path: &Path) -> Result<Place, SealError> {
    Place::of(path).map_err(|unfit| SealError::File {
        path: path.display().to_string(),
        source: unfit.into(),
    })
}

impl Sealer for AgeSealer {
    fn seal(&self, label: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(label.len() + 1 + secret.expose().len()));
        plain.extend_from_slice(label.as_bytes());
        plain.push(0);
        plain.extend_from_slice(secret.expose());
        age::encrypt(&self.identity.to_public(), &plain).map_err(|_| SealError::Seal)
    }

    fn open(&self, label: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let plain = Zeroizing::new(age::decrypt(&self.identity, sealed).map_err(|_| SealError::Open)?);
        let secret = plain
            .strip_prefix(label.as_bytes())
            .and_then(|rest| rest.strip_prefix(&[0]))
            .ok_or(SealError::Label)?;
        Ok(Secret::new(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> (tempfile::TempDir, AgeSealer) {
        let folder = tempfile::tempdir().unwrap();
        let sealer = AgeSealer::create(&folder.path().join("identity.txt")).unwrap();
        (folder, sealer)
    }

    #[test]
    fn a_sealed_secret_opens_under_its_own_label_only() {
        let (_folder, sealer) = sealer();
        let sealed = sealer.seal("rotation/new", &Secret::new("s3cret")).unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"s3cret"));
        assert_eq!(sealer.open("rotation/new", &sealed).unwrap().expose(), b"s3cret");
        assert!(matches!(sealer.open("rotation/ne", &sealed), Err(SealError::Label)));
        assert!(matches!(sealer.open("other", &sealed), Err(SealError::Label)));
    }

    #[test]
    fn a_changed_or_foreign_sealed_secret_is_refused() {
        let (_folder, sealer) = sealer();
        let mut sealed = sealer.seal("a", &Secret::new("x")).unwrap();
        let (_other_folder, other) = self::sealer();
        assert!(matches!(other.open("a", &sealed), Err(SealError::Open)));
        *sealed.last_mut().unwrap() ^= 1;
        assert!(matches!(sealer.open("a", &sealed), Err(SealError::Open)));
    }

    #[test]
    fn an_identity_is_never_overwritten_and_never_read_from_a_public_file() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, _sealer) = sealer();
        let path = folder.path().join("identity.txt");
        let before = std::fs::read(&path).unwrap();
        assert!(AgeSealer::create(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(AgeSealer::open(&path).is_err());
    }
}
