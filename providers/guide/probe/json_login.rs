//! A login whose request is one JSON document.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;
use crate::web::{Body, Request};

/// A user and a password, tried where sessions begin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLogin {
    /// Where sessions begin, https.
    pub url: Template,
    /// The vendor's hosts, as in an HTTP probe.
    pub hosts: Vec<String>,
    /// What the document says, and where: `data.LOGIN_NAME` is a member of the member `data`.
    pub body: BTreeMap<String, Said>,
    /// What the answers mean.
    pub answers: Answers,
}

/// What stands at a place of the document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A text.
    Text(Template),
    /// A text up to its first dot: a name without what follows it in an address.
    FirstLabel(Template),
    /// Who signs in.
    Login,
    /// The secret.
    Secret,
}

/// The document, which borrows the secret.
#[derive(Serialize)]
#[serde(untagged)]
enum Document<'a> {
    Members(BTreeMap<&'a str, Document<'a>>),
    Text(&'a str),
}

/// A letter takes six at most: `\u0000`.
const LONGEST_LETTER: usize = 6;

impl JsonLogin {
    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        self.tried(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        let body = self.body.values().filter_map(|said| match said {
            Said::Text(text) | Said::FirstLabel(text) => Some(text),
            Said::Login | Said::Secret => None,
        });
        [&self.url].into_iter().chain(body).collect()
    }

    async fn tried(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let url = attempt.fill(&self.url)?;
        let reply = attempt
            .network
            .send(Request {
                method: Method::POST,
                url: &url,
                hosts: &self.hosts,
                headers: Vec::new(),
                body: Some(Body::json(self.document(attempt)?)),
                is_secret_place: false,
                reads: &|status| self.answers.reads(status),
            })
            .await
            // It may have counted as a wrong try.
            .map_err(|unanswered| Outcome {
                may_be_repeated: false,
                ..Outcome::from(unanswered)
            })?;
        let outcome = self.answers.assess(reply.status, &reply.body);
        Ok(Outcome {
            through_proxy: reply.through_proxy,
            may_be_repeated: false,
            ..outcome
        })
    }

    fn document(&self, attempt: Attempt<'_>) -> Result<Zeroizing<String>, Outcome> {
        let mut filled = Vec::new();
        for (place, said) in &self.body {
            let text = match said {
                Said::Text(text) => Some(attempt.fill(text)?),
                Said::FirstLabel(text) => attempt.fill(text)?.split('.').next().map(str::to_owned),
                Said::Login => Some(attempt.login()?.to_owned()),
                Said::Secret => None,
            };
            filled.push((place, text));
        }
        let secret = attempt.text()?;
        let mut document = Document::Members(BTreeMap::new());
        let mut length = 2;
        for (place, text) in &filled {
            let text = text.as_deref().unwrap_or(secret);
            length += place.len() + LONGEST_LETTER * text.len() + 16;
            document.put(place.split('.'), text);
        }
        // Room for everything at once: bytes that grow leave copies of secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        let unfit = || Outcome::inconclusive("secret-form", "it holds letters that no request can carry");
        serde_json::to_writer(&mut *bytes, &document).map_err(|_| unfit())?;
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| unfit())?;
        Ok(Zeroizing::new(text))
    }
}

impl<'a> Document<'a> {
    fn put(&mut self, mut place: impl Iterator<Item = &'a str>, text: &'a str) {
        match (place.next(), self) {
            (Some(name), Self::Members(members)) => {
                let member = members.entry(name).or_insert_with(|| Self::Members(BTreeMap::new()));
                member.put(place, text);
            }
            (_, here) => *here = Self::Text(text),
        }
    }
}
