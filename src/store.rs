//! The journal and what waits sealed beside it.
//!
//! A [`Store`] speaks of revisions and leases so that a store for many machines can take the embedded one's place. Every
//! write names the lease it was made under and the revision it follows: the loser of a race writes nothing.

mod anchor;
mod chain;
#[cfg(feature = "postgres")]
mod copied;
mod entry;
mod error;
mod heads;
mod line;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod replay;
mod server;
mod sqlite;
mod stored;
mod verify;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rotate_providers::contract::KeyId;

pub use anchor::{Anchor, AnchorError, Anchored};
pub use error::StoreError;
pub use outbox::{NotifierState, Outbox, Outgoing, Queued, Retry, Telling};
#[cfg(feature = "postgres")]
pub use postgres::{Address, Migrated, PostgresStore, grants};
pub use server::{SCHEMA, Server, check_schema};
pub use sqlite::SqliteStore;
pub use stored::{Automated, Guided, Sorted, Stored, is_recent};

use crate::machine::{Inventory, Record, Sealing, StreamState};
use crate::seal::Purpose;

/// Where rotations are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// Becomes the one writer. A repeat while a lease is held, by anyone, fails with [`StoreError::Held`].
    async fn lease(&self) -> Result<Lease, StoreError>;

    /// Looks whether the lease is still this one's, and for longer than a call to a vendor takes. Asked right before each such
    /// call: what is written afterwards names the lease anyway. A lock of the system cannot be lost.
    async fn still_held(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Whose sealer's secrets wait here: the first one that says so is remembered, and any other is refused. A state folder has one.
    async fn sealed_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError>;

    /// What waits is being sealed by this one: until [`Store::seal_by`] says that it is, everybody else is refused. A repeat does nothing.
    async fn changes_to(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError>;

    /// From now on this one's secrets wait here, whoever's did before. A repeat does nothing.
    async fn seal_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError>;

    /// Keeps these bytes in the place of those that are sealed, durably, or does nothing where those are not there any more. A repeat
    /// does nothing.
    async fn reseal(&self, lease: &Lease, sealed: &Sealed, bytes: &[u8]) -> Result<(), StoreError>;

    /// Where it is, where that is not the state folder.
    fn elsewhere(&self) -> Option<&Path>;

    /// How long anything that is begun under the lease may take before somebody else may have it; `None`: a lock is never lost.
    fn longest_call(&self) -> Option<Duration> {
        None
    }

    /// The target's latest rotation, replayed from its journal, each line checked against its hash.
    async fn latest(&self, target: &str) -> Result<Option<Stored>, StoreError>;

    /// Appends one event, durably, together with what it seals or erases. Not repeatable: a repeat is a lost race.
    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError>;

    /// What is sealed under this name for this rotation.
    async fn sealed(&self, rotation: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The latest rotation of every target, as last recorded.
    async fn summaries(&self) -> Result<Vec<Stored>, StoreError>;

    /// What was last seen of the target between its rotations, replayed in the same way.
    async fn watch(&self, target: &str) -> Result<Option<Stored<Inventory>>, StoreError>;

    /// What was last seen of every target, as last recorded.
    async fn watches(&self) -> Result<Vec<Stored<Inventory>>, StoreError>;

    /// What a person had secrets sealed with last, replayed in the same way.
    async fn sealing(&self) -> Result<Option<Stored<Sealing>>, StoreError>;

    /// The journal, oldest line first, of one target or of all.
    async fn journal(&self, target: Option<&str>) -> Result<Vec<Line>, StoreError>;

    /// The end of the journal, which stands for all of it.
    async fn head(&self) -> Result<Head, StoreError>;

    /// What its end was when the line at this place was its last; `None` where it was never that long.
    async fn head_at(&self, seq: i64) -> Result<Option<Head>, StoreError>;

    /// So many lines behind this end, oldest first, each checked against its hash and the line before it. One that the journal never
    /// had is [`StoreError::NotAhead`].
    async fn after(&self, head: &Head, most: u32) -> Result<Vec<Line>, StoreError>;

    /// What people were told of each target last, in the words of whoever told them.
    async fn told(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Writes down what people are to be told because of time alone, and that each of these notifiers has had its digest at that
    /// time; durably, or not at all.
    async fn tell(&self, lease: &Lease, told: &[Telling], digests: &[(String, Timestamp)]) -> Result<(), StoreError>;

    /// What waits to be sent, oldest first.
    async fn outbox(&self) -> Result<Outbox, StoreError>;

    /// This notice has arrived. A repeat does nothing.
    async fn sent(&self, lease: &Lease, id: &str) -> Result<(), StoreError>;

    /// These notices are sent no more, although they have not arrived. A repeat does nothing.
    async fn end(&self, lease: &Lease, ids: &[&str]) -> Result<(), StoreError>;

    /// This notice has not arrived, and is tried again later.
    async fn put_off(&self, lease: &Lease, retry: &Retry<'_>) -> Result<(), StoreError>;

    /// The target's passages that have ended, as last recorded.
    async fn closed(&self, target: &str) -> Result<Vec<Stored>, StoreError>;

    /// Keys that finished rotations of this target deleted.
    async fn retired(&self, target: &str) -> Result<Vec<KeyId>, StoreError>;

    /// Everything that lies sealed.
    async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError>;

    /// Whether nothing was ever written to it.
    async fn is_empty(&self) -> Result<bool, StoreError>;

    /// Checks the whole chain, every replay and every summary.
    async fn verify(&self) -> Result<Verified, StoreError> {
        self.verify_each(&mut |_, _| {}).await
    }

    /// The same, and shows each line on the way, oldest first, with where its thread stands after it. What was shown holds only if
    /// the whole check does.
    async fn verify_each(&self, visit: &mut Visit<'_>) -> Result<Verified, StoreError>;
}

/// The right to write. Given back when dropped, also by a kill.
pub struct Lease {
    /// Grows with every lease: a writer with an old number has lost it.
    pub fence: i64,
    /// What is given back when it is dropped.
    _kept: Box<dyn Send + Sync>,
}

/// How a store that several machines share remembers a change of what seals that is not at its end. No sealer is called so, and an older
/// version takes it for one that is not its own.
#[cfg(feature = "postgres")]
const CHANGING: &str = "changing-to:";

/// How the threads of what is seen between rotations are called: no target's name has a colon.
const WATCH: &str = "watch:";

/// The thread that tells what seals all that waits. Both stores leave threads whose names begin so out of those of targets.
pub const SEALING: &str = "journal:seal";

/// The name of the thread that tells what is seen of this target.
pub fn watch_of(target: &str) -> String {
    format!("{WATCH}{target}")
}

/// The target's own name, also where a thread tells what is seen of it.
pub fn target_of(thread: &str) -> &str {
    thread.strip_prefix(WATCH).unwrap_or(thread)
}

/// One event to append.
pub struct Append<'a> {
    /// The rotation's id.
    pub id: &'a str,
    /// Its target's name.
    pub target: &'a str,
    /// The revision that the event follows; zero opens the rotation.
    pub follows: i64,
    /// The event.
    pub record: &'a Record,
    /// What it leads to.
    pub state: &'a StreamState,
    /// What is sealed with it, by name.
    pub seal: Option<(&'a str, &'a [u8])>,
    /// What people are told because of it, and what they were told of its target then.
    pub telling: Option<Telling>,
}

/// A secret that waits.
pub struct Sealed {
    /// The id of its rotation.
    pub rotation: String,
    /// The target's name.
    pub target: String,
    /// Its name there.
    pub name: String,
    /// Its bytes, as the sealer gave them.
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// What it is for.
    pub fn purpose(&self) -> Purpose<'_> {
        Purpose {
            target: &self.target,
            rotation: &self.rotation,
            name: &self.name,
        }
    }
}

/// What looks at the lines of a journal while they are checked.
pub type Visit<'v> = dyn FnMut(&Line, &StreamState) + Send + 'v;

/// One line of the journal.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the whole journal, from one.
    pub seq: i64,
    /// The rotation's id.
    pub rotation: String,
    /// Its target's name.
    pub target: String,
    /// The event.
    pub record: Record,
    /// Its hash, which covers every line before it.
    pub hash: Vec<u8>,
}

/// The end of a journal when this line was its last. Noted down elsewhere, it shows later that nothing was cut off or rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its place in the whole journal, from one; zero before the first.
    pub seq: i64,
    /// Its hash, as `audit verify` prints and takes it.
    pub hash: String,
}

impl Head {
    /// The end of a journal that nothing was ever written to.
    pub fn beginning() -> Self {
        Self {
            seq: 0,
            hash: chain::hex(&chain::GENESIS),
        }
    }
}

impl Line {
    /// The head of the journal when this line was its last.
    pub fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: chain::hex(&self.hash),
        }
    }

    /// Whether this was the head of the journal when it was the last line, as [`Verified::head`] has it.
    pub fn was_head(&self, head: &str) -> bool {
        chain::hex(&self.hash) == head
    }

    /// The target's own name, also where the line belongs to what was seen of it.
    pub fn target_name(&self) -> &str {
        target_of(&self.target)
    }

    /// Names the target, also where the line belongs to what was seen of it.
    fn of_its_target(self) -> Self {
        match self.target.strip_prefix(WATCH) {
            Some(target) => Self {
                target: target.to_owned(),
                ..self
            },
            None => self,
        }
    }
}

/// A journal that is intact.
#[derive(Clone, Debug)]
pub struct Verified {
    /// How many events it holds.
    pub events: i64,
    /// How many rotations.
    pub rotations: i64,
    /// The last line's hash: noted down elsewhere, it shows later that nothing was cut off or rewritten.
    pub head: String,
}

impl Verified {
    /// A journal that nothing was ever written to.
    pub fn empty() -> Self {
        Self {
            events: 0,
            rotations: 0,
            head: Head::beginning().hash,
        }
    }
}
