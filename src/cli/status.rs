//! `rotate status`.

use clap::Args;

use super::guided::story;
use super::session::{locate, show, speaker, tell_folder, tell_unknown};
use super::{Exit, Global, Output, terminal};
use crate::hooks::now;
use crate::render::{Report, json, markdown, text};
use crate::state_folder::FolderError;
use crate::store::{Store, Stored};

/// Show where rotations stand. Calls no vendor.
#[derive(Args)]
pub(super) struct Command {
    /// One target only, with its whole story
    target: Option<String>,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let found = match read(global, self.target.as_deref()).await {
            Ok(found) => found,
            Err(error) => return tell_folder(global, &error),
        };
        let speaker = speaker(global);
        let whole = self.target.is_some();
        let reports: Vec<Report> = found
            .into_iter()
            .map(|stored| match stored.sort() {
                Err(guided) if whole => story(global, &guided),
                Err(guided) => Report::walking(&guided.target, &guided.id, &guided.rotation, now(), &speaker),
                Ok(automated) => Report::now(&automated, now(), &speaker),
            })
            .collect();
        match &self.target {
            Some(target) if reports.is_empty() => return tell_unknown(global, target),
            None if global.output == Output::Text => terminal::print(&text::table(&reports)),
            None if global.output == Output::Markdown => terminal::print(&markdown::table(&reports)),
            None => terminal::print(&json::document(&reports)),
            Some(_) => show(global, &reports),
        }
        Exit::Ok
    }
}

async fn read(global: &Global, target: Option<&str>) -> Result<Vec<Stored>, FolderError> {
    let Some(store) = locate(global)?.open_journal().await? else {
        return Ok(Vec::new());
    };
    Ok(match target {
        Some(target) => store.latest(target).await?.into_iter().collect(),
        None => store.summaries().await?,
    })
}
