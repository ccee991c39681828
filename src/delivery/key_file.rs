//! A destination that is a private key's own file, with the public key beside it.
//!
//! Nothing is ever overwritten: what is there may be the only copy of a key that someone uses.

use std::path::PathBuf;

use async_trait::async_trait;
use rotate_providers::contract::KeyId;
use rotate_providers::regular::Regular;
use rotate_providers::secret::Secret;

use super::capabilities::Capabilities;
use super::fields::Fields;
use super::forms::HALVES;
use super::path::{Folders, absolute, fit, known, leads_to, text};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied, ours};
use crate::hooks::crash_point;
use crate::machine::Restored;
use crate::private_file::{self, Place, Refused};

/// How the name of a private key's file ends: PKCS#8 (RFC 5958) in PEM (RFC 7468).
pub(super) const ENDING: &str = ".p8";

/// No key file is larger: one of 4096 bits, encrypted, has some 3.4 kB.
const ROOM: usize = 8192;

/// `PATH.p8`, and `PATH.pub` beside it.
pub(super) struct KeyFile {
    name: String,
    private: PathBuf,
    public: PathBuf,
}

impl KeyFile {
    pub(super) fn new(path: &str, folders: &mut Folders) -> Result<Self, Fault> {
        let private = absolute(path, folders)?;
        if private.file_name().is_some_and(|name| name == ENDING) {
            return Err(Fault::Ending);
        }
        ours::check_name(&private)?;
        Ok(Self {
            name: format!("file:{}", text(&private)?),
            public: private.with_extension("pub"),
            private,
        })
    }

    /// The places of both halves, in one opened folder.
    fn fit(&self) -> Result<Halves, Fault> {
        let halves = self.beside(fit(&self.private)?);
        ours::refuse(&halves.public)?;
        Ok(halves)
    }

    fn beside(&self, private: Place) -> Halves {
        let name = self.public.file_name().unwrap_or_default();
        let public = private.folder().place(name);
        Halves { private, public }
    }

    /// The same, of a delivery that there may have been; `None` where not even the folder is there any more.
    fn known(&self) -> Result<Option<Halves>, Fault> {
        Ok(known(&self.private)?.map(|private| self.beside(private)))
    }

    fn is_free(&self) -> Result<Halves, Fault> {
        let halves = self.fit()?;
        for place in [&halves.private, &halves.public] {
            if is_taken(place)? {
                return Err(Fault::Exists(place.path().display().to_string()));
            }
        }
        Ok(halves)
    }

    /// The public half first: whoever sees the private one finds both.
    fn write(&self, fields: &Fields) -> Result<(), Fault> {
        let halves = self.fit()?;
        put(&halves.public, public_of(fields)?)?;
        crash_point("key file: public half written");
        put(&halves.private, private_of(fields)?)?;
        crash_point("key file: written");
        if !halves.hold(fields)? {
            Err(Fault::ReadBack)
        } else if !leads_to(&self.private, &halves.private) {
            Err(Fault::Moved)
        } else {
            Ok(())
        }
    }

    /// Whether it holds this credential; if so, durably.
    fn holds_durably(&self, fields: &Fields) -> Result<bool, Fault> {
        let Some(halves) = self.known()? else {
            return Ok(false);
        };
        // Where the file system knows no rename that never replaces, a kill can leave the key beside its place.
        private_file::sweep(&halves.private)?;
        let holds = halves.hold(fields)?;
        if holds {
            private_file::settle(&halves.public)?;
            private_file::settle(&halves.private)?;
        }
        Ok(holds)
    }

    fn take_back(&self, fields: &Fields) -> Result<Restored, Fault> {
        let gone = || {
            let path = self.private.display();
            tracing::warn!("{path} is not there: if someone has moved it, that copy is of no use now");
        };
        let Some(Halves { private, public }) = self.known()? else {
            gone();
            return Ok(Restored::PutBack);
        };
        // A delivery that was killed half-way may have left the secret beside its place.
        private_file::sweep(&private)?;
        private_file::sweep(&public)?;
        let ours = has(&private, private_of(fields)?)?;
        if !ours && is_taken(&private)? {
            return Ok(Restored::ChangedSince);
        }
        if ours {
            private_file::remove(&private)?;
            crash_point("key file: put back");
        } else {
            gone();
        }
        // A public key is for everyone, whatever its file's mode has become.
        let held = Regular::at(&public).and_then(|found| found.map(|found| found.bytes(ROOM as u64)).transpose());
        match held {
            Ok(Some(held)) if held == public_of(fields)? => private_file::remove(&public)?,
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Ok(Restored::ChangedSince),
        }
        Ok(Restored::PutBack)
    }
}

#[async_trait]
impl Destination for KeyFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // It is created, and never replaced.
            conditional: true,
            ..Capabilities::READABLE
        }
    }

    /// The file has no name for its key.
    fn tells_key(&self) -> bool {
        false
    }

    fn occupies(&self) -> Occupied {
        Occupied::at(self.name.clone(), None)
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.is_free() {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        let halves = self.is_free().map_err(|fault| fault.at(&self.name))?;
        private_file::rehearse(&halves.private, ROOM).map_err(|refused| Fault::from(refused).at(&self.name))
    }

    /// What is there is never replaced, so nobody has to know whose it is.
    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        Ok(None)
    }

    /// Nothing is there before a delivery.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        Ok(Secret::new([]))
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        self.holds_durably(fields).map_err(|fault| fault.at(&self.name))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, _: &Secret) -> Result<Restored, DeliveryError> {
        self.take_back(fields).map_err(|fault| fault.at(&self.name))
    }
}

/// Where the two files of a key pair are.
struct Halves {
    private: Place,
    public: Place,
}

impl Halves {
    fn hold(&self, fields: &Fields) -> Result<bool, Fault> {
        Ok(has(&self.public, public_of(fields)?)? && has(&self.private, private_of(fields)?)?)
    }
}

/// Whether anything is there, also a link that leads nowhere.
fn is_taken(place: &Place) -> Result<bool, Fault> {
    let found = place.look().map_err(|source| Refused::Io {
        what: "cannot be looked at",
        source,
    })?;
    Ok(found.is_some())
}

fn has(place: &Place, bytes: &[u8]) -> Result<bool, Fault> {
    let held = private_file::read(place)?.map(Secret::new);
    Ok(held.is_some_and(|held| held.expose() == bytes))
}

/// Creates the file; one that is there already has to be what we would write.
fn put(place: &Place, bytes: &[u8]) -> Result<(), Fault> {
    private_file::sweep(place)?;
    if has(place, bytes)? {
        return Ok(());
    }
    if is_taken(place)? {
        return Err(Fault::Exists(place.path().display().to_string()));
    }
    Ok(private_file::create(place, bytes)?)
}

fn private_of(fields: &Fields) -> Result<&[u8], Fault> {
    fields.text(HALVES[0]).map(str::as_bytes)
}

fn public_of(fields: &Fields) -> Result<&[u8], Fault> {
    let pem = fields.text(HALVES[1]).map(str::as_bytes);
    pem.map_err(|_| Fault::Content("the credential is not a key pair"))
}
