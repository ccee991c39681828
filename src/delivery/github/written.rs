//! How secrets are written, and how it is known that they were.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::address::App;
use super::faults::{changed, passing};
use super::found::{Audience, Found, Shown};
use super::sealed::BoxKey;
use super::wire::Wire;
use super::{GITHUBS_CLOCKS, GitHub};
use crate::delivery::Fault;
use crate::delivery::fields::Fields;
use crate::delivery::looks::Looks;
use crate::hooks::crash_point;

/// GitHub takes no larger value.
const LARGEST: usize = 47_000;

/// How often a secret is looked at until its new time shows.
const MOST_READINGS: u32 = 10;
const SPACING: Duration = Duration::from_millis(500);

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
    pub(super) async fn write(&self, fields: &Fields) -> Result<(), Fault> {
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
        key: &BoxKey,
        delivery: &Delivery<'_>,
    ) -> Result<Option<Timestamp>, Fault> {
        let path = format!("{}/{}", found.secrets, delivery.name);
        let put = async |key: &BoxKey| {
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

    fn sealed<'a>(&self, encrypted: &'a str, key: &'a BoxKey, delivery: &'a Delivery<'_>) -> Sealed<'a> {
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
}
