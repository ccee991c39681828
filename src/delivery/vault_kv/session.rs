//! A login, and the calls that a delivery takes.

use std::fmt;

use reqwest::header::HeaderValue;
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::Label;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::access::Access;
use super::answer::refused;
use super::faults::{denied, label, unfit};
use super::login::token;
use super::rights::Rights;
use super::wire::{Call, Repeat, Reply, Wire, hidden};
use crate::delivery::Fault;

/// How many versions of a secret are kept where nobody says anything.
const USUAL_VERSIONS: u64 = 10;

/// A login at the store, for one secret.
pub(super) struct Session {
    pub(super) wire: Wire,
    pub(super) token: HeaderValue,
    /// Without slashes at its ends.
    pub(super) mount: String,
    /// Below the mount.
    pub(super) path: String,
    /// What tells this mount from another one in the same place.
    pub(super) mount_id: String,
}

/// What holds for all versions of a secret.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) created_time: String,
    /// 0: it has none yet.
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
    /// It is no longer there.
    Gone(Gone),
}

/// How a version went.
pub(super) enum Gone {
    /// It can be brought back; when it was deleted.
    Deleted(String),
    /// For good.
    Destroyed,
    /// Newer ones have taken its room.
    Dropped,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted(time) => write!(f, "was deleted at {time}"),
            Self::Destroyed => f.write_str("was destroyed"),
            Self::Dropped => f.write_str("is no longer kept"),
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is the current version.
    Now,
    /// Another version than the one that it named is current.
    Overtaken,
}

/// What an answer holds.
#[derive(Deserialize)]
pub(super) struct Of<T> {
    pub(super) data: T,
}

#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: OfVersion,
}

#[derive(Deserialize)]
struct OfVersion {
    version: u64,
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

/// How long each version is kept, where it is not for good: the mount's word counts where the secret has none.
fn lifetime<'a>(of_secret: &'a str, of_mount: &'a str) -> Option<&'a str> {
    let is_said = |after: &&str| !["", "0s"].contains(after);
    let after = Some(of_secret).filter(is_said).or(Some(of_mount).filter(is_said));
    // Below zero it is switched off.
    after.filter(|after| !after.starts_with('-'))
}

impl Session {
    /// Logs in, and finds the mount that this place is in.
    pub(super) async fn open(access: &Access, place: &str) -> Result<Self, Fault> {
        let wire = Wire::to(access.server()?)?;
        let token = hidden(&token(&wire, &access.login).await?)?;
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

    /// What holds for all versions; `None`: there is no such secret.
    pub(super) async fn metadata(&self) -> Result<Option<Metadata>, Fault> {
        let path = format!("{}/metadata/{}", self.mount, self.path);
        let call = Call::read(&path);
        let reply = self.ask(&call).await?;
        if reply.is_nothing() {
            return Ok(None);
        }
        if reply.status == 404 {
            return Err(refused(&call, &reply, self.address()));
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
        let (_, held) = self.held(&Call::read(&path).version(version)).await?;
        Ok(held)
    }

    /// What consumers get, and which version that is; 0 where there is none.
    pub(super) async fn newest(&self) -> Result<(u64, Held), Fault> {
        let path = self.data();
        self.held(&Call::read(&path)).await
    }

    async fn held(&self, call: &Call<'_>) -> Result<(u64, Held), Fault> {
        let reply = self.ask(call).await?;
        // Of a version that is not there at all there is nothing to be said.
        if reply.is_nothing() {
            return Ok((0, Held::Gone(Gone::Dropped)));
        }
        let told: Of<Version<'_>> = match reply.parsed() {
            Err(_) if reply.status == 404 => return Err(refused(call, &reply, self.address())),
            told => told?,
        };
        let Version { data, metadata } = told.data;
        let held = match data {
            Some(data) => Held::Text(Secret::new(data.get())),
            None if metadata.destroyed => Held::Gone(Gone::Destroyed),
            None => Held::Gone(Gone::Deleted(label(&metadata.deletion_time))),
        };
        Ok((metadata.version, held))
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

    /// How long the store keeps each version, where it is not for good, as far as it says.
    pub(super) async fn deletes_after(&self, metadata: Option<&Metadata>) -> Result<Option<String>, Fault> {
        let of_secret = metadata.map_or("", |metadata| metadata.delete_version_after.as_str());
        let settings = self.settings().await?;
        let of_mount = settings
            .as_ref()
            .map_or("", |settings| settings.delete_version_after.as_str());
        Ok(lifetime(of_secret, of_mount).map(label))
    }

    /// Whether the store says that it keeps as many versions as it does by itself, and each for good.
    pub(super) async fn keeps(&self, metadata: &Metadata) -> Result<bool, Fault> {
        let Some(settings) = self.settings().await? else {
            return Ok(false);
        };
        let most = match metadata.max_versions {
            0 => settings.max_versions,
            most => most,
        };
        let after = lifetime(&metadata.delete_version_after, &settings.delete_version_after);
        Ok((most == 0 || most >= USUAL_VERSIONS) && after.is_none())
    }

    /// What the mount says for all its secrets; `None`: not everybody may read it.
    async fn settings(&self) -> Result<Option<Settings>, Fault> {
        let path = format!("{}/config", self.mount);
        let reply = self.wire.send(&Call::read(&path), Some(&self.token)).await?;
        match reply.status {
            200 => reply.parsed().map(|told: Of<Settings>| Some(told.data)),
            _ => Ok(None),
        }
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
}
