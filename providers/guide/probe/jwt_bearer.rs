//! A grant by an assertion that a service account's key signs: RFC 7523, section 2.1.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use google_cloud_auth::credentials::service_account::Builder;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;
use crate::untrusted::sanitized;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion is good for; it is used at once.
const GOOD_FOR: u64 = 300;

/// A service account's key file, tried where tokens are given out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtBearer {
    /// Where tokens are given out, https. The key file is not asked.
    pub token_url: Template,
    /// The vendor's hosts, as in an HTTP probe.
    pub hosts: Vec<String>,
    /// What the token would be good for.
    pub scope: String,
    /// The project that the key has to belong to.
    pub project: Option<Template>,
    /// What the answers mean.
    pub answers: Answers,
}

/// What of a key file is used. Its addresses are not: who has changed them would get the assertion.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key_id: String,
    private_key: Wiped,
    project_id: String,
}

struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl JwtBearer {
    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        self.tried(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        [&self.token_url].into_iter().chain(&self.project).collect()
    }

    async fn tried(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let url = attempt.fill(&self.token_url)?;
        let file = KeyFile::read(attempt.text()?)?;
        file.belongs(attempt, self.project.as_ref())?;
        let assertion = file.assertion(&url, &self.scope).await?;
        let form = [("grant_type", GRANT), ("assertion", assertion.as_str())];
        let reply = attempt.network.post_form(&url, &self.hosts, &form).await?;
        let outcome = self.answers.assess(reply.status, &reply.body);
        Ok(Outcome {
            through_proxy: reply.through_proxy,
            ..outcome
        })
    }
}

impl KeyFile {
    fn read(text: &str) -> Result<Self, Outcome> {
        let wrong = |why: &'static str| Outcome::inconclusive("secret-form", why);
        // What is wrong with it is not repeated: a message of the parser quotes it.
        let file: Self = serde_json::from_str(text).map_err(|_| {
            wrong("it is no JSON key file of a service account: the whole file is the secret, as it was downloaded")
        })?;
        match file.kind.as_str() {
            "service_account" => Ok(file),
            _ => Err(wrong("it is a key file of another kind than of a service account")),
        }
    }

    /// Whether it is of the account and the project that were meant. Nothing is sent where it is not.
    fn belongs(&self, attempt: Attempt<'_>, project: Option<&Template>) -> Result<(), Outcome> {
        let other = |what: &str, theirs: &str, ours: &str| {
            Err(Outcome::inconclusive(
                "other-key",
                format!(
                    "the key file is of {what} {}, not of {ours}; nothing was sent",
                    named(theirs)
                ),
            ))
        };
        let account = attempt.login()?;
        if self.client_email != account {
            return other("service account", &self.client_email, account);
        }
        if let Some(project) = project {
            let project = attempt.fill(project)?;
            if self.project_id != project {
                return other("project", &self.project_id, &project);
            }
        }
        Ok(())
    }

    async fn assertion(&self, url: &str, scope: &str) -> Result<Zeroizing<String>, Outcome> {
        let broken = || {
            Outcome::inconclusive(
                "secret-form",
                "the private key in the file is broken or cut; nothing was sent",
            )
        };
        let issued = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": self.private_key_id});
        let claims = json!({
            "iss": self.client_email,
            "scope": scope,
            "aud": url,
            "iat": issued,
            "exp": issued + GOOD_FOR,
        });
        let mut text = Zeroizing::new(format!("{}.{}", part(head.to_string()), part(claims.to_string())));
        // The library keeps copies of the key, as long as the signer lives: until the end of this function.
        let signer = Builder::new(json!({
            "client_email": self.client_email,
            "private_key_id": self.private_key_id,
            "private_key": self.private_key.0.as_str(),
            "project_id": self.project_id,
        }));
        let signer = signer.build_signer().map_err(|_| broken())?;
        let signature = signer.sign(text.as_bytes()).await.map_err(|_| broken())?;
        let signature = part(signature);
        text.push('.');
        text.push_str(&signature);
        Ok(text)
    }
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A name out of the file, unless it is so long that it is none: then something else may stand in its place.
fn named(name: &str) -> String {
    const LONGEST: usize = 100;
    let is_name = name.len() <= LONGEST && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@".contains(c));
    match is_name {
        true => sanitized(name),
        false => "another name".to_owned(),
    }
}
