//! `rotate verify`: whether a credential is alive, by one login that only reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{ArgMatches, Args};
use rotate_providers::guide::probe::Verdict;
use rotate_providers::secret_from::SecretFrom;
use rotate_providers::{Paces, Vendors};
use tracing::Instrument;

use super::named::readable_config;
use super::secret::{self, NoSecret, SecretArgs};
use super::session::{Session, locate, speaker, tell, tell_folder};
use super::trial::{Trial, Untried, Wanted};
use super::way::WayArgs;
use super::{Exit, Global, Output, process, terminal};
use crate::engine::driver::Interrupt;
use crate::engine::turn_span;
use crate::notify::Limits;
use crate::state_folder::FolderError;
use crate::view::{Verification, json};

/// Try a credential at its vendor, by one login that only reads.
///
/// Of a target with a rotation by hand it tries the new credential, and the journal keeps the verdict; with --old the one that is
/// to go. A connector's name alone, with what it asks for, tries any credential, and nothing is kept. The secret comes from where
/// the options say; else it is typed at the terminal, where it is not shown; else it is read from standard input. It is never an
/// argument, and never stored.
///
/// Exit codes: 0 accepted, and with --old rejected; 3 the other way round; 1 inconclusive: nothing is known of the credential.
#[derive(Args)]
pub(super) struct Command {
    /// The target, as `rotate status` names it; or a connector
    what: String,
    /// Try the old credential, once: it should be refused
    #[arg(long)]
    old: bool,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    way: WayArgs,
    /// Try an old password although wrong tries may lock its user, whom the new password belongs to as well
    #[arg(long)]
    risk_lockout: bool,
    /// What its connector is told.
    #[arg(skip)]
    given: BTreeMap<String, String>,
}

impl Command {
    /// Takes the options that a connector's data has made.
    pub(super) fn take(&mut self, told: &ArgMatches) {
        let inputs = super::rotate::inputs_of_probes();
        for id in told.ids().map(clap::Id::as_str).filter(|id| inputs.contains(*id)) {
            if let Ok(Some(value)) = told.try_get_one::<String>(id) {
                self.given.insert(id.to_owned(), value.clone());
            }
        }
    }

    pub(super) async fn run(mut self, global: &Global) -> Exit {
        let interrupt = Arc::<Interrupt>::default();
        process::listen(&interrupt);
        let config = readable_config(global);
        let journal = match locate(global) {
            Ok(folder) => match folder.open_journal().await {
                Ok(journal) => journal,
                Err(error) => return tell_folder(global, &error),
            },
            Err(FolderError::Nowhere) => None,
            Err(error) => return tell_folder(global, &error),
        };
        let wanted = Wanted {
            what: &self.what,
            old: self.old,
            given: std::mem::take(&mut self.given),
        };
        let trial = match Trial::of(wanted, config.as_ref(), journal.as_deref()).await {
            Ok(trial) => trial,
            Err(untried) => return refuse(&untried),
        };
        drop(journal);
        if let Some(untried) = trial.refusal(self.risk_lockout) {
            return refuse(&untried);
        }
        self.tried(global, trial, &interrupt).await
    }

    async fn tried(&self, global: &Global, mut trial: Trial, interrupt: &Arc<Interrupt>) -> Exit {
        let mut recorded = None;
        let mut verification = match trial.without_secret() {
            Some(outcome) => trial.told(&outcome, &speaker(global)),
            None => {
                let place: Option<SecretFrom> = self.secret.place().or_else(|| trial.place.clone());
                let secret = match secret::read(place.as_ref(), &trial.question(), trial.has_lines(), interrupt).await {
                    Ok(secret) => secret,
                    Err(NoSecret::Stopped) => return Exit::Interrupted,
                    Err(NoSecret::Unread(why)) => {
                        terminal::error(&format!("the secret: {why}"), &["nothing was sent".to_owned()]);
                        return Exit::Error;
                    }
                };
                if let Some(flaw) = trial.flaw(&secret) {
                    terminal::error(&format!("the secret: {flaw}"), &["nothing was sent".to_owned()]);
                    return Exit::Error;
                }
                let network = self.way.network(&trial.network, &global.allowed);
                let span = turn_span(&trial.name, None);
                let outcome = tokio::select! {
                    outcome = trial.run(&secret, &network).instrument(span) => outcome,
                    () = interrupt.wait() => return Exit::Interrupted,
                };
                drop(secret);
                recorded = match record(global, &mut trial, &outcome, interrupt).await {
                    Ok(recorded) => recorded,
                    Err(exit) => return exit,
                };
                trial.told(&outcome, &speaker(global))
            }
        };
        verification.say_next(&speaker(global));
        show(global, &verification);
        // Whoever waits for the verdict does not wait for those who are told of it.
        if let Some(session) = recorded {
            session.post(Limits::PERSON).await;
        }
        exit_of(verification.verdict, self.old)
    }
}

/// Keeps the verdict, where a rotation is on record that it belongs to. Gives whoever has written it down, and tells of it.
async fn record(
    global: &Global,
    trial: &mut Trial,
    outcome: &rotate_providers::guide::probe::Outcome,
    interrupt: &Arc<Interrupt>,
) -> Result<Option<Session>, Exit> {
    if !trial.is_recorded() {
        return Ok(None);
    }
    let vendors = Vendors::new(global.access(Paces::default()));
    let config = readable_config(global);
    let session = match Session::begin_for(global, vendors, Arc::clone(interrupt), config.as_ref()).await {
        Ok(session) => session,
        Err(error) => {
            terminal::note(&format!(
                "the verdict was {}, and was not recorded",
                outcome.verdict.name()
            ));
            return Err(tell_folder(global, &error));
        }
    };
    match trial.record(&session.store, &session.walker(), outcome).await {
        Ok(()) => Ok(Some(session)),
        Err(error) => {
            terminal::note(&format!(
                "the verdict was {}, and was not recorded",
                outcome.verdict.name()
            ));
            tell(&speaker(global), &trial.name, &error, None);
            Err(Exit::of_error(&error))
        }
    }
}

fn refuse(untried: &Untried) -> Exit {
    terminal::error(&untried.why, &untried.remedy);
    Exit::Usage
}

fn show(global: &Global, verification: &Verification) {
    terminal::print(&match global.output {
        Output::Json => json::verification(verification),
        Output::Text | Output::Markdown => verification.text(terminal::width()),
    });
}

/// What was hoped for, and what was not.
fn exit_of(verdict: Verdict, old: bool) -> Exit {
    match (verdict, old) {
        (Verdict::Accepted, false) | (Verdict::Rejected, true) => Exit::Ok,
        (Verdict::Rejected, false) | (Verdict::Accepted, true) => Exit::PersonNeeded,
        (Verdict::Inconclusive, _) => Exit::Error,
    }
}
