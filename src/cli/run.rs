//! `rotate run`: every open rotation, as far as it may go.

use clap::Args;

use super::one_shot::{automated, idle};
use super::session::{Session, connect, locate, show, speaker, tell_folder};
use super::{Exit, Global, terminal};
use crate::driver::{DriveError, Outcome};
use crate::hooks::now;
use crate::render::Report;
use crate::store::{Guided, Store, Stored};

/// Move every open rotation as far as it may go; for cron.
///
/// Asks nothing. One target's failure does not stop the others. The exit code is that of the target that needs most.
#[derive(Args)]
pub(super) struct Command {}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        match locate(global) {
            Ok(folder) if !folder.exists() => {
                report_nothing(global);
                return Exit::Ok;
            }
            Ok(_) => {}
            Err(error) => return tell_folder(global, &error),
        }
        let session = match Session::begin(global).await {
            Ok(session) => session,
            Err(error) => return tell_folder(global, &error),
        };
        let open: Vec<Stored> = match session.store.summaries().await {
            Ok(summaries) => summaries.into_iter().filter(|s| !s.rotation.is_closed()).collect(),
            Err(error) => return tell_folder(global, &error.into()),
        };
        let mut reports = Vec::new();
        let mut worst = Exit::Ok;
        for summary in &open {
            if session.is_interrupted() {
                worst = worst.max(Exit::Interrupted);
                break;
            }
            let (report, exit) = match summary.clone().sort() {
                Err(guided) => walked(global, &guided),
                Ok(_) => {
                    let result = advance(global, &session, &summary.target).await;
                    session.report(global, &summary.target, result).await
                }
            };
            reports.extend(report);
            worst = worst.max(exit);
        }
        if open.is_empty() {
            report_nothing(global);
        } else {
            show(global, &reports);
        }
        worst
    }
}

fn report_nothing(global: &Global) {
    terminal::note("no rotation is open");
    show(global, &[]);
}

/// Nothing can be done for a person but to remind them; overdue, it is an error of theirs.
fn walked(global: &Global, guided: &Guided) -> (Option<Report>, Exit) {
    let report = Report::walking(&guided.target, &guided.id, &guided.rotation, now(), &speaker(global));
    let overdue = report.next.at.is_some_and(|at| at <= now());
    let exit = if overdue { Exit::PersonNeeded } else { Exit::Ok };
    (Some(report), exit)
}

async fn advance(global: &Global, session: &Session, target: &str) -> Result<Outcome, DriveError> {
    // The journal itself, not the summary: each line is checked before it is acted upon.
    let Some(stored) = automated(session.store.latest(target).await?)? else {
        return Err(DriveError::SecretMissing);
    };
    if let Some(outcome) = idle(&stored) {
        return Ok(outcome);
    }
    let (_, provider) = connect(&stored).await?;
    session.driver(global, provider.as_ref()).advance(stored).await
}
