//! `rotate audit` and `rotate audit verify`.

use clap::{Args, Subcommand};

use super::session::{locate, tell_folder, tell_unknown};
use super::{Exit, Global, Output, terminal};
use crate::machine::StreamState;
use crate::state_folder::FolderError;
use crate::store::{Line, StoreError, Verified};
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
    Verify {
        /// Check that this head, noted down before, is one that the journal has had: a store that was put back to an older copy,
        /// or another one, does not know it
        #[arg(long, value_name = "HEAD", value_parser = head)]
        against: Option<String>,
    },
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let target = self.target.as_deref();
        let printed = match self.what {
            Some(What::Verify { against }) => verify(global, against).await.map(Some),
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

async fn verify(global: &Global, against: Option<String>) -> Result<String, FolderError> {
    let mut found = None;
    let mut look = |line: &Line, _: &StreamState| {
        if against.as_ref().is_some_and(|head| line.was_head(head)) {
            found = Some(line.seq);
        }
    };
    let verified = locate(global)?.verify_each(&mut look).await?;
    let verified = verified.unwrap_or_else(Verified::empty);
    // A head that was noted down before anything was written.
    let found = found.or_else(|| (against.as_deref() == Some(&Verified::empty().head)).then_some(0));
    if let (Some(head), None) = (against, found) {
        return Err(StoreError::NotAhead { head }.into());
    }
    Ok(match global.output {
        Output::Text | Output::Markdown => text::verified(&verified, found),
        Output::Json => json::verified(&verified, found),
    })
}

/// The head of a chain, as `audit verify` and reports have it.
fn head(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.chars().all(|letter| letter.is_ascii_hexdigit());
    match is_hash {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err("it is no head: that has 64 digits, 0 to 9 and a to f, as `rotate audit verify` prints it".to_owned())
        }
    }
}
