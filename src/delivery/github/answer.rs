//! What GitHub's refusals mean. Its own words are not repeated: they may have what was sent in them.

use super::GitHub;
use super::address::{App, Place};
use super::faults::{denied, passing, unfit};
use super::token::Token;
use super::wire::Reply;
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

impl GitHub {
    /// Why a call was refused that should have succeeded.
    pub(super) fn refused(&self, call: &str, token: &Token, reply: &Reply) -> Fault {
        let from = &token.from;
        match reply.status {
            401 => denied(
                format!(
                    "GitHub does not accept the token from {from} (401): it has expired, was revoked, or never was one"
                ),
                format!("put a new one there: {}", self.permission(token)),
            ),
            403 if reply
                .header("x-github-sso")
                .is_some_and(|told| told.starts_with("required")) =>
            {
                denied(
                    format!("the organization wants single sign-on of the token from {from} ({call}: 403)"),
                    "authorize it: github.com, Settings, Developer settings, the token, Configure SSO".to_owned(),
                )
            }
            403 => {
                let asked = reply
                    .header("x-accepted-github-permissions")
                    .filter(|asked| is_permissions(asked));
                let asked = asked
                    .map(|asked| format!("; GitHub asks for {asked}"))
                    .unwrap_or_default();
                denied(
                    format!("the token from {from} may not do that ({call}: 403{asked})"),
                    format!("give the token {}", self.permission(token)),
                )
            }
            404 => Fault::Store {
                kind: Answer::Missing,
                what: format!(
                    "there is no such thing at GitHub, or the token from {from} may not see it ({call}: 404)"
                ),
                remedy: format!(
                    "see whether {} is its name, and give the token {}",
                    self.place,
                    self.permission(token)
                ),
            },
            301 | 302 | 307 | 308 => unfit(
                format!("{call}: GitHub answers that it is elsewhere now, and nothing was sent there"),
                "write its name of today",
            ),
            409 | 422 => unfit(
                format!("{call}: GitHub does not take it as it is ({})", reply.status),
                "see whether there are as many secrets already as there may be (100 in a repository or environment, 1000 in an \
                 organization), or deliver elsewhere",
            ),
            500.. => passing(format!("{call}: GitHub has a fault of its own ({})", reply.status)),
            status => unfit(
                format!("{call}: GitHub answers {status}"),
                "see what GitHub says of it, or deliver elsewhere",
            ),
        }
    }

    /// What the token takes, in the words of GitHub's settings.
    pub(super) fn permission(&self, token: &Token) -> String {
        match (&self.place, token.is_classic) {
            (Place::Organization(_), true) => "the scope admin:org".to_owned(),
            (_, true) => "the scope repo".to_owned(),
            (_, false) => self.fine_grained(),
        }
    }

    /// The same of a fine-grained token, or of an app's.
    pub(super) fn fine_grained(&self) -> String {
        let whose = match &self.place {
            Place::Organization(_) => "organization",
            Place::Repository { .. } => "repository",
        };
        let what = match (&self.place, self.app) {
            (
                Place::Repository {
                    environment: Some(_), ..
                },
                _,
            ) => "Environments: Read and write, and Actions: Read-only",
            (_, App::Actions) => "Secrets: Read and write",
            (_, App::Dependabot) => "Dependabot secrets: Read and write",
        };
        format!("the {whose} permission {what}")
    }
}

/// What GitHub says that a call takes: `secrets=write; actions=read`.
fn is_permissions(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_lowercase() || "_=;, ".contains(letter);
    text.len() <= 200 && text.chars().all(fits)
}
