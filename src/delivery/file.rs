//! A destination that is a file: a whole one, or a profile in the AWS credentials file.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rotate_providers::contract::KeyId;
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;

use super::aws_files::{ProfileIn, shared_credentials_file};
use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::format::{Dotenv, Format};
use super::forms::is_for_aws_tools;
use super::options::Options;
use super::path::{self, Folders, absolute, text};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied, ours};
use crate::hooks::crash_point;
use crate::machine::Restored;
use crate::private_file::{self, Place};

/// What a file held, told apart from no file at all.
const ABSENT: u8 = 0;
const PRESENT: u8 = 1;

/// A rehearsal writes at least this much: a new file of one credential is smaller.
const SMALLEST_REHEARSAL: usize = 4096;

/// Profiles and variables share a file, and targets are moved at the same time: between the reading and the replacing of such a
/// file nothing else may be written there, or it would be lost.
static SHARED_FILES: Mutex<()> = Mutex::new(());

/// A file in one of the formats that consumers read.
pub(super) struct FileDestination {
    name: String,
    path: PathBuf,
    format: Format,
}

impl FileDestination {
    /// `PATH.json` or `PATH.env`, for secrets of this form.
    pub(super) fn file(
        path: &str,
        form: SecretForm,
        mut options: Options,
        folders: &mut Folders,
    ) -> Result<Self, Fault> {
        let path = absolute(path, folders)?;
        ours::check_name(&path)?;
        let written = options.written();
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") if is_for_aws_tools(form) => Format::CredentialProcess,
            Some("json") => return Err(Fault::misplaced(form)),
            Some("env") => Format::Dotenv(Dotenv::of(Mapping::read(form, &mut options)?)?),
            // A file called just `.env` has no extension.
            None if path.file_name().is_some_and(|name| name == ".env") => {
                Format::Dotenv(Dotenv::of(Mapping::read(form, &mut options)?)?)
            }
            _ => return Err(Fault::Ending),
        };
        options.end()?;
        let name = format!("file:{}{written}", text(&path)?);
        Ok(Self { name, path, format })
    }

    /// `NAME` or `NAME@FILE`; without a file, the one that the AWS tools read.
    pub(super) fn aws_profile(rest: &str, folders: &mut Folders) -> Result<Self, Fault> {
        let (profile, path) = match rest.rsplit_once('@') {
            Some((profile, path)) => (profile, absolute(path, folders)?),
            None => (rest, shared_credentials_file()?),
        };
        ours::check_name(&path)?;
        let name = format!("aws-profile:{profile}@{}", text(&path)?);
        let format = Format::AwsProfile(ProfileIn::new(profile, &path)?);
        Ok(Self { name, path, format })
    }

    /// This destination's turn, where others may share its file.
    fn turn(&self) -> Option<MutexGuard<'static, ()>> {
        matches!(self.format, Format::AwsProfile(_) | Format::Dotenv(_))
            .then(|| SHARED_FILES.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn examine(&self, place: &Place) -> Result<Option<Secret>, Fault> {
        private_file::is_replaceable(place)?;
        let held = read(place)?;
        self.format.accepts(held.as_ref())?;
        Ok(held)
    }

    /// What the file holds, wherever it is.
    fn held(&self) -> Result<Option<Secret>, Fault> {
        path::known(&self.path)?.map_or(Ok(None), |place| read(&place))
    }

    /// In one opened folder from the first look to the last: what its path leads to may be another one meanwhile.
    fn write(&self, fields: &Fields) -> Result<(), Fault> {
        let _turn = self.turn();
        let place = path::fit(&self.path)?;
        let before = self.examine(&place)?;
        let after = self.format.with(before.as_ref(), fields)?;
        private_file::replace(&place, after.expose())?;
        crash_point("delivery: written");
        if read(&place)?.is_none_or(|bytes| bytes.expose() != after.expose()) {
            return Err(Fault::ReadBack);
        }
        if path::leads_to(&self.path, &place) {
            Ok(())
        } else {
            Err(Fault::Moved)
        }
    }

    fn put_back(&self, fields: &Fields, before: Option<&Secret>) -> Result<Restored, Fault> {
        let _turn = self.turn();
        let Some(place) = path::known(&self.path)? else {
            return Ok(match before {
                Some(_) => Restored::ChangedSince,
                None => Restored::PutBack,
            });
        };
        // A delivery that was killed half-way has put nothing in place, and still left the secret beside it.
        private_file::sweep(&place)?;
        let now = read(&place)?;
        let same = |a: Option<&Secret>, b: Option<&Secret>| a.map(Secret::expose) == b.map(Secret::expose);
        if same(now.as_ref(), before) {
            return Ok(Restored::PutBack);
        }
        if now.as_ref().is_some_and(|now| self.format.same_credential(now, before)) {
            return Ok(Restored::PutBack);
        }
        let Some(now) = now.filter(|now| self.format.holds(now, fields)) else {
            return Ok(Restored::ChangedSince);
        };
        let delivered = self.format.with(before, fields)?;
        if now.expose() == delivered.expose() {
            // Nobody has touched the file: it gets its old bytes back, all of them.
            match before {
                Some(before) => private_file::replace(&place, before.expose())?,
                None => private_file::remove(&place)?,
            }
        } else {
            // Other parts were changed: they stay, and only ours goes back.
            let after = self.format.without(&now, before)?;
            private_file::replace(&place, after.expose())?;
        }
        crash_point("delivery: put back");
        Ok(Restored::PutBack)
    }

    /// Whether it holds this credential; if so, durably.
    fn holds_durably(&self, fields: &Fields) -> Result<bool, Fault> {
        let Some(place) = path::known(&self.path)? else {
            return Ok(false);
        };
        let holds = read(&place)?.is_some_and(|held| self.format.holds(&held, fields));
        if holds {
            private_file::settle(&place)?;
        }
        Ok(holds)
    }

    fn prove_room(&self) -> Result<(), Fault> {
        let _turn = self.turn();
        let place = path::fit(&self.path)?;
        let held = self.examine(&place)?;
        let size = held.map_or(0, |held| held.expose().len()) + SMALLEST_REHEARSAL;
        Ok(private_file::rehearse(&place, size)?)
    }

    fn look(&self) -> Result<Option<Secret>, Fault> {
        self.examine(&path::fit(&self.path)?)
    }
}

#[async_trait]
impl Destination for FileDestination {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::READABLE
    }

    fn occupies(&self) -> Occupied {
        let place = format!("file:{}", self.path.display());
        let names = |names: &[String]| Some(names.to_vec());
        match &self.format {
            Format::CredentialProcess => Occupied::at(place, None),
            Format::Dotenv(dotenv) => Occupied::at(place, names(dotenv.names())),
            Format::AwsProfile(_) => Occupied::at(self.name.clone(), None),
        }
    }

    fn part_of(&self) -> String {
        self.path.display().to_string()
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.look() {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.prove_room().map_err(|fault| fault.at(&self.name))
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let held = self.look().map_err(|fault| fault.at(&self.name))?;
        Ok(held.and_then(|held| self.format.key(&held)))
    }

    fn tells_key(&self) -> bool {
        self.format.tells_key()
    }

    async fn secret(&self) -> Result<Option<Secret>, DeliveryError> {
        let held = self.look().map_err(|fault| fault.at(&self.name))?;
        Ok(held.and_then(|held| self.format.secret(&held)))
    }

    async fn content(&self) -> Result<Secret, DeliveryError> {
        let held = self.held().map_err(|fault| fault.at(&self.name))?;
        Ok(match held {
            None => Secret::new([ABSENT]),
            Some(bytes) => {
                let mut tagged = Vec::with_capacity(bytes.expose().len() + 1);
                tagged.push(PRESENT);
                tagged.extend_from_slice(bytes.expose());
                Secret::new(tagged)
            }
        })
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        self.holds_durably(fields).map_err(|fault| fault.at(&self.name))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).map_err(|fault| fault.at(&self.name))
    }

    fn sweep(&self) -> Result<(), DeliveryError> {
        let _turn = self.turn();
        let swept = path::known(&self.path).and_then(|place| match place {
            Some(place) => Ok(private_file::sweep(&place)?),
            None => Ok(()),
        });
        swept.map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let before = match before.expose().split_first() {
            Some((&PRESENT, bytes)) => Some(Secret::new(bytes)),
            _ => None,
        };
        self.put_back(fields, before.as_ref())
            .map_err(|fault| fault.at(&self.name))
    }
}

fn read(place: &Place) -> Result<Option<Secret>, Fault> {
    Ok(private_file::read(place)?.map(Secret::new))
}
