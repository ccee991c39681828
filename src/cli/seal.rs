//! `rotate seal`: how secrets are sealed that wait.

use clap::{Args, Subcommand};

use super::session::{locate, speaker, tell_folder};
use super::{Exit, Global, remedy, terminal};
use crate::engine::{Resealed, reseal};
use crate::seal::Keyring;
use crate::state_folder::FolderError;

/// Look after what seals secrets while they wait.
///
/// What that is stands in the configuration: seal in [store]. Where it says nothing, it is the identity in the state folder.
#[derive(Args)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Seal all that waits as the configuration says now; after seal, or a machine, has changed
    ///
    /// Each secret is opened with what sealed it, which has to be there still. Says how many were sealed anew; exits with 1 where one
    /// could not be, and leaves it as it is. A repeat does what is left.
    Rekey,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let What::Rekey = self.what;
        match rekey(global).await {
            Ok(None) => {
                terminal::note("there is no journal yet, and nothing waits");
                Exit::Ok
            }
            Ok(Some((resealed, sealer))) => tell(global, &resealed, &sealer),
            Err(error) => tell_folder(global, &error),
        }
    }
}

async fn rekey(global: &Global) -> Result<Option<(Resealed, Keyring)>, FolderError> {
    let folder = locate(global)?;
    let anchor = global.anchor();
    if !folder.exists() {
        if let Some(anchor) = &anchor
            && let Some(anchored) = anchor.last()?
        {
            return Err(anchor.behind(anchored).into());
        }
        return Ok(None);
    }
    let (store, sealer, _) = folder.open().await?;
    // Nothing is sealed anew that could not be opened again.
    sealer.prove().await?;
    let lease = store.lease().await?;
    if let Some(anchor) = &anchor {
        anchor.check(&*store).await?;
    }
    let resealed = reseal(&*store, &lease, &sealer).await?;
    Ok(Some((resealed, sealer)))
}

fn tell(global: &Global, resealed: &Resealed, sealer: &Keyring) -> Exit {
    let Resealed { done, already, left } = resealed;
    terminal::note(&format!(
        "sealed {done} anew, {already} were so already, {} are left as they are; from now on with {}",
        left.len(),
        sealer.told()
    ));
    for (sealed, error) in left {
        let what = format!(
            "what is sealed for {} ({}) was left as it is: {error}",
            sealed.target, sealed.name
        );
        let lines: Vec<String> = remedy::of_sealed(error)
            .iter()
            .map(|line| speaker(global).line(line))
            .collect();
        terminal::error(&what, &lines);
    }
    match left.is_empty() {
        true => Exit::Ok,
        false => Exit::Error,
    }
}
