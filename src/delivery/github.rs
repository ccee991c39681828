//! Secrets of GitHub Actions and Dependabot: each field is a secret of its own, in a repository, an environment or an organization.
//!
//! GitHub shows when a secret was written, and never what it is. So a delivery is proven by the receipt and by that time, and nothing
//! that was there can be put back. Nothing is deleted, ever: no call here could.
//!
//! Two secrets are not written at once. Whatever a workflow reads in between belongs to two keys, in either order. The secret goes last:
//! until then the old one is still there, which nobody could send again, and all that is wrong is the id, which everybody may know.

mod address;
mod answer;
mod faults;
mod found;
mod pins;
mod sealed;
mod token;
mod wire;
mod written;

use async_trait::async_trait;
use jiff::SignedDuration;
use rotate_providers::form::{Part, SecretForm};
use rotate_providers::secret::Secret;
use tokio::sync::OnceCell;

use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::options::{ABSENT, Options};
use super::pinned::{ENVIRONMENT, OPENED, OWNER, REPOSITORY, named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::machine::Restored;
use address::{Api, App, Place, check_name};
use faults::unfit;
use found::Found;
use pins::Pins;
use token::TokenFrom;
use wire::Wire;

/// What the clocks of GitHub's own machines may differ by, and what whole seconds take away.
const GITHUBS_CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// Secrets in one place.
pub(super) struct GitHub {
    name: String,
    place: Place,
    app: App,
    api: Api,
    /// Each field, and what it is called there, in the order in which they are written.
    names: Vec<(&'static str, String)>,
    pins: Pins,
    token: TokenFrom,
    options: Options,
    wire: OnceCell<Wire>,
}

impl GitHub {
    /// `OWNER/REPO?app=…&api=…&token_env=…&token_file=…`, and names for fields.
    pub(super) fn repository(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (place, options) = options_behind(rest)?;
        Self::new(form, Place::repository(place)?, options)
    }

    /// The same of an organization.
    pub(super) fn organization(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (place, options) = options_behind(rest)?;
        Self::new(form, Place::organization(place)?, options)
    }

    fn new(form: SecretForm, place: Place, options: Options) -> Result<Self, Fault> {
        let mut left = options.clone();
        let pins = Pins::take(&mut left)?;
        let app = App::take(&mut left, &place)?;
        let api = Api::take(&mut left)?;
        let token = TokenFrom::take(&mut left)?;
        let mut mapping = Mapping::read(form, &mut left)?;
        left.end()?;
        mapping
            .named
            .sort_by_key(|(field, _)| matches!(field.from, Part::Secret));
        let mut names: Vec<(&'static str, String)> = Vec::new();
        for (field, name) in mapping.named {
            let usual = || field.variable.map_or_else(|| field.name.to_uppercase(), str::to_owned);
            let name = if name == field.name { usual() } else { name };
            check_name(field.name, &name)?;
            if names.iter().any(|(_, other)| *other == name) {
                return Err(Fault::Option(
                    field.name.to_owned(),
                    "another field is called that there",
                ));
            }
            names.push((field.name, name));
        }
        let is_known = |absent: &String| names.iter().any(|(_, name)| name == absent);
        if !pins.absent.iter().all(is_known) {
            return Err(Fault::Option(ABSENT.to_owned(), "no field is called that there"));
        }
        Ok(Self {
            name: named(&place.to_string(), &options),
            place,
            app,
            api,
            names,
            pins,
            token,
            options,
            wire: OnceCell::new(),
        })
    }

    async fn wire(&self) -> Result<&Wire, Fault> {
        let making = async || Wire::new(&self.api, &self.token);
        self.wire.get_or_try_init(making).await
    }

    /// Whether it is there, the names of its secrets can be read, and each secret can be written as it has to be.
    async fn look(&self) -> Result<Found, Fault> {
        let wire = self.wire().await?;
        let found = self.find(wire).await?;
        self.box_key(wire, &found).await?;
        for (_, name) in &self.names {
            match &self.place {
                Place::Organization(_) => drop(self.audience(wire, &found, name).await?),
                Place::Repository { .. } => drop(self.shown(wire, &found, name).await?),
            }
        }
        Ok(found)
    }

    /// Whether nothing of the rotation has reached it: then it holds what it held.
    async fn is_untouched(&self) -> Result<bool, Fault> {
        let Some(opened) = self.pins.opened else {
            return Ok(false);
        };
        let wire = self.wire().await?;
        let found = self.find(wire).await?;
        // Whoever may not read that may be shown no secret, although it is there.
        self.box_key(wire, &found).await?;
        for (_, name) in &self.names {
            let is_as_it_was = match self.shown(wire, &found, name).await? {
                Some(shown) => opened.duration_since(shown.updated_at) >= GITHUBS_CLOCKS,
                None => self.pins.absent.contains(name),
            };
            if !is_as_it_was {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which of the secrets are not there. One that cannot be looked at may be.
    async fn absent(&self, wire: &Wire, found: &Found) -> Vec<&str> {
        let mut absent = Vec::new();
        for (_, name) in &self.names {
            if let Ok(None) = self.shown(wire, found, name).await {
                absent.push(name.as_str());
            }
        }
        absent
    }
}

#[async_trait]
impl Destination for GitHub {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::WRITE_ONLY
    }

    fn occupies(&self) -> Occupied {
        // Capitals and small letters are one to GitHub.
        let place = self.place.to_string().to_lowercase();
        let names = self.names.iter().map(|(_, name)| name.clone());
        Occupied::at(
            format!("{place} {} {}", self.app.name(), self.api),
            Some(names.collect()),
        )
    }

    fn remark(&self) -> Option<String> {
        let names: Vec<&str> = self.names.iter().map(|(_, name)| name.as_str()).collect();
        match names.as_slice() {
            [] | [_] => None,
            [first @ .., last] => Some(format!(
                "{} first and {last} right behind, so a workflow that starts in between has parts of both keys and fails",
                first.join(" and ")
            )),
        }
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let finding = async {
            let wire = self.wire().await?;
            let found = self.find(wire).await?;
            let absent = self.absent(wire, &found).await;
            Ok::<_, Fault>((found, absent))
        };
        let (found, absent) = finding.await.map_err(|fault| fault.at(&self.name))?;
        let mut options = self.options.clone().without(ABSENT);
        if !absent.is_empty() {
            options = options.with(ABSENT, &absent.join(","));
        }
        let numbers = [
            (REPOSITORY, found.numbers.repository),
            (OWNER, found.numbers.owner),
            (ENVIRONMENT, found.numbers.environment),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                options = options.with(key, &number.to_string());
            }
        }
        let opened = found.at.ok_or_else(|| {
            let what = "GitHub's answer says nothing of its time".to_owned();
            unfit(what, "see what is between here and GitHub").at(&self.name)
        })?;
        Ok(named(
            &self.place.to_string(),
            &options.with(OPENED, &opened.to_string()),
        ))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        self.look().await.map_err(|fault| fault.at(&self.name))?;
        Ok(Inspected::Fit)
    }

    /// No more than a look: whatever would prove the right to write would write.
    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.look().await.map_err(|fault| fault.at(&self.name))?;
        Ok(())
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).await.map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, _: &Fields, _: &Secret) -> Result<Restored, DeliveryError> {
        match self.is_untouched().await {
            Ok(true) => Ok(Restored::PutBack),
            Ok(false) => Err(Fault::NotRestorable.at(&self.name)),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }
}
