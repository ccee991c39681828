//! `rotate run`: every target as far as it may go.

mod ended;
mod watched;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::SignedDuration;
use rotate_providers::Vendors;
use rotate_providers::trace::failed;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use super::fleet::{Chosen, Looked, configured_beside_journal, known};
use super::notices::After;
use super::plan::required_state;
use super::rotate::story;
use super::session::{Session, Telling, locate, show, speaker, tell_folder};
use super::terminal::FleetLines;
use super::trials::Trials;
use super::{Exit, Global, status, terminal};
use crate::config::{Config, How, Target};
use crate::duration;
use crate::engine::driver::{DriveError, Refusal};
use crate::engine::{Acting, Action, Assessment, Claims, Order, Survey, Turn, TurnOutcome, assess, turn_span};
use crate::hooks::now;
use crate::notify::Limits;
use crate::policy::{Wait, Waiting};
use crate::state_folder::FolderError;
use crate::store::{StoreError, Stored};
use crate::view::{Detail, TargetView};
use ended::{Ended, of_judgement, tell};
use watched::{Ending, Watched};

/// Move every target as far as it may go; for cron.
///
/// Opens the rotations that are due by rotate.toml, and moves every rotation that is open. Asks nothing. One target's failure
/// does not stop the others. The exit code is that of the target that needs most.
#[derive(Args)]
pub(super) struct Command {
    #[command(flatten)]
    chosen: Chosen,
    /// Take for due what will be due within this time; after a breach: 3650d
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::seconds, allow_hyphen_values = true)]
    due_within: u64,
    /// Where another run is at work, here or on another machine, wait this long for its end, and do not exit with 4 at once: 10m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::wait)]
    wait_for_lease: Duration,
}

/// How often it is tried meanwhile.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// One of those whose turn it is.
enum Entry {
    /// A target of the configuration, by its place there.
    Configured(usize),
    /// A rotation that no configuration names: a command for one target has opened it.
    Open(Box<Stored>),
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let (config, looked) = configured_beside_journal(global).await;
        let config = match config {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let folder = match locate(global) {
            Ok(folder) => folder,
            Err(error) => return tell_folder(global, &error),
        };
        if config.is_none() && !folder.exists() {
            nothing(global);
            return Exit::Ok;
        }
        // A mistyped name must not make a folder, and nobody is told of it but whoever has typed it.
        if let Ok(read) = &looked {
            let configured = config.iter().flat_map(|config| &config.targets);
            let configured = configured.map(|target| target.name.as_str());
            let on_record = read.survey.courses().iter().map(|stored| stored.target.as_str());
            if let Err(exit) = self.chosen.check(configured.chain(on_record)) {
                return exit;
            }
        }
        let config = config.unwrap_or_else(Config::empty);
        let mut watched = Watched::begin(global, &config);
        let begun = match required_state(global, &config).filter(|_| !folder.exists()) {
            Some(error) => Err(error),
            None => self.begin(global, &config).await,
        };
        let session = match begun {
            Ok(session) => session,
            Err(error) => {
                let exit = tell_folder(global, &error);
                return watched.end(global, &config, None, exit.into()).await;
            }
        };
        watched.is_the_one();
        let config = Arc::new(config);
        let session = Arc::new(session);
        let ending = self.all(global, &config, &session, looked).await;
        watched.end(global, &config, Some(session), ending).await
    }

    /// Takes every turn.
    async fn all(
        &self,
        global: &Global,
        config: &Arc<Config>,
        session: &Arc<Session>,
        looked: Result<Looked, FolderError>,
    ) -> Ending {
        let survey = match known(&session.store, looked).await {
            Ok(survey) => survey,
            Err(error) => return tell_folder(global, &error.into()).into(),
        };
        let turns = match self.turns(config, &survey) {
            Ok(turns) => turns,
            Err(exit) => return exit.into(),
        };
        if turns.is_empty() {
            nothing(global);
            return Exit::Ok.into();
        }
        let work = Work {
            global: global.clone(),
            lines: FleetLines::new(turns.len()),
            within: SignedDuration::from_secs(i64::try_from(self.due_within).unwrap_or(i64::MAX)),
            claims: Claims::default(),
            trials: Trials::of(global.allowed.clone()),
            session: Arc::clone(session),
            config: Arc::clone(config),
            survey,
        };
        Arc::new(work).all(turns).await
    }

    /// Becomes the one runner, at once or as soon as nobody else is.
    async fn begin(&self, global: &Global, config: &Config) -> Result<Session, FolderError> {
        let until = Instant::now() + self.wait_for_lease;
        let mut is_told = false;
        loop {
            let vendors = Vendors::new(global.access(config.paces.clone()));
            let busy = match Session::begin_with(global, vendors, Some(config)).await {
                Err(FolderError::Store(busy @ (StoreError::Held(_) | StoreError::Leased { .. })))
                    if Instant::now() < until =>
                {
                    busy
                }
                begun => return begun,
            };
            if !std::mem::replace(&mut is_told, true) {
                terminal::note(&format!("{busy}; waiting for its end"));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    /// The targets that are meant: those of the file in its order, and then every other open rotation.
    fn turns(&self, config: &Config, survey: &Survey) -> Result<Vec<Entry>, Exit> {
        let named = |name: &str| config.targets.iter().any(|target| target.name == name);
        let on_record = survey.courses();
        let names = config.targets.iter().map(|target| target.name.as_str());
        // A rotation that has ended since is no mistake in a line of cron.
        self.chosen
            .check(names.chain(on_record.iter().map(|stored| stored.target.as_str())))?;
        // A target's rotation may be open under another name: it gets one turn.
        let taken: HashSet<&str> = survey.taken_by(&config.targets).collect();
        let others = on_record.iter().filter(|stored| {
            let name = stored.target.as_str();
            !stored.rotation.is_closed() && !taken.contains(name) && !named(name)
        });
        let configured = (0..)
            .zip(&config.targets)
            .filter(|(_, target)| self.chosen.has(&target.name));
        let others = others.filter(|stored| self.chosen.has(&stored.target));
        Ok(configured
            .map(|(at, _)| Entry::Configured(at))
            .chain(others.map(|stored| Entry::Open(Box::new(stored.clone()))))
            .collect())
    }
}

/// What every target's turn needs.
struct Work {
    global: Global,
    session: Arc<Session>,
    config: Arc<Config>,
    survey: Survey,
    lines: FleetLines,
    within: SignedDuration,
    claims: Claims,
    trials: Trials,
}

impl Work {
    /// Takes every turn, a bounded number of them at once, and tells what became of each.
    async fn all(self: Arc<Self>, turns: Vec<Entry>) -> Ending {
        let all = turns.len();
        // The identity that the program itself runs as goes last.
        let (own, others): (Vec<_>, Vec<_>) = turns.into_iter().partition(|entry| self.is_own(entry));
        let mut ended = Vec::with_capacity(all);
        for (wave, at_once) in [(others, self.config.concurrency), (own, 1)] {
            self.wave(wave, at_once, &mut ended).await;
        }
        self.lines.finish();
        ended.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut exit = ended.iter().map(|ended| ended.exit).max().unwrap_or(Exit::Ok);
        if ended.len() < all {
            terminal::error(
                "a target's turn ended unexpectedly; run it again, and look at the journal",
                &[],
            );
            exit = exit.max(Exit::Error);
        }
        if self.session.is_interrupted() {
            exit = exit.max(Exit::Interrupted);
        }
        self.write_down(&mut ended).await;
        self.session.end_forgotten(&self.config).await;
        let held_up = ended.iter().filter(|ended| ended.is_held_up());
        let held_up = held_up.map(|ended| ended.name.clone()).collect();
        let counts = tell(&self.global, &ended, all);
        self.session.post(Limits::RUN).await;
        Ending { exit, counts, held_up }
    }

    /// What people are to be told that no event has made.
    async fn write_down(&self, ended: &mut [Ended]) {
        let after = ended.iter_mut().filter_map(Ended::told);
        let fleet = async || match Survey::read(&self.session.store).await {
            Ok(survey) => Some(status::all(&self.global, Some(&self.config), &survey)),
            // No digest says that there are no targets.
            Err(_) => None,
        };
        self.session.tell_after(after.collect(), fleet).await;
    }

    /// Where a target stands after its turn, where anybody is told of that.
    fn after(&self, entry: &Entry, result: &Result<TurnOutcome, DriveError>) -> Option<After> {
        let announcer = self.session.store.announcer()?;
        let judged = self.judged(entry);
        let course = match (entry, &judged) {
            (Entry::Open(stored), _) => Some(stored.as_ref()),
            (Entry::Configured(_), Some((target, _))) => self.survey.of_target(target).course,
            (Entry::Configured(_), None) => None,
        };
        let told = announcer.told(self.name(entry));
        After::turn(
            self.name(entry),
            result,
            judged.as_ref().map(|(_, judged)| judged),
            course,
            &told,
        )
    }

    async fn wave(self: &Arc<Self>, turns: Vec<Entry>, at_once: usize, ended: &mut Vec<Ended>) {
        let mut working = JoinSet::new();
        for entry in turns {
            // What has ended is taken at once: until then it keeps the memory of its whole turn.
            if working.len() == at_once {
                ended.extend(working.join_next().await.and_then(Result::ok));
            }
            let work = Arc::clone(self);
            let span = turn_span(self.name(&entry), Some(self.connector(&entry)));
            working.spawn(async move { work.one(&entry).await }.instrument(span));
        }
        while let Some(one) = working.join_next().await {
            ended.extend(one);
        }
    }

    async fn one(&self, entry: &Entry) -> Ended {
        let progress = self.lines.of(self.name(entry));
        let acting = Acting {
            journal: self.session.writer(),
            sealer: &self.session.sealer,
            pace: self.global.pace.pace(),
            interrupt: &self.session.interrupt,
            claims: &self.claims,
            by: &self.session.by,
            look_every: self.config.look_every,
            progress: &progress,
        };
        let turn = Turn {
            survey: &self.survey,
            store: Some(&self.session.store),
            vendors: Some(&self.session.vendors),
        };
        let result = match (entry, self.target(entry)) {
            _ if self.session.is_interrupted() => Err(DriveError::Interrupted),
            (Entry::Open(stored), _) => Box::pin(turn.resume(stored, &acting)).await,
            (Entry::Configured(_), Some(target)) => {
                let within = self.within;
                turn.act(&Order::Scheduled { target, within }, &acting).await
            }
            (Entry::Configured(_), None) => Err(DriveError::Interrupted),
        };
        if let Err(error) = &result {
            failed(&Span::current(), error.class());
        }
        let after = self.after(entry, &result);
        let mut ended = self.ended(entry, result).await;
        ended.after = after.map(Box::new);
        if let Some(target) = self.target(entry)
            && !self.session.is_interrupted()
        {
            match self.trials.due(target, &self.survey, &self.session).await {
                Ok(None) => {}
                Ok(Some(refused)) => ended.refused(target, &refused, &self.global),
                Err(error) => ended = self.failed(entry, &error).await,
            }
        }
        self.lines.step();
        ended.only_if_shown(&self.global)
    }

    fn target(&self, entry: &Entry) -> Option<&Target> {
        match entry {
            Entry::Configured(at) => self.config.targets.get(*at),
            Entry::Open(_) => None,
        }
    }

    fn name<'a>(&'a self, entry: &'a Entry) -> &'a str {
        match entry {
            Entry::Configured(_) => self
                .target(entry)
                .map(|target| target.name.as_str())
                .unwrap_or_default(),
            Entry::Open(stored) => &stored.target,
        }
    }

    fn connector<'a>(&'a self, entry: &'a Entry) -> &'a str {
        match entry {
            Entry::Configured(_) => self.target(entry).map(|target| target.connector.id).unwrap_or_default(),
            Entry::Open(stored) => stored.rotation.connector(),
        }
    }

    fn is_own(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Configured(_) => self
                .target(entry)
                .is_some_and(|target| matches!(&target.how, How::Automatic(automatic) if automatic.allow_self)),
            Entry::Open(stored) => stored.rotation.automated().is_some_and(|it| it.spec.own_identity),
        }
    }

    /// Whether its key should be gone, whatever its rotation waits for.
    fn is_overdue(&self, entry: &Entry) -> bool {
        let judged = self.judged(entry);
        let age = judged.and_then(|(_, judged)| judged.age);
        age.is_some_and(|age| age.deadline.gone_by <= now())
    }

    /// A rotation that waits for a window into which no run falls.
    fn misses_its_window(&self, entry: &Entry, wait: Option<&Wait>) -> Option<(&Target, Assessment)> {
        wait.filter(|wait| wait.on == Waiting::Window)?;
        self.judged(entry)
            .filter(|(_, judged)| judged.action == Action::Blocked)
    }

    /// How it stood when the run began.
    fn judged(&self, entry: &Entry) -> Option<(&Target, Assessment)> {
        let target = self.target(entry)?;
        let judged = assess(target, self.survey.of_target(target), now(), SignedDuration::ZERO);
        Some((target, judged))
    }

    async fn ended(&self, entry: &Entry, result: Result<TurnOutcome, DriveError>) -> Ended {
        let speaker = speaker(&self.global);
        match (result, self.target(entry)) {
            (Ok(TurnOutcome::Judged(judged)), Some(target)) => of_judgement(target, &judged, &self.global),
            (Ok(TurnOutcome::Moved(outcome) | TurnOutcome::Rests(outcome)), _) => {
                if let Some((target, judged)) = self.misses_its_window(entry, outcome.wait.as_ref()) {
                    return of_judgement(target, &judged, &self.global);
                }
                let exit = Exit::of_wait(outcome.wait.as_ref(), now());
                let what = match outcome.wait.as_ref().map(|wait| wait.on) {
                    None => "ended",
                    Some(Waiting::Person) => "blocked",
                    Some(_) => "waiting",
                };
                let late = outcome.wait.is_some() && self.is_overdue(entry);
                let exit = if late { exit.max(Exit::PersonNeeded) } else { exit };
                let report = TargetView::of(&outcome.stored, outcome.wait.as_ref(), now(), &speaker);
                Ended::new(report, exit, true, what)
            }
            (Ok(TurnOutcome::Guided(mut guided)), _) => {
                self.name(entry).clone_into(&mut guided.target);
                let overdue = guided.rotation.overdue_at() <= now() || self.is_overdue(entry);
                let report = match entry {
                    Entry::Configured(_) => story(&self.global, &guided).in_detail(Detail::NextStep),
                    Entry::Open(_) => {
                        TargetView::walking(&guided.target, &guided.id, &guided.rotation, now(), &speaker)
                    }
                };
                let exit = if overdue { Exit::PersonNeeded } else { Exit::Ok };
                Ended::new(report, exit, true, "by hand")
            }
            (Err(error), _) => self.failed(entry, &error).await,
            // Only what the configuration names is judged.
            (Ok(TurnOutcome::Judged(_)), None) => {
                let fault = Refusal::fault_of_the_program("an open rotation was judged and not moved");
                self.failed(entry, &DriveError::Refused(fault)).await
            }
        }
    }

    async fn failed(&self, entry: &Entry, error: &DriveError) -> Ended {
        let exit = Exit::of_error(error);
        // What was never begun for the signal's sake has nothing to tell.
        let is_told = !matches!(error, DriveError::Interrupted);
        let telling = if is_told { Telling::Named } else { Telling::Not };
        let report = self
            .session
            .failed(&self.global, self.name(entry), self.target(entry), error, telling)
            .await;
        let what = if exit == Exit::PersonNeeded {
            "blocked"
        } else {
            "failed"
        };
        Ended::new(report, exit, is_told, what)
    }
}

fn nothing(global: &Global) {
    terminal::note("no rotation is open");
    show(global, &[]);
}
