//! `rotate plan`.

use clap::Args;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rotate_providers::Vendors;

use super::fleet::{Chosen, Looked, chosen, configured_beside_journal, required};
use super::session::{locate, speaker, tell_folder};
use super::{Exit, Global, Output, terminal};
use crate::config::Config;
use crate::engine::Turn;
use crate::hooks::now;
use crate::state_folder::FolderError;
use crate::view::{TargetView, json, plans};

/// Show what `run` would do now, and why.
///
/// Only reads, and makes no state folder. Looks at the vendors, at what permissions and destinations would stand in the way, and at
/// what has changed there behind the journal's back.
#[derive(Args)]
pub(super) struct Command {
    #[command(flatten)]
    chosen: Chosen,
    /// Call no vendor: what the journal knows has to do
    #[arg(long)]
    offline: bool,
    /// Ask about another day: 2027-03-01
    #[arg(long, value_name = "DATE", value_parser = date)]
    at: Option<Timestamp>,
    /// Exit with 2 if there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

fn date(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write a date like 2027-03-01, or a time like 2027-03-01T12:00:00Z".to_owned();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: Date = text.parse().map_err(|_| wrong())?;
    date.to_zoned(TimeZone::UTC)
        .map(|at| at.timestamp())
        .map_err(|_| wrong())
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let (config, looked) = configured_beside_journal(global).await;
        let config = match config.and_then(required) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        if let Err(exit) = self
            .chosen
            .check(config.targets.iter().map(|target| target.name.as_str()))
        {
            return exit;
        }
        // Where a pull request is looked at there is no journal.
        let (found, missing) = match looked {
            Ok(found @ Looked { journal: None, .. }) => (found, required_state(global, &config)),
            Ok(found) => (found, None),
            Err(error @ FolderError::JournalLost(_)) => (Default::default(), Some(error)),
            Err(error) => return tell_folder(global, &error),
        };
        if let Some(error) = missing {
            terminal::note(&format!(
                "{error}; `rotate run` would fail. This plan is made without it"
            ));
        }
        let (store, survey) = found.into_parts();
        let vendors = (!self.offline).then(|| Vendors::new(global.access(config.paces.clone())));
        let turn = Turn {
            survey: &survey,
            store: store.as_deref(),
            vendors: vendors.as_ref(),
        };
        let at = self.at.unwrap_or_else(now);
        let speaker = &speaker(global);
        let targets = chosen(&config, &self.chosen);
        let room = Vec::with_capacity(targets.len());
        let foreseeing = stream::iter(targets).map(async |target| {
            let foreseen = turn.forecast(target, at).await;
            TargetView::planned(target, foreseen, at, speaker)
        });
        let collect = async |mut views: Vec<TargetView>, view| {
            views.push(view);
            views
        };
        let views = foreseeing.buffered(config.concurrency).fold(room, collect).await;
        terminal::print(&match global.output {
            Output::Json => json::targets(&views),
            Output::Markdown => plans::markdown(&views),
            Output::Text => plans::text(&views, terminal::columns()),
        });
        let exit = if views.iter().any(TargetView::has_failed) {
            Exit::Error
        } else if self.detailed_exitcode && views.iter().any(TargetView::is_to_do) {
            Exit::ToDo
        } else {
            Exit::Ok
        };
        // The process ends, and its memory with it: giving back what is known of thousands of targets, piece by piece, would take longer
        // than telling it.
        std::mem::forget((config, survey));
        exit
    }
}

/// What the configuration demands and is not there.
pub(super) fn required_state(global: &Global, config: &Config) -> Option<FolderError> {
    let folder = locate(global).ok().filter(|_| config.require_state)?;
    Some(FolderError::Required(folder.path().to_owned()))
}
