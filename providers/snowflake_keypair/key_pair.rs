//! RSA key pairs: made, read, named.
//!
//! PKCS#8 (RFC 5958) in PEM; with a passphrase PBES2 (RFC 8018) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which is what
//! OpenSSL, the Python connector and the Java driver all read. Older ciphers of PBES2, triple DES among them, are read and
//! never written. A key's name is the SHA-256 of its public half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::pem::{self, LineEnding, PemLabel};
use pkcs8::der::{ErrorKind, Tag};
use pkcs8::pkcs5::{self, pbes2};
use pkcs8::spki::{EncodePublicKey, SubjectPublicKeyInfoRef};
use pkcs8::{DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use rand::Rng;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::contract::{KeyId, PublicHalf};
use crate::hooks::ready_made_key;
use crate::secret::Secret;

/// Snowflake takes no shorter key: <https://docs.snowflake.com/en/user-guide/key-pair-auth>.
const FEWEST_BITS: u32 = 2048;

/// What OWASP advises for PBKDF2 with HMAC-SHA-256.
const ITERATIONS: u32 = 600_000;

const BEGIN: &str = "-----BEGIN ";

/// A private key's text with the name of its pair.
pub struct KeyPair {
    /// The fingerprint: `SHA256:…`, as `DESC USER` shows it.
    pub key: KeyId,
    /// What registers it.
    pub public: PublicHalf,
    /// The PEM text, encrypted where a passphrase was given.
    pub(super) pem: Secret,
}

/// Why a private key cannot be used. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not text, or no PEM in it.
    #[error("it is not a private key in PEM")]
    NoPem,
    /// A public key.
    #[error("it is a public key; the private one is needed")]
    Public,
    /// PKCS#1.
    #[error("it is in PKCS#1 form; convert it with: openssl pkcs8 -topk8 -nocrypt -in FILE -out FILE.p8")]
    Pkcs1,
    /// Elliptic curves, or anything else that is not RSA.
    #[error("it is not an RSA key, and Snowflake takes RSA keys only")]
    NotRsa,
    /// Encrypted, and no passphrase.
    #[error("it is encrypted, and no passphrase was given")]
    Encrypted,
    /// Encrypted under another passphrase.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// Encrypted in a way that is not known.
    #[error(
        "it is encrypted with a cipher that rotate does not know; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in \
         FILE -out FILE.p8"
    )]
    Cipher,
    /// Too short.
    #[error("it has {0} bits, and Snowflake takes 2048 or more")]
    Short(u32),
    /// Broken.
    #[error("it is damaged")]
    Damaged,
    /// The machine.
    #[error("no key could be made on this machine")]
    Unmade,
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
        let pem = text.expose_text().ok_or(KeyFault::NoPem)?;
        let (label, bytes) = decode_pem(pem)?;
        let der = match label.as_str() {
            "PRIVATE KEY" => bytes.clone(),
            "ENCRYPTED PRIVATE KEY" => decrypt(&bytes, passphrase.ok_or(KeyFault::Encrypted)?)?.to_bytes(),
            "RSA PRIVATE KEY" => return Err(KeyFault::Pkcs1),
            "EC PRIVATE KEY" | "DSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => return Err(KeyFault::NotRsa),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(KeyFault::Public),
            _ => return Err(KeyFault::NoPem),
        };
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| KeyFault::Damaged)?;
        if info.algorithm.oid != rsa::pkcs1::ALGORITHM_OID {
            return Err(KeyFault::NotRsa);
        }
        let private = RsaPrivateKey::try_from(info).map_err(|_| KeyFault::Damaged)?;
        let bits = private.n().bits();
        if bits < FEWEST_BITS {
            return Err(KeyFault::Short(bits));
        }
        // Without what editors and copies leave around it, and in lines of the length that every reader takes.
        let strict = pem::encode_string(&label, LineEnding::LF, &bytes).map_err(|_| KeyFault::Damaged)?;
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
    let label = pem.expose_text().and_then(|text| text.strip_prefix(BEGIN));
    label.is_some_and(|text| text.starts_with(EncryptedPrivateKeyInfoRef::PEM_LABEL))
}

/// The text of an encrypted key without its encryption.
pub(super) fn opened(pem: &Secret, passphrase: &Secret) -> Result<Secret, KeyFault> {
    let (_, bytes) = decode_pem(pem.expose_text().ok_or(KeyFault::NoPem)?)?;
    let document = decrypt(&bytes, passphrase)?;
    let text = document
        .to_pem(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
        .map_err(|_| KeyFault::Damaged)?;
    Ok(Secret::new(text.as_bytes()))
}

fn fingerprint(der: &[u8]) -> KeyId {
    KeyId::new(format!("SHA256:{}", STANDARD.encode(Sha256::digest(der))))
}

fn decode_pem(text: &str) -> Result<(String, Zeroizing<Vec<u8>>), KeyFault> {
    let start = text.find(BEGIN).ok_or(KeyFault::NoPem)?;
    let text = text[start..].trim_end().as_bytes();
    let mut decoder = pem::Decoder::new_detect_wrap(text).map_err(|_| KeyFault::Damaged)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut bytes).map_err(|_| KeyFault::Damaged)?;
    Ok((decoder.type_label().to_owned(), bytes))
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

fn decrypt(bytes: &[u8], passphrase: &Secret) -> Result<SecretDocument, KeyFault> {
    let info = EncryptedPrivateKeyInfoRef::try_from(bytes).map_err(|error| fault_of(&error, KeyFault::Damaged))?;
    info.decrypt(passphrase.expose())
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
