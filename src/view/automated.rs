//! What is said of an automated rotation: where it stands and why, what comes next, and what takes it back.

use jiff::Timestamp;
use rotate_providers::automation;

use super::{Next, Speaker, Who};
use crate::machine::{HookRun, Phase, Restored, Retirement, Rotation, Undo, UndoKind};
use crate::policy::{Wait, Waiting, told_hook};

pub(super) fn reason(rotation: &Rotation, wait: Option<&Wait>, now: Timestamp) -> Option<String> {
    let undone = |rotation: &Rotation| rotation.undo.as_ref().map(why_undone);
    match (&rotation.phase, wait) {
        (Phase::Done, _) => Some(format!("old key {} is gone", rotation.spec.old_key)),
        (Phase::Aborted | Phase::RolledBack, _) => undone(rotation),
        (_, Some(wait)) if wait.on == Waiting::Cutover && wait.until.is_some_and(|until| until <= now) => {
            Some(format!("overdue: {}", wait.why))
        }
        (_, Some(wait)) => Some(wait.why.clone()),
        (phase, None) if phase.is_in_gap() => {
            let cut_off = "its consumers are cut off until this goes on: do not wait";
            Some(undone(rotation).map_or(cut_off.to_owned(), |why| format!("{why}; {cut_off}")))
        }
        (_, None) => undone(rotation),
    }
}

/// Why, and what could not be put back.
fn why_undone(undo: &Undo) -> String {
    let left: Vec<&str> = undo
        .restored
        .iter()
        .filter(|(_, outcome)| **outcome != Restored::PutBack)
        .map(|(name, _)| name.as_str())
        .collect();
    if left.is_empty() {
        undo.why.clone()
    } else {
        format!(
            "{}; left as it is, because it was changed since: {}",
            undo.why,
            left.join(", ")
        )
    }
}

pub(super) fn what_next(target: &str, rotation: &Rotation, wait: Option<&Wait>, speaker: &Speaker) -> Next {
    if rotation.phase.is_closed() {
        return Next::default();
    }
    let next = |who, what: String, command: String, at| Next {
        who: Some(who),
        what: Some(what),
        command: Some(speaker.command(&command)),
        at,
    };
    let Some(wait) = wait else {
        let phase = rotation.reached();
        return next(Who::Rotate, format!("goes on from `{phase}`"), "run".to_owned(), None);
    };
    match wait.on {
        Waiting::Cutover => next(
            Who::Person,
            handover(rotation).join("; "),
            format!("confirm {target}"),
            wait.until,
        ),
        Waiting::Evidence => next(
            Who::Rotate,
            "looks again for evidence".to_owned(),
            "run".to_owned(),
            wait.until,
        ),
        Waiting::Window => next(
            Who::Rotate,
            format!("goes on from `{}`", rotation.reached()),
            "run".to_owned(),
            wait.until,
        ),
        Waiting::Soak => {
            let what = match rotation.spec.retirement {
                _ if rotation.rests_first() => "removes the old key for good",
                Retirement::Disable => "deletes the old key",
                Retirement::Remove { .. } => "lets the old key go for good",
                Retirement::RemoveForGood | Retirement::Replace => "removes the old key for good",
            };
            next(Who::Rotate, what.to_owned(), "run".to_owned(), wait.until)
        }
        Waiting::Person if told_hook(rotation).is_some() => {
            let again = speaker.command(&format!("confirm --run-again {target}"));
            let state = match told_hook(rotation).and_then(|hook| rotation.hook_run(hook)) {
                Some(HookRun::Failed(_)) => "see what it was to do",
                _ => "look at the consumers: have they read the destinations since?",
            };
            let what = format!("{state}; to have it run once more: {again}; once it is done by other means");
            next(Who::Person, what, format!("confirm {target}"), wait.until)
        }
        Waiting::Person => {
            let rolled_back = rotation.undo.as_ref().map(|undo| undo.kind);
            let (what, command) = match rolled_back {
                // Switching it on again was tried.
                Some(_) if matches!(rotation.phase, Phase::Reactivating(..)) => (
                    "the old key cannot come back; to go on with the new one after all",
                    format!("confirm {target}"),
                ),
                Some(UndoKind::Rollback) => ("resolve it, then say so", format!("rollback --force {target}")),
                Some(UndoKind::Abort) => ("resolve it, then say so", format!("abort --force {target}")),
                None => (
                    "look at the reason and resolve it, then say so",
                    format!("confirm {target}"),
                ),
            };
            next(Who::Person, what.to_owned(), command, wait.until)
        }
    }
}

/// What a person does at the consumer.
pub(super) fn handover(rotation: &Rotation) -> Vec<String> {
    let (Some(automation), Some(issued)) = (automation(&rotation.spec.connector), &rotation.new_key) else {
        return Vec::new();
    };
    let destinations = rotation.spec.destinations.join(" or ");
    let own = automation.own_handover.filter(|_| rotation.spec.own_identity);
    automation
        .handover
        .iter()
        .copied()
        .chain(own)
        .map(|line| {
            line.replace("{key}", issued.key.as_str())
                .replace("{destination}", &destinations)
        })
        .collect()
}

pub(super) fn undo(target: &str, rotation: &Rotation, speaker: &Speaker) -> Option<String> {
    if rotation.undo.is_some() {
        None
    } else if rotation.may_undo(UndoKind::Abort) {
        Some(speaker.command(&format!("abort {target}")))
    } else if rotation.may_undo(UndoKind::Rollback) {
        Some(speaker.command(&format!("rollback {target}")))
    } else {
        None
    }
}
