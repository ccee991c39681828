//! A person's word: confirm, abort, roll back.

use jiff::Timestamp;
use rotate_providers::contract::LastUse;

use super::{DriveError, Driver, Outcome, Refusal, RunState, at_its_host, same_account};
use crate::delivery::Hook;
use crate::machine::{Event, HookAnswer, Phase, Prove, Retirement, Rotation, SwitchedBy, UndoKind};
use crate::policy::{is_used_by_consumer, told_hook, used_by_others};
use crate::store::Automated as Stored;

impl Driver<'_> {
    /// Every consumer has moved, or: a person has looked at what blocked the rotation.
    pub async fn confirm(&self, mut stored: Stored, by: &str, evidence: Option<&str>) -> Result<Outcome, DriveError> {
        let mut run = RunState::by_word(&stored);
        let rotation = &stored.rotation;
        at_its_host(&stored.target, &rotation.spec, self.provider)?;
        if rotation.unsettled_hook().is_some() && !is_blocked_otherwise(rotation) && evidence.is_none() {
            return self.answer(stored, by, HookAnswer::Done).await;
        }
        if evidence.is_some() && rotation.spec.prove == Prove::Login {
            return Err(wrong_state(
                &stored,
                "rotate proves this key itself, so no evidence is asked for",
            ));
        }
        let events = match (&rotation.blocked, &rotation.phase, evidence) {
            (blocked, Phase::Deactivated(_, retired), Some(evidence)) if !retired.used && rotation.undo.is_none() => {
                let (by, evidence) = (by.to_owned(), evidence.to_owned());
                let resumed = blocked.as_ref().map(|_| Event::Resumed { by: by.clone() });
                resumed.into_iter().chain([Event::Attested { by, evidence }]).collect()
            }
            (Some(_), _, None) => vec![Event::Resumed { by: by.to_owned() }],
            (None, Phase::Delivered(_), _) if rotation.undo.is_none() && !rotation.has_run_hooks() => {
                return Err(not_told(&stored));
            }
            (None, Phase::Delivered(at), evidence) if rotation.undo.is_none() => {
                let by = self.moved(&stored, &mut run, *at, by, evidence).await?;
                vec![Event::CutOver { by }]
            }
            (Some(_), _, Some(_)) => {
                return Err(wrong_state(
                    &stored,
                    "it is blocked: say first, without evidence, that you have looked",
                ));
            }
            _ => return Err(wrong_state(&stored, "there is nothing to confirm")),
        };
        for event in events {
            self.record(&mut stored, event).await?;
        }
        self.pursue(stored, run).await
    }

    /// A program that failed after a delivery, or of which nobody knows how it ended, is run once more.
    pub async fn run_again(&self, stored: Stored, by: &str) -> Result<Outcome, DriveError> {
        at_its_host(&stored.target, &stored.rotation.spec, self.provider)?;
        match stored.rotation.unsettled_hook() {
            Some(_) if is_blocked_otherwise(&stored.rotation) => Err(wrong_state(
                &stored,
                "something else blocks it, which is to be seen to first",
            )),
            Some(_) => self.answer(stored, by, HookAnswer::Again).await,
            None => Err(wrong_state(
                &stored,
                "no program that runs after a delivery waits for a person's word",
            )),
        }
    }

    /// What a person says of such a program. Before they were told of it, nothing is taken for an answer.
    async fn answer(&self, mut stored: Stored, by: &str, answer: HookAnswer) -> Result<Outcome, DriveError> {
        let run = RunState::by_word(&stored);
        if let Some(hook) = told_hook(&stored.rotation) {
            let (hook, by) = (hook.to_owned(), by.to_owned());
            // What cannot be started stays what it was: failed, and told.
            if answer == HookAnswer::Again {
                Hook::named(&hook)?.check()?;
            }
            self.record(&mut stored, Event::HookAnswered { hook, by, answer })
                .await?;
        }
        self.pursue(stored, run).await
    }

    /// What a person's word rests on: where rotate proves the key itself, on nothing else; otherwise on the vendor's record of
    /// its use, or on what the person has seen.
    async fn moved(
        &self,
        stored: &Stored,
        run: &mut RunState,
        delivered_at: Timestamp,
        by: &str,
        evidence: Option<&str>,
    ) -> Result<SwitchedBy, DriveError> {
        let person = SwitchedBy::Person(by.to_owned());
        if stored.rotation.spec.prove == Prove::Login {
            return Ok(person);
        }
        let issued = stored.rotation.new_key.as_ref().ok_or(DriveError::SecretMissing)?;
        self.adopt(stored, run).await;
        let last_use = self.read(self.provider.last_use(&issued.key)).await?;
        let (key, steps) = (&issued.key, stored.rotation.spec.capabilities().use_steps);
        match (is_used_by_consumer(issued, delivered_at, &last_use, steps), evidence) {
            (true, _) => Ok(person),
            (false, Some(evidence)) => Ok(SwitchedBy::Attested {
                by: by.to_owned(),
                evidence: evidence.to_owned(),
            }),
            (false, None) => {
                let why = match last_use {
                    LastUse::NotReported => format!("the vendor does not report the use of new key {key}"),
                    _ => format!("nobody but rotate is on record to have used new key {key} since its delivery"),
                };
                Err(DriveError::Refused(
                    Refusal::error(why)
                        .with("the record may be hours late: say so again once it shows; or say what you have seen:")
                        .with(format!("rotate confirm {} --evidence \"\u{2026}\"", stored.target))
                        .with("with your word alone the old key goes on working until its soak is over, and is removed then"),
                ))
            }
        }
    }

    /// Undoes a rotation whose consumers have not moved.
    pub async fn abort(&self, mut stored: Stored, by: &str, force: bool) -> Result<Outcome, DriveError> {
        let mut run = RunState::by_word(&stored);
        at_its_host(&stored.target, &stored.rotation.spec, self.provider)?;
        if stored.rotation.phase.is_in_gap() {
            return Err(DriveError::Refused(not_given_up(&stored)));
        }
        if !stored.rotation.may_undo(UndoKind::Abort) {
            return Err(wrong_state(&stored, "it is too late to abort"));
        }
        if !force {
            self.refuse_if_last(&stored, &mut run).await?;
            self.refuse_if_used(&stored, &mut run).await?;
        }
        self.undo(&mut stored, UndoKind::Abort, by, force).await?;
        self.pursue(stored, run).await
    }

    /// Undoes a rotation whose consumers have moved, while the old key lives.
    pub async fn rollback(&self, mut stored: Stored, by: &str, force: bool) -> Result<Outcome, DriveError> {
        let mut run = RunState::by_word(&stored);
        at_its_host(&stored.target, &stored.rotation.spec, self.provider)?;
        if !stored.rotation.may_undo(UndoKind::Rollback) {
            let why = match stored.rotation.phase.replacement() {
                Some(new) if !new.way_back => {
                    "it cannot be rolled back: no destination held the old secret when it began, so nobody here knows it"
                }
                _ => "it cannot be rolled back",
            };
            return Err(wrong_state(&stored, why));
        }
        if !force {
            self.refuse_if_last(&stored, &mut run).await?;
        }
        self.undo(&mut stored, UndoKind::Rollback, by, force).await?;
        self.pursue(stored, run).await
    }

    async fn undo(&self, stored: &mut Stored, kind: UndoKind, by: &str, forced: bool) -> Result<(), DriveError> {
        let event = Event::UndoRequested {
            kind,
            why: format!("{by} asked for it"),
            by: by.to_owned().into(),
            forced,
        };
        self.record(stored, event).await
    }

    /// Before anything is put back: there has to be an old key to go back to.
    async fn refuse_if_last(&self, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let rotation = &stored.rotation;
        let delivered = rotation.new_key.as_ref().is_some_and(|new| !new.reached.is_empty());
        // An undo that is under way has its own gate.
        if rotation.undo.is_some() || !delivered || rotation.spec.replaces() {
            return Ok(());
        }
        self.adopt(stored, run).await;
        let found = self.read(self.provider.observe()).await?;
        same_account(stored, &found.owner)?;
        let old_key = &rotation.spec.old_key;
        let listed = found.keys.iter().find(|key| key.id == *old_key);
        let comes_back = rotation.may_undo(UndoKind::Rollback)
            && match rotation.spec.retirement {
                Retirement::Disable => listed.is_some(),
                Retirement::Remove { .. } => true,
                Retirement::RemoveForGood | Retirement::Replace => false,
            };
        if comes_back || listed.is_some_and(|key| key.active) {
            return Ok(());
        }
        Err(DriveError::Refused(
            Refusal::error(format!(
                "old key {old_key} does not work any more, so without the new one nobody would have a key"
            ))
            .with("switch the old key on again at the vendor; or move every consumer to the new key and go on:")
            .with(match (&rotation.blocked, &rotation.phase) {
                (Some(_), _) | (None, Phase::Delivered(..)) => format!("rotate confirm {}", stored.target),
                (None, _) => "rotate run".to_owned(),
            }),
        ))
    }

    /// Before anything is put back: a key that someone uses is not taken away from them.
    async fn refuse_if_used(&self, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let Some(issued) = stored.rotation.new_key.as_ref().filter(|new| !new.reached.is_empty()) else {
            return Ok(());
        };
        self.adopt(stored, run).await;
        let last_use: LastUse = self.read(self.provider.last_use(&issued.key)).await?;
        match used_by_others(issued, &last_use) {
            None => Ok(()),
            Some(use_) => Err(DriveError::Refused(
                Refusal::error(format!("new key {} is {use_}", issued.key))
                    .with("if every consumer has moved to it, go on:")
                    .with(format!("rotate confirm {}", stored.target))
                    .with("otherwise move them back to the old key first, then:")
                    .with(format!("rotate abort --force {}", stored.target)),
            )),
        }
    }
}

/// The vendor may hold the new secret by now: to end the rotation is no undo of that.
fn not_given_up(stored: &Stored) -> Refusal {
    let target = &stored.target;
    let refusal = Refusal::error(format!(
        "the vendor may have the new secret of {target} by now, and an abort sets nothing back"
    ));
    let refusal = match stored.rotation.may_undo(UndoKind::Rollback) {
        true => refusal
            .with("set the old one again, and put the destinations back:")
            .with(format!("rotate rollback {target}")),
        false => refusal,
    };
    let go_on = match stored.rotation.blocked {
        Some(_) => format!("rotate confirm {target}"),
        None => "rotate run".to_owned(),
    };
    refusal
        .with("or see to what keeps it, and go on:")
        .with(go_on)
        .with(
            "or end it, and see to the vendor and the destinations yourself; that asks nobody, and erases the sealed secrets, \
             one of which may be the only copy of what stands:",
        )
        .with(format!("rotate abort --force {target}"))
}

/// Whether a person was told of something else than a program that runs after a delivery.
fn is_blocked_otherwise(rotation: &Rotation) -> bool {
    rotation.blocked.is_some() && told_hook(rotation).is_none()
}

/// Whoever has read the destinations once does not know yet that they hold something new.
fn not_told(stored: &Stored) -> DriveError {
    let target = &stored.target;
    DriveError::Refused(
        Refusal::error(format!(
            "{target}: the programs that run after its delivery have not all run"
        ))
        .with("have them run, and see where it stands then:")
        .with(format!("rotate run --only {target}")),
    )
}

fn wrong_state(stored: &Stored, why: &str) -> DriveError {
    let rotation = &stored.rotation;
    let target = &stored.target;
    let refusal = Refusal::error(format!("{target} is at `{}`: {why}", rotation.reached()));
    DriveError::Refused(if rotation.may_undo(UndoKind::Abort) {
        refusal
            .with("before the cut-over a rotation is undone with:")
            .with(format!("rotate abort {target}"))
    } else if rotation.may_undo(UndoKind::Rollback) {
        refusal
            .with("after the cut-over a rotation is undone with:")
            .with(format!("rotate rollback {target}"))
    } else {
        refusal.with(format!("rotate status {target}"))
    })
}
