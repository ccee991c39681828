//! What a policy can decide: a step, or a wait.

use jiff::Timestamp;
use rotate_providers::contract::KeyId;

use super::Which;
use crate::machine::Event;

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Read the vendor's list of keys; again, some seconds later, where one reading is not enough.
    ReadKeys {
        /// Whether this reading has to follow another one at a distance.
        again: bool,
    },
    /// Read which keys the destinations hold.
    ReadDestinations,
    /// Read when a key was last used.
    ReadUse(KeyId),
    /// Read whether a login with a key was refused since then.
    ReadRefusals {
        /// Which key.
        key: KeyId,
        /// Since when.
        since: Timestamp,
    },
    /// Have the vendor create the new key.
    Create,
    /// Make the new key on this machine.
    Mint,
    /// Tell the vendor of the key that was made here.
    Register,
    /// Seal the secret that the destinations hold, and make the one that will take its place.
    Generate,
    /// Log in with these, in this order, until the vendor takes one.
    ReadWhich(&'static [Which]),
    /// Set the new secret in the place of the old one.
    Replace,
    /// Set the old secret again.
    Revert,
    /// Delete a key that nobody has.
    Discard {
        /// Which.
        key: KeyId,
        /// Why nobody has it.
        why: String,
    },
    /// Prove the new key.
    Prove,
    /// Write the secret to these destinations.
    Deliver(Vec<String>),
    /// Run a program after the delivery.
    RunHook(String),
    /// Disable the old key.
    Deactivate,
    /// Enable the old key again.
    Reactivate(String),
    /// Delete the old key.
    Delete,
    /// Put a destination back.
    Restore(String),
    /// Delete the new key.
    Withdraw,
    /// Record this; nothing outside changes.
    Record(Event),
    /// Nothing can be done now.
    Wait(Wait),
    /// The rotation has ended.
    Closed,
}

impl Step {
    /// Whether the step reads or changes something at the vendor.
    pub fn asks_the_vendor(&self) -> bool {
        !matches!(
            self,
            Step::Record(_)
                | Step::Mint
                | Step::Generate
                | Step::ReadDestinations
                | Step::Deliver(_)
                | Step::Restore(_)
                | Step::RunHook(_)
                | Step::Wait(_)
                | Step::Closed
        )
    }
}

/// A wait, which is a row and never a sleep.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// For whom.
    pub on: Waiting,
    /// When it ends by itself, or is looked at again; for a person: when it becomes overdue.
    pub until: Option<Timestamp>,
    /// In words.
    pub why: String,
}

/// What a wait waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A person moves the consumers and says so.
    Cutover,
    /// Evidence of the cut-over.
    Evidence,
    /// The old key's rest.
    Soak,
    /// The hours in which effects are allowed.
    Window,
    /// A person has to look.
    Person,
}
