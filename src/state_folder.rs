//! The folder that holds the journal and the sealer's identity.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rotate_providers::shell::quoted;

use crate::private_file;
use crate::seal::{AgeSealer, SealError};
use crate::store::{SqliteStore, StoreError};

/// A state folder: private to its owner.
pub struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// The folder of this path, else of `$ROTATE_STATE_DIR`, else the configured one, else `rotate` in the user's state
    /// folder.
    pub fn locate(explicit: Option<&Path>, configured: Option<&Path>) -> Option<Self> {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let path = explicit
            .map(Path::to_owned)
            .or_else(|| variable("ROTATE_STATE_DIR"))
            .or_else(|| configured.map(Path::to_owned))
            .or_else(|| variable("XDG_STATE_HOME").map(|base| base.join("rotate")))
            .or_else(|| std::env::home_dir().map(|home| home.join(".local/state/rotate")))?;
        Some(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a journal is there already.
    pub fn exists(&self) -> bool {
        self.database().exists()
    }

    /// Opens what is there, or makes it; says whether it was made.
    pub async fn open(&self) -> Result<(SqliteStore, AgeSealer, bool), FolderError> {
        let new = !self.path.exists();
        if new {
            let missing: Vec<&Path> = self.path.ancestors().take_while(|folder| !folder.exists()).collect();
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
            made.map_err(|error| self.unsafe_folder(format!("it cannot be made: {error}")))?;
            // What is kept in a folder is lost with its name.
            for folder in missing {
                if let Err(why) = private_file::sync_folder(folder) {
                    tracing::warn!("{}: {why}", folder.display());
                }
            }
        }
        self.check()?;
        // The identity comes first: no secret may ever be sealed to one that a crash could lose.
        let identity = self.path.join("identity.age");
        // Of two that begin here at the same time, the second finds what the first has made.
        let alone = File::open(&self.path).and_then(|folder| folder.lock().map(|()| folder));
        let alone = alone.map_err(|error| self.unsafe_folder(format!("it cannot be locked: {error}")))?;
        let sealer = if identity.symlink_metadata().is_ok() {
            private_file::sweep(&identity).map_err(|why| self.unsafe_folder(why.to_string()))?;
            AgeSealer::open(&identity)?
        } else if self.database().exists() {
            return Err(FolderError::IdentityLost(identity));
        } else {
            AgeSealer::create(&identity)?
        };
        drop(alone);
        let store = SqliteStore::open(&self.database()).await?;
        Ok((store, sealer, new))
    }

    /// Opens the journal alone, to read it; `None` where there is none.
    pub async fn open_journal(&self) -> Result<Option<SqliteStore>, FolderError> {
        if !self.exists() {
            return Ok(None);
        }
        self.check()?;
        Ok(Some(SqliteStore::open(&self.database()).await?))
    }

    /// Whether a journal could be begun here: the folder is its owner's alone, or can be made so.
    pub fn could_be_made(&self) -> Result<(), FolderError> {
        use rustix::fs::{Access, access};
        if self.path.exists() {
            self.check()?;
        }
        let there = self.path.ancestors().find(|folder| folder.exists());
        let there = there.unwrap_or(Path::new("."));
        access(there, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| self.unsafe_folder(format!("{} cannot be written to: {error}", there.display())))
    }

    fn database(&self) -> PathBuf {
        self.path.join("rotate.db")
    }

    fn check(&self) -> Result<(), FolderError> {
        let found = std::fs::metadata(&self.path)
            .map_err(|error| self.unsafe_folder(format!("it cannot be looked at: {error}")))?;
        let (mode, us) = (found.mode() & 0o7777, rustix::process::geteuid());
        if !found.is_dir() {
            Err(self.unsafe_folder("it is not a folder".to_owned()))
        } else if mode & 0o077 != 0 {
            let path = quoted(&self.path.display().to_string());
            Err(self.unsafe_folder(format!(
                "other users may open it (mode {mode:04o}); run: chmod 700 {path}"
            )))
        } else if found.uid() != us.as_raw() {
            Err(self.unsafe_folder(format!(
                "it belongs to user {} and not to user {}",
                found.uid(),
                us.as_raw()
            )))
        } else {
            Ok(())
        }
    }

    fn unsafe_folder(&self, why: String) -> FolderError {
        FolderError::Store(StoreError::Unsafe {
            path: self.path.clone(),
            why,
        })
    }
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
    /// There is a journal but no identity.
    #[error("the identity {} is missing, and what the journal keeps sealed cannot be opened without it", .0.display())]
    IdentityLost(PathBuf),
}
