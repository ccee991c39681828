//! Where a new secret is delivered.

mod assignments;
mod aws_files;
mod dotenv;
mod file;
mod format;
mod ini;
mod key_file;
mod lines;
mod ours;
mod path;
mod profile;
mod quotes;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use rotate_providers::SecretKind;
use rotate_providers::contract::KeyId;
use rotate_providers::secret::{Credential, Secret};

use crate::machine::Restored;
use crate::private_file::Refused;
use crate::secret_scan::value_looks_secret;

pub use ours::keep;
pub use path::Folders;

/// A place that consumers read a credential from.
#[async_trait]
pub trait Destination: Send + Sync {
    /// The name that the journal knows it by; parsed again, it gives the same destination.
    fn name(&self) -> &str;

    /// Looks whether a delivery could work. Changes nothing.
    async fn inspect(&self) -> Result<(), DeliveryError>;

    /// Proves that a delivery would work, before a key is made for it. Leaves no trace.
    async fn rehearse(&self) -> Result<(), DeliveryError>;

    /// Whose credential it holds now; `None` where it holds none.
    async fn key(&self) -> Result<Option<KeyId>, DeliveryError>;

    /// What it holds now, in a form that [`Destination::restore`] understands.
    async fn content(&self) -> Result<Secret, DeliveryError>;

    /// Whether it holds this credential.
    async fn holds(&self, credential: &Credential) -> Result<bool, DeliveryError>;

    /// Writes the credential, whole or not at all. A repeat writes the same bytes.
    async fn deliver(&self, credential: &Credential) -> Result<(), DeliveryError>;

    /// Puts back what it held before this credential, unless someone has changed it since. A repeat finds it put back.
    async fn restore(&self, credential: &Credential, before: &Secret) -> Result<Restored, DeliveryError>;
}

/// Understands `file:PATH` and `aws-profile:NAME[@FILE]`, for secrets of this kind.
pub fn parse(secret: SecretKind, name: &str) -> Result<Box<dyn Destination>, DeliveryError> {
    parse_among(secret, name, &mut Folders::default())
}

/// The same, for one of many that are named at this moment.
pub fn parse_among(
    secret: SecretKind,
    name: &str,
    folders: &mut Folders,
) -> Result<Box<dyn Destination>, DeliveryError> {
    let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
    let destination = match (kind, secret) {
        ("file", SecretKind::PrivateKey) if rest.ends_with(key_file::ENDING) => {
            key_file::KeyFile::new(rest, folders).map(boxed)
        }
        ("file", SecretKind::Pair(pair)) if !rest.ends_with(key_file::ENDING) => {
            file::FileDestination::file(rest, pair, folders).map(boxed)
        }
        ("aws-profile", SecretKind::Pair(pair)) if pair.for_aws_tools => {
            file::FileDestination::aws_profile(rest, folders).map(boxed)
        }
        ("file", secret) => path::absolute(rest, folders).and_then(|_| Err(Fault::misplaced(secret))),
        ("aws-profile", secret) => Err(Fault::misplaced(secret)),
        _ => Err(Fault::Unknown),
    };
    destination.map_err(|fault| DeliveryError {
        destination: shown(name),
        fault,
    })
}

/// Where secrets of this kind can go, as the help of an option.
pub fn offered(secret: SecretKind) -> &'static str {
    match secret {
        SecretKind::Pair(pair) if pair.for_aws_tools => {
            "Where the new key goes; repeatable: file:PATH.json (credential_process), file:PATH.env (dotenv), \
             aws-profile:NAME[@FILE]"
        }
        SecretKind::Pair(_) => "Where the new key goes; repeatable: file:PATH.env (dotenv)",
        SecretKind::PrivateKey => {
            "Where the new private key goes: file:PATH.p8, the public key beside it as PATH.pub; never overwrites a file"
        }
    }
}

/// What is no destination may be a secret that was pasted here.
fn shown(name: &str) -> String {
    match value_looks_secret("destination", name) {
        Some(_) => "(not shown)".to_owned(),
        None => name.to_owned(),
    }
}

fn boxed(destination: impl Destination + 'static) -> Box<dyn Destination> {
    Box::new(destination)
}

/// A destination that cannot be used, or a delivery that failed.
#[derive(Debug, thiserror::Error)]
#[error("destination {destination}: {fault}")]
pub struct DeliveryError {
    /// Its name.
    pub destination: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a destination.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Neither a file nor an AWS profile.
    #[error("write file:PATH.json, file:PATH.env or aws-profile:NAME[@FILE]; for a private key file:PATH.p8")]
    Unknown,
    /// A path that says not what the file should look like.
    #[error("the file's name must end in .json (credential_process), .env (dotenv) or .p8 (private key)")]
    Ending,
    /// It holds secrets of another kind.
    #[error("{0} does not go there: write {1}")]
    Misplaced(&'static str, &'static str),
    /// There is something already, and it may be someone's only key.
    #[error("{0} exists, and a key file is never overwritten")]
    Exists(String),
    /// A name or a path that cannot be one.
    #[error("{0}")]
    Name(&'static str),
    /// A file of the program's own.
    #[error("{0}, and a delivery would replace it")]
    Ours(String),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] Refused),
    /// What is in the file is not what it should be.
    #[error("{0}; rotate leaves it alone")]
    Content(&'static str),
    /// What is in this line of the file is not what it should be.
    #[error("line {line}: {what}; rotate leaves it alone")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it, and what mends it.
        what: String,
    },
    /// Another file, which consumers read together with this one, stands in the way.
    #[error("{0}, which AWS tools read together with it: {1}")]
    Elsewhere(String, Box<Fault>),
    /// What was read back is not what was written.
    #[error("it does not hold the new key after it was written")]
    ReadBack,
    /// The key is in a folder that has another name by now.
    #[error("its folder was put elsewhere while the key was written; it lies where the folder is now")]
    Moved,
}

impl Fault {
    /// What a secret of this kind is, and where it goes.
    fn misplaced(secret: SecretKind) -> Self {
        match secret {
            SecretKind::Pair(pair) if pair.for_aws_tools => Self::Misplaced(
                "an access key",
                "file:PATH.json, file:PATH.env or aws-profile:NAME[@FILE]",
            ),
            SecretKind::Pair(_) => Self::Misplaced("this key", "file:PATH.env"),
            SecretKind::PrivateKey => Self::Misplaced("a private key", "file:PATH.p8"),
        }
    }

    fn line(line: usize, what: String) -> Self {
        Self::Line { line, what }
    }

    /// What mends it; `None` where its own words say so.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::File(Refused::Folder(unfit)) => unfit.remedy(),
            Self::Ours(_) => "deliver elsewhere".to_owned(),
            Self::File(refused) if refused.is_full() => "make room on its disk".to_owned(),
            Self::File(_) | Self::Content(_) | Self::Line { .. } => "mend the file, or deliver elsewhere".to_owned(),
            Self::Elsewhere(path, _) => format!("mend {path}, or deliver elsewhere"),
            Self::Moved => "put the folder back, and stop whoever moves it".to_owned(),
            Self::ReadBack => "something else writes to this file; stop it first".to_owned(),
            Self::Exists(path) => format!("move {path} away, or deliver elsewhere with --deliver file:PATH.p8"),
            Self::Unknown | Self::Ending | Self::Misplaced(..) | Self::Name(_) => return None,
        })
    }
}
