//! What the journal holds: facts in the past tense, and intents where the outside may change before the fact is known.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::contract::{KeyId, LastUse, PublicHalf};
use rotate_providers::guide::probe::Verdict;
use rotate_providers::untrusted::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Begun, GuidedSpec, HeldCopy, HookAnswer, InventoryReading, Restored, RotationSpec, Span, SwitchedBy, Tried,
    UndoKind,
};

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// One line of a rotation's journal. Holds no secret.
///
/// What a vendor calls a `request` is absent where it names none, where a crash has lost it before it was recorded, where nothing was
/// left to do, and in journals of before.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The rotation begins.
    Opened {
        /// What is fixed for its whole life.
        #[serde(rename = "charter")]
        spec: Box<RotationSpec>,
        /// What made it begin, and who. Absent in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<Begun>,
    },
    /// The vendor's host was not on record, and is from here on.
    HostPinned {
        /// Its name, without a port.
        host: String,
    },
    /// A key is about to be created.
    CreateIntended {
        /// The keys that exist before.
        ids_before: BTreeSet<KeyId>,
        /// When, by the vendor's clock, a key of this call can be made. Absent where the vendor does not tell its time, and in
        /// journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_within: Option<Span>,
    },
    /// Nothing was created.
    CreateFailed {
        /// Why.
        why: String,
    },
    /// A key was made on this machine and its secret sealed in the same transaction; it may be registered from here on.
    Minted {
        /// Its id.
        key: KeyId,
        /// What registers it, now and if it ever has to be registered again.
        public: PublicHalf,
    },
    /// The key exists at the vendor, and its secret is sealed: by now, or in the same transaction.
    Created {
        /// Its id.
        key: KeyId,
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The secret that the destinations hold, which is about to be replaced, was sealed in the same transaction.
    OldSealed,
    /// The secret that will take its place was made on this machine and sealed in the same transaction.
    Generated {
        /// What it is called until the vendor has it.
        key: KeyId,
        /// Whether the old one is sealed, and can be set again.
        way_back: bool,
    },
    /// It is about to be set in the place of the old one: from here on consumers may be cut off.
    ReplaceIntended,
    /// It was not set: nothing has changed.
    ReplaceFailed {
        /// Why.
        why: String,
    },
    /// A login has shown that the vendor takes it.
    Replaced {
        /// What the vendor calls it.
        key: KeyId,
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The old secret is about to be set again.
    RevertIntended,
    /// A login has shown that the vendor takes the old secret.
    Reverted {
        /// What the vendor calls it now.
        key: KeyId,
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// A key that nobody has is about to be deleted.
    DiscardIntended {
        /// Which.
        key: KeyId,
        /// Why nobody has it.
        why: String,
    },
    /// It is deleted.
    Discarded {
        /// Which.
        key: KeyId,
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// A person says that these keys, which appeared while one was created, are none of this rotation's: they are left alone.
    Disowned {
        /// Which.
        keys: BTreeSet<KeyId>,
    },
    /// The new key logged in and has the consumer's permission.
    Proved,
    /// The vendor lists the new key as active: all that can be known of it before its consumer has it.
    Listed,
    /// The consumer has used the new key since the old one was disabled.
    Used {
        /// What the vendor's record says.
        last_use: LastUse,
    },
    /// A person says that the consumer works with the new key since the old one was disabled.
    Attested {
        /// Who.
        by: String,
        /// What they have seen.
        evidence: String,
    },
    /// A destination is about to be written; what it holds now was sealed in the same transaction.
    DeliverIntended {
        /// Its name.
        destination: String,
    },
    /// It was written, read back and compared.
    Delivered {
        /// Its name.
        destination: String,
    },
    /// A program is about to be started, because the destinations hold something new.
    HookIntended {
        /// Its name.
        hook: String,
    },
    /// It ended well.
    HookRan {
        /// Its name.
        hook: String,
    },
    /// It did not end well.
    HookFailed {
        /// Its name.
        hook: String,
        /// Why.
        why: String,
    },
    /// A person says what becomes of a program that failed, or of which nobody knows how it ended.
    HookAnswered {
        /// Its name.
        hook: String,
        /// Who.
        by: String,
        /// What becomes of it.
        answer: HookAnswer,
    },
    /// The last consumer has moved.
    CutOver {
        /// How that is known.
        by: SwitchedBy,
    },
    /// The old key is about to be disabled.
    DeactivateIntended,
    /// The vendor has disabled it.
    Deactivated {
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The vendor's list agrees, and the new key was proven since.
    Soaking,
    /// The old key is about to be enabled again.
    ReactivateIntended {
        /// Why.
        why: String,
    },
    /// It is enabled again.
    Reactivated {
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The old key is about to be deleted.
    DeleteIntended,
    /// The vendor has deleted it.
    Deleted {
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The vendor's list agrees: the end. Sealed secrets were erased in the same transaction.
    Done,
    /// The rotation is to be undone.
    UndoRequested {
        /// Before or after the cut-over.
        kind: UndoKind,
        /// Why.
        why: String,
        /// Who asked; the program where the new key proved useless.
        by: Actor,
        /// Whether the new key goes even if someone uses it.
        forced: bool,
    },
    /// A destination was looked at and, where possible, put back.
    Restored {
        /// Its name.
        destination: String,
        /// What became of it.
        outcome: Restored,
    },
    /// The new key is about to be deleted.
    WithdrawIntended,
    /// The vendor has deleted it.
    Withdrawn {
        /// What the vendor calls the request that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Label>,
    },
    /// The end, before the cut-over. Sealed secrets were erased in the same transaction.
    Aborted,
    /// The end, after the cut-over. Sealed secrets were erased in the same transaction.
    RolledBack,
    /// A person has to look.
    Blocked {
        /// What was found.
        why: String,
    },
    /// A person has looked.
    Resumed {
        /// Who.
        by: String,
    },
    /// A guided rotation begins.
    WalkOpened {
        /// What is fixed for its whole life.
        itinerary: GuidedSpec,
        /// What made it begin, and who. Absent in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<Begun>,
    },
    /// A person has taken a step.
    StepDone {
        /// Which.
        #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
        step: String,
        /// Who says so.
        by: String,
        /// What was noted down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
    },
    /// A person has left out a step.
    StepSkipped {
        /// Which.
        #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
        step: String,
        /// Who says so.
        by: String,
        /// Why.
        why: String,
    },
    /// A person takes the tick of a step back: it is open again.
    StepUndone {
        /// Which.
        #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
        step: String,
        /// Who says so.
        by: String,
        /// Why, where that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A person adds what was noted down of a step that is done.
    EvidenceAdded {
        /// Of which.
        #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
        step: String,
        /// Who says so.
        by: String,
        /// What was noted down.
        evidence: String,
    },
    /// A credential was tried at its vendor, by a login that only reads.
    Tried {
        /// Which.
        credential: Tried,
        /// What the vendor said.
        verdict: Verdict,
        /// The class of the answer, and nothing of the answer itself.
        class: String,
        /// Who tried it.
        by: String,
    },
    /// A guided rotation is given up. What was done stays done.
    WalkAborted {
        /// Who.
        by: String,
    },
    /// The target was looked at between two rotations, and is as expected.
    Sighted {
        /// What was seen.
        sighting: InventoryReading,
    },
    /// The target was looked at, and something there has changed behind our back.
    Drifted {
        /// What.
        why: String,
        /// What was seen.
        sighting: InventoryReading,
    },
    /// Destinations do not hold any more what a rotation has left there.
    CopiesDrifted {
        /// The key that they should hold.
        expected: KeyId,
        /// Those that do not, and what they hold.
        copies: Vec<HeldCopy>,
    },
    /// All of them hold it again, as far as they can be read.
    CopiesAsLeft,
    /// A person accepts what is there, and says to go on.
    Released {
        /// Who.
        by: String,
    },
    /// What waits was sealed anew: said of the whole journal, in a thread that is no target's.
    Rekeyed {
        /// Who had that done.
        by: String,
        /// By what it was sealed before, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// By what it is sealed from here on.
        to: String,
        /// How many secrets were sealed anew.
        sealed: usize,
        /// How many were sealed so already.
        already: usize,
        /// How many could not be opened, and were left as they were.
        left: usize,
    },
}

impl Event {
    /// The event's name, as the journal writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Opened { .. } => "opened",
            Event::HostPinned { .. } => "host-pinned",
            Event::CreateIntended { .. } => "create-intended",
            Event::CreateFailed { .. } => "create-failed",
            Event::Minted { .. } => "minted",
            Event::Created { .. } => "created",
            Event::OldSealed => "old-sealed",
            Event::Generated { .. } => "generated",
            Event::ReplaceIntended => "replace-intended",
            Event::ReplaceFailed { .. } => "replace-failed",
            Event::Replaced { .. } => "replaced",
            Event::RevertIntended => "revert-intended",
            Event::Reverted { .. } => "reverted",
            Event::DiscardIntended { .. } => "discard-intended",
            Event::Discarded { .. } => "discarded",
            Event::Disowned { .. } => "disowned",
            Event::Proved => "proved",
            Event::Listed => "listed",
            Event::Used { .. } => "used",
            Event::Attested { .. } => "attested",
            Event::DeliverIntended { .. } => "deliver-intended",
            Event::Delivered { .. } => "delivered",
            Event::HookIntended { .. } => "hook-intended",
            Event::HookRan { .. } => "hook-ran",
            Event::HookFailed { .. } => "hook-failed",
            Event::HookAnswered { .. } => "hook-answered",
            Event::CutOver { .. } => "cut-over",
            Event::DeactivateIntended => "deactivate-intended",
            Event::Deactivated { .. } => "deactivated",
            Event::Soaking => "soaking",
            Event::ReactivateIntended { .. } => "reactivate-intended",
            Event::Reactivated { .. } => "reactivated",
            Event::DeleteIntended => "delete-intended",
            Event::Deleted { .. } => "deleted",
            Event::Done => "done",
            Event::UndoRequested { .. } => "undo-requested",
            Event::Restored { .. } => "restored",
            Event::WithdrawIntended => "withdraw-intended",
            Event::Withdrawn { .. } => "withdrawn",
            Event::Aborted => "aborted",
            Event::RolledBack => "rolled-back",
            Event::Blocked { .. } => "blocked",
            Event::Resumed { .. } => "resumed",
            Event::WalkOpened { .. } => "walk-opened",
            Event::StepDone { .. } => "step-done",
            Event::StepSkipped { .. } => "step-skipped",
            Event::StepUndone { .. } => "step-undone",
            Event::EvidenceAdded { .. } => "evidence-added",
            Event::Tried { .. } => "tried",
            Event::WalkAborted { .. } => "walk-aborted",
            Event::Sighted { .. } => "sighted",
            Event::Drifted { .. } => "drifted",
            Event::CopiesDrifted { .. } => "copies-drifted",
            Event::CopiesAsLeft => "copies-as-left",
            Event::Released { .. } => "released",
            Event::Rekeyed { .. } => "rekeyed",
        }
    }

    /// Whether only a person may cause it: such events are the way out of `blocked`.
    pub(super) fn is_a_persons_word(&self) -> bool {
        matches!(
            self,
            Event::Resumed { .. } | Event::UndoRequested { .. } | Event::HookAnswered { .. }
        )
    }

    /// Whether it may happen while this is being undone: nothing may move on meanwhile.
    pub(super) fn fits_undoing(&self, kind: UndoKind) -> bool {
        match self {
            Event::CreateIntended { .. }
            | Event::Minted { .. }
            | Event::OldSealed
            | Event::Generated { .. }
            | Event::ReplaceIntended
            | Event::ReplaceFailed { .. }
            | Event::Replaced { .. }
            | Event::Listed
            | Event::Used { .. }
            | Event::Attested { .. }
            | Event::DeliverIntended { .. }
            | Event::Delivered { .. }
            | Event::CutOver { .. }
            | Event::DeactivateIntended
            | Event::Soaking
            | Event::DeleteIntended => false,
            Event::Aborted => kind == UndoKind::Abort,
            Event::RolledBack => kind == UndoKind::Rollback,
            _ => true,
        }
    }

    /// Whether it ends its rotation.
    pub fn is_final(&self) -> bool {
        matches!(self, Event::Done | Event::Aborted | Event::RolledBack)
    }
}
