//! One passage of a target through the phases, as the fold of its events.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::KeyId;
use serde::{Deserialize, Serialize};

use super::summary::Kept;
use super::{Attempt, Event, Hooks, Issued, Phase, Record, RotationSpec, Undo, UndoKind};

/// One passage of a target through the phases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Kept")]
pub struct Rotation {
    /// What was fixed at its opening.
    pub spec: RotationSpec,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Every attempt at creating a key, oldest first.
    pub attempts: Vec<Attempt>,
    /// Keys that were deleted before anyone had them.
    pub discarded: BTreeSet<KeyId>,
    /// The new key, from when its making is on record until it is taken back.
    pub new_key: Option<Issued>,
    /// Where it stands.
    pub phase: Phase,
    /// Set once it is being undone.
    pub undo: Option<Undo>,
    /// Set while a person has to look; nothing is touched until then.
    pub blocked: Option<Block>,
    /// Where the programs stand that run after a delivery.
    pub hooks: Hooks,
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
            (None, Event::Opened { spec, .. }) => Ok(Self {
                spec: (**spec).clone(),
                opened_at: record.at,
                attempts: Vec::new(),
                discarded: BTreeSet::new(),
                new_key: None,
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
                let holds = |new: &Issued| new.reached.contains(destination);
                let reached = self.phase.may_restore() && self.new_key.as_ref().is_some_and(holds);
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
                self.advance(event, at).ok_or(illegal)?;
            }
            // Nobody may go on as if nothing had happened, not even after a crash right here: so this blocks by itself.
            Event::Reactivated { .. } if self.undo.is_none() => {
                if let Phase::Reactivating(_, why) = &self.phase {
                    let why = format!("the old key was switched on again: {why}");
                    self.blocked = Some(Block { why, since: at });
                }
                self.advance(event, at).ok_or(illegal)?;
            }
            Event::Reactivated { .. } => {
                self.undo.iter_mut().for_each(|undo| undo.reactivated = true);
                self.advance(event, at).ok_or(illegal)?;
            }
            // What stands there is the old secret, and the vendor has another name for it now.
            Event::Reverted { key, .. } => {
                self.advance(event, at).ok_or(illegal)?;
                self.spec.old_key = key.clone();
            }
            Event::Discarded { key, .. } => {
                self.discarded.insert(key.clone());
                self.advance(event, at).ok_or(illegal)?;
            }
            _ => self.advance(event, at).ok_or(illegal)?,
        }
        Ok(self)
    }

    /// To where this event leads, and the new key with it.
    fn advance(&mut self, event: &Event, at: Timestamp) -> Option<()> {
        self.new_key = Issued::after(self.new_key.take(), event, at);
        let phase = self.phase.clone();
        self.phase = phase.advance(event, at, &self.spec, self.new_key.as_ref())?;
        Some(())
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
            None => self.phase.reached(self.new_key.as_ref()),
        }
    }

    /// Whether the old key rests while it still works, and is removed only then: nothing would bring it back, or nothing but a
    /// person's word says that the new one works.
    pub fn rests_first(&self) -> bool {
        self.spec.rests_first(self.phase.switch())
    }

    /// The old key, once it is gone for good.
    pub fn retired(&self) -> Option<&KeyId> {
        matches!(self.phase, Phase::Done).then_some(&self.spec.old_key)
    }
}
