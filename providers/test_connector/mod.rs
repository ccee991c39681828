//! `test-connector`, for tests alone: unlike the others an owner has up to five keys, use is recorded by the hour, and a key is
//! only removed, for good. Registered where `ROTATE_TEST_CONNECTOR` is set, it proves that a connector is only its folder.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::contract::{
    Caller, Effect, Error, Key, KeyId, Kind, LastUse, Listed, Minting, MintsAtVendor, Observation, Principal, Proof,
    Provider, Verdict,
};
use crate::form::{Field, Part, SecretForm};
use crate::inputs::{self, InputSpec};
use crate::secret::{Credential, Secret};
use crate::test_vendor::{self, Answer};
use crate::untrusted::Label;
use crate::{Automation, Capabilities, Connecting, Connector, KeyShown, ShownKey, Vendors};

pub(crate) static CONNECTOR: Connector = crate::automated(&AUTOMATION, include_str!("guide.toml"));

const AUTOMATION: Automation = Automation {
    id: "test-connector",
    title: "key of a user at the test vendor",
    vendor: "The test vendor",
    inputs: INPUTS,
    connect,
    shown_key: Some(ShownKey {
        help: "a file with the id of the key that the consumer uses now",
        read: shown_key,
    }),
    credentials: "set TEST_VENDOR_TOKEN",
    secret: SecretForm {
        called: "this key",
        fields: &[
            Field::always("key_id", Part::Key).in_files("TEST_KEY_ID"),
            Field::always("key_secret", Part::Secret).in_files("TEST_KEY_SECRET"),
        ],
        beside: &[],
    },
    capabilities: Capabilities {
        most_keys: 5,
        lists_lag: false,
        use_steps: SignedDuration::from_hours(1),
        ..Capabilities::LEAST
    },
    ..Automation::LEAST
};

const INPUTS: &[InputSpec] = &[
    InputSpec::required("holder", "the user whose key is rotated", inputs::word).identifies(),
    test_vendor::ADDRESS,
];

#[derive(Deserialize)]
struct TestConnector {
    holder: String,
    address: String,
}

fn connect(inputs: Value, _: &Arc<Vendors>) -> Connecting {
    Box::pin(async move {
        let provider: TestConnector = inputs::typed(inputs)?;
        Ok(Box::new(provider) as Box<dyn Provider>)
    })
}

fn shown_key(path: &Path, _: &Value) -> Result<KeyShown, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let key = KeyId::parse(text.trim()).map_err(|error| error.to_string())?;
    Ok(KeyShown { key, public: None })
}

impl TestConnector {
    async fn send(&self, line: &str, login: &str) -> io::Result<Answer> {
        test_vendor::send(&self.address, line, login, &[]).await
    }

    /// Asks as the administrator.
    async fn ask(&self, line: &str) -> Result<(Value, Option<Label>), Error> {
        let login = test_vendor::administrator();
        let asked = test_vendor::ask(line, self.send(line, &login), |status| match status {
            404 => Some((Kind::NotFound, "there is no such thing")),
            409 => Some((Kind::Quota, "five keys are there")),
            _ => None,
        });
        asked.await
    }
}

/// A key as the vendor writes it.
#[derive(Deserialize)]
struct Shown {
    id: KeyId,
    made: Option<Timestamp>,
    secret: Option<String>,
}

#[async_trait]
impl Provider for TestConnector {
    fn host(&self) -> Option<String> {
        None
    }

    async fn caller(&self) -> Result<Caller, Error> {
        Ok(test_vendor::caller())
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let (user, _) = self.ask(&format!("GET /users/{}", self.holder)).await?;
        Ok(Observation {
            owner: test_vendor::user(
                &self.holder,
                user.as_str().ok_or_else(|| test_vendor::unclear(Effect::None))?,
            ),
            keys: self.keys().await?.keys,
            vendor_time: None,
            is_caller: false,
            caller_keys: Vec::new(),
        })
    }

    async fn keys(&self) -> Result<Listed, Error> {
        let (reply, _) = self.ask(&format!("GET /users/{}/keys", self.holder)).await?;
        let listed: Vec<Shown> = serde_json::from_value(reply).map_err(|_| test_vendor::unclear(Effect::None))?;
        let key = |shown: Shown| Key {
            delete_by_hand: format!("vendor delete {}", shown.id),
            id: shown.id,
            active: true,
            created_at: shown.made,
            public: None,
        };
        let (keys, vendor_time) = (listed.into_iter().map(key).collect(), None);
        Ok(Listed { keys, vendor_time })
    }

    fn minting(&self) -> Minting<'_> {
        Minting::AtVendor(self)
    }

    async fn probe(&self, credential: &Credential, owner: &Principal, _: Proof) -> Verdict {
        let secret = credential.secret.expose_text().unwrap_or_default();
        match self
            .send("GET /login", &format!("Key {}:{secret}", credential.key))
            .await
        {
            Ok((200, user, _)) if user == owner.id.as_str() => Verdict::Accepted,
            Ok((200 | 401, ..)) => Verdict::Rejected {
                reason: "the vendor refuses it".into(),
                may_be_lag: false,
            },
            _ => Verdict::Inconclusive {
                reason: "the vendor was not reached".into(),
            },
        }
    }

    async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        let (reply, _) = self.ask(&format!("GET /keys/{key}/use")).await?;
        let hour: Option<Timestamp> = serde_json::from_value(reply).map_err(|_| test_vendor::unclear(Effect::None))?;
        Ok(hour.map_or(LastUse::NeverSeen, |at| LastUse::At {
            at,
            service: "the API".into(),
            region: "the only region".into(),
        }))
    }

    async fn delete(&self, key: &KeyId) -> Result<Option<Label>, Error> {
        match self.ask(&format!("DELETE /keys/{key}")).await {
            // What is gone already need not be deleted.
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            result => result.map(|(_, request)| request),
        }
    }
}

#[async_trait]
impl MintsAtVendor for TestConnector {
    async fn turn(&self) {}

    async fn create(&self) -> Result<(Credential, Option<Label>), Error> {
        let (made, request) = self.ask(&format!("POST /users/{}/keys", self.holder)).await?;
        let made: Shown = serde_json::from_value(made).map_err(|_| test_vendor::unclear(Effect::Unknown))?;
        let credential = Credential {
            key: made.id,
            public: None,
            secret: Secret::new(made.secret.unwrap_or_default()),
        };
        Ok((credential, request))
    }

    fn longest_call(&self) -> Duration {
        Duration::from_secs(5)
    }
}
