//! What every command that moves a rotation needs: the state folder, the lease, the vendor, the signals.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use rotate_providers::contract::Provider;
use rotate_providers::{Paces, Vendors};

use super::announcer::announcer;
use super::named::readable_config;
use super::pasted::{left_out, out_of};
use super::remedy::Subject;
use super::terminal::LiveLines;
use super::who::person;
use super::{Exit, Global, Output, process, remedy, terminal};
use crate::config::{Config, Target};
use crate::engine::driver::{DriveError, Driver, Interrupt, Outcome, Refusal};
use crate::engine::guided::GuidedJournal;
use crate::engine::inventory::InventoryJournal;
use crate::engine::journal::Journal;
use crate::engine::{Acting, Claims};
use crate::hooks::now;
use crate::notify::{Limits, NotifyingStore};
use crate::seal::Keyring;
use crate::state_folder::{FolderError, StateFolder};
use crate::store::{Lease, Store, Stored};
use crate::view::notice::Words;
use crate::view::{Speaker, TargetView, json, markdown, text};

/// What is told where machines share a journal, and one of them alone opens what waits there.
pub(super) const OF_ONE_MACHINE: &str = "warning: what waits on the server is sealed to the identity in this state folder alone; name a \
                                          recipient of each machine, and one that is kept offline, by seal in [store], then: rotate seal \
                                          rekey";

/// An open state folder, held by this process alone.
pub(super) struct Session {
    pub(super) store: NotifyingStore,
    pub(super) sealer: Keyring,
    pub(super) lease: Lease,
    pub(super) vendors: Arc<Vendors>,
    pub(super) interrupt: Arc<Interrupt>,
    /// In which words people are told of it; `None`: nobody is told.
    pub(super) words: Option<Arc<Words>>,
    /// Whose command it is, for the journal.
    pub(super) by: String,
    lines: LiveLines,
}

/// How an error is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Not at all: it is not worth a word.
    Not,
    /// Of the one target that the command is about.
    Plain,
    /// With the target's name: there are many.
    Named,
}

impl Session {
    /// Opens the state folder, making it where there is none, and becomes its one writer.
    pub(super) async fn begin(global: &Global) -> Result<Self, FolderError> {
        let config = readable_config(global);
        Self::begin_with(global, Vendors::new(global.access(Paces::default())), config.as_ref()).await
    }

    /// The same, with what targets share at their vendors, and the configuration that says who is told.
    pub(super) async fn begin_with(
        global: &Global,
        vendors: Arc<Vendors>,
        config: Option<&Config>,
    ) -> Result<Self, FolderError> {
        let session = Self::begin_for(global, vendors, Arc::default(), config).await?;
        process::listen(&session.interrupt);
        Ok(session)
    }

    /// The same, where someone listens for signals already.
    pub(super) async fn begin_for(
        global: &Global,
        vendors: Arc<Vendors>,
        interrupt: Arc<Interrupt>,
        config: Option<&Config>,
    ) -> Result<Self, FolderError> {
        let folder = locate(global)?;
        let anchor = global.anchor();
        if let Some(config) = &global.anchor_unknown {
            terminal::note(&format!(
                "warning: {} has a mistake, and whether it names an anchor cannot be made out: the journal is held against none",
                config.display()
            ));
        }
        if let Some(anchor) = anchor.as_ref().filter(|_| !folder.exists())
            && let Some(anchored) = anchor.last()?
        {
            // Whatever the anchor was noted down of is gone; nothing is begun in its place.
            return Err(anchor.behind(anchored).into());
        }
        let (store, sealer, new) = folder.open().await?;
        if new {
            let path = folder.path().display();
            terminal::note(&match store.elsewhere() {
                None => format!("keeping the journal and a new age identity in {path}; include it in your backups"),
                Some(place) => format!(
                    "keeping the journal in {}, and a new age identity in {path}; include both in your backups, and bring \
                     identity.age to every other machine that writes there",
                    place.display()
                ),
            });
        }
        if store.elsewhere().is_some() && global.seal.is_none() {
            terminal::note(OF_ONE_MACHINE);
        }
        let lease = store.lease().await?;
        if let Some(anchor) = &anchor {
            anchor.check(&*store).await?;
        }
        store.sealed_by(&lease, &sealer.remembered_as()).await?;
        let announcer = match config {
            Some(config) => announcer(config, speaker(global), speaker_anywhere(global, config), &*store).await?,
            None => None,
        };
        let mut store = NotifyingStore::silent(store);
        let words = announcer.map(|(announcer, words)| {
            store.announce(announcer);
            words
        });
        Ok(Self {
            words,
            store,
            sealer,
            lease,
            vendors,
            interrupt,
            by: person(),
            lines: LiveLines::new(),
        })
    }

    /// The driver of one target's rotation.
    pub(super) fn driver<'a>(&'a self, global: &Global, provider: &'a dyn Provider) -> Driver<'a> {
        Driver {
            store: &self.store,
            lease: &self.lease,
            sealer: &self.sealer,
            provider,
            progress: &self.lines,
            pace: global.pace.pace(),
            interrupt: &self.interrupt,
        }
    }

    /// What is needed to move one target now, and by a person's order.
    pub(super) fn acting<'a>(&'a self, global: &Global, claims: &'a Claims) -> Acting<'a> {
        Acting {
            journal: self.writer(),
            sealer: &self.sealer,
            pace: global.pace.pace(),
            interrupt: &self.interrupt,
            claims,
            by: &self.by,
            look_every: SignedDuration::ZERO,
            progress: &self.lines,
        }
    }

    /// The journal of guided rotations.
    pub(super) fn walker(&self) -> GuidedJournal<'_> {
        GuidedJournal(self.writer())
    }

    /// The journal of what is seen between rotations.
    pub(super) fn watcher(&self) -> InventoryJournal<'_> {
        InventoryJournal(self.writer())
    }

    /// Whoever writes to the journal.
    pub(super) fn writer(&self) -> Journal<'_> {
        Journal {
            store: &self.store,
            lease: &self.lease,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    /// Prints where a target stands after a command, and gives the exit code.
    pub(super) async fn conclude(&self, global: &Global, target: &str, result: Result<Outcome, DriveError>) -> Exit {
        self.lines.finish();
        let (report, exit) = self.report(global, target, result).await;
        // Whoever waits for the answer does not wait for those who are told of it.
        show(global, &report.into_iter().collect::<Vec<_>>());
        self.post(Limits::PERSON).await;
        exit
    }

    /// The report of one target; the error, if there was one, is told on stderr.
    pub(super) async fn report(
        &self,
        global: &Global,
        target: &str,
        result: Result<Outcome, DriveError>,
    ) -> (Option<TargetView>, Exit) {
        let speaker = speaker(global);
        match result {
            Ok(outcome) => {
                let exit = Exit::of_wait(outcome.wait.as_ref(), now());
                let report = TargetView::of(&outcome.stored, outcome.wait.as_ref(), now(), &speaker);
                (Some(report), exit)
            }
            Err(error) => {
                let report = self.failed(global, target, None, &error, Telling::Plain).await;
                (Some(report), Exit::of_error(&error))
            }
        }
    }

    /// The report of a target whose command failed; the error is told on stderr.
    pub(super) async fn failed(
        &self,
        global: &Global,
        target: &str,
        configured: Option<&Target>,
        error: &DriveError,
        telling: Telling,
    ) -> TargetView {
        let speaker = speaker(global);
        let stored = self.store.latest(target).await.ok().flatten();
        // What neither the journal nor the configuration knows may be a secret that was pasted.
        let shown = match (&stored, configured) {
            (None, None) => left_out(target),
            _ => target.to_owned(),
        };
        let target = shown.as_str();
        let subject = Subject::of(target, stored.as_ref());
        let subject = Subject {
            connector: configured.map_or(subject.connector, |target| target.connector.id),
            ..subject
        };
        let say = |text: &str| configured.map_or_else(|| text.to_owned(), |target| target.in_its_words(text));
        let named = match telling {
            Telling::Not => None,
            Telling::Plain => Some(error.to_string()),
            Telling::Named => Some(format!("{target}: {error}")),
        };
        if let Some(what) = named {
            let lines = remedy::of(error, subject, stored.as_ref());
            let lines: Vec<String> = lines.iter().map(|line| speaker.line(&say(line))).collect();
            terminal::error(&say(&what), &lines);
        }
        // A rotation that ended earlier has nothing to do with what was refused now.
        let concerned = |stored: &&Stored| !stored.rotation.is_closed() || matches!(error, DriveError::Useless(_));
        let mut report = match stored.as_ref().filter(concerned) {
            Some(stored) => TargetView::standing(stored, now(), &speaker),
            None => TargetView::unopened(target),
        };
        subject.connector.clone_into(&mut report.connector);
        report.fail(error);
        report.reason = report.reason.as_deref().map(say);
        report.next.what = report.next.what.as_deref().map(say);
        report
    }
}

/// The state folder that the command line names.
pub(super) fn locate(global: &Global) -> Result<StateFolder, FolderError> {
    let found = StateFolder::locate(global.state_dir.as_deref(), global.configured_state.as_deref());
    let folder = found.ok_or(FolderError::Nowhere)?;
    if let Some(config) = global.server_unknown.as_ref().filter(|_| !folder.has_journal()) {
        // A journal of its own, beside that of the server, would know nothing of what was done.
        return Err(FolderError::ServerUnknown(config.clone()));
    }
    Ok(folder
        .with_journal_on(global.server.clone())
        .sealing_with(global.seal.clone())
        .not_knowing_what_seals(global.seal_unknown.clone()))
}

/// How commands that the person is told to run begin.
pub(super) fn speaker(global: &Global) -> Speaker {
    Speaker::new(global.state_dir.as_deref(), global.config.as_deref())
}

/// The same for whoever reads them elsewhere, with another environment: with the whole paths of what is used here, whoever has named it.
fn speaker_anywhere(global: &Global, config: &Config) -> Speaker {
    // A path that cannot be made whole is told as it was given.
    let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let state_dir = StateFolder::said(global.state_dir.as_deref(), global.configured_state.as_deref()).map(whole);
    Speaker::new(state_dir.as_deref(), Some(&whole(config.path.clone())))
}

/// Prints reports in the form that was asked for. A person's text of an unopened target would be empty: stderr told all.
pub(super) fn show(global: &Global, reports: &[TargetView]) {
    let reports: Vec<TargetView> = reports.iter().map(out_of).collect();
    match global.output {
        Output::Json => terminal::print(&json::targets(&reports)),
        Output::Markdown => terminal::print(&markdown::document(&reports)),
        Output::Text => {
            for report in reports.iter().filter(|report| report.is_opened()) {
                terminal::print(&match report.guide {
                    Some(_) => text::guided_plan(report, terminal::width(), &speaker(global)),
                    None => text::story(report, terminal::columns()),
                });
            }
        }
    }
}

/// Tells what failed, what state that left, and the next command.
pub(super) fn tell(speaker: &Speaker, target: &str, error: &DriveError, stored: Option<&Stored>) {
    tell_of(speaker, Subject::of(target, stored), &error.to_string(), error, stored);
}

/// The same in these words, where more is known than the target's name.
fn tell_of(speaker: &Speaker, subject: Subject<'_>, what: &str, error: &DriveError, stored: Option<&Stored>) {
    let lines = remedy::of(error, subject, stored);
    let lines: Vec<String> = lines.iter().map(|line| speaker.line(line)).collect();
    terminal::error(what, &lines);
}

/// Tells that no journal knows this target.
pub(super) fn tell_unknown(global: &Global, target: &str) -> Exit {
    let error = DriveError::Refused(Refusal::unknown_target(target));
    tell(&speaker(global), target, &error, None);
    let mut report = TargetView::unopened(&left_out(target));
    report.fail(&error);
    show(global, &[report]);
    Exit::of_error(&error)
}

/// Tells that the state folder cannot be used.
pub(super) fn tell_folder(global: &Global, error: &FolderError) -> Exit {
    let lines = remedy::of_folder(error);
    let lines: Vec<String> = lines.iter().map(|line| speaker(global).line(line)).collect();
    terminal::error(&error.to_string(), &lines);
    // Programs get their document, whatever happened.
    if global.output == Output::Json {
        show(global, &[]);
    }
    Exit::of_folder(error)
}
