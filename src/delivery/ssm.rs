//! A parameter of AWS Systems Manager: our fields in its JSON object, or one of them as all of it.
//!
//! The store takes no condition with a write. But it numbers the versions without a gap and keeps a hundred of them, so a write
//! sees afterwards what it went over: whatever somebody else wrote in between is written again, with our fields in it. It is told
//! by its number too which version the new key took the place of, whenever that was written.

mod answer;
mod history;
mod wire;

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use rotate_providers::contract::{Check, KeyId};
use rotate_providers::form::SecretForm;
use rotate_providers::s3_customer_managed::Login;
use rotate_providers::secret::Secret;
use tokio::sync::OnceCell;

use super::aws::{Permissions, elsewhere, login, overtaken, place, shape, unfit, version_is_gone};
use super::capabilities::Capabilities;
use super::fields::Fields;
use super::object::Shape;
use super::options::Options;
use super::pinned::{named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::{crash_point, now};
use crate::machine::Restored;
use history::{History, Version};
use wire::Values;

/// How often somebody else may write beside our write, or an answer may be lost, before that is told.
const MOST_TRIES: u32 = 4;

/// What a parameter may hold: <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>.
const MOST_BYTES: usize = 4096;
const MOST_BYTES_ADVANCED: usize = 8192;

/// A parameter of the store.
pub(super) struct Parameter {
    name: String,
    path: String,
    options: Options,
    shape: Shape,
    /// The ARN that the name has to lead to: it says whose account it is, and which region.
    arn: Option<String>,
    login: Login,
    client: OnceCell<Client>,
}

/// A write, as far as it is known what it went over.
struct Written {
    /// The version that it was made of.
    of: i64,
    /// The version that it became.
    as_version: i64,
}

impl Parameter {
    /// `/PATH?profile=…&role=…&external_id=…&region=…&plain=FIELD`, and names for fields.
    pub(super) fn new(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (path, options) = options_behind(rest)?;
        // <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "/_.-".contains(letter);
        if !path.starts_with('/') || path.ends_with('/') || path.len() > 1011 || !path.chars().all(fits) {
            return Err(Fault::Name(
                "it names no parameter: write ssm:/PATH, without a version or a label",
            ));
        }
        let mut left = options.clone();
        let arn = left.take("arn");
        let login = login(&mut left, None);
        let shape = shape(form, &mut left)?;
        left.end()?;
        Ok(Self {
            name: named(&format!("ssm:{path}"), &options),
            path: path.to_owned(),
            options,
            shape,
            arn,
            login,
            client: OnceCell::new(),
        })
    }

    /// What consumers get now, where that is something to deliver to.
    async fn current(&self) -> Result<Version, Fault> {
        let (arn, current) = self.read(None).await?;
        match &self.arn {
            Some(pinned) if *pinned != arn => Err(elsewhere(&arn, pinned)),
            _ => Ok(current),
        }
    }

    /// Writes until what is there holds the key, and everything else that was written there before it.
    async fn write(&self, fields: &Fields) -> Result<(), Fault> {
        let mut written: Option<Written> = None;
        let mut failed = None;
        for _ in 0..MOST_TRIES {
            let current = self.settled(written.as_ref()).await?;
            let base = if !self.shape.holds(current.text(), fields) {
                None
            } else {
                match self.overwritten(&current, fields, written.as_ref()).await? {
                    Some(theirs) => Some(theirs),
                    None => return Ok(()),
                }
            };
            let base = base.as_ref().unwrap_or(&current);
            let text = self.shape.with(base.text(), fields)?;
            let history = self.history(Values::Hidden).await?;
            // What may have had its effect is looked for first, and not sent again blindly.
            written = match self.put(&history.current()?.attributes, &text).await {
                Ok(as_version) => Some(Written {
                    of: current.number,
                    as_version,
                }),
                Err(fault) if fault.is_passing() => {
                    failed = Some(fault);
                    self.wait().await;
                    None
                }
                Err(fault) => return Err(fault),
            };
            crash_point("ssm: written");
        }
        let current = self.settled(written.as_ref()).await?;
        match self.shape.holds(current.text(), fields)
            && self.overwritten(&current, fields, written.as_ref()).await?.is_none()
        {
            true => Ok(()),
            false => Err(failed.unwrap_or_else(overtaken)),
        }
    }

    /// What somebody else wrote right before the current version, if that was made of an older one.
    async fn overwritten(
        &self,
        current: &Version,
        fields: &Fields,
        written: Option<&Written>,
    ) -> Result<Option<Version>, Fault> {
        let ours = written.filter(|written| written.as_version == current.number);
        if current.number == 1 || ours.is_some_and(|written| written.of + 1 == current.number) {
            return Ok(None);
        }
        let (_, previous) = self.read(Some(current.number - 1)).await?;
        // Who writes beside our fields leaves them: such a version is no write of ours that went over something.
        let is_theirs = ours.is_none() && self.shape.holds(previous.text(), fields);
        let is_kept = is_theirs || self.shape.same_beside(current.text(), previous.text());
        Ok((!is_kept).then_some(previous))
    }

    async fn put_back(&self, fields: &Fields, before: i64) -> Result<Restored, Fault> {
        let mut written: Option<Written> = None;
        for _ in 0..MOST_TRIES {
            self.settled(written.as_ref()).await?;
            let history = self.history(Values::Shown).await?;
            let Some(undo) = history.undo(&self.shape, fields, before, written.as_ref())? else {
                return Ok(Restored::ChangedSince);
            };
            let Some(text) = undo.text else {
                return Ok(undo.outcome);
            };
            let current = history.current()?;
            written = match self.put(&current.attributes, &text).await {
                Ok(as_version) => Some(Written {
                    of: current.number,
                    as_version,
                }),
                Err(fault) if fault.is_passing() => {
                    self.wait().await;
                    None
                }
                Err(fault) => return Err(fault),
            };
            crash_point("ssm: put back");
        }
        Err(overtaken())
    }

    /// What is there may be delivered to, with room for a key.
    async fn look(&self) -> Result<History, Fault> {
        let current = self.current().await?;
        self.shape.accepts(current.text())?;
        let history = self.history(Values::Hidden).await?;
        let latest = history.current()?;
        latest.lasts(&self.path, now())?;
        let attributes = &latest.attributes;
        let (most, length) = (attributes.most_bytes(), self.shape.length_with(current.text()));
        if length > most {
            return Err(too_long(length, most));
        }
        history.has_room(&self.path)?;
        Ok(history)
    }
}

#[async_trait]
impl Destination for Parameter {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            ..Capabilities::VERSIONED
        }
    }

    fn occupies(&self) -> Occupied {
        Occupied {
            place: place(&format!("ssm:{}", self.path), &self.login, None),
            exact: self.arn.clone(),
            names: self.shape.names(),
        }
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let (arn, _) = self.read(None).await.map_err(|fault| fault.at(&self.name))?;
        let options = self.options.clone().with("arn", &arn);
        Ok(named(&format!("ssm:{}", self.path), &options))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.look().await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn lacks(&self) -> Option<Check> {
        let permissions = Permissions {
            resource: self.read(None).await.ok()?.0,
            ..self.permissions()
        };
        // A parameter has no policy of its own that could allow it.
        let (why, remedy) = permissions.lacking(&self.login).await?;
        Some(Check::Wrong {
            why: why.into(),
            remedy,
        })
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        let tried = async {
            let history = self.look().await?;
            for remark in history.current()?.remarks() {
                tracing::warn!("{}: {remark}", self.name);
            }
            self.try_to_write().await
        };
        tried.await.map_err(|fault: Fault| fault.at(&self.name))
    }

    fn tells_key(&self) -> bool {
        self.shape.tells_key()
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(self.shape.key(current.text()))
    }

    /// Which version it is: what that holds the store keeps itself.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(Secret::new(current.number.to_string()))
    }

    /// Not while a version of somebody else's is lost beside it: then it is delivered once more.
    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        let held = async {
            let current = self.current().await?;
            Ok(self.shape.holds(current.text(), fields) && self.overwritten(&current, fields, None).await?.is_none())
        };
        held.await.map_err(|fault: Fault| fault.at(&self.name))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).await.map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let number = before.expose_text().and_then(|text| text.parse().ok());
        let restored = match number {
            Some(before) => self.put_back(fields, before).await,
            None => Err(version_is_gone("its number is not known")),
        };
        restored.map_err(|fault| fault.at(&self.name))
    }
}

fn too_long(length: usize, most: usize) -> Fault {
    let remedy = match most {
        MOST_BYTES => {
            "make it an advanced one, which holds 8 KB: aws ssm put-parameter --tier Advanced --overwrite …; or deliver elsewhere"
        }
        _ => "deliver elsewhere",
    };
    unfit(
        format!("with a new key it would have some {length} bytes, and AWS takes {most} of one like it"),
        remedy,
    )
}
