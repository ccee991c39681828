//! What is said of a secret and of whoever logs in, with what mends it.

use serde::Deserialize;

use super::faults::{denied, gone, label, unfit};
use super::session::{Gone, Of, Session};
use super::wire::Call;
use crate::delivery::Fault;

#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    policies: Vec<String>,
}

impl Session {
    /// Stops what this token may not do, with the policy that lets it.
    pub(super) async fn lacks(&self, what: &str) -> Result<Fault, Fault> {
        Ok(match self.whose().await? {
            None => self.no_token(),
            Some(whose) => denied(format!("{whose} may not {what}"), &self.policy()),
        })
    }

    /// The version is the current one, and has nothing in it.
    pub(super) fn is_gone(&self, version: u64, how: &Gone) -> Fault {
        let remedy = match how {
            Gone::Deleted(_) => format!(
                "bring it back: {} -versions={version}; or deliver elsewhere",
                self.command("undelete")
            ),
            Gone::Destroyed | Gone::Dropped => format!(
                "write a new version: {} NAME=…; or deliver elsewhere",
                self.command("put")
            ),
        };
        gone(
            format!("its current version {version} {how}; rotate leaves it alone"),
            remedy,
        )
    }

    /// The version that was replaced is not there to be put back.
    pub(super) fn is_lost(&self) -> Fault {
        unfit(
            "the version that the new key replaced is no longer kept by the store".to_owned(),
            &format!(
                "put the old secret there yourself: {} NAME=@FILE; then give the same command again with --force",
                self.command("patch")
            ),
        )
    }

    /// As the store's own command is given.
    fn command(&self, verb: &str) -> String {
        let namespace = match &self.wire.server.namespace {
            Some(namespace) => format!(" -namespace={namespace}"),
            None => String::new(),
        };
        let words = [self.mount.as_str(), self.path.as_str()]
            .map(|word| shlex::try_quote(word).map_or_else(|_| String::new(), |word| word.into_owned()));
        format!("vault kv {verb}{namespace} -mount={} {}", words[0], words[1])
    }

    /// What the login needs for this secret, as a policy.
    fn policy(&self) -> String {
        self.wanted(&format!("{}/{}", self.mount, self.path))
    }

    /// The same for a place of which the mount is not known yet.
    pub(super) fn wanted(&self, place: &str) -> String {
        // Before the mount is known, it is the first part.
        let mount = match self.mount.as_str() {
            "" => place.split('/').next().unwrap_or_default(),
            mount => mount,
        };
        let path = place.strip_prefix(mount).unwrap_or_default();
        let of_whom = match &self.wire.server.namespace {
            Some(namespace) => format!(" in namespace {namespace}"),
            None => String::new(),
        };
        format!(
            "have this added to a policy of the login{of_whom}:\n\
             path \"{mount}/data{path}\" {{\n  capabilities = [\"create\", \"read\", \"update\"]\n}}\n\
             path \"{mount}/metadata{path}\" {{\n  capabilities = [\"read\"]\n}}"
        )
    }

    /// Where it looks, for people.
    pub(super) fn whereabouts(&self) -> String {
        match &self.wire.server.namespace {
            Some(namespace) => format!("namespace {namespace} of {}", self.address()),
            None => self.address().to_owned(),
        }
    }

    /// Stops this call, which was refused.
    pub(super) async fn denied(&self, call: &Call<'_>) -> Result<Fault, Fault> {
        self.lacks(&format!("{} {}", call.verb, call.path)).await
    }

    /// The token is nobody's there.
    pub(super) fn no_token(&self) -> Fault {
        denied(
            format!(
                "{} does not accept the token: it has expired, was revoked, or is another store's",
                self.whereabouts()
            ),
            "log in again (vault login), or give a token of this store and namespace",
        )
    }

    /// Whose token it is, for people; `None`: nobody's.
    pub(super) async fn whose(&self) -> Result<Option<String>, Fault> {
        let reply = self
            .wire
            .send(&Call::read("auth/token/lookup-self"), Some(&self.token))
            .await?;
        match reply.status {
            200 => {}
            // To a token that it does not know, the store says no more than that it is denied.
            403 if !reply.says("1 error occurred") => return Ok(None),
            _ => return Ok(Some("this token".to_owned())),
        }
        let told: Of<Whose> = reply.parsed()?;
        let policies: Vec<String> = told.data.policies.iter().take(20).map(|name| label(name)).collect();
        Ok(Some(format!(
            "the token {} (policies {})",
            label(&told.data.display_name),
            policies.join(", ")
        )))
    }
}
