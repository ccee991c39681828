//! `rotate seal`: how secrets are sealed that wait.

use clap::{Args, Subcommand};

use super::session::{locate, speaker, tell_folder};
use super::who::person;
use super::{Exit, Global, remedy, terminal};
use crate::engine::driver::DriveError;
use crate::engine::journal::Journal;
use crate::engine::{Resealed, reseal};
use crate::seal::{Keyring, Method};
use crate::state_folder::FolderError;
use crate::store::StoreError;

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
    /// could not be, and leaves it as it is; where none could be, nothing is changed. A repeat does what is left.
    Rekey {
        /// A key of a key service that sealed before and is named by seal in [store] no more, as it was named there, with
        /// who logs in behind it; repeatable
        #[arg(long, value_name = "KEY", value_parser = key)]
        from: Vec<Method>,
    },
}

/// Identities open what was sealed to their recipients, whoever names those.
fn key(text: &str) -> Result<Method, String> {
    let of_a_service = |text: &str| text.split_once(':').is_some_and(|(method, _)| method != "age");
    match Method::parse(text) {
        Ok(key @ Method::Service(_)) => Ok(key),
        Err(why) if of_a_service(text) => Err(why),
        Ok(Method::Age(..)) | Err(_) => Err(
            "only keys of a key service are named here, as seal in [store] named them: what was sealed to recipients is opened by an \
             identity that is here"
                .to_owned(),
        ),
    }
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let What::Rekey { from } = self.what;
        match rekey(global, &from).await {
            Ok(None) => {
                terminal::note("there is no journal yet, and nothing waits");
                Exit::Ok
            }
            Ok(Some((resealed, sealer))) => tell(global, &resealed, &sealer),
            Err(error) => tell_folder(global, &error),
        }
    }
}

async fn rekey(global: &Global, from: &[Method]) -> Result<Option<(Resealed, Keyring)>, FolderError> {
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
    let sealer = sealer.and_before(from)?;
    // Nothing is sealed anew that could not be opened again.
    sealer.prove().await?;
    let lease = store.lease().await?;
    if let Some(anchor) = &anchor {
        anchor.check(&*store).await?;
    }
    let journal = Journal {
        store: &*store,
        lease: &lease,
    };
    let resealed = reseal(journal, &sealer, &person()).await.map_err(|error| match error {
        DriveError::Store(error) => error,
        error => StoreError::Database(error.to_string()),
    })?;
    Ok(Some((resealed, sealer)))
}

fn tell(global: &Global, resealed: &Resealed, sealer: &Keyring) -> Exit {
    let Resealed { done, already, left } = resealed;
    terminal::note(&match resealed.is_refused() {
        true => format!(
            "nothing was changed: of {} that wait none can be opened here, and nothing is sealed with {} from now on",
            left.len(),
            sealer.told()
        ),
        false => format!(
            "sealed {done} anew, {already} were so already, {} are left as they are; from now on with {}",
            left.len(),
            sealer.told()
        ),
    });
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
