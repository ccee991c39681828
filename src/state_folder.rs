//! The folder that holds the journal and the sealer's identity.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rotate_providers::shell::quoted;
use rustix::fs::{Mode, OFlags};

use crate::private_file::{self, Folder, Place};
use crate::seal::{AgeSealer, Keyring, SealError, SealWith, Sealer};
use crate::store::{AnchorError, Sealed, Server, SqliteStore, Store, StoreError, Verified, Visit};

const DATABASE: &str = "rotate.db";
const IDENTITY: &str = "identity.age";

/// How long one that begins waits for another that begins: five seconds.
const TRIES: u32 = 500;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// A state folder: private to its owner.
pub struct StateFolder {
    path: PathBuf,
    /// Who keeps the journal, where that is not a file of this folder.
    server: Option<Server>,
    /// What seals, where that is not the identity in it alone.
    seal: Option<SealWith>,
    /// The configuration that may say what seals, and cannot be understood.
    seal_unknown: Option<PathBuf>,
}

impl StateFolder {
    /// The folder of this path, else of `$ROTATE_STATE_DIR`, else the configured one, else `rotate` in the user's state
    /// folder.
    pub fn locate(explicit: Option<&Path>, configured: Option<&Path>) -> Option<Self> {
        let path = Self::said(explicit, configured)
            .or_else(|| configured.map(Path::to_owned))
            .or_else(|| std::env::home_dir().map(|home| home.join(".local/state/rotate")))?;
        Some(Self {
            path,
            server: None,
            seal: None,
            seal_unknown: None,
        })
    }

    /// The folder as the command line or the environment names it; `None` where whoever has the configuration and the same home finds it
    /// without that.
    pub fn said(explicit: Option<&Path>, configured: Option<&Path>) -> Option<PathBuf> {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let named = explicit.map(Path::to_owned).or_else(|| variable("ROTATE_STATE_DIR"));
        let of_user = || variable("XDG_STATE_HOME").map(|base| base.join("rotate"));
        named.or_else(|| of_user().filter(|_| configured.is_none()))
    }

    /// The same folder, with its journal on this server.
    pub fn with_journal_on(self, server: Option<Server>) -> Self {
        Self { server, ..self }
    }

    /// The same folder, with this to seal what waits.
    pub fn sealing_with(self, seal: Option<SealWith>) -> Self {
        Self { seal, ..self }
    }

    /// The same folder, where it cannot be made out in this configuration what seals: nothing is sealed, or said to be, by a guess.
    pub fn not_knowing_what_seals(self, config: Option<PathBuf>) -> Self {
        Self {
            seal_unknown: config,
            ..self
        }
    }

    /// Whether the configuration says what seals.
    pub fn names_a_sealer(&self) -> bool {
        self.seal.is_some()
    }

    /// Who keeps the journal, where that is not a file of this folder.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a journal is there already, or was: an identity is made for one.
    pub fn exists(&self) -> bool {
        self.server.is_some()
            || [DATABASE, IDENTITY]
                .iter()
                .any(|name| self.path.join(name).symlink_metadata().is_ok())
    }

    /// Whether a journal is in it.
    pub fn has_journal(&self) -> bool {
        self.path.join(DATABASE).symlink_metadata().is_ok()
    }

    /// Opens what is there, or makes it; says whether anything was made.
    pub async fn open(&self) -> Result<(Box<dyn Store>, Keyring, bool), FolderError> {
        self.knows_what_seals()?;
        // Where what is to seal cannot be used, nothing is made.
        let configured = match &self.seal {
            Some(seal) => Some(Keyring::configured(seal, self.own_identity()?)?),
            None => None,
        };
        let folder = Arc::new(Folder::make(&self.path, 0o700).map_err(|unfit| {
            let why = unfit.said_of(&self.path);
            self.unsafe_folder(match self.path.exists() {
                true => why,
                false => format!("it cannot be made: {why}"),
            })
        })?);
        self.check_to_act(&folder)?;
        let identity = folder.place(IDENTITY);
        let has_identity = self.is_there(&identity)?;
        let store = self.open_store(&folder).await?;
        if let Some(sealer) = configured {
            return Ok((store, sealer, false));
        }
        if has_identity {
            private_file::sweep(&identity).map_err(|why| self.unsafe_folder(why.to_string()))?;
            return Ok((store, Keyring::own(AgeSealer::open_at(&identity)?), false));
        }
        let (sealer, made) = self.first(&*store, &folder, &identity).await?;
        Ok((store, Keyring::own(sealer), made))
    }

    /// The identity of a journal that is still empty; says whether it was made here. Nothing is sealed before it is durable.
    async fn first(
        &self,
        store: &dyn Store,
        folder: &Folder,
        identity: &Place,
    ) -> Result<(AgeSealer, bool), FolderError> {
        if !store.is_empty().await? && !self.is_there(identity)? {
            return Err(FolderError::IdentityLost(identity.path()));
        }
        let alone = self.readable(folder)?;
        for _ in 0..TRIES {
            // Of two that begin here at the same time, the second finds what the first has made.
            let free = alone.try_lock();
            if self.is_there(identity)? {
                return Ok((AgeSealer::open_at(identity)?, false));
            }
            match free {
                Ok(()) => return Ok((AgeSealer::create_at(identity)?, true)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(TryLockError::Error(error)) => {
                    return Err(self.unsafe_folder(format!("it cannot be locked: {error}")));
                }
            }
        }
        Err(StoreError::Held(String::new()).into())
    }

    /// The journal, in this folder or on its server; never both.
    async fn open_store(&self, folder: &Arc<Folder>) -> Result<Box<dyn Store>, FolderError> {
        let database = folder.place(DATABASE);
        let Some(server) = &self.server else {
            // The journal is made first, so an identity without one has lost it.
            self.is_whole(folder)?;
            return Ok(Box::new(SqliteStore::open_at(&database).await?));
        };
        if self.is_there(&database)? {
            return Err(FolderError::TwoJournals(database.path()));
        }
        Ok(server.open().await?)
    }

    /// Opens the journal alone, to read it; `None` where there is none and none was lost.
    pub async fn open_journal(&self) -> Result<Option<Box<dyn Store>>, FolderError> {
        if let Some(server) = &self.server {
            return match Folder::open(&self.path) {
                Ok(folder) => Ok(Some(self.open_store(&Arc::new(folder)).await?)),
                // Who only reads needs none.
                Err(unfit) if unfit.is_missing() => Ok(Some(server.open().await?)),
                Err(unfit) => Err(self.unsafe_folder(unfit.said_of(&self.path))),
            };
        }
        let folder = match Folder::open(&self.path) {
            Ok(folder) => Arc::new(folder),
            Err(unfit) if unfit.is_missing() => return Ok(None),
            // Nothing can be in it.
            Err(_) if !self.exists() => return Ok(None),
            Err(unfit) => return Err(self.unsafe_folder(unfit.said_of(&self.path))),
        };
        self.is_whole(&folder)?;
        if !self.is_there(&folder.place(DATABASE))? {
            return Ok(None);
        }
        self.check(&folder)?;
        Ok(Some(Box::new(SqliteStore::open_at(&folder.place(DATABASE)).await?)))
    }

    /// Checks the journal alone, and what is kept beside it.
    pub async fn verify_chain(&self) -> Result<Option<Verified>, FolderError> {
        match self.open_journal().await? {
            Some(store) => Ok(Some(store.verify().await?)),
            None => Ok(None),
        }
    }

    /// Checks the journal, what is kept beside it, and that each secret that waits can be opened by the identity that is here, in
    /// its own place; `None` where there is no journal.
    pub async fn verify(&self) -> Result<Option<Verified>, FolderError> {
        self.verify_each(&mut |_, _| {}).await
    }

    /// The same, and shows each line on the way, as the store does.
    pub async fn verify_each(&self, visit: &mut Visit<'_>) -> Result<Option<Verified>, FolderError> {
        let Some(store) = self.open_journal().await? else {
            return Ok(None);
        };
        let verified = store.verify_each(visit).await?;
        let all = store.all_sealed().await?;
        if all.is_empty() {
            return Ok(Some(verified));
        }
        check_sealed(&self.sealer()?, all).await?;
        Ok(Some(verified))
    }

    /// What seals, all of which has to be here.
    pub fn sealer(&self) -> Result<Keyring, FolderError> {
        self.knows_what_seals()?;
        let own = self.own_identity()?;
        match (&self.seal, own) {
            (Some(seal), own) => Ok(Keyring::configured(seal, own)?),
            (None, Some(own)) => Ok(Keyring::own(own)),
            (None, None) => Err(FolderError::IdentityLost(self.path.join(IDENTITY))),
        }
    }

    fn knows_what_seals(&self) -> Result<(), FolderError> {
        match &self.seal_unknown {
            Some(config) => Err(FolderError::SealUnknown(config.clone())),
            None => Ok(()),
        }
    }

    /// The identity in it; `None` where there is none.
    fn own_identity(&self) -> Result<Option<AgeSealer>, FolderError> {
        let Ok(folder) = Folder::open(&self.path) else {
            return Ok(None);
        };
        self.check(&folder)?;
        let identity = Arc::new(folder).place(IDENTITY);
        if !self.is_there(&identity)? {
            return Ok(None);
        }
        Ok(Some(AgeSealer::open_at(&identity)?))
    }

    /// Whether a journal could be begun here: the folder is its owner's alone, or can be made so.
    pub fn could_be_made(&self) -> Result<(), FolderError> {
        use rustix::fs::{Access, access};
        if self.path.exists() {
            let folder = Folder::open(&self.path).map_err(|unfit| self.unsafe_folder(unfit.said_of(&self.path)))?;
            self.check_to_act(&folder)?;
        }
        let there = self.path.ancestors().find(|folder| folder.exists());
        let there = there.unwrap_or(Path::new("."));
        access(there, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| self.unsafe_folder(format!("{} cannot be written to: {error}", there.display())))
    }

    /// An identity is made for a journal, and after it: where it is alone, the journal is lost and not yet to come.
    fn is_whole(&self, folder: &Arc<Folder>) -> Result<(), FolderError> {
        let database = folder.place(DATABASE);
        // In this order: whoever begins here at this moment makes them the other way round.
        if self.is_there(&folder.place(IDENTITY))? && !self.is_there(&database)? {
            return Err(FolderError::JournalLost(database.path()));
        }
        Ok(())
    }

    fn is_there(&self, place: &Place) -> Result<bool, FolderError> {
        let found = place.look();
        found
            .map(|found| found.is_some())
            .map_err(|error| self.unsafe_folder(format!("it cannot be looked into: {error}")))
    }

    fn readable(&self, folder: &Folder) -> Result<File, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(folder, ".", flags, Mode::empty())
            .map(File::from)
            .map_err(|error| self.unsafe_folder(format!("it cannot be opened: {error}")))
    }

    fn check(&self, folder: &Folder) -> Result<(), FolderError> {
        let (mode, owner) = folder.mode_and_owner();
        let us = rustix::process::geteuid().as_raw();
        if mode & 0o077 != 0 {
            let path = quoted(&self.path.to_string_lossy());
            return Err(self.unsafe_folder(format!(
                "other users may open it (mode {mode:04o}); run: chmod 700 {path}"
            )));
        }
        if owner != us {
            return Err(self.unsafe_folder(format!("it belongs to user {owner} and not to user {us}")));
        }
        Ok(())
    }

    /// The same, to act upon what is in it: whoever can put another folder in its place decides what was done already.
    fn check_to_act(&self, folder: &Folder) -> Result<(), FolderError> {
        self.check(folder)?;
        folder
            .keeps_for(None)
            .map_err(|unfit| self.unsafe_folder(format!("{}; {}", unfit.said_of(&self.path), unfit.remedy())))
    }

    fn unsafe_folder(&self, why: String) -> FolderError {
        FolderError::Store(StoreError::Unsafe {
            path: self.path.clone(),
            why,
        })
    }
}

/// Each secret that waits can be opened, in its own place.
pub async fn check_sealed(sealer: &dyn Sealer, all: Vec<Sealed>) -> Result<(), FolderError> {
    for sealed in all {
        let opened = sealer.open(&sealed.purpose(), &sealed.bytes).await;
        opened.map_err(|source| FolderError::Sealed {
            target: sealed.target,
            name: sealed.name,
            source,
        })?;
    }
    Ok(())
}

/// A state folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder or the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The identity.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Neither a flag nor the environment says where it is.
    #[error("no place for the journal is known; name one with --state-dir")]
    Nowhere,
    /// A secret that waits is not what was sealed.
    #[error("what is sealed for {target} ({name}) cannot be used: {source}")]
    Sealed {
        /// Whose.
        target: String,
        /// What it is.
        name: String,
        /// Why.
        source: SealError,
    },
    /// There is an identity but no journal.
    #[error("the journal {} is missing, and the identity beside it was made for one", .0.display())]
    JournalLost(PathBuf),
    /// The configuration says that the journal is on a server, and there is one in the folder too.
    #[error("the configuration says that the journal is on a server, and there is another one in {}", .0.display())]
    TwoJournals(PathBuf),
    /// The configuration has a mistake that may hide on which server the journal is.
    #[error(
        "{} has a mistake, so whether it keeps the journal on a server cannot be made out, and there is none in the state folder",
        .0.display()
    )]
    ServerUnknown(PathBuf),
    /// The configuration has a mistake that may hide what seals.
    #[error("{} has a mistake, so what seals secrets that wait, and opens them, cannot be made out", .0.display())]
    SealUnknown(PathBuf),
    /// The configuration demands a journal, and there is none.
    #[error("there is no journal in {}, and the configuration says that there has to be one (require_state)", .0.display())]
    Required(PathBuf),
    /// The anchor cannot be read, or the journal is not the one that it was noted down of.
    #[error(transparent)]
    Anchor(AnchorError),
    /// Somebody wrote to the journal each time that it was read.
    #[error("the journal was written to each time that it was read, and no reading is of one moment")]
    Written,
    /// There is a journal but no identity.
    #[error("the identity {} is missing, and what the journal keeps sealed cannot be opened without it", .0.display())]
    IdentityLost(PathBuf),
}

impl From<AnchorError> for FolderError {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Store(error) => Self::Store(error),
            error => Self::Anchor(error),
        }
    }
}
