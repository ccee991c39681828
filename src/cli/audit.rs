//! `rotate audit` and `rotate audit verify`.

mod follow;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::session::{locate, tell_folder, tell_unknown};
use super::{Exit, Global, Output, terminal};
use crate::machine::StreamState;
use crate::state_folder::FolderError;
use crate::store::{Anchored, Line, StoreError, Verified};
use crate::view::{json, text};

/// Show the journal, or check that nobody has changed it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Command {
    #[command(subcommand)]
    what: Option<What>,
    /// One target only
    target: Option<String>,
    /// Print each event on a line of its own, and go on printing what is added until it is stopped (Ctrl-C, SIGTERM, or nobody reads)
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "target")]
    follow: Option<follow::Form>,
    /// Begin behind the event with this number, `seq` of the last line that was seen
    #[arg(long, value_name = "REVISION", default_value_t = 0, requires = "follow", value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
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
        if let Some(follow::Form::Json) = self.follow {
            return follow::follow(global, self.after).await;
        }
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
    let anchor = global.anchor();
    // Whatever is noted down while the journal is checked is noted down of what was there before.
    let mut noted = match &anchor {
        Some(anchor) => anchor.all()?,
        None => BTreeMap::new(),
    };
    let last_noted = noted.last_key_value().and_then(|(_, same)| same.last().cloned());
    let mut found = None;
    let mut look = |line: &Line, _: &StreamState| {
        if against.as_ref().is_some_and(|head| line.was_head(head)) {
            found = Some(line.seq);
        }
        if let Some(same) = noted.get_mut(&line.seq) {
            same.retain(|anchored| !line.was_head(&anchored.head.hash));
        }
    };
    let verified = locate(global)?.verify_each(&mut look).await?;
    let verified = verified.unwrap_or_else(Verified::empty);
    if let (Some(anchor), Some(missing)) = (anchor, noted.into_values().flatten().next()) {
        return Err(anchor.behind(missing).into());
    }
    // A head that was noted down before anything was written.
    let found = found.or_else(|| (against.as_deref() == Some(&Verified::empty().head)).then_some(0));
    if let (Some(head), None) = (against, found) {
        return Err(StoreError::NotAhead { head }.into());
    }
    Ok(told(global, &verified, found, last_noted.as_ref()))
}

fn told(global: &Global, verified: &Verified, against: Option<i64>, anchored: Option<&Anchored>) -> String {
    match global.output {
        Output::Text | Output::Markdown => text::verified(verified, against, anchored),
        Output::Json => json::verified(verified, against, anchored),
    }
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
