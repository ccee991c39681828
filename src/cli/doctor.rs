//! `rotate doctor`: everything that a rotation would need.

use std::sync::Arc;

use clap::Args;
use futures_util::{StreamExt, stream};
use rotate_providers::Vendors;
use rotate_providers::contract::{Check, Finding, Minting};

use super::fleet::{Chosen, chosen, configured};
use super::plan::{look, required_state};
use super::remedy::Subject;
use super::session::{locate, speaker};
use super::{Exit, Global, Output, remedy, terminal};
use crate::config::{Config, How, Target};
use crate::driver::{DriveError, Found, History, Identity, at_its_host, prepare};
use crate::fleet::{Survey, Wanted, at_home, check, yet_to_come};
use crate::hooks::now;
use crate::render::{Checkup, Speaker, checkup, json};
use crate::state_folder::FolderError;
use crate::store::{SqliteStore, Store, Verified};

/// Check everything that a rotation would need.
///
/// The configuration, the state folder and its sealer; and for each target the credentials, permissions, endpoint, bucket,
/// destinations and clocks. Changes nothing. Exits with 1 if something would fail.
#[derive(Args)]
pub(super) struct Command {
    #[command(flatten)]
    chosen: Chosen,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let config = match configured(global) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let mut checkups = vec![folder(global, config.as_ref()).await];
        if let Some(config) = &config {
            if let Err(exit) = self
                .chosen
                .check(config.targets.iter().map(|target| target.name.as_str()))
            {
                return exit;
            }
            checkups.insert(0, Checkup::fine("configuration", &config.path.display().to_string()));
            // What is wrong with the folder is told above.
            let (store, survey) = look(global).await.unwrap_or_default();
            let vendors = Vendors::new(global.access(config.paces.clone()));
            let speaker = &speaker(global);
            let (vendors, store, survey) = (&vendors, store.as_ref(), &survey);
            let each = stream::iter(chosen(config, &self.chosen)).map(async |target| {
                let checkup = examine(target, vendors, store, survey, speaker).await;
                checkup.said_as(|text| target.in_its_words(text))
            });
            checkups.extend(each.buffered(config.concurrency).collect::<Vec<_>>().await);
        } else {
            terminal::note("no configuration was found; only the state folder is checked");
        }
        terminal::print(&match global.output {
            Output::Json => json::checkups(&checkups),
            Output::Text | Output::Markdown => checkup::text(&checkups),
        });
        if checkups.iter().any(Checkup::would_fail) {
            Exit::Error
        } else {
            Exit::Ok
        }
    }
}

/// The state folder with its journal, and the identity that seals.
async fn folder(global: &Global, config: Option<&Config>) -> Checkup {
    let found = async {
        let folder = locate(global)?;
        let path = folder.path().display().to_string();
        if !folder.exists() {
            if let Some(error) = config.and_then(|config| required_state(global, config)) {
                return Err(error);
            }
            folder.could_be_made()?;
            return Ok((path, "there is none yet; the first rotation makes it".to_owned()));
        }
        let (store, sealer, _) = folder.open().await?;
        drop((store, sealer));
        let verified = folder.verify().await?.unwrap_or_else(Verified::empty);
        Ok((path, format!("whole, head {}", verified.head)))
    };
    match found.await {
        Ok((path, state)) => Checkup::fine("state folder", &format!("{path}, {state}")),
        Err(error) => Checkup::wrong(
            "state folder",
            &FolderError::to_string(&error),
            remedy::of_folder(&error),
        ),
    }
}

async fn examine(
    target: &Target,
    vendors: &Arc<Vendors>,
    store: Option<&SqliteStore>,
    survey: &Survey,
    speaker: &Speaker,
) -> Checkup {
    let How::Automatic(automatic) = &target.how else {
        return by_hand(target);
    };
    let looked = async {
        let wanted = Wanted::new(target, automatic, now())?;
        let provider = (automatic.automation.connect)(automatic.inputs.clone(), vendors).await?;
        let history = match store {
            Some(store) => History::beside(store as &dyn Store, &target.name, Arc::clone(&survey.rivals)).await?,
            None => History::default(),
        };
        let request = wanted.request(&history);
        // An open rotation has its host, its key files already, and its two keys.
        let open = survey
            .of(&target.name)
            .course
            .filter(|stored| !stored.rotation.is_closed());
        if let Some(rotation) = open.and_then(|stored| stored.rotation.automated()) {
            at_its_host(&target.name, &rotation.charter, provider.as_ref())?;
        }
        let is_open = open.is_some();
        let found = Found::look(provider.as_ref(), &request, history).await?;
        let owner = found.observation.owner.clone();
        at_home(&target.name, survey.of(&target.name), &owner)?;
        let identity = Identity::ask(provider.as_ref(), &owner).await;
        let fine = |what| Finding {
            what,
            check: Check::Fine,
        };
        let login = [fine("credentials".into()), fine(identity.to_string().into())];
        let mut findings = login.to_vec();
        if !is_open {
            let mints_locally = matches!(provider.minting(), Minting::Local(_));
            match prepare(&request, found, mints_locally).await {
                // What is wrong with a destination is told below.
                Ok(_) | Err(DriveError::Delivery(_)) => {}
                Err(error) => findings.push(Finding {
                    what: "keys".into(),
                    check: Check::Wrong {
                        why: error.to_string().into(),
                        remedy: remedy::of(&error, subject(target), None).join("\n"),
                    },
                }),
            }
        }
        let destinations = if is_open { &[] } else { wanted.destinations() };
        findings.extend(check(provider.as_ref(), &owner, destinations).await);
        Ok::<_, DriveError>(findings)
    };
    match looked.await {
        Ok(findings) => Checkup::of(&target.name, findings),
        Err(error) => {
            let lines = remedy::of(&error, subject(target), None);
            Checkup::wrong(
                &target.name,
                &error.to_string(),
                lines.iter().map(|line| speaker.line(line)).collect(),
            )
        }
    }
}

fn subject(target: &Target) -> Subject<'_> {
    Subject {
        target: &target.name,
        connector: target.connector.id,
    }
}

/// Of a guide's target the program knows only what it was told.
fn by_hand(target: &Target) -> Checkup {
    let (How::ByHand(by_hand), Ok(guide)) = (&target.how, target.connector.guide()) else {
        return Checkup::of(&target.name, Vec::new());
    };
    let missing = guide
        .inputs
        .iter()
        .filter(|input| input.required && input.default.is_none() && !by_hand.values.contains_key(&*input.name));
    let findings = missing.map(|input| Finding {
        what: format!("value {}", input.name).into(),
        check: Check::Unknown {
            why: format!("it is not given, so the plan has a gap there: {}", input.help).into(),
        },
    });
    let date = yet_to_come(by_hand, now()).map(|date| Finding {
        what: "last_rotated".into(),
        check: Check::Wrong {
            why: format!("{date} is yet to come").into(),
            remedy: "correct it in rotate.toml".to_owned(),
        },
    });
    Checkup::of(&target.name, findings.chain(date).collect())
}
