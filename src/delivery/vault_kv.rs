//! A secret of a key-value store of version 2, as HashiCorp Vault and OpenBao have it: our fields are members of its data.
//!
//! Every write names the version that it was made of (`cas`), so a repeat, or a writer that was paused meanwhile, writes nothing: a
//! call whose answer was lost finds its own version the next time, with the same fields in it.
//!
//! To undo, the version that was replaced is read, and its values of our fields are written with the same condition, unless somebody
//! has changed ours since. A version goes when `max_versions` newer ones are there, or after `delete_version_after`. So where the
//! store does not say that it keeps as many as it does by itself, what our fields held before is sealed beside the version's number,
//! and is taken where the version is gone.
//!
//! Not `vaultrs`: it is a client for all that such a store can do, answers with its own error types that hold the server's words, keeps
//! tokens as plain strings and follows redirects with them. Seven calls are less to trust.

mod access;
mod answer;
mod content;
mod faults;
mod given;
mod login;
mod remedies;
mod rights;
mod session;
mod wire;

use async_trait::async_trait;
use rotate_providers::contract::KeyId;
use rotate_providers::form::SecretForm;
use rotate_providers::secret::Secret;
use tokio::sync::OnceCell;

use super::capabilities::Capabilities;
use super::fields::{Fields, Mapping};
use super::looks::Looks;
use super::object::Shape;
use super::options::Options;
use super::pinned::{named, options_behind};
use super::{DeliveryError, Destination, Fault, Inspected, Occupied};
use crate::hooks::crash_point;
use crate::machine::Restored;
use access::Access;
use content::Before;
use faults::{missing, overtaken, unfit, unsettled};
use rights::Rights;
use session::{Held, Metadata, Session, Written};

/// The option that keeps which mount it was when the rotation was opened.
const MOUNT: &str = "mount";
/// The option that keeps when the secret was made.
const CREATED: &str = "created";

/// How often somebody else may write between our look and our write before that is told.
const MOST_TRIES: u32 = 3;

/// How many versions are looked through for what ours replaced: ours is the next one, unless somebody wrote in that very moment.
const MOST_VERSIONS: usize = 30;

/// No version has this number, so a write that names it as the one to replace is refused.
const NO_VERSION: u64 = i32::MAX as u64;

/// A secret of the store.
pub(super) struct VaultKv {
    name: String,
    /// The mount and the path below it; only the store knows where one ends.
    place: String,
    options: Options,
    shape: Shape,
    access: Access,
    /// The mount that it has to be in.
    mount: Option<String>,
    /// When the secret was made that it has to be.
    created: Option<String>,
    session: OnceCell<Session>,
}

/// What is there now.
struct Current {
    metadata: Option<Metadata>,
    version: u64,
    text: Option<Secret>,
}

impl Current {
    fn text(&self) -> Option<&str> {
        self.text.as_ref().and_then(Secret::expose_text)
    }
}

impl VaultKv {
    /// `MOUNT/PATH?address=…&namespace=…&ca_file=…`, how to log in, and names for fields.
    pub(super) fn new(form: SecretForm, rest: &str) -> Result<Self, Fault> {
        let (place, options) = options_behind(rest)?;
        check_place(place)?;
        let mut left = options.clone();
        let (mount, created) = (left.take(MOUNT), left.take(CREATED));
        let access = Access::read(&mut left)?;
        let shape = Shape::Members(Mapping::read(form, &mut left)?);
        left.end()?;
        Ok(Self {
            name: named(&format!("vault-kv:{place}"), &options),
            place: place.to_owned(),
            options,
            shape,
            access,
            mount,
            created,
            session: OnceCell::new(),
        })
    }

    async fn session(&self) -> Result<&Session, Fault> {
        let open = async || {
            let session = Session::open(&self.access, &self.place).await?;
            match &self.mount {
                Some(mount) if *mount != session.mount_id => Err(unfit(
                    format!(
                        "the mount {} at {} is {} now, and was {mount} when the rotation was opened",
                        session.mount,
                        session.address(),
                        session.mount_id
                    ),
                    "find out who has made it anew, or whether VAULT_ADDR or the namespace lead to another store",
                )),
                _ => Ok(session),
            }
        };
        self.session.get_or_try_init(open).await
    }

    /// What is there. The data and what holds for all versions are two readings: only where both are of one version is it known that
    /// nobody has written, removed or remade it in between, and a stray answer is not taken for a secret that is gone.
    async fn current(&self) -> Result<Current, Fault> {
        let session = self.session().await?;
        let mut looks = Looks::usual();
        while looks.next().await {
            let (version, held) = session.newest().await?;
            let metadata = session.metadata().await?;
            if metadata.as_ref().map_or(0, |metadata| metadata.current_version) == version {
                return self.settled(metadata, version, held).await;
            }
        }
        Err(unsettled())
    }

    /// The same, where both are of one version.
    async fn settled(&self, metadata: Option<Metadata>, version: u64, held: Held) -> Result<Current, Fault> {
        let now = metadata.as_ref().map(|metadata| metadata.created_time.as_str());
        match (self.created.as_deref(), now) {
            (Some(then), Some(now)) if then != now => {
                return Err(unfit(
                    format!("it was made at {now}, and when the rotation was opened another was there, made at {then}"),
                    "find out who has made it anew",
                ));
            }
            (Some(_), None) => return Err(missing("it is gone: it was there when the rotation was opened")),
            _ => {}
        }
        let text = match held {
            Held::Text(text) => Some(text),
            Held::Gone(_) if version == 0 => None,
            Held::Gone(how) => return Err(self.session().await?.is_gone(version, &how)),
        };
        Ok(Current {
            metadata,
            version,
            text,
        })
    }

    async fn write(&self, fields: &Fields) -> Result<(), Fault> {
        for _ in 0..MOST_TRIES {
            let current = self.current().await?;
            if self.shape.holds(current.text(), fields) {
                return Ok(());
            }
            let text = self.shape.with(current.text(), fields)?;
            match self.session().await?.write(current.version, &text).await? {
                Written::Now => {
                    crash_point("vault-kv: written");
                    return self.read_back(fields).await;
                }
                Written::Overtaken => {}
            }
        }
        Err(overtaken())
    }

    async fn read_back(&self, fields: &Fields) -> Result<(), Fault> {
        let mut looks = Looks::usual();
        while looks.next().await {
            if self.shape.holds(self.current().await?.text(), fields) {
                return Ok(());
            }
        }
        Err(Fault::ReadBack)
    }

    async fn put_back(&self, fields: &Fields, before: &Before) -> Result<Restored, Fault> {
        for _ in 0..MOST_TRIES {
            let session = self.session().await?;
            let current = match self.current().await {
                // Whoever has deleted it has changed it.
                Err(Fault::Store { kind, .. }) if kind == faults::GONE => return Ok(Restored::ChangedSince),
                current => current?,
            };
            if current.version == before.version {
                return Ok(Restored::PutBack);
            }
            let earlier = self.replaced(session, before, current.version, fields).await?;
            let earlier = earlier.as_ref().and_then(Secret::expose_text);
            if !self.shape.holds(current.text(), fields) {
                let is_back = earlier.is_some_and(|earlier| self.shape.same(current.text(), Some(earlier)));
                return Ok(match is_back {
                    true => Restored::PutBack,
                    false => Restored::ChangedSince,
                });
            }
            let Some(earlier) = earlier else {
                return Err(session.is_lost());
            };
            // Whatever others have written beside ours stays.
            let text = self.shape.without(current.text(), Some(earlier))?;
            match session.write(current.version, &text).await? {
                Written::Now => {
                    crash_point("vault-kv: put back");
                    return Ok(Restored::PutBack);
                }
                Written::Overtaken => {}
            }
        }
        Err(overtaken())
    }

    /// What ours replaced: a write names the version that it replaces, so that is the one right before the first with ours in it.
    /// Somebody may have written another one between the look that was kept and our write.
    async fn replaced(
        &self,
        session: &Session,
        before: &Before,
        current: u64,
        fields: &Fields,
    ) -> Result<Option<Secret>, Fault> {
        let looked = match before.version {
            0 => Held::Text(Secret::new("{}")),
            version => session.version(version).await?,
        };
        let mut last = None;
        let mut is_found = false;
        for version in (before.version + 1..=current).take(MOST_VERSIONS) {
            let next = session.version(version).await?;
            if let Held::Text(text) = &next
                && self.shape.holds(text.expose_text(), fields)
            {
                is_found = true;
                break;
            }
            last = Some(next);
        }
        // Where ours is nowhere to be seen, nothing is known but what was looked at.
        let replaced = last.filter(|_| is_found).unwrap_or(looked);
        Ok(match replaced {
            Held::Text(text) => Some(text),
            Held::Gone(_) => before.fields(),
        })
    }

    async fn look(&self) -> Result<Current, Fault> {
        let session = self.session().await?;
        // Whoever may not ask shows what they may by doing it.
        let rights = session.rights().await?;
        if let Some(right) = rights.as_ref().and_then(Rights::lacks_reading) {
            return Err(session.lacks(&right).await?);
        }
        let current = self.current().await?;
        let is_there = current.metadata.is_some();
        if let Some(right) = rights.as_ref().and_then(|rights| rights.lacks_writing(is_there)) {
            return Err(session.lacks(&right).await?);
        }
        self.shape.accepts(current.text())?;
        Ok(current)
    }

    /// What is there, once more, but in the place of a version that no secret has: whoever may write is told so, and nothing is
    /// written.
    async fn try_to_write(&self) -> Result<(), Fault> {
        let current = self.look().await?;
        let session = self.session().await?;
        if let Some(time) = session.deletes_after(current.metadata.as_ref()).await? {
            tracing::warn!(
                "{}: the store deletes every version {time} after it was written, and the new key with it",
                self.name
            );
        }
        let nothing = Secret::new("{}");
        let text = current.text.as_ref().unwrap_or(&nothing);
        match session.write(NO_VERSION, text).await? {
            Written::Overtaken => Ok(()),
            Written::Now => Err(unfit(
                "the store takes a write that names a version which is not there, so nobody's writes are safe from each other".to_owned(),
                "find out what answers in its place",
            )),
        }
    }

    async fn before(&self) -> Result<Secret, Fault> {
        let current = self.current().await?;
        let is_kept = match &current.metadata {
            Some(metadata) if current.version > 0 => self.session().await?.keeps(metadata).await?,
            _ => true,
        };
        let ours = match is_kept {
            true => None,
            false => Some(self.shape.ours(current.text())?),
        };
        Before::written(current.version, ours.as_ref())
    }
}

#[async_trait]
impl Destination for VaultKv {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::VERSIONED
    }

    fn occupies(&self) -> Occupied {
        let place = format!("vault-kv:{}\t{}", self.place, self.access.whose());
        Occupied::at(place, self.shape.names())
    }

    fn host_named(&self) -> Option<String> {
        self.access.host_named()
    }

    async fn pinned(&self) -> Result<String, DeliveryError> {
        let session = self.session().await.map_err(|fault| fault.at(&self.name))?;
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        let mut options = self.options.clone().with(MOUNT, &session.mount_id);
        if let Some(metadata) = current.metadata {
            options = options.with(CREATED, &metadata.created_time);
        }
        Ok(named(&format!("vault-kv:{}", self.place), &options))
    }

    async fn inspect(&self) -> Result<Inspected, DeliveryError> {
        match self.look().await {
            Ok(_) => Ok(Inspected::Fit),
            Err(fault) => Err(fault.at(&self.name)),
        }
    }

    async fn rehearse(&self) -> Result<(), DeliveryError> {
        self.try_to_write().await.map_err(|fault| fault.at(&self.name))
    }

    fn tells_key(&self) -> bool {
        self.shape.tells_key()
    }

    async fn key(&self) -> Result<Option<KeyId>, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(self.shape.key(current.text()))
    }

    /// Which version it is; where the store may not keep it, with what our fields hold in it.
    async fn content(&self) -> Result<Secret, DeliveryError> {
        self.before().await.map_err(|fault| fault.at(&self.name))
    }

    async fn holds(&self, fields: &Fields) -> Result<bool, DeliveryError> {
        let current = self.current().await.map_err(|fault| fault.at(&self.name))?;
        Ok(self.shape.holds(current.text(), fields))
    }

    async fn deliver(&self, fields: &Fields) -> Result<(), DeliveryError> {
        self.write(fields).await.map_err(|fault| fault.at(&self.name))
    }

    async fn restore(&self, fields: &Fields, before: &Secret) -> Result<Restored, DeliveryError> {
        let put_back = async || self.put_back(fields, &Before::read(before)?).await;
        put_back().await.map_err(|fault: Fault| fault.at(&self.name))
    }
}

/// A path that means the same in a URL, in a policy and to the `vault` command.
fn check_place(place: &str) -> Result<(), Fault> {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.~@:=, /".contains(letter);
    let is_part = |part: &str| !part.is_empty() && part.trim() == part && ![".", ".."].contains(&part);
    let parts: Vec<&str> = place.split('/').collect();
    if parts.len() < 2 || place.len() > 512 || !place.chars().all(fits) || !parts.iter().all(|part| is_part(part)) {
        return Err(Fault::Name(
            "it names no secret: write vault-kv:MOUNT/PATH, as for `vault kv get MOUNT/PATH`",
        ));
    }
    if parts[1] == "data" && parts.len() > 2 {
        return Err(Fault::Name(
            "write the path as `vault kv get` takes it: MOUNT/PATH, without the data/ of the API",
        ));
    }
    Ok(())
}
