//! A secret of AWS Secrets Manager: our fields in its JSON object, or one of them as all of it.
//!
//! A write has two halves, each harmless when repeated. The new version is put there under a token that follows from the rotation
//! and from the version that it was made of, and is nobody's current one yet. Then AWSCURRENT is moved, from that very version: a
//! writer that was paused meanwhile, or that somebody has overtaken, moves nothing.

mod answer;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use rotate_providers::contract::KeyId;
use rotate_providers::form::SecretForm;
use rotate_providers::s3_customer_managed::{EndpointGuard, Login};
use rotate_providers::secret::Secret;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::capabilities::Capabilities;
use super::fault::Answer;
use super::fields::{Fields, Mapping};
use super::named::{named, options_behind};
use super::object::Shape;
use super::options::Options;
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;
use answer::{no_login, unfit};

/// The label of the version that consumers get.
const CURRENT: &str = "AWSCURRENT";
/// Ours, on a version that is not current yet: one without any label may be removed by AWS at any time.
const PENDING: &str = "rotate-pending";

/// How often somebody else may write between our look and our write before that is told.
const MOST_TRIES: u32 = 3;

/// How often the secret is read back: what was written shows everywhere only after a moment.
const MOST_READINGS: u32 = 10;
const SPACING: Duration = Duration::from_millis(300);

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
        let login = Login {
            profile: left.take("profile"),
            assume_role: left.take("role"),
            external_id: left.take("external_id"),
            region: left.take("region").or_else(|| region_of(place)),
        };
        let shape = match left.take("plain") {
            Some(field) => match form.field(&field) {
                Some(field) => Shape::Plain(field.name),
                None => return Err(Fault::Option("plain".to_owned(), "the secret has no such field")),
            },
            None => Shape::Members(Mapping::read(form, &mut left)?),
        };
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

    async fn client(&self) -> Result<&Client, Fault> {
        // Boxed, here and below: the SDK's futures in each other are deeper than the compiler follows.
        let connecting = async || {
            let config = Box::pin(self.login.find()).await.map_err(|error| no_login(&error))?;
            let config = Builder::from(&config)
                .interceptor(EndpointGuard)
                .retry_config(RetryConfig::standard().with_max_attempts(3));
            Ok(Client::from_conf(config.build()))
        };
        self.client.get_or_try_init(connecting).await
    }

    async fn current(&self) -> Result<Current, Fault> {
        let id = self.arn.as_deref().unwrap_or(&self.place);
        let current = self.read(id, None).await?;
        match &self.arn {
            Some(arn) if *arn != current.arn => Err(unfit(
                format!("it is {} now, and was {arn} when the rotation was opened", current.arn),
                "find out who has replaced it",
            )),
            _ => Ok(current),
        }
    }

    /// The current version, or this one.
    async fn read(&self, id: &str, version: Option<&str>) -> Result<Current, Fault> {
        let label = version.is_none().then(|| CURRENT.to_owned());
        let asked = self.client().await?.get_secret_value().secret_id(id);
        let asked = asked
            .set_version_id(version.map(str::to_owned))
            .set_version_stage(label);
        let reply = Box::pin(asked.send())
            .await
            .map_err(|error| self.failed_to("GetSecretValue", &error))?;
        let (Some(arn), Some(version)) = (reply.arn, reply.version_id) else {
            return Err(unfit(
                "the store answers without saying which version that is".to_owned(),
                "try again",
            ));
        };
        match reply.secret_string {
            Some(text) => Ok(Current {
                arn,
                version,
                text: Secret::new(text),
            }),
            None => Err(unfit(
                "it holds bytes and no text".to_owned(),
                "deliver to a secret that holds text, or to a new one",
            )),
        }
    }

    /// Makes this the current version, if the one that it was made of still is. `false`: somebody else has written meanwhile.
    async fn replace(&self, current: &Current, token: &str, text: &Secret) -> Result<bool, Fault> {
        let client = self.client().await?;
        let text = text.expose_text().ok_or(Fault::Content("the credential is no text"))?;
        let put = client
            .put_secret_value()
            .secret_id(&current.arn)
            .client_request_token(token);
        let put = put.secret_string(text).version_stages(PENDING);
        let put = Box::pin(put.send()).await;
        put.map_err(|error| self.failed_to("PutSecretValue", &error))?;
        crash_point("secretsmanager: written");
        let moved = self.make_current(current, token).await?;
        crash_point("secretsmanager: current");
        Ok(moved)
    }

    async fn make_current(&self, from: &Current, version: &str) -> Result<bool, Fault> {
        let moving = self.client().await?.update_secret_version_stage().secret_id(&from.arn);
        let moving = moving.version_stage(CURRENT).move_to_version_id(version);
        match Box::pin(moving.remove_from_version_id(&from.version).send()).await {
            Ok(_) => Ok(true),
            Err(error) => match self.failed_to("UpdateSecretVersionStage", &error) {
                Fault::Store {
                    kind: Answer::Changed, ..
                } => Ok(false),
                fault => Err(fault),
            },
        }
    }

    async fn write(&self, fields: &Fields) -> Result<(), Fault> {
        for _ in 0..MOST_TRIES {
            let current = self.current().await?;
            if self.shape.holds(current.text(), fields) {
                return Ok(());
            }
            let text = self.shape.with(current.text(), fields)?;
            let token = token(&[&fields.rotation, "deliver", &current.version]);
            if self.replace(&current, &token, &text).await? {
                return self.read_back(fields).await;
            }
        }
        Err(overtaken())
    }

    async fn read_back(&self, fields: &Fields) -> Result<(), Fault> {
        for reading in 0..MOST_READINGS {
            if reading > 0 {
                tokio::time::sleep(SPACING).await;
            }
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
            let earlier = self.read(&current.arn, Some(before)).await;
            if !self.shape.holds(current.text(), fields) {
                let is_back = earlier.is_ok_and(|earlier| self.shape.same(current.text(), earlier.text()));
                return Ok(match is_back {
                    true => Restored::PutBack,
                    false => Restored::ChangedSince,
                });
            }
            let earlier = earlier?;
            let is_ours = current.version == token(&[&fields.rotation, "deliver", before]);
            let done = if is_ours {
                let moved = self.make_current(&current, before).await?;
                crash_point("secretsmanager: put back");
                moved
            } else {
                // Others were written since: they stay, and only ours go back.
                let text = self.shape.without(current.text(), earlier.text())?;
                let token = token(&[&fields.rotation, "restore", &current.version]);
                self.replace(&current, &token, &text).await?
            };
            if done {
                return Ok(Restored::PutBack);
            }
        }
        Err(overtaken())
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
        let put = self.client().await?.put_secret_value().secret_id(&current.arn);
        let put = put
            .client_request_token(&current.version)
            .secret_string(text)
            .version_stages(PENDING);
        Box::pin(put.send())
            .await
            .map_err(|error| self.failed_to("PutSecretValue", &error))?;
        Ok(())
    }

    fn failed(&self, fault: Fault) -> DeliveryError {
        DeliveryError {
            destination: self.name.clone(),
            fault,
        }
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
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let Login {
            profile,
            assume_role,
            region,
            ..
        } = &self.login;
        let whose = [profile, assume_role, region].map(part).join(" ");
        Occupied {
            place: format!("secretsmanager:{} {whose}", self.place),
            names: self.shape.names(),
        }
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let current = self.current().await.map_err(|fault| self.failed(fault))?;
        let options = self.options.clone().with("arn", &current.arn);
        Ok(named(&format!("secretsmanager:{}", self.place), &options))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.look().await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(self.failed(fault)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.try_to_write().await.map_err(|fault| self.failed(fault))
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let current = self.current().await.map_err(|fault| self.failed(fault))?;
        Ok(self.shape.key(current.text()))
    }

    fn tells_key(&self) -> bool {
        self.shape.tells_key()
    }

    /// Which version it is: what that holds the store keeps itself.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        let current = self.current().await.map_err(|fault| self.failed(fault))?;
        Ok(Secret::new(current.version))
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        let current = self.current().await.map_err(|fault| self.failed(fault))?;
        Ok(self.shape.holds(current.text(), fields))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).await.map_err(|fault| self.failed(fault))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let before = before.expose_text().unwrap_or_default();
        self.put_back(fields, before).await.map_err(|fault| self.failed(fault))
    }
}

fn overtaken() -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what: "somebody else has written there each time before the new key could be".to_owned(),
        remedy: "stop whoever else writes there, then run the same command again".to_owned(),
    }
}

/// The same in each repeat, and another as soon as anything else is written: 64 letters, as many as a token may have.
fn token(parts: &[&str]) -> String {
    let hash = Sha256::digest(parts.join(" "));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An ARN says where its secret is.
fn region_of(place: &str) -> Option<String> {
    let region = place.strip_prefix("arn:")?.split(':').nth(2)?;
    (!region.is_empty()).then(|| region.to_owned())
}
