//! A login, and the calls that a delivery takes.

use reqwest::header::HeaderValue;
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::Label;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::access::{Access, Login, read, token_found};
use super::answer::{denied, gone, label, no_login, refused, unfit};
use super::rights::Rights;
use super::wire::{Call, Repeat, Reply, Wire, hidden};
use crate::delivery::Fault;

/// How many versions of a secret are kept where nobody says anything.
const USUAL_VERSIONS: u64 = 10;

/// A login at the store, for one secret.
pub(super) struct Session {
    wire: Wire,
    token: HeaderValue,
    /// Without slashes at its ends.
    pub(super) mount: String,
    /// Below the mount.
    path: String,
    /// What tells this mount from another one in the same place.
    pub(super) mount_id: String,
}

/// What holds for all versions of a secret.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) created_time: String,
    pub(super) current_version: u64,
    #[serde(default)]
    max_versions: u64,
    #[serde(default)]
    delete_version_after: String,
}

/// A version.
pub(super) enum Held {
    /// Its data: one JSON object.
    Text(Secret),
    /// It is no longer there: how.
    Gone(String),
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is the current version.
    Now,
    /// Another version than the one that it named is current.
    Overtaken,
}

#[derive(Deserialize)]
struct Of<T> {
    data: T,
}

#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: OfVersion,
}

#[derive(Deserialize)]
struct OfVersion {
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Mount {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    accessor: String,
    uuid: Option<String>,
    options: Option<MountOptions>,
}

#[derive(Deserialize)]
struct MountOptions {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    max_versions: u64,
    #[serde(default)]
    delete_version_after: String,
}

#[derive(Deserialize)]
struct LoggedIn<'a> {
    #[serde(borrow)]
    auth: Token<'a>,
}

#[derive(Deserialize)]
struct Token<'a> {
    client_token: &'a str,
}

#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    policies: Vec<String>,
}

impl Metadata {
    /// How long each version is kept, where it is not for good.
    pub(super) fn deletes_after(&self) -> Option<&str> {
        deletes(&self.delete_version_after)
    }
}

fn deletes(after: &str) -> Option<&str> {
    (!["", "0s"].contains(&after) && !after.starts_with('-')).then_some(after)
}

impl Session {
    /// Logs in, and finds the mount that this place is in.
    pub(super) async fn open(access: &Access, place: &str) -> Result<Self, Fault> {
        let wire = Wire::to(access.server()?)?;
        let token = hidden(token(&wire, &access.login).await?)?;
        let mut session = Self {
            wire,
            token,
            mount: String::new(),
            path: String::new(),
            mount_id: String::new(),
        };
        let mount = session.find_mount(place).await?;
        session.mount_id = label(mount.uuid.as_deref().unwrap_or(&mount.accessor));
        let mount = mount.path.trim_matches('/');
        let path = place.strip_prefix(mount).and_then(|path| path.strip_prefix('/'));
        session.path = match path {
            Some(path) => path.to_owned(),
            None => {
                return Err(unfit(
                    "it names a mount of the store, and no secret in it".to_owned(),
                    &format!("write vault-kv:{place}/PATH"),
                ));
            }
        };
        session.mount = mount.to_owned();
        Ok(session)
    }

    pub(super) fn address(&self) -> &str {
        &self.wire.server.address
    }

    /// Of which kind the mount is the store says to whoever may do anything in it.
    async fn find_mount(&self, place: &str) -> Result<Mount, Fault> {
        let path = format!("sys/internal/ui/mounts/{place}");
        let reply = self.wire.send(&Call::read(&path), Some(&self.token)).await?;
        let address = self.address();
        match reply.status {
            200 => {}
            400 | 404 => {
                return Err(unfit(
                    format!("nothing is mounted at {place} in {}", self.whereabouts()),
                    "see vault secrets list -detailed, and the namespace",
                ));
            }
            403 => {
                return Err(match self.whose().await? {
                    None => self.no_token(),
                    Some(whose) => denied(
                        format!(
                            "{whose} may do nothing at {place} in {}, or nothing is mounted there",
                            self.whereabouts()
                        ),
                        &self.wanted(place),
                    ),
                });
            }
            _ => return Err(refused(&Call::read(&path), &reply, address)),
        }
        let mount: Of<Mount> = reply.parsed()?;
        let mount = mount.data;
        let version = mount.options.as_ref().and_then(|options| options.version.as_deref());
        let named = label(&mount.path);
        match (mount.kind.as_str(), version) {
            ("kv", Some("2")) => Ok(mount),
            ("kv" | "generic", _) => Err(unfit(
                format!(
                    "the mount {named} is a key-value store of version 1 ({path} says so), which keeps no versions and takes no \
                     condition: two writers would replace each other's fields there"
                ),
                &format!("vault kv enable-versioning {named}, or deliver elsewhere"),
            )),
            (kind, _) => Err(unfit(
                format!(
                    "the mount {named} is of the type {}, and no key-value store ({path} says so)",
                    label(kind)
                ),
                "deliver to a key-value store of version 2",
            )),
        }
    }

    /// Where it looks, for people.
    fn whereabouts(&self) -> String {
        match &self.wire.server.namespace {
            Some(namespace) => format!("namespace {namespace} of {}", self.address()),
            None => self.address().to_owned(),
        }
    }

    /// What holds for all versions; `None`: there is no such secret.
    pub(super) async fn metadata(&self) -> Result<Option<Metadata>, Fault> {
        let path = format!("{}/metadata/{}", self.mount, self.path);
        let reply = self.ask(&Call::read(&path)).await?;
        if reply.status == 404 {
            return Ok(None);
        }
        let told: Of<Metadata> = reply.parsed()?;
        match Label::parse(&told.data.created_time) {
            Some(_) => Ok(Some(told.data)),
            None => Err(unfit(
                "the store does not say when it was made".to_owned(),
                "see what VAULT_ADDR or address= leads to",
            )),
        }
    }

    /// What this version holds.
    pub(super) async fn version(&self, version: u64) -> Result<Held, Fault> {
        let path = self.data();
        let reply = self.ask(&Call::read(&path).version(version)).await?;
        // Of a version that is not there at all there is nothing to be said.
        if reply.status == 404 && reply.parsed::<Of<Version<'_>>>().is_err() {
            return Ok(Held::Gone("is no longer kept".to_owned()));
        }
        let told: Of<Version<'_>> = reply.parsed()?;
        Ok(match (told.data.data, told.data.metadata) {
            (Some(data), _) => Held::Text(Secret::new(data.get())),
            (None, OfVersion { destroyed: true, .. }) => Held::Gone("was destroyed".to_owned()),
            (None, OfVersion { deletion_time, .. }) => Held::Gone(format!("was deleted at {}", label(&deletion_time))),
        })
    }

    /// Makes this the current version, if this one still is; 0: if there is none.
    pub(super) async fn write(&self, from: u64, text: &Secret) -> Result<Written, Fault> {
        let text = text.expose_text().ok_or(Fault::Content("the credential is no text"))?;
        // Room for everything: what grows leaves copies behind.
        let mut body = Zeroizing::new(String::with_capacity(text.len() + 64));
        body.push_str(&format!("{{\"options\":{{\"cas\":{from}}},\"data\":"));
        body.push_str(text);
        body.push('}');
        let path = self.data();
        // It names the version that it replaces, so a second one finds another there.
        let call = Call::send("write", &path, body, Repeat::Harmless);
        let reply = self.wire.send(&call, Some(&self.token)).await?;
        match reply.status {
            200..300 => Ok(Written::Now),
            400 if reply.says("check-and-set parameter did not match") => Ok(Written::Overtaken),
            403 => Err(self.denied(&call).await?),
            _ => Err(refused(&call, &reply, self.address())),
        }
    }

    /// Whether the store says that it keeps as many versions as it does by itself, and each for good.
    pub(super) async fn keeps(&self, metadata: &Metadata) -> Result<bool, Fault> {
        if metadata.deletes_after().is_some() || (1..USUAL_VERSIONS).contains(&metadata.max_versions) {
            return Ok(false);
        }
        let path = format!("{}/config", self.mount);
        let reply = self.wire.send(&Call::read(&path), Some(&self.token)).await?;
        // Not everybody may read it.
        if reply.status != 200 {
            return Ok(false);
        }
        let settings: Of<Settings> = reply.parsed()?;
        let Settings {
            max_versions,
            delete_version_after,
        } = settings.data;
        let is_enough = |most: u64| most == 0 || most >= USUAL_VERSIONS;
        Ok((metadata.max_versions > 0 || is_enough(max_versions)) && deletes(&delete_version_after).is_none())
    }

    /// What this token may do there; `None`: it may not even ask.
    pub(super) async fn rights(&self) -> Result<Option<Rights>, Fault> {
        let (data, metadata) = (self.data(), format!("{}/metadata/{}", self.mount, self.path));
        let body = Zeroizing::new(json!({ "paths": [&data, &metadata] }).to_string());
        let call = Call::send("ask about rights at", "sys/capabilities-self", body, Repeat::Harmless);
        let reply = self.wire.send(&call, Some(&self.token)).await?;
        match reply.status {
            200 => Ok(Some(Rights::read(&reply, data, metadata)?)),
            403 if self.whose().await?.is_none() => Err(self.no_token()),
            403 => Ok(None),
            _ => Err(refused(&call, &reply, self.address())),
        }
    }

    /// Stops what this token may not do, with the policy that lets it.
    pub(super) async fn lacks(&self, what: &str) -> Result<Fault, Fault> {
        Ok(match self.whose().await? {
            None => self.no_token(),
            Some(whose) => denied(format!("{whose} may not {what}"), &self.policy()),
        })
    }

    /// The version is the current one, and has nothing in it.
    pub(super) fn is_gone(&self, version: u64, how: String) -> Fault {
        let command = self.command("undelete");
        let remedy = match how.contains("destroyed") {
            true => format!(
                "write a new version: {} NAME=…; or deliver elsewhere",
                self.command("put")
            ),
            false => format!("bring it back: {command} -versions={version}; or deliver elsewhere"),
        };
        gone(
            format!("its current version {version} {how}; rotate leaves it alone"),
            remedy,
        )
    }

    /// The version that was replaced is not there to be put back.
    pub(super) fn is_lost(&self, version: u64) -> Fault {
        unfit(
            format!("version {version}, which the new key replaced, is no longer kept by the store"),
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

    fn wanted(&self, place: &str) -> String {
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

    fn data(&self) -> String {
        format!("{}/data/{}", self.mount, self.path)
    }

    async fn ask(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let reply = self.wire.send(call, Some(&self.token)).await?;
        match reply.status {
            200..300 | 404 => Ok(reply),
            403 => Err(self.denied(call).await?),
            _ => Err(refused(call, &reply, self.address())),
        }
    }

    async fn denied(&self, call: &Call<'_>) -> Result<Fault, Fault> {
        self.lacks(&format!("{} {}", call.verb, call.path)).await
    }

    fn no_token(&self) -> Fault {
        denied(
            format!(
                "{} does not accept the token: it has expired, was revoked, or is another store's",
                self.whereabouts()
            ),
            "log in again (vault login), or give a token of this store and namespace",
        )
    }

    /// Whose token it is, for people; `None`: nobody's.
    async fn whose(&self) -> Result<Option<String>, Fault> {
        let reply = self
            .wire
            .send(&Call::read("auth/token/lookup-self"), Some(&self.token))
            .await?;
        match reply.status {
            200 => {}
            403 => return Ok(None),
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

/// The token to call with.
async fn token(wire: &Wire, login: &Login) -> Result<Secret, Fault> {
    match login {
        Login::Found => token_found(),
        Login::Token(from) => read(from, "the token"),
        Login::AppRole {
            mount,
            role_id,
            secret_id,
        } => {
            let secret_id = read(secret_id, "the secret id")?;
            log_in(
                wire,
                mount,
                &[("role_id", role_id.as_bytes()), ("secret_id", secret_id.expose())],
            )
            .await
        }
        Login::Kubernetes { mount, role, account } => {
            let account = read(account, "the service account's token")?;
            log_in(wire, mount, &[("role", role.as_bytes()), ("jwt", account.expose())]).await
        }
    }
}

async fn log_in(wire: &Wire, mount: &str, said: &[(&str, &[u8])]) -> Result<Secret, Fault> {
    let path = format!("auth/{mount}/login");
    let mut parts: Vec<Zeroizing<String>> = Vec::new();
    for (name, value) in said {
        let text = std::str::from_utf8(value).map_err(|_| Fault::Content("what it logs in with is no text"))?;
        let quoted = serde_json::to_string(text).map_err(|_| Fault::Content("what it logs in with is no text"))?;
        let quoted = Zeroizing::new(quoted);
        parts.push(Zeroizing::new(format!("\"{name}\":{}", quoted.as_str())));
    }
    let mut body = Zeroizing::new(String::with_capacity(
        parts.iter().map(|part| part.len() + 2).sum::<usize>() + 2,
    ));
    body.push('{');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(part);
    }
    body.push('}');
    // A secret id may be good for one login.
    let call = Call::send("log in at", &path, body, Repeat::Never);
    let reply = wire.send(&call, None).await?;
    if reply.status != 200 {
        return Err(no_login(&call, &reply, &wire.server.address));
    }
    let told: LoggedIn<'_> = reply.parsed()?;
    Ok(Secret::new(told.auth.client_token.as_bytes()))
}
