//! Why a rotation could not be moved.

use rotate_providers::contract;
use rotate_providers::untrusted::sanitized;

use crate::delivery::{DeliveryError, HookError};
use crate::machine::Illegal;
use crate::seal::SealError;
use crate::store::StoreError;

/// Why a rotation could not be moved. What is recorded stands; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The vendor.
    #[error("failed to {0}")]
    Provider(Box<contract::Error>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sealer.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A destination.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// A program that runs after a delivery.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The journal does not allow it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// It was not begun.
    #[error("{}", .0.why)]
    Refused(Refusal),
    /// The new key does not work, and was withdrawn.
    #[error("{0}; it was withdrawn, and the old key was not touched")]
    Useless(String),
    /// The new key does not work, and could not be withdrawn yet.
    #[error("{0}; it could not be withdrawn yet: {1}")]
    NotWithdrawn(String, Box<DriveError>),
    /// Whether the new key works could not be found out.
    #[error("whether the new key works could not be found out: {0}")]
    Inconclusive(String),
    /// The vendor takes a new secret, and a login shows that it has not.
    #[error("the vendor says that it took the secret, and a login shows that another one still stands")]
    NotTaken,
    /// The vendor's list does not show what the vendor said it did.
    #[error("the vendor's list of keys does not show the change yet")]
    Lagging,
    /// The journal takes too long for what an intent says of time.
    #[error("writing down what is about to be done takes more than two seconds each time, so nothing was created")]
    Slow,
    /// The journal says that there is a sealed secret, and there is none.
    #[error("a sealed secret that the journal tells of is missing from the store")]
    SecretMissing,
    /// The journal names a connector that this program does not have.
    #[error("the journal names connector {0}, which this version of rotate does not know")]
    UnknownConnector(String),
    /// A signal.
    #[error("interrupted; nothing was left half done")]
    Interrupted,
}

impl From<contract::Error> for DriveError {
    fn from(error: contract::Error) -> Self {
        Self::Provider(Box::new(error))
    }
}

/// A rotation that was not begun, or a command that does not fit where it stands.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// What resolves it, one command or sentence a line.
    pub remedy: Vec<String>,
    /// Whether a person has to look, rather than correct the command.
    pub blocked: bool,
}

impl Refusal {
    pub(super) fn error(why: impl Into<String>) -> Self {
        Self {
            why: sanitized(&why.into()),
            remedy: Vec::new(),
            blocked: false,
        }
    }

    /// A target that no journal knows.
    pub fn unknown_target(target: &str) -> Self {
        Self::error(format!("no rotation of {target} is on record"))
            .with("see the targets on record:")
            .with("rotate status")
    }

    /// A target that a person is walking through.
    pub fn walked(target: &str) -> Self {
        Self::error(format!("{target} is being rotated by hand, step by step"))
            .with("see where it stands, and tick its steps with `rotate done`:")
            .with(format!("rotate status {target}"))
            .with("or give it up:")
            .with(format!("rotate abort {target}"))
    }

    /// A target that the program rotates itself.
    pub fn not_walked(target: &str) -> Self {
        Self::error(format!("{target} is rotated by the program, and has no steps to tick"))
            .with("see where it stands:")
            .with(format!("rotate status {target}"))
    }

    /// A word that does not fit where a guided rotation stands.
    pub fn walk(target: &str, why: &str) -> Self {
        Self::error(format!("{target}: {why}"))
            .with("see its steps:")
            .with(format!("rotate status {target}"))
    }

    /// Something else that was refused before anything was changed.
    pub fn because(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::error(why).with(remedy)
    }

    /// What cannot be, and was.
    pub fn fault_of_the_program(what: impl Into<String>) -> Self {
        Self::because(what, "this is a fault of the program: report it")
    }

    /// One more line of what resolves it.
    pub fn with(mut self, remedy: impl Into<String>) -> Self {
        self.remedy.push(sanitized(&remedy.into()));
        self
    }

    pub(super) fn blocked(self) -> Self {
        Self { blocked: true, ..self }
    }
}
