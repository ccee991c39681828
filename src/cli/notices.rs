//! Who is told of what a command has changed, and whether they could be.

mod digest;
mod forgotten;

use std::collections::HashMap;

use jiff::Timestamp;

use self::digest::digests;
pub(super) use self::forgotten::{Forgotten, forgotten};
use super::session::Session;
use super::terminal;
use crate::engine::driver::{DriveError, Outcome};
use crate::engine::{Action, Assessment, DriftAt, TurnOutcome};
use crate::hooks::{crash_point, now};
use crate::machine::AnyRotation;
use crate::notify::{BlockedBy, Limits, Now, Posted, Readers, Reason, Standing, Told, Untold, post};
use crate::policy::Waiting;
use crate::store::{Store, StoreError, Stored};
use crate::view::TargetView;
use crate::view::notice::{Cause, open_steps};

/// Where a target stands after its turn, as far as time alone or a failure made it so.
pub(super) struct After {
    pub(super) target: String,
    pub(super) now: Now,
    pub(super) cause: Cause,
    /// What a person does, where that is not in the view of the target.
    pub(super) steps: Option<Vec<String>>,
}

impl After {
    /// After its turn came to this; `None`: that says nothing.
    pub(super) fn turn(
        name: &str,
        result: &Result<TurnOutcome, DriveError>,
        judged: Option<&Assessment>,
        course: Option<&Stored>,
        told: &Told,
    ) -> Option<Self> {
        let gone_by = judged.and_then(|judged| judged.age).map(|age| age.deadline.gone_by);
        let age_is_over = gone_by.filter(|at| *at <= now());
        let stands = |target: &str, standing, overdue: Option<Timestamp>, steps| Self {
            target: target.to_owned(),
            now: Now {
                standing,
                announced: None,
                overdue: overdue.max(age_is_over),
            },
            cause: Cause::default(),
            steps,
        };
        match result {
            Ok(TurnOutcome::Moved(outcome) | TurnOutcome::Rests(outcome)) => {
                let Outcome { stored, wait } = outcome.as_ref();
                // A window that no run falls into has a person look, whatever the rotation itself says.
                let missed = judged
                    .filter(|judged| judged.action == Action::Blocked)
                    .filter(|_| wait.as_ref().is_some_and(|wait| wait.on == Waiting::Window));
                let by = missed.map(|_| BlockedBy::Obstacle);
                let standing = match missed {
                    Some(judged) => Standing::Blocked {
                        rotation: Some(stored.id.clone()),
                        by: BlockedBy::Obstacle,
                        why: Some(Reason::of(&judged.reason)),
                    },
                    None => of_automated(stored),
                };
                let has_ended = wait.is_none();
                let late = wait.as_ref().filter(|wait| wait.on == Waiting::Cutover);
                let late = late.and_then(|wait| wait.until).filter(|until| *until <= now());
                let mut after = stands(&stored.target, standing, late, None);
                after.cause.by = by;
                if has_ended {
                    after.now.overdue = None;
                }
                Some(after)
            }
            Ok(TurnOutcome::Guided(guided)) => {
                let rotation = AnyRotation::Guided(Box::new(guided.rotation.clone()));
                let standing = Standing::of(&guided.id, &rotation, guided.updated_at);
                let late = Some(guided.rotation.overdue_at()).filter(|at| *at <= now());
                Some(stands(
                    &guided.target,
                    standing,
                    late,
                    Some(open_steps(&guided.rotation)),
                ))
            }
            Ok(TurnOutcome::Judged(judged)) => Some(Self::judged(name, judged, course, told, age_is_over)),
            Err(error) => Self::failed(name, error, course, told, age_is_over),
        }
    }

    fn judged(
        name: &str,
        judged: &Assessment,
        course: Option<&Stored>,
        told: &Told,
        overdue: Option<Timestamp>,
    ) -> Self {
        let by = match (judged.action, judged.drift) {
            (Action::Blocked, Some(DriftAt::Vendor)) => Some(BlockedBy::Vendor),
            (Action::Blocked, Some(DriftAt::Destination)) => Some(BlockedBy::Destination),
            (Action::Blocked, None) => Some(BlockedBy::Obstacle),
            _ => None,
        };
        // An end of which nobody was told.
        let ended = course.filter(|stored| {
            let is_known = matches!(told.standing, Standing::Done { .. } | Standing::Undone { .. });
            stored.rotation.is_closed() && !is_known && told.standing.rotation() == Some(&stored.id)
        });
        let standing = match (ended, by) {
            (Some(stored), _) => Standing::of(&stored.id, &stored.rotation, stored.updated_at),
            (None, Some(by)) => Standing::Blocked {
                rotation: None,
                by,
                why: Some(Reason::of(&judged.reason)),
            },
            (None, None) => Standing::Quiet,
        };
        let begins = judged.age.map(|age| (age.deadline.warn_at, age.deadline.begin_at));
        let announced = begins.filter(|(warn_at, begin_at)| *warn_at <= now() && now() < *begin_at);
        let announced = announced.map(|(_, begin_at)| begin_at);
        Self {
            target: name.to_owned(),
            now: Now {
                standing,
                announced,
                overdue,
            },
            cause: Cause {
                by,
                failure: None,
                until: announced,
            },
            steps: None,
        }
    }

    fn failed(
        name: &str,
        error: &DriveError,
        course: Option<&Stored>,
        told: &Told,
        overdue: Option<Timestamp>,
    ) -> Option<Self> {
        let failure = what_failed(error)?;
        let open = course.filter(|stored| !stored.rotation.is_closed());
        // It may have come further before it failed.
        let (rotation, phase) = told.standing.open_at().unwrap_or_else(|| {
            let reached = open.and_then(|stored| stored.rotation.automated());
            let phase = reached.map(|rotation| rotation.reached().name().to_owned());
            (open.map(|stored| stored.id.clone()), phase)
        });
        // Its rotation is over, and none is begun again before a person says so.
        let is_over = matches!(error, DriveError::Useless(_));
        let why = match error {
            DriveError::Refused(refusal) if refusal.blocked => Some(Reason::of(&refusal.why)),
            _ => None,
        };
        let by = (is_over || why.is_some()).then_some(BlockedBy::Obstacle);
        let rotation = rotation.filter(|_| !is_over);
        let standing = match by {
            Some(by) => Standing::Blocked { rotation, by, why },
            None => Standing::Failed { rotation, phase },
        };
        Some(Self {
            target: open.map_or(name, |stored| stored.target.as_str()).to_owned(),
            now: Now {
                standing,
                announced: None,
                overdue,
            },
            cause: Cause {
                by,
                failure: Some(failure),
                until: None,
            },
            steps: None,
        })
    }

    /// The vendor refuses its credential. While a rotation is open, that says where the target stands.
    pub(super) fn refused(mut self) -> Self {
        if self.now.standing.open_at().is_some() {
            return self;
        }
        let by = BlockedBy::Credential;
        self.now.standing = Standing::Blocked {
            rotation: None,
            by,
            why: None,
        };
        self.cause.by = Some(by);
        self
    }
}

fn of_automated(stored: &crate::store::Automated) -> Standing {
    let rotation = AnyRotation::from(stored.rotation.clone());
    Standing::of(&stored.id, &rotation, stored.updated_at)
}

/// What could not be done, in words of ours alone; `None` where nothing has failed.
fn what_failed(error: &DriveError) -> Option<&'static str> {
    Some(match error {
        DriveError::Interrupted
        | DriveError::Store(StoreError::Held(_) | StoreError::Leased { .. } | StoreError::Race) => return None,
        DriveError::Provider(_) => "Its vendor was not reached, or has refused what was asked of it",
        DriveError::Delivery(_) => "A destination was not reached, or has not taken the new secret",
        DriveError::Hook(_) => "A program after the delivery could not be run",
        DriveError::Store(_) | DriveError::Seal(_) | DriveError::SecretMissing | DriveError::Illegal(_) => {
            "The journal, or what lies sealed in it, could not be used"
        }
        DriveError::Useless(_) => "The new key does not work, and was withdrawn; the old key was not touched",
        DriveError::NotWithdrawn(..) => "The new key does not work, and could not be withdrawn yet",
        DriveError::Inconclusive(_) => "Whether the new key works could not be found out",
        DriveError::NotTaken => "The vendor has not taken the new secret",
        DriveError::Lagging => "The vendor's list of keys does not show the change yet",
        DriveError::Slow => "Writing to the journal takes too long",
        DriveError::UnknownConnector(_) => "This version of rotate does not know its connector",
        DriveError::Refused(_) => "It was refused, as something stands in the way",
    })
}

impl Session {
    /// Writes down what time alone, or a failure, has made of these targets, and a digest where it is time for one.
    pub(super) async fn tell_after(
        &self,
        after: Vec<(After, &TargetView)>,
        fleet: impl AsyncFnOnce() -> Option<Vec<TargetView>>,
    ) {
        let Some((announcer, words)) = self.store.announcer().zip(self.words.as_deref()) else {
            return;
        };
        let at = now();
        let mut tellings = Vec::new();
        let mut known = Vec::new();
        let mut standings = HashMap::new();
        for (after, view) in after {
            standings.insert(after.target.clone(), after.now.standing.clone());
            standings.insert(view.name.clone(), after.now.standing.clone());
            let mut view = view.clone();
            if let Some(steps) = after.steps {
                view.handover = steps;
            }
            let change = announcer.change(&after.target, &after.now, at, |kind| words.of(kind, &view, after.cause));
            if let Some((telling, told)) = change {
                known.push((telling.target.clone(), told));
                tellings.push(telling);
            }
        }
        // Of whoever had no turn in this run, what was told last.
        let stands = |name: &str| match standings.get(name) {
            Some(standing) => standing.clone(),
            None => announcer.told(name).standing,
        };
        let written = async {
            let (digests, notices) = digests(&self.store, announcer.notifiers(), words, at, &stands, fleet).await?;
            tellings.extend(notices);
            if tellings.is_empty() && digests.is_empty() {
                return Ok(());
            }
            crash_point("notices: before what time has made is written down");
            self.store.tell(&self.lease, &tellings, &digests).await?;
            crash_point("notices: after what time has made is written down");
            Ok::<_, StoreError>(())
        };
        match written.await {
            Ok(()) => known
                .into_iter()
                .for_each(|(target, told)| announcer.know(target, told)),
            Err(error) => terminal::note(&format!(
                "notices could not be written down: {error}; the next run does"
            )),
        }
    }

    /// Sends what waits. Whatever becomes of that changes nothing of the command, and is told.
    pub(super) async fn post(&self, limits: Limits) {
        let Some(announcer) = self.store.announcer() else {
            return;
        };
        let is_stopped = || self.is_interrupted();
        let owned = self.words.iter().flat_map(|words| words.owned());
        let readers = Readers::of(announcer.notifiers(), owned);
        let to_whom = (announcer.notifiers(), &readers);
        match post::post(&self.store, &self.lease, to_whom, limits, &is_stopped).await {
            // Whoever was stopped sends nothing more, and nobody wonders.
            Ok(Posted { untold, .. }) if !self.is_interrupted() => untold.iter().for_each(warn),
            Ok(_) => {}
            Err(error) => terminal::note(&format!("notices could not be sent: {error}; the next run does")),
        }
    }
}

fn warn(untold: &Untold) {
    let (name, waiting, why) = (&untold.notifier, untold.waiting, &untold.why);
    let notices = if waiting == 1 { "notice waits" } else { "notices wait" };
    terminal::note(&format!(
        "warning: {name} was not told: {waiting} {notices}; {why}; a later run tries again, and `rotate doctor` shows what waits"
    ));
}

#[cfg(test)]
mod tests {
    use super::{After, BlockedBy, Cause, Now, Standing};

    fn refused(standing: Standing) -> Standing {
        let after = After {
            target: "main".to_owned(),
            now: Now {
                standing,
                ..Now::default()
            },
            cause: Cause::default(),
            steps: None,
        };
        after.refused().now.standing
    }

    #[test]
    fn a_credential_that_is_refused_is_told_unless_a_rotation_is_open() {
        let blocked = Standing::Blocked {
            rotation: None,
            by: BlockedBy::Credential,
            why: None,
        };
        let ended = Standing::Done {
            rotation: "r1".to_owned(),
        };
        for standing in [Standing::Quiet, ended] {
            assert_eq!(refused(standing), blocked);
        }
        let waiting = Standing::Waiting {
            rotation: "r1".to_owned(),
        };
        let moving = Standing::Moving {
            rotation: "r1".to_owned(),
            phase: "opened".to_owned(),
        };
        for standing in [waiting, moving] {
            assert_eq!(refused(standing.clone()), standing);
        }
    }
}
