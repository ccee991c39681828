//! What a run leaves for those who watch whether runs come by: its metrics, its heartbeat, and the head of the journal in its anchor.
//!
//! None of it decides what becomes of a key. What cannot be left is told, and the run ends as it would have; only a head that could
//! not be noted down is an error, because somebody relies on it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rotate_providers::regular::Regular;

use super::super::session::Session;
use super::super::status::all;
use super::super::{Exit, Global, terminal};
use crate::config::Config;
use crate::engine::{Action, Survey};
#[cfg(feature = "heartbeat")]
use crate::heartbeat::{Ended, Heartbeat};
use crate::hooks::now;
use crate::private_file::{self, Place};
use crate::store::{Store, StoreError};
use crate::view::metrics::{Fleet, Metrics, last_success};
use crate::view::{TargetView, Who};

/// A run that is watched.
pub(super) struct Watched {
    began_at: Timestamp,
    #[cfg(feature = "heartbeat")]
    heartbeat: Option<Heartbeat>,
}

/// How it ended.
pub(super) struct Ending {
    pub(super) exit: Exit,
    /// How many targets there were, by what became of them.
    pub(super) counts: String,
    /// The targets at which a person has to look, by their names.
    pub(super) held_up: HashSet<String>,
}

impl From<Exit> for Ending {
    fn from(exit: Exit) -> Self {
        Self {
            exit,
            counts: "0 targets".to_owned(),
            held_up: HashSet::new(),
        }
    }
}

/// No file of metrics is larger: ten thousand targets have some fifteen megabytes.
const LARGEST: u64 = 256 * 1024 * 1024;

impl Watched {
    /// From here on.
    pub(super) fn begin(global: &Global, config: &Config) -> Self {
        #[cfg(not(feature = "heartbeat"))]
        let _ = (global, config);
        Self {
            began_at: now(),
            #[cfg(feature = "heartbeat")]
            heartbeat: heartbeat(global, config),
        }
    }

    /// No other run is at work: this is the one that is told of.
    pub(super) fn is_the_one(&mut self) {
        #[cfg(feature = "heartbeat")]
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.start();
        }
    }

    /// The run is over, with what it leaves at its place. Gives the exit code.
    pub(super) async fn end(
        self,
        global: &Global,
        config: &Config,
        session: Option<Arc<Session>>,
        ending: Ending,
    ) -> Exit {
        let Ending { exit, counts, held_up } = ending;
        if session.is_none() && exit == Exit::Busy {
            // Another run is at work, and leaves its own.
            return exit;
        }
        let exit = match session.as_deref() {
            Some(session) => exit.max(note_head(global, session).await),
            None => exit,
        };
        if let Some(path) = &config.monitoring.textfile
            && let Err(why) = self
                .leave_metrics(path, global, config, session.as_deref(), exit, &held_up)
                .await
        {
            warn(&format!("the metrics {} were not written: {why}", path.display()));
        }
        self.tell(session, exit, counts).await;
        exit
    }

    #[cfg(feature = "heartbeat")]
    async fn tell(self, session: Option<Arc<Session>>, exit: Exit, targets: String) {
        let Some(heartbeat) = self.heartbeat else { return };
        let head = match &session {
            Some(session) => session.store.head().await.ok(),
            None => None,
        };
        // A host that hangs keeps nobody else from the journal.
        drop(session);
        let ended = Ended {
            exit: exit.code(),
            targets,
            events: head.as_ref().map(|head| head.seq),
            head: head.map(|head| head.hash),
        };
        for untold in heartbeat.end(&ended).await {
            warn(&untold);
        }
    }

    #[cfg(not(feature = "heartbeat"))]
    async fn tell(self, _session: Option<Arc<Session>>, _exit: Exit, _targets: String) {}

    async fn leave_metrics(
        &self,
        path: &Path,
        global: &Global,
        config: &Config,
        session: Option<&Session>,
        exit: Exit,
        held_up: &HashSet<String>,
    ) -> Result<(), String> {
        let at = now();
        let place = Place::of(path).map_err(|unfit| unfit.to_string())?;
        // A journal that is behind its anchor needs a person as well, and nothing was done with it.
        let succeeded = session.is_some() && matches!(exit, Exit::Ok | Exit::PersonNeeded);
        let fleet = match session {
            Some(session) => stands(global, config, session, held_up).await.ok(),
            None => None,
        };
        let metrics = Metrics {
            at,
            began_at: self.began_at,
            exit: exit.code(),
            succeeded_at: if succeeded {
                Some(at)
            } else {
                earlier_success(&place, at)
            },
            fleet: fleet.as_ref().map(|(targets, events)| Fleet {
                targets,
                events: *events,
            }),
        };
        let text = metrics.text().map_err(|_| "they cannot be laid out".to_owned())?;
        private_file::publish(&place, text.as_bytes()).map_err(|refused| refused.to_string())
    }
}

/// What is amiss with the watching, and not with the run.
fn warn(why: &str) {
    terminal::note(&format!("warning: {why}; the run is not affected"));
}

#[cfg(feature = "heartbeat")]
fn heartbeat(global: &Global, config: &Config) -> Option<Heartbeat> {
    let heartbeat = Heartbeat::new(config.monitoring.heartbeat.as_ref()?, global.run);
    heartbeat.map_err(|why| warn(&why)).ok()
}

/// Where the fleet stands after the run: as the journal says, and as the run has found what these targets are held up by. That the
/// journal cannot be read the run has told.
async fn stands(
    global: &Global,
    config: &Config,
    session: &Session,
    held_up: &HashSet<String>,
) -> Result<(Vec<TargetView>, i64), StoreError> {
    let survey = Survey::read(&session.store).await?;
    let mut targets = all(global, Some(config), &survey);
    for target in targets.iter_mut().filter(|target| held_up.contains(&target.name)) {
        target.action = Some(Action::Blocked);
        target.next.who = Some(Who::Person);
    }
    Ok((targets, session.store.head().await?.seq))
}

/// What the file said that this one takes the place of.
fn earlier_success(place: &Place, now: Timestamp) -> Option<Timestamp> {
    let earlier = Regular::at(place).ok().flatten()?.bytes(LARGEST).ok()?;
    last_success(&String::from_utf8_lossy(&earlier), now)
}

async fn note_head(global: &Global, session: &Session) -> Exit {
    let Some(anchor) = global.anchor() else {
        return Exit::Ok;
    };
    match anchor.note(&session.store).await {
        Ok(None) => Exit::Ok,
        Ok(Some(seq)) => {
            terminal::note(&format!(
                "a new anchor is begun in {} at event {seq}; if there was one already, see whether its disk is mounted",
                anchor.path().display()
            ));
            Exit::Ok
        }
        Err(error) => {
            let kept = "what the run did is in the journal; the next run notes it down".to_owned();
            terminal::error(&error.to_string(), &[kept]);
            Exit::Error
        }
    }
}
