//! RSA key pairs: made, read, named.
//!
//! PKCS#8 (RFC 5958) in PEM; with a passphrase PBES2 (RFC 8018) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which is what
//! OpenSSL, the Python connector and the Java driver all read. Older ciphers of PBES2, triple DES among them, and PBES1
//! with triple DES are read and never written. A key's name is the SHA-256 of its public half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::der::pem::{LineEnding, PemLabel, encode_string};
use pkcs8::der::{ErrorKind, Tag};
use pkcs8::pkcs5::{self, pbes2};
use pkcs8::spki::{EncodePublicKey, SubjectPublicKeyInfoRef};
use pkcs8::{DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use rand::Rng;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::key_fault::KeyFault;
use super::pbes1;
use super::pem::{self, Block};
use crate::contract::{KeyId, PublicHalf};
use crate::hooks::ready_made_key;
use crate::secret::Secret;

/// Snowflake takes no shorter key: <https://docs.snowflake.com/en/user-guide/key-pair-auth>.
const FEWEST_BITS: u32 = 2048;

/// What OWASP advises for PBKDF2 with HMAC-SHA-256.
const ITERATIONS: u32 = 600_000;

/// `id-ecPublicKey`.
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A private key's text with the name of its pair.
pub struct KeyPair {
    /// The fingerprint: `SHA256:…`, as `DESC USER` shows it.
    pub key: KeyId,
    /// What registers it.
    pub public: PublicHalf,
    /// The PEM text, encrypted where a passphrase was given.
    pub(super) pem: Secret,
}

impl KeyPair {
    /// Makes a new one. Slow: tenths of a second, or seconds for the longest.
    pub fn make(bits: usize, passphrase: Option<&Secret>) -> Result<Self, KeyFault> {
        let mut random = rand::rng();
        let ready_made = ready_made_key().and_then(|pem| RsaPrivateKey::from_pkcs8_pem(&pem).ok());
        let private = match ready_made {
            Some(private) => private,
            None => RsaPrivateKey::new(&mut random, bits).map_err(|_| KeyFault::Unmade)?,
        };
        let document = private.to_pkcs8_der().map_err(|_| KeyFault::Unmade)?;
        let (label, document) = match passphrase {
            None => (PrivateKeyInfoRef::PEM_LABEL, document),
            Some(passphrase) => (
                EncryptedPrivateKeyInfoRef::PEM_LABEL,
                encrypt(&document, passphrase, &mut random)?,
            ),
        };
        let text = document.to_pem(label, LineEnding::LF).map_err(|_| KeyFault::Unmade)?;
        Self::of(&private.to_public_key(), Secret::new(text.as_bytes()))
    }

    /// Reads one, and looks whether Snowflake would take it.
    pub fn read(text: Secret, passphrase: Option<&Secret>) -> Result<Self, KeyFault> {
        let Block { label, bytes } = pem::private_key(text.expose_text().ok_or(KeyFault::NoPem)?)?;
        let der = if label == EncryptedPrivateKeyInfoRef::PEM_LABEL {
            decrypt(&bytes, passphrase.ok_or(KeyFault::Encrypted)?)?
        } else {
            bytes.clone()
        };
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| KeyFault::Damaged)?;
        match info.algorithm.oid {
            rsa::pkcs1::ALGORITHM_OID => (),
            ELLIPTIC_CURVE => return Err(KeyFault::Curve),
            _ => return Err(KeyFault::NotRsa),
        }
        let private = RsaPrivateKey::try_from(info).map_err(|_| KeyFault::Damaged)?;
        let bits = private.n().bits();
        if bits < FEWEST_BITS {
            return Err(KeyFault::Short(bits));
        }
        // Without what editors and copies leave around it, and in lines of the length that every reader takes.
        let strict = encode_string(&label, LineEnding::LF, &bytes).map_err(|_| KeyFault::Damaged)?;
        Self::of(&private.to_public_key(), Secret::new(strict))
    }

    fn of(public: &RsaPublicKey, pem: Secret) -> Result<Self, KeyFault> {
        let der = public.to_public_key_der().map_err(|_| KeyFault::Damaged)?;
        Ok(Self {
            key: fingerprint(der.as_bytes()),
            public: PublicHalf::new(STANDARD.encode(der.as_bytes())),
            pem,
        })
    }
}

/// What the vendor shows as a public key, if it really is the one of this fingerprint.
pub(super) fn public_half(shown: &str, key: &KeyId) -> Option<PublicHalf> {
    let (name, public) = public_key(shown)?;
    (name == *key).then_some(public)
}

/// What the vendor shows as a public key, with its fingerprint; `None` where it is none.
pub(super) fn public_key(shown: &str) -> Option<(KeyId, PublicHalf)> {
    let base64: String = shown.chars().filter(|letter| !letter.is_whitespace()).collect();
    let der = STANDARD.decode(&base64).ok()?;
    SubjectPublicKeyInfoRef::try_from(der.as_slice()).ok()?;
    Some((fingerprint(&der), PublicHalf::new(base64)))
}

/// Whether this text needs a passphrase.
pub(super) fn is_encrypted(pem: &Secret) -> bool {
    pem.expose_text().is_some_and(pem::is_encrypted)
}

/// The text of an encrypted key without its encryption.
pub(super) fn opened(pem: &Secret, passphrase: &Secret) -> Result<Secret, KeyFault> {
    let block = pem::private_key(pem.expose_text().ok_or(KeyFault::NoPem)?)?;
    let der = decrypt(&block.bytes, passphrase)?;
    let text = encode_string(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF, &der).map_err(|_| KeyFault::Damaged)?;
    Ok(Secret::new(text))
}

fn fingerprint(der: &[u8]) -> KeyId {
    KeyId::of_sha256(&Sha256::digest(der))
}

fn encrypt(document: &SecretDocument, passphrase: &Secret, random: &mut impl Rng) -> Result<SecretDocument, KeyFault> {
    let (mut salt, mut start) = ([0; 16], [0; 16]);
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut start);
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, start);
    let info = PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| KeyFault::Unmade)?;
    info.encrypt_with_params(parameters.map_err(|_| KeyFault::Unmade)?, passphrase.expose())
        .map_err(|_| KeyFault::Unmade)
}

fn decrypt(bytes: &[u8], passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    if let Some(sealed) = pbes1::Sealed::read(bytes) {
        let opened = sealed.open(passphrase).ok_or(KeyFault::Passphrase)?;
        // Padding alone is right once in 256 times under a wrong passphrase.
        return match PrivateKeyInfoRef::try_from(opened.as_slice()) {
            Ok(_) => Ok(opened),
            Err(_) => Err(KeyFault::Passphrase),
        };
    }
    let info = EncryptedPrivateKeyInfoRef::try_from(bytes).map_err(|error| fault_of(&error, KeyFault::Damaged))?;
    info.decrypt(passphrase.expose())
        .map(|document| document.to_bytes())
        .map_err(|error| fault_of(&error, KeyFault::Passphrase))
}

/// An algorithm that is not known is found out partly by its name, and partly only where it is to be used.
fn fault_of(error: &pkcs8::Error, otherwise: KeyFault) -> KeyFault {
    let is_unknown = match error {
        pkcs8::Error::Asn1(error) => matches!(
            error.kind(),
            ErrorKind::OidUnknown { .. }
                | ErrorKind::Value {
                    tag: Tag::ObjectIdentifier
                }
        ),
        pkcs8::Error::EncryptedPrivateKey(error) => matches!(
            error,
            pkcs5::Error::NoPbes1CryptSupport | pkcs5::Error::UnsupportedAlgorithm { .. }
        ),
        _ => false,
    };
    if is_unknown { KeyFault::Cipher } else { otherwise }
}
