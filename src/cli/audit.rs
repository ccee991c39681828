//! `rotate audit` and `rotate audit verify`.

use clap::{Args, Subcommand};

use super::session::{locate, tell_folder, tell_unknown};
use super::{Exit, Global, Output, terminal};
use crate::state_folder::FolderError;
use crate::store::{Store, Verified};
use crate::view::{json, text};

/// Show the journal, or check that nobody has changed it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Command {
    #[command(subcommand)]
    what: Option<What>,
    /// One target only
    target: Option<String>,
}

#[derive(Subcommand)]
enum What {
    /// Check every line of the journal against its hash, its predecessor and what is kept beside it, and every sealed secret
    Verify,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let target = self.target.as_deref();
        let printed = match self.what {
            Some(What::Verify) => verify(global).await.map(Some),
            None => lines(global, target).await,
        };
        match (printed, target) {
            (Ok(Some(text)), _) => {
                terminal::print(&text);
                Exit::Ok
            }
            (Ok(None), target) => tell_unknown(global, target.unwrap_or_default()),
            (Err(error), _) => tell_folder(global, &error),
        }
    }
}

/// The journal's lines; `None` where the target has none.
async fn lines(global: &Global, target: Option<&str>) -> Result<Option<String>, FolderError> {
    let lines = match locate(global)?.open_journal().await? {
        Some(store) => store.journal(target).await?,
        None => Vec::new(),
    };
    if target.is_some() && lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(match global.output {
        Output::Text | Output::Markdown => text::journal(&lines),
        Output::Json => json::journal(&lines),
    }))
}

async fn verify(global: &Global) -> Result<String, FolderError> {
    let verified = locate(global)?.verify().await?.unwrap_or_else(Verified::empty);
    Ok(match global.output {
        Output::Text | Output::Markdown => text::verified(&verified),
        Output::Json => json::verified(&verified),
    })
}
