//! A destination that is a private key's own file, with the public key beside it.
//!
//! Nothing is ever overwritten: what is there may be the only copy of a key that someone uses.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rotate_providers::SecretKind;
use rotate_providers::contract::{KeyId, PublicHalf};
use rotate_providers::secret::{Credential, Secret};

use super::path::{absolute, check_folder, text};
use super::{DeliveryError, Destination, Fault};
use crate::hooks::crash_point;
use crate::machine::Restored;
use crate::private_file;

/// How the name of a private key's file ends: PKCS#8 (RFC 5958) in PEM (RFC 7468).
pub(super) const ENDING: &str = ".p8";

/// No key file is larger: one of 4096 bits, encrypted, has some 3.4 kB.
const ROOM: usize = 8192;

/// PEM breaks its lines here (RFC 7468, section 2).
const PEM_WIDTH: usize = 64;

/// `PATH.p8`, and `PATH.pub` beside it.
pub(super) struct KeyFile {
    name: String,
    private: PathBuf,
    public: PathBuf,
}

impl KeyFile {
    pub(super) fn new(path: &str) -> Result<Self, Fault> {
        let private = absolute(path)?;
        if private.file_name().is_some_and(|name| name == ENDING) {
            return Err(Fault::Ending);
        }
        Ok(Self {
            name: format!("file:{}", text(&private)?),
            public: private.with_extension("pub"),
            private,
        })
    }

    fn is_free(&self) -> Result<(), Fault> {
        check_folder(&self.private)?;
        for path in [&self.private, &self.public] {
            if path.symlink_metadata().is_ok() {
                return Err(Fault::Exists(path.display().to_string()));
            }
        }
        Ok(())
    }

    fn has_both(&self, credential: &Credential) -> Result<bool, Fault> {
        Ok(has(&self.public, &public_pem(credential)?)? && has(&self.private, credential.secret.expose())?)
    }

    /// The public half first: whoever sees the private one finds both.
    fn write(&self, credential: &Credential) -> Result<(), Fault> {
        check_folder(&self.private)?;
        place(&self.public, &public_pem(credential)?)?;
        crash_point("key file: public half written");
        place(&self.private, credential.secret.expose())?;
        crash_point("key file: written");
        if self.has_both(credential)? {
            Ok(())
        } else {
            Err(Fault::ReadBack)
        }
    }

    fn take_back(&self, credential: &Credential) -> Result<Restored, Fault> {
        // A delivery that was killed half-way may have left the secret beside its place.
        private_file::sweep(&self.private)?;
        private_file::sweep(&self.public)?;
        let ours = has(&self.private, credential.secret.expose())?;
        if !ours && self.private.symlink_metadata().is_ok() {
            return Ok(Restored::ChangedSince);
        }
        if !ours {
            let path = self.private.display();
            tracing::warn!("{path} is not there: if someone has moved it, that copy is of no use now");
        }
        if ours {
            private_file::remove(&self.private)?;
            crash_point("key file: put back");
        }
        // A public key is for everyone, whatever its file's mode has become.
        match std::fs::read(&self.public) {
            Ok(held) if held == public_pem(credential)? => private_file::remove(&self.public)?,
            Ok(_) => return Ok(Restored::ChangedSince),
            Err(_) => {}
        }
        Ok(Restored::PutBack)
    }

    fn failed(&self, fault: Fault) -> DeliveryError {
        DeliveryError {
            destination: self.name.clone(),
            fault,
        }
    }
}

#[async_trait]
impl Destination for KeyFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn carries(&self) -> SecretKind {
        SecretKind::PrivateKey
    }

    async fn inspect(&self) -> Result<(), DeliveryError> {
        self.is_free().map_err(|fault| self.failed(fault))
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.inspect().await?;
        private_file::rehearse(&self.private, ROOM).map_err(|refused| self.failed(refused.into()))
    }

    /// What is there is never replaced, so nobody has to know whose it is.
    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        Ok(None)
    }

    /// Nothing is there before a delivery.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        Ok(Secret::new([]))
    }

    async fn holds(&self, credential: &Credential) -> Result<bool, DeliveryError> {
        // Where the file system knows no rename that never replaces, a kill can leave the key beside its place.
        private_file::sweep(&self.private).map_err(|refused| self.failed(refused.into()))?;
        let holds = self.has_both(credential).map_err(|fault| self.failed(fault))?;
        if holds {
            for path in [&self.public, &self.private] {
                private_file::settle(path).map_err(|refused| self.failed(refused.into()))?;
            }
        }
        Ok(holds)
    }

    async fn deliver(&self, credential: &Credential) -> Result<(), DeliveryError> {
        self.write(credential).map_err(|fault| self.failed(fault))
    }

    async fn restore(&self, credential: &Credential, _: &Secret) -> Result<Restored, DeliveryError> {
        self.take_back(credential).map_err(|fault| self.failed(fault))
    }
}

fn has(path: &Path, bytes: &[u8]) -> Result<bool, Fault> {
    let held = private_file::read(path)?.map(Secret::new);
    Ok(held.is_some_and(|held| held.expose() == bytes))
}

/// Creates the file; one that is there already has to be what we would write.
fn place(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    private_file::sweep(path)?;
    if has(path, bytes)? {
        return Ok(());
    }
    if path.symlink_metadata().is_ok() {
        return Err(Fault::Exists(path.display().to_string()));
    }
    Ok(private_file::create(path, bytes)?)
}

fn public_pem(credential: &Credential) -> Result<Vec<u8>, Fault> {
    let public = credential.public.as_ref().map(PublicHalf::as_str);
    let base64 = public
        .filter(|text| !text.is_empty() && text.is_ascii())
        .ok_or(Fault::Content("the credential is not a key pair"))?;
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_WIDTH));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Ok(pem.into_bytes())
}
