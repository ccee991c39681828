//! The life of one rotation, as a pure fold: no I/O and no clock.
//!
//! The journal is the only truth. A [`Rotation`] is what its events say; [`Rotation::after`] is the only way to get one.

mod any;
mod copies;
mod event;
mod guided;
mod hook;
mod in_place;
mod inventory;
mod phase;
mod stream;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Not;

use jiff::Timestamp;
use rotate_providers::contract::{KeyId, Principal, PublicHalf};
use rotate_providers::{Capabilities, PhaseName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use any::AnyRotation;
pub use copies::{CopiesDrift, HeldCopy};
pub use event::{Actor, Event, Record, Restored, SwitchedBy, Tried, UndoKind};
pub use guided::{GuidedRotation, GuidedSpec, Note, Proof, StepOutcome, StepRecord, Try};
pub use hook::{HookAnswer, HookRun, Hooks};
pub use in_place::Replacement;
pub use inventory::{Drift, Inventory, InventoryReading, SeenKey, Trial};
pub use stream::StreamState;
pub use window::{Day, Window};

/// What is fixed when a rotation is opened.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationSpec {
    /// The connector's id.
    pub connector: String,
    /// The connector's inputs, as its provider reads them.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub inputs: serde_json::Value,
    /// Where the new secret goes, by the destinations' own names.
    pub destinations: Vec<String>,
    /// The programs that run once they hold it, in this order, by their own names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_delivery: Vec<String>,
    /// How it becomes known that every consumer has moved.
    pub cutover: Cutover,
    /// What the proofs of the new key rest on.
    #[serde(default, skip_serializing_if = "Prove::is_default")]
    pub prove: Prove,
    /// How long the old key stays disabled before it is deleted, in seconds.
    pub soak_seconds: u64,
    /// How long the vendor's record of use is watched at least before it counts as evidence, in seconds.
    pub observe_seconds: u64,
    /// How long the cut-over may take before it is overdue, in seconds.
    pub allowance_seconds: u64,
    /// Who owns the keys, by an immutable id.
    pub owner: Principal,
    /// The key that is to go.
    pub old_key: KeyId,
    /// How it goes.
    #[serde(default, skip_serializing_if = "Retirement::is_default")]
    #[schemars(extend("not" = { "const": "disable" }))]
    pub retirement: Retirement,
    /// Whether the new key is made on this machine, and not by the vendor.
    #[serde(default, skip_serializing_if = "Not::not")]
    #[schemars(extend("const" = true))]
    pub mints_locally: bool,
    /// Whether the program runs as the owner of these keys, and was told to go on all the same.
    #[serde(default, skip_serializing_if = "Not::not")]
    #[schemars(extend("const" = true))]
    pub own_identity: bool,
    /// The host at which the vendor was found, without its port; none where that was this machine, or is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Box<str>>,
    /// When effects are allowed; none: at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Box<Window>>,
    /// What becomes of a new key whose secret was lost.
    #[serde(default, skip_serializing_if = "LostKey::is_default")]
    pub lost_key: LostKey,
}

/// What becomes of a new key whose secret was lost with a crash, before anybody had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostKey {
    /// It is deleted, once it is certain that it is that key.
    #[default]
    Delete,
    /// A person is asked, always.
    Ask,
}

impl LostKey {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Delete, Self::Ask];

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Ask => "ask",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl RotationSpec {
    /// What the vendor can do, and how exact it is.
    pub fn capabilities(&self) -> Capabilities {
        rotate_providers::capabilities(&self.connector)
    }

    /// Whether the new secret takes the place of the old one, with no time in which both work.
    pub fn replaces(&self) -> bool {
        self.retirement == Retirement::Replace
    }

    /// Whether the old key rests while it still works, after this cut-over.
    fn rests_first(&self, switch: Option<&Switch>) -> bool {
        let attested = |switch: &Switch| matches!(switch.by, SwitchedBy::Attested { .. });
        self.retirement == Retirement::RemoveForGood || switch.is_some_and(attested)
    }
}

/// How the old key goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Retirement {
    /// It is disabled, rests, and is deleted.
    #[default]
    Disable,
    /// The vendor can only remove it: it is removed and rests, and until the end of its rest it can be registered again.
    Remove {
        /// What registers it again.
        public: PublicHalf,
    },
    /// The vendor can only remove it, and nothing would bring it back: it rests first, and is removed then.
    RemoveForGood,
    /// The new one takes its place where it stands: it is gone at that instant.
    Replace,
}

impl Retirement {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How it becomes known that every consumer has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cutover {
    /// A person says so.
    Confirm,
    /// The vendor sees the new key in use and the old one idle.
    Observed,
    /// The delivery is the cut-over: every consumer reads the destination each time.
    Immediate,
}

impl Cutover {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Confirm, Self::Observed, Self::Immediate];

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Observed => "observed",
            Self::Immediate => "immediate",
        }
    }
}

/// What the proofs of a new key rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prove {
    /// A login from here, with the permission that the consumer needs.
    #[default]
    Login,
    /// A login from here; the permission is the consumer's to prove, by using the key.
    Identity,
    /// The vendor's list; all else is the consumer's to prove, by using the key.
    Consumer,
}

impl Prove {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Login, Self::Identity, Self::Consumer];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Its name, as options and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Identity => "identity",
            Self::Consumer => "consumer",
        }
    }
}

/// One passage of a target through the phases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// What was fixed at its opening.
    #[serde(rename = "charter")]
    pub spec: RotationSpec,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Every attempt at creating a key, oldest first.
    pub attempts: Vec<Attempt>,
    /// Keys that were deleted before anyone had them.
    pub discarded: BTreeSet<KeyId>,
    /// Where it stands.
    pub phase: Phase,
    /// Set once it is being undone.
    pub undo: Option<Undo>,
    /// Set while a person has to look; nothing is touched until then.
    pub blocked: Option<Block>,
    /// Where the programs stand that run after a delivery.
    #[serde(default, skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
}

/// Where a rotation stands. Each phase owns what only it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing has been done yet.
    Opened,
    /// The call that creates a key may have left; its outcome is not recorded.
    Creating,
    /// A key that nobody has is being deleted.
    Discarding(KeyId),
    /// The new key was made here and its secret is sealed; the call that registers it may have left.
    Minted(Issued),
    /// The new secret is made and sealed, and nothing outside has changed; it will take the place of the old one.
    Prepared(Replacement),
    /// The call that sets it in the place of the old one may have left.
    Replacing(Replacement),
    /// The vendor takes it and not the old one: whoever it was not delivered to is cut off.
    Replaced(Replacement),
    /// The call that sets the old one again may have left.
    Reverting(Replacement),
    /// The vendor takes the old one again; what the destinations held is put back.
    Reverted(Replacement),
    /// The new key exists and its secret is sealed.
    Created(Issued),
    /// The new key is proven; deliveries are under way.
    Verified(Issued),
    /// Every destination holds it; the consumers are moving.
    Delivered(Issued, Timestamp),
    /// The last consumer has moved.
    CutOver(Issued, Switch),
    /// The call that disables the old key may have left.
    Deactivating(Issued, Switch),
    /// The old key is disabled; the new one has to be proven again.
    Deactivated(Issued, Switch, Retired),
    /// The call that enables the old key again may have left.
    Reactivating(Issued, Switch, String),
    /// The old key rests, disabled.
    Soaking(Issued, Switch, Retired),
    /// The call that deletes the old key may have left.
    Deleting(Issued, Switch, Retired),
    /// The old key is deleted; the vendor's list has to agree.
    Deleted(Issued),
    /// The call that deletes the new key may have left.
    Withdrawing(Issued),
    /// The new key is deleted; the vendor's list has to agree.
    Withdrawn(Issued),
    /// The end: the new key lives, the old one is gone.
    Done(Issued),
    /// The end: the old key lives, no new one does.
    Aborted,
    /// The end: the old key lives again, the new one is gone.
    RolledBack,
}

/// One attempt at creating a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When its intent was recorded.
    pub at: Timestamp,
    /// The keys that existed before.
    pub ids_before: BTreeSet<KeyId>,
    /// When, by the vendor's clock, its key can have been made; where that is not on record, around its intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_within: Option<Span>,
}

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Span {
    /// Whether this moment is in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// The new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its id.
    pub key: KeyId,
    /// Its public half, where it is a key pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicHalf>,
    /// When the program itself last used it: the vendor's record of use shows our own proofs too.
    pub proved_at: Option<Timestamp>,
    /// Destinations that may hold it.
    pub reached: BTreeSet<String>,
    /// Destinations that hold it for certain.
    pub delivered: BTreeSet<String>,
}

/// The cut-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// When.
    pub at: Timestamp,
    /// How it became known.
    pub by: SwitchedBy,
}

/// The old key since it was disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Since when.
    pub at: Timestamp,
    /// Whether the new key was proven since, where that is for us to do.
    pub proved: bool,
    /// Whether its consumer has used it since, where the proof rests on that.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub used: bool,
}

/// A rotation that is being undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// Before or after the cut-over.
    pub kind: UndoKind,
    /// Why.
    pub why: String,
    /// Who asked; the program where the new key proved useless.
    pub by: Actor,
    /// Whether the new key goes even if someone uses it.
    pub forced: bool,
    /// Whether the old key was switched on again for it.
    pub reactivated: bool,
    /// Whether the person insisted after having been told what stands in the way.
    pub insisted: bool,
    /// Whether the person, told of a key that cannot be attributed, has the rotation end without touching any.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disowns: bool,
    /// What became of each destination.
    pub restored: BTreeMap<String, Restored>,
}

/// Why a person has to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What was found.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// An event that cannot follow what is recorded: the journal was changed, or the program is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event `{event}` cannot follow the phase `{phase}`")]
pub struct Illegal {
    /// The event.
    pub event: &'static str,
    /// The phase before it.
    pub phase: &'static str,
}

impl Rotation {
    /// Folds a rotation's whole journal; `None` where there is none.
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Option<Self>, Illegal> {
        let mut rotation = None;
        for record in records {
            rotation = Some(Self::after(rotation, record)?);
        }
        Ok(rotation)
    }

    /// What a rotation is after one more event.
    pub fn after(before: Option<Self>, record: &Record) -> Result<Self, Illegal> {
        match (before, &record.event) {
            (None, Event::Opened { spec }) => Ok(Self {
                spec: spec.clone(),
                opened_at: record.at,
                attempts: Vec::new(),
                discarded: BTreeSet::new(),
                phase: Phase::Opened,
                undo: None,
                blocked: None,
                hooks: Hooks::default(),
            }),
            (Some(rotation), event) => rotation.apply(event, record.at),
            (None, event) => Err(Illegal {
                event: event.name(),
                phase: "idle",
            }),
        }
    }

    fn apply(mut self, event: &Event, at: Timestamp) -> Result<Self, Illegal> {
        let illegal = Illegal {
            event: event.name(),
            phase: self.phase.name(),
        };
        if self.blocked.is_some() && !event.is_a_persons_word() {
            return Err(illegal);
        }
        if let Some(undo) = &self.undo
            && !event.fits_undoing(undo.kind)
        {
            return Err(illegal);
        }
        if !self.may_be_replaced_by(event) || !self.may_precede_hooks(event) {
            return Err(illegal);
        }
        match event {
            Event::Blocked { why } => {
                if self.phase.is_closed() {
                    return Err(illegal);
                }
                self.blocked = Some(Block {
                    why: why.clone(),
                    since: at,
                });
            }
            Event::Resumed { .. } => {
                self.blocked.take().ok_or(illegal)?;
                // Nothing has been put back yet: the person may still go on, and does.
                let begun = |undo: &Undo| !undo.restored.is_empty() || self.phase.is_withdrawal();
                self.undo = self.undo.take().filter(begun);
                self.phase = self.phase.cut_over_again(at);
            }
            Event::UndoRequested { kind, why, by, forced } => {
                let gives_up = self.is_given_up_by(*kind);
                if !self.may_undo(*kind) || (gives_up && !forced) {
                    return Err(illegal);
                }
                let before = self.undo.take();
                let was_blocked = self.blocked.take().is_some();
                let insisted = was_blocked && before.is_some() && *forced;
                let disowns = was_blocked && *forced && (self.phase.is_uncertain() || gives_up);
                self.undo = Some(Undo {
                    kind: *kind,
                    why: why.clone(),
                    by: by.clone(),
                    forced: *forced,
                    reactivated: before.as_ref().is_some_and(|undo| undo.reactivated),
                    insisted,
                    disowns,
                    restored: before.map(|undo| undo.restored).unwrap_or_default(),
                });
            }
            Event::Restored { destination, outcome } => {
                let reached =
                    self.phase.may_restore() && self.issued().is_some_and(|it| it.reached.contains(destination));
                let undo = self.undo.as_mut().filter(|_| reached).ok_or(illegal)?;
                undo.restored.insert(destination.clone(), *outcome);
            }
            Event::HookIntended { .. }
            | Event::HookRan { .. }
            | Event::HookFailed { .. }
            | Event::HookAnswered { .. } => self.take_hook(event).ok_or(illegal)?,
            Event::HostPinned { host } => {
                if self.spec.host.is_some() || self.phase.is_closed() {
                    return Err(illegal);
                }
                self.spec.host = Some(host.as_str().into());
            }
            Event::CreateIntended {
                ids_before,
                made_within,
            } => {
                self.attempts.push(Attempt {
                    at,
                    ids_before: ids_before.clone(),
                    made_within: *made_within,
                });
                self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?;
            }
            // Nobody may go on as if nothing had happened, not even after a crash right here: so this blocks by itself.
            Event::Reactivated if self.undo.is_none() => {
                if let Phase::Reactivating(_, _, why) = &self.phase {
                    let why = format!("the old key was switched on again: {why}");
                    self.blocked = Some(Block { why, since: at });
                }
                self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?;
            }
            Event::Reactivated => {
                self.undo.iter_mut().for_each(|undo| undo.reactivated = true);
                self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?;
            }
            // What stands there is the old secret, and the vendor has another name for it now.
            Event::Reverted { key } => {
                self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?;
                self.spec.old_key = key.clone();
            }
            Event::Discarded { key } => {
                self.discarded.insert(key.clone());
                self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?;
            }
            _ => self.phase = self.phase.advance(event, at, &self.spec).ok_or(illegal)?,
        }
        Ok(self)
    }

    /// Whether this kind of undoing fits where the rotation stands.
    pub fn may_undo(&self, kind: UndoKind) -> bool {
        // What is under way already may be asked for again, and forced.
        let under_way = self.undo.as_ref().is_some_and(|undo| undo.kind == kind) && self.phase.is_withdrawal();
        let gives_up = kind == UndoKind::Abort && self.phase.is_in_gap();
        (under_way && !gives_up)
            || match kind {
                UndoKind::Abort => self.phase.is_before_cutover() || self.is_given_up_by(kind),
                UndoKind::Rollback => self.phase.is_reversible_after_cutover() || self.phase.may_revert(),
            }
    }

    /// The phase that was reached last, as everybody names it.
    pub fn reached(&self) -> PhaseName {
        match self.blocked {
            Some(_) => PhaseName::Blocked,
            None => self.phase.reached(),
        }
    }

    /// The new key, once there is one.
    pub fn issued(&self) -> Option<&Issued> {
        self.phase.issued()
    }

    /// Whether the old key rests while it still works, and is removed only then: nothing would bring it back, or nothing but a
    /// person's word says that the new one works.
    pub fn rests_first(&self) -> bool {
        self.spec.rests_first(self.phase.switch())
    }

    /// The old key, once it is gone for good.
    pub fn retired(&self) -> Option<&KeyId> {
        matches!(self.phase, Phase::Done(_)).then_some(&self.spec.old_key)
    }
}
