//! What is wrong with a destination, and what fixes it.

use rotate_providers::form::SecretForm;

use super::forms::{HALVES, is_for_aws_tools};
use crate::private_file::Refused;

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
    /// No kind of destination.
    #[error(
        "write file:PATH.json, file:PATH.env or aws-profile:NAME[@FILE]; for a private key file:PATH.p8; for either \
         exec:/PATH/OF/PROGRAM, secretsmanager:NAME, ssm:/PATH, vault-kv:MOUNT/PATH, kubernetes:NAMESPACE/NAME or \
         github:OWNER/REPO"
    )]
    Unknown,
    /// A kind of destination that is not in this program.
    #[error("this rotate was built without {0}")]
    NotBuilt(&'static str),
    /// What its name says beside the place.
    #[error("its option {0}: {1}")]
    Option(String, &'static str),
    /// A field that the secret has not.
    #[error("the new key has no {0}")]
    NoField(String),
    /// The program that delivers.
    #[error("{0}")]
    Program(String),
    /// Nothing there can be put back by this program.
    #[error("it cannot be put back by rotate, which never had the secret that was there before")]
    NotRestorable,
    /// What a store answers.
    #[error("{what}")]
    Store {
        /// What kind of answer.
        kind: Answer,
        /// What failed, and why.
        what: String,
        /// What fixes it.
        remedy: String,
    },
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
        /// What is wrong with it, and what fixes it.
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

/// What a store's answer means for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it may answer otherwise in a minute.
    Passing,
    /// These credentials may not.
    Denied,
    /// There is no such thing.
    Missing,
    /// Somebody else has written meanwhile.
    Changed,
    /// What is there is not what it should be.
    Unfit,
}

impl Fault {
    /// The same, of the destination that is called this.
    pub(super) fn at(self, destination: &str) -> DeliveryError {
        DeliveryError {
            destination: destination.to_owned(),
            fault: self,
        }
    }

    /// What a secret of this form is, and where it goes.
    pub(super) fn misplaced(form: SecretForm) -> Self {
        let file = if is_for_aws_tools(form) {
            "file:PATH.json, file:PATH.env or aws-profile:NAME[@FILE]"
        } else if form.has(&HALVES) {
            "file:PATH.p8"
        } else {
            "file:PATH.env"
        };
        Self::Misplaced(form.called, file)
    }

    /// Whether the same may work in a minute.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Store {
                kind: Answer::Passing,
                ..
            }
        )
    }

    /// Whether a store has said that there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Store {
                kind: Answer::Missing,
                ..
            }
        )
    }

    pub(super) fn line(line: usize, what: String) -> Self {
        Self::Line { line, what }
    }

    /// What fixes it; `None` where its own words say so.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::File(Refused::Folder(unfit)) => unfit.remedy(),
            Self::Ours(_) => "deliver elsewhere".to_owned(),
            Self::File(refused) if refused.is_full() => "make room on its disk".to_owned(),
            Self::File(_) | Self::Content(_) | Self::Line { .. } => "fix the file, or deliver elsewhere".to_owned(),
            Self::Elsewhere(path, _) => format!("fix {path}, or deliver elsewhere"),
            Self::Moved => "put the folder back, and stop whoever moves it".to_owned(),
            Self::ReadBack => "something else writes there; stop it, then run the same command again".to_owned(),
            Self::Exists(path) => format!("move {path} away, or deliver elsewhere with --deliver file:PATH.p8"),
            Self::Store { remedy, .. } => remedy.clone(),
            Self::NotRestorable => "send the old secret there yourself".to_owned(),
            Self::Program(_) => "fix the program, then run the same command again".to_owned(),
            Self::NotBuilt(feature) => {
                format!("install one with it: cargo install --locked --path . --features {feature}")
            }
            Self::NoField(_) => "deliver it under other names, or elsewhere".to_owned(),
            Self::Unknown | Self::Ending | Self::Misplaced(..) | Self::Name(_) | Self::Option(..) => return None,
        })
    }
}
