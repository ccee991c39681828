//! `test-password`, for tests alone: a password that is replaced where it stands, and numbered by its vendor. Registered where
//! `ROTATE_TEST_CONNECTOR` is set.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rand::RngExt;
use rand::distr::Alphanumeric;
use serde::Deserialize;
use serde_json::Value;

use crate::call::configuration;
use crate::contract::{
    Caller, Effect, Error, Key, KeyId, Kind, LastUse, Listed, Minting, Observation, Principal, Proof, Provider,
    ReplacesInPlace, Verdict,
};
use crate::form::{Field, Part, SecretForm};
use crate::inputs::{self, InputSpec};
use crate::secret::{Credential, Secret};
use crate::test_vendor::{self, Answer};
use crate::untrusted::Label;
use crate::{Automation, Capabilities, Connecting, Connector, Vendors};

pub(crate) static CONNECTOR: Connector = crate::automated(&AUTOMATION, include_str!("guide.toml"));

const AUTOMATION: Automation = Automation {
    id: "test-password",
    title: "password of a user at the test vendor",
    noun: "password",
    vendor: "The test vendor",
    inputs: INPUTS,
    connect,
    credentials: "set TEST_VENDOR_TOKEN",
    secret: SecretForm {
        called: "a password",
        fields: &[Field::always("password", Part::Secret).in_files("TEST_PASSWORD")],
        beside: &[],
    },
    capabilities: Capabilities {
        most_keys: 1,
        makes_keys: false,
        replaces: true,
        names_each_secret: true,
        lists_lag: false,
        ..Capabilities::LEAST
    },
    ..Automation::LEAST
};

const INPUTS: &[InputSpec] = &[
    InputSpec::required("holder", "the user whose password is rotated", inputs::word).identifies(),
    test_vendor::ADDRESS,
];

/// An answer that takes longer is lost.
const LONGEST_CALL: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct TestPassword {
    holder: String,
    address: String,
}

fn connect(inputs: Value, _: &Arc<Vendors>) -> Connecting {
    Box::pin(async move {
        let provider: TestPassword = inputs::typed(inputs)?;
        Ok(Box::new(provider) as Box<dyn Provider>)
    })
}

impl TestPassword {
    async fn send(&self, line: &str, login: &str, body: &[u8]) -> io::Result<Answer> {
        let sending = test_vendor::send(&self.address, line, login, body);
        tokio::time::timeout(LONGEST_CALL, sending).await?
    }

    /// Asks as the administrator.
    async fn ask(&self, line: &str, body: &[u8]) -> Result<(Value, Option<Label>), Error> {
        let login = test_vendor::administrator();
        let asked = test_vendor::ask(line, self.send(line, &login, body), |status| match status {
            404 => Some((Kind::NotFound, "there is no such user")),
            403 => Some((Kind::Refused, "it does not let the administrator do that")),
            _ => None,
        });
        asked.await
    }
}

/// A user as the vendor shows them.
#[derive(Deserialize)]
struct Shown {
    id: String,
    number: u64,
    changed: Timestamp,
}

#[async_trait]
impl Provider for TestPassword {
    fn host(&self) -> Option<String> {
        None
    }

    async fn caller(&self) -> Result<Caller, Error> {
        Ok(test_vendor::caller())
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let (reply, _) = self.ask(&format!("GET /passwords/{}", self.holder), &[]).await?;
        let unclear = || test_vendor::unclear(Effect::None);
        let shown: Shown = serde_json::from_value(reply).map_err(|_| unclear())?;
        let key = Key {
            id: KeyId::parse(&format!("password-{}", shown.number)).map_err(|_| unclear())?,
            active: true,
            created_at: Some(shown.changed),
            public: None,
            delete_by_hand: String::new(),
        };
        Ok(Observation {
            owner: test_vendor::user(&self.holder, &shown.id),
            keys: vec![key],
            vendor_time: None,
            is_caller: false,
            caller_keys: Vec::new(),
        })
    }

    async fn keys(&self) -> Result<Listed, Error> {
        let (keys, vendor_time) = (self.observe().await?.keys, None);
        Ok(Listed { keys, vendor_time })
    }

    fn minting(&self) -> Minting<'_> {
        Minting::InPlace(self)
    }

    async fn probe(&self, credential: &Credential, owner: &Principal, proof: Proof) -> Verdict {
        let secret = credential.secret.expose_text().unwrap_or_default();
        let line = match proof {
            Proof::Permission => "GET /login/and-read",
            Proof::Identity => "GET /login",
        };
        match self.send(line, &format!("User {}:{secret}", self.holder), &[]).await {
            Ok((200, user, _)) if user == owner.id.as_str() => Verdict::Accepted,
            Ok((200 | 401, ..)) => Verdict::Rejected {
                reason: "the password is wrong".into(),
                may_be_lag: false,
            },
            Ok((403, ..)) => Verdict::Barred {
                reason: "the vendor lets nobody in from here".into(),
            },
            Ok((423, ..)) => Verdict::Inconclusive {
                reason: "the user is locked".into(),
            },
            _ => Verdict::Inconclusive {
                reason: "the vendor was not reached".into(),
            },
        }
    }

    async fn last_use(&self, _: &KeyId) -> Result<LastUse, Error> {
        Ok(LastUse::NotReported)
    }

    async fn delete(&self, _: &KeyId) -> Result<Option<Label>, Error> {
        Err(configuration(
            "delete a password",
            "it is only ever replaced".to_owned(),
        ))
    }
}

#[async_trait]
impl ReplacesInPlace for TestPassword {
    async fn generate(&self) -> Result<Secret, Error> {
        let letters = rand::rng().sample_iter(Alphanumeric).take(34);
        let mut password = zeroize::Zeroizing::new(Vec::with_capacity(40));
        password.extend_from_slice(b"CANARY");
        password.extend(letters);
        Ok(Secret::new(password.as_slice()))
    }

    async fn replace(&self, secret: &Secret) -> Result<Option<Label>, Error> {
        let line = format!("PUT /passwords/{}", self.holder);
        self.ask(&line, secret.expose()).await.map(|(_, request)| request)
    }
}
