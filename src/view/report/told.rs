//! What an event says, in words for somebody who has never seen the program.

use std::borrow::Cow;

use jiff::Timestamp;
use rotate_providers::PhaseName;
use rotate_providers::contract::LastUse;
use rotate_providers::guide::probe::{Outcome, Verdict};

use super::words::{said, second};
use super::{RecordKind, RecordView};
use crate::machine::{
    AnyRotation, Begun, Event, GuidedSpec, Prove, Restored, Retirement, RotationSpec, SwitchedBy, Tried, UndoKind,
};

/// How the program calls itself, where it did something.
pub(super) const PROGRAM: &str = "rotate";

/// What an event says.
pub(super) struct Told {
    pub(super) what: Cow<'static, str>,
    /// Whose word or deed it is, where that is on record.
    pub(super) by: Option<String>,
    /// What was noted down.
    pub(super) evidence: Option<String>,
    /// The phase that it belongs to, where that is not the one that was reached last.
    pub(super) phase: Option<PhaseName>,
    pub(super) kind: RecordKind,
}

impl Told {
    pub(super) fn plain(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            by: Some(PROGRAM.to_owned()),
            evidence: None,
            phase: None,
            kind: RecordKind::Progress,
        }
    }

    /// As the report has it, at this time and in this phase unless it says another.
    pub(super) fn recorded(self, at: Timestamp, phase: Option<PhaseName>) -> RecordView {
        RecordView {
            at,
            phase: self.phase.or(phase),
            what: said(&self.what),
            by: self.by.as_deref().map(said),
            evidence: self.evidence.as_deref().map(said),
            kind: self.kind,
        }
    }

    pub(super) fn by(self, who: &str) -> Self {
        Self {
            by: Some(who.to_owned()),
            ..self
        }
    }

    /// The journal does not say who.
    fn by_whomever(self) -> Self {
        Self { by: None, ..self }
    }

    /// By whoever began it; journals of before do not say who.
    fn begun(self, begun: Option<&Begun>) -> Self {
        match begun {
            Some(begun) => self.by(begun.by.name()),
            None => self.by_whomever(),
        }
    }

    fn with(self, evidence: Option<&str>) -> Self {
        Self {
            evidence: evidence.map(str::to_owned),
            ..self
        }
    }

    fn of_phase(self, phase: Option<PhaseName>) -> Self {
        Self { phase, ..self }
    }

    fn is(self, kind: RecordKind) -> Self {
        Self { kind, ..self }
    }
}

/// What this event of a rotation says; `None` where it is only the announcement of what the next one tells. `phase_of` knows to
/// which phase a step of the guide belongs.
pub(super) fn told(
    event: &Event,
    rotation: &AnyRotation,
    phase_of: impl Fn(&str) -> Option<PhaseName>,
) -> Option<Told> {
    match rotation {
        AnyRotation::Automated(rotation) => automated(event, &rotation.spec),
        AnyRotation::Guided(walk) => guided(event, &walk.itinerary, phase_of),
    }
}

fn automated(event: &Event, spec: &RotationSpec) -> Option<Told> {
    let told = match event {
        Event::Opened { spec, begun } => {
            Told::plain(format!("opened: key {} is to be replaced", spec.old_key)).begun(begun.as_ref())
        }
        Event::HostPinned { host } => Told::plain(format!("the vendor was found at {host}, and is held to that")),
        Event::CreateFailed { why } => Told::plain(format!("no key was created: {why}")),
        Event::Minted { key, .. } => Told::plain(format!("key {key} was made on this machine, and its secret sealed")),
        Event::Created { key, .. } => Told::plain(format!("key {key} exists at the vendor, and its secret is sealed")),
        Event::OldSealed => Told::plain("the secret that is to be replaced was sealed, so that it can be set again"),
        Event::Generated { way_back: true, .. } => {
            Told::plain("the new secret was made and sealed; there is a way back")
        }
        Event::Generated { .. } => Told::plain("the new secret was made and sealed; there is no way back"),
        Event::ReplaceFailed { why } => Told::plain(format!("the new secret was not set: {why}")),
        Event::Replaced { key, .. } => {
            Told::plain(format!("a login shows that the vendor takes the new secret, {key}")).is(RecordKind::Proof)
        }
        Event::Reverted { key, .. } => Told::plain(format!(
            "a login shows that the vendor takes the old secret again, {key}"
        ))
        .is(RecordKind::Undo),
        Event::Discarded { key, .. } => Told::plain(format!("key {key}, which nobody had, was deleted")),
        Event::Disowned { keys } => {
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            let keys = keys.join(", ");
            Told::plain(format!(
                "a person said that {keys} is none of this rotation's: left alone"
            ))
            .by_whomever()
        }
        Event::Proved => Told::plain(match spec.prove {
            Prove::Login => "the new key logged in, with the permission that its consumer needs",
            Prove::Identity => "the new key logged in as its owner",
            Prove::Consumer => "the new key logged in",
        })
        .is(RecordKind::Proof),
        Event::Listed => Told::plain("the vendor lists the new key as active").is(RecordKind::Proof),
        Event::Used { last_use } => {
            Told::plain(format!("the consumer has used the new key: {}", used(last_use))).is(RecordKind::Proof)
        }
        Event::Attested { by, evidence } => Told::plain("a person said that the consumer works with the new key")
            .by(by)
            .with(Some(evidence))
            .is(RecordKind::Proof),
        Event::Delivered { destination } => Told::plain(format!("delivered to {destination}")),
        Event::CutOver { by } => cut_over(by),
        Event::Deactivated { .. } => Told::plain(match spec.retirement {
            Retirement::Remove { .. } => "the old key was removed; it can be registered again until its rest is over",
            _ => "the old key was disabled",
        }),
        Event::Soaking => {
            Told::plain("the vendor's list agrees that the old key is off, and the new one works without it")
                .is(RecordKind::Refusal)
        }
        Event::ReactivateIntended { why } => {
            Told::plain(format!("the old key is switched on again: {why}")).is(RecordKind::Undo)
        }
        Event::Reactivated { .. } => Told::plain("the old key is on again").is(RecordKind::Undo),
        Event::Deleted { .. } => Told::plain("the old key was deleted"),
        Event::Done => Told::plain(match spec.retirement {
            Retirement::Replace => {
                "every destination holds the new secret; the old one is refused since it was replaced"
            }
            _ => "the vendor's list agrees that the old key is gone",
        })
        .is(RecordKind::Refusal),
        Event::UndoRequested { kind, why, by, forced } => {
            let what = match kind {
                UndoKind::Abort => "to be taken back before the cut-over",
                UndoKind::Rollback => "to be taken back after the cut-over",
            };
            let force = if *forced { ", by force" } else { "" };
            Told::plain(format!("{what}{force}: {why}"))
                .by(by.name())
                .is(RecordKind::Undo)
        }
        Event::Restored { destination, outcome } => Told::plain(match outcome {
            Restored::PutBack => format!("{destination} holds again what it held before"),
            Restored::ChangedSince => format!("{destination} was changed since, and left alone"),
            Restored::Skipped => format!("{destination} could not be put back, and was left by a person's word"),
        })
        .is(RecordKind::Undo),
        Event::Withdrawn { .. } => Told::plain("the new key was deleted").is(RecordKind::Undo),
        Event::Aborted => Told::plain("the end: the old key lives, no new one does").is(RecordKind::Undo),
        Event::RolledBack => Told::plain("the end: the old key lives again, the new one is gone").is(RecordKind::Undo),
        Event::Blocked { why } => Told::plain(format!("blocked: {why}")).is(RecordKind::Blocked),
        Event::Resumed { by } => Told::plain("a person looked, and said to go on")
            .by(by)
            .is(RecordKind::Approval),
        _ => return None,
    };
    Some(told)
}

fn cut_over(by: &SwitchedBy) -> Told {
    match by {
        SwitchedBy::Person(who) => Told::plain("a person confirmed that every consumer has moved").by(who),
        SwitchedBy::Attested { by, evidence } => {
            Told::plain("a person confirmed, without a record of use, that every consumer has moved")
                .by(by)
                .with(Some(evidence))
        }
        SwitchedBy::Observed { new, old } => Told::plain(format!(
            "the vendor's record of use shows it: new key {}; old key {}",
            used(new),
            used(old)
        )),
        SwitchedBy::Delivery => {
            Told::plain("the delivery is the cut-over: its consumers read the destination each time")
        }
    }
    .is(RecordKind::Approval)
}

fn used(last_use: &LastUse) -> String {
    match last_use {
        LastUse::At { at, service, region } => format!("last used at {} UTC ({service}, {region})", second(*at)),
        LastUse::NeverSeen => "never seen in use".to_owned(),
        LastUse::NotReported => "its use is not reported".to_owned(),
    }
}

/// That a step was taken.
pub(super) fn step_done(step: &str) -> String {
    format!("step {step} is done")
}

/// How each try of the new credential begins that the vendor answered.
pub(super) const NEW_WAS_TRIED: &str = "the new credential was tried";

/// What a try of a credential came to, if anything of it was sent at all.
pub(super) fn tried(credential: Tried, verdict: Verdict, class: &str) -> String {
    let credential = credential.name();
    match Outcome::may_have_sent(class) {
        true => format!(
            "the {credential} credential was tried at its vendor: {} ({class})",
            verdict.name()
        ),
        false => format!("the {credential} credential could not be tried: {class}"),
    }
}

fn guided(event: &Event, spec: &GuidedSpec, phase_of: impl Fn(&str) -> Option<PhaseName>) -> Option<Told> {
    let told = match event {
        Event::WalkOpened { begun, .. } => {
            let steps = spec.steps.len();
            Told::plain(format!("opened: `{}` by the guide, {steps} steps", spec.procedure)).begun(begun.as_ref())
        }
        Event::StepDone { step, by, evidence } => {
            let phase = phase_of(step);
            let kind = match phase {
                Some(PhaseName::Verified) => RecordKind::Proof,
                Some(PhaseName::CutOver) => RecordKind::Approval,
                _ => RecordKind::Progress,
            };
            Told::plain(step_done(step))
                .by(by)
                .with(evidence.as_deref())
                .of_phase(phase)
                .is(kind)
        }
        Event::StepSkipped { step, by, why } => Told::plain(format!("step {step} was left out: {why}"))
            .by(by)
            .of_phase(phase_of(step)),
        Event::StepUndone { step, by, why } => {
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            Told::plain(format!("step {step} is open again{why}"))
                .by(by)
                .of_phase(phase_of(step))
                .is(RecordKind::Undo)
        }
        Event::EvidenceAdded { step, by, evidence } => Told::plain(format!("more was noted of step {step}"))
            .by(by)
            .with(Some(evidence))
            .of_phase(phase_of(step)),
        Event::Tried {
            credential,
            verdict,
            class,
            by,
        } => {
            let what = tried(*credential, *verdict, class);
            let (kind, phase) = match (credential, verdict) {
                (Tried::New, Verdict::Accepted) => (RecordKind::Proof, Some(PhaseName::Verified)),
                (Tried::Old, Verdict::Rejected) => (RecordKind::Refusal, Some(PhaseName::Deleted)),
                _ => (RecordKind::Progress, None),
            };
            Told::plain(what).by(by).of_phase(phase).is(kind)
        }
        Event::WalkAborted { by } => Told::plain("given up; what was done stays done")
            .by(by)
            .is(RecordKind::Undo),
        _ => return None,
    };
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_sent_is_not_told_as_tried_at_its_vendor() {
        let present = |class| tried(Tried::Present, Verdict::Inconclusive, class);
        assert_eq!(
            present("time-out"),
            "the present credential was tried at its vendor: inconclusive (time-out)"
        );
        for class in ["another-secret", "secret-form", "host", "dns"] {
            assert_eq!(
                present(class),
                format!("the present credential could not be tried: {class}")
            );
        }
    }
}
