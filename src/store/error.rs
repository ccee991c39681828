//! Why a store cannot be used, in words for whoever has to see to it.

use std::path::PathBuf;

use super::Line;

/// A store that cannot be used, or a write that was refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run is writing.
    #[error("another run of rotate{0} is at work on this state folder")]
    Held(String),
    /// A run, here or on another machine, has the lease.
    #[error("another run of rotate{} is at work on the journal in {}; its lease ends in {seconds} s, unless it is renewed", of(holder), place.display())]
    Leased {
        /// The server, its database and schema.
        place: PathBuf,
        /// Which run, as it called itself.
        holder: String,
        /// When nobody has it any more, if it is not renewed.
        seconds: i64,
    },
    /// The server of the journal does not answer, or not now.
    #[error("the journal in {} cannot be reached: {why}", place.display())]
    Unreachable {
        /// The server, its database and schema.
        place: PathBuf,
        /// What became of the way there.
        why: String,
    },
    /// The answer to a commit was lost, and nobody can be asked.
    #[error("whether the last event was written to the journal is not known: {why}")]
    Unknown {
        /// The server, its database and schema.
        place: PathBuf,
        /// What became of the way there.
        why: String,
    },
    /// The server, the database or the user there is not what a journal needs.
    #[error("the journal in {} cannot be used: {why}", place.display())]
    Unfit {
        /// The server, its database and schema.
        place: PathBuf,
        /// Why.
        why: String,
        /// What fixes it.
        remedy: String,
    },
    /// What waits sealed there was sealed to another identity than this machine's.
    #[error("the journal in {} seals to another identity than the one of this machine", place.display())]
    OtherIdentity {
        /// The server, its database and schema.
        place: PathBuf,
    },
    /// This machine would seal in another way than the others do.
    #[error("the journal in {} seals with {known}, and this machine with {ours}", place.display())]
    OtherSealer {
        /// The server, its database and schema.
        place: PathBuf,
        /// How it was sealed until now.
        known: String,
        /// How it would be sealed here.
        ours: String,
    },
    /// What waits is in part sealed in another way already: whoever did that was broken off.
    #[error(
        "what waits in {} was being sealed anew with {to}, and that was not brought to its end", place.display()
    )]
    Changing {
        /// The server, its database and schema.
        place: PathBuf,
        /// How it is to be sealed.
        to: String,
    },
    /// The tables are not there, or those of an older version.
    #[error("the journal in {} has tables of version {found}, and this version of rotate needs version {known}", place.display())]
    NotMigrated {
        /// The server, its database and schema.
        place: PathBuf,
        /// Their version; zero where there are none.
        found: i64,
        /// The version that this program reads and writes.
        known: i64,
    },
    /// The folder or a file in it is open to others, or not ours.
    #[error("the state in {path} is not safe to use: {why}")]
    Unsafe {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Not a database, or a broken one.
    #[error("the state database {path} is damaged ({why})")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In SQLite's words.
        why: String,
    },
    /// Made by a later version of the program.
    #[error("the state database {path} has format {found}, and this version of rotate knows formats up to {known}")]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that this program reads.
        known: i64,
    },
    /// A line does not fit its hash or its predecessor.
    #[error("the journal was changed after it was written: event {seq}{target} {why}")]
    Changed {
        /// The first line that does not fit.
        seq: i64,
        /// ` of TARGET`, where that is known.
        target: String,
        /// What does not fit.
        why: String,
    },
    /// The journal is whole, and not the one that a head was noted down of.
    #[error(
        "the journal is intact, and none of its events has the head {head}: it was put back to an older copy, or is another one"
    )]
    NotAhead {
        /// The head that was noted down.
        head: String,
    },
    /// The journal is shorter than was thought.
    #[error("the journal has no event {seq}: it is not that long, was put back to an older copy, or is another one")]
    NoSuchEvent {
        /// The number that was asked for.
        seq: i64,
    },
    /// Someone else wrote first.
    #[error("another writer was faster; this write was dropped")]
    Race,
    /// No room.
    #[error("the disk under {path} is full")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that the database or the system says.
    #[error("the state database cannot be used: {0}")]
    Database(String),
}

/// ` (process 4711)`, where that is known.
fn of(holder: &str) -> String {
    match holder {
        "" => String::new(),
        holder => format!(" ({holder})"),
    }
}

impl StoreError {
    pub(super) fn changed(line: &Line, why: impl Into<String>) -> Self {
        Self::Changed {
            seq: line.seq,
            target: format!(" of {}", line.target),
            why: why.into(),
        }
    }
}
