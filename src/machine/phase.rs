//! Which phase follows which event.

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::KeyId;

use serde::Deserialize;

use super::{Event, Issued, Prove, Replacement, Retired, RotationSpec, Switch};

/// Where a rotation stands. Each phase owns what only it needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing has been done yet.
    Opened,
    /// The call that creates a key may have left; its outcome is not recorded.
    Creating,
    /// A key that nobody has is being deleted.
    Discarding(KeyId),
    /// The new key was made here and its secret is sealed; the call that registers it may have left.
    Minted,
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
    Created,
    /// The new key is proven; deliveries are under way.
    Verified,
    /// Every destination holds it; the consumers are moving.
    Delivered(Timestamp),
    /// The last consumer has moved.
    CutOver(Switch),
    /// The call that disables the old key may have left.
    Deactivating(Switch),
    /// The old key is disabled; the new one has to be proven again.
    Deactivated(Switch, Retired),
    /// The call that enables the old key again may have left.
    Reactivating(Switch, String),
    /// The old key rests, disabled.
    Soaking(Switch, Retired),
    /// The call that deletes the old key may have left.
    Deleting(Switch, Retired),
    /// The old key is deleted; the vendor's list has to agree.
    Deleted,
    /// The call that deletes the new key may have left.
    Withdrawing,
    /// The new key is deleted; the vendor's list has to agree.
    Withdrawn,
    /// The end: the new key lives, the old one is gone.
    Done,
    /// The end: the old key lives, no new one does.
    Aborted,
    /// The end: the old key lives again, the new one is gone.
    RolledBack,
}

impl Phase {
    /// The phase after this event, which leaves the new key like this; `None` where it cannot follow.
    pub(super) fn advance(
        self,
        event: &Event,
        at: Timestamp,
        spec: &RotationSpec,
        new_key: Option<&Issued>,
    ) -> Option<Self> {
        if spec.replaces() {
            return self.replace(event, spec, new_key);
        }
        Some(match (self, event) {
            (Phase::Opened, Event::CreateIntended { .. }) if !spec.mints_locally => Phase::Creating,
            (Phase::Creating, Event::CreateFailed { .. }) => Phase::Opened,
            (Phase::Creating, Event::Created { .. }) => Phase::Created,
            (Phase::Opened, Event::Minted { .. }) if spec.mints_locally => Phase::Minted,
            (Phase::Minted, Event::Created { key, .. }) if new_key?.key == *key => Phase::Created,
            (Phase::Opened | Phase::Creating, Event::DiscardIntended { key, .. }) => Phase::Discarding(key.clone()),
            (Phase::Discarding(intended), Event::Discarded { key, .. }) if intended == *key => Phase::Opened,
            (Phase::Creating | Phase::Discarding(_), Event::Disowned { .. }) => Phase::Opened,

            (Phase::Created, Event::Proved) if spec.prove != Prove::Consumer => Phase::Verified,
            (Phase::Created, Event::Listed) if spec.prove == Prove::Consumer => Phase::Verified,
            (Phase::Verified, Event::Proved | Event::DeliverIntended { .. }) => Phase::Verified,
            (Phase::Verified, Event::Delivered { .. }) if new_key?.is_delivered_to(&spec.destinations) => {
                Phase::Delivered(at)
            }
            (Phase::Verified, Event::Delivered { .. }) => Phase::Verified,

            (Phase::Delivered(_), Event::CutOver { by }) => Phase::CutOver(Switch { at, by: by.clone() }),
            (Phase::CutOver(switch), Event::DeactivateIntended) if !spec.rests_first(Some(&switch)) => {
                Phase::Deactivating(switch)
            }
            (Phase::CutOver(switch), Event::DeleteIntended) if spec.rests_first(Some(&switch)) => {
                Phase::Deleting(switch, Retired::since(at))
            }

            (Phase::Deactivating(switch), Event::Deactivated { .. }) => {
                // Where the proof is the consumer's, there is none that we owe.
                let proved = spec.prove == Prove::Consumer;
                let retired = Retired {
                    proved,
                    ..Retired::since(at)
                };
                Phase::Deactivated(switch, retired)
            }
            (Phase::Deactivated(switch, retired), Event::Proved) => {
                let retired = Retired {
                    proved: true,
                    ..retired
                };
                Phase::Deactivated(switch, retired)
            }
            (Phase::Deactivated(switch, retired), Event::Used { .. } | Event::Attested { .. })
                if spec.prove != Prove::Login =>
            {
                let retired = Retired { used: true, ..retired };
                Phase::Deactivated(switch, retired)
            }
            (Phase::Deactivated(switch, retired), Event::Soaking)
                if retired.proved && (retired.used || spec.prove == Prove::Login) =>
            {
                Phase::Soaking(switch, retired)
            }

            (
                Phase::CutOver(switch)
                | Phase::Deactivating(switch)
                | Phase::Deactivated(switch, _)
                | Phase::Soaking(switch, _)
                | Phase::Deleting(switch, _),
                Event::ReactivateIntended { why },
            ) => Phase::Reactivating(switch, why.clone()),
            (Phase::Reactivating(switch, _), Event::Reactivated { .. }) => Phase::CutOver(switch),

            (Phase::Soaking(switch, retired), Event::DeleteIntended) => Phase::Deleting(switch, retired),
            (Phase::Deleting(..), Event::Deleted { .. }) => Phase::Deleted,
            (Phase::Deleted, Event::Done) => Phase::Done,

            // Proven once more, right before something is taken away.
            (
                phase @ (Phase::CutOver(_) | Phase::Deactivating(_) | Phase::Soaking(..) | Phase::Deleting(..)),
                Event::Proved,
            ) => phase,

            (
                Phase::Minted | Phase::Created | Phase::Verified | Phase::Delivered(_) | Phase::CutOver(_),
                Event::WithdrawIntended,
            ) => Phase::Withdrawing,
            (Phase::Withdrawing, Event::Withdrawn { .. }) => Phase::Withdrawn,
            // It arrived at the vendor only now.
            (Phase::Withdrawn, Event::WithdrawIntended) if spec.mints_locally => Phase::Withdrawing,
            (Phase::Opened | Phase::Withdrawn, Event::Aborted) => Phase::Aborted,
            (Phase::Withdrawn, Event::RolledBack) => Phase::RolledBack,
            _ => return None,
        })
    }

    /// After a person has looked, the old key may have been used up to this moment.
    pub(super) fn cut_over_again(self, now: Timestamp) -> Self {
        let again = |switch: Switch| Switch { at: now, ..switch };
        match self {
            Phase::CutOver(switch) | Phase::Reactivating(switch, _) => Phase::CutOver(again(switch)),
            Phase::Deactivating(switch) => Phase::Deactivating(again(switch)),
            Phase::Deactivated(switch, retired) => Phase::Deactivated(again(switch), retired),
            Phase::Soaking(switch, retired) => Phase::Soaking(again(switch), retired),
            Phase::Deleting(switch, retired) => Phase::Deleting(again(switch), retired),
            other => other,
        }
    }

    /// Whether the rotation has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self, Phase::Done | Phase::Aborted | Phase::RolledBack)
    }

    pub(super) fn is_before_cutover(&self) -> bool {
        matches!(
            self,
            Phase::Opened
                | Phase::Creating
                | Phase::Discarding(_)
                | Phase::Minted
                | Phase::Prepared(_)
                | Phase::Created
                | Phase::Verified
                | Phase::Delivered(_)
        )
    }

    /// Whether a key may have appeared of which nobody knows yet whose it is.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Phase::Creating | Phase::Discarding(_))
    }

    /// Whether destinations may be put back: the old key is on, and the new one still there.
    pub(super) fn may_restore(&self) -> bool {
        matches!(
            self,
            Phase::Created | Phase::Verified | Phase::Delivered(_) | Phase::CutOver(_) | Phase::Reverted(_)
        )
    }

    pub(super) fn is_reversible_after_cutover(&self) -> bool {
        matches!(
            self,
            Phase::CutOver(_)
                | Phase::Deactivating(_)
                | Phase::Deactivated(..)
                | Phase::Reactivating(..)
                | Phase::Soaking(..)
                | Phase::Deleting(..)
        )
    }

    /// Whether the old key may be off and the new one not proven since, or consumers are cut off until this goes on: nobody stops
    /// here of their own accord.
    pub fn is_delicate(&self) -> bool {
        match self {
            Phase::Deactivating(_) | Phase::Reactivating(..) => true,
            phase if phase.is_in_gap() => true,
            Phase::Deactivated(_, retired) => !retired.proved,
            _ => false,
        }
    }

    /// Whether the new key is being taken back, or was.
    pub(super) fn is_withdrawal(&self) -> bool {
        matches!(
            self,
            Phase::Withdrawing | Phase::Withdrawn | Phase::Reverting(_) | Phase::Reverted(_)
        )
    }

    /// Whether the new key is known to work, while the old one may be gone.
    pub fn trusts_new_key(&self) -> bool {
        self.is_reversible_after_cutover() || matches!(self, Phase::Deleted)
    }

    /// The cut-over, once there was one, and as long as the old key may be there.
    pub fn switch(&self) -> Option<&Switch> {
        match self {
            Phase::CutOver(switch)
            | Phase::Deactivating(switch)
            | Phase::Deactivated(switch, _)
            | Phase::Reactivating(switch, _)
            | Phase::Soaking(switch, _)
            | Phase::Deleting(switch, _) => Some(switch),
            _ => None,
        }
    }

    /// The name of what is under way within a phase, for logs and for faults of the journal. What people read is [`Rotation::reached`](super::Rotation::reached).
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Opened => "opened",
            Phase::Creating => "creating",
            Phase::Discarding(_) => "discarding",
            Phase::Minted => "minted",
            Phase::Prepared(_) => "prepared",
            Phase::Replacing(_) => "replacing",
            Phase::Replaced(_) => "replaced",
            Phase::Reverting(_) => "reverting",
            Phase::Reverted(_) => "reverted",
            Phase::Created => "created",
            Phase::Verified => "verified",
            Phase::Delivered(_) => "delivered",
            Phase::CutOver(_) => "cut-over",
            Phase::Deactivating(_) => "deactivating",
            Phase::Deactivated(..) => "deactivated",
            Phase::Reactivating(..) => "reactivating",
            Phase::Soaking(..) => "soaking",
            Phase::Deleting(..) => "deleting",
            Phase::Deleted => "deleted",
            Phase::Withdrawing => "withdrawing",
            Phase::Withdrawn => "withdrawn",
            Phase::Done => "done",
            Phase::Aborted => "aborted",
            Phase::RolledBack => "rolled-back",
        }
    }

    /// The phase that was reached last, as everybody names it. What is under way from there is told by what comes next.
    pub fn reached(&self, new_key: Option<&Issued>) -> PhaseName {
        match self {
            Phase::Opened | Phase::Creating | Phase::Discarding(_) | Phase::Minted | Phase::Prepared(_) => {
                PhaseName::Opened
            }
            Phase::Created | Phase::Replacing(_) => PhaseName::Created,
            Phase::Verified | Phase::Replaced(_) => PhaseName::Verified,
            Phase::Delivered(_) => PhaseName::Delivered,
            Phase::CutOver(_) | Phase::Deactivating(_) => PhaseName::CutOver,
            Phase::Deactivated(..) | Phase::Reactivating(..) | Phase::Soaking(..) => PhaseName::Deactivated,
            Phase::Deleting(..) => PhaseName::Soaked,
            Phase::Deleted => PhaseName::Deleted,
            // On the way to an end that is not reached yet.
            Phase::Withdrawing | Phase::Withdrawn | Phase::Reverting(_) | Phase::Reverted(_) => match new_key {
                Some(new) if new.reached.is_empty() => PhaseName::Created,
                _ => PhaseName::Delivered,
            },
            Phase::Done => PhaseName::Done,
            Phase::Aborted => PhaseName::Aborted,
            Phase::RolledBack => PhaseName::RolledBack,
        }
    }
}
