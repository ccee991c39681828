//! `rotate doctor`: everything that a rotation would need.

mod sealer;

use clap::Args;
use futures_util::{StreamExt, stream};
use rotate_providers::Vendors;
use rotate_providers::contract::{Check, Finding};

use super::fleet::{Chosen, chosen, configured, look};
use super::notices::{Forgotten, forgotten};
use super::plan::required_state;
use super::remedy::Subject;
use super::session::{locate, speaker};
use super::trials::Trials;
use super::{Exit, Global, Output, remedy, terminal};
use crate::config::{Config, How, Target};
use crate::engine::driver::DriveError;
use crate::engine::{Turn, yet_to_come};
use crate::hooks::now;
use crate::notify::Notifier;
use crate::state_folder::FolderError;
use crate::store::{Outbox, Queued, Store, Verified};
use crate::view::{Checkup, Speaker, checkup, json};

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
        checkups.extend(sealer::examine(global).await);
        if let Some(config) = &config {
            if let Err(exit) = self
                .chosen
                .check(config.targets.iter().map(|target| target.name.as_str()))
            {
                return exit;
            }
            checkups.insert(0, Checkup::fine("configuration", &config.path.display().to_string()));
            // What is wrong with the folder is told above.
            let (store, survey) = look(global).await.unwrap_or_default().into_parts();
            let vendors = Vendors::new(global.access(config.paces.clone()));
            let speaker = &speaker(global);
            let turn = Turn {
                survey: &survey,
                store: store.as_deref(),
                vendors: Some(&vendors),
            };
            let trials = &Trials::of(global.allowed.clone());
            let each = stream::iter(chosen(config, &self.chosen)).map(async |target| {
                let checkup = examine(target, turn, trials, speaker).await;
                checkup.said_as(|text| target.in_its_words(text))
            });
            checkups.extend(each.buffered(config.concurrency).collect::<Vec<_>>().await);
            checkups.extend(notices(config, store.as_deref()).await);
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

/// The state folder with its journal.
async fn folder(global: &Global, config: Option<&Config>) -> Checkup {
    let found = async {
        let folder = locate(global)?;
        let path = folder.path().display().to_string();
        if let Some(server) = folder.server() {
            folder.could_be_made()?;
            if let Some(store) = folder.open_journal().await? {
                goes_on_from_its_anchor(global, &*store).await?;
            }
            let verified = folder.verify_chain().await?.unwrap_or_else(Verified::empty);
            return Ok((
                format!("{path} with the journal on {server}"),
                format!("intact, head {}", verified.head),
            ));
        }
        if !folder.exists() {
            if let Some(error) = config.and_then(|config| required_state(global, config)) {
                return Err(error);
            }
            // As `run` has it: nothing is begun in the place of what is gone.
            if let Some(anchor) = global.anchor()
                && let Some(anchored) = anchor.last()?
            {
                return Err(anchor.behind(anchored).into());
            }
            folder.could_be_made()?;
            return Ok((path, "there is none yet; the first rotation makes it".to_owned()));
        }
        let (store, sealer, _) = folder.open().await?;
        goes_on_from_its_anchor(global, &*store).await?;
        drop((store, sealer));
        let verified = folder.verify_chain().await?.unwrap_or_else(Verified::empty);
        Ok((path, format!("intact, head {}", verified.head)))
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

async fn goes_on_from_its_anchor(global: &Global, store: &dyn Store) -> Result<(), FolderError> {
    match global.anchor() {
        Some(anchor) => Ok(anchor.check(store).await?),
        None => Ok(()),
    }
}

async fn examine(target: &Target, turn: Turn<'_>, trials: &Trials, speaker: &Speaker) -> Checkup {
    if let How::ByHand(_) = &target.how {
        let tried = trials.examine(target, turn.survey).await;
        return by_hand(target, tried);
    }
    let told = |error: &DriveError| remedy::of(error, subject(target), None).join("\n");
    match turn.examine(target, told).await {
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

/// Who is told, and what waits. Nothing is sent, and no rotation fails on it.
async fn notices(config: &Config, store: Option<&dyn Store>) -> Vec<Checkup> {
    let outbox = match store {
        Some(store) => store.outbox().await,
        None => Ok(Outbox::default()),
    };
    let outbox = match outbox {
        Ok(outbox) => outbox,
        Err(error) => {
            let all = config.notifiers.iter().map(|it| notifier(it, config, None));
            let unread = Checkup::wrong("notices", &format!("what waits: {error}"), remedy::of_store(&error));
            return all.chain([unread]).collect();
        }
    };
    let Forgotten { over, left } = forgotten(config, &outbox, now());
    let is_read = |it: &&Queued| !over.iter().chain(&left).any(|forgotten| forgotten.id == it.notice.id);
    let waiting: Vec<&Queued> = outbox.queued.iter().filter(is_read).collect();
    let mut checkups: Vec<Checkup> = config
        .notifiers
        .iter()
        .map(|it| notifier(it, config, Some((&outbox, &waiting))))
        .collect();
    let ends = [
        (&over, "the next run ends them"),
        (
            &left,
            "another configuration with this journal may; a run ends them once nobody has tried them for 7 days",
        ),
    ];
    for (notices, end) in ends.into_iter().filter(|(notices, _)| !notices.is_empty()) {
        let why = format!(
            "{} of them are for a notifier or a reader that this configuration does not name; {end}",
            notices.len()
        );
        checkups.push(unknown("notices", "what waits", why));
    }
    checkups
}

/// One notifier, where what waits is known.
fn notifier(notifier: &Notifier, config: &Config, known: Option<(&Outbox, &[&Queued])>) -> Checkup {
    let name = format!("notices to {}", notifier.name);
    let mut findings: Vec<Finding> = notifier
        .missing()
        .into_iter()
        .map(|why| finding("what it needs", why))
        .collect();
    let targets = config.targets.iter().map(|it| (it.name.as_str(), it.owner.as_deref()));
    let nobody = notifier.tells_nobody(targets);
    findings.extend(nobody.map(|why| finding("who is told", why.to_owned())));
    let fine = match known {
        None => "what it needs is there",
        Some((outbox, waiting)) => {
            findings.extend(what_waits(notifier, outbox, waiting));
            "nothing waits"
        }
    };
    match findings.is_empty() {
        true => Checkup::fine(&name, fine),
        false => Checkup::of(&name, findings),
    }
}

fn what_waits(notifier: &Notifier, outbox: &Outbox, waiting: &[&Queued]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = |it: &&&Queued| it.notice.notifier == notifier.name;
    if let Some(oldest) = waiting.iter().find(own) {
        let since = oldest.notice.at.strftime("%Y-%m-%d %H:%M UTC");
        let problem = waiting.iter().filter(own).rev().find(|it| !it.problem.is_empty());
        let problem = problem.map_or("nobody has tried to send them yet", |it| it.problem.as_str());
        let count = waiting.iter().filter(own).count();
        findings.push(finding("what waits", format!("{count} since {since}: {problem}")));
    }
    let state = outbox.notifiers.iter().find(|state| state.name == notifier.name);
    if let Some(dropped) = state.map(|state| state.dropped).filter(|dropped| *dropped > 0) {
        let why = format!(
            "{dropped} to its readers were dropped, because too many waited for one of them; the next digest says where targets stand"
        );
        findings.push(finding("what is lost", why));
    }
    findings
}

fn finding(what: &str, why: String) -> Finding {
    Finding {
        what: what.into(),
        check: Check::Unknown { why: why.into() },
    }
}

fn unknown(name: &str, what: &str, why: String) -> Checkup {
    Checkup::of(name, vec![finding(what, why)])
}

/// Of a guide's target the program knows only what it was told.
fn by_hand(target: &Target, tried: Option<Finding>) -> Checkup {
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
            remedy: format!("correct last_rotated ({})", target.place),
        },
    });
    Checkup::of(&target.name, findings.chain(date).chain(tried).collect())
}
