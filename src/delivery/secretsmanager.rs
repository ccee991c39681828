//! A secret of AWS Secrets Manager: our fields in its JSON object, or one of them as all of it.
//!
//! A write has two halves, each harmless when repeated. The new version is put there under a token that follows from the rotation,
//! from the names of our fields and from the version that it was made of, and is nobody's current one yet. Then AWSCURRENT is moved,
//! from that very version: a writer that was paused meanwhile, or that somebody has overtaken, moves nothing.

mod answer;
mod wire;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use rotate_providers::contract::{Check, KeyId};
use rotate_providers::form::SecretForm;
use rotate_providers::s3_customer_managed::Login;
use rotate_providers::secret::Secret;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::aws::{Permissions, elsewhere, login, overtaken, place, shape, version_is_gone};
use super::capabilities::Capabilities;
use super::fault::Answer;
use super::fields::Fields;
use super::looks::Looks;
use super::object::Shape;
use super::options::Options;
use super::pinned::{named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;
use wire::Which;

/// The label of the version that consumers get.
const CURRENT: &str = "AWSCURRENT";
/// How often somebody else may write between our look and our write before that is told.
const MOST_TRIES: u32 = 3;

/// A secret of the store.
pub(super) struct SecretsManager {
    name: String,
    place: String,
    options: Options,
    shape: Shape,
    /// The ARN that the name has to lead to.
    arn: Option<String>,
    login: Login,
    client: OnceCell<Client>,
}

/// What consumers get now.
struct Current {
    arn: String,
    version: String,
    text: Secret,
}

impl Current {
    fn text(&self) -> Option<&str> {
        self.text.expose_text()
    }
}

impl SecretsManager {
    /// `NAME-or-ARN?profile=…&role=…&external_id=…&region=…&plain=FIELD`, and names for fields.
    pub(super) fn new(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (place, options) = options_behind(rest)?;
        // <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@-:".contains(letter);
        let is_name = (1..=2048).contains(&place.len()) && place.chars().all(fits);
        if !is_name || place.contains(':') && !place.starts_with("arn:") {
            return Err(Fault::Name("it names no secret: write secretsmanager:NAME or its ARN"));
        }
        let mut left = options.clone();
        let arn = left.take("arn");
        let login = login(&mut left, region_of(place));
        let shape = shape(form, &mut left)?;
        left.end()?;
        Ok(Self {
            name: named(&format!("secretsmanager:{place}"), &options),
            place: place.to_owned(),
            options,
            shape,
            arn,
            login,
            client: OnceCell::new(),
        })
    }

    async fn current(&self) -> Result<Current, Fault> {
        let id = self.arn.as_deref().unwrap_or(&self.place);
        let current = self.read(id, Which::Labelled(CURRENT)).await?;
        match &self.arn {
            Some(arn) if *arn != current.arn => Err(elsewhere(&current.arn, arn)),
            _ => Ok(current),
        }
    }

    /// Makes this the current version, if the one that it was made of still is. `false`: somebody else has written meanwhile.
    async fn replace(&self, current: &Current, token: &str, text: &Secret) -> Result<bool, Fault> {
        let text = text.expose_text().ok_or(Fault::Content("the credential is no text"))?;
        self.put(&current.arn, token, text).await?;
        crash_point("secretsmanager: written");
        let moved = self.make_current(current, token).await?;
        crash_point("secretsmanager: current");
        Ok(moved)
    }

    async fn write(&self, fields: &Fields) -> Result<(), Fault> {
        for _ in 0..MOST_TRIES {
            let current = self.current().await?;
            if self.shape.holds(current.text(), fields) {
                return Ok(());
            }
            let text = self.shape.with(current.text(), fields)?;
            let token = self.of_delivery(fields, &current.version);
            if self.replace(&current, &token, &text).await? {
                return self.read_back(fields).await;
            }
        }
        Err(overtaken())
    }

    async fn read_back(&self, fields: &Fields) -> Result<(), Fault> {
        let mut looks = Looks::usual();
        while looks.next().await {
            if self.shape.holds(self.current().await?.text(), fields) {
                return Ok(());
            }
        }
        Err(Fault::ReadBack)
    }

    async fn put_back(&self, fields: &Fields, before: &str) -> Result<Restored, Fault> {
        for _ in 0..MOST_TRIES {
            let current = self.current().await?;
            if current.version == before {
                return Ok(Restored::PutBack);
            }
            if !self.shape.holds(current.text(), fields) {
                let earlier = self.read(&current.arn, Which::Called(before)).await;
                let is_back = earlier.is_ok_and(|earlier| self.shape.same(current.text(), earlier.text()));
                return Ok(match is_back || self.was_put_back(&current, fields).await? {
                    true => Restored::PutBack,
                    false => Restored::ChangedSince,
                });
            }
            let replaced = self.replaced(&current, fields, before).await?;
            let is_ours = current.version == self.of_delivery(fields, &replaced.version);
            let done = if is_ours {
                let moved = self.make_current(&current, &replaced.version).await?;
                crash_point("secretsmanager: put back");
                moved
            } else {
                // Others were written since: they stay, and only ours go back.
                let text = self.shape.without(current.text(), replaced.text())?;
                let token = self.of_undoing(fields, &current.version);
                self.replace(&current, &token, &text).await?
            };
            if done {
                return Ok(Restored::PutBack);
            }
        }
        Err(overtaken())
    }

    /// The version that the new key took the place of. Somebody may have written after the one before was sealed: the version with
    /// the new key is called by what it was made of, which tells.
    async fn replaced(&self, current: &Current, fields: &Fields, before: &str) -> Result<Current, Fault> {
        let is_made_of = |version: &str| current.version == self.of_delivery(fields, version);
        if !is_made_of(before) {
            let previous = self.previous(&current.arn).await?;
            if let Some(previous) = previous.filter(|previous| is_made_of(&previous.version)) {
                return Ok(previous);
            }
            // Others have written since, so neither label tells.
            let all = self.versions(&current.arn).await?;
            let made: HashMap<String, &String> = all.iter().map(|of| (self.of_delivery(fields, of), of)).collect();
            // The latest: one that came to nothing was made before it.
            if let Some(of) = all.iter().find_map(|version| made.get(version)) {
                return self.kept(current, of).await;
            }
        }
        self.kept(current, before).await
    }

    /// Whether it was this rotation that has made this version current, in place of one with its key.
    async fn was_put_back(&self, current: &Current, fields: &Fields) -> Result<bool, Fault> {
        let previous = self.previous(&current.arn).await?;
        Ok(previous.is_some_and(|previous| {
            previous.version == self.of_delivery(fields, &current.version)
                || current.version == self.of_undoing(fields, &previous.version)
        }))
    }

    /// A version that has to be there still.
    async fn kept(&self, current: &Current, version: &str) -> Result<Current, Fault> {
        match self.read(&current.arn, Which::Called(version)).await {
            Err(Fault::Store {
                kind: Answer::Missing, ..
            }) => Err(version_is_gone(&format!("version {version}"))),
            read => read,
        }
    }

    async fn look(&self) -> Result<Current, Fault> {
        let current = self.current().await?;
        self.shape.accepts(current.text())?;
        Ok(current)
    }

    /// The same bytes under the token that they were written with: AWS takes that for the same call, and does nothing.
    async fn try_to_write(&self) -> Result<(), Fault> {
        let current = self.look().await?;
        let text = current.text().unwrap_or_default();
        self.put(&current.arn, &current.version, text).await
    }

    /// What the version is called that an undoing makes of this one.
    fn of_undoing(&self, fields: &Fields, version: &str) -> String {
        token(&[&fields.rotation, "restore", &self.ours(), version])
    }

    /// What the version is called that a delivery makes of this one.
    fn of_delivery(&self, fields: &Fields, version: &str) -> String {
        token(&[&fields.rotation, "deliver", &self.ours(), version])
    }

    /// What our fields are called there: a rotation may have two destinations in one secret, and each undoes its own alone.
    fn ours(&self) -> String {
        self.shape.names().unwrap_or_default().join(",")
    }
}

#[async_trait]
impl Destination for SecretsManager {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::VERSIONED
    }

    fn occupies(&self) -> Occupied {
        let (name, account) = name_and_account(&self.place);
        Occupied {
            place: place(&format!("secretsmanager:{name}"), &self.login, account),
            exact: self.arn.as_deref().or(Some(&*self.place)).and_then(exact),
            names: self.shape.names(),
        }
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        let options = self.options.clone().with("arn", &current.arn);
        Ok(named(&format!("secretsmanager:{}", self.place), &options))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.look().await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn lacks(&self) -> Option<Check> {
        let permissions = Permissions {
            resource: self.current().await.ok()?.arn,
            ..self.permissions()
        };
        let (why, remedy) = permissions.lacking(&self.login).await?;
        Some(Check::Unknown {
            why: format!(
                "{why}, unless the secret's own policy does; {}",
                remedy.replace('\n', " ")
            )
            .into(),
        })
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.try_to_write().await.map_err(|fault| fault.at(&self.name))
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(self.shape.key(current.text()))
    }

    fn tells_key(&self) -> bool {
        self.shape.tells_key()
    }

    /// Which version it is: what that holds the store keeps itself.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(Secret::new(current.version))
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(self.shape.holds(current.text(), fields))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).await.map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let before = before.expose_text().unwrap_or_default();
        self.put_back(fields, before)
            .await
            .map_err(|fault| fault.at(&self.name))
    }
}

/// The same in each repeat, and another as soon as anything else is written: 64 letters, as many as a token may have.
fn token(parts: &[&str]) -> String {
    let hash = Sha256::digest(parts.join(" "));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a secret, and of an ARN the account too. Behind the name an ARN has six letters by chance:
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen>.
fn name_and_account(place: &str) -> (&str, Option<&str>) {
    let mut parts = place.splitn(7, ':');
    let (Some("arn"), Some(account), Some(name)) = (parts.next(), parts.nth(3), parts.nth(1)) else {
        return (place, None);
    };
    let is_chance = |end: &str| end.len() == 6 && end.chars().all(|letter| letter.is_ascii_alphanumeric());
    match name.rsplit_once('-') {
        Some((name, end)) if is_chance(end) => (name, Some(account)),
        _ => (name, Some(account)),
    }
}

/// What an ARN is about, with or without the six letters.
fn exact(arn: &str) -> Option<String> {
    let (name, account) = name_and_account(arn);
    Some(format!("{}:{}:{name}", region_of(arn)?, account?))
}

/// An ARN says where its secret is.
fn region_of(place: &str) -> Option<String> {
    let region = place.strip_prefix("arn:")?.split(':').nth(2)?;
    (!region.is_empty()).then(|| region.to_owned())
}
