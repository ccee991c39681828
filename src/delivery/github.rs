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
mod sealed;
mod token;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rotate_providers::form::{Part, SecretForm};
use rotate_providers::secret::Secret;
use serde::Serialize;
use tokio::sync::OnceCell;

use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::looks::Looks;
use super::options::{ABSENT, Options};
use super::pinned::{ENVIRONMENT, OPENED, OWNER, REPOSITORY, named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;
use address::{Api, App, Place, check_name};
use faults::{changed, passing, unfit};
use found::{Audience, Found, Numbers, Shown};
use token::TokenFrom;
use wire::Wire;

/// GitHub takes no larger value.
const LARGEST: usize = 47_000;

/// How often a secret is looked at until its new time shows.
const MOST_READINGS: u32 = 10;
const SPACING: Duration = Duration::from_millis(500);

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

/// What was so when the rotation was opened.
#[derive(Default)]
struct Pins {
    numbers: Numbers,
    /// GitHub's time.
    opened: Option<Timestamp>,
    /// The names of secrets that were not there.
    absent: Vec<String>,
}

/// A secret as it is sent.
#[derive(Serialize)]
struct Sealed<'a> {
    encrypted_value: &'a str,
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_repository_ids: Option<Vec<Number>>,
}

/// A repository, as the one API or the other wants it.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Text(String),
}

/// One secret on its way.
struct Delivery<'a> {
    name: &'a str,
    value: &'a str,
    before: Option<Shown>,
    audience: Option<Audience>,
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

    async fn write(&self, fields: &Fields) -> Result<(), Fault> {
        let mut all = Vec::new();
        for (field, name) in &self.names {
            let value = fields.text(field)?;
            if value.len() > LARGEST {
                return Err(Fault::Content("the credential is larger than GitHub takes it"));
            }
            all.push((name, value));
        }
        let wire = self.wire().await?;
        let found = self.find(wire).await?;
        let key = self.box_key(wire, &found).await?;
        // Everything is read before anything is written: nothing waits between two secrets that belong together.
        let mut deliveries = Vec::new();
        for (name, value) in all {
            deliveries.push(Delivery {
                name,
                value,
                before: self.shown(wire, &found, name).await?,
                audience: self.audience(wire, &found, name).await?,
            });
        }
        let mut receipts = Vec::new();
        for (at, delivery) in deliveries.iter().enumerate() {
            let sent = self.send(wire, &found, &key, delivery).await;
            receipts.push(sent.map_err(|fault| self.half_way(fault, at))?);
            crash_point("github: a secret sent");
        }
        for (delivery, receipt) in deliveries.iter().zip(receipts) {
            self.prove(wire, &found, delivery, receipt).await?;
        }
        Ok(())
    }

    /// Sends one secret; the time of the receipt, by GitHub's clock.
    async fn send(
        &self,
        wire: &Wire,
        found: &Found,
        key: &sealed::BoxKey,
        delivery: &Delivery<'_>,
    ) -> Result<Option<Timestamp>, Fault> {
        let path = format!("{}/{}", found.secrets, delivery.name);
        let put = async |key: &sealed::BoxKey| {
            let encrypted = key.seal(delivery.value)?;
            wire.put(&path, &self.sealed(&encrypted, key, delivery)).await
        };
        let mut reply = put(key).await?;
        // GitHub's key is another one by now, perhaps: nothing says so but that it takes no box that was made with the one before.
        if matches!(reply.status, 400 | 409 | 422) {
            let fresh = self.box_key(wire, found).await?;
            if fresh.key_id != key.key_id {
                reply = put(&fresh).await?;
            }
        }
        let (name, place) = (delivery.name, &self.place);
        match (reply.status, &delivery.before) {
            (204, None) if reply.is_first => {
                tracing::warn!("somebody has made {name} of {place} a moment ago; its value was replaced");
            }
            (201, Some(_)) => tracing::warn!("somebody has deleted {name} of {place} meanwhile; it is there again now"),
            (201 | 204, _) => {}
            _ => return Err(self.refused(&format!("write {name}"), &wire.token, &reply)),
        }
        Ok(reply.date())
    }

    fn sealed<'a>(&self, encrypted: &'a str, key: &'a sealed::BoxKey, delivery: &'a Delivery<'_>) -> Sealed<'a> {
        let audience = delivery.audience.as_ref();
        let number = |number: &u64| match self.app {
            App::Actions => Number::Plain(*number),
            App::Dependabot => Number::Text(number.to_string()),
        };
        Sealed {
            encrypted_value: encrypted,
            key_id: &key.key_id,
            visibility: audience.map(|audience| audience.visibility.as_str()),
            selected_repository_ids: audience
                .and_then(|audience| Some(audience.repositories.as_ref()?.iter().map(number).collect())),
        }
    }

    /// What a failure leaves behind that comes after some of the secrets.
    fn half_way(&self, fault: Fault, sent: usize) -> Fault {
        let (done, left) = self.names.split_at(sent);
        let listed = |names: &[(&str, String)]| {
            let names: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
            names.join(" and ")
        };
        match fault {
            Fault::Store { kind, what, remedy } if !done.is_empty() => Fault::Store {
                kind,
                what: format!(
                    "{what}. {} there is of the new key, and {} is not, so workflows that start now fail",
                    listed(done),
                    listed(left)
                ),
                remedy,
            },
            fault => fault,
        }
    }

    /// The receipt alone is GitHub's word; that it has written shows by the secret's time.
    async fn prove(
        &self,
        wire: &Wire,
        found: &Found,
        delivery: &Delivery<'_>,
        receipt: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let name = delivery.name;
        let is_new = |shown: &Shown| {
            let has_moved = delivery
                .before
                .as_ref()
                .is_none_or(|before| shown.updated_at != before.updated_at);
            // A repeat comes within the same second.
            let is_of_now = receipt.is_some_and(|receipt| receipt.duration_since(shown.updated_at) <= GITHUBS_CLOCKS);
            has_moved || is_of_now
        };
        let mut looks = Looks::of(MOST_READINGS, SPACING);
        while looks.next().await {
            let Some(shown) = self.shown(wire, found, name).await? else {
                continue;
            };
            if is_new(&shown) {
                return self.check_audience(wire, found, delivery).await;
            }
        }
        Err(passing(format!(
            "GitHub has taken {name}, and shows no newer time for it than before"
        )))
    }

    /// Somebody may have said anew who may use it while it was written.
    async fn check_audience(&self, wire: &Wire, found: &Found, delivery: &Delivery<'_>) -> Result<(), Fault> {
        let name = delivery.name;
        let now = self.audience(wire, found, name).await?;
        match now == delivery.audience {
            true => Ok(()),
            false => Err(changed(
                format!(
                    "which repositories {name} is for was changed while it was written, so that change may be lost in part"
                ),
                format!(
                    "see who may use it: gh api {}; then run the same command again",
                    self.api.at(&format!("{}/{name}", found.secrets))
                ),
            )),
        }
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

impl Pins {
    fn take(options: &mut Options) -> Result<Self, Fault> {
        let mut number = |key: &str| match options.take(key) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Fault::Option(key.to_owned(), "write the number that GitHub gives it")),
            },
        };
        let numbers = Numbers {
            repository: number(REPOSITORY)?,
            owner: number(OWNER)?,
            environment: number(ENVIRONMENT)?,
        };
        let opened = match options.take(OPENED) {
            None => None,
            Some(text) => match text.parse() {
                Ok(opened) => Some(opened),
                Err(_) => {
                    return Err(Fault::Option(
                        OPENED.to_owned(),
                        "write a time as in 2026-01-10T12:00:00Z",
                    ));
                }
            },
        };
        let absent = options.take(ABSENT);
        let absent = absent.map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
        Ok(Self {
            numbers,
            opened,
            absent,
        })
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
