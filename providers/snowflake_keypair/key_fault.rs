//! Why a private key cannot be used, and how it becomes one that can.

use crate::shell::quoted;

/// Why a private key cannot be used. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not text, or no PEM in it.
    #[error("it is not a private key in PEM")]
    NoPem,
    /// A public key.
    #[error("it is a public key; the private one is needed")]
    Public,
    /// A certificate.
    #[error("it is a certificate, which holds a public key; the private one is needed")]
    Certificate,
    /// PKCS#1.
    #[error("it is in PKCS#1 form")]
    Pkcs1,
    /// PKCS#1 with an encryption of its own, `DEK-Info`.
    #[error("it is in PKCS#1 form, and encrypted the way that form has (DEK-Info)")]
    EncryptedPkcs1,
    /// OpenSSH's own form.
    #[error("it is a key in OpenSSH's own form")]
    OpenSsh,
    /// Elliptic curves.
    #[error("it is a key on an elliptic curve and not an RSA key; Snowflake takes RSA keys only")]
    Curve,
    /// Anything else that is not RSA.
    #[error("it is not an RSA key, and Snowflake takes RSA keys only")]
    NotRsa,
    /// Encrypted, and no passphrase.
    #[error("it is encrypted, and no passphrase was given")]
    Encrypted,
    /// Encrypted under another passphrase.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// Encrypted in a way that is not known.
    #[error("it is encrypted with a cipher that rotate does not know")]
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

impl KeyFault {
    /// How the key becomes one that can be used, as the end of a sentence: empty where there is no such way.
    pub fn conversion(self, file: Option<&str>) -> String {
        let from = file.map_or_else(|| "FILE".to_owned(), quoted);
        let to = file.map_or_else(|| "FILE.p8".to_owned(), |file| quoted(&format!("{file}.p8")));
        match self {
            Self::Pkcs1 => {
                format!("; convert it with: openssl pkcs8 -topk8 -nocrypt -in {from} -out {to}")
            }
            Self::EncryptedPkcs1 | Self::Cipher => {
                format!("; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {from} -out {to}")
            }
            // It is rewritten in place, so a copy is.
            Self::OpenSsh => {
                format!("; if it is an RSA key, convert a copy: cp {from} {to} && ssh-keygen -p -m PKCS8 -f {to}")
            }
            _ => String::new(),
        }
    }
}
