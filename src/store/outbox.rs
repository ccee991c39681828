//! What people are told, as it waits beside the journal.

use jiff::Timestamp;

/// So many notices wait for one reader of a notifier at most: whoever is down for a week is told where targets stand, and not each step.
pub(super) const MOST: i64 = 500;

/// A notice that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id, which each repeat has too.
    pub id: String,
    /// Through which notifier.
    pub notifier: String,
    /// To whom, where the notifier does not say it alone; else empty.
    pub recipient: String,
    /// The target that it is about; empty where it is about all of them.
    pub target: String,
    /// What it tells of.
    pub kind: String,
    /// When that was.
    pub at: Timestamp,
    /// What it says.
    pub body: String,
    /// Whether it stays where too many wait.
    pub is_kept: bool,
}

/// What people are told of a target from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Its name.
    pub target: String,
    /// What they know of it then, in the words of whoever tells them.
    pub told: String,
    /// The notices of that; none where it is not worth one.
    pub notices: Vec<Outgoing>,
}

/// A notice that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The notice.
    pub notice: Outgoing,
    /// The head of the journal when it was written down.
    pub head: String,
    /// How often it was tried in vain.
    pub tries: u32,
    /// When it is tried again.
    pub next_at: Timestamp,
    /// Why it has not arrived; empty before it was tried.
    pub problem: String,
}

/// What is known of a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierState {
    /// Its name.
    pub name: String,
    /// When it had its last digest, or when it was seen first.
    pub digest_at: Timestamp,
    /// How many of its notices were dropped since then, whoever was to read them.
    pub dropped: u64,
}

/// All that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// The notices, oldest first.
    pub queued: Vec<Queued>,
    /// The notifiers that are known, by name.
    pub notifiers: Vec<NotifierState>,
}

/// A notice that is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry<'a> {
    /// Its id.
    pub id: &'a str,
    /// When.
    pub next_at: Timestamp,
    /// Why it has not arrived.
    pub problem: &'a str,
    /// Whether every other notice of its notifier waits until then as well.
    pub holds_all: bool,
}
