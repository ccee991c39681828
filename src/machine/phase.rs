//! Which phase follows which event.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::{KeyId, PublicHalf};

use super::{Event, Issued, Phase, Prove, Retired, RotationSpec, Switch};

impl Phase {
    /// The phase after this event; `None` where it cannot follow.
    pub(super) fn advance(self, event: &Event, at: Timestamp, spec: &RotationSpec) -> Option<Self> {
        if spec.replaces() {
            return self.replace(event, at, spec);
        }
        Some(match (self, event) {
            (Phase::Opened, Event::CreateIntended { .. }) if !spec.mints_locally => Phase::Creating,
            (Phase::Creating, Event::CreateFailed { .. }) => Phase::Opened,
            (Phase::Creating, Event::Created { key }) => Phase::Created(Issued::new(key, None)),
            (Phase::Opened, Event::Minted { key, public }) if spec.mints_locally => {
                Phase::Minted(Issued::new(key, Some(public)))
            }
            (Phase::Minted(issued), Event::Created { key }) if issued.key == *key => Phase::Created(issued),
            (Phase::Opened | Phase::Creating, Event::DiscardIntended { key, .. }) => Phase::Discarding(key.clone()),
            (Phase::Discarding(intended), Event::Discarded { key }) if intended == *key => Phase::Opened,
            (Phase::Creating | Phase::Discarding(_), Event::Disowned { .. }) => Phase::Opened,

            (Phase::Created(issued), Event::Proved) if spec.prove != Prove::Consumer => {
                Phase::Verified(issued.proved(at))
            }
            (Phase::Created(issued), Event::Listed) if spec.prove == Prove::Consumer => Phase::Verified(issued),
            (Phase::Verified(issued), Event::Proved) => Phase::Verified(issued.proved(at)),
            (Phase::Verified(mut issued), Event::DeliverIntended { destination }) => {
                issued.reached.insert(destination.clone());
                Phase::Verified(issued)
            }
            (Phase::Verified(mut issued), Event::Delivered { destination }) => {
                issued.reached.insert(destination.clone());
                issued.delivered.insert(destination.clone());
                let all = spec.destinations.iter().all(|name| issued.delivered.contains(name));
                if all {
                    Phase::Delivered(issued, at)
                } else {
                    Phase::Verified(issued)
                }
            }

            (Phase::Delivered(issued, _), Event::CutOver { by }) => {
                Phase::CutOver(issued, Switch { at, by: by.clone() })
            }
            (Phase::CutOver(issued, switch), Event::Proved) => Phase::CutOver(issued.proved(at), switch),
            (Phase::CutOver(issued, switch), Event::DeactivateIntended) if !spec.rests_first(Some(&switch)) => {
                Phase::Deactivating(issued, switch)
            }
            (Phase::CutOver(issued, switch), Event::DeleteIntended) if spec.rests_first(Some(&switch)) => {
                Phase::Deleting(issued, switch, Retired::since(at))
            }

            (Phase::Deactivating(issued, switch), Event::Proved) => Phase::Deactivating(issued.proved(at), switch),
            (Phase::Deactivating(issued, switch), Event::Deactivated) => {
                // Where the proof is the consumer's, there is none that we owe.
                let proved = spec.prove == Prove::Consumer;
                let retired = Retired {
                    proved,
                    ..Retired::since(at)
                };
                Phase::Deactivated(issued, switch, retired)
            }
            (Phase::Deactivated(issued, switch, retired), Event::Proved) => {
                let retired = Retired {
                    proved: true,
                    ..retired
                };
                Phase::Deactivated(issued.proved(at), switch, retired)
            }
            (Phase::Deactivated(issued, switch, retired), Event::Used { .. } | Event::Attested { .. })
                if spec.prove != Prove::Login =>
            {
                let retired = Retired { used: true, ..retired };
                Phase::Deactivated(issued, switch, retired)
            }
            (Phase::Deactivated(issued, switch, retired), Event::Soaking)
                if retired.proved && (retired.used || spec.prove == Prove::Login) =>
            {
                Phase::Soaking(issued, switch, retired)
            }

            (
                Phase::CutOver(issued, switch)
                | Phase::Deactivating(issued, switch)
                | Phase::Deactivated(issued, switch, _)
                | Phase::Soaking(issued, switch, _)
                | Phase::Deleting(issued, switch, _),
                Event::ReactivateIntended { why },
            ) => Phase::Reactivating(issued, switch, why.clone()),
            (Phase::Reactivating(issued, switch, _), Event::Reactivated) => Phase::CutOver(issued, switch),

            (Phase::Soaking(issued, switch, retired), Event::Proved) => {
                Phase::Soaking(issued.proved(at), switch, retired)
            }
            (Phase::Soaking(issued, switch, retired), Event::DeleteIntended) => {
                Phase::Deleting(issued, switch, retired)
            }
            (Phase::Deleting(issued, switch, retired), Event::Proved) => {
                Phase::Deleting(issued.proved(at), switch, retired)
            }
            (Phase::Deleting(issued, _, _), Event::Deleted) => Phase::Deleted(issued),
            (Phase::Deleted(issued), Event::Done) => Phase::Done(issued),

            (
                Phase::Minted(issued)
                | Phase::Created(issued)
                | Phase::Verified(issued)
                | Phase::Delivered(issued, _)
                | Phase::CutOver(issued, _),
                Event::WithdrawIntended,
            ) => Phase::Withdrawing(issued),
            (Phase::Withdrawing(issued), Event::Withdrawn) => Phase::Withdrawn(issued),
            // It arrived at the vendor only now.
            (Phase::Withdrawn(issued), Event::WithdrawIntended) if spec.mints_locally => Phase::Withdrawing(issued),
            (Phase::Opened | Phase::Withdrawn(_), Event::Aborted) => Phase::Aborted,
            (Phase::Withdrawn(_), Event::RolledBack) => Phase::RolledBack,
            _ => return None,
        })
    }

    /// After a person has looked, the old key may have been used up to this moment.
    pub(super) fn cut_over_again(self, now: Timestamp) -> Self {
        let again = |switch: Switch| Switch { at: now, ..switch };
        match self {
            Phase::CutOver(issued, switch) => Phase::CutOver(issued, again(switch)),
            Phase::Deactivating(issued, switch) => Phase::Deactivating(issued, again(switch)),
            Phase::Deactivated(issued, switch, retired) => Phase::Deactivated(issued, again(switch), retired),
            Phase::Reactivating(issued, switch, _) => Phase::CutOver(issued, again(switch)),
            Phase::Soaking(issued, switch, retired) => Phase::Soaking(issued, again(switch), retired),
            Phase::Deleting(issued, switch, retired) => Phase::Deleting(issued, again(switch), retired),
            other => other,
        }
    }

    /// Whether the rotation has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self, Phase::Done(_) | Phase::Aborted | Phase::RolledBack)
    }

    pub(super) fn is_before_cutover(&self) -> bool {
        matches!(
            self,
            Phase::Opened
                | Phase::Creating
                | Phase::Discarding(_)
                | Phase::Minted(_)
                | Phase::Prepared(_)
                | Phase::Created(_)
                | Phase::Verified(_)
                | Phase::Delivered(..)
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
            Phase::Created(_) | Phase::Verified(_) | Phase::Delivered(..) | Phase::CutOver(..) | Phase::Reverted(_)
        )
    }

    pub(super) fn is_reversible_after_cutover(&self) -> bool {
        matches!(
            self,
            Phase::CutOver(..)
                | Phase::Deactivating(..)
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
            Phase::Deactivating(..) | Phase::Reactivating(..) => true,
            phase if phase.is_in_gap() => true,
            Phase::Deactivated(_, _, retired) => !retired.proved,
            _ => false,
        }
    }

    /// Whether the new key is being taken back, or was.
    pub(super) fn is_withdrawal(&self) -> bool {
        matches!(
            self,
            Phase::Withdrawing(_) | Phase::Withdrawn(_) | Phase::Reverting(_) | Phase::Reverted(_)
        )
    }

    /// Whether the new key is known to work, while the old one may be gone.
    pub fn trusts_new_key(&self) -> bool {
        self.is_reversible_after_cutover() || matches!(self, Phase::Deleted(_))
    }

    /// The new key, once there is one.
    pub fn issued(&self) -> Option<&Issued> {
        if let Some(replacement) = self.replacement() {
            return Some(&replacement.issued);
        }
        match self {
            Phase::Minted(issued)
            | Phase::Created(issued)
            | Phase::Verified(issued)
            | Phase::Delivered(issued, _)
            | Phase::CutOver(issued, _)
            | Phase::Deactivating(issued, _)
            | Phase::Deactivated(issued, ..)
            | Phase::Reactivating(issued, ..)
            | Phase::Soaking(issued, ..)
            | Phase::Deleting(issued, ..)
            | Phase::Deleted(issued)
            | Phase::Withdrawing(issued)
            | Phase::Withdrawn(issued)
            | Phase::Done(issued) => Some(issued),
            Phase::Opened
            | Phase::Creating
            | Phase::Discarding(_)
            | Phase::Prepared(_)
            | Phase::Replacing(_)
            | Phase::Replaced(_)
            | Phase::Reverting(_)
            | Phase::Reverted(_)
            | Phase::Aborted
            | Phase::RolledBack => None,
        }
    }

    /// The cut-over, once there was one, and as long as the old key may be there.
    pub fn switch(&self) -> Option<&Switch> {
        match self {
            Phase::CutOver(_, switch)
            | Phase::Deactivating(_, switch)
            | Phase::Deactivated(_, switch, _)
            | Phase::Reactivating(_, switch, _)
            | Phase::Soaking(_, switch, _)
            | Phase::Deleting(_, switch, _) => Some(switch),
            _ => None,
        }
    }

    /// The name of what is under way within a phase, for logs and for faults of the journal. What people read is [`Phase::reached`].
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Opened => "opened",
            Phase::Creating => "creating",
            Phase::Discarding(_) => "discarding",
            Phase::Minted(_) => "minted",
            Phase::Prepared(_) => "prepared",
            Phase::Replacing(_) => "replacing",
            Phase::Replaced(_) => "replaced",
            Phase::Reverting(_) => "reverting",
            Phase::Reverted(_) => "reverted",
            Phase::Created(_) => "created",
            Phase::Verified(_) => "verified",
            Phase::Delivered(..) => "delivered",
            Phase::CutOver(..) => "cut-over",
            Phase::Deactivating(..) => "deactivating",
            Phase::Deactivated(..) => "deactivated",
            Phase::Reactivating(..) => "reactivating",
            Phase::Soaking(..) => "soaking",
            Phase::Deleting(..) => "deleting",
            Phase::Deleted(_) => "deleted",
            Phase::Withdrawing(_) => "withdrawing",
            Phase::Withdrawn(_) => "withdrawn",
            Phase::Done(_) => "done",
            Phase::Aborted => "aborted",
            Phase::RolledBack => "rolled-back",
        }
    }

    /// The phase that was reached last, as everybody names it. What is under way from there is told by what comes next.
    pub fn reached(&self) -> PhaseName {
        match self {
            Phase::Opened | Phase::Creating | Phase::Discarding(_) | Phase::Minted(_) | Phase::Prepared(_) => {
                PhaseName::Opened
            }
            Phase::Created(_) | Phase::Replacing(_) => PhaseName::Created,
            Phase::Verified(_) | Phase::Replaced(_) => PhaseName::Verified,
            Phase::Delivered(..) => PhaseName::Delivered,
            Phase::CutOver(..) | Phase::Deactivating(..) => PhaseName::CutOver,
            Phase::Deactivated(..) | Phase::Reactivating(..) | Phase::Soaking(..) => PhaseName::Deactivated,
            Phase::Deleting(..) => PhaseName::Soaked,
            Phase::Deleted(_) => PhaseName::Deleted,
            // On the way to an end that is not reached yet.
            Phase::Withdrawing(issued) | Phase::Withdrawn(issued) if issued.reached.is_empty() => PhaseName::Created,
            Phase::Reverting(new) | Phase::Reverted(new) if new.issued.reached.is_empty() => PhaseName::Created,
            Phase::Withdrawing(_) | Phase::Withdrawn(_) | Phase::Reverting(_) | Phase::Reverted(_) => {
                PhaseName::Delivered
            }
            Phase::Done(_) => PhaseName::Done,
            Phase::Aborted => PhaseName::Aborted,
            Phase::RolledBack => PhaseName::RolledBack,
        }
    }
}

impl Retired {
    fn since(at: Timestamp) -> Self {
        Self {
            at,
            proved: false,
            used: false,
        }
    }
}

impl Issued {
    pub(super) fn new(key: &KeyId, public: Option<&PublicHalf>) -> Self {
        Self {
            key: key.clone(),
            public: public.cloned(),
            proved_at: None,
            reached: BTreeSet::new(),
            delivered: BTreeSet::new(),
        }
    }

    pub(super) fn proved(self, at: Timestamp) -> Self {
        Self {
            proved_at: Some(at),
            ..self
        }
    }
}
