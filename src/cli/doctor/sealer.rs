//! Whether what is sealed here can be opened again, and what waits already.

use rotate_providers::contract::{Check, Finding};

use crate::cli::session::{locate, speaker};
use crate::cli::{Global, remedy};
use crate::seal::{Keyring, SealError, Sealer};
use crate::state_folder::{FolderError, StateFolder};
use crate::view::{Checkup, Speaker};

const NAME: &str = "sealer";

/// Seals a value that is no secret and opens it, and opens what waits. `None` where there is nothing yet that seals.
pub(super) async fn examine(global: &Global) -> Option<Checkup> {
    let (folder, speaker) = (locate(global).ok()?, speaker(global));
    let sealer = match folder.sealer() {
        Ok(sealer) => sealer,
        // The first rotation makes an identity, and who only reads a journal needs none. What is wrong with the folder is told of it.
        Err(FolderError::IdentityLost(_) | FolderError::Store(_)) => return None,
        Err(_) if folder.server().is_none() && folder.exists() => return None,
        Err(error) => {
            let lines = remedy::of_folder(&error);
            let lines = lines.iter().map(|line| speaker.line(line)).collect();
            return Some(Checkup::wrong(NAME, &error.to_string(), lines));
        }
    };
    let mut findings = vec![proven(&sealer, &speaker).await];
    findings.extend(of_one_machine(global, &folder));
    findings.extend(waiting(&folder, &sealer, &speaker).await);
    Some(Checkup::of(NAME, findings))
}

async fn proven(sealer: &Keyring, speaker: &Speaker) -> Finding {
    match sealer.prove().await {
        Ok(()) => Finding {
            what: sealer.told().into(),
            check: Check::Fine,
        },
        Err(error) => wrong(sealer.told(), &error, None, speaker),
    }
}

/// Machines that share a journal have to share what opens it.
fn of_one_machine(global: &Global, folder: &StateFolder) -> Option<Finding> {
    let is_alone = folder.server().is_some() && global.seal.is_none();
    is_alone.then(|| Finding {
        what: "who opens it".into(),
        check: Check::Unknown {
            why: "the journal is on a server, and only this one identity opens what waits there: every machine needs that very file. \
                  Name a recipient of each machine, and one that is kept offline, by seal in [store]"
                .to_owned()
                .into(),
        },
    })
}

/// What waits and cannot be opened here, with who can.
async fn waiting(folder: &StateFolder, sealer: &Keyring, speaker: &Speaker) -> Vec<Finding> {
    // What is wrong with the journal is told of the folder.
    let Ok(Some(store)) = folder.open_journal().await else {
        return Vec::new();
    };
    let Ok(all) = store.all_sealed().await else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for sealed in all {
        if let Err(error) = sealer.open(&sealed.purpose(), &sealed.bytes).await {
            findings.push(wrong(
                format!("what waits for {}", sealed.target),
                &error,
                Some(&sealed.name),
                speaker,
            ));
        }
    }
    findings
}

fn wrong(what: String, error: &SealError, name: Option<&str>, speaker: &Speaker) -> Finding {
    let why = match name {
        Some(name) => format!("{name}: {error}"),
        None => error.to_string(),
    };
    let lines: Vec<String> = remedy::of_sealed(error).iter().map(|line| speaker.line(line)).collect();
    Finding {
        what: what.into(),
        check: Check::Wrong {
            why: why.into(),
            remedy: lines.join("\n"),
        },
    }
}
